"""One shard of an archive: files in, files out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

from declutter.archive.containers import CONTAINERS
from declutter.archive.containers.record import (
    TOGETHER,
    TOGETHER_CHARACTERS,
    Changed,
    Part,
    Record,
    StoppedError,
)
from declutter.archive.files import Replacements, compression_of, fingerprint, replacing, stamp
from declutter.archive.labels import FIELD, Cleaned, clean_document, describe_policy
from declutter.archive.limits import Limits, time_limit
from declutter.archive.survey import Location, Survey
from declutter.document import Document, Source
from declutter.errors import DeclutterError, SourceError
from declutter.labeller import Declutter
from declutter.readers import decode, read

LABELS, STATE = "labels", "state"  # folders beside the cleaned files


class File(NamedTuple):
    """One file of an archive.

    Attributes:
        source: where it is.
        name: what it is called under the folder that is written to, with the folders between, parted by "/".
        container: row of CONTAINERS.
        part: what of it is meant, None for all.
    """

    source: Path
    name: str
    container: str
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Shard:
    """What is done, skipped and done again as one.

    Attributes:
        name: of its first file.
        files: one of many records, or several of one.
        size: bytes of all its files.
    """

    name: str
    files: tuple[File, ...]
    size: int

    @property
    def of_documents(self) -> bool:
        """Whether its files hold one record each."""
        return bool(self.files) and not CONTAINERS[self.files[0].container].many

    @property
    def part(self) -> Part | None:
        """What of its file it is, None for all of its files."""
        return self.files[0].part if self.files else None


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run does with every shard.

    Attributes:
        out: the folder that is written to.
        labeller: the arguments of `Declutter`, as pairs of names and values.
        fields: what the archive calls its fields, as pairs.
        sidecar: whether texts stay as they are and only labels are written.
        stop: whether the first record that fails ends the run.
        limits: what one document may cost.
        part_bytes: a larger file is cleaned in parts.
        key: checksum of everything that decides what is written, the model included.
    """

    out: Path
    labeller: tuple[tuple[str, Any], ...]
    fields: tuple[tuple[str, str], ...]
    sidecar: bool
    stop: bool
    limits: Limits
    part_bytes: int
    key: str


@dataclass
class Outcome:
    """What became of a shard, as it is kept in its state file.

    Attributes:
        name: of the shard.
        key: fingerprint of its files' contents and the run's settings.
        files: source, name and container of each of its files.
        written: names of the files it wrote.
        positions: lines, rows or records there were, whatever they held.
        records: documents there were, failed ones included.
        errors: what failed, records and whole files.
        characters: of the originals.
        removed_characters: of the stripped paragraphs.
        paragraphs, removed: number of paragraphs there were, and of those stripped, by kind.
        flagged: number of documents by flag.
        skipped: whether it was done already.
        parts: of a file that is too large for one go, and of which nothing is done yet.
    """

    name: str
    key: str = ""
    files: list[list[str]] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    positions: int = 0
    records: int = 0
    errors: int = 0
    characters: int = 0
    removed_characters: int = 0
    paragraphs: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    skipped: bool = False
    parts: list[Part] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Counts what became of a part."""
        for name in ("positions", "records", "errors", "characters", "removed_characters"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("paragraphs", "removed", "flagged"):
            getattr(self, name).update(getattr(other, name))


def clean_shard(shard: Shard, settings: Settings) -> Outcome:
    """Cleans the files of a shard, unless that is done already; what it writes depends on nothing but its arguments.

    Every file takes its place whole, and the shard's state comes last: killed at any moment, it is done again.

    Raises:
        StoppedError: something failed, and that is to end the run.
        OSError: what was cleaned cannot be written.
    """
    if before := done_before(shard, settings):
        return before
    outcome = fresh_outcome(shard, key_of(shard, settings))
    survey = Survey()
    with replacing(errors_of(shard.name, settings.out)) as errors, Replacements() as written:
        judge = _Judge(settings)
        changes = [_Cleaning(file, settings, judge, outcome, survey, errors) for file in shard.files]
        if shard.of_documents:
            _clean_documents(changes, judge, written)
        else:
            for change in changes:
                _clean_records(change, written)
    write_state(outcome, survey, settings.out)
    return outcome


def key_of(shard: Shard, settings: Settings) -> str:
    """A checksum of what decides what is written of a shard: the settings and the contents of its files.

    For a part, which lives no longer than the run, it is the file's size and time that stand for the contents.
    """
    if shard.part is None:
        return fingerprint((file.source for file in shard.files), settings.key)
    return f"{settings.key} {shard.part} {stamp(shard.files[0].source)}"


def fresh_outcome(shard: Shard, key: str) -> Outcome:
    """The outcome of a shard of which nothing is done yet."""
    return Outcome(shard.name, key, [[str(file.source), file.name, file.container] for file in shard.files])


def write_state(outcome: Outcome, survey: Survey, out: Path) -> None:
    """Puts down what a shard saw, and that it is done."""
    with replacing(survey_of(outcome.name, out)) as target:
        target.write(survey.to_json())
    with replacing(_state_of(outcome.name, out)) as target:
        target.write(json.dumps(vars(outcome), indent=1).encode())


def _state_of(name: str, out: Path) -> Path:
    return out / STATE / f"{name}.json"


def errors_of(name: str, out: Path) -> Path:
    """Where a shard's failures are written, one JSON object a line."""
    return out / STATE / f"{name}.errors.jsonl"


