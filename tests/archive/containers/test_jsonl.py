"""JSON lines: nothing of a line changes but its text and its labels."""

import contextlib
import gzip
import itertools
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from declutter.archive import apply_archive
from declutter.archive.containers import jsonl
from declutter.archive.containers.jsonl import parse_object
from declutter.errors import UsageError

TEXT = "The council met on Monday.\nShare this\n\n  It voted.\n"
CLEANED = "The council met on Monday.\n\n  It voted.\n"
SPACE = st.sampled_from(["", " ", "\t", "  "])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=5), st.booleans(), SPACE, SPACE)
def test_members_are_those_that_json_finds(record, ascii, before, after):
    dumped = json.dumps(record, ensure_ascii=ascii, separators=(f"{before},{after}", f"{after}:{before}"))
    line = f"{before}{dumped}{after}\n"
    members = parse_object(line)
    assert list(members) == list(record)
    for name, member in members.items():
        assert repr(json.loads(line[member.start : member.end])) == repr(record[name])


@pytest.mark.parametrize(
    "line",
    [
        "[]", "1", "null", '"a"', "{", "}", '{"a"}', '{"a":}', '{"a":1,}', '{,}', '{"a":1 "b":2}', '{"a":1}}', '{"a":1} 2',
        "{1:2}", '{"a":1,,"b":2}', '{"a:1}', "{'a':1}", "", " ", '{"a":1e}', '{"a":01}', '{"a":"\t"}',
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(line):
    with pytest.raises(ValueError, match=r"character|Expecting|Invalid|Unterminated"):
        parse_object(line)
    with contextlib.suppress(ValueError):
        assert not isinstance(json.loads(line), dict)


ODD = [
    '{"id": 7, "text": "%s", "none": null, "deep": {"text": "Share this", "list": [[], {}]}}',
    '{"price": 1.50, "huge": 1e400, "long": 12345678901234567890.123, "many": ' + "9" * 5000 + ', "text": "%s"}',
    '{"text":"%s","a":"caf\u00e9 \U0001f642","b":"\\u00e9\\/"}',
    '{"a" : NaN ,"text"\t: "%s" , "text2": "Share this" }',
    '{"a": 1, "a": 2, "text": "one", "text": "%s"}',
]


def lines_of(text: str) -> list[str]:
    escaped = json.dumps(text)[1:-1]
    return [line.replace("%s", escaped) for line in ODD]


def test_every_other_byte_of_a_line_stays(clean, tmp_path):
    lines = lines_of(TEXT)
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert clean(tmp_path / "a.jsonl", tmp_path / "out").errors == 0
    written = (tmp_path / "out/a.jsonl").read_text(encoding="utf-8").split("\n")
    assert len(written) == len(lines)
    for line, wanted in zip(written, lines_of(CLEANED), strict=True):
        start = line.index(', "declutter": ')
        labels, end = json.JSONDecoder().raw_decode(line, start + len(', "declutter": '))
        assert line[:start] + line[end:] == wanted
        assert labels["removed"][0]["text"] == "Share this"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n \n"])
def test_what_is_restored_is_what_there_was(clean, tmp_path, end):
    whole = "\ufeff" + "\n\n".join(lines_of(TEXT)) + end
    (tmp_path / "a.jsonl").write_bytes(whole.encode())
    clean(tmp_path / "a.jsonl", tmp_path / "out")
    assert (tmp_path / "out/a.jsonl").read_bytes() != whole.encode()
    assert apply_archive(tmp_path / "out", tmp_path / "back", undo=True).errors == 0
    assert (tmp_path / "back/a.jsonl").read_bytes() == whole.encode()


def test_texts_that_hold_anything_survive(clean, tmp_path):
    texts = [
        None,
        "",
        "\n \n",
        "\x00\x1b",
        "\ud800\nshare this",
        "市\u2028share this\u2028会",
        "x" * 300_000 + "\nShare this",
    ]
    lines = [
        json.dumps({"text": text, "n": i}, ensure_ascii=i % 2 < 1 or text == texts[4]) for i, text in enumerate(texts)
    ]
    (tmp_path / "a.jsonl").write_bytes("\n".join(lines).encode())
    assert clean(tmp_path / "a.jsonl", tmp_path / "out").errors == 1
    records = [json.loads(line) for line in (tmp_path / "out/a.jsonl").read_bytes().split(b"\n")]
    assert [record["text"] for record in records] == [*texts[:4], "\ud800", "市\u2028会", "x" * 300_000]
    assert records[3]["declutter"] == {"error": "is binary, not a page or text"}
    assert [list(record) for record in records] == [["text", "n", "declutter"]] * len(texts)
    apply_archive(tmp_path / "out", tmp_path / "back", undo=True)
    assert (tmp_path / "back/a.jsonl").read_bytes() == (tmp_path / "a.jsonl").read_bytes()


def test_labels_are_taken_off_wherever_they_stand(clean, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "One.\\nShare this"}\n')
    clean(tmp_path / "a.jsonl", tmp_path / "out")
    record = json.loads((tmp_path / "out/a.jsonl").read_text())
    moved = [
        {"declutter": record["declutter"], "text": record["text"]},
        {"declutter": record["declutter"], "n": 1, "text": record["text"], "m": 2},
        {"n": 1, "declutter": record["declutter"], "text": record["text"]},
    ]
    (tmp_path / "moved.jsonl").write_text("\n".join(map(json.dumps, moved)))
    assert apply_archive(tmp_path / "moved.jsonl", tmp_path / "back", undo=True).errors == 0
    for line, wanted in zip((tmp_path / "back/moved.jsonl").read_text().splitlines(), moved, strict=True):
        del wanted["declutter"]
        assert line == json.dumps(wanted | {"text": "One.\nShare this"})


def test_broken_lines_are_counted_and_the_others_cleaned(clean, tmp_path):
    good = b'{"text": "One.\\nShare this"}'
    lines = [good, b"{broken", b'{"text": "\xff"}', b"[1]", good, b'{"body": 1}', b'{"text": 5}', b"[" * 100_000, good]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    report = clean(tmp_path / "a.jsonl", tmp_path / "out")
    assert (report.records, report.errors) == (5, 6)
    errors = [json.loads(line) for line in (tmp_path / "out/errors.jsonl").read_text().splitlines()]
    assert [(error["position"], error["reason"].partition(":")[0]) for error in errors] == [
        (2, "is not a JSON object"),
        (3, "is not UTF-8"),
        (4, "is not a JSON object"),
        (6, "has no field 'text'"),
        (7, "its text is of type Number"),
        (8, "is not a JSON object"),
    ]
    assert {error["file"] for error in errors} == {str(tmp_path / "a.jsonl")}
    written = [json.loads(line) for line in (tmp_path / "out/a.jsonl").read_text().splitlines()]
    assert [record.get("text") for record in written] == ["One.", "One.", None, 5, "One."]
    assert written[2]["declutter"] == {"error": "has no field 'text'"}


def test_a_line_beyond_the_limit_is_passed_over(clean, tmp_path, monkeypatch):
    monkeypatch.setattr(jsonl, "RECORD_LIMIT", 100)
    (tmp_path / "a.jsonl").write_text('{"text": "One."}\n{"text": "%s"}\n{"text": "Two."}' % ("x" * 100))
    assert clean(tmp_path / "a.jsonl", tmp_path / "out").errors == 1
    assert "is longer than 100 bytes" in (tmp_path / "out/errors.jsonl").read_text()
    written = [json.loads(line)["text"] for line in (tmp_path / "out/a.jsonl").read_text().splitlines()]
    assert written == ["One.", "Two."]


def test_a_file_that_is_cut_off_gives_what_comes_before(clean, tmp_path):
    numbers = [random.Random(i).getrandbits(4000) for i in range(200)]
    packed = gzip.compress("".join(f'{{"text": "One {n:x}.\\nShare this"}}\n' for n in numbers).encode())
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    report = clean(tmp_path / "a.jsonl.gz", tmp_path / "out")
    assert report.errors == 1
    assert 50 < report.records < 150
    error = json.loads((tmp_path / "out/errors.jsonl").read_text())
    assert error["position"] == report.records + 1
    assert error["reason"] == "is cut off: its compressed data end too early"
    written = gzip.decompress((tmp_path / "out/a.jsonl.gz").read_bytes()).decode().splitlines()
    assert [json.loads(record)["text"] for record in written] == [f"One {n:x}." for n in numbers[: report.records]]


def test_fields_may_have_other_names(clean, tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"body": "One.\\nShare this", "text": "Share this", "link": "https://e.org"}\n{"link": "x"}'
    )
    clean(tmp_path / "a.jsonl", tmp_path / "out", fields="text=body,url=link")
    record = json.loads((tmp_path / "out/a.jsonl").read_text().splitlines()[0])
    assert (record["body"], record["text"]) == ("One.", "Share this")
    assert json.loads((tmp_path / "out/errors.jsonl").read_text())["url"] == "x"
    apply_archive(tmp_path / "out", tmp_path / "back", undo=True)
    assert (tmp_path / "back/a.jsonl").read_text().splitlines()[0] == (tmp_path / "a.jsonl").read_text().splitlines()[0]


def test_what_was_cleaned_is_not_cleaned_again(clean, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "One.\\nShare this"}\n')
    clean(tmp_path / "a.jsonl", tmp_path / "out")
    with (tmp_path / "out/a.jsonl").open("a") as file:
        file.write(
            '{"text": "One.\\nShare this", "declutter": "mine"}\n{"text": "One.", "declutter": {"error": "x"}}\n'
        )
    assert clean(tmp_path / "out/a.jsonl", tmp_path / "twice").errors == 2
    assert "was cleaned before" in (tmp_path / "twice/errors.jsonl").read_text()
    before, after = ((tmp_path / name / "a.jsonl").read_text().splitlines() for name in ("out", "twice"))
    assert after[:2] == before[:2]
    assert json.loads(after[2])["declutter"]["removed"] == []


PAGE = "<title>Site</title><h1>Bridge</h1><p>It <b>voted</b>.</p><p>Share this</p>"


@pytest.mark.parametrize(
    "line",
    [
        '{"body": %s}', '{"n": 1, "body": %s , "m": 1e400 }', '{"body": %s, "declutter": {"error": "x"}}',
        '{ "declutter":{"error":"x"} , "body":%s }',
    ],
)  # fmt: skip
def test_pages_in_a_field_stay_and_their_text_is_added(clean, tmp_path, line):
    given = line % json.dumps(PAGE)
    (tmp_path / "a.jsonl").write_text(f"{given}\n" + line % "null" + "\n")
    assert clean(tmp_path / "a.jsonl", tmp_path / "out", fields="html=body,url=n").errors == 0
    written = (tmp_path / "out/a.jsonl").read_text().splitlines()
    record = json.loads(written[0])
    assert record["text"] == "Bridge\n\nIt voted."
    assert record["body"] == PAGE
    (removed,) = record["declutter"]["removed"]
    assert (removed["start"], removed["end"], removed["text"]) == (19, 29, "Share this")
    assert record["declutter"]["unit"] == "line"
    assert "text" not in json.loads(written[1])
    if "declutter" not in line:
        assert written[0].startswith(given[:-1].rstrip())
    assert apply_archive(tmp_path / "out", tmp_path / "all", keep="content,headline").errors == 0
    again = json.loads((tmp_path / "all/a.jsonl").read_text().splitlines()[0])
    assert again["text"] == "Bridge\n\nIt voted.\n\nShare this"
    assert apply_archive(tmp_path / "all", tmp_path / "back", undo=True).errors == 0
    wanted = line.replace(', "declutter": {"error": "x"}', "").replace(' "declutter":{"error":"x"} , ', "")
    assert (tmp_path / "back/a.jsonl").read_text().splitlines() == [wanted % json.dumps(PAGE), wanted % "null"]


@pytest.mark.parametrize("order", list(itertools.permutations(["body", "text", "declutter", "n"])), ids=" ".join)
def test_the_text_of_a_page_is_taken_off_wherever_it_stands(clean, tmp_path, order):
    (tmp_path / "a.jsonl").write_text(json.dumps({"body": PAGE, "n": 1}))
    clean(tmp_path / "a.jsonl", tmp_path / "out", fields="html=body")
    record = json.loads((tmp_path / "out/a.jsonl").read_text())
    (tmp_path / "out/a.jsonl").write_text(json.dumps({name: record[name] for name in order}))
    assert apply_archive(tmp_path / "out", tmp_path / "back", undo=True).errors == 0
    wanted = {name: record[name] for name in order if name in ("body", "n")}
    assert (tmp_path / "back/a.jsonl").read_text() == json.dumps(wanted)


def test_labels_of_pages_in_a_field_may_stand_apart(clean, tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"body": PAGE, "n": 1}) + "\n")
    assert clean(tmp_path / "a.jsonl", tmp_path / "out", fields="html=body", sidecar=True).errors == 0
    applied = apply_archive(tmp_path / "a.jsonl", tmp_path / "applied", labels=tmp_path / "out/labels", keep="headline")
    assert applied.errors == 0
    record = json.loads((tmp_path / "applied/a.jsonl").read_text())
    assert (list(record), record["text"]) == (["body", "n", "text", "declutter"], "Bridge")


def test_a_field_that_is_there_is_not_overwritten_by_the_text_of_a_page(clean, tmp_path):
    lines = [
        '{"body": "<p>One.", "text": "mine"}',
        '{"text": 1}',
        '{"body": 5}',
        '{"body": "<!-- -->"}',
        '{"body": "<p>One."}',
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    assert clean(tmp_path / "a.jsonl", tmp_path / "out", fields="html=body").errors == 4
    errors = [json.loads(line)["reason"] for line in (tmp_path / "out/errors.jsonl").read_text().splitlines()]
    assert errors[:2] == [
        "has a field 'text' already; name another for the page's text, as in text=clean",
        "has no field 'body'",
    ]
    records = [json.loads(line) for line in (tmp_path / "out/a.jsonl").read_text().splitlines()]
    assert [record.get("text") for record in records] == ["mine", 1, None, None, "One."]
    for fields in ("html=text", "html=body,text=body"):
        with pytest.raises(UsageError, match="cannot take the page's place"):
            clean(tmp_path / "a.jsonl", tmp_path / "other", fields=fields)
