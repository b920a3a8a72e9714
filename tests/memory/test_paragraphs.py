"""Which paragraphs count as the same."""

import numpy as np
import pytest

from declutter.memory.paragraphs import WHOLE, fingerprints, mask


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Support us from $2 a month", "Support us from $5 a month"),
        ("Give $1,000.50 or more", "Give $20 or more"),
        ("Until 12 May 2026 only", "Until 3 June 2025 only"),
        ("Updated on May 12, 2026", "Updated on December 3rd, 2027"),
        ("Stand: Montag, 4. März 2024", "Stand: Freitag, 28. November 2025"),
        ("Hasta el 31 de diciembre", "Hasta el 1 de enero"),
        ("Обновлено 5 мая 2026", "Обновлено 17 октября 2025"),
        ("2026年5月12日まで", "2027年11月3日まで"),
        ("٥ مقالات متبقية", "٣ مقالات متبقية"),
        ("Become a\nsupporter  today", "BECOME A SUPPORTER TODAY"),
        ("From 2026-05-12 10:30", "From 2025-11-03 08:05"),
    ],
)
def test_numbers_dates_case_and_white_space_make_no_difference(one, other):
    assert mask(one) == mask(other)
    assert fingerprints([one]) == fingerprints([other]) != WHOLE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Support us from $2 a month", "Support us from €2 a month"),
        ("In May the river rose", "In June the river rose"),  # no date without a number
        ("Support the Lantern", "Support the Beacon"),
        ("Give 5", "Give"),
    ],
)
def test_everything_else_does(one, other):
    assert fingerprints([one]) != fingerprints([other])


@pytest.mark.parametrize("text", ["3-1", "12 May 2026", "2026", "–", "", "* * *", "5 h"])
def test_what_holds_no_words_has_no_fingerprint(text):
    assert fingerprints([text]) == WHOLE


def test_fingerprints_are_64_bits_and_the_same_on_every_machine():
    found = fingerprints(["Become a supporter", "支援我們", "half a pair: \ud800"])
    assert found.dtype == np.uint64
    assert found[:2].tolist() == [6831632222277973957, 18048076012896087957]
    assert len(set(found.tolist())) == 3
    assert fingerprints([]).shape == (0,)
