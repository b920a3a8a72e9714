import numpy as np
import pytest

from declutter.features import extract, feature_names
from declutter.features.markup import NAME_BUCKETS, Tree, region, score_names
from declutter.kinds import SCORED
from declutter.readers.html import TAGS, read_page

PAGE = """<html><head><title>The river rose overnight - Vale Echo</title></head><body>
<nav class=menu><ul><li><a href=/>Home</a></li><li><a href=/s>Sport</a></li></ul></nav>
<main><article><h1>The river rose overnight</h1>
<p>The river rose by two metres, the mayor said, and the bridge will stay closed for the week at the very least.</p>
<blockquote><p>We have <b>never</b> seen this.</p></blockquote>
<div hidden><p>Subscribe <span>today</span></p></div>
<p>The water should fall again by the weekend, the agency wrote, and the shops on the quay hope to open then.</p>
<form><button>Sign up</button></form></article><aside><div style="display:none"><ul><li>Ad</li></ul></div></aside></main>
<footer>Imprint <a href=/c>Contact</a></footer></body></html>"""
TEXTS = ["home", "sport", "river", "metres", "never", "subscribe", "water", "sign up", "ad", "imprint"]


@pytest.fixture(scope="module")
def tree():
    source = read_page(PAGE)
    assert all(word in text.lower() for word, text in zip(TEXTS, source.texts, strict=True))
    return Tree(source.page)


def markup_of(page):
    """The columns of the family "markup", by name."""
    source = read_page(page)
    zeros = np.zeros((len(source.texts), len(SCORED)), np.float32)
    found = extract([source], lambda _: zeros, lambda _: zeros)
    columns = dict(zip(feature_names(True), found.columns(zeros).T, strict=True))
    return {name.removeprefix("markup: "): column for name, column in columns.items() if name.startswith("markup: ")}


def above(tree, node):
    """An element and all around it."""
    while node:
        yield node
        node = tree.parents[node]
    yield 0


@pytest.mark.parametrize("text", ["Read the news", "Читайте новости", "阅读新闻", "اقرأ الأخبار"])
def test_link_density_is_none_without_links_half_and_whole(text):
    found = markup_of(f"<p>{text}</p><p><a href=/>{text}</a>{text}</p><p><a href=/>{text}</a></p>")
    assert found["link density"] == pytest.approx([0, 0.5, 1], abs=0.2)  # white space lies in no link
    assert found["link density"][0] == 0
    assert found["no link"].tolist() == [1, 0, 0]


@pytest.mark.parametrize("word", ["Read", "Читайте", "阅读新闻", "اقرأ"])
def test_link_density_of_a_word_is_exact(word):
    found = markup_of(
        f"<p>{word}</p><p><a href=/>{word}</a>{word}</p><p><a href=/>{word}</a></p><p><a href=/></a>{word}"
    )
    assert found["link density"].tolist() == [0, 0.5, 1, 0]


def test_emphasis_is_a_share_of_characters():
    assert markup_of("<p>never<b>never</b></p><p><em>never</em></p>")["emphasis"].tolist() == [0.5, 1]


def test_the_tag_of_a_block_is_its_own():
    found = markup_of(PAGE)
    assert np.flatnonzero(found["<li>"]).tolist() == [0, 1, 8]
    assert np.flatnonzero(found["<h1>"]).tolist() == [2]
    assert np.flatnonzero(found["<p>"]).tolist() == [3, 4, 5, 6]
    assert np.flatnonzero(found["<form control>"]).tolist() == [7]


def test_within_is_true_below_a_tag_at_any_depth(tree):
    found = markup_of(PAGE)
    for tag in ("article", "main", "footer", "nav", "aside", "form", "ul", "blockquote", "button", "li"):
        expected = [any(TAGS[tree.tags[node]] == tag for node in above(tree, block)) for block in tree.blocks]
        assert any(expected)
        assert found[f"within <{tag}>"].tolist() == expected, tag


def test_hidden_is_inherited_and_ends_with_its_element():
    assert np.flatnonzero(markup_of(PAGE)["hidden"]).tolist() == [TEXTS.index("subscribe"), TEXTS.index("ad")]


def test_depth_counts_the_elements_around(tree):
    expected = [(sum(1 for _ in above(tree, block)) - 1) / 10 for block in tree.blocks]
    assert markup_of(PAGE)["depth"] == pytest.approx(expected)


def test_the_headline_parts_what_is_before_from_what_is_after():
    found = markup_of(PAGE)
    assert np.flatnonzero(found["is the headline"]).tolist() == [2]
    assert found["after the headline"].tolist() == [0] * 3 + [1] * 7
    assert found["from the headline"] == pytest.approx(np.log1p([0, 0, 0, 1, 2, 3, 4, 5, 6, 7]))


def test_likeness_to_the_title_is_a_share_of_words():
    found = markup_of("<title>Bridge stays closed</title><p>The bridge stays open</p><p>Imprint</p>")
    assert found["likeness to the title"] == pytest.approx([0.5, 0])


