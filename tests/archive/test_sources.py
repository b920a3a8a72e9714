"""What a user names becomes files and shards, or is refused before anything is read."""

import pytest

from declutter.archive.containers import CONTAINERS, container_of, parse_fields, written_name
from declutter.archive.shard import File
from declutter.archive.sources import check_apart, find_files, make_shards, settings_of
from declutter.errors import UsageError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in (
        "b.jsonl",
        "a.txt",
        "sub/c.html",
        "sub/deep/d.txt",
        "sub/e.jsonl.gz",
        "sub/notes.csv",
        ".hidden/f.txt",
        "sub/.g.txt",
    ):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text("x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["in"], ["a.txt", "b.jsonl", "sub/c.html.txt", "sub/deep/d.txt", "sub/e.jsonl.gz"]),
        (["in/sub/e.jsonl.gz"], ["e.jsonl.gz"]),
        (["in/*.txt"], ["a.txt"]),
        (["in/**/*.txt"], ["a.txt", "sub/deep/d.txt"]),
        (["in/s*/*"], ["sub/c.html.txt", "sub/e.jsonl.gz"]),
        (["in/sub", "in/a.txt", "in/sub/c.html"], ["a.txt", "c.html.txt", "deep/d.txt", "e.jsonl.gz"]),
    ],
    ids=repr,
)
def test_files_are_found_under_the_names_they_have_from_where_the_source_begins(folder, sources, names):
    assert [file.name for file in find_files(sources)] == names
    assert all(file.source.is_file() for file in find_files(sources))


@pytest.mark.parametrize(
    ("sources", "refusal"),
    [
        (["nowhere"], "there is no nowhere"),
        (["in/*.parquet"], "holds nothing to clean"),
        (["in/sub/notes.csv"], "is of no kind that declutter knows: .jsonl"),
        ([".hidden"], "there is no .hidden"),
        (["empty"], "holds nothing to clean"),
        (["in", "other"], "would both be written as a.txt"),
    ],
    ids=repr,
)
def test_sources_that_cannot_be_are_refused(folder, sources, refusal):
    (folder / "empty").mkdir()
    (folder / "other").mkdir()
    (folder / "other/a.txt").touch()
    with pytest.raises(UsageError, match=refusal):
        find_files(sources)


@pytest.mark.parametrize(
    ("sources", "out", "refusal"),
    [
        (["in"], "in/out", "lies inside in"),
        (["in"], "in", "lies inside in"),
        (["in/b.jsonl"], "in", "in/b.jsonl lies inside"),
        (["in/sub/e.jsonl.gz"], "in", "e.jsonl.gz lies inside"),
        (["run.json"], "out", "a name that declutter needs"),
        (["reserved"], "out", "a name that declutter needs"),
    ],
    ids=repr,
)
def test_a_run_does_not_write_where_it_reads_or_over_its_own_files(folder, sources, out, refusal):
    (folder / "reserved/labels").mkdir(parents=True)
    (folder / "reserved/labels/a.txt").touch()
    (folder / "run.json").touch()
    with pytest.raises(UsageError, match=refusal):
        check_apart(find_files(sources), sources, folder / out)
    check_apart(find_files(["in"]), ["in"], folder / "out")


def test_of_a_folder_that_declutter_wrote_its_own_files_are_no_sources(folder):
    (folder / "in/labels").mkdir()
    (folder / "in/labels/a.txt.jsonl").touch()
    assert "labels/a.txt.jsonl" in [file.name for file in find_files(["in"])]
    (folder / "in/run.json").write_text('{"settings": {"fields": {}}}')
    names = [file.name for file in find_files(["in"])]
    assert "labels/a.txt.jsonl" not in names
    assert "run.json" not in names
    assert settings_of(folder / "in") == {"fields": {}}
    (folder / "in/run.json").write_text("[]")
    assert settings_of(folder / "in") == {}


def test_files_of_one_document_share_shards(tmp_path, monkeypatch):
    monkeypatch.setattr("declutter.archive.sources._SHARD_FILES", 3)
    monkeypatch.setattr("declutter.archive.sources._SHARD_BYTES", 100)
    files = []
    for name, size in (
        ("a.txt", 1),
        ("b.jsonl", 9),
        ("c.txt", 1),
        ("d.html", 1),
        ("e.txt", 60),
        ("f.txt", 60),
        ("g.txt", 200),
    ):
        (tmp_path / name).write_bytes(b"x" * size)
        files.append(File(tmp_path / name, name, container_of(name)))
    shards = make_shards([*files, File(tmp_path / "nowhere.txt", "nowhere.txt", "text")])
    assert [(shard.name, [file.name for file in shard.files], shard.size) for shard in shards] == [
        ("b.jsonl", ["b.jsonl"], 9),
        ("a.txt", ["a.txt", "c.txt", "d.html"], 3),
        ("e.txt", ["e.txt"], 60),
        ("f.txt", ["f.txt"], 60),
        ("g.txt", ["g.txt"], 200),
        ("nowhere.txt", ["nowhere.txt"], 0),
    ]


def test_every_suffix_speaks_of_one_container():
    suffixes = [suffix for row in CONTAINERS.values() for suffix in row.suffixes]
    assert len(suffixes) == len(set(suffixes))
    for key, row in CONTAINERS.items():
        for suffix in row.suffixes:
            assert container_of(f"a.b{suffix.upper()}") == container_of(f"a{suffix}.gz") == key
    assert container_of("a.csv") is None
    assert container_of("gz") is None


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a.jsonl.gz", "a.jsonl.gz"),
        ("a.warc.wet.gz", "a.warc.wet.jsonl.gz"),
        ("a.html", "a.html.txt"),
        ("A.HTM.zst", "A.HTM.txt.zst"),
    ],
)
def test_what_is_written_in_another_container_says_so(name, written):
    assert written_name(name) == written
    assert container_of(written) is not None


def test_fields_are_given_as_text_or_pairs():
    own = {"text": "text", "url": "url", "date": "date", "title": "title"}
    assert parse_fields(None) == own
    assert parse_fields("text=body, url = link=x") == parse_fields({"text": "body", "url": "link=x"})
    assert parse_fields("text=body") == own | {"text": "body"}
    for wrong, refusal in (
        ("body=text", "unknown field 'body'"),
        ("text", "needs the name"),
        ("text=", "needs the name"),
    ):
        with pytest.raises(UsageError, match=refusal):
            parse_fields(wrong)
