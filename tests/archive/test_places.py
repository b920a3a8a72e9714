"""Archives behind URLs: what fsspec reaches is read and written as local files are, to the same bytes."""

import gzip
import json
import uuid
from pathlib import Path

import pytest

from declutter.archive import apply_archive, clean_archive
from declutter.archive.files import is_local, place, remove_tree, replacing
from declutter.errors import MissingExtraError, UsageError

TEXT = "The council met on Monday.\nShare this\n\n  It voted.\n"


@pytest.fixture
def bucket():
    """A folder in memory that no other test sees."""
    upath = pytest.importorskip("upath", reason="universal-pathlib is not installed")
    return upath.UPath(f"memory://{uuid.uuid4()}")


def fill(folder) -> None:
    lines = b"".join(json.dumps({"n": n, "text": TEXT}).encode() + b"\n" for n in range(9))
    contents = {
        "sub/a.jsonl": lines + b"{broken\n",
        "b.jsonl.gz": gzip.compress(lines, mtime=0),
        "c.txt": TEXT.encode(),
        "d.html": b"<h1>Bridge</h1><p>The council met on Monday.<p>Share this",
        "sub/.hidden.txt": b"x",
    }
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def results(out) -> dict[str, bytes]:
    found = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    return {name: raw for name, raw in found.items() if name.startswith("labels/") or "/state/" not in f"/{name}"}


def test_a_run_in_a_bucket_writes_what_a_run_on_a_disk_writes(bucket, tmp_path, clean):
    fill(bucket / "in")
    fill(tmp_path / "in")
    report = clean(str(bucket / "in"), str(bucket / "out"))
    clean(tmp_path / "in", tmp_path / "out")
    assert (report.files, report.records, report.errors, report.removed) == (4, 20, 1, {"content": 20})
    there, here = results(bucket / "out"), results(tmp_path / "out")
    assert json.loads(there.pop("run.json"))["sources"] == [str(bucket / "in")]
    assert str(bucket / "in/sub/a.jsonl") in there.pop("errors.jsonl").decode()
    assert str(bucket / "in/b.jsonl.gz").encode() in there.pop("survey.json")
    assert there == {name: here[name] for name in here.keys() - {"run.json", "errors.jsonl", "survey.json"}}
    assert "Share" not in there["c.txt"].decode()


def test_what_is_done_in_a_bucket_is_not_done_again_and_can_be_undone(bucket, clean):
    fill(bucket / "in")
    clean(str(bucket / "in"), str(bucket / "out"))
    (bucket / "in/c.txt").write_bytes(b"Other.\nShare this")
    again = clean(str(bucket / "in"), str(bucket / "out"))
    assert (again.shards, again.skipped) == (3, 2)
    assert (bucket / "out/c.txt").read_bytes() == b"Other."
    assert clean(str(bucket / "in"), str(bucket / "out"), redo=True).skipped == 0
    with pytest.raises(UsageError, match="with another policy"):
        clean(str(bucket / "in"), str(bucket / "out"), keep="content")
    apply_archive(str(bucket / "out"), str(bucket / "back"), undo=True)
    broken = (bucket / "in/sub/a.jsonl").read_bytes().removesuffix(b"{broken\n")
    assert (bucket / "back/sub/a.jsonl").read_bytes() == broken
    with pytest.raises(UsageError, match="is not empty"):
        apply_archive(str(bucket / "out"), str(bucket / "back"), undo=True)


def test_parquet_lies_in_a_bucket_too(bucket, clean):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    with replacing(bucket / "in/a.parquet") as file:
        parquet.write_table(pa.table({"text": [TEXT] * 5}), file)
    assert clean(str(bucket / "in"), str(bucket / "out")).records == 5
    with (bucket / "out/a.parquet").open("rb") as file:
        assert parquet.read_table(file).column("text").to_pylist() == [TEXT.replace("Share this\n", "")] * 5


def test_globs_and_folders_of_urls_are_found(bucket, clean):
    fill(bucket / "in")
    assert clean(f"{bucket}/in/s*/*.jsonl", str(bucket / "one")).files == 1
    assert clean(f"{bucket}/in/**/*.jsonl*", str(bucket / "two")).files == 2
    assert (bucket / "two/sub/a.jsonl").exists()
    for source, refusal in (("in/*.warc", "holds nothing to clean"), ("nowhere", "there is no memory://")):
        with pytest.raises(UsageError, match=refusal):
            clean(str(bucket / source), str(bucket / "three"))
    with pytest.raises(UsageError, match="lies inside memory://"):
        clean(str(bucket / "in"), str(bucket / "in/out"))


def test_a_file_in_a_bucket_is_replaced_whole_or_not_at_all(bucket):
    path = bucket / "a"
    with replacing(path) as file:
        file.write(b"old")
        assert not path.exists()
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write(b"new")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    remove_tree(bucket)
    remove_tree(bucket)
    assert not path.exists()


def test_worker_processes_reach_what_lies_behind_a_url(bucket, tmp_path):
    """`local` is fsspec's own way to the disk: memory is not shared among processes."""
    fill(tmp_path / "in")
    source, out = place(f"local://{tmp_path}/in"), place(f"local://{tmp_path}/out")
    assert not is_local(source)
    report = clean_archive(str(source), str(out), workers=2)
    assert (report.files, report.records, report.errors) == (4, 20, 1)
    clean_archive(tmp_path / "in", tmp_path / "local")
    for name in ("sub/a.jsonl", "b.jsonl.gz", "c.txt", "d.html.txt"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "local" / name).read_bytes()


def test_paths_and_file_urls_are_local_and_other_urls_are_told_apart_or_refused(monkeypatch, tmp_path):
    (tmp_path / "a b").mkdir()
    assert place((tmp_path / "a b").as_uri()) == tmp_path / "a b"
    assert place("x/y") == place(Path("x/y")) == Path("x/y")
    pytest.importorskip("upath", reason="universal-pathlib is not installed")
    with pytest.raises(UsageError, match="abacus://x cannot be reached"):
        place("abacus://x")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"to reach s3://x needs upath: pip install 'declutter\[cloud\]'"):
        place("s3://x")
