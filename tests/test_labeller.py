"""The whole way from a source to its labels, for any input, whatever the model."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import declutter
from declutter import Declutter, DeclutterError, Document, Kind

ARTICLE = """\
Council votes to mend the old bridge

By Jane Doe

The town council voted by nine to four on Monday evening to repair the old bridge over the river, which has been \
closed to cars since the flood of last autumn tore away a part of its northern pier, and to build a footbridge beside \
it until the work is done; the mayor said that the county would pay half of the cost.

Residents had asked for the repair in three letters, and a hundred of them came to the meeting.

Subscribe to our newsletter and get the best stories in your inbox every morning.
Share this article
© 2024 The Daily. All rights reserved.
"""
PAGE = (
    "<html><head><title>Council votes to mend the old bridge</title></head><body><ul><li><a href=/>Home</a></ul>"
    + "".join(f"<p>{line}</p>" for line in ARTICLE.split("\n") if line)
    + "</body></html>"
)

few = settings(max_examples=25)
characters = st.characters(exclude_categories=())  # half surrogates too
tagged = st.lists(
    st.one_of(
        st.text(characters, max_size=20),
        st.sampled_from(["p", "div", "a", "h1", "ul", "li", "td", "title", "script", "br", "!--"]).flatmap(
            lambda tag: st.sampled_from([f"<{tag}>", f"</{tag}>", f"<{tag} class='x' href=y>"])
        ),
        st.sampled_from(
            ["\n", "\r\n\r\n", "\x00", "-->", "<!doctype html>", "<?xml version='1.0'?>", "&#0;", "&#xD800;"]
        ),
        st.sampled_from(["Subscribe to our newsletter", "The council met on Monday.", "市議会は橋を直す。", "x" * 500]),
    ),
    max_size=20,
).map("".join)
raw = st.one_of(
    st.binary(max_size=100),
    tagged.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.tuples(tagged, st.sampled_from(["utf-16", "windows-1252", "shift_jis", "gb18030"])).map(
        lambda pair: pair[0].encode(pair[1], "replace")
    ),
)
formats = st.sampled_from(["auto", "html", "text"])


def check(document: Document) -> None:
    """What holds of every document."""
    assert len(list(document)) == len(document) == len(document.source.texts) == len(document.probabilities)
    assert all(paragraph.text.strip() for paragraph in document)
    assert np.allclose(document.probabilities.sum(axis=1), 1, atol=1e-4)
    assert (document.probabilities >= 0).all()
    assert isinstance(document.text, str)


@few
@given(source=st.one_of(raw, tagged), format=formats)
def test_any_input_gives_a_document_or_an_error_of_ours(labeller, source, format):
    try:
        document = labeller.label(source, format)
    except DeclutterError:
        return
    check(document)


@few
@given(paragraphs=st.lists(st.text(characters, max_size=30), max_size=6))
def test_any_list_of_paragraphs_gives_as_many_labels(labeller, paragraphs):
    document = labeller.label(paragraphs)
    assert [paragraph.text for paragraph in document] == paragraphs
    assert np.allclose(document.probabilities.sum(axis=1), 1, atol=1e-4)


@few
@given(text=tagged)
def test_cleaning_text_takes_paragraphs_out_and_rewrites_nothing(labeller, text):
    try:
        document = labeller.label(text, "text")
    except DeclutterError:
        return
    rest = iter(text)
    assert all(character in rest for character in document.text)
    position = 0
    for paragraph in document:
        if paragraph.keep:
            position = document.text.index(paragraph.text, position) + len(paragraph.text)


@few
@given(text=tagged)
def test_keeping_every_kind_gives_the_text_back_exactly(labeller, text):
    try:
        cleaned = Declutter(labeller.model, keep=list(Kind)).clean(text, "text")
    except DeclutterError:
        return
    assert cleaned == text


@pytest.mark.parametrize("unit", ["auto", "line", "block"])
def test_keeping_every_kind_gives_an_article_back_exactly(unit):
    for text in (ARTICLE, "\r\n\r\n" + ARTICLE.replace("\n", "\r\n") + "  \t", "\ufeff" + ARTICLE):
        assert declutter.clean(text, keep=list(Kind), unit=unit) == text


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_as_many_labels_as_paragraphs(labeller, count):
    paragraphs = [f"Paragraph {i}." for i in range(count)]
    sources = {"text": "\n".join(paragraphs), "html": "<hr>" + "".join(f"<p>{text}</p>" for text in paragraphs)}
    for format, source in sources.items():
        document = labeller.label(source, format)
        assert [paragraph.text for paragraph in document] == paragraphs
        check(document)
    assert len(labeller.label(paragraphs)) == count


def test_the_obvious_is_seen_in_text_and_on_a_page(labeller):
    """The only test here that asks for a good model."""
    for source in (ARTICLE, PAGE):
        kinds = {paragraph.text[:9]: paragraph.kind for paragraph in labeller.label(source)}
        assert kinds["The town "] is Kind.CONTENT
        assert kinds["Residents"] is Kind.CONTENT
        assert kinds["Subscribe"] not in (Kind.CONTENT, Kind.HEADLINE)
        assert kinds["© 2024 Th"] not in (Kind.CONTENT, Kind.HEADLINE)
    assert labeller.label(PAGE).title == "Council votes to mend the old bridge"


OTHERS = [PAGE, "One line.", ["a", "b"], ARTICLE * 3, "<p>x</p>" * 50, "市議会は橋を直す。\n" * 20]


@pytest.mark.parametrize("source", [ARTICLE, PAGE], ids=["text", "page"])
def test_what_came_before_does_not_change_an_answer(labeller, source):
    first = labeller.label(source)
    for other in OTHERS:
        labeller.label(other).text  # noqa: B018
    again = labeller.label(source)
    assert np.array_equal(again.probabilities, first.probabilities)
    assert list(again) == list(first)
    assert again[0].reasons() == first[0].reasons()
    assert np.array_equal(Declutter().label(source).probabilities, first.probabilities)


LINES = ARTICLE.split("\n\n")
MANY = [*LINES, ARTICLE, PAGE, "", ["Subscribe"], *LINES * 20, ARTICLE * 40, PAGE, PAGE, [], *LINES[::-1]]


def test_many_sources_are_labelled_as_each_one_is(labeller):
    for source, found in zip(MANY, labeller.label_many(MANY, return_exceptions=True), strict=True):
        if source == "":
            assert isinstance(found, DeclutterError)
            continue
        alone = labeller.label(source)
        assert (found.kinds, found.kept, found.text) == (alone.kinds, alone.kept, alone.text)
        assert (found.unfamiliar, found.notes, found.uncertain) == (alone.unfamiliar, alone.notes, alone.uncertain)
        assert np.allclose(found.probabilities, alone.probabilities, atol=1e-5)


def test_the_memory_is_asked_for_the_site_of_each_document():
    crowded = Declutter(memory=Crowd())
    urls = ["https://daily.example/1", None, "https://other.example/1", "https://daily.example/2"]
    known = [document.repetition is not None for document in crowded.label_many([ARTICLE] * 4, urls=urls)]
    assert known == [True, False, False, True]


def test_many_sources_are_read_as_they_are_needed(labeller):
    taken = []

    def endless():
        while True:
            taken.append(len(taken))
            yield ARTICLE

    next(labeller.label_many(endless(), "text"))
    assert 1 < len(taken) <= 1000


def test_a_source_that_cannot_be_read_does_not_cost_the_others(labeller):
    sources = [ARTICLE, b"%PDF-1.7", PAGE]
    found = labeller.label_many(sources)
    assert next(found).text == labeller.clean(ARTICLE)
    with pytest.raises(declutter.SourceError):
        next(found)
    first, error, last = labeller.label_many(sources, return_exceptions=True)
    assert isinstance(error, declutter.SourceError)
    assert (first.text, last.text) == (labeller.clean(ARTICLE), labeller.clean(PAGE))


@pytest.mark.parametrize("addresses", [1, 3])
def test_every_source_has_an_address_or_none_has(labeller, addresses):
    with pytest.raises(ValueError, match="than argument 1"):
        list(labeller.label_many([ARTICLE, PAGE], urls=["https://a.example"] * addresses))


def test_threads_may_share_a_labeller(labeller):
    sources = [ARTICLE, *OTHERS] * 6
    alone = [labeller.label(source) for source in sources]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(labeller.label, sources))
    for expected, found in zip(alone, together, strict=True):
        assert np.array_equal(found.probabilities, expected.probabilities)
        assert found.text == expected.text


def test_a_pickled_labeller_labels_the_same():
    labeller = Declutter(keep="content", threshold=0.3, unit="block")
    back = pickle.loads(pickle.dumps(labeller))
    assert (back.policy, back.unit) == (labeller.policy, labeller.unit)
    assert np.array_equal(back.label(ARTICLE).probabilities, labeller.label(ARTICLE).probabilities)
    assert back.clean(ARTICLE) == labeller.clean(ARTICLE)


def test_twenty_thousand_paragraphs(labeller):
    document = labeller.label("The council met on Monday.\nShare this\n" * 10_000, "text")
    assert len(document) == len(document.source.texts) == 20_000
    assert np.allclose(document.probabilities.sum(axis=1), 1, atol=1e-4)
    everything = Declutter(labeller.model, threshold=0)
    assert everything.clean(document.source.text, "text") == document.source.text


@pytest.mark.parametrize(
    "source", [ARTICLE, PAGE, ["One.", "Two."], "One paragraph alone."], ids=["text", "page", "list", "one"]
)
def test_reasons_come_strongest_first_and_no_more_than_asked_for(labeller, source):
    for paragraph in labeller.label(source):
        everything = paragraph.reasons(1000)
        weights = [abs(reason.weight) for reason in everything]
        assert weights == sorted(weights, reverse=True)
        assert all(reason.text and isinstance(reason.weight, float) for reason in everything)
        assert paragraph.reasons(3) == everything[:3]
        assert paragraph.reasons() == everything[:5]
        assert paragraph.reasons(0) == []


def test_a_threshold_of_0_makes_everything_content_and_of_1_hardly_anything():
    assert set(declutter.label(ARTICLE, threshold=0).counts) == {Kind.CONTENT}
    assert declutter.clean(ARTICLE, threshold=0) == ARTICLE
    assert len(declutter.clean(ARTICLE, threshold=1)) < len(ARTICLE)


def test_keep_and_drop_change_what_is_kept_and_not_what_is_seen():
    default, dropped = declutter.label(ARTICLE), declutter.label(ARTICLE, drop=list(Kind))
    assert dropped.kinds == default.kinds
    assert dropped.text == ""
    assert [paragraph.keep for paragraph in default] == [kind in declutter.DEFAULT_KEEP for kind in default.kinds]
    assert declutter.clean(ARTICLE, keep="content", threshold=0) == ARTICLE
    assert declutter.clean(ARTICLE, drop="content", threshold=0) == ""


def test_the_headline_is_found_whatever_the_scores():
    document = declutter.label(PAGE, threshold=0)
    assert document.counts[Kind.HEADLINE] == 1
    assert document.title == "Council votes to mend the old bridge"
    assert document.title not in declutter.clean(PAGE, drop="headline", threshold=0)


def test_the_more_careful_the_preset_the_more_stays():
    for source in (ARTICLE, PAGE, "\n".join(OTHERS[2])):
        corpus, reading, archive = (
            set(np.flatnonzero(declutter.label(source, preset=p).kept)) for p in declutter.PRESETS
        )
        assert corpus <= reading <= archive


@pytest.mark.parametrize("source", [ARTICLE, PAGE, "Related\nOne more thing\nRead on: the bridge\n" * 9])
def test_uncertain_is_what_the_presets_differ_about(source):
    document = declutter.label(source)
    careful, bold = (declutter.label(source, preset=preset).kept for preset in ("archive", "corpus"))
    assert document.uncertain == [a and not b for a, b in zip(careful, bold, strict=True)]
    assert [paragraph.uncertain for paragraph in document] == document.uncertain


def test_some_paragraphs_are_uncertain_and_presets_differ(labeller, root):
    paths = sorted((root / "corpus/texts").glob("*.jsonl"))[:12]
    texts = [json.loads(line) for path in paths for line in path.read_text("utf-8").rstrip("\n").split("\n")]
    lines = [[line["text"] for line in text["lines"]] for text in texts]
    assert any(any(labeller.label(text).uncertain) for text in lines)
    kept = {
        preset: sum(sum(declutter.label(text, preset=preset).kept) for text in lines) for preset in declutter.PRESETS
    }
    assert kept["corpus"] < kept["reading"] < kept["archive"]


def test_a_budget_holds_and_is_told():
    document = declutter.label("Subscribe to our newsletter\nShare this article\nAll rights reserved", budget=0)
    assert document.text == document.source.text
    assert len(document.notes) == 1
    assert declutter.label(ARTICLE, budget=1).notes == declutter.label(ARTICLE).notes == []


def test_forced_phrases_reach_the_text():
    assert "Share this article" in declutter.clean(ARTICLE, keep_phrases=["share THIS"])
    assert "Residents" not in declutter.clean(ARTICLE, drop_phrases=("residents had",))


def test_a_language_that_was_not_trained_for_is_told(labeller):
    strange = "Xoqlu nzemfi qartul vosbegh drixim palnuq ".strip() + " "
    assert labeller.label(strange * 8).unfamiliar
    assert labeller.label("ꦱꦧꦼꦤ꧀ ꦱꦸꦗꦤ꧀ ꦩꦭꦼꦧꦸ ꦲꦶꦁ " * 10).unfamiliar  # Javanese
    assert not labeller.label(ARTICLE).unfamiliar
    assert not labeller.label("", "text").unfamiliar


def test_the_unit_reaches_the_reader():
    assert len(declutter.label("a\nb\n\nc", unit="line")) == 3
    assert len(declutter.label("a\nb\n\nc", unit="block")) == 2


def test_the_functions_and_the_class_agree(labeller):
    assert list(declutter.label(ARTICLE)) == list(labeller.label(ARTICLE))
    assert declutter.clean(PAGE) == labeller.clean(PAGE) == labeller.label(PAGE).text
    assert declutter.clean(ARTICLE, model=labeller.model) == labeller.clean(ARTICLE)
    assert declutter.clean(ARTICLE, keep=iter(["content"])) == declutter.clean(ARTICLE, keep=["content"])


@pytest.mark.parametrize(
    "options",
    [
        {"keep": "ads"},
        {"drop": ["ads"]},
        {"threshold": 2},
        {"unit": "word"},
        {"format": "pdf"},
        {"preset": "blog"},
        {"budget": -1},
        {"keep_phrases": [""]},
    ],
)
def test_wrong_use_is_told(options):
    with pytest.raises(declutter.UsageError):
        declutter.label(ARTICLE, **options)


def test_a_missing_model_is_told(tmp_path):
    with pytest.raises(declutter.ModelError, match="no model at"):
        declutter.label(ARTICLE, model=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("source", "markdown", "html"),
    [
        (
            "<title>Bridge</title><h2>Bridge</h2><p>It <i>was</i> <a href=/x>mended</a>.</p>",
            "# Bridge\n\nIt _was_ [mended](/x).",
            '<h1>Bridge</h1>\n<p>It <em>was</em> <a href="/x">mended</a>.</p>',
        ),
        (["*One*", "<b>"], "\\*One\\*\n\n\\<b>", "<p>*One*</p>\n<p>&lt;b&gt;</p>"),
        ("One & two.\nThree.\n", "One & two.\n\nThree.", "<p>One &amp; two.</p>\n<p>Three.</p>"),
    ],
    ids=["page", "list", "text"],
)
def test_what_is_kept_comes_as_markdown_and_html(source, markdown, html):
    document = declutter.label(source, threshold=0)
    assert (document.markdown, document.html) == (markdown, html)
    assert declutter.clean(source, threshold=0, output="markdown") == markdown
    assert Declutter(threshold=0).clean(source, output="html") == html
    assert declutter.clean(source, threshold=0, output="text") == document.text


def test_a_page_without_paragraphs_comes_as_nothing():
    for output in ("text", "markdown", "html"):
        assert declutter.clean("<img>", "html", output=output) == ""
    assert declutter.label("<img>", "html").uncertain == []


@pytest.mark.parametrize("output", ["jsonl", "xml", ""])
def test_an_unknown_output_is_refused_before_anything_is_read(output):
    with pytest.raises(declutter.UsageError, match="the outputs are text, markdown, html"):
        declutter.clean(object(), output=output)


@few
@given(st.one_of(tagged, raw), formats)
def test_any_input_that_can_be_labelled_has_every_output(labeller, source, format):
    try:
        document = labeller.label(source, format)
    except DeclutterError:
        return
    assert bool(document.markdown) == bool(document.html) == any(document.kept)


class Crowd:
    """A memory that knows one site, and says that every short paragraph stands in all of its documents."""

    def look_up(self, texts, site):
        found = np.array([200 if len(text) < 120 else 1 for text in texts], np.int64)
        return (found, 200) if site == "daily.example" else (np.zeros_like(found), 0)


@pytest.mark.parametrize("source", [ARTICLE, PAGE])
def test_without_an_address_or_a_site_it_knows_a_memory_has_no_say(source, labeller):
    pytest.importorskip("publicsuffixlist", reason="needs the extra archive")
    plain = labeller.label(source)
    for url in (None, "https://www.nightly.example/1"):
        document = Declutter(memory=Crowd()).label(source, url=url)
        assert document.repetition is None
        assert (document.probabilities == plain.probabilities).all()
    assert plain.repetition is None


@pytest.mark.parametrize("source", [ARTICLE, PAGE])
def test_what_repeats_is_less_likely_article_and_all_else_stays_to_the_bit(source, labeller):
    pytest.importorskip("publicsuffixlist", reason="needs the extra archive")
    plain, document = labeller.label(source), Declutter(memory=Crowd()).label(source, url="https://www.daily.example/1")
    short = np.array([len(paragraph.text) < 120 for paragraph in document])
    assert 0 < short.sum() < len(short)
    assert (document.probabilities[~short] == plain.probabilities[~short]).all()
    assert (document.probabilities[short, 0] < plain.probabilities[short, 0]).all()
    assert document.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert document.repetition.of == 200
    assert (document.repetition.shifts[~short] == 0).all()


def test_reasons_say_in_how_many_documents_a_paragraph_stands(labeller):
    pytest.importorskip("publicsuffixlist", reason="needs the extra archive")
    document = Declutter(memory=Crowd()).label(ARTICLE, url="https://www.daily.example/1")
    before, after = next(
        pair for pair in zip(labeller.label(ARTICLE), document, strict=True) if "letters" in pair[0].text
    )
    assert before.kind is Kind.CONTENT
    assert after.kind in declutter.NOTICES
    reasons = {reason.text: reason.weight for reason in after.reasons(99)}
    assert reasons["stands in 200 of 200 documents of this site"] > 1
    assert not any("documents of this site" in reason.text for reason in before.reasons(99))
    weights = [abs(reason.weight) for reason in after.reasons(99)]
    assert weights == sorted(weights, reverse=True)
    assert not any("documents of this site" in reason.text for reason in document[2].reasons(99))


def test_a_memory_is_a_file_too_and_labelled_documents_can_be_pickled(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra archive")
    pytest.importorskip("publicsuffixlist", reason="needs the extra archive")
    import pyarrow as pa

    from declutter.memory.paragraphs import WHOLE, fingerprints

    line = "Residents of Sandholm read this newspaper since 1912."
    rows = {"fingerprint": [WHOLE, int(fingerprints([line])[0])], "documents": [200, 200], "example": [None, line]}
    schema = [("site", pa.string()), ("fingerprint", pa.uint64()), ("documents", pa.uint32()), ("example", pa.string())]
    table = pa.table({"site": ["daily.example"] * 2, **rows}, schema=pa.schema(schema, {"declutter.memory": "1"}))
    parquet.write_table(table, tmp_path / "memory.parquet")
    text = ARTICLE + line
    options = {"memory": tmp_path / "memory.parquet", "url": "https://www.daily.example/1"}
    assert declutter.clean(text, **options) == declutter.clean(text, drop_phrases=[line])
    document = pickle.loads(pickle.dumps(declutter.label(text, **options)))
    assert document.repetition.documents[-1] == 200
    assert document[-1].reasons(99) == declutter.label(text, **options)[-1].reasons(99)
    with pytest.raises(DeclutterError, match="no memory at"):
        declutter.label(text, memory=tmp_path / "absent", url="https://www.daily.example/1")
