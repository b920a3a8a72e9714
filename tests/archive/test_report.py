"""The page about a run says what the run did, points to what looks wrong, and shows texts as texts."""

import json
import re

import pytest
from lxml import html

from declutter.archive import apply_archive, report_page
from declutter.archive.report import find_suspects
from declutter.archive.survey import Counts, Survey
from declutter.errors import UsageError

LINES = "The council met on Monday.\nShare this page {n} times\nIt voted to repair the bridge."
HOSTILE = "Share this <script>alert(1)</script> & <b>that</b> \"'`"
HOSTILE_RECORD = {"url": "https://<i>hostile</i>.org/?\"'<script>", "text": f"One.\n{HOSTILE}\nTwo."}


@pytest.fixture
def archive(tmp_path):
    """An archive of three sites; one is emptied, and some lines are broken."""
    lines = [{"url": f"https://www.plain.org/{n}", "text": LINES.format(n=n)} for n in range(12)]
    lines += [{"url": f"https://empty.org/{n}", "text": "Share this"} for n in range(8)]
    lines += [HOSTILE_RECORD]
    lines += [{"url": "javascript:alert(2)", "text": "Two.\nThree."}]
    written = [json.dumps(line) for line in lines]
    (tmp_path / "in.jsonl").write_text("\n".join([*written, "{broken <u>", '{"text": 5}', '{"text": 6}']))
    return tmp_path / "in.jsonl"


def text_of(element) -> str:
    return " ".join(element.text_content().split())


def test_the_page_sums_the_run_up(archive, tmp_path, clean):
    clean(archive, tmp_path / "out")
    page = html.fromstring(report_page(tmp_path / "out"))
    tiles = {text_of(tile[0]): [text_of(part) for part in tile[1:]] for tile in page.cssselect(".tiles div")}
    assert tiles["Documents"] == ["24", "in 1 file"]
    assert tiles["Nothing left of"] == ["8", "documents"]
    assert tiles["Errors"][0] == "3"
    first = [text_of(item) for item in page.get_element_by_id("first").getnext()]
    assert first[:2] == ["3 failures, 12% of the documents.", "Nothing is left of 8 documents, 36% of all."]
    assert first[2] == "One site differs from the rest: empty.org."
    assert first[3].startswith("What was stripped, or kept, in doubt: ")
    rows = [[text_of(cell) for cell in row] for row in page.cssselect("#sites ~ div tbody tr")]
    names = ["plain.org", "empty.org", "<i>hostile<", "javascript:alert(2)", "(no address)"]
    assert [row[:2] for row in rows] == [list(row) for row in zip(names, ["12", "8", "1", "1", "0"], strict=True)]
    assert {row[4] for row in rows} == {"0", "8"}
    (social,) = page.cssselect("#notices ~ details")
    assert "21 paragraphs stripped" in text_of(social.find("summary"))
    frequent = [[text_of(cell) for cell in row] for row in social.cssselect("tbody tr")]
    assert frequent == [["12", "Share this page 0 times", "plain.org"], ["8", "Share this", "empty.org"]]
    failures = [[text_of(cell) for cell in row] for row in page.cssselect("#errors ~ div tbody tr")]
    assert [row[0] for row in failures] == ["2", "1"]
    assert failures[0][1] == "its text is of type Number"
    assert failures[1][2] == f"{archive}, 23"
    settings = {text_of(name): text_of(name.getnext()) for name in page.cssselect(".settings dt")}
    assert settings["drop phrases"] == "share this"
    assert settings["threshold"] == "0.0"


def test_every_entry_of_the_contents_leads_to_a_heading(archive, tmp_path, clean):
    clean(archive, tmp_path / "out")
    page = html.fromstring(report_page(tmp_path / "out"))
    inner = [link.get("href") for link in page.cssselect("a") if link.get("href").startswith("#")]
    assert len(page.cssselect("nav a")) == len(page.cssselect("section h2")) == 8
    for link in inner:
        assert page.get_element_by_id(link[1:]).tag == "h2"