def survey_of(name: str, out: Path) -> Path:
    """Where it is written what a shard saw."""
    return out / STATE / f"{name}.survey.json"


def labels_of(name: str) -> str:
    """The name of the labels of a file that does not hold them itself."""
    return f"{LABELS}/{name}.jsonl"


def done_before(shard: Shard, settings: Settings) -> Outcome | None:
    """What became of a shard that was cleaned before with the same contents and settings, if all it wrote is still there."""
    try:
        found = Outcome(**json.loads(_state_of(shard.name, settings.out).read_bytes()) | {"skipped": True})
    except (OSError, ValueError, TypeError):
        return None
    there = (
        all((settings.out / name).exists() for name in found.written) and survey_of(shard.name, settings.out).exists()
    )
    return found if there and found.key == key_of(shard, settings) else None


def outputs_of(file: File, settings: Settings) -> tuple[str | None, str | None]:
    """What is written of a file: the names of its texts and of its labels where they stand by themselves."""
    apart = settings.sidecar or not CONTAINERS[file.container].many
    return None if settings.sidecar else file.name, labels_of(file.name) if apart else None


def _clean_records(change: _Cleaning, written: Replacements) -> None:
    """Cleans a file of many records."""
    file, settings, outcome = change.file, change.settings, change.outcome
    container = CONTAINERS[file.container]
    try:
        with change.writing(written) as target:
            apart = change.labels is not None
            fields = dict(settings.fields)
            outcome.positions += container.rewrite(file.source, target, fields, not apart, change, file.part)
    except SourceError as error:
        change.fail(None, str(error))


def _clean_documents(changes: Sequence[_Cleaning], judge: _Judge, written: Replacements) -> None:
    """Cleans files of one record each, and has some of them judged together."""
    waiting: list[tuple[_Cleaning, Record | SourceError]] = []
    size = 0
    for change in changes:
        record = change.read_document()
        waiting.append((change, record))
        size += len(record.source) if isinstance(record, Record) else 0
        if len(waiting) >= TOGETHER or size >= TOGETHER_CHARACTERS:
            _write_documents(waiting, judge, written)
            waiting, size = [], 0
    _write_documents(waiting, judge, written)


def _write_documents(
    found: Sequence[tuple[_Cleaning, Record | SourceError]], judge: _Judge, written: Replacements
) -> None:
    judged = iter(judge([record for _, record in found if isinstance(record, Record)]))
    for change, record in found:
        if isinstance(record, Record):
            change.outcome.positions += 1
            with change.writing(written) as target:
                changed = change.note(record, next(judged))
                change.write_document(record, changed, target)
        else:
            change.fail(None, str(record))


