"""What is kept: combinations of --keep and --drop, and thresholds."""

import itertools

import numpy as np
import pytest

from declutter.errors import UsageError
from declutter.kinds import NOTICES, SCORED, Kind
from declutter.policy import (
    ARTICLE,
    DEFAULT_KEEP,
    LIKELY,
    PRESETS,
    SENTENCE,
    SHORT,
    Policy,
    Thresholds,
    decide,
    expected_f,
    holds_article,
    make_policy,
)


@pytest.mark.parametrize(
    ("keep", "drop", "expected"),
    [
        (None, None, DEFAULT_KEEP),
        ("content", None, {Kind.CONTENT}),
        (["content", Kind.CAPTION], None, {Kind.CONTENT, Kind.CAPTION}),
        (None, "appeal,paywall", set(Kind) - {Kind.APPEAL, Kind.PAYWALL}),
        ("content,headline,caption", "headline", {Kind.CONTENT, Kind.CAPTION}),
        ("content", "appeal", {Kind.CONTENT}),
        (None, [], set(Kind)),
        ([], None, set()),
    ],
)
def test_keep_and_drop_combine(keep, drop, expected):
    assert make_policy(keep, drop).keep == expected


def test_by_default_content_and_headline_stay_under_the_models_own_thresholds():
    assert make_policy() == Policy(frozenset({Kind.CONTENT, Kind.HEADLINE}), None)


@pytest.mark.parametrize("threshold", [0, 0.0, 0.5, 1])
def test_a_threshold_holds_for_every_paragraph(threshold):
    assert make_policy(threshold=threshold).thresholds == Thresholds(threshold, threshold, threshold)


@pytest.mark.parametrize("threshold", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_threshold_outside_0_to_1_is_refused(threshold):
    with pytest.raises(UsageError, match="between 0 and 1"):
        make_policy(threshold=threshold)


@pytest.mark.parametrize("option", ["keep", "drop"])
def test_an_unknown_kind_is_refused_in_either_option(option):
    with pytest.raises(UsageError, match="unknown kind 'adverts'"):
        make_policy(**{option: "adverts"})


@pytest.mark.parametrize(
    ("other", "length", "content", "keeps"),
    [
        (Kind.APPEAL, SHORT - 1, 0.6, True),
        (Kind.APPEAL, SHORT - 1, 0.59, False),
        (Kind.APPEAL, SHORT, 0.3, True),
        (Kind.APPEAL, SHORT, 0.29, False),
        (Kind.CAPTION, SHORT - 1, 0.15, True),
        (Kind.BYLINE, SHORT, 0.14, False),
    ],
)
def test_the_threshold_depends_on_length_and_on_the_likeliest_other_kind(other, length, content, keeps):
    probabilities = np.zeros((1, len(SCORED)))
    probabilities[0, 0] = content
    probabilities[0, SCORED.index(other)] = 1 - content
    assert Thresholds(0.6, 0.3, 0.15).keeps(probabilities, np.array([length])).tolist() == [keeps]


def test_a_lower_threshold_keeps_all_that_a_higher_one_keeps():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(len(SCORED)) / 4, 500)
    lengths = np.arange(500)
    kept = [Thresholds(short, short / 2, short / 4).keeps(probabilities, lengths) for short in (0.0, 0.2, 0.5, 0.9)]
    assert kept[0].all()
    assert all((more | ~fewer).all() and more.sum() > fewer.sum() for more, fewer in itertools.pairwise(kept))


def test_thresholds_are_scaled_each_by_the_same_factor():
    assert Thresholds(0.6, 0.4, 0.2).scaled(0.5) == Thresholds(0.3, 0.2, 0.1)


HALF = Thresholds.even(0.5)
TEXTS = ["The council met and voted on the bridge. " * 4, "Give now", "x" * 40, "Share this"]


def judged(*content, other=Kind.APPEAL):
    probabilities = np.zeros((len(content), len(SCORED)))
    probabilities[:, 0] = content
    probabilities[:, SCORED.index(other)] = 1 - probabilities[:, 0]
    return probabilities


