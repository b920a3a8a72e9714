"""Pages into paragraphs: no text is lost, and what the lists of a page say is right."""

import dataclasses

import bs4
import lxml.html
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from declutter.errors import SourceError
from declutter.readers import read
from declutter.readers.html import TAGS, Page, parse_page, read_page

PAGE = """\
<!doctype html>
<html lang="en"><head>
  <title>Council mends the old bridge | The Daily</title>
  <meta property="og:title" content="Council mends the old bridge">
  <style>p { color: black }</style><script>var text = "<p>not text</p>";</script>
</head><body class="page">
  <nav id="top"><ul><li><a href="/">Home</a></li><li><a href="/news">News</a></li></ul></nav>
  <main><article>
    <h1>Council mends the old bridge</h1>
    <p class="lead">The <b>council</b> voted to <a href="/bridge">repair the bridge</a>, it said.</p>
    <figure><img src="bridge.jpg" alt="bridge"><figcaption>The bridge. <em>Photo: J. Doe</em></figcaption></figure>
    Loose text<br>on two lines.
    <table><thead><tr><th>Year</th><th>Cars</th></tr></thead><tr><td>2001</td><td>1,200</td></tr></table>
    <blockquote><p>It is <span hidden>not</span> time.</p></blockquote>
    <!-- the shop -->
    <div class="shop" style="display:none"><p>Buy the bridge!</p><button>Now</button></div>
  </article></main>
  <footer><p>© The Daily</p><form><label>Mail <input></label><select><option>a<option>b</select></form></footer>
</body></html>
"""
PAGE_TEXTS = [
    "Home",
    "News",
    "Council mends the old bridge",
    "The council voted to repair the bridge, it said.",
    "The bridge. Photo: J. Doe",
    "Loose text",
    "on two lines.",
    "Year\tCars",
    "2001\t1,200",
    "It is not time.",
    "Buy the bridge!",
    "Now",
    "© The Daily",
    "Mail",
    "a",
    "b",
]


def texts(markup: str) -> list[str]:
    return read_page(markup).texts


def lists(page: Page) -> dict:
    """All that a page notes of its markup, without where it came from."""
    return {field.name: getattr(page, field.name) for field in dataclasses.fields(page) if field.name != "origin"}


def marked_hidden(page: Page, index: int) -> bool:
    """Whether paragraph `index` stands in an element that says it is not displayed."""
    node = page.blocks[index]
    while node >= 0 and not page.hidden[node]:
        node = page.parents[node]
    return node >= 0


