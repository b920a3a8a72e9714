"""Runs: the same bytes with any number of workers and after any death, nothing done twice, no mixture of settings."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from declutter import Declutter
from declutter.archive import clean_archive, run, shard
from declutter.archive.engines import ENGINES
from declutter.archive.files import PART
from declutter.errors import SourceError, UsageError

TEXTS = (
    "The ferry to Sandholm will stop running in March, the council decided on Tuesday night.",
    "If our reporting matters to you, please become a supporter from 4 euros a month.",
    "Subscribe to our newsletter",
    "市議会は月曜日に橋の修理を決めた。",
)


def lines(start: int, count: int) -> bytes:
    records = ({"n": n, "text": "\n".join(TEXTS[n % 3 :]) + f"\n\n{n}\n"} for n in range(start, start + count))
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


@pytest.fixture
def archive(tmp_path) -> Path:
    """A folder of several containers."""
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(4):
        (folder / f"{i}.jsonl").write_bytes(lines(i * 10, 10 + i) + b"{broken\n" * (i == 2))
    (folder / "5.jsonl.gz").write_bytes(gzip.compress(lines(50, 10), mtime=0))
    for i in range(6, 9):
        (folder / f"{i}.txt").write_text("\n".join(TEXTS))
    (folder / "page.html").write_text("<h1>Bridge</h1>" + "".join(f"<p>{text}</p>" for text in TEXTS))
    return folder


def results(out: Path) -> dict[str, bytes]:
    """Every file that a run wrote but its report, which tells the time."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and path.name != "run.json"
    }


def report_of(out: Path) -> dict:
    return json.loads((out / "run.json").read_bytes())


@pytest.fixture
def whole(archive, tmp_path) -> dict[str, bytes]:
    """What a run writes that nothing befalls."""
    clean_archive(archive, tmp_path / "whole", workers=1)
    return results(tmp_path / "whole")


def test_any_number_of_workers_writes_the_same_bytes(archive, whole, tmp_path):
    report = clean_archive(archive, tmp_path / "out", workers=2)
    assert results(tmp_path / "out") == whole
    assert (report.files, report.shards, report.records, report.errors) == (9, 6, 60, 1)
    written = [
        json.loads(line)["n"]
        for name in sorted(whole)
        if name.endswith("jsonl") and "/" not in name and name[0] in "0123"
        for line in whole[name].splitlines()
    ]
    assert written == [*range(10), *range(10, 21), *range(20, 32), *range(30, 43)]


def test_the_report_says_what_was_done(archive, tmp_path, clean):
    report = clean(archive, tmp_path / "out", drop_phrases=["newsletter"], workers=3)
    assert report_of(tmp_path / "out") == vars(report)
    assert report.finished
    assert (report.engine, report.workers, report.sources) == ("local", 3, [str(archive)])
    assert report.bytes == sum(path.stat().st_size for path in archive.iterdir())
    texts = [
        json.loads(line)["text"]
        for name, raw in results(archive).items()
        for line in (gzip.decompress(raw) if name.endswith("gz") else raw).splitlines()
        if line[:1] == b"{" and line != b"{broken"
    ]
    wanted = sum("newsletter" in text for text in texts) + 4
    assert report.removed == {"content": wanted}
    assert report.removed_characters == wanted * len(TEXTS[2])
    assert report.paragraphs["headline"] == 1
    assert report.settings["policy"]["drop_phrases"] == ["newsletter"]
    assert {"python", "numpy"} <= set(report.versions)
    assert list(report.sites) == ["(no address)"]
    counts = report.sites["(no address)"]
    assert (counts["documents"], counts["errors"], counts["removed"]) == (60, 1, {"content": wanted})
    assert report.other_sites["documents"] == 0
    error = json.loads((tmp_path / "out/errors.jsonl").read_text())
    assert (error["file"], error["position"]) == (str(archive / "2.jsonl"), 13)
    assert error["reason"].startswith("is not a JSON object: ")


