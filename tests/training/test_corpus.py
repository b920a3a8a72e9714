import json
import lzma
from pathlib import Path

import pytest

from declutter.errors import CorpusError
from declutter.kinds import Kind
from declutter.training.corpus import (
    FOLDS,
    PARTS,
    GoldPage,
    Text,
    check,
    fingerprint,
    fold,
    held_out,
    read_labelled,
    read_pages,
    read_references,
    read_strings,
    read_written,
)
from declutter.training.render import line_hash, page_lines

CORPUS = Path(__file__).parents[2] / "corpus"
LONG = "Our reporters stood in the rain for you all week, and we would like to buy them an umbrella or two."


def line(kind, text="Sign up"):
    return {"kind": kind, "text": text}


NOTICE = {
    "id": "notice-en-1",
    "lang": "en",
    "template": "rain",
    "publisher": "Vale Echo",
    "place": "end",
    "lines": [line("appeal", LONG), line("signup")],
}
NEGATIVE = {"id": "negative-en-1", "lang": "en", "template": "gift", "lines": [line("content"), line("byline", "Ann")]}
WHOLE = {
    "id": "text-en-1",
    "lang": "en",
    "template": "flood",
    "publisher": "Hill Post",
    "lines": [line("content"), line("appeal")],
}
LABEL = {"id": "fundus/1", "rendering": "window", "start": 0, "kinds": "CA", "hashes": "0123456789abcdef"}
SMALL = {
    "id": "page-en-1",
    "lang": "en",
    "template": "gone",
    "publisher": "Dale Post",
    "lines": [line("interface", "Not found"), line("navigation", "Home page")],
}
GOOD = {"notices": NOTICE, "negatives": NEGATIVE, "texts": WHOLE, "pages": SMALL, "labels": LABEL}


def write(folder, name, *records):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)
    if path.suffix == ".xz":
        path.write_bytes(lzma.compress(content.encode()))
    else:
        path.write_text(content, "utf-8")


@pytest.fixture
def corpus(tmp_path):
    """A corpus of one good record a part."""
    for part in PARTS:
        write(tmp_path, f"{part}/en.jsonl", GOOD[part])
    write(tmp_path, "labels/fundus.jsonl", LABEL)
    return tmp_path


def file_of(part):
    return f"{part}/{'fundus' if part == 'labels' else 'en'}.jsonl"


def test_a_good_corpus_has_no_faults_and_is_counted(corpus):
    counts, faults = check(corpus)
    assert faults == []
    assert counts == {
        "notices": 1,
        "notices: en": 1,
        "negatives": 1,
        "negatives: en": 1,
        "texts": 1,
        "texts: en": 1,
        "pages": 1,
        "pages: en": 1,
        "labels": 1,
        "labelled lines": 2,
    }


OTHER = NOTICE | {"id": "notice-en-2", "lines": [line("signup")]}


@pytest.mark.parametrize(
    ("part", "record", "words"),
    [
        ("notices", "{", "not JSON"),
        ("notices", [1], "not an object"),
        ("notices", OTHER | {"extra": 1}, "fields"),
        ("notices", {"id": "notice-en-2"}, "fields"),
        ("negatives", NEGATIVE | {"id": "negative-en-2", "publisher": "Hill Post"}, "fields"),
        ("notices", OTHER | {"id": "notice-en-1"}, "id notice-en-1 is used twice"),
        ("notices", OTHER | {"lang": "de"}, "language 'de'"),
        ("notices", OTHER | {"place": "top"}, "place 'top'"),
        ("notices", OTHER | {"template": "snow"}, "publisher 'Vale Echo' stands in two templates"),
        ("notices", OTHER | {"template": "snow", "publisher": "VALE ECHO"}, "stands in two templates"),
        ("notices", OTHER | {"lines": []}, "0 lines"),
        ("notices", OTHER | {"lines": [line("signup")] * 13}, "13 lines"),
        ("texts", WHOLE | {"id": "text-en-2", "lines": []}, "0 lines"),
        ("notices", OTHER | {"lines": [line("signup"), line("spam")]}, "line 2: 'spam' is no kind"),
        ("notices", OTHER | {"lines": [line("signup") | {"note": ""}]}, "line 1: not a kind and a text"),
        ("notices", OTHER | {"lines": [line("signup", "Sign  up")]}, "line 1: white space"),
        ("notices", OTHER | {"lines": [line("signup", " Sign up")]}, "line 1: white space"),
        ("notices", OTHER | {"lines": [line("signup", "")]}, "line 1: white space"),
        ("notices", OTHER | {"lines": [line("content")]}, "line 1: content in a notice"),
        ("negatives", NEGATIVE | {"id": "n-2", "lines": [line("paywall")]}, "line 1: paywall in a hard negative"),
        ("notices", OTHER | {"lines": [line("appeal", LONG)]}, "line 1: the same text stands in notice-en-1"),
        ("labels", {"id": "fundus/2"}, "fields"),
        ("labels", LABEL, "fundus/1 is labelled twice"),
        ("labels", LABEL | {"id": "fundus/2", "kinds": "CX"}, "unknown letters ['X']"),
        ("labels", LABEL | {"id": "fundus/2", "hashes": "0123"}, "not one hash a kind"),
        ("labels", LABEL | {"id": "fundus/2", "hashes": "0123456789ABCDEF"}, "not one hash a kind"),
        ("labels", "{", "not JSON"),
    ],
)
def test_a_broken_record_is_reported_with_file_and_line(corpus, part, record, words):
    write(corpus, file_of(part), GOOD[part], record)
    (fault,) = check(corpus)[1]
    assert fault.startswith(f"{corpus / file_of(part)}:2: ")
    assert words in fault


