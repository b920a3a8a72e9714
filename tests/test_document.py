"""Documents: a sequence of paragraphs, and what is left of a source when some are stripped."""

import dataclasses
import pickle
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from declutter.document import Document, Reason, Source
from declutter.kinds import LETTERS, SCORED, Kind
from declutter.policy import DEFAULT_KEEP
from declutter.readers.html import read_page
from declutter.readers.text import read_text

PAGE = "<html><head><title>Bridge</title></head><body><div><p>One.</p><p>Two.</p></div><p>Three.</p></body></html>"


def made(source: Source, letters: str, keep=DEFAULT_KEEP) -> Document:
    """A document whose paragraphs are of the kinds that `letters` say (see `KINDS`), without a model."""
    kinds = [LETTERS[letter] for letter in letters]
    probabilities = np.full((len(kinds), len(SCORED)), 0.02, np.float32)
    for row, kind in zip(probabilities, kinds, strict=True):
        row[SCORED.index(Kind.CONTENT if kind is Kind.HEADLINE else kind)] = 0.74
    return Document(
        source, probabilities, kinds, [kind in keep for kind in kinds], {}, [], "zzz" in source.texts, Asked()
    )


class Asked:
    """Stands in for the labeller that a document asks."""

    def explain(self, document, index):
        return [Reason("first", 2), Reason("next", -1)]

    def uncertain(self, document):
        return [kind is Kind.SOCIAL for kind in document.kinds]

    def write(self, document, output):
        return f"{document.text} as {output}"


def made_text(text: str, letters: str, unit: str = "line") -> Document:
    return made(read_text(text, unit), letters)


def test_a_document_is_a_sequence_of_paragraphs():
    document = made_text("a\nb\nc\n", "CAC")
    assert isinstance(document, Sequence)
    assert len(document) == 3
    assert [paragraph.text for paragraph in document] == ["a", "b", "c"]
    assert [paragraph.text for paragraph in reversed(document)] == ["c", "b", "a"]
    assert [document[i].text for i in (0, 2, -1, -3)] == ["a", "c", "c", "a"]
    assert [paragraph.text for paragraph in document[1:]] == ["b", "c"]
    assert [paragraph.text for paragraph in document[::-2]] == ["c", "a"]
    assert document[1] in document
    assert document.index(document[1]) == 1


@pytest.mark.parametrize("index", [3, -4])
def test_an_index_out_of_range_is_an_index_error(index):
    with pytest.raises(IndexError):
        made_text("a\nb\nc", "CCC")[index]


def test_a_document_of_no_paragraphs_has_no_title_or_counts():
    document = made_text(" \n\n ", "")
    assert (len(document), list(document), document[:], document.removed) == (0, [], [], [])
    assert (document.title, dict(document.counts)) == (None, {})
    assert not document.mostly_notice
    with pytest.raises(IndexError):
        document[0]


def test_a_paragraph_tells_its_kind_offsets_probabilities_and_reasons():
    paragraph = made_text("one\n  two  \n", "CA")[1]
    assert (paragraph.text, paragraph.kind, paragraph.keep) == ("two", Kind.APPEAL, False)
    assert (paragraph.start, paragraph.end, paragraph.path, paragraph.block) == (6, 9, None, 0)
    assert list(paragraph.probabilities) == list(SCORED)
    assert paragraph.probability == paragraph.probabilities[Kind.APPEAL] == pytest.approx(0.74)
    assert [str(reason) for reason in paragraph.reasons(1)] == ["first: +2.0"]
    assert len(paragraph.reasons()) == 2


def test_a_paragraph_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        made_text("a", "C")[0].kind = Kind.APPEAL


def test_the_headline_carries_the_probability_of_being_content():
    paragraph = made(read_page("<h1>Bridge mended</h1>"), "H")[0]
    assert paragraph.probability == paragraph.probabilities[Kind.CONTENT]


def test_neighbours_of_one_kind_of_notice_share_a_block():
    document = made_text("\n".join("abcdefgh"), "AACARRPN")
    assert [paragraph.block for paragraph in document] == [0, 0, None, 1, 2, 2, None, 3]


def test_removed_are_the_paragraphs_that_are_not_kept_in_order():
    document = made_text("a\nb\nc\nd", "CAPH")
    assert [paragraph.text for paragraph in document.removed] == ["b", "c"]
    assert [paragraph.keep for paragraph in document] == [True, False, False, True]
    everything = made(document.source, "CAPH", frozenset(Kind))
    assert everything.removed == []


