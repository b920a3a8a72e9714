"""Learns a memory of sites from an archive: how many documents of each hold the same paragraph.

Every shard, or part of a large file, is counted by itself, into a memory of its own, and those are merged: sorted runs on the disk, a
few thousand rows of each in memory at a time, however many there are.
"""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from declutter.archive.containers import CONTAINERS
from declutter.archive.containers.record import Changed, Record
from declutter.archive.engines import Engine
from declutter.archive.files import remove_tree, replacing
from declutter.archive.limits import time_limit
from declutter.archive.parts import Work, in_parts, whole_shards, within
from declutter.archive.shard import STATE, Outcome, Settings, Shard, key_of, text_of
from declutter.errors import DeclutterError, SourceError, UsageError
from declutter.memory import load_memory, site_of
from declutter.memory.evidence import REPEATED
from declutter.memory.lookup import FORMAT, FORMAT_KEY
from declutter.memory.paragraphs import WHOLE, fingerprints
from declutter.readers import read

COUNTS = "memory"  # folder of the shards' memories, beside their states
EXAMPLE = 200  # characters of an example at most
EXAMPLE_FROM = 3  # documents from which a merged memory gives one
_GROUP = 1 << 17  # rows of every row group but the last
_FLUSH = 1 << 18  # rows of a shard that are held before they are written
_BATCH = 1 << 13  # rows of each run that are held in a merge, at least
_RUNS = 64  # merged at once
_KEY = b"declutter.key"  # of a shard's memory: what it was made from


class Block(NamedTuple):
    """Rows of a memory.

    Attributes:
        sites: names, sorted, each once.
        codes: the place of each row's site among them, uint32.
        fingerprints: uint64.
        documents: uint32.
        examples: an Arrow array of strings and nulls.
    """

    sites: list[str]
    codes: np.ndarray
    fingerprints: np.ndarray
    documents: np.ndarray
    examples: Any

    def __len__(self) -> int:
        return len(self.codes)

    def slice(self, start: int, stop: int) -> Block:
        """The rows from `start` to `stop`, of sorted ones."""
        if start >= stop:
            return _nothing()
        first, last = int(self.codes[start]), int(self.codes[stop - 1])
        return Block(
            self.sites[first : last + 1],
            self.codes[start:stop] - np.uint32(first),
            self.fingerprints[start:stop],
            self.documents[start:stop],
            self.examples[start:stop],
        )

    def up_to(self, site: str, fingerprint: int) -> int:
        """How many rows, of sorted ones, come no later than a site and fingerprint."""
        place = bisect.bisect_left(self.sites, site)
        start, stop = np.searchsorted(self.codes, [place, place + 1]).tolist()
        if place == len(self.sites) or self.sites[place] != site:
            return int(start)
        return int(start + np.searchsorted(self.fingerprints[start:stop], np.uint64(fingerprint), "right"))


def _concatenated(blocks: Sequence[Block]) -> Block:
    """Rows one after the other."""
    import pyarrow as pa

    sites = sorted(set().union(*(block.sites for block in blocks)))
    places = {site: place for place, site in enumerate(sites)}
    codes = [np.array([places[site] for site in block.sites], np.uint32)[block.codes] for block in blocks]
    return Block(
        sites,
        np.concatenate(codes),
        np.concatenate([block.fingerprints for block in blocks]),
        np.concatenate([block.documents for block in blocks]),
        pa.concat_arrays([block.examples for block in blocks]),
    )


