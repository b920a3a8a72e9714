"""Parquet: every other column comes back as it was, of whatever type, and labels are a column of structures."""

import datetime
import json

import pytest

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet as pq  # noqa: E402

from declutter.archive import apply_archive  # noqa: E402
from declutter.archive.containers import parquet  # noqa: E402
from declutter.archive.labels import restore  # noqa: E402

TEXT = "The council met on Monday.\nShare this\n\n  It voted.\n"
CLEANED = "The council met on Monday.\n\n  It voted.\n"


def odd_table(texts: list[str | None], text_type=None) -> "pa.Table":
    rows = len(texts)
    return pa.table(
        {
            "id": pa.array(range(rows), pa.uint16()),
            "when": pa.array([datetime.datetime(2026, 1, 2, 3, 4, 5, 6)] * rows, pa.timestamp("us", "Europe/Oslo")),
            "deep": [{"list": [{"a": None}, {"a": 1}], "text": "Share this"}] * rows,
            "text": pa.array(texts, text_type or pa.string()),
            "raw": pa.array([b"\xff\x00", None] * (rows // 2) + [b""] * (rows % 2)),
            "word": pa.array(["a", "b"] * (rows // 2) + ["a"] * (rows % 2)).dictionary_encode(),
            "price": pa.array([None] * rows, pa.decimal128(20, 3)),
            "nothing": pa.nulls(rows),
        },
        metadata={"made by": "a test"},
    )


TEXTS = [TEXT, None, "", "市会\u2028share this\u2028.", "One.\n" * 2000 + "Share this"] * 30


@pytest.mark.parametrize("text_type", ["string", "large_string"])
def test_round_trip(clean, tmp_path, monkeypatch, text_type):
    monkeypatch.setattr(parquet, "_GROUP", 100_000)
    table = odd_table(TEXTS, getattr(pa, text_type)())
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=70, compression="zstd")
    assert clean(tmp_path / "a.parquet", tmp_path / "out").errors == 0
    written = pq.read_table(tmp_path / "out/a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert written.column_names == [*table.column_names, "declutter"]
    assert written.drop(["text", "declutter"]).equals(table.drop("text"), check_metadata=True)
    assert written.column("text").to_pylist()[:4] == [CLEANED, None, "", "市会\u2028."]
    for text, cleaned, labels in zip(
        TEXTS, *(written.column(n).to_pylist() for n in ("text", "declutter")), strict=True
    ):
        assert restore(cleaned or "", labels) == (text or "")
    assert pq.ParquetFile(tmp_path / "out/a.parquet").num_row_groups > 1
    assert pq.ParquetFile(tmp_path / "out/a.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    apply_archive(tmp_path / "out", tmp_path / "back", undo=True)
    assert pq.read_table(tmp_path / "back/a.parquet").equals(table, check_metadata=True)


def test_labels_can_be_asked_for_by_their_fields(clean, tmp_path):
    pq.write_table(odd_table([TEXT, None]), tmp_path / "a.parquet")
    clean(tmp_path / "a.parquet", tmp_path / "out", keep_phrases=["voted"])
    labels = pq.read_table(tmp_path / "out/a.parquet").column("declutter").to_pylist()
    assert [(e["start"], e["end"], e["kind"], e["text"]) for e in labels[0]["removed"]] == [
        (27, 37, "content", "Share this")
    ]
    assert labels[0]["removed"][0]["probability"] is not None
    assert (labels[0]["counts"], labels[1]["counts"]) == ([("content", 3)], [])
    assert labels[0]["policy"]["keep"] == ["content", "headline"]
    assert labels[0]["policy"]["keep_phrases"] == ["voted"]
    assert labels[0]["policy"]["budget"] is None
    assert labels[0]["error"] is None


def test_a_decision_can_be_made_again(clean, tmp_path):
    pq.write_table(odd_table([TEXT, None, "x" * 50]), tmp_path / "a.parquet")
    clean(tmp_path / "a.parquet", tmp_path / "out", max_characters=len(TEXT) - 1)
    assert apply_archive(tmp_path / "out", tmp_path / "again", keep="content").errors == 0
    written = pq.read_table(tmp_path / "again/a.parquet").to_pylist()
    assert [row["text"] for row in written] == [TEXT, None, "x" * 50]
    assert [row["declutter"]["error"] is None for row in written] == [False, True, True]
    assert written[1]["declutter"]["policy"]["keep"] == ["content"]


def test_what_was_cleaned_is_not_cleaned_again(clean, tmp_path):
    pq.write_table(odd_table([TEXT, None, "x" * 50]), tmp_path / "a.parquet")
    clean(tmp_path / "a.parquet", tmp_path / "out", max_characters=len(TEXT) - 1)
    assert clean(tmp_path / "out/a.parquet", tmp_path / "twice").errors == 2
    first, second = (pq.read_table(tmp_path / folder / "a.parquet").to_pylist() for folder in ("out", "twice"))
    assert second[1:] == first[1:]
    assert (second[0]["text"], second[0]["declutter"]["error"]) == (CLEANED, None)


def test_a_text_that_is_not_utf_8_fails_alone(clean, tmp_path):
    good, bad = b"One.\nShare this", b"Two \xff.\nShare this"
    offsets = pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, len(good), len(good) + len(bad))))
    column = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(good + bad))
    pq.write_table(pa.table({"text": column, "url": ["https://e.org/1", "https://e.org/2"]}), tmp_path / "a.parquet")
    report = clean(tmp_path / "a.parquet", tmp_path / "out")
    assert (report.records, report.errors) == (2, 1)
    error = json.loads((tmp_path / "out/errors.jsonl").read_text())
    assert (error["position"], error["url"]) == (2, "https://e.org/2")
    assert error["reason"].startswith("is not UTF-8")
    written = pq.read_table(tmp_path / "out/a.parquet").column("text").combine_chunks()
    assert written[0].as_py() == "One."
    assert written[1].as_buffer().to_pybytes() == bad


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"body": ["x"]}, "has no field 'text'; its columns are body"),
        ({"text": [1]}, "column 'text' is of type int64, not text"),
        ({"text": [["x"]]}, "column 'text' is of type list"),
        ({"text": ["x"], "declutter": ["mine"]}, "has a column 'declutter' of its own"),
    ],
    ids=repr,
)
def test_a_table_of_another_schema_is_an_error(clean, tmp_path, columns, reason):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    report = clean(tmp_path / "a.parquet", tmp_path / "out")
    assert (report.records, report.errors) == (0, 1)
    error = json.loads((tmp_path / "out/errors.jsonl").read_text())
    assert error["position"] is None
    assert error["reason"].startswith(reason)
    assert not (tmp_path / "out/a.parquet").exists()


