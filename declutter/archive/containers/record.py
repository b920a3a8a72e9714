"""What containers and changes say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from declutter.archive.labels import Cleaned

HTML = "html"  # declutter's name for the field that holds a page
RECORD_LIMIT = 32 << 20  # bytes; a longer record is not even read, so that memory stays bounded


Part = tuple[int, int]
"""Where a part of a file begins and ends, in what its container counts: bytes, or row groups."""


class StoppedError(Exception):
    """Something failed in a run that was told to stop at that; the message says where and why."""


class Record(NamedTuple):
    """One document as its container hands it over.

    Attributes:
        position: number of its line, row or record in the file, from 1.
        source: its text or page, as str or bytes; None where there is nothing to clean. Anything else is a problem too.
        format: "text" or "html".
        url: where it comes from, if the archive says so.
        site: the site it belongs to, where a field of the archive names it.
        labels: the `declutter` object that it carries already, or None.
        problem: why its text cannot be had, None where it can.
    """

    position: int
    source: Any
    format: str = "text"
    url: str | None = None
    site: str | None = None
    labels: Any = None
    problem: str | None = None


def problem_with(fields: Mapping[str, str], has_source: bool, has_text: bool, labelled: bool) -> str | None:
    """Why a record's text cannot be had, or be written, None where it can.

    Args:
        fields: what the archive calls its fields.
        has_source: whether the field is there that holds the text or page.
        has_text: whether the field is there that the text is written to.
        labelled: whether declutter wrote it.
    """
    if not has_source:
        return f"has no field {fields[HTML if HTML in fields else 'text']!r}"
    if HTML in fields and has_text and not labelled:
        return f"has a field {fields['text']!r} already; name another for the page's text, as in text=clean"
    return None


class Changed(NamedTuple):
    """What a container writes of a record.

    Attributes:
        cleaned: the text and what belongs to it; None leaves the text as it is. The text of a page that the record holds is a
            field that comes and goes with the labels.
        labels: the `declutter` object; None where there is none.
    """

    cleaned: Cleaned | None
    labels: dict[str, Any] | None


class Change(Protocol):
    """What becomes of the records of a file."""

    def __call__(self, record: Record) -> Changed:
        """What is written of a record."""

    def fail(self, position: int | None, reason: str, url: str | None = None) -> None:
        """Counts what cannot be read; position None stands for the whole file."""
