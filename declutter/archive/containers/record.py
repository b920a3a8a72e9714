"""What containers and changes say to each other."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from declutter.archive.labels import Cleaned

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
        labels: the `declutter` object that it carries already, or None.
        problem: why its text cannot be had, None where it can.
    """

    position: int
    source: Any
    format: str = "text"
    url: str | None = None
    labels: Any = None
    problem: str | None = None


class Changed(NamedTuple):
    """What a container writes of a record.

    Attributes:
        cleaned: the text and what belongs to it; None leaves the text as it is.
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
