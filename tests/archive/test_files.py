"""Reading through compression, and writing whole or not at all."""

import gzip
import io
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from declutter.archive.files import (
    COMPRESSIONS,
    Reading,
    Replacements,
    bare_name,
    fingerprint,
    needs,
    remove_unfinished,
    replacing,
)
from declutter.errors import MissingExtraError, SourceError


@pytest.mark.parametrize("row", COMPRESSIONS, ids=lambda row: row.suffix)
def test_what_was_compressed_is_read_whatever_its_name(row, tmp_path):
    if row.package:
        pytest.importorskip(row.package)
    content = b"".join(b"line %d\n" % i for i in range(300_000))
    for _ in range(2):
        with replacing(tmp_path / "a.txt", row) as file:
            file.write(content)
        raw = (tmp_path / "a.txt").read_bytes()
        assert raw.startswith(row.magic)
    (tmp_path / "twice").write_bytes(raw + raw)
    with Reading(tmp_path / "twice") as file:
        assert file.compression is row
        assert file.whole(1 << 30) == content * 2
        assert file.tell() == len(content) * 2
    (tmp_path / "cut").write_bytes(raw[: len(raw) * 2 // 3])
    with Reading(tmp_path / "cut") as file:
        lines = file.lines(100)
        assert next(lines) == b"line 0\n"
        with pytest.raises(SourceError, match="cut off"):
            list(lines)
    (tmp_path / "damaged").write_bytes(raw[: len(raw) // 2] + b"no such data" * 9 + raw[len(raw) // 2 :])
    with Reading(tmp_path / "damaged") as file, pytest.raises(SourceError, match=r"cannot be read to its end|cut off"):
        file.whole(1 << 30)


@given(st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line)), st.integers(1, 9), st.booleans())
def test_lines_are_those_of_the_file_and_too_long_ones_are_told(lines, limit, ended):
    file = Reading.__new__(Reading)
    stream = io.BytesIO(b"\n".join(lines) + b"\n" * ended)
    file.read = lambda size: stream.read(5)
    wanted = re.findall(rb"[^\n]*\n|[^\n]+", stream.getvalue())
    assert list(file.lines(limit)) == [None if len(line.removesuffix(b"\n")) > limit else line for line in wanted]


def test_what_cannot_be_opened_or_is_too_long_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="No such file"):
        Reading(tmp_path / "nowhere")
    (tmp_path / "long").write_bytes(b"x" * 11)
    with Reading(tmp_path / "long") as file, pytest.raises(SourceError, match="longer than 10 bytes"):
        file.whole(10)
    with Reading(tmp_path / "long") as file:
        assert file.whole(11) == b"x" * 11
        with pytest.raises(io.UnsupportedOperation):
            file.seek(0)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "sub" / "a"
    with replacing(path) as file:
        file.write(b"old")
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write(b"new")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        assert len(list(path.parent.iterdir())) == 2
    assert path.read_bytes() == b"new"


def test_files_take_their_places_together_or_not_at_all(tmp_path):
    def write(fail):
        with Replacements() as written:
            for name in ("a", "sub/b", "sub/c.gz"):
                with written.file(tmp_path / name, COMPRESSIONS[0] if name.endswith(".gz") else None) as file:
                    file.write(name.encode())
            assert not (tmp_path / "a").exists()
            if fail:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write(fail=True)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []
    write(fail=False)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["a", "b", "c.gz"]
    assert (tmp_path / "a").read_bytes() == b"a"
    assert gzip.decompress((tmp_path / "sub/c.gz").read_bytes()) == b"sub/c.gz"


def test_one_file_that_fails_leaves_those_beside_it(tmp_path):
    with Replacements() as written:
        with written.file(tmp_path / "a") as file:
            file.write(b"a")
        with pytest.raises(ZeroDivisionError), written.file(tmp_path / "b") as file:
            raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_all_files_are_on_the_disk_before_the_first_takes_its_place(tmp_path, monkeypatch):
    done = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: done.append("sync") or sync(handle))
    monkeypatch.setattr(Path, "replace", lambda self, other: done.append("replace") or replace(self, other))
    with Replacements() as written:
        for name in "abc":
            with written.file(tmp_path / name) as file:
                file.write(b"x")
    assert done == ["sync"] * 3 + ["replace"] * 3 + ["sync"] * (os.name == "posix")


def test_what_killed_runs_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("sub/.12-3.part", "sub/mine.part", ".hidden", "a"):
        (tmp_path / name).touch()
    remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [".hidden", "a", "mine.part", "sub"]


def test_a_fingerprint_is_of_contents_and_key(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"same")
    other.write_bytes(b"same")
    assert fingerprint([one], "k") == fingerprint([other], "k")
    found = {fingerprint([one], "k"), fingerprint([one], "j"), fingerprint([one, other], "k"), fingerprint([], "k")}
    found.add(fingerprint([tmp_path / "nowhere"], "k"))
    one.write_bytes(b"sane")
    found |= {fingerprint([one], "k"), fingerprint([one, other], "k"), fingerprint([other, one], "k")}
    assert len(found) == 8


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.jsonl", ("a.jsonl", "")),
        ("a.jsonl.gz", ("a.jsonl", ".gz")),
        ("A.TXT.GZ", ("A.TXT", ".GZ")),
        ("a.zst", ("a", ".zst")),
    ],
)
def test_the_suffix_of_the_compression_is_told_from_the_rest(name, parts):
    assert bare_name(name) == parts


def test_a_missing_package_is_named_with_the_extra():
    needs("gzip", "reading")
    for package in ("no_such_package", "no_such.package"):
        with pytest.raises(MissingExtraError, match=rf"x needs {package}: pip install 'declutter\[archive\]'"):
            needs(package, "x")


def test_gzip_output_says_neither_when_nor_where_it_was_written(tmp_path):
    with replacing(tmp_path / "a.gz", COMPRESSIONS[0]) as file:
        file.write(b"x")
    raw = (tmp_path / "a.gz").read_bytes()
    assert raw[3:8] == bytes(5)
    assert gzip.decompress(raw) == b"x"
