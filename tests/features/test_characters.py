import unicodedata

import numpy as np
import pytest

from declutter.features.characters import CLASSES, ID, in_word, look_up, members


def points(text):
    return np.array([ord(character) for character in text], np.uint32)


def classes(text):
    return [CLASSES[number] for number in look_up(points(text))[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Aé", ["upper", "lower"]),
        ("Жж", ["upper", "lower"]),
        ("Ωω", ["upper", "lower"]),
        ("אب", ["caseless", "caseless"]),
        ("한글", ["caseless", "caseless"]),
        ("हि", ["caseless", "mark"]),
        ("中ひカไຂကខ", ["alone"] * 7),
        ("7٣९๕", ["digit"] * 4),
        (" \t\n\u00a0\u3000\u2028", ["space"] * 6),
        (".。।۔", ["period"] * 4),
        (",，、،", ["comma"] * 4),
        ("?？؟", ["question"] * 3),
        ("“„", ["opening"] * 2),
        ("«»‹›", ["guillemet"] * 4),
        ("”」", ["closing"] * 2),
        ("'’", ["apostrophe", "closing"]),
        ("€$₹", ["currency"] * 3),
        ("©™", ["copyright"] * 2),
        ("•·▶", ["bullet"] * 3),
        ("([（", ["open bracket"] * 3),
        ("☀😀🦉", ["symbol"] * 3),
        ("\u200b\ue000", ["other"] * 2),
    ],
)
def test_characters_of_all_scripts_have_their_class(text, expected):
    assert classes(text) == expected


def test_every_character_that_python_calls_white_space_is_a_space():
    assert all(classes(chr(point)) == ["space"] for point in range(0x3100) if chr(point).isspace())


def test_capitals_and_small_letters_have_one_value():
    big, small = look_up(points("ÄŽΣДՀ"))[1], look_up(points("äžσдհ"))[1]
    assert (big == small).all()
    assert len(set(big)) == 5


def test_all_decimal_digits_have_one_value():
    digits = "".join(chr(point) for point in range(0x3000) if unicodedata.category(chr(point)) == "Nd")
    assert len(set(look_up(points("0" + digits))[1])) == 1


def test_different_letters_have_different_values():
    letters = [chr(point) for point in range(0x20, 0x3000) if unicodedata.category(chr(point)) in ("Ll", "Lo")]
    assert len(set(look_up(points("".join(letters)))[1])) == len(letters)


def test_everything_above_the_basic_plane_has_one_value():
    assert len(set(look_up(points("😀🦉𝔘\U0010ffff"))[1])) == 1


def test_only_letters_marks_and_digits_go_on_as_a_word():
    going_on = {name for name in CLASSES if in_word(np.array([ID[name]], np.uint8))[0]}
    assert going_on == {"lower", "upper", "caseless", "mark", "digit"}


def test_members_is_true_for_the_named_classes_only():
    assert [CLASSES[i] for i in np.flatnonzero(members("digit", "at"))] == ["digit", "at"]
