"""Files of one document: plain text, which leaves in the encoding it came in, and pages, which leave as UTF-8 text.

Such a file has no place for labels; they always go to a file of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO

from declutter.archive.containers.record import RECORD_LIMIT, Change, Changed, Part, Record
from declutter.archive.files import Reading


def read_text(source: Path) -> Record:
    """The text in a file.

    Raises:
        SourceError: it cannot be read.
    """
    return _read(source, "text")


def read_page(source: Path) -> Record:
    """The page in a file; see `read_text`."""
    return _read(source, "html")


def _read(source: Path, form: str) -> Record:
    with Reading(source) as file:
        return Record(1, file.whole(RECORD_LIMIT), form)


def write(record: Record, changed: Changed, target: IO[bytes]) -> None:
    """Writes what became of a file's record: of a text that could not be judged what was read, of a page nothing."""
    cleaned = changed.cleaned
    if cleaned is not None:
        target.write(cleaned.text.encode(cleaned.encoding or "utf-8"))
    elif record.format == "text":
        target.write(record.source)


def rewrite_text(
    source: Path,
    target: IO[bytes] | None,
    fields: Mapping[str, str],
    labelled: bool,
    change: Change,
    part: Part | None = None,
) -> int:
    """Rewrites a text; see `containers.Rewrite`."""
    return _rewrite(read_text(source), target, change)


def rewrite_page(
    source: Path,
    target: IO[bytes] | None,
    fields: Mapping[str, str],
    labelled: bool,
    change: Change,
    part: Part | None = None,
) -> int:
    """Writes a page as text; see `containers.Rewrite`."""
    return _rewrite(read_page(source), target, change)


def _rewrite(record: Record, target: IO[bytes] | None, change: Change) -> int:
    (changed,) = change([record])
    if target is not None:
        write(record, changed, target)
    return 1
