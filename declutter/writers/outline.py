"""What is kept of a document as blocks, each with the elements it stands in: what HTML and Markdown are written from.

Elements that mean nothing to a reader (`div`, `section`, a table used for layout) are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from declutter.document import Document
from declutter.kinds import Kind
from declutter.readers.page import TAG, TAGS, Markup, Page, Piece, Run


class Element(NamedTuple):
    """An element that is put out: a number that no other has, and its tag."""

    number: int
    tag: str


class Block(NamedTuple):
    """Text that stands in one element, with line breaks in it.

    Attributes:
        chain: the elements it stands in, outermost first, never none.
        lines: the text between line breaks; none for an empty cell of a table.
    """

    chain: tuple[Element, ...]
    lines: list[list[Run]]


LISTS = frozenset(("ul", "ol"))
LEAVES = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "dt", "caption", "figcaption"))  # hold text only
HOLDERS = LEAVES | {"li", "dd", "td", "th"}  # hold text, and li, dd, td and th other blocks too
_KNOWN = HOLDERS | LISTS | {"dl", "blockquote", "figure", "table", "thead", "tr"}
_TABLE = frozenset(("table", "thead", "tr"))
_INSIDE = {
    "li": LISTS, "dt": {"dl"}, "dd": {"dl"}, "figcaption": {"figure"}, "caption": {"table"}, "thead": {"table"},
    "tr": {"table", "thead"}, "td": {"tr"}, "th": {"tr"},
}  # fmt: skip
"""What an element has to stand in directly; elsewhere it is left out."""
_LOOSE = {"ul": "li", "ol": "li", "dl": "dd"}
"""What text is put in that stands in an element directly; elsewhere a paragraph."""
CELLS = frozenset(("td", "th"))
_RENAMED = {"menu": "ul"}
_DEPTH = 20  # elements within elements; what is nested deeper is put out at this depth


def find_markup(document: Document) -> Markup | None:
    """What stands in the blocks of a document's page; None for text, lists, and pages that are no longer there."""
    page = document.source.page
    return None if page is None else page.markup(document.source.texts)


def shared(before: Sequence[object], after: Sequence[object]) -> int:
    """How many elements two sequences have in common from the outermost on: those that stay open between the two."""
    count = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        count += 1
    return count


def outline(document: Document, markup: Markup | None) -> Iterator[Block]:
    """The kept blocks in order; a table's row comes with its empty cells.

    Args:
        document: what was labelled.
        markup: what stands in its blocks; without it they are text, and rows of tables are paragraphs.
    """
    blocks = _blocks(document, markup)
    page = document.source.page
    return blocks if page is None else _with_empty_cells(page, blocks)


def _blocks(document: Document, markup: Markup | None) -> Iterator[Block]:
    page, texts = document.source.page, document.source.texts
    chains = [] if page is None else _chains(page, set() if markup is None else _data_tables(page, texts))
    block: Block | None = None
    previous = -1  # the paragraph that `block` ends with
    for index, text in enumerate(texts):
        if not document.kept[index]:
            continue
        if markup is not None:
            pieces = markup.blocks[index]
        else:
            pieces = [Piece(index if page is None else page.blocks[index], [Run("", text)])]
        for piece in pieces:
            if document.kinds[index] is Kind.HEADLINE:
                chain: tuple[Element, ...] = (Element(piece.node, "h1"),)
            else:
                chain = _held(chains[piece.node] if chains else (), piece.node)
            ends_line = chain[-1].tag != "p" or (piece.continues and previous == index - 1)
            if block is not None and chain == block.chain and ends_line:
                block.lines.append(piece.runs)
            else:
                if block is not None:
                    yield block
                block = Block(chain, [piece.runs])
            previous = index
    if block is not None:
        yield block


def _data_tables(page: Page, texts: list[str]) -> set[int]:
    """The tables that hold data: the innermost around the rows that the reader joined (no other text has a tab in it)."""
    tables = set()
    for text, node in zip(texts, page.blocks, strict=True):
        if "\t" in text:
            while node >= 0 and page.tags[node] != TAG["table"]:
                node = page.parents[node]
            tables.add(node)
    around: set[int] = set()
    for table in tables - {-1}:
        node = page.parents[table]
        while node >= 0 and node not in around:
            around.add(node)
            node = page.parents[node]
    return tables - around


def _chains(page: Page, tables: set[int]) -> list[tuple[Element, ...]]:
    """For each node the elements around its text that are put out."""
    chains: list[tuple[Element, ...]] = []
    for node, (parent, number) in enumerate(zip(page.parents, page.tags, strict=True)):
        chain = chains[parent] if parent >= 0 else ()
        tag = _RENAMED.get(TAGS[number], TAGS[number])
        if tag in _KNOWN and (tag != "table" or node in tables):
            chain = _extended(chain, Element(node, tag))
        chains.append(chain)
    return chains


def _extended(chain: tuple[Element, ...], element: Element) -> tuple[Element, ...]:
    tags = ("", "", *(other.tag for other in chain[-2:]))
    if tags[-1] in LEAVES:
        if element.tag in LEAVES:
            return chain
        return _extended(chain[:-1], element)
    around = _INSIDE.get(element.tag)
    if around and tags[-1] not in around and tags[-2] in around:  # the end tag of its neighbour is missing
        chain = chain[:-1]
    elif (around and tags[-1] not in around) or len(chain) >= _DEPTH:
        return chain
    return (*chain, element)


def _held(chain: tuple[Element, ...], node: int) -> tuple[Element, ...]:
    """The elements around a text, the last of which may hold text."""
    last = chain[-1].tag if chain else ""
    if last != "figcaption":  # a figure is put out for its caption
        chain = tuple(element for element in chain if element.tag != "figure")
    if last in HOLDERS:
        return chain
    while chain and chain[-1].tag in _TABLE:
        chain = chain[:-1]
    return (*chain, Element(~node, _LOOSE.get(chain[-1].tag, "p") if chain else "p"))


def _with_empty_cells(page: Page, blocks: Iterator[Block]) -> Iterator[Block]:
    """Puts in the cells between the kept ones, so that what stands in one column stays in it."""
    row: tuple[Element, ...] = ()  # the elements down to the row of the block before
    done = 0  # the first node after its last cell
    for block in blocks:
        depth = next((i for i, element in enumerate(block.chain) if element.tag in CELLS), 0)
        if row and block.chain[:depth] != row:
            yield from _empty_cells(page, row, done, page.ends[row[-1].number])
        if block.chain[:depth] != row:
            row = block.chain[:depth]
            done = row[-1].number if row else 0
        if row:
            cell = block.chain[depth].number
            yield from _empty_cells(page, row, done, cell)
            done = page.ends[cell]
        yield block
    if row:
        yield from _empty_cells(page, row, done, page.ends[row[-1].number])


def _empty_cells(page: Page, row: tuple[Element, ...], start: int, stop: int) -> Iterator[Block]:
    for node in range(start, stop):
        tag = TAGS[page.tags[node]]
        if tag in CELLS and page.parents[node] == row[-1].number:
            yield Block((*row, Element(node, tag)), [])