def test_counts_come_in_the_order_of_the_kinds():
    assert list(made_text("a\nb\nc\nd", "ACAB").counts.items()) == [
        (Kind.CONTENT, 1),
        (Kind.BYLINE, 1),
        (Kind.APPEAL, 2),
    ]


def test_the_title_is_the_headline_on_the_page_or_else_the_title_of_the_page():
    headline = "<title>Bridge</title><h1>Bridge mended</h1><p>Text.</p>"
    assert made(read_page(headline), "HC").title == "Bridge mended"
    assert made(read_page(headline), "CC").title == "Bridge"
    assert made(read_page("<p>Text.</p>"), "C").title is None
    assert made_text("Text.", "C").title is None


@pytest.mark.parametrize(
    ("letters", "paywalled"),
    [("CW", True), ("CWC", True), ("CNNNNW", True), ("AW", True), ("CA", False), ("WNCC", False), ("CNNNNNW", False)],
)
def test_a_document_looks_paywalled_where_the_notice_stands_by_the_article_or_in_its_place(letters, paywalled):
    assert made_text("\n".join("abcdefgh"[: len(letters)]), letters).looks_paywalled is paywalled


def test_a_text_is_mostly_notice_where_less_than_a_tenth_of_it_is_article():
    assert made_text("x" * 9 + "\n" + "y" * 91, "CA").mostly_notice
    assert not made_text("x" * 10 + "\n" + "y" * 90, "CA").mostly_notice
    assert not made_text("x\n" + "y" * 99, "CP").mostly_notice


def test_a_page_is_mostly_notice_where_nothing_of_it_is_content_however_long_its_menus_are():
    page = "<h1>Bridge</h1><p>Text.</p><ul>" + "<li>Menu item</li>" * 20 + "</ul>"
    assert not made(read_page(page), "HC" + "N" * 20).mostly_notice
    assert made(read_page(page), "HA" + "N" * 20).mostly_notice


@pytest.mark.parametrize(
    ("text", "letters", "cleaned"),
    [
        ("a\nb\nc\n", "CCC", "a\nb\nc\n"),
        ("\n\n  a\t\n", "C", "\n\n  a\t\n"),
        ("a\nb\nc\n", "CAC", "a\nc\n"),
        ("a\n\nb\nc\n", "CAC", "a\n\nc\n"),  # a blank line on either side stays
        ("a\nb\n\nc\n", "CAC", "a\n\nc\n"),
        ("a\n\nb\n\nc\n", "CAC", "a\n\nc\n"),  # and is not doubled
        ("a\nb\n\n\nc\nd\n", "CAAC", "a\n\n\nd\n"),
        ("a  \n b \n    c\n", "CAC", "a  \n    c\n"),  # the end of a line and the indentation of the next are theirs
        ("a\r\nb\r\n\r\nc", "CAC", "a\r\n\r\nc"),
        ("a\nb", "CA", "a"),  # a text ends as it ended
        ("a\n\nb\n", "CA", "a\n"),
        ("a\nb\nc\n", "CAA", "a\n"),
        ("a\n\n  b\n", "AC", "  b\n"),
        (" \n\n ", "", " \n\n "),  # nothing was stripped
        ("a\nb\n", "AA", ""),
    ],
)
def test_white_space_around_stripped_paragraphs(text, letters, cleaned):
    assert made_text(text, letters).text == cleaned


def test_a_stripped_paragraph_of_several_lines_goes_whole():
    assert made_text("a\nb\n\nc\nd\n\ne\n", "CAC", "block").text == "a\nb\n\ne\n"


lines = st.lists(
    st.tuples(
        st.text(" \t", max_size=2),
        st.text("abé市 ", max_size=4),
        st.sampled_from(["\n", "\n\n", "\r\n", "\r", "\u2028", " \n \n"]),
        st.booleans(),
    ),
    max_size=8,
)


@given(lines)
def test_stripping_neither_joins_nor_rewrites_nor_invents(lines):
    """The cleaned text, read again, is the kept paragraphs; it is a subsequence of the source."""
    text = "".join(indent + words + end for indent, words, end, _ in lines)
    source = read_text(text, "line")
    kept = [keep for _, words, _, keep in lines if words.strip()]
    document = made(source, "".join("C" if keep else "A" for keep in kept))
    assert read_text(document.text, "line").texts == [
        line for line, keep in zip(source.texts, kept, strict=True) if keep
    ]
    rest = iter(text)
    assert all(character in rest for character in document.text)


