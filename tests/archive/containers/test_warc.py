"""WARC and WET: pages and texts become JSON lines; damage is counted where it begins."""

import gzip
import io
import json

import pytest

pytest.importorskip("fastwarc")
from fastwarc.warc import WarcRecord, WarcRecordType

from declutter.archive import apply_archive

PAGE = "<html><title>Site</title><body><h1>Bridge é</h1><p>It voted.</p><p>Share this</p></body></html>"


def record(content: bytes, kind=WarcRecordType.response, url: str = "https://e.org/1") -> bytes:
    made = WarcRecord()
    made.init_headers(kind, b"urn:uuid:12345678-1234-1234-1234-123456789012")
    made.headers["WARC-Target-URI"] = url
    made.headers["WARC-Date"] = "2026-01-02T03:04:05Z"
    made.set_bytes_content(content)
    written = io.BytesIO()
    made.write(written)
    return written.getvalue()


def response(body: bytes, headers: str = "Content-Type: text/html; charset=utf-8", **options) -> bytes:
    return record(f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n".encode() + body, **options)


def errors_in(folder):
    return [json.loads(line) for line in (folder / "errors.jsonl").read_text().splitlines()]


def written_in(path):
    raw = path.read_bytes()
    return [json.loads(line) for line in (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode().splitlines()]


def test_pages_and_texts_become_json_lines(clean, tmp_path):
    packed = gzip.compress(PAGE.encode())
    latin = PAGE.encode("latin-1")
    records = [
        record(b"software: test", WarcRecordType.warcinfo),
        record(b"GET / HTTP/1.1\r\n\r\n", WarcRecordType.request),
        response(PAGE.encode()),
        response(b"%PDF-1.4", "Content-Type: application/pdf"),
        response(b"\n"),
        response(PAGE.encode()).replace(b"200 OK", b"404 No"),
        response(packed, "Content-Type: Text/HTML\r\nContent-Encoding: gzip", url="https://e.org/2"),
        response(
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(PAGE.encode()), PAGE.encode()),
            "Content-Type: text/html\r\nTransfer-Encoding: chunked",
        ),
        response(latin, 'Content-Type: text/html; charset="ISO-8859-1"'),
        response(PAGE.encode(), "Content-Type: text/html; charset=iso-8859-1"),
        record("It voted é.\nShare this\n".encode(), WarcRecordType.conversion, "https://e.org/3"),
    ]
    (tmp_path / "a.warc.gz").write_bytes(b"".join(map(gzip.compress, records)))
    report = clean(tmp_path / "a.warc.gz", tmp_path / "out")
    assert (report.records, report.errors) == (6, 0)
    *pages, text = written_in(tmp_path / "out/a.warc.jsonl.gz")
    for page in pages:
        assert list(page) == ["url", "date", "title", "text", "declutter"]
        assert (page["date"], page["title"], page["text"]) == (
            "2026-01-02T03:04:05Z",
            "Bridge é",
            "Bridge é\n\nIt voted.",
        )
    assert [page["url"][-1] for page in pages] == ["1", "2", "1", "1", "1"]
    assert (text["url"], text["title"], text["text"]) == ("https://e.org/3", None, "It voted é.\n")
    apply_archive(tmp_path / "out", tmp_path / "back", undo=True)
    assert [r["text"] for r in written_in(tmp_path / "back/a.warc.jsonl.gz")] == [
        *["Bridge é\n\nIt voted.\n\nShare this"] * 5,
        "It voted é.\nShare this\n",
    ]


def test_labels_beside_an_archive_make_the_same_records(clean, tmp_path):
    (tmp_path / "a.warc").write_bytes(
        response(PAGE.encode())
        + response(b"<title>T</title><p>It voted.<p>Share this", url="https://e.org/2")
        + record(b"One.\nShare this", WarcRecordType.conversion)
    )
    clean(tmp_path / "a.warc", tmp_path / "out", keep_phrases=["voted"], drop_phrases=())
    clean(tmp_path / "a.warc", tmp_path / "beside", sidecar=True)
    assert sorted(p.name for p in (tmp_path / "beside").rglob("*.jsonl") if "state" not in p.parts) == [
        "a.warc.jsonl.jsonl",
        "errors.jsonl",
    ]
    apply_archive(tmp_path / "a.warc", tmp_path / "applied", labels=tmp_path / "beside/labels", keep="content,headline")
    applied, cleaned = (written_in(tmp_path / folder / "a.warc.jsonl") for folder in ("applied", "out"))
    for one, other in zip(applied, cleaned, strict=True):
        del one["declutter"], other["declutter"]
        assert one == other
    assert [found["title"] for found in applied] == ["Bridge é", "T", None]


def test_fields_are_written_under_the_names_that_are_asked_for(clean, tmp_path):
    (tmp_path / "a.wet").write_bytes(record(b"One.\nShare this", WarcRecordType.conversion))
    clean(tmp_path / "a.wet", tmp_path / "out", fields={"text": "body", "url": "link"})
    assert list(written_in(tmp_path / "out/a.wet.jsonl")[0]) == ["link", "date", "title", "body", "declutter"]


GOOD = response(PAGE.encode())


@pytest.mark.parametrize(
    ("raw", "records", "position"),
    [
        (gzip.compress(GOOD) * 3 + gzip.compress(GOOD)[:-40], 3, 4),
        (gzip.compress(GOOD * 3)[:-9], 3, 4),
        (GOOD * 3 + GOOD[:-30], 3, 4),
        (GOOD * 3 + GOOD[:60], 3, 5),
        (GOOD * 3 + b"no record at all " * 20 + GOOD, 3, 4),
        (b"no record at all", 0, 1),
        (GOOD + GOOD.replace(b"Content-Length: ", b"Content-Length: 99"), 1, 2),
    ],
    ids=["gzip member", "gzip data", "cut in a page", "cut in a header", "garbage", "nothing but garbage", "length"],
)
def test_damage_is_an_error_and_what_comes_before_is_cleaned(clean, tmp_path, raw, records, position):
    (tmp_path / "a.warc.gz").write_bytes(raw)
    report = clean(tmp_path / "a.warc.gz", tmp_path / "out")
    assert (report.records, report.errors) == (records, 1)
    assert [error["position"] for error in errors_in(tmp_path / "out")] == [position]
    written = tmp_path / "out/a.warc.jsonl.gz"
    packed = written.read_bytes().startswith(b"\x1f\x8b")
    lines = (gzip.decompress(written.read_bytes()) if packed else written.read_bytes()).splitlines()
    assert len(lines) == records


def test_a_response_that_cannot_be_read_fails_alone(clean, tmp_path):
    broken = response(b"not gzip", "Content-Type: text/html\r\nContent-Encoding: gzip", url="https://e.org/2")
    (tmp_path / "a.warc").write_bytes(GOOD + broken + response(b"<!-- -->") + GOOD)
    report = clean(tmp_path / "a.warc", tmp_path / "out")
    assert (report.records, report.errors) == (4, 2)
    assert [(error["position"], error["url"][-1]) for error in errors_in(tmp_path / "out")] == [(2, "2"), (3, "1")]
    assert [found["text"] for found in written_in(tmp_path / "out/a.warc.jsonl")] == [
        "Bridge é\n\nIt voted.",
        None,
        None,
        "Bridge é\n\nIt voted.",
    ]
