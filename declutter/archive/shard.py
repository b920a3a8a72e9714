"""One shard of an archive: files in, files out. Every engine calls `clean_shard`, wherever it runs it."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, NamedTuple

from declutter.archive.containers import CONTAINERS
from declutter.archive.containers.record import Changed, Record, StoppedError
from declutter.archive.files import compression_of, fingerprint, replacing
from declutter.archive.labels import FIELD, Cleaned, clean_document, describe_policy
from declutter.archive.survey import Location, Survey
from declutter.document import Document
from declutter.errors import DeclutterError, SourceError
from declutter.labeller import Declutter
from declutter.readers import decode

LABELS, STATE = "labels", "state"  # folders beside the cleaned files


class File(NamedTuple):
    """One file of an archive.

    Attributes:
        source: where it is.
        name: what it is called under the folder that is written to, with the folders between, parted by "/".
        container: row of CONTAINERS.
    """

    source: Path
    name: str
    container: str


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


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run does with every shard.

    Attributes:
        out: the folder that is written to.
        labeller: the arguments of `Declutter`, as pairs of names and values.
        fields: what the archive calls its fields, as pairs.
        sidecar: whether texts stay as they are and only labels are written.
        stop: whether the first record that fails ends the run.
        max_characters: a longer document is not judged.
        key: checksum of everything that decides what is written, the model included.
    """

    out: Path
    labeller: tuple[tuple[str, Any], ...]
    fields: tuple[tuple[str, str], ...]
    sidecar: bool
    stop: bool
    max_characters: int
    key: str


@dataclass
class Outcome:
    """What became of a shard, as it is kept in its state file.

    Attributes:
        name: of the shard.
        key: fingerprint of its files' contents and the run's settings.
        files: source, name and container of each of its files.
        written: names of the files it wrote.
        records: documents there were, failed ones included.
        errors: what failed, records and whole files.
        characters: of the originals.
        removed_characters: of the stripped paragraphs.
        paragraphs, removed: number of paragraphs there were, and of those stripped, by kind.
        flagged: number of documents by flag.
        skipped: whether it was done already.
    """

    name: str
    key: str = ""
    files: list[list[str]] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    records: int = 0
    errors: int = 0
    characters: int = 0
    removed_characters: int = 0
    paragraphs: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    skipped: bool = False


def clean_shard(shard: Shard, settings: Settings) -> Outcome:
    """Cleans the files of a shard, unless that is done already; what it writes depends on nothing but its arguments.

    Every file takes its place whole, and the shard's state comes last: killed at any moment, it is done again.

    Raises:
        StoppedError: something failed, and that is to end the run.
        OSError: what was cleaned cannot be written.
    """
    state = settings.out / STATE / f"{shard.name}.json"
    key = fingerprint((file.source for file in shard.files), settings.key)
    if done := _done(state, key, settings.out):
        return done
    outcome = Outcome(shard.name, key, [[str(file.source), file.name, file.container] for file in shard.files])
    survey = Survey()
    with replacing(errors_of(shard.name, settings.out)) as errors:
        for file in shard.files:
            _clean_file(file, settings, outcome, survey, errors)
    with replacing(survey_of(shard.name, settings.out)) as target:
        target.write(survey.to_json())
    with replacing(state) as target:
        target.write(json.dumps(vars(outcome), indent=1).encode())
    return outcome


def errors_of(name: str, out: Path) -> Path:
    """Where a shard's failures are written, one JSON object a line."""
    return out / STATE / f"{name}.errors.jsonl"


def survey_of(name: str, out: Path) -> Path:
    """Where it is written what a shard saw."""
    return out / STATE / f"{name}.survey.json"


def labels_of(name: str, out: Path) -> Path:
    """Where the labels of a file lie that does not hold them itself."""
    return out / LABELS / f"{name}.jsonl"


def _done(state: Path, key: str, out: Path) -> Outcome | None:
    """What became of a shard that was cleaned before with the same contents and settings, if all it wrote is still there."""
    try:
        found = Outcome(**json.loads(state.read_bytes()) | {"skipped": True})
    except (OSError, ValueError, TypeError):
        return None
    there = all((out / name).exists() for name in found.written) and survey_of(found.name, out).exists()
    return found if found.key == key and there else None


