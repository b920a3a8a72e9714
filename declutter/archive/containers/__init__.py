"""What archives are made of: a container is one file here and one row of `CONTAINERS`.

A container streams through a file, hands every record to a `Change`, and writes what comes back under the same fields and in
the same order. What a change does (clean, restore, decide again) a container does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, Protocol

from declutter.archive.containers import jsonl, parquet, single, warc
from declutter.archive.containers.record import HTML, Change, Changed, Part, Record
from declutter.archive.files import bare_name
from declutter.errors import UsageError

FIELDS = ("text", "url", "date", "title", "site")
"""What is asked of a record, by declutter's names; a user says what they are called in an archive. A site is asked for only then.

Beside them there may be `record.HTML`: where a user names a field for it, that field holds a page, which stays as it is, and its
text is a field that is added.
"""


class Rewrite(Protocol):
    """Streams through a file; raises `SourceError` where the rest of it cannot be read."""

    def __call__(
        self,
        source: Path,
        target: IO[bytes] | None,
        fields: Mapping[str, str],
        labelled: bool,
        change: Change,
        part: Part | None,
    ) -> int:
        """Rewrites a file, or a part of one, and returns how many positions there were in it, readable or not.

        Args:
            source: what is read.
            target: where the records go, uncompressed; None where only their labels are wanted.
            fields: what the archive calls each of `FIELDS`, and `HTML` where records hold pages.
            labelled: whether the records that go out carry labels.
            change: what becomes of every record; positions count from the beginning of the part.
            part: one of those that the container's `split` found; what is written is then for its `join` alone.
        """


class Document(NamedTuple):
    """How a file of one record is rewritten in two steps, so that others can be judged with it.

    Attributes:
        read: gives the record, or raises `SourceError`.
        write: writes what became of it.
    """

    read: Callable[[Path], Record]
    write: Callable[[Record, Changed, IO[bytes]], None]


class Container(NamedTuple):
    """One row of CONTAINERS.

    Attributes:
        suffixes: how the names of such files end, less their compression.
        rewrite: streams through one.
        package: what has to be installed to read one, or None.
        written_as: suffix of what is written, which is added to the source's, or takes its place where that is `replaces`.
        compressed: whether output is compressed as its source is.
        document: how the record of a file that holds one is read and written; None where it holds many. Files of one record are
            cleaned many at a time.
        split: cuts a file into parts of about so many bytes, in order; one or none where it has to be read in one go.
        join: writes what a rewrite of the whole source would have written, from what was written of its parts.
    """

    suffixes: tuple[str, ...]
    rewrite: Rewrite
    package: str | None = None
    written_as: str = ""
    compressed: bool = True
    document: Document | None = None
    split: Callable[[Path, int], list[Part]] | None = None
    join: Callable[[Path, Sequence[Path], IO[bytes]], None] | None = None

    @property
    def many(self) -> bool:
        """Whether a file holds many records."""
        return self.document is None


CONTAINERS = {
    "jsonl": Container((".jsonl", ".ndjson", ".json"), jsonl.rewrite, split=jsonl.split, join=jsonl.join),
    "parquet": Container(
        (".parquet", ".pq"), parquet.rewrite, "pyarrow", compressed=False, split=parquet.split, join=parquet.join
    ),
    "warc": Container((".warc", ".wet"), warc.rewrite, "fastwarc", ".jsonl"),
    "text": Container((".txt", ".text", ".md"), single.rewrite_text, document=Document(single.read_text, single.write)),
    "page": Container(
        (".html", ".htm", ".xhtml"),
        single.rewrite_page,
        written_as=".txt",
        document=Document(single.read_page, single.write),
    ),
}
"""Container of each kind of file."""


def container_of(name: str) -> str | None:
    """The container that a file's name speaks of, None where there is none."""
    suffix = PurePosixPath(bare_name(name)[0]).suffix.lower()
    return next((key for key, row in CONTAINERS.items() if suffix in row.suffixes), None)


def written_name(name: str) -> str:
    """The name under which a file is written: its own, with the suffix of another container where it goes to one."""
    bare, compression = bare_name(name)
    container = container_of(name)
    return bare + (CONTAINERS[container].written_as if container else "") + compression


def parse_fields(given: Mapping[str, str] | str | None) -> dict[str, str]:
    """What an archive calls each of `FIELDS`, and `HTML` if it is named, from pairs or from "text=body,url=link".

    Raises:
        UsageError: a pair is not one, or of an unknown field, or a page and its text would be one field.
    """
    if isinstance(given, str):
        pairs: Iterable[tuple[str, ...]] = [
            tuple(map(str.strip, pair.partition("=")[::2])) for pair in given.split(",")
        ]
    else:
        pairs = (given or {}).items()
    found = {name: name for name in FIELDS if name != "site"}
    for name, called in pairs:
        if name not in (*FIELDS, HTML):
            raise UsageError(
                f"unknown field {name!r}; the fields are {', '.join((*FIELDS, HTML))}, as in text=body,url=link"
            )
        if not called:
            raise UsageError(f"field {name!r} needs the name that the archive gives it, as in {name}=body")
        found[name] = called
    if found.get(HTML) == found["text"]:
        raise UsageError(
            f"the text of a page cannot take the page's place; name another field, as in {HTML}=body,text=clean"
        )
    return found


def fields_help() -> str:
    """What can be named, for the help of a command."""
    return f"{', '.join(FIELDS)}, where it calls them otherwise, or {HTML}, where a field holds pages; as in text=body,url=link"
