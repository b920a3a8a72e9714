"""A page into paragraphs: one walk over lxml's tree, which also notes for every block element where it stands and what it is called.

A block is a run of text between block-level tags; `<br>` ends one too. Nothing is dropped but scripts, styles, templates and
the like: hidden elements, menus and footers are paragraphs that the classifier judges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from lxml import etree

from declutter.document import Source
from declutter.errors import SourceError

# Tags that end a block of text. The order is the tag's number in `Page.tags`; 0 is every other element that holds a block.
TAGS = (
    "", "html", "body", "main", "article", "section", "div", "p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ul", "ol", "dl", "dt", "dd",
    "blockquote", "pre", "figure", "figcaption", "table", "tr", "td", "th", "caption", "header", "footer", "nav", "aside", "form", "fieldset",
    "button", "select", "option", "textarea", "label", "details", "summary", "dialog", "address", "center", "hr", "iframe", "video", "tbody",
    "thead", "tfoot", "menu", "title", "head", "picture", "audio", "legend",
)  # fmt: skip
TAG = {tag: number for number, tag in enumerate(TAGS)}
_BLOCK = frozenset(TAGS[1:]) - {"label", "picture", "audio"}
_BOUNDARY = _BLOCK | {"br"}
_EMPHASIS = frozenset(("b", "strong", "em", "i"))
_SKIPPED = frozenset(("script", "style", "noscript", "template", "svg", "math", "head", "object", "canvas", "noframes"))
_NAMED = frozenset(("class", "id", "role", "itemprop", "aria-label", "data-testid", "data-component"))
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_TOO_DEEP = "Excessive depth"
_CELL_LIMIT = 200  # characters; a longer cell is text of its own, and its table a layout


@dataclass(slots=True)
class Page:
    """A page's blocks and block elements as parallel lists; elements ("nodes") come in document order, the root first.

    Attributes:
        title: of the document head, "" if there is none.
        share_title: og:title or twitter:title, "" if there is none.
        headline: index of the block that is the page's own headline, or None.
        blocks: for each block the number of the node it stands in.
        linked, emphasised: characters of each block inside links and inside bold or italic type, without white space.
        parents, tags, depths: for each node its parent's number, its tag's number in TAGS and its depth.
        names: for each node its class, id, role and the like as one string, "" for most.
        hidden: for each node whether it, or a node around it, is not displayed.
        first, last: for each node the first block within it, and the first after it.
        elements: for each block the element that holds it.
    """

    title: str = ""
    share_title: str = ""
    headline: int | None = None
    blocks: list[int] = field(default_factory=list)
    linked: list[int] = field(default_factory=list)
    emphasised: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    tags: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    hidden: list[bool] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    elements: list[Any] = field(default_factory=list)

    def paths(self) -> list[str]:
        """XPath of the element that holds each block."""
        known: dict[Any, str] = {}
        for element in self.elements:
            if element not in known:
                known[element] = element.getroottree().getpath(element)
        return [known[element] for element in self.elements]

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        return None, {name: getattr(self, name) for name in self.__slots__ if name != "elements"} | {"elements": []}


def parse_page(markup: str | bytes, encoding: str | None = None) -> etree._Element:
    """Parses markup with lxml, and with BeautifulSoup over lxml where a page is nested deeper than libxml2 goes.

    Raises:
        SourceError: there is no element in it.
    """
    if isinstance(markup, str):
        markup = _XML_DECLARATION.sub("", markup).encode("utf-8", "replace")
        encoding = "utf-8"
    markup = _open_comments(markup.replace(b"\x00", b""))
    parser = etree.HTMLParser(encoding=encoding, huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(markup, parser)
    except etree.LxmlError as error:
        raise SourceError(f"cannot be read as a page: {error}") from None
    if any(_TOO_DEEP in entry.message for entry in parser.error_log):
        root = _parse_deep(markup, encoding)
    if root is None:
        raise SourceError("cannot be read as a page: it holds no element and no text")
    return root


def _open_comments(markup: bytes) -> bytes:
    """Takes out the opening of comments that are never closed and would swallow the rest of a page."""
    while (start := markup.rfind(b"<!--")) >= 0 and markup.find(b"-->", start) < 0:
        end = markup.find(b">", start)
        if end < 0 or b"</body" not in markup[end:].lower():
            break
        markup = markup[:start] + markup[end + 1 :]
    return markup


def _parse_deep(markup: bytes, encoding: str | None) -> etree._Element:
    """Text that libxml2 drops below its limit of depth survives in BeautifulSoup's tree; its blocks are put one after the other."""
    from bs4 import BeautifulSoup, Comment, Declaration, Doctype, NavigableString, ProcessingInstruction

    soup = BeautifulSoup(markup, "html.parser", from_encoding=encoding)
    body = etree.Element("body")
    html = etree.Element("html")
    html.append(body)
    block: etree._Element | None = None
    for node in soup.descendants:
        if isinstance(node, NavigableString):
            if isinstance(node, (Comment, Declaration, Doctype, ProcessingInstruction)) or (node.parent is not None and node.parent.name in _SKIPPED):
                continue
            if block is None:
                block = etree.SubElement(body, "p")
            block.text = (block.text or "") + _xml_safe(str(node))
        elif node.name in _BLOCK or node.name == "br":
            block = None
    return html