def test_a_page_becomes_its_blocks_in_order():
    assert texts(PAGE) == PAGE_TEXTS


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        # inline elements: what stands before, in and after them is one text
        ("<p>one <b>two</b> three</p>", ["one two three"]),
        ("<p>a<span>b</span>c<i>d</i>e</p>", ["abcde"]),
        ("<p><a href=#>one</a> two</p>three<p>four", ["one two", "three", "four"]),
        ("<div>a <code>b</code>, c<sup>2</sup></div>", ["a b, c2"]),
        ("<p>a<img src=b>c<input>d<wbr>e</p>", ["acde"]),
        ("<p>a &amp; b &lt; c&nbsp;&mdash; d &#x5e02;</p>", ["a & b < c — d 市"]),
        ("<p>  one\n\t two  </p>", ["one two"]),
        # paragraphs without <p>
        ("one<br>two<br/><br />three", ["one", "two", "three"]),
        ("<div>one<div>two</div>three</div>", ["one", "two", "three"]),
        ("<body>one<hr>two</body>", ["one", "two"]),
        ("just text", ["just text"]),
        ("<center>one</center><font>two</font>", ["one", "two"]),
        ("<span>one</span><div>two</div>", ["one", "two"]),
        ("<article>one<section>two</section></article>", ["one", "two"]),
        # unclosed and stray tags
        ("<p>one<p>two<div>three", ["one", "two", "three"]),
        ("<b><p>one</b> two</p></div>three", ["one two", "three"]),
        ("<p>one < two & three", ["one < two & three"]),
        # lists and figures
        ("<ul><li>one<li>two<ul><li>three</ul></ul>", ["one", "two", "three"]),
        ("<ol><li><p>one</p><p>two</p></li></ol>", ["one", "two"]),
        ("<dl><dt>one<dd>two</dl>", ["one", "two"]),
        ("<figure><img><figcaption>one</figcaption></figure>two", ["one", "two"]),
        ("<details><summary>one</summary>two</details>", ["one", "two"]),
        # a row of a data table is one paragraph; layout is not
        ("<table><tr><th>Year<th>Cars<tr><td>2001<td>1,200</table>", ["Year\tCars", "2001\t1,200"]),
        ("<table><caption>one</caption><tr><td>two<td><a href=#>three</a></table>", ["one", "two\tthree"]),
        ("<table><tr><td>one</td></tr><tr><td>two</td></tr></table>", ["one", "two"]),
        ("<table><tr><td><p>one</p><p>two</p></td><td>three</td></tr></table>", ["one", "two", "three"]),
        ("<table><tr><td>one<br>two</td><td>three</td></tr></table>", ["one", "two", "three"]),
        (f"<table><tr><td>{'long ' * 50}</td><td>side</td></tr></table>", [("long " * 50).strip(), "side"]),
        ("<table><tr><td><table><tr><td>a<td>b</table></td><td>c</td></tr></table>", ["a\tb", "c"]),
        # what no reader sees
        ("<p>one<script>no</script><style>no</style> two</p>", ["one two"]),
        ("<template><p>no</p></template><p>one", ["one"]),
        ("<p>one <svg><title>no</title><text>no</text></svg>two", ["one two"]),
        ("<noscript><p>no</p></noscript><p>one", ["one"]),
        ("<script>document.write('<p>no</p>')</script><p>one", ["one"]),
        # comments and other markup that is no text
        ("<p>one<!-- no -->two</p>", ["onetwo"]),
        ("<!-- <p>no</p> --><p>one</p>", ["one"]),
        ("<p>one</p><!--[if IE]><p>no</p><![endif]--><p>two</p>", ["one", "two"]),
        ("<body><p>one</p><!-- never closed <b>two</b><p>three</p></body></html>", ["one", "two", "three"]),
        ("<p>one<?php echo 'no' ?>two</p>", ["onetwo"]),
        # text outside the body
        ("<html><body><p>one</p></body></html>two<p>three</p>", ["one", "two", "three"]),
        ("<html><head><title>no</title></head>one</html>", ["one"]),
        ("<html><body><p>one</p></body></html><html><body><p>two</p></body></html>", ["one", "two"]),
    ],
)  # fmt: skip
def test_blocks_of(markup, expected):
    assert texts(markup) == expected
    assert read_page(parse_page(markup)).texts == expected


@pytest.mark.parametrize(
    "parsed",
    [parse_page, lxml.html.document_fromstring, lambda markup: lxml.html.fromstring(markup).getroottree().getroot()],
    ids=["parse_page", "document_fromstring", "fromstring"],
)
def test_markup_and_tree_give_the_same_page(parsed):
    streamed, walked = read_page(PAGE), read_page(parsed(PAGE))
    assert walked.texts == streamed.texts
    assert lists(walked.page) == lists(streamed.page)


soups = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "one",
                " two ",
                "three  \n  four",
                "市議会",
                "&amp;",
                "<",
                ">",
                "\n",
                "<!-- x -->",
                "<br>",
                "<img>",
                "</html>",
                "</body>",
            ]
        ),
        st.sampled_from([*TAGS[1:], "a", "b", "span", "script", "title", "svg", "template"]).flatmap(
            lambda tag: st.sampled_from([f"<{tag}>", f"</{tag}>", f"<{tag} class='c' hidden>"])
        ),
    ),
    max_size=25,
).map("".join)


@given(soups)
@example("one</html>two")
def test_in_any_tag_soup_markup_and_tree_give_the_same_texts(markup):
    try:
        streamed = read_page(markup)
    except SourceError:
        with pytest.raises(SourceError):
            parse_page(markup)
        return
    assert read_page(parse_page(markup)).texts == streamed.texts