def summed(block: Block) -> Block:
    """The rows sorted by site and fingerprint, those of the same summed up; an example is the first that was there."""
    import pyarrow as pa

    bits = max(len(block.sites) - 1, 0).bit_length()
    keys = block.codes.astype(np.uint64) << np.uint64(64 - bits) if bits else np.uint64(0)
    keys = keys | (block.fingerprints >> np.uint64(bits))
    order = np.argsort(keys, kind="stable")  # which is fast where runs are sorted already
    rows, codes = block.fingerprints[order], block.codes[order]
    same = codes[1:] == codes[:-1]
    if (same & (rows[1:] < rows[:-1])).any():  # what tells two apart was shifted out
        order = np.lexsort((block.fingerprints, block.codes))
        rows = block.fingerprints[order]
    new = np.concatenate(([True], ~same | (rows[1:] != rows[:-1])))
    first = np.flatnonzero(new)
    documents = np.add.reduceat(block.documents[order], first, dtype=np.uint32)
    there = block.examples.is_valid().to_numpy(zero_copy_only=False)[order]
    chosen = np.minimum.reduceat(np.where(there, np.arange(len(order)), len(order)), first)
    chosen = np.where(chosen < len(order), order[np.minimum(chosen, len(order) - 1)], -1)
    examples = block.examples.take(pa.array(chosen, mask=chosen < 0))
    return Block(block.sites, codes[first], rows[first], documents, examples)


def _worth(block: Block) -> Block:
    """What a memory keeps: paragraphs of several documents, with an example of those of many, and how many documents there are."""
    import pyarrow as pa
    from pyarrow import compute

    kept = np.flatnonzero((block.documents >= REPEATED) | (block.fingerprints == WHOLE))
    documents = block.documents[kept]
    shown = pa.array((documents >= EXAMPLE_FROM) & (block.fingerprints[kept] != WHOLE))
    examples = compute.if_else(shown, block.examples.take(pa.array(kept)), None)
    return Block(block.sites, block.codes[kept], block.fingerprints[kept], documents, examples)


class _Writer:
    """Writes the rows of a memory, in row groups."""

    def __init__(self, target: IO[bytes], key: str = ""):
        import pyarrow as pa
        from pyarrow import parquet

        self._schema = pa.schema(
            [
                ("site", pa.dictionary(pa.int32(), pa.string())),
                ("fingerprint", pa.uint64()),
                ("documents", pa.uint32()),
                ("example", pa.string()),
            ]
        )
        self._writer = parquet.ParquetWriter(
            target,
            self._schema,
            compression="zstd",
            use_dictionary=["site"],
            column_encoding={"fingerprint": "PLAIN", "documents": "PLAIN", "example": "PLAIN"},
            write_statistics=["site"],
            store_schema=False,  # so that sites are read as the strings they are
        )
        self._writer.add_key_value_metadata({FORMAT_KEY: str(FORMAT), **({_KEY: key} if key else {})})
        self._waiting: list[Block] = []
        self._rows = 0

    def write(self, block: Block) -> None:
        """Takes rows that come after all that were written; into how many blocks they were cut makes no difference."""
        self._waiting.append(block)
        self._rows += len(block)
        if self._rows >= _GROUP:
            self._flush(self._rows - self._rows % _GROUP)

    def _flush(self, count: int) -> None:
        block = _concatenated(self._waiting)
        for start in range(0, count, _GROUP):
            self._write_group(block.slice(start, min(start + _GROUP, count)))
        self._waiting = [block.slice(count, len(block))]
        self._rows -= count

    def _write_group(self, block: Block) -> None:
        import pyarrow as pa

        named, codes = _renumbered(block.codes)
        names = pa.array([block.sites[code] for code in named], pa.string())
        sites = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names)
        columns = [sites, pa.array(block.fingerprints), pa.array(block.documents), block.examples]
        self._writer.write_table(pa.table(columns, schema=self._schema))

    def close(self) -> None:
        """Writes what is left."""
        if self._rows:
            self._flush(self._rows)
        self._writer.close()