def best_f(content, lengths, recall):
    """The best expected F score over all ways to keep some paragraphs, found by trying them all."""
    whole = content @ lengths
    scores = []
    for kept in itertools.product((False, True), repeat=len(content)):
        if any(kept):
            chosen = np.array(kept)
            hits = (content * lengths)[chosen].sum()
            scores.append((1 + recall) * hits / (lengths[chosen].sum() + recall * whole))
    return max(scores)


@pytest.mark.parametrize("recall", [0.5, 1.0, 4.0])
def test_the_expected_f_score_is_that_of_the_best_choice_and_what_reaches_its_threshold_is_that_choice(recall):
    random = np.random.default_rng(3)
    for _ in range(20):
        content, lengths = random.random(8), random.integers(1, 400, 8)
        best = expected_f(judged(*content), lengths, recall)
        assert best == pytest.approx(best_f(content, lengths, recall))
        kept = content >= best / (1 + recall)
        hits = (content * lengths)[kept].sum()
        assert (1 + recall) * hits / (lengths[kept].sum() + recall * content @ lengths) == pytest.approx(best)


def test_where_it_is_clear_what_is_article_the_expected_f_score_is_one():
    assert expected_f(judged(1, 1, 0, 0), np.array([90, 400, 30, 5]), 1.0) == pytest.approx(1)
    assert expected_f(judged(0.2, 0.1), np.array([90, 400]), 1.0) < 0.5


def test_a_decision_is_kinds_and_what_the_policy_keeps_of_them():
    decision = decide(make_policy(keep="content,headline"), HALF, TEXTS, judged(0.9, 0.1, 0.6, 0.2), headline=1)
    assert decision.kinds == [Kind.CONTENT, Kind.HEADLINE, Kind.CONTENT, Kind.APPEAL]
    assert decision.kept == [True, True, True, False]
    assert decision.notes == []


def test_a_budget_puts_the_likeliest_article_back_and_says_so():
    decision = decide(make_policy(budget=0.1), HALF, TEXTS, judged(0.9, 0.1, 0.4, 0.2))
    assert decision.kinds[2] is Kind.APPEAL
    assert decision.kept == [True, False, True, False]
    assert list(decision.forced) == [2]
    assert "would take 26.1% of the characters; to stay within 10.0%, 1 paragraph" in decision.notes[0]
    assert decide(make_policy(budget=0), HALF, TEXTS, judged(0.1, 0.1, 0.4, 0.2)).kept == [True] * 4


def test_within_the_budget_nothing_changes_and_nothing_is_said():
    assert decide(make_policy(budget=0.1), HALF, TEXTS, judged(0.9, 0.1, 0.9, 0.2)) == (
        [Kind.CONTENT, Kind.APPEAL, Kind.CONTENT, Kind.APPEAL],
        [True, False, True, False],
        {},
        [],
    )


def test_with_a_budget_the_lead_does_not_go_without_a_word():
    decision = decide(make_policy(budget=1), HALF, TEXTS, judged(0.1, 0.1, 0.9, 0.9))
    assert decision.kept[0] is False
    assert "the first long paragraph goes, as appeal" in decision.notes[0]
    assert "0.10" in decision.notes[0]


def test_phrases_overrule_kinds_in_any_case_and_across_line_breaks():
    policy = make_policy(keep_phrases=["SHARE  this"], drop_phrases=["Bridge", "share this", "xx"])
    texts = [*TEXTS[:3], "Share\nthis"]
    decision = decide(policy, HALF, texts, judged(0.9, 0.9, 0.9, 0.2))
    assert decision.kept == [False, True, False, True]
    assert decision.forced[0] == "it holds 'bridge', which is to be stripped"
    assert decision.forced[3] == "it holds 'share this', which is to be kept"
    assert make_policy(keep_phrases="Straße").keep_phrases == ("strasse",)


def test_what_phrases_keep_does_not_count_against_the_budget():
    policy = make_policy(budget=0.1, keep_phrases="xx")
    decision = decide(policy, HALF, TEXTS, judged(0.9, 0.1, 0.1, 0.2))
    assert decision.kept == [True, False, True, False]
    assert decision.notes == []