def _xml_safe(text: str) -> str:
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", "", text)


def read_page(root: etree._Element, encoding: str | None = None) -> Source:
    """Cuts a parsed page into blocks; the tree is not changed.

    Args:
        root: a page's root, or any element of it; only what lies within is read.
        encoding: what the page was decoded with, passed through.
    """
    page, texts = Page(), []
    _read_head(root, page)
    _walk(root, page, texts)
    page.headline = _find_headline(page, texts)
    return Source("html", texts, encoding=encoding, page=page)


def _read_head(root: etree._Element, page: Page) -> None:
    top = root.getroottree().getroot()
    head = top.find("head")
    for element in head.iter("title", "meta") if head is not None else ():
        if element.tag == "title":
            page.title = page.title or _squeeze("".join(element.itertext()))
        elif (element.get("property") or element.get("name")) in ("og:title", "twitter:title"):
            page.share_title = page.share_title or _squeeze(element.get("content") or "")


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _walk(root: etree._Element, page: Page, texts: list[str]) -> None:
    """Fills the page's lists in one pass. Long, and without helpers, because it runs for every element of every page."""
    blocks, elements, linked, emphasised = page.blocks, page.elements, page.linked, page.emphasised
    parents, tags, depths, names, hidden, first, last = page.parents, page.tags, page.depths, page.names, page.hidden, page.first, page.last
    pieces: list[str] = []  # of the block being read
    in_links = in_bold = 0  # its characters so far within links and within bold or italic type
    links = bold = skipped = 0  # open elements of these sorts
    nodes = [-1]  # numbers of the open block elements, innermost last
    owners = [root]
    rows: list[int] = []  # first block of each open table row

    def open_node(element: etree._Element, number: int) -> None:
        parent = nodes[-1]
        nodes.append(len(parents))
        owners.append(element)
        parents.append(parent)
        tags.append(number)
        depths.append(len(nodes) - 2)
        first.append(len(texts))
        last.append(0)
        attributes = element.items()
        names.append(" ".join([value for name, value in attributes if name in _NAMED]) if attributes else "")
        hidden.append((parent >= 0 and hidden[parent]) or (len(attributes) > 0 and _is_hidden(attributes)))

    def end_block() -> None:
        text = " ".join("".join(pieces).split())
        pieces.clear()
        if text:
            texts.append(text)
            blocks.append(nodes[-1])
            elements.append(owners[-1])
            linked.append(in_links)
            emphasised.append(in_bold)

    if root.tag not in _BLOCK:
        open_node(root, 0)
    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        tag = element.tag
        if skipped or tag in _SKIPPED or tag.__class__ is not str:
            if event == "start":
                skipped += 1
            elif event == "end":
                skipped -= 1
            if skipped:
                continue
        elif tag in _BOUNDARY:
            if pieces:
                end_block()
                in_links = in_bold = 0
            if tag == "br":
                pass
            elif event == "start":
                if tag == "tr":
                    rows.append(len(texts))
                open_node(element, TAG[tag])
            else:
                if tag == "tr" and len(texts) - rows[-1] > 1:
                    _join_cells(page, texts, nodes[-1], rows[-1])
                if tag == "tr":
                    rows.pop()
                last[nodes.pop()] = len(texts)
                owners.pop()
        elif tag == "a":
            links += 1 if event == "start" else -1
        elif tag in _EMPHASIS:
            bold += 1 if event == "start" else -1
        text = element.text if event == "start" else element.tail if element is not root else None
        if text:
            pieces.append(text)
            if links:
                in_links += len("".join(text.split()))
            if bold:
                in_bold += len("".join(text.split()))
    if pieces:
        end_block()
    last[0] = len(texts)


