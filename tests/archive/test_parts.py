"""Large files in parts: the same bytes as in one go, whatever befalls the run, and nothing done twice."""

import gzip
import json
import uuid
from collections import deque
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from declutter.archive import parts
from declutter.archive.containers import jsonl
from declutter.archive.engines import ENGINES
from declutter.archive.shard import File, Outcome, Shard
from declutter.errors import SourceError

TEXT = "The council met on Monday.\nShare this\n\n  It voted on number {}.\n"
LINES = b"\xef\xbb\xbf" + b"".join(
    b"{broken\n"
    if n % 7 == 3
    else b"\r\n"
    if n % 7 == 5
    else json.dumps({"n": n, "text": TEXT.format(n)}).encode() + b"\n"
    for n in range(40)
)


def results(out: Path) -> dict[str, bytes]:
    """Every file that a run wrote but its report, which tells the time."""
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file() and p.name != "run.json"}


@pytest.mark.parametrize("sidecar", [False, True])
@pytest.mark.parametrize("size", [1, 300, 2000])
def test_json_lines_in_parts_are_those_in_one_go(clean, tmp_path, size, sidecar):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(LINES + b'{"text": "Share this\\nNo end"}')
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(LINES, mtime=0))
    (folder / "c.txt").write_text(TEXT)
    whole = clean(folder, tmp_path / "whole", sidecar=sidecar)
    split = clean(folder, tmp_path / "split", sidecar=sidecar, part_bytes=size)
    assert results(tmp_path / "split") == results(tmp_path / "whole")
    for name in ("files", "shards", "records", "errors", "characters", "removed", "paragraphs", "skipped"):
        assert getattr(split, name) == getattr(whole, name)
    positions = [json.loads(line)["position"] for line in (tmp_path / "split/errors.jsonl").read_text().splitlines()]
    assert positions == [4, 11, 18, 25, 32, 39] * 2
    again = clean(folder, tmp_path / "split", sidecar=sidecar, part_bytes=size + 1)
    assert (again.skipped, again.records, again.errors) == (3, whole.records, whole.errors)


@given(st.binary(max_size=60).map(lambda raw: b"x" + raw), st.integers(1, 70))
def test_parts_of_lines_follow_each_other_and_end_where_lines_end(tmp_path_factory, raw, size):
    path = tmp_path_factory.getbasetemp() / "lines"
    path.write_bytes(raw)
    found = jsonl.split(path, size)
    assert b"".join(raw[start:stop] for start, stop in found) == raw
    assert all(before[1] == after[0] for before, after in pairwise(found))
    assert all(start < stop for start, stop in found)
    assert all(raw[stop - 1 : stop] == b"\n" for _, stop in found[:-1])
    assert all(raw.count(b"\n", start, stop - 1) == 0 for start, stop in found if stop - start > 2 * size)


@pytest.mark.parametrize("sidecar", [False, True])
@pytest.mark.parametrize("size", [1, 10_000])
def test_parquet_in_parts_is_that_in_one_go(clean, tmp_path, monkeypatch, size, sidecar):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet as pq

    from declutter.archive.containers import parquet

    monkeypatch.setattr(parquet, "_GROUP", 30_000)
    texts = [TEXT.format(n) * (n % 5) if n % 6 else None for n in range(500)]
    table = pa.table(
        {
            "text": texts,
            "word": pa.array(["a", "b", "c", None, "e"] * 100).dictionary_encode(),
            "deep": [{"list": [{"a": None}, {"a": n}]} for n in range(500)],
            "nothing": pa.nulls(500),
        },
        metadata={"made by": "a test"},
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=70, compression="zstd")
    whole = clean(tmp_path / "a.parquet", tmp_path / "whole", sidecar=sidecar)
    split = clean(tmp_path / "a.parquet", tmp_path / "split", sidecar=sidecar, part_bytes=size)
    assert results(tmp_path / "split") == results(tmp_path / "whole")
    assert (split.records, split.removed) == (whole.records, whole.removed)
    if not sidecar:
        assert pq.ParquetFile(tmp_path / "split/a.parquet").num_row_groups > 2


def counting(counted, work, shards, workers, stop=None):
    """An engine that notes the parts it works on, and ends after some."""
    while shards:
        shard = shards.popleft()
        outcome = work(shard)
        if shard.part and not outcome.skipped:
            counted.append(shard.part)
        if stop is not None and len(counted) == stop:
            raise KeyboardInterrupt
        yield shard, outcome


def test_parts_that_are_done_are_not_done_again(clean, tmp_path, monkeypatch):
    (tmp_path / "a.jsonl").write_bytes(LINES)
    clean(tmp_path / "a.jsonl", tmp_path / "whole")
    first, second = [], []
    monkeypatch.setitem(ENGINES, "local", partial(counting, first, stop=3))
    with pytest.raises(KeyboardInterrupt):
        clean(tmp_path / "a.jsonl", tmp_path / "out", part_bytes=600)
    assert not (tmp_path / "out/a.jsonl").exists()
    monkeypatch.setitem(ENGINES, "local", partial(counting, second))
    clean(tmp_path / "a.jsonl", tmp_path / "out", part_bytes=600)
    assert len(first) == 3
    assert sorted(first + second) == jsonl.split(tmp_path / "a.jsonl", 600)
    assert results(tmp_path / "out") == results(tmp_path / "whole")


