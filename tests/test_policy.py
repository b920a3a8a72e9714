"""What is kept: combinations of --keep and --drop, and thresholds."""

import itertools

import numpy as np
import pytest

from declutter.errors import UsageError
from declutter.kinds import SCORED, Kind
from declutter.policy import DEFAULT_KEEP, SHORT, Policy, Thresholds, make_policy


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
    assert Thresholds.scaled(0.6).keeps(probabilities, np.array([length])).tolist() == [keeps]


def test_a_lower_threshold_keeps_all_that_a_higher_one_keeps():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(len(SCORED)) / 4, 500)
    lengths = np.arange(500)
    kept = [Thresholds.scaled(short).keeps(probabilities, lengths) for short in (0.0, 0.2, 0.5, 0.9)]
    assert kept[0].all()
    assert all((more | ~fewer).all() and more.sum() > fewer.sum() for more, fewer in itertools.pairwise(kept))