def _is_hidden(attributes: list[tuple[str, str]]) -> bool:
    for name, value in attributes:
        if name == "hidden" or (name == "aria-hidden" and value == "true") or (name == "style" and _HIDDEN.search(value)):
            return True
    return False


def _join_cells(page: Page, texts: list[str], row: int, first: int) -> None:
    """Makes one tab-separated paragraph of a data table's row: a row of short cells that hold nothing but text."""
    cells = page.blocks[first:]
    if len(cells) < 2 or len(set(cells)) < len(cells):
        return
    if any(page.parents[cell] != row or len(text) > _CELL_LIMIT for cell, text in zip(cells, texts[first:], strict=True)):
        return
    for column in (page.linked, page.emphasised):
        column[first:] = [sum(column[first:])]
    texts[first:] = ["\t".join(texts[first:])]
    page.blocks[first:] = [row]
    page.elements[first:] = [page.elements[first].getparent()]
    for node in range(row + 1, len(page.first)):
        page.first[node], page.last[node] = first, first + 1


_TITLE_SEPARATOR = re.compile(r"\s+[|\-–—·•:»«/]+\s+|[|»«]")


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _find_headline(page: Page, texts: list[str]) -> int | None:
    """The block that says what the page's title says: an h1 first, then another heading, then any other block."""
    titles = [_plain(part) for whole in (page.share_title, page.title) if whole for part in (whole, *_TITLE_SEPARATOR.split(whole))]
    titles = [title for title in titles if len(title) > 5]
    longest = max(map(len, titles), default=0)
    starts = {title[:3] for title in titles}
    best, best_rank = None, 0.0
    main_headings = []
    for i, (text, node) in enumerate(zip(texts, page.blocks, strict=True)):
        heading = _H1 <= page.tags[node] <= _H3
        if heading and page.tags[node] == _H1:
            main_headings.append(i)
        if not heading and (len(text) > 3 * longest + 100 or len(text) < 6 or _plain(text[:12])[:3] not in starts):
            continue
        plain = _plain(text)
        likeness = 0.0
        if plain in titles:
            likeness = len(plain) / longest
        elif heading and len(plain) > 8:
            likeness = max((0.8 * min(len(plain), len(title)) / max(len(plain), len(title)) for title in titles if title in plain or plain in title), default=0.0)
        if likeness > 0.3:
            rank = likeness + (0.5 if page.tags[node] == _H1 else 0.25 if heading else 0.0)
            if rank > best_rank:
                best, best_rank = i, rank
    if best is None and len(main_headings) == 1:
        return main_headings[0]
    return best


_H1, _H3 = TAG["h1"], TAG["h3"]