def _clean_file(file: File, settings: Settings, outcome: Outcome, survey: Survey, errors: IO[bytes]) -> None:
    container = CONTAINERS[file.container]
    apart = settings.sidecar or not container.many  # whether labels go to a file of their own
    texts, labels = settings.out / file.name, labels_of(file.name, settings.out)
    change = _Cleaning(file, settings, outcome, survey, errors)
    try:
        with ExitStack() as stack:
            if apart:
                change.labels = stack.enter_context(replacing(labels))
            target = None
            if not settings.sidecar:
                compression = compression_of(file.source) if container.compressed else None
                target = stack.enter_context(replacing(texts, compression))
            container.rewrite(file.source, target, dict(settings.fields), not apart, change)
    except SourceError as error:
        change.fail(None, str(error))
        return
    outcome.written += [
        path.relative_to(settings.out).as_posix()
        for path, there in ((texts, not settings.sidecar), (labels, apart))
        if there
    ]


class _Cleaning:
    """Cleans the records of one file, counts them, and writes labels and errors down; see `containers.record.Change`."""

    def __init__(self, file: File, settings: Settings, outcome: Outcome, survey: Survey, errors: IO[bytes]):
        self.file = file
        self.settings = settings
        self.outcome = outcome
        self.survey = survey
        self.errors = errors
        self.labels: IO[bytes] | None = None

    def __call__(self, record: Record) -> Changed:
        self.outcome.records += 1
        try:
            cleaned = self._clean(record)
        except DeclutterError as error:
            changed = self._unchanged(record, str(error))
        except Exception as error:  # a fault of declutter's own must not cost the night's run, but be seen
            changed = self._unchanged(record, f"{type(error).__name__}: {error}")
        else:
            changed = Changed(None if record.source is None else cleaned, cleaned.labels)
        if self.labels is not None:
            encoding = changed.cleaned.encoding if changed.cleaned else None
            apart = {"position": record.position} | ({"encoding": encoding} if encoding else {})
            write_line(self.labels, apart | {FIELD: changed.labels})
        return changed

    def _clean(self, record: Record) -> Cleaned:
        if _of_its_own(record.labels):
            raise SourceError(
                f"has a {FIELD} field; where it was cleaned before, `declutter apply` restores or decides anew"
            )
        text, encoding, form = text_of(record, self.settings)
        labeller, about = load_labeller(self.settings.labeller, self.settings.key)
        document = labeller.label(text, form, record.site or record.url)
        cleaned = clean_document(document, labeller.unit, about)._replace(encoding=encoding)
        self._count(document, cleaned.labels)
        self.survey.add(document, cleaned.labels, Location(str(self.file.source), record.position, record.url))
        return cleaned

    def _unchanged(self, record: Record, reason: str) -> Changed:
        self.fail(record.position, reason, record.url)
        return Changed(None, record.labels if _of_its_own(record.labels) else {"error": reason})

    def _count(self, document: Document, labels: dict[str, Any]) -> None:
        counts = self.outcome
        counts.characters += sum(map(len, document.source.texts))
        counts.removed_characters += sum(len(entry["text"]) for entry in labels["removed"])
        counts.paragraphs.update(labels["counts"])
        counts.removed.update(entry["kind"] for entry in labels["removed"])
        counts.flagged.update(labels["flags"])

    def fail(self, position: int | None, reason: str, url: str | None = None) -> None:
        """Counts and writes down what failed.

        Raises:
            StoppedError: that is to end the run.
        """
        where = {"file": str(self.file.source), "position": position} | ({"url": url} if url else {})
        if self.settings.stop:
            raise StoppedError(f"{self.file.source}{f', {position}' if position else ''}: {reason}")
        self.outcome.errors += 1
        self.survey.fail(url)
        write_line(self.errors, where | {"reason": reason})


def text_of(record: Record, settings: Settings) -> tuple[str, str | None, str]:
    """The text or page of a record, what its bytes were decoded with, and its format.

    Raises:
        SourceError: it cannot be had, or is too long.
    """
    if record.problem is not None:
        raise SourceError(record.problem)
    source = "" if record.source is None else record.source
    if not isinstance(source, (str, bytes)):
        raise SourceError(f"its text is of type {type(source).__name__}")
    form = record.format if source.strip() else "text"  # nothing is no page
    text, encoding = (source, None) if isinstance(source, str) else decode(source, form)
    if len(text) > settings.max_characters:
        raise SourceError(f"has {len(text):,} characters, more than the {settings.max_characters:,} allowed")
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
