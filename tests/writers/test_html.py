"""HTML of what is kept: its structure and inline markup, the text of every paragraph, and nothing else."""

import bs4
import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from declutter.document import Source
from declutter.errors import SourceError
from declutter.readers.html import TAGS, read_page
from declutter.readers.text import read_text
from declutter.writers import WRITERS

INLINE = ("a href=/x", "b", "em", "code", "sup", "span", "script", "title")


def html(document) -> str:
    return "".join(WRITERS["html"](document))


def flat(markup: str) -> str:
    """Markup less the line breaks that only make it readable."""
    return markup.replace(">\n", ">")


def words(texts) -> list[str]:
    return " ".join(texts).split()


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        # inline elements, within and across blocks
        ("<p class=x onclick=y>a <b style=z>b</b> <i>c</i></p>", "<p>a <strong>b</strong> <em>c</em></p>"),
        ("<p><b>a </b>b<i> c</i></p>", "<p><strong>a</strong> b <em>c</em></p>"),
        ("<p><b>a</b><b>b</b><em></em></p>", "<p><strong>ab</strong></p>"),
        ("<p><kbd>a</kbd> <kbd>b</kbd></p>", "<p><kbd>a</kbd> <kbd>b</kbd></p>"),
        ("<b>a<div>b</div></b>", "<p><strong>a</strong></p><p><strong>b</strong></p>"),
        ("<a href=/x title=t rel=y><h2>a</h2><p>b", '<h2><a href="/x" title="t">a</a></h2><p><a href="/x" title="t">b</a></p>'),
        ("<div>a<code>b</code><sup>2</sup></div>", "<p>a<code>b</code><sup>2</sup></p>"),
        # characters that mean something in HTML
        ("<p>&lt;b&gt; &amp;amp; \"q\"</p>", "<p>&lt;b&gt; &amp;amp; \"q\"</p>"),
        ("<p><a href='/?a&amp;amp;b&quot;'>a</a></p>", '<p><a href="/?a&amp;amp;b&quot;">a</a></p>'),
        # paragraphs and line breaks
        ("<p>a<br>b<br><br>c</p>", "<p>a<br>b</p><p>c</p>"),
        ("<div>a<br>b<div>c</div>d</div>", "<p>a<br>b</p><p>c</p><p>d</p>"),
        ("<h2>a<br><br>b</h2>", "<h2>a<br>b</h2>"),
        ("a<hr>b", "<p>a</p><p>b</p>"),
        ("<h2><div>a</div></h2><section><h6>b</h6></section>", "<h2>a</h2><h6>b</h6>"),
        # lists
        ("<ul><li>a<ol><li>b<li>c</ol>d<li>e</ul>", "<ul><li>a<ol><li>b</li><li>c</li></ol>d</li><li>e</li></ul>"),
        ("<ol><li><p>a</p><p>b</p></ol>", "<ol><li><p>a</p><p>b</p></li></ol>"),
        ("<ul><li>a<br>b</ul>", "<ul><li>a<br>b</li></ul>"),
        ("<ul>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<ul><li>a</ul><ul><li>b</ul>", "<ul><li>a</li></ul><ul><li>b</li></ul>"),
        ("<menu><li>a</menu><div><li>b</div>", "<ul><li>a</li></ul><p>b</p>"),
        ("<dl><dt>a<dd>b<dd>c</dl>", "<dl><dt>a</dt><dd>b</dd><dd>c</dd></dl>"),
        ("<h2>a<ul><li>b</ul></h2>", "<h2>a</h2><ul><li>b</li></ul>"),
        # quotes, code
        ("<blockquote>a<p>b</p></blockquote>c", "<blockquote><p>a</p><p>b</p></blockquote><p>c</p>"),
        ("<pre>\n  if a:\n      <b>b</b> &lt; 1\n</pre>", "<pre>  if a:\n      <strong>b</strong> &lt; 1</pre>"),
        ("<pre><code>a<br>b</code></pre>", "<pre><code>a</code><br><code>b</code></pre>"),
        ("<pre><div>a</div><div> b</div></pre>", "<pre>a<br> b</pre>"),
        # tables of data stay, with their empty cells; tables for layout do not
        (
            "<table><caption>t</caption><thead><tr><th>a<th>b<tbody><tr><td rowspan=2>c<td><i>d</i></table>",
            "<table><caption>t</caption><thead><tr><th>a</th><th>b</th></tr></thead>"
            '<tr><td rowspan="2">c</td><td><em>d</em></td></tr></table>',
        ),
        (
            "<table><tr><td><td>a<td colspan=2><td>b<td><tr><td>c</table>",
            '<table><tr><td></td><td>a</td><td colspan="2"></td><td>b</td><td></td></tr><tr><td>c</td></tr></table>',
        ),
        ("<table><tr><td>a<td>b<tr><td>c<br>d<td>e</table>",
         "<table><tr><td>a</td><td>b</td></tr><tr><td>c<br>d</td><td>e</td></tr></table>"),
        ("<table><tr><td><h2>a</h2>b<td>c</table>", "<h2>a</h2><p>b</p><p>c</p>"),
        ("<table><tr><td>x<table><tr><td>a<td>b</table><td>y</table>",
         "<p>x</p><table><tr><td>a</td><td>b</td></tr></table><p>y</p>"),
        # pictures come with their captions
        (
            "<figure><img src=a.png alt='a &amp; b' onload=x><figcaption>a <i>b</i></figcaption></figure>",
            '<figure><img src="a.png" alt="a &amp; b"><figcaption>a <em>b</em></figcaption></figure>',
        ),
        ("<figure><img src='data:image/png,x'><figcaption>a</figcaption></figure>",
         "<figure><figcaption>a</figcaption></figure>"),
        ("<figure><img src=a.png><p>a</p></figure><p>b<img src=c.png></p>", "<p>a</p><p>b</p>"),
        # hidden elements are judged like others
        ("<p hidden>a</p><p style='display:none'>b</p>", "<p>a</p><p>b</p>"),
        ("<p>a<script>no</script><style>no</style>b", "<p>ab</p>"),
    ],
)  # fmt: skip
def test_html_of(judged, markup, expected):
    assert flat(html(judged(markup))) == expected