class _Run:
    """The sorted rows of a memory, some at a time.

    Attributes:
        ahead: the next ones; `_BATCH` at least, while there are so many.
        ended: whether there are no more behind them.
    """

    def __init__(self, path: Path):
        from pyarrow import parquet

        self._opened = path.open("rb")
        self._file = parquet.ParquetFile(self._opened, read_dictionary=["site"], pre_buffer=False, buffer_size=1 << 16)
        self._batches = self._file.iter_batches(batch_size=_BATCH, use_threads=False)
        self.ahead: Block = _nothing()
        self.ended = False
        self.take(0)

    def take(self, count: int) -> Block:
        """The next `count` rows, which then are no longer ahead."""
        taken, self.ahead = self.ahead.slice(0, count), self.ahead.slice(count, len(self.ahead))
        while len(self.ahead) < _BATCH and not self.ended:
            batch = next(self._batches, None)
            self.ended = batch is None
            if batch is not None:
                self.ahead = _concatenated([self.ahead, _block(batch)])
        return taken

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
        self._opened.close()


def _nothing() -> Block:
    import pyarrow as pa

    return Block([], np.zeros(0, np.uint32), np.zeros(0, np.uint64), np.zeros(0, np.uint32), pa.array([], pa.string()))


def _block(batch: Any) -> Block:
    """A batch of sorted rows."""
    site, rows, documents, examples = (batch.column(name) for name in ("site", "fingerprint", "documents", "example"))
    named, codes = _renumbered(site.indices.to_numpy())
    sites = [site.dictionary[code].as_py() for code in named]
    return Block(sites, codes, rows.to_numpy(), documents.to_numpy(), examples)


def _renumbered(codes: np.ndarray) -> tuple[list[int], np.ndarray]:
    """The codes that some sorted rows have, each once, and the place of each row's among them, uint32."""
    changed = np.concatenate(([True], codes[1:] != codes[:-1]))
    return codes[changed].tolist(), (np.cumsum(changed) - 1).astype(np.uint32)


def _together(runs: Sequence[_Run]) -> Iterator[Block]:
    """All rows in blocks, in order; those of the same site and fingerprint are never parted. Within a block they are not sorted."""
    while any(len(run.ahead) for run in runs):
        # what comes no later than the last row that is known of every run
        ends = [(run.ahead.sites[-1], int(run.ahead.fingerprints[-1])) for run in runs if not run.ended]
        counts = [run.ahead.up_to(*min(ends)) if ends else len(run.ahead) for run in runs]
        yield _concatenated([run.take(count) for run, count in zip(runs, counts, strict=True)])


def _one_ahead(blocks: Iterator[Block]) -> Generator[Block]:
    """The same blocks, each read by another thread while the one before is worked on; numpy and pyarrow let both run."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = reader.submit(next, blocks, None)
            yield block


def _merge(paths: Sequence[Path], out: Path, key: str = "", whole: bool = False) -> None:
    """Merges sorted runs into a memory; with `whole` what stands in one document alone stays, and every example."""
    with replacing(out) as target, ExitStack() as stack:
        runs = []
        for path in paths:
            runs.append(_Run(path))
            stack.callback(runs[-1].close)
        writer = stack.enter_context(closing(_Writer(target, key)))
        # entered last, and so closed first: nothing reads a run that is closed
        blocks = stack.enter_context(closing(_one_ahead(_together(runs))))
        for block in map(summed, blocks):
            writer.write(block if whole else _worth(block))


def merge_memories(sources: Iterable[Path | str], out: Path | str) -> None:
    """Adds up memories of different documents; of documents that two of them saw, both would count.

    A memory leaves out what stands in one document alone, so that the sum may be too small by one for each of them.

    Args:
        sources: files that declutter learnt.
        out: the file to write; may be one of the sources.

    Raises:
        UsageError: there are none.
        ModelError: one cannot be read or is no memory.
        MissingExtraError: pyarrow is not installed.
        OSError: `out` cannot be written.
    """
    paths = [load_memory(source).path for source in sources]
    if not paths:
        raise UsageError("name the memories that are to be merged")
    _merge_all(paths, Path(out))


class Frequent(NamedTuple):
    """A paragraph of a memory: how many of the site's documents hold it, and its beginning."""

    documents: int
    of: int
    site: str
    example: str


