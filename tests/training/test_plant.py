import numpy as np
import pytest
from lxml import etree

from declutter.kinds import Kind
from declutter.readers.html import read_page
from declutter.training.plant import build, find_planted, plant, transplant

ARTICLE = [
    f"The council met on day {number} and spoke about the bridge for hours, the mayor said." for number in range(6)
]
GOLD = "\n".join(ARTICLE)
NOTICE = ["A message from us:", "Give   now", "Not today"]
PAGE = (
    "<html><head><title>Bridge</title></head><body><nav><a href=/>Home</a></nav><main>"
    + "".join(f"<p class=text id=p{number}>{line}</p> tail {number}" for number, line in enumerate(ARTICLE))
    + "</main><footer>Imprint</footer></body></html>"
)


def planted(place, seed=0):
    tree = plant(PAGE, GOLD, NOTICE, place, np.random.default_rng(seed))
    source = read_page(tree)
    return tree, source.texts, find_planted(source.texts, NOTICE)


@pytest.mark.parametrize(("place", "before", "after"), [("start", "Home", ARTICLE[0]), ("end", ARTICLE[5], "tail 5")])
def test_a_notice_goes_to_the_edge_of_the_article(place, before, after):
    _, texts, found = planted(place)
    first, last = min(found), max(found)
    assert (texts[first - 1], texts[last + 1]) == (before, after)


def test_a_notice_goes_between_paragraphs_and_nothing_of_the_page_is_lost():
    for seed in range(20):
        _, texts, found = planted("middle", seed)
        assert list(found.values()) == [0, 1, 2]
        assert max(found) - min(found) == 2
        assert texts.index(ARTICLE[0]) < min(found) < texts.index(ARTICLE[5])
        assert [text for i, text in enumerate(texts) if i not in found] == read_page(PAGE).texts


def test_a_notice_is_dressed_like_its_neighbour_or_not_at_all_or_boxed():
    dresses = set()
    for seed in range(40):
        tree, *_ = planted("end", seed)
        element = next(element for element in tree.iter("p") if element.text == "Not today")
        assert element.get("id") is None
        dresses.add((element.get("class"), element.getparent().tag))
    assert (
        {("text", "main"), (None, "main")}
        < dresses
        <= {("text", "main"), (None, "main"), (None, "div"), (None, "aside"), (None, "section")}
    )


def test_the_same_seed_plants_the_same():
    assert planted("middle", 3)[1] == planted("middle", 3)[1]


@pytest.mark.parametrize(("markup", "gold"), [("<p>Only this</p>", "Only this"), (PAGE, "Something else"), ("", "")])
def test_a_page_without_an_article_takes_nothing(markup, gold):
    assert plant(markup, gold, NOTICE, "end", np.random.default_rng(0)) is None
    assert transplant(markup, gold, NOTICE) is None


def test_another_article_takes_the_place_of_the_pages_own():
    texts = read_page(transplant(PAGE, GOLD, ["One.", "Two."])).texts
    assert texts[0] == "Home"
    assert texts[-1] == "Imprint"
    assert list(find_planted(texts, ["One.", "Two."])) == [1, 3]
    assert not set(texts) & set(ARTICLE)


def test_an_article_with_more_paragraphs_than_the_page_is_cut():
    lines = [f"Line {number}." for number in range(9)]
    texts = read_page(transplant(PAGE, GOLD, lines)).texts
    assert list(find_planted(texts, lines).values()) == [0, 1, 2, 3, 4, 5]


def test_lines_that_are_not_there_are_left_out():
    assert find_planted(["x", "a", "y", "b c"], ["a", "z", "b  c"]) == {1: 0, 3: 2}
    assert find_planted([], ["a"]) == {}


def test_a_transplanted_page_says_nothing_of_the_old_article():
    head = "<head><title>Bridge</title><meta property=og:title content=Bridge><script type=application/ld+json>"
    page = PAGE.replace("<head><title>Bridge</title>", head + '{"articleBody": "The bridge."}</script>')
    assert read_page(page).page.article_body == "The bridge."
    changed = read_page(transplant(page, GOLD, ["Not found", "Try again."]))
    assert (changed.page.title, changed.page.share_title, changed.page.article_body) == ("Not found", "", None)


WALL = ["Home", "Not found", "This page has gone for good, and nobody knows where.", "Try again", "Imprint"]
WALL_KINDS = [Kind.NAVIGATION, Kind.INTERFACE, Kind.INTERFACE, Kind.INTERFACE, Kind.LEGAL]
BRIEF_KINDS = [Kind.NAVIGATION, Kind.CONTENT, Kind.CONTENT, Kind.CONTENT, Kind.LEGAL]


@pytest.mark.parametrize("lines", [WALL, WALL[1:4], WALL[:1]])
def test_a_built_page_holds_the_lines_of_its_text_in_order(lines):
    kinds = [WALL_KINDS[WALL.index(line)] for line in lines]
    for seed in range(30):
        assert read_page(build(lines, kinds, np.random.default_rng(seed))).texts == lines


def test_the_markup_of_a_built_page_does_not_say_whether_it_is_an_article():
    def markup(kinds, seed):
        return etree.tostring(build(WALL, kinds, np.random.default_rng(seed)))

    assert [markup(WALL_KINDS, seed) for seed in range(9)] == [markup(BRIEF_KINDS, seed) for seed in range(9)]
    assert len({markup(WALL_KINDS, seed) for seed in range(9)}) > 5
