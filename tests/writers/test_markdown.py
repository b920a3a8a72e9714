"""Markdown of what is kept: whoever reads it gets the structure, and the text of every paragraph."""

import re

import lxml.html
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from declutter.document import Source
from declutter.errors import SourceError
from declutter.readers.html import TAGS, read_page
from declutter.readers.text import read_text
from declutter.writers import WRITERS

INLINE = ("a href='/x_(y)*`z'", "b", "strong", "em", "code", "sup", "span", "q", "script", "title")
SIGNS = (
    "a_b_", "*x*", "**", "_", "`c`", "``", "```", "~~~", "~x~", "1. x", "10) z", "- d", "+", "=", "===", "---", "#", "# h ##",
    "> q", "[l](u)", "[l]: u", "!", "|", "a|b", ":-|-", "\\", "&amp;", "&amp;amp;", "&lt;b&gt;", "http://x.y/a_b", "市", "“q”",
)  # fmt: skip


def markdown(document) -> str:
    return "".join(WRITERS["markdown"](document))


def rendered(text: str) -> str:
    """HTML of some Markdown, as CommonMark with GitHub's tables says."""
    return MarkdownIt("commonmark", {"maxNesting": 100}).enable(["table", "strikethrough"]).render(text)


def words(markup: str) -> list[str]:
    return " ".join(read_page(markup).texts).split() if markup.strip() else []


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<h1>a</h1><h3>b<br>c</h3><p>d</p>", "# a\n\n### b c\n\nd"),
        ("<p>a<br>b<br><br>c</p>", "a\\\nb\n\nc"),
        ("<p>a <b>b</b>, <i>c</i> <code>d_e</code></p>", "a **b**, _c_ `d_e`"),
        ("<p>a<b>b</b>c <sup>2</sup><q>d</q></p>", "a<strong>b</strong>c <sup>2</sup><q>d</q>"),
        ("<p><b>a</b><i>b</i></p>", "<strong>a</strong><em>b</em>"),
        ("<p><i>a <b>b</b></i></p>", "_a **b**_"),
        ("<p><a href='/x' title=t>a <b>b</b></a>!<a href=y>c</a></p>", "[a **b**](/x)\\![c](y)"),
        ("<p><a href='/a b_(c)|`&amp;lt;'>a</a></p>", "[a](/a%20b_%28c%29%7C%60&amp;lt;)"),
        ("<p><code>a`b</code> <code>`c`</code> <code>d <b>e</b></code></p>", "``a`b`` `` `c` `` `d e`"),
        ("<p><code>a</code><code>b</code> <a href=x><code>c</code></a><code>d</code></p>", "`ab` [`c`](x)`d`"),
        # lists and quotes
        ("<ul><li>a<ol><li>b<li>c</ol><li>d</ul>e", "- a\n  1. b\n  2. c\n- d\n\ne"),
        ("<ul><li>a<ul><li>b</ul>c</ul>", "- a\n  - b\n\n  c"),
        ("<ol><li><p>a</p><p>b</p><li>c</ol>", "1. a\n\n   b\n\n2. c"),
        ("<ul><li>a</ul><ul><li>b</ul><ul><li>c</ul>", "- a\n\n* b\n\n- c"),
        ("<ol><li>a</ol><ol><li>b</ol>", "1. a\n\n1) b"),
        ("<ul><li><ul><li>a</ul></ul>", "- - a"),
        ("<ul><li>a<br>b<blockquote>c</blockquote></ul>", "- a\\\n  b\n\n  > c"),
        ("<blockquote>a<p>b</p><ul><li>c<li>d</ul></blockquote>e", "> a\n>\n> b\n>\n> - c\n> - d\n\ne"),
        ("<blockquote>a</blockquote><blockquote>b</blockquote>", "> a\n\n> b"),
        ("<dl><dt>a<dd>b</dl>", "a\n\nb"),
        # code
        ("<pre>\n  if a:\n\n      *b*\n</pre>", "```\n  if a:\n\n      *b*\n```"),
        ("<ul><li><pre>a\n\n```\n</pre></ul>", "- ````\n  a\n\n  ```\n  ````"),
        # tables
        ("<table><tr><th>a<th>b<tr><td>c|d<td><b>e</b></table>", "| a | b |\n| --- | --- |\n| c\\|d | **e** |"),
        (
            "<table><caption>t</caption><tr><td colspan=2>a<td>b<tr><td>c<br>d<td><td>e</table>f",
            "t\n\n| a |  | b |\n| --- | --- | --- |\n| c<br>d |  | e |\n\nf",
        ),
        ("<table><tr><td>a<td>b<tr><td>c<td>d<td>e<tr><td>f<td>g</table>",
         "| a | b |  |\n| --- | --- | --- |\n| c | d | e |\n| f | g |"),
        ("<ul><li>x<table><tr><td>a<td>b</table></ul>", "- x\n\n  | a | b |\n  | --- | --- |"),
        # figures
        ("<figure><img src='a b.png' alt='*'><figcaption>c</figcaption></figure>", "![\\*](a%20b.png)\n\nc"),
        # what would be read as markup
        ("<p># a</p><p>1. b</p><p>- c</p><p>&gt; d</p>", "\\# a\n\n1\\. b\n\n\\- c\n\n\\> d"),
        ("<h2>C#</h2><h2>a #</h2>", "## C\\#\n\n## a \\#"),
        ("<p>a_b __c__ *d* [e](f) &lt;g&gt; &amp;lt; AT&amp;T</p>",
         "a_b \\_\\_c\\_\\_ \\*d\\* \\[e\\](f) \\<g> \\&lt; AT&T"),
        ("<p>a | b<br>- | -</p>", "a | b\\\n\\- | -"),
        ("<p>3.5 and 1.</p><p>2026-11-23</p><p>-5</p><p>#a</p><p>=1</p>", "3.5 and 1.\n\n2026-11-23\n\n-5\n\n#a\n\n=1"),
        ("<p>a<br>---</p><p>b<br>==</p><p>+</p><p>1)</p>", "a\\\n\\---\n\nb\\\n\\==\n\n\\+\n\n1\\)"),
        ("<figure><img src=a><figcaption>b</figcaption><figcaption>c</figcaption></figure>", "![](a)\n\nb\n\nc"),
    ],
)  # fmt: skip
def test_markdown_of(judged, markup, expected):
    document = judged(markup)
    assert markdown(document) == expected + "\n"
    assert words(rendered(expected)) == " ".join(document.text.split()).split()


