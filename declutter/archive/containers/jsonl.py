"""JSON lines. Only the text and the labels of a line change; every other byte of it stays, which no parse and dump could promise."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NamedTuple

from declutter.archive.containers.record import (
    HTML,
    RECORD_LIMIT,
    Change,
    Changed,
    Fault,
    Part,
    Record,
    changed_together,
    problem_with,
)
from declutter.archive.files import Reading, compression_of, open_to_read
from declutter.archive.labels import FIELD
from declutter.errors import SourceError

_READ = 1 << 20  # bytes at once
_SPACE = re.compile("[ \t\r\n\ufeff]*")
_COMMA = re.compile("[ \t\r\n]*,[ \t\r\n]*")


class Number(NamedTuple):
    """A number as it is written, which no type of Python's could overflow or round."""

    digits: str


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number)


class Member(NamedTuple):
    """One member of a JSON object.

    Attributes:
        before: where the member before it ends, or the object begins.
        start, end: where its value does.
        value: what it is.
    """

    before: int
    start: int
    end: int
    value: Any


def rewrite(
    source: Path,
    target: IO[bytes] | None,
    fields: Mapping[str, str],
    labelled: bool,
    change: Change,
    part: Part | None = None,
) -> int:
    """Streams through lines of JSON objects; see `containers.Rewrite`. A part is a range of bytes that whole lines lie in."""
    number = 0

    def numbered(file: Reading) -> Iterator[tuple[Record | Fault | None, _Line]]:
        nonlocal number
        for number, raw in enumerate(file.lines(RECORD_LIMIT), 1):
            yield _read(raw, number, fields)

    with Reading(source, part) as file:
        try:
            for line, changed in changed_together(numbered(file), change):
                if target is not None:
                    target.write(line.raw if changed is None else _written(line, changed, fields, labelled))
        except SourceError as error:
            change.fail(number + 1, str(error))
    return number


