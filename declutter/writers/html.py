"""A minimal page of what is kept: its blocks, their structure and the inline markup in them, without anything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from declutter.document import Document
from declutter.readers.page import Mark, Markup, Run
from declutter.writers.outline import HOLDERS, LEAVES, Block, Element, find_markup, outline, shared


def write_html(document: Document) -> Iterator[str]:
    """What is kept as a fragment of HTML, in the order of the source; without classes, styles and scripts.

    It is **not sanitised**. Its attributes are href, src, alt, title, colspan and rowspan, and addresses of scripts and data are
    left out, but that is no promise: what is put into a page of one's own has to go through a sanitiser first.
    """
    markup = find_markup(document)
    blocks, markup = outline(document, markup), markup or Markup()
    opened: tuple[Element, ...] = ()
    for block in blocks:
        same = shared(opened, block.chain)
        yield from _closed(opened[same:])
        yield from _opened(block.chain[same:], markup)
        yield _written(block)
        opened = block.chain
        if opened[-1].tag in LEAVES:
            yield f"</{opened[-1].tag}>\n"
            opened = opened[:-1]
    yield from _closed(opened)


def _closed(elements: Sequence[Element]) -> Iterator[str]:
    for element in reversed(elements):
        yield f"</{element.tag}>\n"


def _opened(elements: Sequence[Element], markup: Markup) -> Iterator[str]:
    for element in elements:
        yield _tag(Mark(element.tag, markup.spans.get(element.number, {})))
        if element.tag not in HOLDERS:
            yield "\n"
        for picture in markup.pictures.get(element.number, ()):
            yield _tag(picture) + "\n"


def _written(block: Block) -> str:
    lines = ("".join(_inline(runs)) for runs in block.lines)
    return ("<br>" if block.chain[-1].tag == "pre" else "<br>\n").join(lines)


def _inline(runs: Sequence[Run]) -> Iterator[str]:
    """White space is put between elements rather than into them, which is where Markdown and readers want it."""
    opened: tuple[Mark, ...] = ()
    for run in runs:
        same = shared(opened, run.marks)
        yield from (f"</{mark.tag}>" for mark in reversed(opened[same:]))
        yield run.space
        yield from map(_tag, run.marks[same:])
        yield escape(run.text, quote=False)
        opened = run.marks
    yield from (f"</{mark.tag}>" for mark in reversed(opened))


def _tag(mark: Mark) -> str:
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in mark.attributes.items())
    return f"<{mark.tag}{attributes}>"
