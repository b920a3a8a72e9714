"""Where shards run: an engine is one file here and one row of `ENGINES`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from declutter.archive.engines import local, ray
from declutter.archive.shard import Outcome, Shard

Work = Callable[[Shard], Outcome]


class Engine(Protocol):
    """Works on shards, somewhere."""

    def __call__(
        self, work: Work, shards: deque[Shard], workers: int | None, **options: Any
    ) -> Iterator[tuple[Shard, Outcome | None]]:
        """Yields every shard with its outcome, in any order; None for one that was given up because its workers died.

        Args:
            work: what is done with each; what it raises goes through.
            shards: whoever is given an outcome may add to them before the next one is asked for.
            workers: None for one a core.
            options: of this engine alone.
        """


ENGINES: dict[str, Engine] = {"local": local.run, "ray": ray.run}