def test_what_phrases_strip_is_not_put_back_and_told_where_it_breaks_the_budget():
    decision = decide(make_policy(budget=0.1, drop_phrases="xx"), HALF, TEXTS, judged(0.9, 0.1, 0.9, 0.2))
    assert decision.kept == [True, True, False, True]
    assert "2 paragraphs likeliest to be article were put back" in decision.notes[0]
    assert decision.notes[1] == "the phrases to strip take 18.0% of the characters, more than 10.0%"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"preset": "blog"}, "unknown preset 'blog'; there are corpus, reading, archive"),
        ({"budget": 1.5}, "budget must lie between 0 and 1"),
        ({"budget": float("nan")}, "budget must lie between 0 and 1"),
        ({"keep_phrases": [" "]}, "must be a text that is not empty"),
        ({"drop_phrases": ""}, "must be a text that is not empty"),
        ({"drop_phrases": [1]}, "must be a text that is not empty"),
        ({"budget": "0.5"}, "budget must lie between 0 and 1"),
    ],
)
def test_what_makes_no_policy_is_told(options, told):
    with pytest.raises(UsageError, match=told):
        make_policy(**options)


def test_presets_go_from_bold_to_careful():
    losses = [preset.content_loss for preset in PRESETS.values()]
    assert losses == sorted(losses, reverse=True)
    assert list(PRESETS) == ["corpus", "reading", "archive"]


FORM = ["Sign in", "E-mail", "No account yet?", "Terms"]


def holds(texts, content, recall=1.0):
    return holds_article(texts, np.array(content), np.array([len(text) for text in texts]), recall)


def test_a_page_holds_an_article_where_some_paragraph_is_likely_to_be_a_sentence_of_it():
    assert holds(["x" * SENTENCE, "menu"], [1.0, 0.0])
    assert not holds(["x" * (SENTENCE - 1), "menu"], [1.0, 0.0])
    assert not holds(["x" * SENTENCE, "menu"], [0.9, 0.0])
    assert holds(["x" * 2 * SENTENCE, "menu"], [0.5, 0.0])


def test_letters_of_east_asia_count_twice():
    assert holds(["海" * (SENTENCE // 2)], [1.0])
    assert holds(["항" * (SENTENCE // 2)], [1.0])
    assert not holds(["ж" * (SENTENCE // 2)], [1.0])


def test_many_short_pieces_are_an_article_unless_they_are_unlikely_ones():
    assert holds(["x" * 30] * (ARTICLE // 30), [1.0] * (ARTICLE // 30))
    assert not holds(["x" * 30] * (ARTICLE // 30 - 1), [1.0] * (ARTICLE // 30 - 1))
    assert not holds(["x" * 30] * ARTICLE, [LIKELY - 0.01] * ARTICLE)


def test_the_archive_preset_keeps_pages_in_doubt():
    texts = ["x" * (SENTENCE - 1)]
    assert not holds(texts, [0.5], PRESETS["reading"].recall)
    assert not holds(texts, [0.5], PRESETS["corpus"].recall)
    assert holds(texts, [0.5], PRESETS["archive"].recall)


def test_a_page_without_an_article_is_notices_throughout_and_its_headline_is_none():
    decision = decide(make_policy(), HALF, FORM, judged(0.9, 0.1, 0.6, 0.2), page=True, headline=0)
    assert set(decision.kinds) <= NOTICES
    assert decision.kept == [False] * len(FORM)
    assert decision.notes == ["the page holds no article: all of it is notices"]


def test_text_and_policies_with_a_threshold_of_their_own_keep_what_is_content():
    probabilities = judged(0.9, 0.1, 0.6, 0.2)
    assert decide(make_policy(), HALF, FORM, probabilities).kept[0]
    assert decide(make_policy(threshold=0.5), HALF, FORM, probabilities, page=True).kept[0]


def test_a_phrase_to_keep_stays_on_a_page_without_an_article():
    decision = decide(make_policy(keep_phrases="mail"), HALF, FORM, judged(0.9, 0.1, 0.6, 0.2), page=True)
    assert decision.kept == [False, True, False, False]