def test_the_report_counts_the_largest_sites_and_the_others_together(tmp_path, clean, monkeypatch):
    monkeypatch.setattr(run, "SITES", 2)
    (tmp_path / "in").mkdir()
    for name, numbers in (("a", range(6)), ("b", range(6, 9))):
        records = ({"url": f"https://{min(n, 4) // 2}.org", "text": "One.\nShare this"} for n in numbers)
        (tmp_path / f"in/{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    report = clean(tmp_path / "in", tmp_path / "out")
    assert {site: counts["documents"] for site, counts in report.sites.items()} == {"2.org": 5, "0.org": 2}
    assert report.other_sites["documents"] == 2
    assert report.other_sites["removed"] == {"content": 2}
    assert len(json.loads((tmp_path / "out/survey.json").read_bytes())["sites"]) == 3


def test_what_is_done_is_not_done_again(archive, tmp_path, clean):
    first = clean(archive, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("[0-9]*") if path.is_file()}
    again = clean(archive, tmp_path / "out")
    assert (first.skipped, again.skipped) == (0, 6)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    for name in ("records", "errors", "removed", "paragraphs", "characters"):
        assert getattr(again, name) == getattr(first, name)
    (archive / "0.jsonl").write_bytes(lines(100, 3))
    (tmp_path / "out/1.jsonl").unlink()
    (tmp_path / "out/state/3.jsonl.json").write_text("{")
    assert clean(archive, tmp_path / "out").skipped == 3
    clean(archive, tmp_path / "fresh")
    assert results(tmp_path / "out") == results(tmp_path / "fresh")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"keep": "content"}, "policy"),
        ({"preset": "corpus"}, "policy"),
        ({"unit": "block"}, "unit"),
        ({"fields": "text=body"}, "fields"),
        ({"max_characters": 9}, "max_characters"),
        ({"max_nodes": 3}, "max_nodes"),
    ],
    ids=repr,
)
def test_other_settings_are_refused_or_do_everything_again(archive, tmp_path, clean, options, named):
    sources = [archive / "0.jsonl", archive / "6.txt"]
    clean(sources, tmp_path / "out")
    before = results(tmp_path / "out")
    with pytest.raises(UsageError, match=f"with another {named}; --redo"):
        clean(sources, tmp_path / "out", **options)
    assert results(tmp_path / "out") == before
    with pytest.raises(UsageError, match=r"holds 6\.txt of an earlier run"):
        clean(sources[0], tmp_path / "out", redo=True, **options)
    assert clean(sources, tmp_path / "out", redo=True, **options).skipped == 0
    clean(sources, tmp_path / "fresh", **options)
    assert results(tmp_path / "out") == results(tmp_path / "fresh")
    assert clean(sources, tmp_path / "out", **options).skipped == 2


@pytest.mark.parametrize("sidecar", [True, False])
def test_a_folder_holds_texts_or_only_labels(archive, tmp_path, clean, sidecar):
    clean(archive, tmp_path / "out", sidecar=sidecar)
    with pytest.raises(UsageError, match=f"was written with{'' if sidecar else 'out'} --sidecar; name another"):
        clean(archive, tmp_path / "out", sidecar=not sidecar, redo=True)


def test_progress_is_shown_on_a_terminal_alone(archive, tmp_path, clean, monkeypatch):
    pytest.importorskip("tqdm")
    for terminal in (False, True):
        stderr = io.StringIO()
        stderr.isatty = lambda terminal=terminal: terminal
        monkeypatch.setattr(sys, "stderr", stderr)
        clean(archive, tmp_path / str(terminal), progress=True)
        assert ("docs/s, 0% removed, 1 errors" in stderr.getvalue()) is terminal
        assert bool(stderr.getvalue()) is terminal
    stderr.seek(0)
    stderr.truncate()
    clean(archive, tmp_path / "True", progress=True)
    assert "100%" in stderr.getvalue()
    assert ", 0 docs/s, 0% removed, 1 errors" in stderr.getvalue()  # an earlier run did all of it