def most_frequent(path: Path | str, count: int, site: str | None = None) -> list[Frequent]:
    """The paragraphs that most documents of their site hold, of those with an example; the most frequent first.

    Args:
        path: a memory.
        count: how many.
        site: an address or a name; None for all sites.

    Raises:
        ModelError: it cannot be read or is no memory.
        MissingExtraError: a package is not installed.
    """
    wanted = site_of(site)
    found: list[Frequent] = []
    run = _Run(load_memory(path).path)
    of = 0
    while len(run.ahead):
        block = run.take(len(run.ahead))
        for code, row, documents, example in zip(
            block.codes.tolist(),
            block.fingerprints.tolist(),
            block.documents.tolist(),
            block.examples.to_pylist(),
            strict=True,
        ):
            if row == WHOLE:
                of = documents
            elif example is not None and wanted in (None, block.sites[code]):
                found.append(Frequent(documents, of, block.sites[code], example))
        found = sorted(found, key=lambda row: (-row.documents, row.site, row.example))[:count]
    run.close()
    return found


def _merge_all(paths: Sequence[Path], out: Path, key: str = "", whole: bool = False) -> None:
    """Merges any number of runs, no more than `_RUNS` at a time; see `_merge`."""
    folder = out.with_name(f".{out.name}.runs")
    try:
        while len(paths) > _RUNS:
            groups = [paths[start : start + _RUNS] for start in range(0, len(paths), _RUNS)]
            level = [folder / f"{len(groups)}-{number}" for number in range(len(groups))]
            for group, path in zip(groups, level, strict=True):
                _merge(group, path, whole=True)
            paths = level
        _merge(paths, out, key, whole)
    finally:
        remove_tree(folder)


def learn_memory(
    shards: Sequence[Shard],
    settings: Settings,
    engine: Engine,
    out: Path,
    advance: Callable[[Shard, Outcome | None], None],
) -> None:
    """Counts the paragraphs of all shards and writes a memory. Shards that were counted already are not counted again.

    Args:
        shards: of the run.
        settings: of the run.
        engine: where it runs: one of `ENGINES` that knows how many workers there are to be.
        out: the memory.
        advance: is told of every shard that is done.

    Raises:
        OSError: something cannot be written.
    """
    decisive = [FORMAT, dict(settings.labeller)["unit"], sorted(settings.fields), *settings.limits]
    settings = replace(settings, key=repr(decisive))
    waiting = deque(sorted(shards, key=lambda shard: -shard.size))
    work = engine(partial(count, settings=settings), waiting)
    counted = {shard for shard, outcome in whole_shards(work, waiting, advance) if outcome is not None}
    _merge_all([counts_of(shard.name, settings.out) for shard in shards if shard in counted], out)


def counts_of(name: str, out: Path) -> Path:
    """Where a shard's own memory lies."""
    return out / STATE / COUNTS / f"{name}.parquet"


def count(shard: Shard, settings: Settings) -> Outcome:
    """Counts a shard, unless that is done already; see `parts.in_parts`."""
    return in_parts(shard, settings, Work(count_shard, counted_before, _join))


def count_shard(shard: Shard, settings: Settings) -> Outcome:
    """Counts the paragraphs of a shard's documents into a memory of its own, unless that is done already.

    What cannot be read is passed over; whoever cleans it says so.
    """
    if before := counted_before(shard, settings):
        return before
    key = key_of(shard, settings)
    counting = _Counting(settings, dict(settings.labeller)["unit"], counts_of(shard.name, settings.out), key)
    for file in shard.files:
        try:
            CONTAINERS[file.container].rewrite(file.source, None, dict(settings.fields), False, counting, file.part)
        except SourceError:
            continue
    counting.close()
    return Outcome(shard.name, key, records=counting.records)


