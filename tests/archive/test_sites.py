"""Learning a memory: counts that are right, the same bytes whatever the memory's limits and the workers, and no mixture."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow", reason="needs the extra archive")
pytest.importorskip("publicsuffixlist", reason="needs the extra archive")

from pyarrow import parquet

from declutter.archive import clean_archive, merge_memories
from declutter.archive import sites as learning
from declutter.archive.engines import ENGINES
from declutter.archive.sites import most_frequent
from declutter.errors import ModelError, UsageError
from declutter.memory import load_memory
from declutter.memory.paragraphs import WHOLE, fingerprints

APPEAL = "The Lantern is read from Sandholm to the sea, by people who want to know."  # nothing that asks for anything
PRICE = "From {} euros a month, until {} May 2026."


def story(number: int) -> list[str]:
    words = ["river", "bridge", "council", "ferry", "school", "harbour", "museum", "farmer"]
    return [
        f"The {words[number % 8]} by the {words[(number // 8) % 8]} was on the agenda of meeting {'abcdefgh'[i]} {number}."
        for i in range(4)
    ]


def record(number: int, site: str = "www.lantern.example") -> dict:
    # the number is spelled in words' places, because digits make no difference
    name = "".join("abcdefghij"[int(digit)] for digit in str(number))
    lines = [line.replace(f" {number}.", f" {name}.") for line in story(number)]
    notice = [APPEAL, PRICE.format(number % 7 + 2, number % 28 + 1)] if number % 3 else []
    return {"url": f"https://{site}/{number}", "text": "\n".join([*lines, *notice])}


def write(path: Path, records) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(found) + "\n" for found in records))


@pytest.fixture
def archive(tmp_path) -> Path:
    """Ninety documents of two sites in five files."""
    for i in range(5):
        write(
            tmp_path / f"in/{i}.jsonl",
            [record(n, "m.beacon.example" if n % 10 == 9 else "www.lantern.example") for n in range(i, 90, 5)],
        )
    return tmp_path / "in"


def expected(archive: Path) -> dict[tuple[str, int], int]:
    """What a memory of an archive should hold, counted one by one."""
    counts: Counter[tuple[str, int]] = Counter()
    for path in archive.glob("*.jsonl"):
        for line in path.read_text().splitlines():
            found = json.loads(line)
            site = ".".join(found["url"].split("/")[2].split(".")[-2:])
            counts.update({(site, int(fp)) for fp in fingerprints(found["text"].split("\n"))} | {(site, WHOLE)})
    return {key: count for key, count in counts.items() if count > 1 or key[1] == WHOLE}


def rows(path: Path) -> dict[tuple[str, int], int]:
    table = parquet.read_table(path).to_pylist()
    assert [(row["site"], row["fingerprint"]) for row in table] == sorted(
        (row["site"], row["fingerprint"]) for row in table
    )
    return {(row["site"], row["fingerprint"]): row["documents"] for row in table}


def results(out: Path) -> dict[str, bytes]:
    """What a run wrote for its user."""
    return {path.name: path.read_bytes() for path in out.iterdir() if path.is_file() and path.name != "run.json"}


def test_a_memory_counts_the_documents_that_hold_a_paragraph(archive, tmp_path, clean):
    report = clean(archive, tmp_path / "out", memory="learn")
    found = rows(tmp_path / "out/memory.parquet")
    assert found == expected(archive)
    assert sorted(set(found.values())) == [6, 9, 54, 81]
    assert (report.records, report.errors) == (90, 0)
    assert json.loads((tmp_path / "out/run.json").read_text())["memory"] == report.memory


def test_the_same_bytes_with_any_number_of_workers_and_the_memory_as_a_file(archive, tmp_path):
    one = clean_archive(archive, tmp_path / "one", workers=1, memory="learn")
    two = clean_archive(archive, tmp_path / "two", workers=2, memory="learn")
    assert results(tmp_path / "one") == results(tmp_path / "two")
    assert one.memory == two.memory
    clean_archive(archive, tmp_path / "file", workers=1, memory=tmp_path / "one/memory.parquet")
    without = {name: raw for name, raw in results(tmp_path / "one").items() if name != "memory.parquet"}
    assert results(tmp_path / "file") == without
    clean_archive(archive, tmp_path / "off", workers=1)
    assert results(tmp_path / "off") != without


def test_what_repeats_goes_where_its_words_alone_would_not_convict_it(archive, tmp_path):
    clean_archive(archive, tmp_path / "off", workers=1)
    clean_archive(archive, tmp_path / "learnt", workers=1, memory="learn")
    kept = {}
    for name in ("off", "learnt"):
        lines = "".join(path.read_text() for path in (tmp_path / name).glob("[0-4].jsonl")).splitlines()
        kept[name] = sum(APPEAL in json.loads(line)["text"] for line in lines if "lantern.example" in line)
    assert kept["off"] > 40
    assert kept["learnt"] == 0


@pytest.mark.parametrize(("flush", "batch", "runs", "group"), [(7, 3, 2, 5), (40, 8, 3, 16), (1 << 18, 1, 64, 1 << 17)])
def test_bounded_memory_changes_nothing(archive, tmp_path, clean, monkeypatch, flush, batch, runs, group):
    clean(archive, tmp_path / "whole", memory="learn")
    for name, value in (("_FLUSH", flush), ("_BATCH", batch), ("_RUNS", runs), ("_GROUP", group)):
        monkeypatch.setattr(learning, name, value)
    clean(archive, tmp_path / "bounded", memory="learn")
    tables = [parquet.read_table(tmp_path / name / "memory.parquet") for name in ("whole", "bounded")]
    assert tables[0].drop_columns("example").equals(tables[1].drop_columns("example"))
    assert [table["example"].null_count for table in tables] == [tables[0]["example"].null_count] * 2
    left = [
        path.name for path in (tmp_path / "bounded").rglob("*") if ".runs" in path.name or path.name.endswith(".part")
    ]
    assert left == []


@pytest.mark.parametrize("size", [1, 700, 3000])
def test_large_files_are_counted_in_parts_to_the_same_bytes(archive, tmp_path, clean, monkeypatch, size):
    pa = pytest.importorskip("pyarrow")
    monkeypatch.setattr(learning, "_GROUP", 20)
    table = pa.Table.from_pylist([record(n) for n in range(90, 130)])
    parquet.write_table(table, archive / "b.parquet", row_group_size=7)
    clean(archive, tmp_path / "whole", memory="learn")
    parts = []
    monkeypatch.setattr(
        learning,
        "count_shard",
        lambda shard, settings, old=learning.count_shard: (parts.append(shard.part), old(shard, settings))[1],
    )
    clean(archive, tmp_path / "parts", memory="learn", part_bytes=size)
    assert len(set(parts) - {None}) > 6
    assert counted(tmp_path / "parts") == counted(tmp_path / "whole")
    assert results(tmp_path / "parts") == results(tmp_path / "whole")
    assert not (tmp_path / "parts/parts").exists()
    parts.clear()
    assert clean(archive, tmp_path / "parts", memory="learn", part_bytes=size).skipped == 6
    assert parts == []


def counted(out: Path) -> dict[str, bytes]:
    """The memory of every shard."""
    return {path.name: path.read_bytes() for path in (out / "state/memory").iterdir()}


def test_the_file_is_the_same_however_its_rows_were_handed_over(archive, tmp_path, clean, monkeypatch):
    clean(archive, tmp_path / "out", memory="learn")
    run = learning._Run(tmp_path / "out/state/memory/0.jsonl.parquet")
    whole = run.take(len(run.ahead))
    run.close()
    assert len(whole) > 50
    monkeypatch.setattr(learning, "_GROUP", 10)
    for name, cuts in (("once", [0, len(whole)]), ("often", [0, 1, 4, 4, 17, 30, len(whole)])):
        with (tmp_path / name).open("wb") as target:
            writer = learning._Writer(target)
            for start, stop in pairwise(cuts):
                writer.write(whole.slice(start, stop))
            writer.close()
    assert (tmp_path / "once").read_bytes() == (tmp_path / "often").read_bytes()
    groups = parquet.ParquetFile(tmp_path / "once").metadata
    sizes = [groups.row_group(i).num_rows for i in range(groups.num_row_groups)]
    assert sizes == [10] * (len(whole) // 10) + [len(whole) % 10] * (len(whole) % 10 > 0)


def test_a_shard_that_was_given_up_has_no_say(archive, tmp_path, clean, monkeypatch):
    clean(archive, tmp_path / "out", memory="learn")

    def failing(work, shards, workers):
        while shards:
            shard = shards.popleft()
            yield shard, None if shard.name == "0.jsonl" else work(shard)

    monkeypatch.setitem(ENGINES, "local", failing)
    write(archive / "0.jsonl", [])
    clean_archive(archive, tmp_path / "out", memory="learn", threshold=0.0, drop_phrases=["share this"])
    (archive / "0.jsonl").unlink()
    assert rows(tmp_path / "out/memory.parquet") == expected(archive)


@pytest.mark.parametrize("memory", ["learn", "s3://bucket/memory.parquet"])
def test_a_memory_in_an_object_store_is_refused(archive, tmp_path, memory):
    pytest.importorskip("upath", reason="needs the extra cloud")
    out = "memory://refused" if memory == "learn" else tmp_path / "out"
    with pytest.raises(UsageError, match="a file on this machine"):
        clean_archive(archive, out, memory=memory)
    assert not (tmp_path / "out").exists()


def test_a_memory_is_learnt_on_ray(archive, tmp_path):
    pytest.importorskip("ray", reason="needs the extra ray")
    clean_archive(archive, tmp_path / "local", workers=1, memory="learn")
    clean_archive(archive, tmp_path / "ray", engine="ray", workers=2, memory="learn", part_bytes=2000)
    assert results(tmp_path / "ray") == results(tmp_path / "local")


def test_the_same_fingerprint_in_its_first_bits_is_not_the_same_paragraph():
    import pyarrow as pa

    random = np.random.default_rng(0)
    close = np.uint64(1 << 40) + random.integers(0, 4, 200).astype(np.uint64)
    codes = random.integers(0, 300, 200).astype(np.uint32) % 3
    names = [f"{i:03}" for i in range(300)]
    texts = pa.array([None if i % 3 else f"text {fp}" for i, fp in enumerate(close)], pa.string())
    found = learning.summed(learning.Block(names, codes, close, np.ones(200, np.uint32), texts))
    counts = Counter(zip(codes.tolist(), close.tolist(), strict=True))
    assert list(zip(found.codes.tolist(), found.fingerprints.tolist(), strict=True)) == sorted(counts)
    assert found.documents.tolist() == [counts[key] for key in sorted(counts)]
    assert all(
        text in (None, f"text {fp}") for text, fp in zip(found.examples.to_pylist(), found.fingerprints, strict=True)
    )


def test_examples_are_of_what_many_documents_hold_and_short(tmp_path, clean):
    long = "A very long paragraph that stands in three documents. " * 20
    texts = [
        f"{long}\nTwo documents hold this.",
        f"{long}\nTwo documents hold this.",
        f"{long}\nhalf a pair \ud800 here",
    ]
    write(tmp_path / "in/a.jsonl", [{"url": "https://a.example/", "text": text} for text in texts])
    clean(tmp_path / "in", tmp_path / "out", memory="learn")
    table = parquet.read_table(tmp_path / "out/memory.parquet").to_pylist()
    assert {row["documents"]: row["example"] for row in table if row["fingerprint"] != WHOLE} == {
        2: None,
        3: long[:200],
    }
    frequent = most_frequent(tmp_path / "out/memory.parquet", 5)
    assert [(row.documents, row.of, row.site) for row in frequent] == [(3, 3, "a.example")]
    assert most_frequent(tmp_path / "out/memory.parquet", 5, "https://www.b.example/") == []


def test_a_field_may_name_the_site(tmp_path, clean):
    pa = pytest.importorskip("pyarrow")
    values = [
        {"url": "https://x.example/", "paper": paper, "text": APPEAL}
        for paper in ("Lantern", "Lantern", "Beacon", None)
    ]
    write(tmp_path / "in/a.jsonl", values)
    parquet.write_table(pa.Table.from_pylist(values), tmp_path / "in/b.parquet")
    clean(tmp_path / "in", tmp_path / "out", memory="learn", fields="site=paper")
    fp = int(fingerprints([APPEAL])[0])
    found = rows(tmp_path / "out/memory.parquet")
    assert found == {
        ("Beacon", WHOLE): 2, ("Beacon", fp): 2, ("Lantern", WHOLE): 4, ("Lantern", fp): 4,
        ("x.example", WHOLE): 2, ("x.example", fp): 2,
    }  # fmt: skip


def test_pages_are_counted_by_their_paragraphs(tmp_path, clean):
    pytest.importorskip("fastwarc")
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    raw = b""
    for number in range(3):
        content = answer + f"<p>Story {'abc'[number]} of the day.</p><div>{APPEAL}</div>".encode()
        headers = (
            "WARC/1.0",
            "WARC-Type: response",
            f"WARC-Target-URI: https://w.example/{number}",
            f"WARC-Record-ID: <urn:uuid:{number}>",
            "WARC-Date: 2026-01-01T00:00:00Z",
            "Content-Type: application/http;msgtype=response",
            f"Content-Length: {len(content)}",
        )
        raw += "\r\n".join(headers).encode() + b"\r\n\r\n" + content + b"\r\n\r\n"
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.warc").write_bytes(raw)
    clean(tmp_path / "in", tmp_path / "out", memory="learn")
    assert rows(tmp_path / "out/memory.parquet") == {
        ("w.example", WHOLE): 3,
        ("w.example", int(fingerprints([APPEAL])[0])): 3,
    }


def test_documents_of_no_site_and_broken_records_are_passed_over_and_told_once(tmp_path, clean):
    (tmp_path / "in").mkdir()
    good = json.dumps({"url": "https://a.example/", "text": APPEAL})
    (tmp_path / "in/a.jsonl").write_text(
        f'{good}\n{{broken\n{{"text": "{APPEAL}"}}\n{{"url": "https://a.example/", "text": 5}}\n{good}\n'
    )
    (tmp_path / "in/b.txt").write_text(APPEAL)
    report = clean(tmp_path / "in", tmp_path / "out", memory="learn")
    assert (report.records, report.errors) == (5, 2)
    assert set(rows(tmp_path / "out/memory.parquet").values()) == {2}


def test_an_archive_without_any_site_has_an_empty_memory(tmp_path, clean):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/b.txt").write_text(APPEAL)
    assert clean(tmp_path / "in", tmp_path / "out", memory="learn").errors == 0
    assert rows(tmp_path / "out/memory.parquet") == {}


def test_shards_that_were_counted_are_not_counted_again(archive, tmp_path, clean, monkeypatch):
    clean(archive, tmp_path / "out", memory="learn")
    counted = []
    monkeypatch.setattr(
        learning._Counting,
        "close",
        lambda self, old=learning._Counting.close: (counted.append(self.path.name), old(self)),
    )
    assert clean(archive, tmp_path / "out", memory="learn").skipped == 5
    assert counted == []
    write(archive / "1.jsonl", [record(n) for n in range(200, 210)])
    report = clean(archive, tmp_path / "out", memory="learn")
    assert counted == ["1.jsonl.parquet"]
    assert report.skipped == 0  # another memory: everything is judged anew
    clean(archive, tmp_path / "fresh", memory="learn")
    assert results(tmp_path / "out") == results(tmp_path / "fresh")


def test_no_mixture_of_memories(archive, tmp_path, clean):
    clean(archive, tmp_path / "out")
    for memory in ("learn", tmp_path / "memory.parquet"):
        clean(archive, tmp_path / "learnt", memory="learn", redo=True)
        (tmp_path / "learnt/memory.parquet").replace(tmp_path / "memory.parquet")
        with pytest.raises(UsageError, match="another memory"):
            clean(archive, tmp_path / "out", memory=memory)
    clean(archive, tmp_path / "out", memory="learn", redo=True)
    (archive / "4.jsonl").rename(tmp_path / "4.jsonl")
    with pytest.raises(UsageError, match="knew another memory"):
        clean(archive, tmp_path / "out", memory="learn")


def test_a_memory_that_is_none_is_refused_before_anything_is_written(archive, tmp_path, clean):
    (tmp_path / "text.parquet").write_text("no memory")
    for memory in ("absent.parquet", "text.parquet"):
        with pytest.raises(ModelError):
            clean(archive, tmp_path / "out", memory=tmp_path / memory)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_declutter_wrote_is_read_without_its_memory(archive, tmp_path, clean):
    clean(archive, tmp_path / "out", memory="learn")
    from declutter.archive import apply_archive

    assert apply_archive(tmp_path / "out", tmp_path / "back", undo=True).records == 90
    assert not (tmp_path / "back/memory.parquet").exists()


def test_a_merge_that_fails_reads_no_more(archive, tmp_path, clean, monkeypatch):
    clean(archive, tmp_path / "out", memory="learn")
    closed, taken = [], []
    close, take = learning._Run.close, learning._Run.take

    def slow(self, count):
        time.sleep(0.01)
        taken.append(bool(closed))
        return take(self, count)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(learning._Run, "close", lambda self: closed.append(1) or close(self))
    monkeypatch.setattr(learning._Run, "take", slow)
    monkeypatch.setattr(learning._Writer, "write", full)
    memory = tmp_path / "out/memory.parquet"
    with pytest.raises(OSError, match="No space left"):
        merge_memories([memory, memory], tmp_path / "merged.parquet")
    assert len(closed) == 2
    assert taken
    assert not any(taken)
    assert not (tmp_path / "merged.parquet").exists()


def test_merged_memories_add_up(archive, tmp_path, clean):
    halves = []
    for name, files in (("even", "024"), ("odd", "13")):
        clean([archive / f"{i}.jsonl" for i in files], tmp_path / name, memory="learn")
        halves.append(tmp_path / name / "memory.parquet")
    merge_memories(halves, tmp_path / "both.parquet")
    whole, parts = expected(archive), [rows(half) for half in halves]
    found = rows(tmp_path / "both.parquet")
    assert found == {key: sum(part.get(key, 0) for part in parts) for key in set().union(*parts)}
    assert {key: count for key, count in found.items() if key[1] == WHOLE} == {
        key: count for key, count in whole.items() if key[1] == WHOLE
    }
    merge_memories([tmp_path / "both.parquet"], tmp_path / "both.parquet")
    assert rows(tmp_path / "both.parquet") == found
    assert load_memory(tmp_path / "both.parquet").look_up([APPEAL], "lantern.example")[0].tolist() == [54]


def test_there_must_be_something_to_merge(tmp_path):
    with pytest.raises(UsageError):
        merge_memories([], tmp_path / "out.parquet")
    with pytest.raises(ModelError):
        merge_memories([tmp_path / "absent.parquet"], tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_a_killed_run_goes_on_to_the_same_bytes(archive, tmp_path):
    clean_archive(archive, tmp_path / "whole", workers=1, memory="learn")
    call = f"clean_archive({str(archive)!r}, {str(tmp_path / 'out')!r}, workers=1, memory='learn')"
    (tmp_path / "run.py").write_text(f"from declutter.archive import clean_archive\nif __name__ == '__main__': {call}")
    for part in ("state/memory/*.parquet", "state/*.json"):
        run = subprocess.Popen([sys.executable, tmp_path / "run.py"])
        while run.poll() is None and not list((tmp_path / "out").glob(part)):
            time.sleep(0.005)
        run.send_signal(signal.SIGKILL)
        run.wait()
    clean_archive(archive, tmp_path / "out", workers=2, memory="learn")
    assert results(tmp_path / "out") == results(tmp_path / "whole")