@given(soups)
@example("<a>three  \n  four</a>")
def test_the_lists_of_any_page_fit_together(markup):
    try:
        source = read_page("<p>start</p>" + markup)
    except SourceError:
        return
    page, nodes = source.page, len(source.page.parents)
    assert len(source.texts) == len(page.blocks) == len(page.linked) == len(page.emphasised)
    assert all(text == "\t".join(" ".join(cell.split()) for cell in text.split("\t")) != "" for text in source.texts)
    assert all(0 <= node < nodes for node in page.blocks)
    assert {len(page.tags), len(page.names), len(page.hidden), len(page.first), len(page.last), len(page.ends)} == {
        nodes
    }
    for node, parent in enumerate(page.parents):
        assert parent < node < page.ends[node] <= nodes
        assert 0 <= page.first[node] <= page.last[node] <= len(source.texts)
        if parent >= 0:
            assert page.ends[node] <= page.ends[parent]
            assert page.first[parent] <= page.first[node]
            assert page.last[node] <= page.last[parent]
    for index, node in enumerate(page.blocks):
        assert page.first[node] <= index < page.last[node]
    for text, linked, emphasised in zip(source.texts, page.linked, page.emphasised, strict=True):
        assert 0 <= max(linked, emphasised) <= len(text)
    assert len(page.paths()) == len(source.texts)


def test_every_tag_of_the_table_ends_a_block_or_is_inline():
    for tag in set(TAGS[1:]) - {"html", "body", "table", "tr", "tbody", "thead", "tfoot", "td", "th", "caption", "hr"}:
        assert texts(f"<div>one<{tag}>two</{tag}>three</div>") in (["one", "two", "three"], ["onetwothree"]), tag


@pytest.mark.parametrize("tag", ["div", "span", "b", "ul", "a", "font", "blockquote"])
def test_five_thousand_nested_elements_lose_no_text(tag):
    markup = "".join(f"<{tag}>w{i} " for i in range(5000)) + "deep" + f"</{tag}>" * 5000 + "<p>after</p>"
    source = read_page(markup)
    assert " ".join(source.texts).split() == [*(f"w{i}" for i in range(5000)), "deep", "after"]
    assert len(source.page.paths()) == len(source.texts)


def test_a_deep_tree_of_lxml_is_read():
    root = element = lxml.html.Element("div")
    for i in range(5000):
        element = lxml.html.etree.SubElement(element, "div")
        element.text = f"w{i}"
    assert read(root).texts == [f"w{i}" for i in range(5000)]


@pytest.mark.parametrize(
    "attributes",
    ["hidden", "hidden=''", "aria-hidden='true'", "style='display: none'", "style='color:red;VISIBILITY:hidden'"],
)
def test_hidden_elements_are_kept_and_marked(attributes):
    source = read_page(f"<p>one</p><div {attributes}>two<p>three</p></div><p>four</p>")
    assert source.texts == ["one", "two", "three", "four"]
    assert [marked_hidden(source.page, index) for index in range(4)] == [False, True, True, False]


@pytest.mark.parametrize(
    "attributes", ["aria-hidden='false'", "style='display:block'", "class='hidden'", "data-hidden"]
)
def test_displayed_elements_are_not_marked_hidden(attributes):
    assert not marked_hidden(read_page(f"<div {attributes}>one</div>").page, 0)


@pytest.mark.parametrize(
    ("head", "body", "headline"),
    [
        ("<title>Council mends bridge</title>", "<h2>Weather</h2><h1>Council mends bridge</h1>", 1),
        ("<title>Council mends bridge - The Daily</title>", "<h1>The Daily</h1><h2>Council mends bridge</h2>", 1),
        ("<title>The Daily | Council mends bridge</title>", "<p>Today</p><div>Council mends bridge</div><p>x</p>", 1),
        ("<meta property='og:title' content='Council mends bridge'>", "<h1>News</h1><h2>Council mends bridge</h2>", 1),
        ("<meta name='twitter:title' content='Council mends bridge'>", "<p>x</p><p>Council mends bridge</p>", 1),
        ("<title>市議会は古い橋を直すことに決めた</title>", "<p>今日</p><h1>市議会は古い橋を直すことに決めた</h1>", 1),
        ("<title>The Daily</title>", "<p>Menu</p><h1>Council mends bridge</h1><p>x</p>", 1),  # the only h1
        ("", "<h1>Council mends bridge</h1>", 0),
        ("<title>The Daily</title>", "<h1>Council mends bridge</h1><h1>Weather</h1>", None),
        ("<title>Council mends bridge</title>", "<p>The council met.</p>", None),
        ("", "<p>The council met.</p>", None),
    ],
)
def test_the_pages_own_headline_is_found_by_its_title(head, body, headline):
    markup = f"<html><head>{head}</head><body>{body}</body></html>"
    assert read_page(markup).page.headline == headline
    assert read_page(parse_page(markup)).page.headline == headline