@pytest.mark.parametrize(
    ("markup", "letters", "expected"),
    [
        ("<ul><li>a<li>b<ul><li>c</ul><li>d</ul>", "CACC", "<ul><li>a</li><li><ul><li>c</li></ul></li><li>d</li></ul>"),
        ("<p>a<br>b<br>c<br>d</p>", "CACC", "<p>a</p><p>c<br>d</p>"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d<tr><td>e<td>f</table>", "CAC",
         "<table><tr><td>a</td><td>b</td></tr><tr><td>e</td><td>f</td></tr></table>"),
        ("<table><tr><td>a<td>b<tr><td>c<br>d<td>e</table>", "CAAC",
         "<table><tr><td>a</td><td>b</td></tr><tr><td></td><td>e</td></tr></table>"),
        ("<table><tr><td>a<td>b</table><p>c</p>", "AC", "<p>c</p>"),
        ("<p>a</p><h2>b</h2><p>c</p>", "CHC", "<p>a</p><h1>b</h1><p>c</p>"),
        ("<blockquote><div><b>a</b></div></blockquote><p>b</p>", "HC", "<h1><strong>a</strong></h1><p>b</p>"),
        ("<p>a</p>", "A", ""),
        ("<img>", "", ""),
    ],
)  # fmt: skip
def test_only_what_is_kept_is_put_out(judged, markup, letters, expected):
    assert flat(html(judged(markup, letters))) == expected


soups = st.lists(
    st.one_of(
        st.sampled_from(["one", " two ", "\n", "&amp;", "&lt;p&gt;", "<", "市", "<br>", "<!-- x -->", "</html>"]),
        st.sampled_from([*TAGS[1:], *INLINE, "td", "li", "table"]).flatmap(
            lambda tag: st.sampled_from([f"<{tag}>", f"<{tag} class='c' hidden>", f"</{tag.split()[0]}>"])
        ),
    ),
    max_size=25,
).map("".join)


@given(soups, st.lists(st.sampled_from("CCA"), min_size=30, max_size=30))
def test_the_text_of_any_page_is_that_of_its_kept_paragraphs(judged, markup, letters):
    try:
        source = read_page("<p>start</p>" + markup)
    except SourceError:
        return
    document = judged(source, "".join(letters[: len(source.texts)]).ljust(len(source.texts), "C"))
    written = html(document)
    kept = words(document.text.split("\n\n"))
    assert words(read_page(written).texts if written else []) == kept
    parsed = lxml.html.fragment_fromstring(written, create_parent="div")
    for line_break in parsed.iter("br", "td", "th", "li"):
        line_break.tail = " " + (line_break.tail or "")
    assert words(parsed.itertext()) == kept
    attributes = {name for element in parsed.iter() for name in element.attrib}
    assert attributes <= {"href"}
    assert not {element.tag for element in parsed.iter()} & {"div", "span", "script", "title", "b", "section"} - {"div"}


def test_a_page_is_the_same_from_any_tree(judged):
    markup = "<body><h2>a</h2><p>b <a href='/x'>c</a></p><ul><li>d</li></ul></body>"
    expected = '<h2>a</h2><p>b <a href="/x">c</a></p><ul><li>d</li></ul>'
    for source in (
        markup,
        lxml.html.document_fromstring(markup),
        lxml.html.document_fromstring(markup).getroottree(),
        bs4.BeautifulSoup(markup, "html.parser"),
        bs4.BeautifulSoup(markup, "lxml").body,
    ):
        assert flat(html(judged(source))) == expected
    assert flat(html(judged(lxml.html.document_fromstring(markup).find(".//ul")))) == "<ul><li>d</li></ul>"


def test_a_page_that_is_gone_keeps_its_text_and_its_blocks(judged):
    source = read_page("<h2>a</h2><ul><li>b <i>c</i></ul><table><tr><td>d<td>e</table>")
    source.page.origin = None
    assert flat(html(judged(source))) == "<h2>a</h2><ul><li>b c</li></ul><p>d\te</p>"


def nested_tree(count: int) -> lxml.html.HtmlElement:
    root = element = lxml.html.Element("div")
    for i in range(count):
        element = lxml.html.etree.SubElement(element, "blockquote")
        element.text = f"w{i}"
    return root


@pytest.mark.parametrize(
    "source", ["".join(f"<blockquote>w{i}" for i in range(5000)), nested_tree(5000)], ids=["markup", "tree"]
)
def test_five_thousand_nested_quotes_lose_no_text_and_are_not_nested_that_deep(judged, source):
    written = html(judged(source))
    assert words(lxml.html.fromstring(written).itertext()) == [f"w{i}" for i in range(5000)]
    assert 10 < written.count("<blockquote>") < 50


def test_text_and_lists_become_escaped_paragraphs(judged):
    assert html(judged(read_text("a < b\n<i>\nc & d\n", "line"), "CAC")) == "<p>a &lt; b</p>\n<p>c &amp; d</p>\n"
    assert html(judged(Source("list", ["a", "</p>"]))) == "<p>a</p>\n<p>&lt;/p&gt;</p>\n"
    assert html(judged(read_text(" \n", "line"))) == ""
