"""Pages that nobody wrote on purpose: they give a result or a DeclutterError, never an error from inside a parser."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

import declutter

CASES = sorted((Path(__file__).parent / "cases").rglob("*.html"))
PAGES = [path.read_bytes() for path in CASES]
# What breaks parsers: markup that is cut off, nested where it must not be, or not what it says it is.
SHARDS = [
    b"<", b">", b"</", b"<!", b"<!--", b"-->", b"<!-->", b"<![CDATA[", b"]]>", b"<?xml version='1.0' encoding='utf-16'?>", b"<?php ",
    b"&", b"&#", b"&#0;", b"&#x110000;", b"&#xD800;", b"&nosuch;", b"\x00", b"\x0c", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf",
    b"<p", b"<p class=", b'<p class="', b"<a href='", b"<div " + b"a=1 " * 50 + b">", b"<1>", b"<:>", b"<a:b c:d='e'>", b"<p xmlns='x'>",
    b"<html>", b"</html>", b"<body>", b"</body>", b"<head>", b"</p>", b"</div></div></div>", b"</br>", b"<br/>",
    b"<table>", b"<tr>", b"<td>", b"</table>", b"<td colspan='999999999999999999999'>", b"<select><option>", b"<li>",
    b"<script>", b"</script>", b"<style>", b"<title>", b"<textarea>", b"<plaintext>", b"<noscript>", b"<template>", b"<iframe>",
    b"<svg><title>", b"</svg>", b"<math>", b"<frameset>", b"<base href='//['>", b"<meta charset='utf-7'>", b"<meta charset='nosuch'>",
    b"<script type='application/ld+json'>{\"articleBody\": [", b"<div>" * 300, b"<b>" * 300, b"<span><p>" * 150, "😀".encode(),
]  # fmt: skip


@st.composite
def broken_pages(draw):
    """A page of the test cases with pieces cut out, doubled, moved, or replaced by what breaks parsers."""
    page = draw(st.sampled_from(PAGES))
    for _ in range(draw(st.integers(1, 6))):
        start, stop = sorted(draw(st.tuples(st.integers(0, len(page)), st.integers(0, len(page)))))
        piece = page[start:stop]
        new = draw(
            st.one_of(st.sampled_from(SHARDS), st.binary(max_size=8), st.just(piece + piece), st.just(piece[::-1]))
        )
        page = page[:start] + new + page[start if draw(st.booleans()) else stop :]
    return page[:20_000]


def use(labeller, source):
    """Asks a page for everything it can be asked for."""
    try:
        document = labeller.label(source, "html")
    except declutter.DeclutterError:
        return
    texts = [paragraph.text for paragraph in document]
    assert texts == document.source.texts
    assert all(text == " ".join(text.split(" ")) and text.strip() for text in texts)
    for kept in (document.text, document.markdown, document.html):
        assert isinstance(kept, str)
    if texts:
        assert document[0].path is None or document[0].path.startswith("/")
        document[-1].reasons()
    assert document.json_ld_body is None or document.json_ld_body


@settings(max_examples=120)
@given(broken_pages())
def test_a_broken_page_gives_a_result_or_a_declutter_error(labeller, page):
    use(labeller, page)


@settings(max_examples=60)
@given(broken_pages().map(lambda page: page.decode("utf-8", "surrogateescape")))
def test_so_does_a_broken_page_as_a_string_even_with_lone_surrogates(labeller, page):
    use(labeller, page)


@settings(max_examples=60)
@given(broken_pages())
def test_so_does_a_tree_that_a_user_made_of_a_broken_page(labeller, page):
    try:
        tree = etree.fromstring(page, etree.HTMLParser(recover=True, huge_tree=True))
    except (etree.LxmlError, ValueError, AssertionError):
        return  # the user's parser gave up on it
    if tree is not None:
        use(labeller, tree)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(SHARDS), max_size=12).map(b"".join))
def test_so_does_a_page_of_nothing_but_shards(labeller, page):
    use(labeller, page)


@pytest.mark.parametrize(
    "page", ["<div>" * 100_000, "<p>" * 100_000 + "One.", "<table><tr><td>" * 20_000, "<b>" * 50_000 + "x"]
)
def test_nesting_of_any_depth_is_read(labeller, page):
    use(labeller, page)
