"""Processes of this machine. A worker that dies (killed, out of memory, a fault in a library) costs its shard's progress, no more."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait as wait_for

from declutter.archive.shard import Outcome, Shard

DEATHS = 3  # of workers that had nothing else to do, after which their shard is given up
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def run(
    work: Callable[[Shard], Outcome], shards: deque[Shard], workers: int | None
) -> Iterator[tuple[Shard, Outcome | None]]:
    """Works on the shards in processes; see `ENGINES`.

    When a worker dies, the pool is broken and nobody knows whose shard it was. Each shard that was under way then runs
    alone, so that further deaths are its own.
    """
    deaths: Counter[Shard] = Counter()
    while shards:
        alone = shards[0] in deaths
        size = 1 if alone else workers or os.cpu_count() or 1
        running: dict[Future[Outcome], Shard] = {}
        with ProcessPoolExecutor(size, multiprocessing.get_context("spawn"), _begin) as pool:
            try:
                while True:
                    while shards and len(running) < size and (shards[0] in deaths) is alone:
                        with _one_blas_thread():
                            running[pool.submit(work, shards[0])] = shards[0]
                        shards.popleft()
                    if not running:
                        break
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        outcome = future.result()
                        yield running.pop(future), outcome
            except BrokenProcessPool:
                for shard in running.values():
                    deaths[shard] += alone  # 0 makes a suspect of it
        for shard in running.values():
            if deaths[shard] < DEATHS:
                shards.appendleft(shard)
            else:
                yield shard, None


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Processes that are started within find that matrix products are to use one thread: there is a worker for every core."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin() -> None:
    """What a worker does first: it sees to it that it ends with the run, however that ends, and at once."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)
