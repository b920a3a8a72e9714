"""The lines that a crude extraction leaves of a page, rendered the same way for ever: labels by reference point at them.

Kept apart from `readers.html`, which may improve; a label finds its line by the hash of this rendering.
"""

from __future__ import annotations

import hashlib
import re

from lxml import etree

_BREAKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "button",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "iframe",
        "legend",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "option",
        "p",
        "pre",
        "section",
        "select",
        "summary",
        "table",
        "tbody",
        "td",
        "textarea",
        "tfoot",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
        "video",
    ]
)
_SKIPPED = frozenset(["script", "style", "noscript", "template", "svg", "head", "math"])


def page_lines(markup: str) -> list[str]:
    """Every run of text between two tags that break lines, white space collapsed; empty where lxml finds no page."""
    markup = re.sub(r"^\s*<\?xml[^>]*\?>", "", markup).replace("\x00", "")
    root = (
        etree.fromstring(markup.encode("utf-8", "replace"), etree.HTMLParser(encoding="utf-8"))
        if markup.strip()
        else None
    )
    if root is None:
        return []
    lines: list[str] = []
    pieces: list[str] = []
    skipped = 0

    def end_line() -> None:
        if text := " ".join("".join(pieces).split()):
            lines.append(text)
        pieces.clear()

    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event in ("start", "end"):
            if element.tag in _SKIPPED:
                skipped += 1 if event == "start" else -1
            elif element.tag in _BREAKS and not skipped:
                end_line()
        text = element.text if event == "start" else element.tail
        if text and not skipped:
            pieces.append(text)
    end_line()
    return lines


def line_hash(line: str) -> str:
    """The first 8 hexadecimal digits of a line's SHA-256: how labels name a line without holding it."""
    return hashlib.sha256(line.encode("utf-8", "replace")).hexdigest()[:8]
