"""Labelled documents to what a user reads: one row of `WRITERS` for each form."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from declutter.document import Document, Paragraph


def write_text(document: Document) -> Iterator[str]:
    """What is kept. A page's text ends with a line break; a text source ends as it ended."""
    text = document.text
    yield text
    if text and document.source.format != "text":
        yield "\n"


def paragraph_record(paragraph: Paragraph, reasons: int = 0, probabilities: bool = False) -> dict[str, Any]:
    """A paragraph as a JSON object; fields that its source does not have are left out.

    Args:
        paragraph: what to describe.
        reasons: how many reasons to give at most.
        probabilities: whether to give the probability of every kind.
    """
    record: dict[str, Any] = {
        "kind": paragraph.kind.value,
        "keep": paragraph.keep,
        "probability": round(paragraph.probability, 4),
        "uncertain": paragraph.uncertain,
    }
    if paragraph.forced is not None:
        record["forced"] = paragraph.forced
    if paragraph.start is not None:
        record |= {"start": paragraph.start, "end": paragraph.end}
    if (path := paragraph.path) is not None:
        record["path"] = path
    if paragraph.block is not None:
        record["block"] = paragraph.block
    record["text"] = paragraph.text
    if probabilities:
        record["probabilities"] = {kind.value: round(value, 4) for kind, value in paragraph.probabilities.items()}
    if reasons:
        record["reasons"] = [{"text": reason.text, "weight": reason.weight} for reason in paragraph.reasons(reasons)]
    return record


def write_jsonl(paragraphs: Iterable[Paragraph], **options: Any) -> Iterator[str]:
    """One JSON object a paragraph and line; options as for `paragraph_record`."""
    for paragraph in paragraphs:
        yield json.dumps(paragraph_record(paragraph, **options), ensure_ascii=False) + "\n"


def _write_markdown(document: Document) -> Iterator[str]:
    from declutter.writers.markdown import write_markdown  # late: what most callers want needs neither

    return write_markdown(document)


def _write_html(document: Document) -> Iterator[str]:
    from declutter.writers.html import write_html

    return write_html(document)


def _write_explain_page(document: Document) -> Iterator[str]:
    from declutter.writers.explain_page import write_explain_page

    return write_explain_page(document)


WRITERS: dict[str, Callable[[Document], Iterator[str]]] = {
    "text": write_text,
    "markdown": _write_markdown,
    "html": _write_html,
    "jsonl": write_jsonl,
    "explain": _write_explain_page,
}
"""Writer of each form; takes a document, yields pieces of text."""

OUTPUTS = ("text", "markdown", "html")
"""Forms of what is kept."""