def test_damage_is_an_error_where_it_begins(clean, tmp_path):
    pq.write_table(odd_table([f"x{i}\nShare this" for i in range(1000)]), tmp_path / "a.parquet", row_group_size=500)
    raw = bytearray((tmp_path / "a.parquet").read_bytes())
    at = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(1).column(3).data_page_offset
    raw[at : at + 20] = b"\xff" * 20
    (tmp_path / "a.parquet").write_bytes(raw)
    report = clean(tmp_path / "a.parquet", tmp_path / "out")
    assert report.errors == 1
    error = json.loads((tmp_path / "out/errors.jsonl").read_text())
    assert error["position"] == report.records + 1
    assert "cannot be read, nor what follows" in error["reason"]
    assert pq.read_table(tmp_path / "out/a.parquet").num_rows == report.records
    (tmp_path / "b.parquet").write_bytes(raw[:-9])
    assert clean(tmp_path / "b.parquet", tmp_path / "out2").errors == 1
    assert "cannot be read as Parquet" in (tmp_path / "out2/errors.jsonl").read_text()


PAGE = "<title>Site</title><h1>Bridge</h1><p>It voted.</p><p>Share this</p>"


@pytest.mark.parametrize("page_type", ["string", "large_string", "binary", "large_binary"])
def test_pages_in_a_column_stay_and_their_text_is_added(clean, tmp_path, page_type):
    pages = pa.array([PAGE, None, "<!-- -->"], getattr(pa, page_type)())
    table = pa.table({"body": pages, "n": [1, 2, 3]}, metadata={"made by": "a test"})
    pq.write_table(table, tmp_path / "a.parquet")
    assert clean(tmp_path / "a.parquet", tmp_path / "out", fields="html=body,text=clean").errors == 1
    written = pq.read_table(tmp_path / "out/a.parquet")
    assert written.column_names == ["body", "n", "clean", "declutter"]
    assert written.select(["body", "n"]).equals(table, check_metadata=True)
    assert written.column("clean").to_pylist() == ["Bridge\n\nIt voted.", None, None]
    labels = written.column("declutter").to_pylist()
    assert [entry["text"] for entry in labels[0]["removed"]] == ["Share this"]
    assert (labels[1]["error"], labels[1]["removed"]) == (None, [])
    assert labels[2]["error"].startswith("cannot be read as a page")
    assert apply_archive(tmp_path / "out", tmp_path / "heads", keep="headline").errors == 0
    assert pq.read_table(tmp_path / "heads/a.parquet").column("clean").to_pylist() == ["Bridge", None, None]
    assert apply_archive(tmp_path / "heads", tmp_path / "back", undo=True).errors == 0
    assert pq.read_table(tmp_path / "back/a.parquet").equals(table, check_metadata=True)


def test_a_column_that_is_there_is_not_overwritten_by_the_text_of_a_page(clean, tmp_path):
    pq.write_table(pa.table({"body": [PAGE], "text": ["mine"]}), tmp_path / "a.parquet")
    assert clean(tmp_path / "a.parquet", tmp_path / "out", fields="html=body").errors == 1
    assert "has a field 'text' already; name another" in (tmp_path / "out/errors.jsonl").read_text()
    pq.write_table(pa.table({"body": [PAGE.encode()]}), tmp_path / "b.parquet")
    assert clean(tmp_path / "b.parquet", tmp_path / "bytes", fields="text=body").errors == 1
    assert "is of type binary, not text" in (tmp_path / "bytes/errors.jsonl").read_text()
