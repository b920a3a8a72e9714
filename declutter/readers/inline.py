"""What stands in the blocks of a page: links, emphasis and the like. Read anew when somebody asks for it, because labels do not need it.

The page goes through the same builder as before, so that the blocks are the same; this one listens to it.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from urllib.parse import urljoin

from declutter.readers.html import BOUNDARY, SKIPPED, Builder, read_again
from declutter.readers.page import Mark, Markup, Page, Piece, Run

_INLINE = {
    "a": "a", "b": "strong", "strong": "strong", "i": "em", "em": "em", "code": "code", "tt": "code", "kbd": "kbd",
    "samp": "samp", "sub": "sub", "sup": "sup", "del": "del", "strike": "s", "s": "s", "ins": "ins", "q": "q",
}  # fmt: skip
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*(?=:)", re.I)
_WEB_SCHEMES = frozenset(("http", "https", "mailto", "tel", "ftp"))
_NOT_IN_ADDRESSES = re.compile("[\x00-\x1f\x7f]+")  # browsers read "java\nscript:" as "javascript:"


def find_markup(page: Page, texts: list[str]) -> Markup | None:
    """Inline markup of each block.

    Args:
        page: what was read.
        texts: the text of each of its blocks.

    Returns:
        The markup, or None where the page is no longer there (after pickling) or no longer the same (a tree that was changed).
    """
    if page.origin is None:
        return None
    markup = Markup()
    base = getattr(page.origin, "base", None) or ""  # a tree may know where it came from
    again, found = read_again(page.origin, partial(_listener, markup, base))
    return markup if found == texts and again.blocks == page.blocks else None


def _listener(markup: Markup, base: str, page: Page, texts: list[str], builder: Builder) -> Builder:
    """Fills the markup of a page's blocks from the events that it passes on to the page's builder."""
    runs: list[Run] = []  # of the block being read
    space = ""  # what was read of the white space before the next run
    marks: tuple[Mark, ...] = ()  # open inline elements that mean something
    outer: list[tuple[Mark, ...]] = []  # what `marks` was before each open inline element
    opened = 0  # inline elements so far
    figures: list[int] = []  # open figures
    skipped = preformatted = 0  # open elements of these sorts
    breaks = 2  # line breaks since the block before; any other boundary counts as two
    continues = False

    def start(tag: str, attributes: Any) -> None:
        nonlocal skipped, breaks, preformatted, marks, base, opened
        builder.start(tag, attributes)
        if skipped or tag in SKIPPED:
            skipped += 1
        elif tag in BOUNDARY or tag == "title":
            if runs or len(texts) < len(markup.blocks):
                settle()
            breaks += 1 if tag == "br" else 2
            if tag == "pre":
                preformatted += 1
            elif tag == "figure":
                figures.append(len(page.parents) - 1)
            elif tag in ("td", "th") and (spans := {name: attributes[name] for name in _SPANS if name in attributes}):
                markup.spans[len(page.parents) - 1] = spans
        elif tag in _INLINE:
            outer.append(marks)
            opened += 1
            mark = _mark(_INLINE[tag], attributes, base, opened)
            if mark is not None and all(mark.tag != other.tag for other in marks):
                marks = (*marks, mark)
        elif tag == "img" and figures:
            if (source := _address(attributes.get("src", ""), base)) is not None:
                picture = Mark("img", {"src": source, "alt": attributes.get("alt", "")} | _title(attributes))
                markup.pictures.setdefault(figures[-1], []).append(picture)
        elif tag == "base":
            base = base or attributes.get("href", "").strip()

    def end(tag: str) -> None:
        nonlocal skipped, breaks, preformatted, marks
        builder.end(tag)
        if skipped:
            skipped -= 1
        elif tag in BOUNDARY or tag == "title":
            if runs or len(texts) < len(markup.blocks):
                settle()
            if tag != "br":
                breaks += 2
            if tag == "pre":
                preformatted -= 1
            elif tag == "figure":
                figures.pop()
        elif tag in _INLINE:
            marks = outer.pop()

    def data(text: str) -> None:
        nonlocal space, continues
        builder.data(text)
        if skipped:
            return
        if text.isspace():
            space = space + text if preformatted else " "
            return
        if not runs:
            continues = breaks == 1
        if preformatted:
            core = text.strip()
            start = text.index(core)
            space += text[:start]
            if not runs:
                space = space[space.rfind("\n") + 1 :]  # code keeps the indentation of its first line
            runs.append(Run(space, core, marks))
            space = text[start + len(core) :]
        else:
            runs.append(Run(" " if runs and (space or text[0].isspace()) else "", " ".join(text.split()), marks))
            space = " " if text[-1].isspace() else ""

    def settle() -> None:
        """Takes over the block that has just ended, if one has."""
        nonlocal space, breaks
        if len(texts) > len(markup.blocks):
            markup.blocks.append([Piece(page.blocks[-1], runs.copy(), continues)])
            breaks = 0
        elif len(texts) < len(markup.blocks):  # the row has ended, and its cells were joined
            cells = markup.blocks[len(texts) - 1 :]
            markup.blocks[len(texts) - 1 :] = [[piece for cell in cells for piece in cell]]
        runs.clear()
        space = ""

    def close() -> Any:
        result = builder.close()
        settle()
        return result

    return Builder(start, data, end, close)


_SPANS = ("colspan", "rowspan")


def _mark(tag: str, attributes: Any, base: str, number: int) -> Mark | None:
    """An inline element as it is put out; None for an anchor that leads nowhere."""
    if tag != "a":
        return Mark(tag, {}, 0 if tag in ("strong", "em") else number)
    address = _address(attributes.get("href", ""), base)
    return None if address is None else Mark(tag, {"href": address} | _title(attributes), number)


def _title(attributes: Any) -> dict[str, str]:
    title = " ".join(attributes.get("title", "").split())
    return {"title": title} if title else {}


def _address(address: str, base: str) -> str | None:
    """An address, absolute where the page says what it is relative to; None for one that leads to no place (a script, data)."""
    address = _NOT_IN_ADDRESSES.sub("", address).strip()
    scheme = _SCHEME.match(address)
    if not address or (scheme and scheme[0].lower() not in _WEB_SCHEMES):
        return None
    if scheme is None and base.lower().startswith(("http://", "https://")):
        try:
            return urljoin(base, address)
        except ValueError:  # an address that is none, such as "//["
            pass
    return address