def test_the_first_failure_ends_a_run_that_is_to_stop(archive, tmp_path, clean):
    with pytest.raises(SourceError, match=r"2\.jsonl, 13: is not a JSON object.*; the run stops there"):
        clean(archive, tmp_path / "out", on_error="stop")
    assert not report_of(tmp_path / "out")["finished"]
    assert not (tmp_path / "out/2.jsonl").exists()
    report = clean(archive, tmp_path / "out")
    assert (report.errors, report.finished) == (1, True)


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"engine": "abacus"}, "unknown engine 'abacus'"),
        ({"ray_address": "auto"}, "of no use to the engine local"),
        ({"on_error": "weep"}, "on_error must be one of skip, stop"),
        ({"workers": 0}, "at least 1"),
        ({"max_characters": 0}, "at least 1"),
        ({"max_nodes": 0}, "at least 1"),
        ({"max_seconds": 0}, "more than 0"),
        ({"keep": "adverts"}, "unknown kind"),
        ({"fields": "body=text"}, "unknown field"),
    ],
    ids=repr,
)
def test_wrong_calls_are_refused_before_anything_is_written(archive, tmp_path, options, refusal):
    with pytest.raises(UsageError, match=refusal):
        clean_archive(archive, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_else_in_it_is_refused(archive, tmp_path, clean):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/0.jsonl").write_text("mine")
    with pytest.raises(UsageError, match="holds something that declutter did not write"):
        clean(archive, tmp_path / "out")
    (tmp_path / "out/run.json").write_text("[]")
    with pytest.raises(UsageError, match="is not the report of a run"):
        clean(archive, tmp_path / "out", redo=True)
    assert (tmp_path / "out/0.jsonl").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_an_error_before_anything_is_cleaned(archive, tmp_path, monkeypatch):
    monkeypatch.setitem(ENGINES, "local", lambda *_: pytest.fail("it ran"))
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        clean_archive(archive, tmp_path / "file/out")


def test_a_shard_that_is_given_up_is_an_error(archive, tmp_path, monkeypatch):
    def giving_up(work, shards, workers):
        while shards:
            shard = shards.popleft()
            yield shard, None if shard.name == "1.jsonl" else work(shard)

    monkeypatch.setitem(ENGINES, "local", giving_up)
    report = clean_archive(archive, tmp_path / "out")
    assert (report.errors, report.records) == (2, 49)
    first = json.loads((tmp_path / "out/errors.jsonl").read_text().splitlines()[0])
    assert (first["file"], first["position"]) == (str(archive / "1.jsonl"), None)
    assert "died three times" in first["reason"]


def test_a_source_that_vanishes_is_an_error(archive, tmp_path, monkeypatch):
    def vanishing(work, shards, workers):
        (archive / "1.jsonl").unlink()
        (archive / "7.txt").unlink()
        return ((shard, work(shard)) for shard in shards)

    monkeypatch.setitem(ENGINES, "local", vanishing)
    assert clean_archive(archive, tmp_path / "out").errors == 3
    errors = [json.loads(line) for line in (tmp_path / "out/errors.jsonl").read_text().splitlines()]
    assert [error["file"] for error in errors] == [str(archive / name) for name in ("1.jsonl", "2.jsonl", "7.txt")]
    assert (errors[0]["position"], errors[0]["reason"]) == (None, "cannot be opened: No such file or directory")
    assert (tmp_path / "out/8.txt").exists()


@pytest.mark.parametrize("together", [1, 2, 64])
def test_files_of_one_document_keep_apart_what_is_judged_together(tmp_path, clean, monkeypatch, together):
    monkeypatch.setattr(shard, "TOGETHER", together)
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.txt").write_text(f"Day {number} was a long one.\nShare this page {number} times\n")
    (folder / "1.txt").write_bytes(gzip.compress(b"Day 1")[:-4])
    real = Declutter.judge

    def faulty(self, sources, urls):
        if any("Day 3" in source.text for source in sources):
            raise ZeroDivisionError("oops")
        return real(self, sources, urls)

    monkeypatch.setattr(Declutter, "judge", faulty)
    report = clean(folder, tmp_path / "out")
    assert (report.records, report.errors) == (4, 2)
    errors = [json.loads(line) for line in (tmp_path / "out/errors.jsonl").read_text().splitlines()]
    assert [Path(error["file"]).name for error in errors] == ["1.txt", "3.txt"]
    assert not (tmp_path / "out/1.txt").exists()
    for number in (0, 2, 4):
        assert (tmp_path / f"out/{number}.txt").read_text().strip() == f"Day {number} was a long one."
        (line,) = (tmp_path / f"out/labels/{number}.txt.jsonl").read_text().splitlines()
        assert [entry["text"] for entry in json.loads(line)["declutter"]["removed"]] == [
            f"Share this page {number} times"
        ]
    assert (tmp_path / "out/3.txt").read_text() == (folder / "3.txt").read_text()


def test_a_full_disk_ends_the_run_and_harms_nothing(archive, tmp_path, clean, monkeypatch):
    clean(archive / "0.jsonl", tmp_path / "out")
    before = results(tmp_path / "out")

    def full(*_):
        raise OSError(28, "No space left on device")

    def filling(work, shards, workers):
        monkeypatch.setattr(os, "fsync", full)
        return ((shard, work(shard)) for shard in shards)

    monkeypatch.setitem(ENGINES, "local", filling)
    with pytest.raises(OSError, match="No space left"):
        clean_archive(archive, tmp_path / "out", threshold=0.0, drop_phrases=["share this"])
    assert results(tmp_path / "out") == before


def test_a_fault_of_declutters_own_costs_one_document(archive, tmp_path, clean, monkeypatch):
    real = shard.clean_document

    def faulty(document, *rest):
        if "\n\n7\n" in document.source.text:
            raise ZeroDivisionError("oops")
        return real(document, *rest)

    monkeypatch.setattr(shard, "clean_document", faulty)
    assert clean(archive, tmp_path / "out").errors == 2
    assert "ZeroDivisionError: oops" in (tmp_path / "out/errors.jsonl").read_text()
    assert [json.loads(line)["n"] for line in (tmp_path / "out/0.jsonl").read_text().splitlines()] == list(range(10))


def test_documents_that_are_judged_together_do_not_fail_together(archive, tmp_path, clean, monkeypatch):
    real = Declutter.judge

    def faulty(self, sources, urls):
        if any("\n\n7\n" in source.text for source in sources):
            raise ZeroDivisionError("oops")
        return real(self, sources, urls)

    clean(archive, tmp_path / "well")
    monkeypatch.setattr(Declutter, "judge", faulty)
    assert clean(archive, tmp_path / "out").errors == 2
    for name in ("0.jsonl", "1.jsonl"):
        lines, well = ((tmp_path / folder / name).read_text().splitlines() for folder in ("out", "well"))
        assert [line for n, line in enumerate(lines) if n != 7] == [line for n, line in enumerate(well) if n != 7]


HELD = """
import os, sys, time
from pathlib import Path

from declutter.archive import clean_archive, shard
from declutter.archive.engines import ENGINES

FOLDER = Path(__file__).parent

class Holding:
    def __init__(self, work):
        self.work = work

    def __call__(self, given):
        real, documents = shard.clean_document, []

        def held(document, *rest):
            documents.append(document)
            if given.name == "3.jsonl" and len(documents) == 3 and (FOLDER / "hold").exists():
                (FOLDER / "hold").replace(FOLDER / "held")
                (FOLDER / "held").write_text(str(os.getpid()))
                time.sleep(600)
            return real(document, *rest)

        shard.clean_document = held
        try:
            return self.work(given)
        finally:
            shard.clean_document = real

if __name__ == "__main__":
    engine = sys.argv[3]
    run = ENGINES[engine]
    ENGINES[engine] = lambda work, *rest: run(Holding(work), *rest)
    clean_archive(sys.argv[1], sys.argv[2], workers=2, engine=engine, part_bytes=int(sys.argv[4]))
"""
"""A run whose first worker to come to the third document of 3.jsonl, or of a part of it, stays there."""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize(("engine", "part_bytes"), [("local", 1 << 20), ("local", 1500), ("ray", 1500)])
@pytest.mark.parametrize("killed", ["driver", "worker"])
def test_a_kill_in_the_middle_of_a_shard_loses_and_doubles_nothing(
    archive, whole, tmp_path, killed, engine, part_bytes
):
    if engine == "ray":
        pytest.importorskip("ray", reason="ray is not installed")
    (tmp_path / "held.py").write_text(HELD)
    (tmp_path / "hold").touch()
    out = tmp_path / "out"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(tmp_path / "held.py"), str(archive), str(out), engine, str(part_bytes)]
    with subprocess.Popen(command, env=environment) as driver:
        while not (worker := (tmp_path / "held").exists() and (tmp_path / "held").read_text()):
            assert driver.poll() is None
            time.sleep(0.01)
        assert [path for path in out.rglob(".*") if path.name.endswith(PART)]
        assert not (out / "3.jsonl").exists()
        os.kill(driver.pid if killed == "driver" else int(worker), signal.SIGKILL)
        code = driver.wait(60)
    if killed == "driver":
        assert code == -signal.SIGKILL
        assert not report_of(out)["finished"]
        assert not (out / "3.jsonl").exists()
        subprocess.run(command, env=environment, check=True)
    else:
        assert code == 0
    assert report_of(out)["finished"]
    assert results(out) == whole
