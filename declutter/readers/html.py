"""A page into paragraphs, in one pass that also notes for every block element where it stands and what it is called.

A block is a run of text between block-level tags; `<br>` ends one too. Nothing is dropped but scripts, styles, templates and
the like: hidden elements, menus and footers are paragraphs that the classifier judges.

Markup goes from lxml's parser to the builder without a tree between, which takes a third of the time off; a tree that a user
brings is walked and gives the builder the same events.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from typing import Any

from lxml import etree

from declutter.document import Source
from declutter.errors import SourceError
from declutter.readers.json_ld import JSON_LD, longest_body
from declutter.readers.page import TAG, TAGS, Page

_BLOCK = frozenset(TAGS[1:]) - {"label", "picture", "audio"}
BOUNDARY = _BLOCK | {"br"}
_EMPHASIS = frozenset(("b", "strong", "em", "i"))
SKIPPED = frozenset(("script", "style", "noscript", "template", "svg", "math", "object", "canvas", "noframes"))
_NAMED = frozenset(("class", "id", "role", "itemprop", "aria-label", "data-testid", "data-component"))
_HIDING = frozenset(("hidden", "aria-hidden", "style"))
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_TOO_DEEP = "Excessive depth"
_CELL_LIMIT = 200  # characters; a longer cell is text of its own, and its table a layout


def parse_page(markup: str | bytes) -> etree._Element:
    """The tree of a page's markup, which must be UTF-8 where it is bytes.

    Raises:
        SourceError: there is no element in it.
    """
    raw = _prepared(markup)
    parser = _parser()
    root = _parse(raw, parser)
    return _parse_deep(raw) if _too_deep(parser) else root


def _prepared(markup: str | bytes) -> bytes:
    raw = _XML_DECLARATION.sub("", markup).encode("utf-8", "replace") if isinstance(markup, str) else markup
    return _open_comments(raw.replace(b"\x00", b""))


def _parser(target: Any = None) -> Any:
    return etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, target=target)


def _parse(raw: bytes, parser: Any) -> Any:
    try:
        result = etree.fromstring(raw, parser)
    except etree.LxmlError as error:
        raise SourceError(f"cannot be read as a page: {error}") from None
    if result is None:
        raise SourceError("cannot be read as a page: it holds no element and no text")
    return result


def _too_deep(parser: Any) -> bool:
    """Whether libxml2 dropped text because it was nested too deep."""
    return any(_TOO_DEEP in entry.message for entry in parser.error_log)


def _open_comments(markup: bytes) -> bytes:
    """Takes out the opening of comments that are never closed and would swallow the rest of a page."""
    while (start := markup.rfind(b"<!--")) >= 0 and markup.find(b"-->", start) < 0:
        end = markup.find(b">", start)
        if end < 0 or b"</body" not in markup[end:].lower():
            break
        markup = markup[:start] + markup[end + 1 :]
    return markup


def _parse_deep(raw: bytes) -> etree._Element:
    """Text that libxml2 drops below its limit of depth survives in BeautifulSoup's tree; its blocks are put one after the other."""
    from bs4 import BeautifulSoup
    from bs4.element import Comment, Declaration, Doctype, NavigableString, ProcessingInstruction, Tag

    soup = BeautifulSoup(raw, "html.parser", from_encoding="utf-8")
    body = etree.Element("body")
    html = etree.Element("html")
    html.append(body)
    block: etree._Element | None = None
    for node in soup.descendants:
        if isinstance(node, NavigableString):
            if isinstance(node, (Comment, Declaration, Doctype, ProcessingInstruction)) or (
                node.parent is not None and node.parent.name in SKIPPED
            ):
                continue
            if block is None:
                block = etree.SubElement(body, "p")
            block.text = (block.text or "") + _xml_safe(str(node))
        elif isinstance(node, Tag) and node.name in BOUNDARY:
            block = None
    return html


