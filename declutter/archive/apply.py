"""Cleaned archives decided anew, or put back as they were, from their labels alone: no model runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from declutter import __version__
from declutter.archive.containers import CONTAINERS, parse_fields
from declutter.archive.containers.record import RECORD_LIMIT, Changed, Record
from declutter.archive.files import Reading, Replacements, compression_of, names_in, place, replacing
from declutter.archive.labels import FIELD, Cleaned, decide_again, describe_policy, restore, whole_text
from declutter.archive.shard import LABELS, File, labels_of, write_line
from declutter.archive.sources import ERRORS, REPORT, check_apart, find_files, make_shards, settings_of
from declutter.document import Source
from declutter.errors import SourceError, UsageError
from declutter.kinds import Kind
from declutter.policy import DEFAULT_PRESET, Policy, make_policy
from declutter.readers import decode, read


@dataclass
class Applied:
    """What `apply_archive` did.

    Attributes:
        records: documents, failed ones included.
        errors: what failed, each a line of errors.jsonl.
    """

    records: int = 0
    errors: int = 0


def apply_archive(
    sources: Iterable[Path | str] | Path | str,
    out: Path | str,
    *,
    keep: Iterable[str] | str | None = None,
    drop: Iterable[str] | str | None = None,
    budget: float | None = None,
    keep_phrases: Iterable[str] | str | None = None,
    drop_phrases: Iterable[str] | str | None = None,
    undo: bool = False,
    labels: Path | str | None = None,
    fields: Mapping[str, str] | str | None = None,
) -> Applied:
    """Decides anew which paragraphs of an archive's documents stay, or puts back what was stripped.

    The kinds that the classifier found stand, with the preset or threshold that made them; a budget or phrases that an earlier
    decision knew do not count any more. What comes out is what a run with that policy would have written, but for probabilities
    of paragraphs that were content and stayed: those are not known. A document that failed then stays as it is.

    Args:
        sources: folders that declutter wrote, or files out of them; with `labels`, what was labelled.
        out: an empty folder to write to, under the same names.
        keep, drop, budget, keep_phrases, drop_phrases: see `declutter.Declutter`; with a budget, content has to stay.
        undo: put everything back and take the labels off; of pages come back the paragraphs, not the markup, unless the record
            holds the page itself.
        labels: the folder of labels of a run with `sidecar`.
        fields: as for `clean_archive`; None for what the run was told.

    Raises:
        UsageError: the call is wrong, a source is not there, or something would be overwritten.
        MissingExtraError: a package is needed for such files.
        OSError: `out` cannot be written.
    """
    asked = (keep, drop, budget, keep_phrases or None, drop_phrases or None)
    if undo and any(value is not None for value in (labels, *asked)):
        raise UsageError("what is put back has neither kinds to keep or drop, a budget or phrases, nor labels")
    policy = None if undo else make_policy(keep, drop, None, DEFAULT_PRESET, budget, keep_phrases, drop_phrases)
    if policy is not None and budget is not None and Kind.CONTENT not in policy.keep:
        raise UsageError(
            "a budget puts back what is likeliest to be article, and of content that stayed no probability is written down: "
            "keep content, or run declutter archive again"
        )
    names = [sources] if isinstance(sources, (str, Path)) else list(sources)
    out, folder = place(out), None if labels is None else place(labels)
    files = find_files(names)
    check_apart(files, names, out)
    called = parse_fields(fields) if fields else _fields(files, folder)
    out.mkdir(parents=True, exist_ok=True)
    if names_in(out):
        raise UsageError(f"{out} is not empty; name a folder of its own")
    applied = Applied()
    with replacing(out / ERRORS) as errors:
        for shard in make_shards(files):
            with Replacements() as written:
                for file in shard.files:
                    _apply_to(file, out, called, _Applying(file, policy, folder, applied, errors), written)
    if policy is not None:
        decided = {name: value for name, value in describe_policy(policy).items() if name != "preset"}
        settings = {"applied": True, "policy": decided, "fields": called}
        with replacing(out / REPORT) as target:
            target.write((json.dumps({"declutter": __version__, "settings": settings}, indent=1) + "\n").encode())
    return applied


def _fields(files: Iterable[File], labels: Path | None) -> dict[str, str]:
    """What the run that wrote the files, or their labels, was told about their fields."""
    roots = {root_of(file) for file in files} if labels is None else {labels.parent}
    told = [settings["fields"] for root in sorted(roots) if (settings := settings_of(root))]
    if any(fields != told[0] for fields in told):
        raise UsageError("the sources call their fields differently; apply to one after the other, or say --fields")
    return parse_fields(told[0] if told else None)


def root_of(file: File) -> Path:
    """The folder that a file's name starts from."""
    return file.source.parents[len(PurePosixPath(file.name).parts) - 1]