class _Read(NamedTuple):
    """What was read of a record, and what its bytes were decoded with."""

    source: Source
    encoding: str | None


class _Judged(NamedTuple):
    """What became of a record."""

    document: Document
    cleaned: Cleaned


T = TypeVar("T")


def _attempt(settings: Settings, work: Callable[..., T], *given: Any) -> T | str:
    """What a piece of work gives, or why it failed."""
    try:
        with time_limit(settings.limits.max_seconds):
            return work(*given)
    except DeclutterError as error:
        return str(error)
    except Exception as error:  # a fault of declutter's own must not cost the night's run, but be seen
        return f"{type(error).__name__}: {error}"


class _Judge:
    """Reads and judges records, some together."""

    def __init__(self, settings: Settings):
        self.settings = settings

    def __call__(self, records: Sequence[Record]) -> list[_Judged | str]:
        """What becomes of each record, or why it could not be judged. Where it fails together, each is judged by itself."""
        found: list[_Judged | str] = [""] * len(records)
        readable: list[tuple[int, Record, _Read]] = []
        for number, record in enumerate(records):
            read = _attempt(self.settings, self._read, record)
            if isinstance(read, str):
                found[number] = read
            else:
                readable.append((number, record, read))
        labeller, _ = load_labeller(self.settings.labeller, self.settings.key)
        sources, urls = [read.source for *_, read in readable], [record.site or record.url for _, record, _ in readable]
        documents = _attempt(self.settings, labeller.judge, sources, urls)
        for at, (number, _, read) in enumerate(readable):
            if isinstance(documents, str):
                alone = _attempt(self.settings, labeller.judge, sources[at : at + 1], urls[at : at + 1])
                found[number] = (
                    alone if isinstance(alone, str) else _attempt(self.settings, self._labelled, alone[0], read)
                )
            else:
                found[number] = _attempt(self.settings, self._labelled, documents[at], read)
        return found

    def _read(self, record: Record) -> _Read:
        if _of_its_own(record.labels):
            raise SourceError(
                f"has a {FIELD} field; where it was cleaned before, `declutter apply` restores or decides anew"
            )
        text, encoding, form = text_of(record, self.settings)
        labeller, _ = load_labeller(self.settings.labeller, self.settings.key)
        return _Read(read(text, form, labeller.unit), encoding)

    def _labelled(self, document: Document, found: _Read) -> _Judged:
        labeller, about = load_labeller(self.settings.labeller, self.settings.key)
        return _Judged(document, clean_document(document, labeller.unit, about)._replace(encoding=found.encoding))