@pytest.mark.parametrize("step", ["replacing", "write_state", "remove_tree"])
def test_a_death_while_parts_are_joined_costs_nothing(clean, tmp_path, monkeypatch, step):
    (tmp_path / "a.jsonl").write_bytes(LINES)
    clean(tmp_path / "a.jsonl", tmp_path / "whole")

    def dying(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(parts, step, dying)
        with pytest.raises(KeyboardInterrupt):
            clean(tmp_path / "a.jsonl", tmp_path / "out", part_bytes=600)
    counted = []
    monkeypatch.setitem(ENGINES, "local", partial(counting, counted))
    clean(tmp_path / "a.jsonl", tmp_path / "out", part_bytes=600)
    assert counted == []
    assert results(tmp_path / "out") == results(tmp_path / "whole")


def test_a_file_that_changes_while_it_is_cleaned_is_cleaned_as_it_is_in_the_end(clean, tmp_path, monkeypatch):
    (tmp_path / "a.jsonl").write_bytes(LINES)
    counted = []

    def changing(work, shards, workers):
        for done in counting(counted, work, shards, workers):
            if len(counted) == 2:
                (tmp_path / "a.jsonl").write_bytes(LINES + LINES)
            yield done

    monkeypatch.setitem(ENGINES, "local", changing)
    clean(tmp_path / "a.jsonl", tmp_path / "out", part_bytes=1000)
    monkeypatch.setitem(ENGINES, "local", partial(counting, counted))
    clean(tmp_path / "a.jsonl", tmp_path / "whole")
    assert results(tmp_path / "out") == results(tmp_path / "whole")


def test_a_file_that_never_stops_changing_is_given_up(clean, tmp_path, monkeypatch):
    (tmp_path / "a.jsonl").write_bytes(LINES)

    def changing(work, shards, workers):
        for done in counting([], work, shards, workers):
            with (tmp_path / "a.jsonl").open("ab") as file:
                file.write(LINES)
            yield done

    monkeypatch.setitem(ENGINES, "local", changing)
    assert clean(tmp_path / "a.jsonl", tmp_path / "out", part_bytes=2000).errors == 1
    assert "it changed all the while" in (tmp_path / "out/errors.jsonl").read_text()


def test_a_part_that_is_given_up_costs_its_file_and_the_next_run_does_that_part_alone(clean, tmp_path, monkeypatch):
    (tmp_path / "a.jsonl").write_bytes(LINES)
    (tmp_path / "b.txt").write_text(TEXT)
    sources = [tmp_path / "a.jsonl", tmp_path / "b.txt"]
    clean(sources, tmp_path / "whole")
    unlucky = jsonl.split(tmp_path / "a.jsonl", 600)[2]

    def giving_up(work, shards, workers):
        while shards:
            shard = shards.popleft()
            yield shard, None if shard.part == unlucky else work(shard)

    monkeypatch.setitem(ENGINES, "local", giving_up)
    report = clean(sources, tmp_path / "out", part_bytes=600)
    assert (report.errors, report.records) == (1, 1)
    assert json.loads((tmp_path / "out/errors.jsonl").read_text())["position"] is None
    assert not (tmp_path / "out/a.jsonl").exists()
    counted = []
    monkeypatch.setitem(ENGINES, "local", partial(counting, counted))
    clean(sources, tmp_path / "out", part_bytes=600)
    assert counted == [unlucky]
    assert results(tmp_path / "out") == results(tmp_path / "whole")


def test_a_file_that_vanishes_is_an_error(clean, tmp_path, monkeypatch):
    (tmp_path / "a.jsonl").write_bytes(LINES)

    def vanishing(work, shards, workers):
        for shard, outcome in counting([], work, shards, workers):
            (tmp_path / "a.jsonl").unlink(missing_ok=True)
            yield shard, outcome

    monkeypatch.setitem(ENGINES, "local", vanishing)
    report = clean(tmp_path / "a.jsonl", tmp_path / "out", part_bytes=2000)
    assert (report.errors, report.finished) == (1, True)
    assert "No such file" in (tmp_path / "out/errors.jsonl").read_text()


def test_the_first_failure_in_a_part_ends_a_run_that_is_to_stop(clean, tmp_path):
    (tmp_path / "a.jsonl").write_bytes(LINES)
    start = jsonl.split(tmp_path / "a.jsonl", 300)[0][0]
    with pytest.raises(SourceError, match=rf"a\.jsonl, in the part from {start}, 4: is not a JSON object"):
        clean(tmp_path / "a.jsonl", tmp_path / "out", part_bytes=300, on_error="stop")


def test_parts_lie_in_a_bucket_too(clean, tmp_path):
    upath = pytest.importorskip("upath", reason="universal-pathlib is not installed")
    bucket = upath.UPath(f"memory://{uuid.uuid4()}")
    (bucket / "in/a.jsonl").write_bytes(LINES)
    clean(str(bucket / "in"), str(bucket / "split"), part_bytes=500)
    clean(str(bucket / "in"), str(bucket / "whole"))
    assert results(bucket / "split") == results(bucket / "whole")
    assert not (bucket / "split" / parts.PARTS).exists()


def test_parts_go_before_what_waits_and_their_file_follows_them(tmp_path):
    waiting = deque([Shard("a", (File(tmp_path / "a", "a", "jsonl"),), 90), Shard("b", (), 10)])
    seen, sizes = [], []

    def engine():
        while waiting:
            shard = waiting.popleft()
            asked = shard.name == "a" and shard.part is None and not seen
            seen.append((shard.name, shard.part))
            yield shard, Outcome(shard.name, parts=[(0, 50), (50, 90)] if asked else [])

    found = [
        shard.name for shard, _ in parts.whole_shards(engine(), waiting, lambda shard, _: sizes.append(shard.size))
    ]
    assert found == ["a", "b"]
    assert seen == [("a", None), ("a", (0, 50)), ("a", (50, 90)), ("a", None), ("b", None)]
    assert sum(sizes) == 100
