"""Memories for tests, written as an archive's are."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest


@pytest.fixture
def remember(tmp_path) -> Callable[..., Path]:
    """Writes the memory of some sites, each a list of documents, each a list of paragraphs."""
    pytest.importorskip("pyarrow", reason="needs the extra archive")
    pytest.importorskip("publicsuffixlist", reason="needs the extra archive")
    from declutter.archive.limits import Limits
    from declutter.archive.shard import Settings
    from declutter.archive.sites import _Counting, _merge_all

    def remembered(sites: dict[str, Sequence[Sequence[str]]], name: str = "memory.parquet") -> Path:
        counts = tmp_path / f"{name}.counts"
        counting = _Counting(Settings(tmp_path, (), (), False, False, Limits(), 1000, ""), "line", counts, "key")
        for site, documents in sites.items():
            for paragraphs in documents:
                counting._count(site, paragraphs)
        counting.close()
        _merge_all([counts], tmp_path / name)
        return tmp_path / name

    return remembered