class _Cleaning:
    """Cleans the records of one file, counts them, and writes labels and errors down; see `containers.record.Change`."""

    def __init__(
        self, file: File, settings: Settings, judge: _Judge, outcome: Outcome, survey: Survey, errors: IO[bytes]
    ):
        self.file = file
        self.settings = settings
        self.judge = judge
        self.outcome = outcome
        self.survey = survey
        self.errors = errors
        self.labels: IO[bytes] | None = None

    def __call__(self, records: Sequence[Record]) -> list[Changed]:
        return [self.note(record, found) for record, found in zip(records, self.judge(records), strict=True)]

    @contextmanager
    def writing(self, written: Replacements) -> Iterator[IO[bytes] | None]:
        """Opens what is written of the file: gives where its texts go, None with a sidecar. `labels` is open meanwhile.

        Both count as written when they are complete.
        """
        texts, labels = outputs_of(self.file, self.settings)
        with ExitStack() as stack:
            if labels is not None:
                self.labels = stack.enter_context(written.file(self.settings.out / labels))
            if texts is None:
                yield None
            else:
                compressed = CONTAINERS[self.file.container].compressed
                compression = compression_of(self.file.source) if compressed else None
                yield stack.enter_context(written.file(self.settings.out / texts, compression))
        self.outcome.written += [name for name in (texts, labels) if name is not None]

    def read_document(self) -> Record | SourceError:
        """The record of a file that holds one, or why it cannot be read."""
        document = CONTAINERS[self.file.container].document
        assert document is not None
        try:
            return document.read(self.file.source)
        except SourceError as error:
            return error

    def write_document(self, record: Record, changed: Changed, target: IO[bytes] | None) -> None:
        """Writes what became of it."""
        document = CONTAINERS[self.file.container].document
        assert document is not None
        if target is not None:
            document.write(record, changed, target)

    def note(self, record: Record, found: _Judged | str) -> Changed:
        """Counts what became of a record, and writes its labels down where they stand by themselves."""
        self.outcome.records += 1
        problem = found if isinstance(found, str) else _attempt(self.settings, self._count, record, found)
        if isinstance(found, str) or problem is not None:
            changed = self._unchanged(record, str(problem))
        else:
            cleaned = found.cleaned
            changed = Changed(None if record.source is None else cleaned, cleaned.labels)
        if self.labels is not None:
            encoding = changed.cleaned.encoding if changed.cleaned else None
            apart = {"position": record.position} | ({"encoding": encoding} if encoding else {})
            write_line(self.labels, apart | {FIELD: changed.labels})
        return changed

    def _count(self, record: Record, found: _Judged) -> None:
        document, cleaned = found
        labels, counts = cleaned.labels, self.outcome
        location = Location(str(self.file.source), record.position, record.url)
        self.survey.add(document, labels, location, record.site)
        counts.characters += sum(map(len, document.source.texts))
        counts.removed_characters += sum(len(entry["text"]) for entry in labels["removed"])
        counts.paragraphs.update(labels["counts"])
        counts.removed.update(entry["kind"] for entry in labels["removed"])
        counts.flagged.update(labels["flags"])

    def _unchanged(self, record: Record, reason: str) -> Changed:
        self.fail(record.position, reason, record.url, record.site)
        return Changed(None, record.labels if _of_its_own(record.labels) else {"error": reason})

    def fail(self, position: int | None, reason: str, url: str | None = None, site: str | None = None) -> None:
        """Counts and writes down what failed; see `containers.record.Change`. A site's name comes before its address.

        Raises:
            StoppedError: that is to end the run.
        """
        where = {"file": str(self.file.source), "position": position} | ({"url": url} if url else {})
        if self.settings.stop:
            at = f", {position}" if position else ""
            part = "" if self.file.part is None else f", in the part from {self.file.part[0]:,}"
            raise StoppedError(f"{self.file.source}{part}{at}: {reason}")
        self.outcome.errors += 1
        self.survey.fail(site or url)
        write_line(self.errors, where | {"reason": reason})


def text_of(record: Record, settings: Settings) -> tuple[str, str | None, str]:
    """The text or page of a record, what its bytes were decoded with, and its format.

    Raises:
        SourceError: it cannot be had, or is larger than allowed.
    """
    if record.problem is not None:
        raise SourceError(record.problem)
    source = "" if record.source is None else record.source
    if not isinstance(source, (str, bytes)):
        raise SourceError(f"its text is of type {type(source).__name__}")
    form = record.format if source.strip() else "text"  # nothing is no page
    text, encoding = (source, None) if isinstance(source, str) else decode(source, form)
    settings.limits.check(text, form)
    return text, encoding, form


def _of_its_own(labels: Any) -> bool:
    """Whether a record carries more than the reason why it could not be cleaned before; that must not be lost."""
    return labels is not None and not (isinstance(labels, dict) and "error" in labels)


def write_line(file: IO[bytes], value: Any) -> None:
    """One JSON object a line; what UTF-8 cannot hold is escaped."""
    try:
        file.write((json.dumps(value, ensure_ascii=False) + "\n").encode())
    except UnicodeEncodeError:
        file.write((json.dumps(value) + "\n").encode())


@lru_cache(maxsize=1)
def load_labeller(options: tuple[tuple[str, Any], ...], key: str = "") -> tuple[Declutter, dict[str, Any]]:
    """The labeller of a process, loaded once for a key that knows the contents of its files, and what labels say about it."""
    labeller = Declutter(**dict(options))
    return labeller, {"model": labeller.model.about["weights_sha256"], "policy": describe_policy(labeller.policy)}
