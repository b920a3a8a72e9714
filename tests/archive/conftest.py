"""Archives for tests: what is stripped depends on a phrase alone, not on what the model thinks of a text."""

from collections.abc import Callable

import pytest

from declutter.archive import Report, clean_archive
from declutter.archive.engines import ENGINES

PHRASE = "share this"


def in_this_process(work, shards, workers):
    """An engine without processes, which take half a second to start."""
    while shards:
        shard = shards.popleft()
        yield shard, work(shard)


@pytest.fixture
def clean(monkeypatch) -> Callable[..., Report]:
    """`clean_archive` in this process, which strips the paragraphs that hold `PHRASE`."""
    monkeypatch.setitem(ENGINES, "local", in_this_process)

    def cleaned(sources, out, **options):
        return clean_archive(sources, out, **{"threshold": 0.0, "drop_phrases": [PHRASE]} | options)

    return cleaned
