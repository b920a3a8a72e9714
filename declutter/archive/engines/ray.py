"""Ray: tasks on a cluster, one a shard. A worker or a machine that dies costs the progress of its shards, no more."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from declutter.archive.engines.local import DEATHS
from declutter.archive.files import needs
from declutter.archive.shard import Outcome, Shard


def run(
    work: Callable[[Shard], Outcome], shards: deque[Shard], workers: int | None, address: str | None = None
) -> Iterator[tuple[Shard, Outcome | None]]:
    """Works on the shards as tasks that take a core each; see `ENGINES`.

    Ray's own retries stay off, because those after a lack of memory have no end. declutter has to be installed wherever
    the cluster runs tasks, and files have to be where all of it can reach them.

    Args:
        work, shards: see `ENGINES`.
        workers: tasks at a time; None for what the cluster has cores for.
        address: of a running cluster, or "auto"; None starts one on this machine, unless the caller has started one.
    """
    needs("ray", "the engine ray", "ray")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # declutter calls nobody
    import ray
    from ray import exceptions

    ours = not ray.is_initialized()
    if ours:
        _start(ray, workers, address)
    task = ray.remote(num_cpus=1, max_retries=0)(_do)
    deaths: Counter[Shard] = Counter()
    running: dict[Any, Shard] = {}
    try:
        shared = ray.put(work)
        while shards or running:
            while shards and len(running) < (workers or _queue(ray)):
                running[task.remote(shared, Path.cwd(), shards[0])] = shards[0]
                shards.popleft()
            (done,), _ = ray.wait(list(running), num_returns=1)
            shard = running.pop(done)
            try:
                outcome = ray.get(done)
            except exceptions.RayTaskError as error:
                raise error.cause from None
            except (exceptions.WorkerCrashedError, exceptions.OutOfMemoryError, exceptions.NodeDiedError):
                deaths[shard] += 1
                if deaths[shard] < DEATHS:
                    shards.appendleft(shard)
                    continue
                outcome = None
            yield shard, outcome
    finally:
        for reference in running:
            ray.cancel(reference, force=True)
        if ours:
            ray.shutdown()


def _start(ray: Any, workers: int | None, address: str | None) -> None:
    if address is None:
        ray.init("local", num_cpus=workers, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    else:
        ray.init(address, log_to_driver=False, logging_level="ERROR")


def _queue(ray: Any) -> int:
    """Tasks to have under way: twice the cores there are now, so that a cluster that grows finds something to do."""
    return 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))


def _do(work: Callable[[Shard], Outcome], folder: Path, shard: Shard) -> Outcome:
    """What runs on the cluster: Ray takes functions alone, and `work` may be any callable.

    Names of files are meant from `folder` on, where the run was started; a machine that has no such folder takes whole paths and URLs.
    """
    with suppress(OSError):
        os.chdir(folder)
    return work(shard)
