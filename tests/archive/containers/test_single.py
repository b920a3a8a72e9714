"""Files of one document: under their names, in their encoding, with their labels beside them."""

import gzip
import json

import pytest

from declutter.archive import apply_archive

PAGE = "<html><title>Site</title><body><h1>Bridge</h1><p>It voted.</p><p>Share this</p></body></html>"
FILES = {
    "a.txt": b"One.\r\nShare this\r\n\r\nTwo.",
    "sub/latin.txt": "Café “déjà vu”.\nShare this é\n".encode("windows-1252"),
    "sub/only.txt": "Share this é\n".encode("windows-1252"),
    "sub/wide.text": "市議会。\nShare this\n".encode("utf-16"),
    "marked.md": b"\xef\xbb\xbfOne.\nShare this\n",
    "empty.txt": b"",
    "packed.txt.gz": gzip.compress(b"One.\nShare this\n", mtime=0),
    "sub/page.html": PAGE.encode(),
    "sub/page.htm.gz": gzip.compress(PAGE.encode(), mtime=0),
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    return tmp_path / "in"


def files_in(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_round_trip(clean, folder, tmp_path):
    report = clean(folder, tmp_path / "out")
    assert (report.files, report.shards, report.records, report.errors) == (9, 1, 9, 0)
    written = files_in(tmp_path / "out")
    assert written["a.txt"] == b"One.\r\n\r\nTwo."
    assert written["sub/latin.txt"] == "Café “déjà vu”.\n".encode("windows-1252")
    assert written["sub/only.txt"] == b""
    assert written["sub/wide.text"] == "市議会。\n".encode("utf-16")
    assert written["marked.md"] == b"\xef\xbb\xbfOne.\n"
    assert written["empty.txt"] == b""
    assert gzip.decompress(written["packed.txt.gz"]) == b"One.\n"
    assert written["sub/page.html.txt"] == b"Bridge\n\nIt voted."
    assert gzip.decompress(written["sub/page.htm.txt.gz"]) == b"Bridge\n\nIt voted."
    labels = json.loads(written["labels/sub/latin.txt.jsonl"])
    assert (labels["position"], labels["encoding"]) == (1, "windows-1252")
    assert [entry["text"] for entry in labels["declutter"]["removed"]] == ["Share this é"]
    assert apply_archive(tmp_path / "out", tmp_path / "back", undo=True).errors == 0
    restored = files_in(tmp_path / "back")
    for name, content in FILES.items():
        if "page" not in name:
            unpacked = gzip.decompress if name.endswith(".gz") else bytes
            assert unpacked(restored[name]) == unpacked(content), name
    assert restored["sub/page.html.txt"] == b"Bridge\n\nIt voted.\n\nShare this"


def test_a_decision_made_again_can_be_made_again(clean, folder, tmp_path):
    clean(folder, tmp_path / "out")
    assert apply_archive(tmp_path / "out", tmp_path / "all", keep="content,headline").errors == 0
    assert files_in(tmp_path / "all")["sub/page.html.txt"] == b"Bridge\n\nIt voted.\n\nShare this"
    assert apply_archive(tmp_path / "all", tmp_path / "heads", keep="headline").errors == 0
    written = files_in(tmp_path / "heads")
    assert written["sub/page.html.txt"] == b"Bridge"
    assert written["sub/latin.txt"] == b""
    assert apply_archive(tmp_path / "heads", tmp_path / "back", undo=True).errors == 0
    assert files_in(tmp_path / "back")["sub/latin.txt"] == FILES["sub/latin.txt"]


def test_a_sidecar_holds_labels_and_no_text(clean, folder, tmp_path):
    before = files_in(folder)
    clean(folder, tmp_path / "out", sidecar=True)
    assert files_in(folder) == before
    written = {name for name in files_in(tmp_path / "out") if not name.startswith("state/")}
    assert written == {
        "run.json", "errors.jsonl", "survey.json",
        *(f"labels/{name}{'.txt' * ('page' in name)}.jsonl" for name in FILES if name != "sub/page.htm.gz"),
        "labels/sub/page.htm.txt.gz.jsonl",
    }  # fmt: skip
    apply_archive(folder, tmp_path / "applied", labels=tmp_path / "out/labels", drop="content")
    assert files_in(tmp_path / "applied")["sub/page.html.txt"] == b"Bridge"


def test_what_cannot_be_judged_is_counted_and_texts_stay_as_they_are(clean, tmp_path):
    bad = {
        "binary.txt": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe",
        "bare.html": b"<!-- -->",
        "cut.txt.gz": gzip.compress(b"One." * 9000)[:-10],
        "packed.txt": b"\x1f\x8bno gzip",
        "good.txt": b"One.\nShare this",
    }
    (tmp_path / "in").mkdir()
    for name, content in bad.items():
        (tmp_path / "in" / name).write_bytes(content)
    (tmp_path / "in/lost.txt").symlink_to(tmp_path / "nowhere")
    report = clean(tmp_path / "in", tmp_path / "out")
    assert (report.records, report.errors) == (3, 4)
    errors = [json.loads(line) for line in (tmp_path / "out/errors.jsonl").read_text().splitlines()]
    assert [(error["file"].rpartition("/")[2], error["position"]) for error in errors] == [
        ("bare.html", 1), ("binary.txt", 1), ("cut.txt.gz", None), ("packed.txt", None),
    ]  # fmt: skip
    written = files_in(tmp_path / "out")
    assert (written["binary.txt"], written["good.txt"]) == (bad["binary.txt"], b"One.")
    assert not {"cut.txt.gz", "packed.txt", "labels/cut.txt.gz.jsonl"} & set(written)
    assert apply_archive(tmp_path / "out", tmp_path / "back", undo=True).errors == 0
    assert files_in(tmp_path / "back")["binary.txt"] == bad["binary.txt"]


def test_a_file_beyond_the_limit_is_an_error(clean, tmp_path):
    (tmp_path / "long.txt").write_text("x" * 101)
    report = clean(tmp_path / "long.txt", tmp_path / "out", max_characters=100)
    assert report.errors == 1
    assert "has 101 characters, more than the 100 allowed" in (tmp_path / "out/errors.jsonl").read_text()
    assert clean(tmp_path / "long.txt", tmp_path / "more", max_characters=101).errors == 0
