"""Plain text into paragraphs with exact offsets: one a line, or, where lines were broken at a fixed width, one a paragraph."""

from __future__ import annotations

import re
from itertools import pairwise

from declutter.document import LINE_BREAK, Source

LINE = re.compile("[^\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
WIDEST_WRAP = 120  # characters; nobody breaks lines at more
BYTE_ORDER_MARK = "\ufeff"


def read_text(text: str, unit: str = "auto", encoding: str | None = None) -> Source:
    """Cuts plain text into paragraphs; white space around them is not theirs.

    Args:
        text: the text, with line breaks of any convention.
        unit: "line": every non-blank line is a paragraph; "block": lines up to the next blank line are one;
            "auto": lines, except in hard-wrapped text (see `wrap_width`), whose broken lines are joined.
        encoding: what the text was decoded with, passed through.
    """
    lines = _lines(text)
    if unit == "block":
        spans = _merge(text, lines, lambda a, b: True)
    elif unit == "auto" and (width := wrap_width(text, lines)):
        spans = _merge(text, lines, lambda a, b: _forced(text, a, b, width))
    else:
        spans = lines
    return Source("text", [text[start:end] for start, end in spans], text, spans, encoding)


def _lines(text: str) -> list[tuple[int, int]]:
    """Start and end of every non-blank line, without the white space around it."""
    spans = []
    for found in LINE.finditer(text):
        start, end = found.span()
        line = text[start:end]
        if start == 0 and line[0] == BYTE_ORDER_MARK:
            line, start = line[1:], 1
        bare = line.strip()
        if bare:
            start += line.index(bare[0]) if line[0] != bare[0] else 0
            spans.append((start, start + len(bare)))
    return spans


def _blank_between(text: str, end: int, start: int) -> bool:
    return len(LINE_BREAK.findall(text, end, start)) > 1


def _forced(text: str, line: tuple[int, int], following: tuple[int, int], width: int) -> bool:
    """Whether the break after `line` was forced by the width: the next line's first word would not have fitted."""
    word = text[following[0] : following[1]].split(None, 1)[0]
    return line[1] - line[0] + 1 + len(word) > width


def wrap_width(text: str, lines: list[tuple[int, int]]) -> int | None:
    """The width at which the lines of hard-wrapped text were broken, in characters; None where text is not hard-wrapped.

    Hard-wrapped text has lines of at most `WIDEST_WRAP` characters, blank lines between paragraphs, and line breaks that were
    forced: on four of five lines that another line follows directly, the next word would not have fitted.
    """
    if len(lines) < 4:
        return None
    width = max(end - start for start, end in lines)
    if not 40 <= width <= WIDEST_WRAP:
        return None
    pairs = [(a, b) for a, b in pairwise(lines) if not _blank_between(text, a[1], b[0])]
    if len(pairs) < 3 or len(pairs) == len(lines) - 1:
        return None
    forced = sum(_forced(text, a, b, width - 3) for a, b in pairs)  # ragged: a word longer than the room left moved on
    return width - 3 if forced >= 0.8 * len(pairs) else None


def _merge(text: str, lines: list[tuple[int, int]], joins) -> list[tuple[int, int]]:  # type: ignore[no-untyped-def]
    spans: list[tuple[int, int]] = []
    previous = None
    for line in lines:
        if previous is not None and not _blank_between(text, previous[1], line[0]) and joins(previous, line):
            spans[-1] = (spans[-1][0], line[1])
        else:
            spans.append(line)
        previous = line
    return spans