def _xml_safe(text: str) -> str:
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", "", text)


def read_page(page: str | bytes | etree._Element, encoding: str | None = None) -> Source:
    """Cuts a page into blocks.

    Args:
        page: markup (UTF-8 where it is bytes), or any element of a parsed page, which is not changed; only what lies within
            it is read.
        encoding: what the page was decoded with, passed through.

    Raises:
        SourceError: there is no element in it.
    """
    found = Page(origin=page)
    texts: list[str] = []
    if isinstance(page, etree._Element):
        _walk(page, found, _builder(found, texts))
    else:
        raw = _prepared(page)
        parser = _parser(_builder(found, texts))
        _parse(raw, parser)
        if _too_deep(parser):
            return read_page(_parse_deep(raw), encoding)
    found.headline = _find_headline(found, texts)
    return Source("html", texts, encoding=encoding, page=found)


def _squeeze(text: str) -> str:
    return " ".join(text.split())


class Builder:
    """What lxml's parser calls for every tag and piece of text (its "target")."""

    __slots__ = ("close", "data", "end", "start")

    def __init__(self, start: Any, data: Any, end: Any, close: Any):
        self.start, self.data, self.end, self.close = start, data, end, close


def _builder(page: Page, texts: list[str]) -> Builder:
    """Fills a page's lists and its texts. Closures over local names, because they run for every tag of every page."""
    blocks, linked, emphasised = page.blocks, page.linked, page.emphasised
    parents, tags, names, hidden = page.parents, page.tags, page.names, page.hidden
    first, last, ends = page.first, page.last, page.ends
    role_of = _ROLES.get
    labels: dict[str, int] = defaultdict(count().__next__)
    pieces: list[str] = []  # of the block being read
    in_links = in_bold = 0  # its characters so far within links and within bold or italic type
    links = bold = skipped = 0  # open elements of these sorts
    data_script: list[str] | None = None  # the pieces of the JSON-LD that is being read
    nodes = [-1]  # numbers of the open block elements, innermost last

    def start(tag: str, attributes: Any) -> None:
        nonlocal skipped, links, bold, data_script
        if skipped:
            skipped += 1
            return
        role = role_of(tag)
        if role is None:
            return
        if role >= 0:
            if pieces:
                end_block()
            label, unseen = tag, False
            for name in attributes:
                if name in _NAMED:
                    label += " " + attributes[name]
                elif name in _HIDING:
                    unseen = unseen or _hides(name, attributes[name])
            parents.append(nodes[-1])
            nodes.append(len(tags))
            tags.append(role)
            first.append(len(texts))
            last.append(0)
            ends.append(0)
            names.append(labels[label])
            hidden.append(unseen)
        elif role == _LINK:
            links += 1
        elif role == _BREAK:
            if pieces:
                end_block()
        elif role == _BOLD:
            bold += 1
        elif role == _SKIP:
            skipped = 1
            if tag == "script" and attributes.get("type", "").strip().lower() == JSON_LD:
                data_script = []
        elif role == _TITLE:
            if pieces:
                end_block()
            pieces.append("")
        elif attributes.get("property", attributes.get("name")) in _SHARE_TITLES:
            page.share_title = page.share_title or _squeeze(attributes.get("content", ""))

    def end(tag: str) -> None:
        nonlocal skipped, links, bold, data_script
        if skipped:
            skipped -= 1
            if data_script is not None and not skipped:
                page.article_body = longest_body(page.article_body, "".join(data_script))
                data_script = None
            return
        role = role_of(tag)
        if role is None:
            return
        if role >= 0:
            if pieces:
                end_block()
            if role == _ROW and len(texts) - first[nodes[-1]] > 1:
                _join_cells(page, texts, nodes[-1], first[nodes[-1]])
            node = nodes.pop()
            last[node] = len(texts)
            ends[node] = len(tags)
        elif role == _LINK:
            links -= 1
        elif role == _BREAK:
            if pieces:
                end_block()
        elif role == _BOLD:
            bold -= 1
        elif role == _TITLE:
            page.title = page.title or _squeeze("".join(pieces))
            pieces.clear()

    def data(text: str) -> None:
        nonlocal in_links, in_bold
        if skipped:
            if data_script is not None:
                data_script.append(text)
        elif pieces or not text.isspace():
            pieces.append(text)
            if links:
                in_links += len(" ".join(text.split()))
            if bold:
                in_bold += len(" ".join(text.split()))

    def close() -> Page | None:
        if pieces:
            end_block()
        for node in nodes[:0:-1]:  # of markup that broke off
            last[node] = len(texts)
            ends[node] = len(tags)
        page.labels = list(labels)
        return page if parents else None

    def end_block() -> None:
        nonlocal in_links, in_bold
        if text := " ".join("".join(pieces).split()):
            texts.append(text)
            blocks.append(nodes[-1])
            linked.append(in_links and min(in_links, len(text)))
            emphasised.append(in_bold and min(in_bold, len(text)))
        pieces.clear()
        in_links = in_bold = 0

    return Builder(start, data, end, close)


