"""What stands in the blocks of a page: the text of each is that of the paragraph, whatever the markup."""

import pickle

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from declutter.errors import SourceError
from declutter.readers import read
from declutter.readers.html import TAGS, read_page
from declutter.readers.page import Markup

INLINE = ("a", "a href=/x", "b", "strong", "em", "i", "code", "kbd", "sub", "q", "span", "script", "title")


def markup_of(source) -> Markup | None:
    return source.page.markup(source.texts)


def texts_of(markup: Markup) -> list[str]:
    """The paragraphs as they were cut, from the pieces of the blocks."""
    return [
        "\t".join(" ".join("".join(run.space + run.text for run in piece.runs).split()) for piece in block)
        for block in markup.blocks
    ]


def marks_of(markup: str) -> list[tuple[str, str]]:
    """The runs of all blocks, each with the tags around it."""
    blocks = markup_of(read_page(markup)).blocks
    return [(r.text, " ".join(m.tag for m in r.marks)) for block in blocks for piece in block for r in piece.runs]


soups = st.lists(
    st.one_of(
        st.sampled_from(["one", " two ", "\n", " ", "&amp;", "&lt;p&gt;", "<", "市", "<br>", "<!-- x -->", "</html>"]),
        st.sampled_from([*TAGS[1:], *INLINE]).flatmap(
            lambda tag: st.sampled_from([f"<{tag}>", f"</{tag.split()[0]}>"])
        ),
    ),
    max_size=25,
).map("".join)


@given(soups)
def test_the_runs_of_any_page_are_its_paragraphs(markup):
    try:
        source = read_page("<p>start</p>" + markup)
    except SourceError:
        return
    assert texts_of(markup_of(source)) == source.texts


def trees(tag: str) -> st.SearchStrategy[lxml.html.HtmlElement]:
    """Trees that no parser would build: any element in any other."""

    def build(parts: list[tuple[int, str, str]]) -> lxml.html.HtmlElement:
        nodes = [lxml.html.Element(tag)]
        for parent, name, text in parts:
            element = lxml.html.etree.SubElement(nodes[parent % len(nodes)], name.split()[0], href="/x")
            element.text = element.tail = text
            nodes.append(element)
        return nodes[0]

    names = st.sampled_from([*TAGS[1:], "br", "br", *INLINE])
    return st.lists(st.tuples(st.integers(0, 9), names, st.sampled_from(["", " ", "one", " two "])), max_size=15).map(
        build
    )


@given(st.sampled_from(["div", "span", "table", "tr", "ul", "p", "html"]).flatmap(trees))
def test_the_runs_of_any_tree_are_its_paragraphs(tree):
    source = read(tree)
    assert texts_of(markup_of(source)) == source.texts


@pytest.mark.parametrize(
    ("markup", "runs"),
    [
        ("<p>a <b>b</b> c</p>", [("a", ""), ("b", "strong"), ("c", "")]),
        ("<p><i>a <b>b</b></i></p>", [("a", "em"), ("b", "em strong")]),
        ("<p><b>a<b>b</b></b><span>c</span></p>", [("a", "strong"), ("b", "strong"), ("c", "")]),  # once is enough
        ("<b>a<div>b</div></b>c", [("a", "strong"), ("b", "strong"), ("c", "")]),  # across blocks
        ("<a href=/x><h2>a</h2><p>b</p></a>", [("a", "a"), ("b", "a")]),
        ("<p><a name=x>a</a><a href=''>b</a></p>", [("a", ""), ("b", "")]),  # leads nowhere
        ("<p><b>a<br>b</b>c</p>", [("a", "strong"), ("b", "strong"), ("c", "")]),
        ("<p><b>a<script>no</script></b></p>", [("a", "strong")]),
        ("<p><b><title>no</title>a</b></p>", [("a", "strong")]),
    ],
)
def test_inline_elements_of(markup, runs):
    assert marks_of(markup) == runs


@pytest.mark.parametrize(
    ("base", "href", "address"),
    [
        ("", "/x?a=1&amp;b=2#c", "/x?a=1&b=2#c"),
        ("https://example.org/news/", "a.html", "https://example.org/news/a.html"),
        ("https://example.org/news/", "#note", "https://example.org/news/#note"),
        ("https://example.org/", "mailto:a@example.org", "mailto:a@example.org"),
        ("https://example.org/", "//[", "//["),  # no address, but no reason to stop
        ("/news/", "a.html", "a.html"),  # relative to what?
        ("", " /a\n b ", "/a b"),
        ("", "javascript:alert(1)", None),
        ("https://example.org/", " java\tscript:alert(1)", None),
        ("", "data:text/html,x", None),
    ],
)
def test_addresses(base, href, address):
    markup = f"<head><base href='{base}'></head><p><a href='{href}'>a</a></p>"
    for source in (read_page(markup), read(lxml.html.document_fromstring(markup))):
        ((piece,),) = markup_of(source).blocks
        assert [mark.attributes["href"] for mark in piece.runs[0].marks] == ([] if address is None else [address])


def test_a_tree_knows_where_it_came_from():
    tree = lxml.html.document_fromstring("<p><a href=x>a</a>", base_url="https://example.org/news/")
    ((piece,),) = markup_of(read(tree)).blocks
    assert piece.runs[0].marks[0].attributes == {"href": "https://example.org/news/x"}


def test_only_a_single_line_break_continues_a_block():
    markup = "<p>a<br>b<br><br>c</p><p>d</p>e<br><hr>f<br>g"
    blocks = markup_of(read_page(markup)).blocks
    assert [piece.continues for (piece,) in blocks] == [False, True, False, False, False, False, True]


def test_a_row_of_a_table_has_a_piece_for_each_cell():
    markup = markup_of(read_page("<table><tr><td colspan=2 class=x>a <b>b</b><td>c</table>"))
    assert [[run.text for run in piece.runs] for piece in markup.blocks[0]] == [["a", "b"], ["c"]]
    assert markup.spans == {markup.blocks[0][0].node: {"colspan": "2"}}


def test_white_space_of_code_is_kept_and_other_white_space_collapsed():
    ((code,), (text,)) = markup_of(read_page("<pre>\n\n  a\n\tb  <b>c</b>\n</pre><p>\n a\n\tb  <b> c</b>\n</p>")).blocks
    assert [(run.space, run.text) for run in code.runs] == [("  ", "a\n\tb"), ("  ", "c")]
    assert [(run.space, run.text) for run in text.runs] == [("", "a b"), (" ", "c")]


def test_a_tree_that_was_changed_meanwhile_has_no_markup():
    tree = lxml.html.fromstring("<div><p>a</p><p>b</p></div>")
    source = read(tree)
    tree[0].text = "c"
    assert markup_of(source) is None


def test_a_pickled_page_has_no_markup(labeller):
    document = labeller.label("<p>a <b>b</b></p>")
    assert markup_of(document.source) is not None
    assert markup_of(pickle.loads(pickle.dumps(document)).source) is None


@pytest.mark.parametrize("tag", ["b", "a href=/x", "div", "li"])
def test_five_thousand_nested_elements(tag):
    source = read_page("".join(f"<{tag}>w{i} " for i in range(5000)))
    assert texts_of(markup_of(source)) == source.texts
    assert " ".join(source.texts).split() == [f"w{i}" for i in range(5000)]