def test_the_article_in_json_ld_is_compared_by_pairs_of_words():
    body = "The river rose by two metres overnight. &lt;b&gt;Nobody&lt;/b&gt; was hurt, the mayor said."
    head = f'<script type="application/ld+json">{{"articleBody": "{body}"}}</script>'
    blocks = [
        "The river rose by two metres overnight.",
        "Nobody was hurt, wrote a reader",
        "Subscribe",
        "hurt Nobody",
        "!",
    ]
    found = markup_of(f"<html><head>{head}</head><body>{''.join(f'<p>{block}</p>' for block in blocks)}</body></html>")
    assert found["in JSON-LD"] == pytest.approx([1, 0.5, 0, 0, 0], abs=0.01)
    assert (found["article in JSON-LD"] > 0.4).all()
    assert found["JSON-LD on the page"] == pytest.approx([54 / 75] * 5, abs=0.05)
    without = markup_of("<p>The river rose.</p>")
    assert without["in JSON-LD"] == without["article in JSON-LD"] == without["JSON-LD on the page"] == 0


def test_neighbours_are_compared_by_tag_and_names():
    found = markup_of("<p class=a>one</p><p class=a>two</p><p class=b>three</p><div class=b>four</div>")
    assert found["same tag before"].tolist() == [0, 1, 0, 0]
    assert found["same tag after"].tolist() == [1, 0, 0, 0]
    assert markup_of("<p>one<p><a href=/>two</a><p>three")["linked before"].tolist() == [0, 0, 1]
    assert markup_of("<p>one<p><a href=/>two</a><p>three")["linked after"].tolist() == [1, 0, 0]


def test_elements_alike_are_counted_among_siblings():
    found = markup_of("<ul><li>a</li><li>b</li><li>c</li></ul><ul><li>d</li></ul>")
    assert found["alike, 0 up"] == pytest.approx(np.log([3, 3, 3, 1]))
    assert found["alike, 1 up"] == pytest.approx(np.log([2] * 4))
    assert found["blocks, 1 up"] == pytest.approx(np.log1p([3, 3, 3, 1]))


def test_totals_equal_a_walk_over_every_subtree(tree):
    values = np.random.default_rng(0).integers(0, 100, (len(tree.blocks), 2))
    found = tree.totals(values)
    for node in range(len(tree.parents)):
        inside = [i for i, block in enumerate(tree.blocks) if node in above(tree, block)]
        assert found[node].tolist() == values[inside].sum(axis=0).tolist()


def test_handed_down_equals_a_walk_up_from_every_block(tree):
    values = np.random.default_rng(1).integers(0, 100, (len(tree.parents), 2))
    expected = [sum(values[node] for node in above(tree, block)).tolist() for block in tree.blocks]
    assert tree.handed_down(values).tolist() == expected


def test_ancestors_are_the_elements_around_and_stop_at_the_root(tree):
    for i, block in enumerate(tree.blocks):
        path = [*above(tree, block), 0, 0, 0][: len(tree.ancestors)]
        assert tree.ancestors[:, i].tolist() == path


def test_names_count_once_for_the_element_itself_and_once_for_all_around():
    source = read_page("<div class=promo><p class=text>one</p></div><p class=promo>two</p>")
    table = np.zeros((NAME_BUCKETS, 4), np.float32)
    table[:, 0], table[:, 2] = 1, 1000  # own element, elements around; a label of n names weighs n over the root of n
    own, around = np.sqrt(2), 1000 * (1 + 1 + np.sqrt(2))
    found = score_names(Tree(source.page), table)
    assert found[:, 0] == pytest.approx([own + around, own + 2000])
    assert found[:, 1] == pytest.approx([0, 0])


def test_names_of_different_classes_weigh_differently():
    source = read_page("<p class=promo>one</p><p class=story>two</p><p class=promo>three</p>")
    table = np.random.default_rng(2).normal(size=(NAME_BUCKETS, 2)).astype(np.float32)
    one, two, three = score_names(Tree(source.page), table)[:, 0]
    assert one == pytest.approx(three)
    assert one != pytest.approx(two)


def test_region_finds_the_article_element():
    source = read_page(PAGE)
    tree = Tree(source.page)
    lengths = np.array([len(text) for text in source.texts], np.float32)
    article = np.where(lengths > 60, 0.95, 0.1).astype(np.float32)
    *shares, within, before, after = region(tree, article, lengths).T
    inside = [
        i for i, block in enumerate(tree.blocks) if "article" in {TAGS[tree.tags[node]] for node in above(tree, block)}
    ]
    assert np.flatnonzero(within).tolist() == inside
    assert np.flatnonzero(before).tolist() == [0, 1]
    assert np.flatnonzero(after).tolist() == [8, 9]
    assert shares[0][3] == pytest.approx(0.95)  # its own <p>
    assert shares[1][3] == pytest.approx((article * lengths)[inside].sum() / lengths[inside].sum())  # the <article>
