"""How fast memories are merged, and how much room that takes: made-up shards of one paragraph in ten that many documents hold.

    python tests/benchmarks/memory.py [--rows 50000000] [--shards 50] [--examples]

Prints seconds, seconds of processor time and the peak memory of the merge, which runs in a process of its own, and of looking
documents up.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SITES = 1000
REPEATED = 0.1  # share of the rows that are of paragraphs which other shards hold too


def make_shard(path: Path, number: int, rows: int, examples: bool) -> None:
    """One shard's own memory, as `count_shard` writes it."""
    import pyarrow as pa

    from declutter.archive.files import replacing
    from declutter.archive.sites import Block, _Writer, summed

    random = np.random.default_rng(number)
    common = np.random.default_rng(-1 % 2**32).integers(1, 2**63, rows, np.uint64)
    fingerprints = random.integers(1, 2**63, rows, np.uint64)
    codes = random.integers(0, SITES, rows, np.uint32)
    shared = random.random(rows) < REPEATED
    fingerprints[shared] = common[: int(shared.sum())]
    codes[shared] = (fingerprints[shared] % np.uint64(SITES)).astype(np.uint32)
    text = "Become a supporter of this made-up newspaper today, for the price of "
    column = pa.array([f"{text}{n}" if examples else None for n in range(rows)], pa.string())
    sites = sorted(f"site{site}.example" for site in range(SITES))
    with replacing(path) as target:
        writer = _Writer(target, "benchmark")
        writer.write(summed(Block(sites, codes, fingerprints, np.ones(rows, np.uint32), column)))
        writer.close()


def merge(paths: list[Path], out: Path) -> None:
    from declutter.archive.sites import _merge_all

    _merge_all(paths, out)


def look_up(path: Path, documents: int) -> None:
    from declutter.memory import load_memory

    memory = load_memory(path)
    random = np.random.default_rng(0)
    for number in range(documents):
        memory.look_up([f"paragraph {number} {i}" for i in range(30)], f"site{random.integers(SITES)}.example")


def measured(work: Callable[..., None], *arguments: Any) -> tuple[float, float, float]:
    """Seconds, seconds of the processor, and the megabytes by which a process grew at most that does nothing else."""
    receiver, sender = multiprocessing.Pipe(False)
    process = multiprocessing.get_context("spawn").Process(target=_measured, args=(sender, work, arguments))
    process.start()
    sender.close()  # so that nobody waits for one that failed
    found: tuple[float, float, float] = receiver.recv()
    process.join()
    return found


def _measured(sender: Any, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    import pyarrow.parquet  # noqa: F401  what is loaded is no part of the measurement

    import declutter.archive.sites  # noqa: F401

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, worked = time.perf_counter(), time.process_time()
    work(*arguments)
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1e6 if sys.platform == "darwin" else 1e3
    sender.send((seconds, processor, (peak - before) / unit))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--shards", type=int, default=50)
    parser.add_argument("--examples", action="store_true", help="with a text of 70 characters in every row")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number:04}.parquet" for number in range(arguments.shards)]
        for number, path in enumerate(paths):
            measured(make_shard, path, number, arguments.rows // arguments.shards, arguments.examples)
        rows = arguments.rows // arguments.shards * arguments.shards
        print(f"{rows:,} rows in {len(paths)} shards of {sum(path.stat().st_size for path in paths) / 1e6:,.0f} MB")
        out = Path(folder) / "memory.parquet"
        seconds, processor, megabytes = measured(merge, paths, out)
        speed = rows / processor / 1e6
        print(
            f"merged in {seconds:.1f} s, {processor:.1f} of the processor ({speed:.1f} million rows a second), {megabytes:.0f} MB more"
        )
        documents = 2000
        _, processor, megabytes = measured(look_up, out, documents)
        size = out.stat().st_size / 1e6
        print(
            f"a memory of {size:.1f} MB: {processor / documents * 1e6:.0f} µs a document of 30 paragraphs, {megabytes:.0f} MB more"
        )


if __name__ == "__main__":
    main()