def test_the_titles_of_a_page():
    page = read_page(PAGE).page
    assert (page.title, page.share_title) == (
        "Council mends the old bridge | The Daily",
        "Council mends the old bridge",
    )
    page = read_page("<p>one</p>").page
    assert (page.title, page.share_title) == ("", "")


def test_a_part_of_a_page_knows_the_title_of_the_whole():
    article = lxml.html.document_fromstring(PAGE).find(".//article")
    source = read_page(article)
    assert source.page.title == "Council mends the old bridge | The Daily"
    assert source.texts[source.page.headline] == "Council mends the old bridge"


def test_the_path_of_each_paragraph_finds_the_element_it_stands_in():
    source, root = read_page(PAGE), parse_page(PAGE)
    for text, path in zip(source.texts, source.page.paths(), strict=True):
        (element,) = root.xpath(path)
        assert "".join(text.split()) in "".join("".join(element.itertext()).split())
    assert source.page.paths()[PAGE_TEXTS.index("2001\t1,200")] == "/html/body/main/article/table/tr"


def test_paths_in_a_part_of_a_page_lead_from_the_root_of_the_page():
    root = lxml.html.document_fromstring(PAGE)
    footer = root.find(".//footer")
    paths = read_page(footer).page.paths()
    assert paths[0] == "/html/body/footer/p"
    assert all(footer in root.xpath(path)[0].iterancestors() for path in paths)


@pytest.mark.parametrize("ending", ["\n<script>x</script>\n", "\n<!-- cached -->\n", "\n", "two<p>three</p>"])
def test_what_follows_the_end_of_a_page_costs_no_paths(ending):
    markup = f"<html><body><div><p>one</p></div></body></html>{ending}"
    source, root = read_page(markup), parse_page(markup)
    assert [root.xpath(path)[0].text for path in source.page.paths()] == source.texts


def test_no_path_is_made_up_for_a_page_nested_too_deep():
    source = read_page("<div>one" * 5000)
    assert source.texts == ["one"] * 5000
    assert source.page.paths() == [None] * 5000


@pytest.mark.parametrize(
    "words", ["the old bridge", "старый мост", "古い橋を直す", "الجسر القديم", "a&amp;b", "the\n      bridge"]
)
def test_characters_within_links_are_counted(words):
    length = len(" ".join(words.replace("&amp;", "&").split()))
    source = read_page(f"<p>{words}</p><p><a href=#>{words}</a></p><p>{words} <a href=#><b>{words}</b></a>.</p>")
    assert source.page.linked == [0, length, length]
    assert source.page.emphasised == [0, 0, length]


def test_class_id_and_role_name_an_element():
    page = read_page("<div class='a b' id=c role=d title=e><p>one</p></div>").page
    parent = page.parents[page.blocks[0]]
    assert page.labels[page.names[parent]].split() == ["div", "a", "b", "c", "d"]


@pytest.mark.parametrize("parser", ["lxml", "html.parser"])
def test_a_beautifulsoup_tree_gives_the_texts_of_its_page(parser):
    assert read(bs4.BeautifulSoup(PAGE, parser)).texts == PAGE_TEXTS


@pytest.mark.parametrize(
    "element", [lxml.html.etree.Comment("x"), lxml.html.etree.ElementTree()], ids=["comment", "tree"]
)
def test_a_tree_without_an_element_is_refused(element):
    with pytest.raises(SourceError, match="no element"):
        read(element)


def test_characters_that_xml_forbids_do_not_stop_a_page():
    assert texts("<p>one\x00 \x01two \ud800&#xD800;&#0; three</p>")[0].startswith("one")