def test_what_is_left_of_a_page_has_blank_lines_and_of_a_list_line_breaks_between():
    assert made(read_page(PAGE), "CAC").text == "One.\n\nThree."
    assert made(Source("list", ["One.", "Two.", "Three."]), "CAC").text == "One.\nThree."


def test_the_repr_counts_paragraphs():
    assert repr(made_text("a\nb", "CA")) == "<Document of 2 paragraphs, 1 kept>"


@pytest.mark.parametrize(
    "source",
    ["One.\n\nTwo.\n", ["One.", "Two."], PAGE, html.document_fromstring(PAGE), ""],
    ids=["text", "list", "page", "tree", "empty"],
)
def test_a_pickled_document_is_the_same_document(labeller, source):
    document = labeller.label(source, "text" if source == "" else "auto")
    back = pickle.loads(pickle.dumps(document))
    assert list(back) == list(document)
    assert [paragraph.path for paragraph in back] == [paragraph.path for paragraph in document]
    assert back.text == document.text
    assert np.array_equal(back.probabilities, document.probabilities)
    assert [paragraph.reasons() for paragraph in back] == [paragraph.reasons() for paragraph in document]


def test_paths_survive_pickling(labeller):
    back = pickle.loads(pickle.dumps(labeller.label(PAGE)))
    assert [paragraph.path for paragraph in back] == ["/html/body/div/p[1]", "/html/body/div/p[2]", "/html/body/p"]


def test_notices_are_runs_of_one_kind_with_the_confidence_of_their_edges():
    document = made_text("a\nb\nc\nd\ne", "CAASC")
    found = document.notices
    assert [(notice.kind, notice.start, notice.stop) for notice in found] == [(Kind.APPEAL, 1, 3), (Kind.SOCIAL, 3, 4)]
    alike = float((document.probabilities[0] * document.probabilities[1]).sum())
    assert [found[0].begins, found[0].ends] == pytest.approx([1 - alike, 1 - alike])
    assert made_text("a", "A").notices == [(Kind.APPEAL, 0, 1, 1.0, 1.0)]
    assert made_text("", "").notices == made_text("a\nb", "CC").notices == []


def test_the_document_asks_whether_a_paragraph_is_uncertain():
    document = made_text("a\nb", "CS")
    assert [paragraph.uncertain for paragraph in document] == document.uncertain == [False, True]


def test_the_document_carries_how_sure_each_kind_is_and_whether_its_language_is_known():
    document = made_text("a\nb\nc", "CHS")
    assert document.certainties == [paragraph.probability for paragraph in document]
    assert document.certainties == pytest.approx([0.74] * 3)
    assert not document.unfamiliar
    assert pickle.loads(pickle.dumps(made_text("zzz", "C"))).unfamiliar


def test_the_document_asks_for_other_forms_of_what_is_kept():
    document = made_text("a\nb", "CS")
    assert (document.markdown, document.html) == ("a as markdown", "a as html")


@pytest.mark.parametrize(
    ("scripts", "body"),
    [
        (
            ['{"@type": "NewsArticle", "articleBody": "One.\\nTwo &amp; <b>three</b>."}'],
            "One.\nTwo &amp; <b>three</b>.",
        ),
        (['[{"@graph": [{"articleBody": "One."}, {"articleBody": "One, two."}]}]'], "One, two."),
        (['{"articleBody": "One.", }', '{"articleBody": "Two."}'], "Two."),
        (['{"articleBody": "One\nline"}'], "One\nline"),  # a line break that JSON forbids, and pages have
        (['{"articleBody": " ", "text": {"articleBody": ["One."]}}'], None),
        (["[" * 100_000], None),
        ([""], None),
        ([], None),
    ],
)
def test_the_article_in_a_pages_json_ld_is_offered(scripts, body):
    head = "".join(f"<script type='application/LD+json'>{script}</script>" for script in scripts)
    page = f"<html><head>{head}<script>{{'articleBody': 'no'}}</script></head><body><p>Text.</p></body></html>"
    for source in (read_page(page), read_page(html.document_fromstring(page).find(".//p"))):
        document = made(source, "C")
        assert (document.json_ld_body, document.text) == (body, "Text.")
        assert pickle.loads(pickle.dumps(document)).json_ld_body == body


def test_text_and_lists_offer_no_json_ld():
    assert made_text("a", "C").json_ld_body is made(Source("list", ["a"]), "C").json_ld_body is None