def test_every_fault_is_reported_not_the_first_only(corpus):
    write(corpus, "notices/en.jsonl", OTHER | {"lang": "de", "place": "top"}, {"id": "x"})
    assert [fault.split(": ")[0].rpartition(":")[2] for fault in check(corpus)[1]] == ["1", "1", "2"]


def test_the_projects_own_corpus_keeps_its_rules():
    counts, faults = check(CORPUS)
    assert faults == []
    assert counts["notices"] >= 900
    assert counts["negatives"] >= 400
    assert sum(name.startswith("notices: ") for name in counts) >= 30


def test_written_records_are_read_as_texts(corpus):
    written = read_written(corpus)
    (notice,) = written.notices
    assert notice == Text(
        "notice-en-1", "en", "rain", "written", "written", (LONG, "Sign up"), (Kind.APPEAL, Kind.SIGNUP), "end"
    )
    assert [text.place for text in (*written.negatives, *written.texts, *written.pages)] == ["", "", ""]


@pytest.mark.parametrize(
    "record",
    [{"id": "x"}, OTHER | {"lines": [line("spam")]}, OTHER | {"lines": None}, OTHER | {"lines": ["text"]}, "{", [1]],
    ids=str,
)
def test_reading_a_broken_record_raises_with_file_and_line(corpus, record):
    write(corpus, "notices/en.jsonl", NOTICE, record)
    with pytest.raises(CorpusError, match=r"en\.jsonl:2: ") as caught:
        read_written(corpus)
    assert "\n" not in str(caught.value)


def test_a_site_belongs_to_the_same_fold_for_ever():
    sites = {"example.org": 1, "vale-echo.example": 0, "bbc.co.uk": 2, "string Sign up": 2}
    assert {site: fold(site) for site in sites} == sites
    assert GoldPage("p", "en", "example.org", "andy", "article", "<p>", "").fold == 1
    assert {fold(f"site{number}") for number in range(50)} == set(range(FOLDS))


@pytest.mark.parametrize(("template", "out"), [("recipe-chickpea-clay", True), ("drought-town-paper-af", False)])
def test_a_template_is_held_out_or_not_for_ever(template, out):
    assert held_out(Text("t", "en", template, "written", "written", (), ())) is out


def test_a_tenth_of_the_templates_is_held_out():
    written = read_written(CORPUS)
    for part in (written.notices, written.negatives, written.texts, written.pages):
        assert 0.05 < sum(map(held_out, part)) / len(part) < 0.15


def test_the_fingerprint_changes_with_names_and_contents_only(corpus, tmp_path_factory):
    before = fingerprint(corpus)
    assert len(before) == 64
    (corpus / "sources.toml").write_text("# no record")
    assert fingerprint(corpus) == before
    (corpus / "notices/en.jsonl").rename(corpus / "notices/de.jsonl")
    renamed = fingerprint(corpus)
    write(corpus, "notices/de.jsonl", OTHER)
    assert len({before, renamed, fingerprint(corpus)}) == 3