def split(source: Path, size: int) -> list[Part]:
    """Ranges of bytes of about the same size that begin where a line does; a compressed file is one stream and stays whole."""
    if compression_of(source) is not None:
        return []
    with open_to_read(source) as file:
        end = file.seek(0, os.SEEK_END)
        count = -(-end // size)
        cuts = {0, end}
        for number in range(1, count):
            file.seek(number * end // count - 1)
            while (piece := file.readline(_READ)) and not piece.endswith(b"\n"):
                pass
            cuts.add(file.tell())
    return list(pairwise(sorted(cuts)))


def join(source: Path, parts: Sequence[Path], target: IO[bytes]) -> None:
    """One after the other."""
    for part in parts:
        with open_to_read(part) as file:
            shutil.copyfileobj(file, target, _READ)


class _Line(NamedTuple):
    """A line, and the object on it, if it holds one.

    Attributes:
        raw: what is left of it where there is no record on it.
        text: all of it.
        members: of its object.
    """

    raw: bytes
    text: str = ""
    members: Mapping[str, Member] = MappingProxyType({})


def _read(raw: bytes | None, number: int, fields: Mapping[str, str]) -> tuple[Record | Fault | None, _Line]:
    """The record on a line, and the line; nothing is left of one that is no JSON object."""
    if raw is None:
        return Fault(number, f"is longer than {RECORD_LIMIT:,} bytes"), _Line(b"")
    if not raw.strip():
        return None, _Line(raw)
    try:
        line = raw.decode("utf-8")
        members = parse_object(line)
    except UnicodeDecodeError as error:
        return Fault(number, f"is not UTF-8: {error.reason} at byte {error.start}"), _Line(b"")
    except (ValueError, RecursionError) as error:
        return Fault(number, f"is not a JSON object: {error}"), _Line(b"")
    return _record(line, members, number, fields), _Line(b"", line, members)


def _record(line: str, members: dict[str, Member], number: int, fields: Mapping[str, str]) -> Record:
    text, url, labels = (members.get(name) for name in (fields["text"], fields["url"], FIELD))
    source = members.get(fields[HTML]) if HTML in fields else text
    site = members.get(fields["site"]) if "site" in fields else None
    return Record(
        number,
        source=None if source is None else source.value,
        format="html" if HTML in fields else "text",
        url=_string(url),
        site=_string(site),
        labels=None if labels is None else _with_numbers(line, labels),
        problem=problem_with(fields, source is not None, text is not None, labels is not None),
    )


def _written(found: _Line, changed: Changed, fields: Mapping[str, str], labelled: bool) -> bytes:
    """A line with what became of its record."""
    _, line, members = found
    cleaned, labels = changed
    text = members.get(fields["text"])
    values: dict[str, str | None] = {}
    if cleaned is not None and HTML in fields and not labelled:
        values[fields["text"]] = None
    elif cleaned is not None and (text is None or cleaned.text != text.value):
        values[fields["text"]] = _dump(cleaned.text, line)
    if labelled or FIELD in members:
        values[FIELD] = _dump(labels, line) if labelled else None
    return _edited(line, members, values).encode("utf-8")


def _edited(line: str, members: Mapping[str, Member], values: Mapping[str, str | None]) -> str:
    """A line with other values of some members, as JSON; new ones come last, and those whose value is None are taken out."""
    edits = []  # start, end, what comes instead
    begin = line.index("{") + 1
    added = [
        f"{json.dumps(name)}: {value}" for name, value in values.items() if value is not None and name not in members
    ]
    if added:
        last = max((member.end for member in members.values()), default=begin)
        edits.append((last, last, (", " if members else "") + ", ".join(added)))
    at = begin  # everything before is taken out
    for name, member in sorted(members.items(), key=lambda item: item[1].start):
        if (value := values.get(name)) is not None:
            edits.append((member.start, member.end, value))
        elif name in values:
            edits.append((member.before, member.end, ""))
            at = member.end if member.before == at else at
    if at > begin and (comma := _COMMA.match(line, at)):
        edits.append((at, comma.end(), ""))
    for start, end, instead in sorted(edits, reverse=True):
        line = line[:start] + instead + line[end:]
    return line


def _string(member: Member | None) -> str | None:
    """The value of a member that is a string."""
    return member.value if member is not None and isinstance(member.value, str) else None


def _with_numbers(line: str, member: Member) -> Any:
    """The value of a member with its numbers as such; where they are too large for that it is not declutter's."""
    try:
        return json.loads(line[member.start : member.end])
    except ValueError:
        return member.value


def _dump(value: Any, line: str) -> str:
    """JSON that escapes what the rest of the line escapes, and what UTF-8 cannot hold."""
    dumped = json.dumps(value, ensure_ascii=line.isascii())
    try:
        dumped.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value)
    return dumped


def parse_object(line: str) -> dict[str, Member]:
    """The members of the JSON object that a line holds, by name; of equal names the last counts, as in `json.loads`.

    Raises:
        ValueError: there is something else on the line.
    """
    at = _skip(line, 0, "{", "no object begins")
    members: dict[str, Member] = {}
    end = at  # of the last member
    more = line[_space(line, at) : _space(line, at) + 1] != "}"
    while more:
        name, at = _DECODER.raw_decode(line, _space(line, at))
        if not isinstance(name, str):
            raise ValueError(f"a name is no string at character {at}")
        start = _space(line, _skip(line, at, ":", "a colon is missing"))
        value, at = _DECODER.raw_decode(line, start)
        members[name] = Member(end, start, at, value)
        end = at
        at = _space(line, at)
        more = line[at : at + 1] == ","
        at += more
    at = _space(line, _skip(line, at, "}", "a comma or a closing brace is missing"))
    if at != len(line):
        raise ValueError(f"something follows the object at character {at}")
    return members


def _space(line: str, at: int) -> int:
    """The first character from `at` on that is no white space."""
    found = _SPACE.match(line, at)
    return at if found is None else found.end()


def _skip(line: str, at: int, character: str, problem: str) -> int:
    """Past a character and the white space before it."""
    at = _space(line, at)
    if line[at : at + 1] != character:
        raise ValueError(f"{problem} at character {at}")
    return at + 1