soups = st.lists(
    st.one_of(
        st.sampled_from(["one", " two ", "\n", " ", "<br>", "<br>", "</html>", *SIGNS]),
        st.sampled_from(SIGNS),
        st.sampled_from([*TAGS[1:], *INLINE, *INLINE, "p", "pre", "li", "ul", "td"]).flatmap(
            lambda tag: st.sampled_from([f"<{tag}>", f"</{tag.split()[0]}>"])
        ),
    ),
    max_size=25,
).map("".join)


@given(soups, st.lists(st.sampled_from("CCA"), min_size=30, max_size=30))
@example("<b>a</b>!<a href=/x>b</a>", ["C"] * 30)
def test_the_text_of_any_page_is_read_from_its_markdown(judged, markup, letters):
    try:
        source = read_page("<p>start</p>" + markup)
    except SourceError:
        return
    document = judged(source, "".join(letters[: len(source.texts)]).ljust(len(source.texts), "C"))
    assert words(rendered(markdown(document))) == document.text.split()


@given(
    st.lists(st.lists(st.sampled_from(["one", " ", "\n", "    ", "\r", *SIGNS]), min_size=1).map("".join), max_size=4)
)
def test_the_paragraphs_of_any_list_are_read_from_its_markdown(judged, paragraphs):
    paragraphs = [text.strip() or "x" for text in paragraphs]
    written = rendered(markdown(judged(Source("list", paragraphs))))
    read = [element.text_content() for element in lxml.html.fragments_fromstring(written)]
    assert [text.split() for text in read] == [text.split() for text in paragraphs]


def test_structure_is_read_as_it_was_put_out(judged):
    """What Markdown can say is the same as HTML and as Markdown."""
    document = judged(
        "<h1>a</h1><p>b <a href=/x>c</a> <b>d</b><br>e</p><ul><li>f<ol><li>g<li>h</ol><li>i</ul>"
        "<blockquote><p>j</p></blockquote><table><tr><th>k<th>l<tr><td>m<td>n</table><pre>o\n  p</pre>"
    )
    through = re.sub(
        "</?(tbody|thead|code)>| />|\n", lambda found: ">" if "/>" in found[0] else "", rendered(markdown(document))
    )
    assert through.replace("<br >", "<br>") == "".join(WRITERS["html"](document)).replace("\n", "")


def test_plain_text_becomes_paragraphs_with_its_signs_escaped(judged):
    text = "# One *two*\nlast\n\n2) three <b>\n\nfour"
    assert markdown(judged(read_text(text, "block"), "CCA")) == "\\# One \\*two\\* last\n\n2\\) three \\<b>\n"
    assert markdown(judged(read_text(" \n", "line"))) == ""
