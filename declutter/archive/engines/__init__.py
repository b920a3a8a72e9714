"""Where shards run: an engine is one file here and one row of `ENGINES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from declutter.archive.engines import local, ray
from declutter.archive.shard import Outcome, Shard

Engine = Callable[..., Iterator[tuple[Shard, Outcome | None]]]

ENGINES: dict[str, Engine] = {"local": local.run, "ray": ray.run}
"""Each takes the work (a function of a shard), a deque of shards, the number of workers (None for one a core) and options of its
own, and yields every shard with its outcome, in any order; None for one that was given up because its workers died. Whoever is given
an outcome may add to the shards before the next one is asked for. What the work raises goes through."""
