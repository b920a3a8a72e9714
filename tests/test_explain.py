import numpy as np
import pytest

from declutter import explain
from declutter.document import Source
from declutter.explain import reasons
from declutter.features import FEATURES
from declutter.kinds import SCORED, Kind
from declutter.readers.html import read_page

TEXT = """The river rose by two metres overnight, the mayor said on Monday, and the bridge will stay closed.
The water should fall again by the weekend, the agency wrote in a statement on Tuesday morning.
Sign up for our newsletter!
Subscribe
© 2024 Vale Echo. All rights reserved."""
PAGE = """<title>The river rose overnight</title><nav><ul><li><a href=/>Home</a></li></ul></nav><article>
<h1>The river rose overnight</h1><p>The river rose by two metres overnight, the mayor said on Monday.</p>
<div class="newsletter box"><p>Sign up for our newsletter!</p></div></article>"""
MERGED = (
    "the wording of the paragraph itself",
    "the class and id names around it",
    "the first impression of the paragraph",
    "what ",  # ... the paragraphs around look like
)


@pytest.fixture(scope="module")
def documents(labeller):
    return [labeller.label(TEXT, "text"), labeller.label(PAGE, "html")]


def paragraphs(documents):
    return [paragraph for document in documents for paragraph in document]


def test_reasons_are_sorted_by_strength_and_above_noise(documents):
    for paragraph in paragraphs(documents):
        weights = [abs(reason.weight) for reason in paragraph.reasons(1000)]
        assert weights == sorted(weights, reverse=True)
        assert min(weights, default=1) >= 0.05


@pytest.mark.parametrize("count", [0, 1, 3])
def test_at_most_the_number_asked_for_comes_back(documents, count):
    for paragraph in paragraphs(documents):
        some = paragraph.reasons(count)
        assert len(some) <= count
        assert some == paragraph.reasons(1000)[:count]
    assert any(len(paragraph.reasons(count)) == count for paragraph in paragraphs(documents))


def test_every_reason_is_a_sentence_of_the_table_and_stands_once(documents):
    meanings = {feature.meaning for feature in FEATURES}
    for paragraph in paragraphs(documents):
        if paragraph.kind is not Kind.HEADLINE:
            texts = [reason.text for reason in paragraph.reasons(1000)]
            assert len(set(texts)) == len(texts)
            assert all(text in meanings or text.startswith(MERGED) for text in texts)


def test_text_has_no_reason_that_needs_markup(documents):
    markup = {feature.meaning for feature in FEATURES if feature.markup}
    for paragraph in documents[0]:
        assert not {reason.text for reason in paragraph.reasons(1000)} & markup


def test_the_headline_has_its_title_for_a_reason(documents):
    (headline,) = [paragraph for paragraph in documents[1] if paragraph.kind is Kind.HEADLINE]
    (reason,) = headline.reasons()
    assert "title" in reason.text
    assert str(reason) == f"{reason.text}: +1.0"


def test_a_paragraph_alone_in_its_document_differs_in_nothing_from_the_average(labeller):
    assert reasons(labeller.model, Source("list", ["Sign up"]), Kind.SIGNUP, 0) == []


def test_evidence_for_one_of_two_kinds_speaks_against_the_other(labeller):
    """With only two kinds left in the scores, the log-odds of one are those of the other turned round."""
    model = labeller.model
    source = Source("list", TEXT.split("\n"))
    *_, last = model.networks["text"]
    mute = np.full(len(SCORED), -1e4, np.float32)
    mute[[SCORED.index(Kind.CONTENT), SCORED.index(Kind.SIGNUP)]] = 0
    last = type(last)(last.hidden_weights, last.hidden_bias, last.output_weights, last.output_bias + mute)
    model = type(model)(
        model.words,
        model.name_table,
        model.name_scale,
        model.known_words,
        model.networks | {"text": (*model.networks["text"][:-1], last)},
        model.thresholds,
        model.about,
    )
    for_content, for_signup = (reasons(model, source, kind, 2) for kind in (Kind.CONTENT, Kind.SIGNUP))
    assert for_content
    turned = {reason.text: -reason.weight for reason in for_signup}
    assert {reason.text: reason.weight for reason in for_content} == pytest.approx(turned, abs=0.011)


def test_explaining_does_not_change_what_is_explained(labeller, documents):
    page = documents[1]
    before = page.probabilities.copy()
    page[0].reasons()
    again = reasons(labeller.model, read_page(PAGE), page.kinds[0], 0)
    assert page[0].reasons(1000) == again
    assert np.array_equal(page.probabilities, before)


def test_what_a_document_was_judged_by_is_found_once(labeller, monkeypatch):
    found = []
    real = explain.find_grounds
    monkeypatch.setattr(explain, "find_grounds", lambda *given: found.append(given) or real(*given))
    document = labeller.label(TEXT, "text")
    assert not found
    alone = [reasons(labeller.model, document.source, paragraph.kind, i) for i, paragraph in enumerate(document)]
    found.clear()
    assert [paragraph.reasons(1000) for paragraph in document] == alone
    assert len(found) == 1
