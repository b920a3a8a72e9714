"""A run over an archive: refuses what cannot go well, hands the shards to an engine, and reports."""

from __future__ import annotations

import hashlib
import json
import math
import platform
import shutil
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from declutter import __version__
from declutter.archive.containers import parse_fields
from declutter.archive.containers.record import StoppedError
from declutter.archive.engines import ENGINES
from declutter.archive.files import (
    fingerprint,
    is_local,
    names_in,
    needs,
    open_to_read,
    place,
    remove_tree,
    remove_unfinished,
    replacing,
)
from declutter.archive.labels import describe_policy
from declutter.archive.limits import Limits
from declutter.archive.parts import PARTS, clean, whole_shards
from declutter.archive.shard import STATE, Outcome, Settings, Shard, errors_of, load_labeller, survey_of
from declutter.archive.sites import learn_memory
from declutter.archive.sources import ERRORS, MEMORY, REPORT, SURVEY, check_apart, find_files, make_shards
from declutter.archive.survey import Survey, merge_surveys
from declutter.errors import SourceError, UsageError
from declutter.policy import DEFAULT_PRESET

LIMITS = Limits()
PART_BYTES = 256 << 20
ON_ERROR = ("skip", "stop")
SITES = 100  # that a report counts one by one
LEARN, OFF = "learn", "off"  # what a memory may be besides a file