def _hides(name: str, value: str) -> bool:
    """Whether an attribute of `_HIDING` says that its element is not displayed."""
    if name == "style":
        return _HIDDEN.search(value) is not None
    return name == "hidden" or value == "true"


# What the builder does with a tag: below 0 one of these; for a block tag its number in TAGS; nothing with any other
_LINK, _BREAK, _BOLD, _SKIP, _TITLE, _META = range(-6, 0)
_ROLES = {
    **{tag: TAG[tag] for tag in _BLOCK},
    **dict.fromkeys(_EMPHASIS, _BOLD),
    **dict.fromkeys(SKIPPED, _SKIP),
    "a": _LINK,
    "br": _BREAK,
    "title": _TITLE,
    "meta": _META,
}
_ROW = TAG["tr"]
_SHARE_TITLES = ("og:title", "twitter:title")


def _walk(root: etree._Element, page: Page, builder: Builder) -> list[etree._Element]:
    """Gives a page's builder the events of a tree, after those of the tree's head; returns the element of every node."""
    elements: list[etree._Element] = []
    top = root.getroottree().getroot()
    head = top.find("head") if top is not root else None
    for element in head.iter("title", "meta", "script") if head is not None else ():
        builder.start(element.tag, element.attrib)
        builder.data("".join(element.itertext()))
        builder.end(element.tag)
    if root.tag not in _BLOCK:  # something has to hold the text of an inline element
        builder.start("div", {})
        elements.append(root)
    for part in (root,) if root.getparent() is not None else (root, *root.itersiblings(etree.Element)):
        for event, element in etree.iterwalk(part, events=("start", "end", "comment", "pi")):
            if event == "start":
                builder.start(element.tag, element.attrib)
                if len(page.parents) > len(elements):
                    elements.append(element)
                text = element.text
            else:
                if event == "end":
                    builder.end(element.tag)
                text = element.tail if element is not part else None
            if text:
                builder.data(text)
    builder.close()
    return elements


def read_again(origin: Any, listen: Callable[[Page, list[str], Builder], Builder]) -> tuple[Page, list[str]]:
    """Reads a page that was read before, and lets somebody listen.

    Args:
        origin: of the page.
        listen: makes of a page, its texts, and the builder that fills both another that passes all events on to it.

    Returns:
        The page and its texts, as before unless a tree was changed meanwhile.
    """
    page = Page(origin=origin)
    texts: list[str] = []
    builder = listen(page, texts, _builder(page, texts))
    if isinstance(origin, etree._Element):
        _walk(origin, page, builder)
    else:
        _parse(_prepared(origin), _parser(builder))
    return page, texts


