"""Files of one document: plain text, which leaves in the encoding it came in, and pages, which leave as UTF-8 text.

Such a file has no place for labels; they always go to a file of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO

from declutter.archive.containers.record import RECORD_LIMIT, Change, Part, Record
from declutter.archive.files import Reading


def rewrite_text(
    source: Path,
    target: IO[bytes] | None,
    fields: Mapping[str, str],
    labelled: bool,
    change: Change,
    part: Part | None = None,
) -> int:
    """Rewrites a text; see `containers.Rewrite`. One that cannot be judged is written as it is."""
    return _rewrite(source, target, "text", change)


def rewrite_page(
    source: Path,
    target: IO[bytes] | None,
    fields: Mapping[str, str],
    labelled: bool,
    change: Change,
    part: Part | None = None,
) -> int:
    """Writes a page as text; see `containers.Rewrite`. Of one that cannot be judged nothing is written."""
    return _rewrite(source, target, "html", change)


def _rewrite(source: Path, target: IO[bytes] | None, form: str, change: Change) -> int:
    with Reading(source) as file:
        raw = file.whole(RECORD_LIMIT)
    ((cleaned, _),) = change([Record(1, raw, form)])
    if target is not None and cleaned is not None:
        target.write(cleaned.text.encode(cleaned.encoding or "utf-8"))
    elif target is not None and form == "text":
        target.write(raw)
    return 1