def page(**changes):
    return {
        "id": "andy/1",
        "lang": None,
        "site": "a.example",
        "split": "train",
        "gold": "It rained.",
        "html": "<p>It rained.",
    } | changes


def test_pages_of_one_split_are_read_set_after_set(tmp_path):
    write(tmp_path, "andy.jsonl.xz", page(), page(id="andy/2", split="dev"))
    write(tmp_path, "wcxb.jsonl.xz", page(id="wcxb/1", lang="de", site=None, page_type="forum"))
    found = list(read_pages(tmp_path, "train", ("wcxb", "andy")))
    assert found == [
        GoldPage("wcxb/1", "de", "wcxb/1", "wcxb", "forum", "<p>It rained.", "It rained."),
        GoldPage("andy/1", "en", "a.example", "andy", "article", "<p>It rained.", "It rained."),
    ]


def test_labelled_texts_of_one_split_are_read(tmp_path):
    record = {
        "id": "andy/1",
        "lang": "en",
        "site": "a.example",
        "source": "andy",
        "rendering": "window",
        "split": "train",
        "lines": [line("content", "It rained."), line("signup")],
    }
    write(tmp_path, "labelled_texts.jsonl.xz", record, record | {"id": "andy/2", "split": "dev"})
    (found,) = read_labelled(tmp_path, "train")
    kinds = (Kind.CONTENT, Kind.SIGNUP)
    assert found == Text("andy/1", "en", "a.example", "andy", "window", ("It rained.", "Sign up"), kinds, drawn=True)


def test_strings_of_software_without_text_or_kind_are_left_out(tmp_path):
    strings = [("signup", " Sign\nup "), ("signup", " "), ("other", "OK"), ("consent", "Accept")]
    write(tmp_path, "notices.jsonl.xz", *({"kind": kind, "lang": "en", "text": text} for kind, text in strings))
    found = read_strings(tmp_path)
    assert [(text.lines, text.kinds) for text in found] == [
        (("Sign up",), (Kind.SIGNUP,)),
        (("Accept",), (Kind.CONSENT,)),
    ]


def gold_page(markup):
    return {"andy/1": GoldPage("andy/1", "en", "a.example", "andy", "article", markup, "")}


def reference(lines, kinds, start=0):
    hashes = "".join(map(line_hash, lines))
    return {"id": "andy/1", "rendering": "window", "start": start, "kinds": kinds, "hashes": hashes}


def test_labels_by_reference_find_their_lines_again(tmp_path):
    write(tmp_path, "labels/andy.jsonl", reference(["It rained.", "Sign up"], "CN", start=1))
    (found,) = read_references(tmp_path, gold_page("<p>Home<p>It rained.<p>Sign up<p>Imprint"))
    assert (found.lines, found.kinds) == (("It rained.", "Sign up"), (Kind.CONTENT, Kind.SIGNUP))
    assert (found.id, found.site, found.rendering) == ("andy/1", "a.example", "window")


def test_lines_that_changed_since_they_were_labelled_are_left_out(tmp_path):
    write(tmp_path, "labels/andy.jsonl", reference(["It rained.", "Sign up"], "CN"))
    (found,) = read_references(tmp_path, gold_page("<p>It snowed.<p>Sign up"))
    assert found.lines == ("Sign up",)
    assert read_references(tmp_path, gold_page("<p>all is new")) == []
    assert read_references(tmp_path, {}) == []


def test_labels_with_too_few_hashes_are_an_error(tmp_path):
    write(tmp_path, "labels/andy.jsonl", reference(["It rained."], "CN"))
    with pytest.raises(CorpusError, match=r"andy\.jsonl:1: 2 kinds but 1 hashes"):
        read_references(tmp_path, gold_page("<p>It rained."))


def test_the_projects_labels_find_their_lines_on_the_pages_of_the_data_folder(shared):
    labels = (CORPUS / "labels" / "fundus.jsonl").read_text("utf-8").strip().split("\n")
    records = {record["id"]: record for record in map(json.loads, labels)}
    checked = 0
    for found in read_pages(shared / "data", "train", ("fundus",)):
        if (label := records.get(found.id)) is not None:
            lines = page_lines(found.markup)[label["start"] :][: len(label["kinds"])]
            assert "".join(map(line_hash, lines)) == label["hashes"], found.id
            checked += 1
        if checked == 5:
            break
    assert checked == 5