def counted_before(shard: Shard, settings: Settings) -> Outcome | None:
    """The outcome of a shard that was counted before with the same contents and settings."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with counts_of(shard.name, settings.out).open("rb") as file:
            key = parquet.read_metadata(file).metadata[_KEY].decode()
    except (OSError, pa.ArrowException, KeyError, TypeError):
        return None
    return Outcome(shard.name, key, skipped=True) if key == key_of(shard, settings) else None


def _join(shard: Shard, parts: Sequence[Shard], found: Sequence[Outcome], key: str, settings: Settings) -> Outcome:
    """Makes the memory of a file of those of its parts."""
    paths = [counts_of(part.name, within(part, settings).out) for part in parts]
    _merge_all(paths, counts_of(shard.name, settings.out), key, whole=True)
    return Outcome(shard.name, key)


class _Counting:
    """Counts the paragraphs of records; see `containers.record.Change`."""

    def __init__(self, settings: Settings, unit: str, path: Path, key: str):
        self.settings = settings
        self.unit = unit
        self.path = path
        self.key = key
        self.records = 0
        self._sites: dict[str, int] = {}
        self._codes: list[np.ndarray] = []
        self._fingerprints: list[np.ndarray] = []
        self._examples: list[str | None] = []
        self._runs: list[Path] = []

    def __call__(self, records: Sequence[Record]) -> list[Changed]:
        for record in records:
            self._look_at(record)
        return [Changed(None, None)] * len(records)

    def _look_at(self, record: Record) -> None:
        self.records += 1
        try:
            if site := site_of(record.site or record.url):
                text, _, form = text_of(record, self.settings)
                with time_limit(self.settings.limits.max_seconds):
                    texts = read(text, form, self.unit).texts
                self._count(site, texts)
        except DeclutterError:
            pass
        except Exception:  # a fault of declutter's own, which the second pass will meet and tell of
            pass

    def fail(self, position: int | None, reason: str, url: str | None = None) -> None:
        """Passes over what cannot be read."""

    def _count(self, site: str, texts: Sequence[str]) -> None:
        found, first = np.unique(fingerprints(texts), return_index=True)
        known = found != WHOLE
        self._fingerprints += np.array([WHOLE], np.uint64), found[known]  # the document itself, and its paragraphs
        code = self._sites.setdefault(site, len(self._sites))
        self._codes.append(np.full(1 + int(known.sum()), code, np.uint32))
        self._examples.append(None)
        self._examples += [" ".join(texts[i].split())[:EXAMPLE] for i in first[known].tolist()]
        if len(self._examples) >= _FLUSH:
            self._flush(self.path.with_name(f"{self.path.name}.{len(self._runs)}"))

    def _flush(self, path: Path, key: str = "") -> None:
        """Writes what was counted so far as a sorted run."""
        import pyarrow as pa

        with replacing(path) as target:
            writer = _Writer(target, key)
            if self._codes:
                order = sorted(self._sites)
                places = np.array([0] * len(order), np.uint32)
                places[[self._sites[site] for site in order]] = np.arange(len(order))
                rows = np.concatenate(self._fingerprints)
                examples = pa.array([_encodable(text) for text in self._examples], pa.string())
                codes = places[np.concatenate(self._codes)]
                writer.write(summed(Block(order, codes, rows, np.ones(len(rows), np.uint32), examples)))
            writer.close()
        self._runs.append(path)
        self._sites, self._codes, self._fingerprints, self._examples = {}, [], [], []

    def close(self) -> None:
        """Makes one memory of all runs."""
        if not self._runs:
            self._flush(self.path, self.key)
            return
        if self._codes:
            self._flush(self.path.with_name(f"{self.path.name}.{len(self._runs)}"))
        _merge_all(self._runs, self.path, self.key, whole=True)
        for run in self._runs:
            run.unlink()


def _encodable(text: str | None) -> str | None:
    """A text that Parquet can hold: without halves of surrogate pairs."""
    return text and text.encode("utf-8", "replace").decode("utf-8")