def _apply_to(file: File, out: Path, fields: dict[str, str], change: _Applying, written: Replacements) -> None:
    container = CONTAINERS[file.container]
    labelled = change.policy is not None
    try:
        with ExitStack() as stack:
            if not container.many and labelled:
                change.written = stack.enter_context(written.file(out / labels_of(file.name)))
            if not container.many or change.labels is not None:
                folder = change.labels or root_of(file) / LABELS
                change.beside = stack.enter_context(_labels(folder / f"{file.name}.jsonl"))
            compression = compression_of(file.source) if container.compressed else None
            target = stack.enter_context(written.file(out / file.name, compression))
            container.rewrite(file.source, target, fields, labelled and container.many, change, None)
    except SourceError as error:
        change.fail(None, str(error))


@contextmanager
def _labels(path: Path) -> Iterator[Iterator[dict[str, Any]]]:
    """The lines of a file of labels."""
    with Reading(path) as file:
        yield (json.loads(line) for line in file.lines(2 * RECORD_LIMIT) if line is not None)


class _Applying:
    """Decides again about the records of one file, or restores them; see `containers.record.Change`.

    Attributes:
        policy: the kinds that stay; None restores.
        labels: the folder of labels where the texts are the originals, else None.
        beside: the labels of this file where it does not hold them itself.
        written: where the new labels go where it cannot hold them either.
    """

    def __init__(self, file: File, policy: Policy | None, labels: Path | None, applied: Applied, errors: IO[bytes]):
        self.file = file
        self.policy = policy
        self.labels = labels
        self.applied = applied
        self.errors = errors
        self.beside: Iterator[dict[str, Any]] | None = None
        self.written: IO[bytes] | None = None

    def __call__(self, records: Sequence[Record]) -> list[Changed]:
        return [self._change(record) for record in records]

    def _change(self, record: Record) -> Changed:
        self.applied.records += 1
        line = self._line(record.position) if self.beside is not None else {FIELD: record.labels}
        labels, encoding = line[FIELD], line.get("encoding")
        try:
            if not isinstance(labels, dict):
                raise SourceError(f"carries no {FIELD} object")
            cleaned = None if "error" in labels else self._apply(record, labels, encoding)
        except SourceError as error:
            self.fail(record.position, str(error), record.url)
            cleaned = None
        changed = Changed(None if record.source is None else cleaned, labels if cleaned is None else cleaned.labels)
        if self.written is not None:
            write_line(self.written, line | {FIELD: changed.labels})
        return changed

    def _line(self, position: int) -> dict[str, Any]:
        """The labels of a record; those of records that could not even be read then are not there."""
        for line in self.beside or ():
            if line["position"] == position:
                return line
        return {FIELD: None}

    def _apply(self, record: Record, labels: dict[str, Any], encoding: str | None) -> Cleaned:
        if record.problem is not None:
            raise SourceError(record.problem)
        text = "" if record.source is None else record.source
        if isinstance(text, bytes):
            text = text.decode(encoding) if encoding and record.format == "text" else decode(text, record.format)[0]
        if not isinstance(text, str):
            raise SourceError(f"its text is of type {type(text).__name__}")
        paged = record.format == "html" and bool(text.strip())
        if self.policy is None:
            return Cleaned("" if paged else restore(text, labels), {}, encoding=encoding)
        source = read(text, "html") if paged else Source("text", [], text)
        original = whole_text(source)[0] if paged or self.labels is not None else restore(text, labels)
        title = source.page.title or None if source.page is not None else None
        cleaned = decide_again(original, labels, self.policy)
        return cleaned._replace(encoding=encoding, title=_headline(original, labels) or title)

    def fail(self, position: int | None, reason: str, url: str | None = None) -> None:
        """Counts and writes down what failed."""
        self.applied.errors += 1
        where = {"file": str(self.file.source), "position": position} | ({"url": url} if url else {})
        write_line(self.errors, where | {"reason": reason})


def _headline(original: str, labels: dict[str, Any]) -> str | None:
    spans = sorted((*labels["removed"], *labels["kept"]), key=lambda entry: entry["start"])
    return next((original[span["start"] : span["end"]] for span in spans if span["kind"] == Kind.HEADLINE), None)