@dataclass
class Report:
    """What a run did, as it stands in run.json.

    Attributes:
        declutter: the version.
        settings: what decides what is written; a folder holds the results of one such set.
        sources: what was cleaned, as it was named.
        finished: whether the run came to its end.
        files, shards, skipped: how many there were; skipped shards were done by an earlier run.
        bytes: of the files as they lie on the disk.
        records: documents, failed ones included.
        errors: failures, each a line of errors.jsonl.
        characters, removed_characters: of the paragraphs there were, and of those stripped.
        paragraphs, removed: number of paragraphs there were, and of those stripped, by kind.
        flagged: number of documents by flag.
        sites: counts of the sites with the most documents, see `survey.Counts`.
        other_sites: the counts of all others together.
        memory: checksum of the memory that had a say, None without one.
        engine, workers: where it ran; None for one a core.
        seconds: how long it took.
        versions: of what else has a say in the result.
    """

    declutter: str
    settings: dict[str, Any]
    sources: list[str]
    finished: bool = False
    files: int = 0
    shards: int = 0
    skipped: int = 0
    bytes: int = 0
    records: int = 0
    errors: int = 0
    characters: int = 0
    removed_characters: int = 0
    paragraphs: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    sites: dict[str, dict[str, Any]] = field(default_factory=dict)
    other_sites: dict[str, Any] = field(default_factory=dict)
    memory: str | None = None
    engine: str = "local"
    workers: int | None = None
    seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Counts what became of a shard."""
        self.skipped += outcome.skipped
        for name in ("records", "errors", "characters", "removed_characters"):
            setattr(self, name, getattr(self, name) + getattr(outcome, name))
        for name in ("paragraphs", "removed", "flagged"):
            getattr(self, name).update(getattr(outcome, name))

    def add_sites(self, survey: Survey) -> None:
        """Takes over what there was by site."""
        largest, others = survey.largest(SITES)
        self.sites, self.other_sites = {site: asdict(counts) for site, counts in largest.items()}, asdict(others)

    def write(self, out: Path) -> None:
        """Puts the report into the folder of the run."""
        with replacing(out / REPORT) as file:
            file.write((json.dumps(vars(self), indent=1) + "\n").encode())


def clean_archive(
    sources: Iterable[Path | str] | Path | str,
    out: Path | str,
    *,
    workers: int | None = None,
    engine: str = "local",
    ray_address: str | None = None,
    fields: Mapping[str, str] | str | None = None,
    sidecar: bool = False,
    on_error: str = "skip",
    redo: bool = False,
    max_characters: int = LIMITS.max_characters,
    max_nodes: int = LIMITS.max_nodes,
    max_seconds: float = LIMITS.max_seconds,
    part_bytes: int = PART_BYTES,
    progress: bool = False,
    memory: Path | str = OFF,
    keep: Iterable[str] | str | None = None,
    drop: Iterable[str] | str | None = None,
    threshold: float | None = None,
    unit: str = "auto",
    preset: str = DEFAULT_PRESET,
    budget: float | None = None,
    keep_phrases: Sequence[str] = (),
    drop_phrases: Sequence[str] = (),
    model: Path | str | None = None,
) -> Report:
    """Cleans every document of some files, into files of the same names in a folder; what is done already is not done again.

    A script that calls this needs the usual `if __name__ == "__main__":`, because workers are processes that import it.

    Args:
        sources: files, folders or globs: JSON lines, Parquet, WARC, WET, text and HTML, also compressed by gzip or zstd.
        out: the folder to write to.
        workers: processes, or tasks at a time; None for one a core.
        engine: one of `ENGINES`: "local", or "ray" with the extra of that name.
        ray_address: the running cluster that `engine` "ray" is to use, or "auto"; None starts one on this machine.
        fields: what the archive calls text, url, date and title, as pairs or as "text=body,url=link". Where a field holds pages,
            "html=body" says so: it stays as it is, and `text` is added with the cleaned text.
        sidecar: leave the texts where and as they are and write only labels, to `out`/labels.
        on_error: "skip" counts what fails and goes on, "stop" ends the run there.
        redo: do again what is done; without it, a folder that was written with other settings is refused.
        max_characters, max_nodes, max_seconds: a document that goes beyond is an error, see `limits.Limits`.
        part_bytes: a larger file of JSON lines that is not compressed, or of Parquet, is cleaned in parts of about that size, by as
            many workers, and then put together. What is written is the same.
        progress: show how far it is, where stderr is a terminal.
        memory: of the sites: a file, see `declutter.Declutter`; "learn" goes through the archive once before to count which
            paragraphs stand in how many documents of their site, and leaves that as `out`/memory.parquet; "off" for none.
        keep, drop, threshold, unit, preset, budget, keep_phrases, drop_phrases, model: see `declutter.Declutter`.

    Returns:
        What was done, as it stands in `out`/run.json.

    Raises:
        UsageError: the call is wrong, a source is not there, something would be overwritten, or `out` was written otherwise.
        MissingExtraError: a package is needed for such files.
        ModelError: the model or the memory cannot be used.
        SourceError: something failed, and `on_error` is "stop".
        OSError: `out` cannot be written.
    """
    started = time.monotonic()
    names = [sources] if isinstance(sources, (str, Path)) else list(sources)
    out = place(out)
    if engine not in ENGINES:
        raise UsageError(f"unknown engine {engine!r}; there are {', '.join(ENGINES)}")
    if ray_address is not None and engine != "ray":
        raise UsageError(f"a cluster's address is of no use to the engine {engine}")
    if on_error not in ON_ERROR:
        raise UsageError(f"on_error must be one of {', '.join(ON_ERROR)}, not {on_error!r}")
    limits = Limits(max_characters, max_nodes, max_seconds)
    if (
        min(1 if workers is None else workers, max_characters, max_nodes, part_bytes) < 1
        or not 0 < max_seconds < math.inf
    ):
        raise UsageError(
            "workers, max_characters, max_nodes and part_bytes must be at least 1, and max_seconds more than 0"
        )
    if (memory == LEARN and not is_local(out)) or "://" in str(memory):
        raise UsageError(
            "a memory of sites is a file on this machine: learn it into a folder here, and name a path for --memory"
        )
    options = {
        "model": None if model is None else str(model),
        "keep": _hashable(keep),
        "drop": _hashable(drop),
        "threshold": threshold,
        "unit": unit,
        "preset": preset,
        "budget": budget,
        "keep_phrases": _hashable(keep_phrases),
        "drop_phrases": _hashable(drop_phrases),
        "memory": None if memory in (LEARN, OFF) else str(memory),
    }
    labeller, about = load_labeller(tuple(options.items()))
    if memory != OFF:
        labeller.model.needs_memory()
        for package in ("pyarrow", "publicsuffixlist"):
            needs(package, "a memory of sites")
    called = parse_fields(fields)
    decisive = {
        "model": about["model"],
        "thresholds": _checksum(
            {form: {n: asdict(t) for n, t in found.items()} for form, found in labeller.model.thresholds.items()}
        ),
        "policy": describe_policy(labeller.policy),
        "unit": unit,
        "fields": called,
        "sidecar": sidecar,
        **limits._asdict(),
        "memory": {OFF: None, LEARN: LEARN}[memory] if memory in (LEARN, OFF) else fingerprint([Path(memory)], ""),
    }
    settings = Settings(
        out,
        tuple(options.items()),
        tuple(called.items()),
        sidecar,
        on_error == "stop",
        limits,
        part_bytes,
        _checksum({"declutter": __version__} | decisive),
    )
    files = find_files(names)
    check_apart(files, names, out)
    shards = make_shards(files)
    report = Report(__version__, decisive, list(map(str, names)), engine=engine, workers=workers, versions=_versions())
    report.files, report.shards, report.bytes = len(files), len(shards), sum(shard.size for shard in shards)
    _claim(out, report, [file.name for file in files], redo)
    address = {} if ray_address is None else {"address": ray_address}

    def run(work: Callable[[Shard], Outcome], waiting: deque[Shard]) -> Iterator[tuple[Shard, Outcome | None]]:
        return ENGINES[engine](work, waiting, workers, **address)

    if memory != OFF:
        if memory == LEARN:
            with _bar(report, progress) as advance:
                learn_memory(shards, settings, run, out / MEMORY, advance)
            options["memory"] = str(out / MEMORY)
        settings = _with_memory(settings, options, report, [file.name for file in files])
    given_up = []
    waiting = deque(sorted(shards, key=lambda shard: -shard.size))  # so that no worker is left alone with a long one
    work = run(partial(clean, settings=settings), waiting)
    try:
        with _bar(report, progress) as advance:
            for shard, outcome in whole_shards(work, waiting, advance):
                if outcome is None:
                    given_up.append(shard)
                    report.errors += 1
                else:
                    report.add(outcome)
    except StoppedError as error:
        raise SourceError(f"{error}; the run stops there") from None
    _gather_errors(shards, given_up, out)
    report.add_sites(_gather_surveys(shards, given_up, out))
    remove_unfinished(out)  # of workers that died
    if not given_up:
        remove_tree(out / PARTS)
    report.finished = True
    report.seconds = round(time.monotonic() - started, 3)
    report.write(out)
    return report


def _with_memory(settings: Settings, options: dict[str, Any], report: Report, names: Sequence[str]) -> Settings:
    """The settings of a run that has its memory.

    Raises:
        UsageError: something that is not cleaned anew was cleaned with another memory.
    """
    checksum = fingerprint([Path(options["memory"])], "")
    if report.memory not in (None, checksum) and (others := _written_before(settings.out) - set(names)):
        raise UsageError(
            f"{settings.out} holds {min(others)} of an earlier run, which is not among the sources now and knew another memory"
        )
    report.memory = checksum
    report.write(settings.out)
    weights = load_labeller(settings.labeller)[0].model.needs_memory().weights
    return replace(settings, labeller=tuple(options.items()), key=_checksum([settings.key, checksum, weights]))


def _hashable(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else tuple(sorted(value))


def _checksum(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=16).hexdigest()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("numpy", "lxml", "beautifulsoup4", "pyarrow", "fastwarc", "publicsuffixlist"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # of the extra
            continue
    return found


def _claim(out: Path, report: Report, names: Sequence[str], redo: bool) -> None:
    """Makes the folder this run's, or refuses.

    Raises:
        UsageError: it holds something else, or what was written with other settings.
        OSError: it cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    sidecar = report.settings["sidecar"]
    try:
        before = json.loads((out / REPORT).read_bytes())
        sidecar = before["settings"].get("sidecar", sidecar)
        report.memory = before.get("memory")
        different = sorted(
            name
            for name in {"declutter", *report.settings}
            if (before | before["settings"]).get(name) != (vars(report) | report.settings).get(name)
        )
    except FileNotFoundError:
        if any(name[0] != "." for name in names_in(out)):
            raise UsageError(f"{out} holds something that declutter did not write; name a folder of its own") from None
        different = []
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{out / REPORT} is not the report of a run") from None
    if sidecar is not report.settings["sidecar"]:
        raise UsageError(
            f"{out} was written {'without' if report.settings['sidecar'] else 'with'} --sidecar; name another folder"
        )
    if different and not redo:
        raise UsageError(
            f"{out} was written with another {' and '.join(different)}; --redo does it again, another folder keeps both"
        )
    if different and (others := _written_before(out) - set(names)):
        raise UsageError(f"{out} holds {min(others)} of an earlier run, which is not among the sources now")
    remove_unfinished(out)
    if redo:
        remove_tree(out / STATE)
        remove_tree(out / PARTS)
    report.write(out)


