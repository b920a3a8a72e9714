from math import log1p

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from declutter.features.shape import SHAPE, shape
from declutter.features.words import find_words

NAMES = [name for name, _ in SHAPE]


def measure(name, text):
    return shape(find_words([text]))[0, NAMES.index(name)]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("length", "abc def", log1p(7)),
        ("words", "The mayor's plan: 3 bridges.", log1p(6)),
        ("words", "- | *", 0),
        ("length, linear", "a" * 100, 0.25),
        ("length, linear", "a" * 900, 1),
        ("sentences", "One. Two! Three? Then v2.0 came", log1p(3)),
        ("sentences", "一。 二。", log1p(2)),
        ("letters", "ab 12", 0.5),
        ("capitalised words", "The Old mill", 2 / 3),
        ("word length", "ab abcd", 0.3),
        ("long words", "sentence of bridges", 2 / 3),
        ("all capitals", "SIGN UP", 1),
        ("all capitals", "SIGN UP now", 0),
        ("all capitals", "UNO", 0),
        ("sentence length", "One. Two.", 0.045),
        ("capitals", "AbCd", 0.5),
        ("caseless letters", "שלום 12", 4 / 6),
        ("unspaced letters", "中文 ok", 0.5),
        ("digits", "a1 b2", 0.5),
        ("quotation marks", "“a”", 2 / 3),
        ("commas", "a, b، c，", 0.5),
        ("stops", "a.b。c", 0.4),
        ("bullets and bars", "• a", 0.5),
        ("brackets", "(a)", 2 / 3),
        ("symbols", "a % 😀 b", 0.5),
        ("exclamation marks", "Now!!", log1p(2)),
        ("question marks", "Who? 谁？", log1p(2)),
        ("currency signs", "€5 or $6", log1p(2)),
        ("colons", "Photo: A : B", log1p(2)),
        ("separators", "Home | News • Sport", log1p(2)),
        ("copyright signs", "© 2024 Foo™", log1p(2)),
        ("quotations", "“a” „b“ c", log1p(3)),
        ("at signs", "me@example.org", log1p(1)),
        ("dashes", "a - b – c", log1p(2)),
        ("digit count", "12 May 2024", log1p(6)),
        ("begins with a capital", "The", 1),
        ("begins in lower case", "and", 1),
        ("begins with a digit", "3 bridges", 1),
        ("begins with a quotation", "„Ja“", 1),
        ("begins with a bullet", "– ja", 1),
        ("begins with a caseless letter", "مرحبا", 1),
        ("begins with a caseless letter", "中文", 1),
        ("begins with a capital", "the", 0),
        ("ends with a full stop", "done.", 1),
        ("ends with a full stop", "完了。", 1),
        ("ends with a full stop", "done", 0),
        ("ends with ! or ?", "why?", 1),
        ("ends with a colon", "Read:", 1),
        ("ends with a quotation", "he “said”", 1),
        ("ends with an ellipsis", "more…", 1),
        ("ends with a letter", "Menu", 1),
        ("ends with a digit", "in 2024", 1),
        ("ends with a bracket", "(dpa)", 1),
    ],
)
def test_a_column_holds_what_a_person_counts(name, text, expected):
    assert measure(name, text) == pytest.approx(expected, rel=1e-6)


def test_every_column_has_a_name_of_its_own_and_a_meaning():
    assert len(set(NAMES)) == len(SHAPE) == shape(find_words(["a"])).shape[1]
    assert all(meaning for _, meaning in SHAPE)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=6))
def test_shape_is_finite_and_of_the_paragraph_alone(texts):
    together = shape(find_words(texts))
    assert np.isfinite(together).all()
    assert np.allclose(together, np.concatenate([shape(find_words([text])) for text in texts]))
