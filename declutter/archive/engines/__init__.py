"""Where shards run: an engine is one file here and one row of `ENGINES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from declutter.archive.engines import local
from declutter.archive.shard import Outcome, Shard

Work = Callable[[Shard], Outcome]
Engine = Callable[[Work, Sequence[Shard], int], Iterator[tuple[Shard, Outcome | None]]]

ENGINES: dict[str, Engine] = {"local": local.run}
"""Each takes the work, the shards and the number of workers, and yields every shard once with its outcome, in any order;
None for one that was given up because its workers died. What the work raises goes through."""