def find_paths(page: Page) -> list[str | None]:
    """XPath of the element that holds each block, None where libxml2's tree is not what the page was read as.

    It takes the whole tree, so it is worked out when asked for only.
    """
    root = page.origin
    if not isinstance(root, etree._Element):
        parser = _parser()
        root = _parse(_prepared(root), parser)
        if _too_deep(parser):
            return [None] * len(page.blocks)
    _, elements = find_elements(root)
    if len(elements) != len(page.blocks):
        return [None] * len(page.blocks)
    tree = root.getroottree()
    known = {element: tree.getpath(element) for element in set(elements)}
    return [known[element] for element in elements]


def find_elements(root: etree._Element) -> tuple[list[str], list[etree._Element]]:
    """The text of each block of a page's tree, and the element that holds it."""
    page = Page()
    texts: list[str] = []
    elements = _walk(root, page, _builder(page, texts))
    return texts, [elements[node] for node in page.blocks]


def _join_cells(page: Page, texts: list[str], row: int, first: int) -> None:
    """Makes one tab-separated paragraph of a data table's row: a row of short cells that hold nothing but text."""
    cells = page.blocks[first:]
    if len(cells) < 2 or len(set(cells)) < len(cells):
        return
    if any(
        page.parents[cell] != row or len(text) > _CELL_LIMIT for cell, text in zip(cells, texts[first:], strict=True)
    ):
        return
    for column in (page.linked, page.emphasised):
        column[first:] = [sum(column[first:])]
    texts[first:] = ["\t".join(texts[first:])]
    page.blocks[first:] = [row]
    for node in range(row + 1, len(page.first)):
        page.first[node], page.last[node] = first, first + 1


_TITLE_SEPARATOR = re.compile(r"\s+[|\-–—·•:»«/]+\s+|[|»«]")


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _find_headline(page: Page, texts: list[str]) -> int | None:
    """The block that says what the page's title says: an h1 first, then another heading, then any other block; or the only h1."""
    tags = [page.tags[node] for node in page.blocks]
    best, best_rank = None, 0.0
    if titles := _titles(page):
        longest, shortest = max(map(len, titles)), min(map(len, titles))
        initials = frozenset(letter for title in titles for letter in (title[0], title[0].upper())) | _QUOTES
        finals = frozenset(title[-1] for title in titles) | {"σ"}  # which is "ς" in a whole word, and "σ" by itself
        for i, (text, tag) in enumerate(zip(texts, tags, strict=True)):
            heading = _H1 <= tag <= _H3
            if heading or (
                text[0] in initials
                and shortest <= 2 * len(text)
                and len(text) <= 3 * longest + 100
                and (text[-1].lower()[-1] in finals or not text[-1].isalnum())
            ):
                likeness = _likeness(_plain(text), titles, heading)
                rank = likeness + (0.5 if tag == _H1 else 0.25 if heading else 0.0)
                if likeness > 0.3 and rank > best_rank:
                    best, best_rank = i, rank
    if best is None and tags.count(_H1) == 1:
        return tags.index(_H1)
    return best


def _titles(page: Page) -> list[str]:
    """The page's titles, and their parts between separators, less everything but letters and digits."""
    wholes = [whole for whole in (page.share_title, page.title) if whole]
    parts = [_plain(part) for whole in wholes for part in (whole, *_TITLE_SEPARATOR.split(whole))]
    return [part for part in parts if len(part) > 5]


def _likeness(plain: str, titles: list[str], heading: bool) -> float:
    """1 for the longest title itself, less for a part of it; a heading may also hold a title or be part of one."""
    if plain in titles:
        return len(plain) / max(map(len, titles))
    if not heading or len(plain) <= 8:
        return 0.0
    shares = (min(len(plain), len(t)) / max(len(plain), len(t)) for t in titles if t in plain or plain in t)
    return 0.8 * max(shares, default=0.0)


_QUOTES = frozenset("\"'“„«»‘‚¿¡([【「『")
_H1, _H3 = TAG["h1"], TAG["h3"]