def _written_before(out: Path) -> set[str]:
    found: set[str] = set()
    for path in (out / STATE).rglob("*.json"):
        with suppress(ValueError, KeyError, TypeError):  # what is no state says nothing
            found.update(name for _, name, _ in json.loads(path.read_bytes())["files"])
    return found


def _gather_errors(shards: Iterable[Shard], given_up: Sequence[Shard], out: Path) -> None:
    """Puts the errors of all shards into one file, in the order of the shards' names."""
    with replacing(out / ERRORS) as target:
        for shard in shards:
            if shard in given_up:
                reason = "was given up: the worker that had it died three times, out of memory perhaps, or it changed all the while"
                lines = [{"file": str(file.source), "position": None, "reason": reason} for file in shard.files]
                target.write("".join(json.dumps(line) + "\n" for line in lines).encode())
            else:
                with open_to_read(errors_of(shard.name, out)) as source:
                    shutil.copyfileobj(source, target)


def _gather_surveys(shards: Iterable[Shard], given_up: Sequence[Shard], out: Path) -> Survey:
    """Makes one survey of those of all shards, and writes it."""
    done = (survey_of(shard.name, out) for shard in shards if shard not in given_up)
    survey = merge_surveys(Survey.from_json(path.read_bytes()) for path in done)
    with replacing(out / SURVEY) as target:
        target.write(survey.to_json())
    return survey


@contextmanager
def _bar(report: Report, wanted: bool) -> Iterator[Callable[[Shard, Outcome | None], None]]:
    """How far the run is and how long it will take, on a terminal; tqdm is a nicety, and without it there is none.

    What an earlier run did counts as done, and neither for the speed nor for the time that is left.
    """
    if not (wanted and sys.stderr.isatty()):
        yield lambda shard, outcome: None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield lambda shard, outcome: None
        return
    with tqdm(total=report.bytes, unit="B", unit_scale=True, dynamic_ncols=True, smoothing=0) as bar:
        started = time.monotonic()
        documents = 0  # that this run judged

        def advance(shard: Shard, outcome: Outcome | None) -> None:
            nonlocal documents
            if outcome is not None and outcome.skipped:
                bar.initial += shard.size
            elif outcome is not None:
                documents += outcome.records
            rate = documents / max(time.monotonic() - started, 1e-9)
            share = report.removed_characters / max(report.characters, 1)
            bar.set_postfix_str(f"{rate:,.0f} docs/s, {share:.0%} removed, {report.errors} errors", refresh=False)
            bar.update(shard.size)

        yield advance