def test_texts_and_addresses_are_shown_and_not_run(archive, tmp_path, clean):
    archive.write_text(
        "\n".join(map(json.dumps, (HOSTILE_RECORD, {"url": "javascript:alert(2)", "text": "Share this"})))
    )
    clean(archive, tmp_path / "out")
    written = report_page(tmp_path / "out")
    page = html.fromstring(written)
    assert len(page.cssselect("script")) == written.count("<script") == 1
    assert not page.cssselect("b, i, u, img, iframe, link")
    assert HOSTILE in [text for paragraph in page.cssselect("blockquote p") if (text := paragraph.text_content())]
    for link in page.cssselect("a"):
        assert re.match("#|https://", link.get("href"))
    assert "javascript:" not in "".join(link.get("href") for link in page.cssselect("a"))


def test_the_same_run_gives_the_same_page_whatever_its_shards(archive, tmp_path, clean):
    lines = archive.read_bytes().split(b"\n")
    (tmp_path / "in").mkdir()
    for i, name in enumerate("abc"):
        (tmp_path / f"in/{name}.jsonl").write_bytes(b"\n".join(lines[i * 8 : i * 8 + 8]) + b"\n")
    pages = []
    for turn in range(2):
        clean(tmp_path / "in", tmp_path / str(turn) / "out")
        report = tmp_path / str(turn) / "out/run.json"
        report.write_text(json.dumps(json.loads(report.read_text()) | {"seconds": 1}))
        pages.append(report_page(tmp_path / str(turn) / "out"))
    assert pages[0] == pages[1]


def test_a_run_without_anything_has_a_page(tmp_path, clean):
    (tmp_path / "empty.jsonl").touch()
    clean(tmp_path / "empty.jsonl", tmp_path / "out")
    page = html.fromstring(report_page(tmp_path / "out"))
    assert "There were none." in text_of(page)
    assert "<" not in page.find("body").find("main").text_content()


def site(removed: int, documents: int = 20, **others) -> Counts:
    """A site of so many percent of stripped characters."""
    return Counts(documents, characters=100 * documents, paragraphs=10 * documents, removed_characters=removed * documents,
                  **{"edges": 2 * documents} | others)  # fmt: skip


def test_sites_that_differ_are_found_with_the_reason():
    usual = {f"{i}.org": site(10 + i % 5) for i in range(20)}
    odd = {
        "much.org": site(80), "emptied.org": site(12, emptied=5), "doubts.org": site(12, uncertain=100),
        "pieces.org": site(12, edges=800), "errors.org": site(12, errors=9), "few.org": site(90, documents=4),
    }  # fmt: skip
    survey = Survey(sites=usual | odd)
    whole = Counts(paragraphs=5200, uncertain=140)
    suspects = {suspect.site: suspect.reasons for suspect in find_suspects(survey, whole)}
    assert suspects == {
        "much.org": ["80% of its characters were stripped; of half of the sites less than 12%"],
        "emptied.org": ["nothing is left of 5 of its 20 documents"],
        "doubts.org": ["50% of its paragraphs are uncertain, 2.7% of all"],
        "pieces.org": ["kept and stripped text meet 40 times in a document, 2 times where that is usual"],
        "errors.org": ["9 of its documents could not be judged"],
    }
    assert find_suspects(survey, whole)[0].site == "doubts.org"
    assert find_suspects(Survey(sites=usual), whole) == find_suspects(Survey(), Counts()) == []
    high = {f"{i}.org": site(50) for i in range(9)} | {"none.org": site(0)}
    (suspect,) = find_suspects(Survey(sites=high), whole)
    assert suspect.reasons == ["0.0% of its characters were stripped; of half of the sites more than 50%"]


def test_a_folder_without_a_run_that_ended_is_refused(archive, tmp_path, clean):
    with pytest.raises(UsageError, match=r"it holds no run\.json"):
        report_page(tmp_path)
    clean(archive, tmp_path / "out")
    apply_archive(tmp_path / "out", tmp_path / "applied", keep="content")
    with pytest.raises(UsageError, match="written by declutter apply"):
        report_page(tmp_path / "applied")
    report = json.loads((tmp_path / "out/run.json").read_text())
    (tmp_path / "out/run.json").write_text(json.dumps(report | {"finished": False}))
    with pytest.raises(UsageError, match="did not come to its end"):
        report_page(tmp_path / "out")
    (tmp_path / "out/run.json").write_text(json.dumps(report))
    (tmp_path / "out/survey.json").write_text("{}")
    with pytest.raises(UsageError, match=r"no survey\.json"):
        report_page(tmp_path / "out")
    (tmp_path / "out/run.json").write_text("[]")
    with pytest.raises(UsageError, match="is not the report of a run"):
        report_page(tmp_path / "out")
