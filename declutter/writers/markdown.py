"""What is kept as Markdown: CommonMark with GitHub's tables; what Markdown cannot say is left as HTML.

It is written from the outline of the document rather than by a library from its HTML, because no text may change: markdownify 1.2
leaves signs in addresses and code unescaped, and delimiters that touch a word are read as text; it needs quadratic time for
long lists, and fails on deep ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from urllib.parse import quote

from declutter.document import Document
from declutter.readers.page import Mark, Markup, Run
from declutter.writers.outline import CELLS, LISTS, Block, Element, find_markup, outline, shared

_SPECIAL = re.compile(r"[\\`*\[\]<~]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])")
# What would make a list, a heading, a quote or a table of a line; a backslash goes behind the number or before the sign.
_LINE_START = re.compile(r"^(?:([0-9]{1,9})(?=[.)](?:\s|$))|(?=[-+](?:[\s|:-]|$)|=+$|#{1,6}(?:\s|$)|[>|]|:-))")
_HEADING_END = re.compile(r"#+$")
_NOT_IN_ADDRESSES = re.compile(r"[\s()<>\\`|]")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_DELIMITERS = {"strong": "**", "em": "_"}
_BULLETS = {"ul": "-*", "ol": ".)"}  # lists that follow one another would be read as one if theirs were the same


def write_markdown(document: Document) -> Iterator[str]:
    """What is kept as Markdown, in the order of the source. It is not sanitised either, see `write_html`."""
    markup = find_markup(document)
    blocks, markup = outline(document, markup), markup or Markup()
    margins = _Margins()
    for chain, group in groupby(blocks, _place):
        if chain[-1].tag == "table":
            yield from margins.placed(chain, _table(list(group), markup.spans))
            continue
        if chain[-1].tag == "figcaption" and chain[-2] not in margins.before and chain[-2].number in markup.pictures:
            yield from margins.placed(chain[:-1], list(map(_picture, markup.pictures[chain[-2].number])))
        for block in group:
            yield from margins.placed(chain, _lines(block))


def _place(block: Block) -> tuple[Element, ...]:
    """The elements that a block stands in; for what is in a cell, down to its table."""
    tags = [element.tag for element in block.chain]
    return block.chain[: tags.index("table") + 1] if not CELLS.isdisjoint(tags) else block.chain


class _Margins:
    """What stands at the left of a line: marks of quotes and list items, and the indentation below these."""

    def __init__(self) -> None:
        self.before: tuple[Element, ...] = ()  # where the block before stands
        self.bullets: dict[int, str] = {}  # of lists, by number
        self.counts: dict[int, int] = {}  # items of lists so far
        self.widths: dict[int, int] = {}  # of the marks of items

    def placed(self, chain: tuple[Element, ...], lines: list[str]) -> Iterator[str]:
        """Lines with their margins, below the block before."""
        same = shared(self.before, chain)
        first, rest, between = "", "", ""
        for depth, element in enumerate(chain):
            if element.tag == "blockquote":
                mark = "> "
                first, rest = first + mark, rest + mark
            elif element.tag == "li":
                mark = self._mark(chain, depth) if depth >= same else " " * self.widths[element.number]
                first, rest = first + mark, rest + " " * len(mark)
            if depth < same:
                between = rest
        if self.before and not self._follows_closely(chain, same):
            yield between.rstrip() + "\n"
        for margin, line in zip((first, *(rest for _ in lines)), lines, strict=False):
            yield (margin + line if line else margin.rstrip()) + "\n"
        self.before = chain

    def _follows_closely(self, chain: tuple[Element, ...], same: int) -> bool:
        """Whether this is the next item of a list, or the first of a list within an item, without paragraphs."""
        return (
            self.before[-1].tag == chain[-1].tag == "li"
            and 0 < same < len(chain)
            and chain[same - 1].tag in (*LISTS, "li")
        )

    def _mark(self, chain: tuple[Element, ...], depth: int) -> str:
        """The mark of a new item."""
        element = chain[depth - 1]
        if element.number not in self.bullets:
            bullets = _BULLETS[element.tag]
            neighbour = self.before[depth - 1 : depth] if self.before[: depth - 1] == chain[: depth - 1] else ()
            used = self.bullets.get(neighbour[0].number) if neighbour else None
            self.bullets[element.number] = bullets[1] if used == bullets[0] else bullets[0]
        count = self.counts[element.number] = self.counts.get(element.number, 0) + 1
        mark = f"{count if element.tag == 'ol' else ''}{self.bullets[element.number]} "
        self.widths[chain[depth].number] = len(mark)
        return mark


def _lines(block: Block) -> list[str]:
    tag = block.chain[-1].tag
    if tag == "pre":
        return _fenced(block)
    lines = list(map(_inline, block.lines))
    if tag[0] == "h":
        return [f"{'#' * int(tag[1])} {_HEADING_END.sub(_escaped, ' '.join(lines))}"]
    lines = [_LINE_START.sub(r"\1\\", line) for line in lines]
    return [*(line + "\\" for line in lines[:-1]), lines[-1]]


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[0]


def _fenced(block: Block) -> list[str]:
    code = "\n".join("".join(run.space + run.text for run in runs) for runs in block.lines)
    fence = _backticks(code, 3)
    return [fence, *re.split("\r\n|[\r\n]", code), fence]


def _backticks(text: str, least: int) -> str:
    """Backticks that do not stand in a text."""
    return "`" * max(least, 1 + max(map(len, re.findall("`+", text)), default=0))


def _table(blocks: list[Block], spans: dict[int, dict[str, str]]) -> list[str]:
    """Rows; the first is the head, because Markdown knows no table without. A cell over several columns is followed by empty ones."""
    rows: dict[Element, dict[Element, list[str]]] = {}
    for block in blocks:
        depth = next(depth for depth, element in enumerate(block.chain) if element.tag in CELLS)
        cell = rows.setdefault(block.chain[depth - 1], {}).setdefault(block.chain[depth], [])
        cell.extend(map(_inline, block.lines))
    texts: list[list[str]] = []
    for row in rows.values():
        texts.append([])
        for element, lines in row.items():
            columns = spans.get(element.number, {}).get("colspan", "")
            empty = int(columns) - 1 if re.fullmatch("[1-9][0-9]?", columns, re.ASCII) else 0
            texts[-1] += ["<br>".join(lines).replace("|", "\\|"), *[""] * empty]
    texts[0] += [""] * (max(map(len, texts)) - len(texts[0]))  # what goes beyond the head is not read
    head, *body = (f"| {' | '.join(row)} |" for row in texts)
    return [head, f"|{' --- |' * len(texts[0])}", *body]


def _inline(runs: Sequence[Run]) -> str:
    """One line of text with its inline elements."""
    runs = _merged(runs)
    parts: list[str] = []
    closings: list[str] = []  # of the open elements
    opened: tuple[Mark, ...] = ()
    for index, run in enumerate(runs):
        same = shared(opened, run.marks)
        parts += reversed(closings[same:])
        del closings[same:]
        if run.space:
            parts.append(run.space)
        for depth in range(same, len(run.marks)):
            if run.marks[depth].tag == "a" and parts and parts[-1].endswith("!"):
                parts[-1] = parts[-1][:-1] + "\\!"  # or it would be a picture
            opening, closing = _delimiters(runs, index, depth)
            parts.append(opening)
            closings.append(closing)
        parts.append(_code(run.text) if _in_code(run.marks) else _SPECIAL.sub(_escaped, run.text))
        opened = run.marks
    return "".join(parts) + "".join(reversed(closings))


def _merged(runs: Sequence[Run]) -> list[Run]:
    """Runs in the same elements as one. In code there are no other elements, and code that touches code is one."""
    merged: list[Run] = []
    for marks, group in groupby(runs, lambda run: _down_to_code(run.marks)):
        text = "".join(run.space + run.text for run in group)
        before = merged[-1] if merged else None
        space = " " if before and text[0].isspace() else ""
        text = " ".join(text.split())
        if before and not space and _in_code(marks) and _in_code(before.marks) and before.marks[:-1] == marks[:-1]:
            merged[-1] = before._replace(text=before.text + text)
        else:
            merged.append(Run(space, text, marks))
    return merged


def _in_code(marks: tuple[Mark, ...]) -> bool:
    return bool(marks) and marks[-1].tag == "code"


def _down_to_code(marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    tags = [mark.tag for mark in marks]
    return marks[: tags.index("code") + 1] if "code" in tags else marks


def _delimiters(runs: Sequence[Run], index: int, depth: int) -> tuple[str, str]:
    """What opens and closes element `depth` of run `index`, which is the first in it."""
    mark = runs[index].marks[depth]
    if mark.tag == "code":
        return "", ""
    if mark.tag == "a":
        return "[", f"]({_address(mark.attributes['href'])})"
    delimiter = _DELIMITERS.get(mark.tag)
    if delimiter and _stands_free(runs, index, depth):
        return delimiter, delimiter
    return f"<{mark.tag}>", f"</{mark.tag}>"


def _stands_free(runs: Sequence[Run], index: int, depth: int) -> bool:
    """Whether no word touches an element from outside, where its delimiters might be read as text."""
    marks = runs[index].marks[: depth + 1]
    after = index + 1
    while after < len(runs) and runs[after].marks[: depth + 1] == marks:
        after += 1
    return (index == 0 or bool(runs[index].space) or _is_punctuation(runs[index - 1].text[-1])) and (
        after == len(runs) or bool(runs[after].space) or _is_punctuation(runs[after].text[0])
    )


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] == "P"


def _code(text: str) -> str:
    fence = _backticks(text, 1)
    padding = " " if text[0] == "`" or text[-1] == "`" else ""
    return fence + padding + text + padding + fence


def _picture(picture: Mark) -> str:
    alternative = _SPECIAL.sub(_escaped, " ".join(picture.attributes["alt"].split()))
    return f"![{alternative}]({_address(picture.attributes['src'])})"


def _address(address: str) -> str:
    return _ENTITY.sub("&amp;", _NOT_IN_ADDRESSES.sub(lambda found: quote(found[0]), address))
