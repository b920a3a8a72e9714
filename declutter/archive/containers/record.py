"""What containers and changes say to each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from declutter.archive.labels import Cleaned
from declutter.errors import SourceError

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


class Fault(NamedTuple):
    """What cannot be read where a record might be.

    Attributes:
        position: as of a record.
        reason: why.
    """

    position: int
    reason: str


class Change(Protocol):
    """What becomes of the records of a file."""

    def __call__(self, records: Sequence[Record]) -> list[Changed]:
        """What is written of each of some records, which stand in this order; those that come together are judged together."""

    def fail(self, position: int | None, reason: str, url: str | None = None) -> None:
        """Counts what cannot be read; position None stands for the whole file."""


T = TypeVar("T")
TOGETHER = 64  # records at most that wait until they are changed together
TOGETHER_CHARACTERS = 1 << 20  # in them, at most but for the last


def changed_together(
    found: Iterable[tuple[Record | Fault | None, T]], change: Change
) -> Iterator[tuple[T, Changed | None]]:
    """Changes records, some at a time, and gives them back in order, whatever else stands between them.

    Args:
        found: records, faults, or None for what is neither, each with whatever its container needs to write it. Where it raises
            `SourceError`, what came before is changed first.
        change: what becomes of the records.

    Yields:
        What the container needs, and what became of the record; None of what was none.
    """
    waiting: list[tuple[Record | None, T]] = []
    size = 0
    try:
        for record, rest in found:
            if isinstance(record, Fault):
                yield from _changed(waiting, change)
                change.fail(record.position, record.reason)
                waiting, size = [(None, rest)], 0
                continue
            waiting.append((record, rest))
            if record is not None and isinstance(record.source, (str, bytes)):
                size += len(record.source)
            if len(waiting) >= TOGETHER or size >= TOGETHER_CHARACTERS:
                yield from _changed(waiting, change)
                waiting, size = [], 0
    except SourceError:
        yield from _changed(waiting, change)
        raise
    yield from _changed(waiting, change)


def _changed(waiting: Sequence[tuple[Record | None, T]], change: Change) -> Iterator[tuple[T, Changed | None]]:
    records = [record for record, _ in waiting if record is not None]
    changed = iter(change(records) if records else ())
    return ((rest, None if record is None else next(changed)) for record, rest in waiting)
