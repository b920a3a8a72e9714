import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from declutter.features.layout import Layout
from declutter.features.words import (
    BUCKETS,
    FEW,
    KNOWN_BITS,
    PREFIX,
    familiarity,
    find_words,
    known_slots,
    ngram_buckets,
    score_words,
)

TEXTS = [
    "The mayor's plan: 3 bridges.",
    "Подпишитесь на рассылку",
    "订阅我们。",
    "",
    "x",
    "Bridges, bridges and bridges!",
]
WORD = st.text("abcXYZßäÖжДעבक한1٣", min_size=1, max_size=12)


def split(text):
    words = find_words([text])
    return [text[start:end] for start, end in zip(words.starts, words.ends, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The river rose", ["The", "river", "rose"]),
        ("Река поднялась, Ёж", ["Река", "поднялась", ",", "Ёж"]),
        ("河水上涨", ["河", "水", "上", "涨"]),
        ("ارتفع النهر؟", ["ارتفع", "النهر", "؟"]),
        ("ไทย", ["ไ", "ท", "ย"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("한국어 뉴스", ["한국어", "뉴스"]),
        ("Win 3G in 2024", ["Win", "3G", "in", "2024"]),
        ("5€ or $6.50", ["5", "€", "or", "$", "6", ".", "50"]),
        ("don't l’eau", ["don", "'", "t", "l", "’", "eau"]),
        ("ok😀😀 go", ["ok", "😀", "😀", "go"]),
        ("well-known", ["well", "-", "known"]),
        ("cafe\u0301 bar", ["cafe\u0301", "bar"]),
        ("我用Python写", ["我", "用", "Python", "写"]),
    ],
)
def test_words_are_split_as_each_script_writes_them(text, expected):
    assert split(text) == expected


def test_word_counts_equal_a_hand_count():
    texts = ["The mayor's plan: 3 bridges.", "订阅我们。", "Log in | Sign up"]
    assert find_words(texts).counts.tolist() == [9, 5, 5]


def test_words_belong_to_their_paragraph():
    words = find_words(["one two", "three", "four five six"])
    assert words.owner.tolist() == [0, 0, 1, 2, 2, 2]
    assert words.first.tolist() == [0, 2, 3, 6]
    assert words.bounds.tolist() == [0, 8, 14, 28]


@pytest.mark.parametrize("blank", ["", " ", "\n\t ", "\u3000"])
def test_a_blank_paragraph_has_a_word_of_its_own_kind(blank):
    words = find_words(["before", blank, "after"])
    assert words.counts.tolist() == [1, 1, 1]
    assert words.hashes[1] not in words.hashes[[0, 2]]


@pytest.mark.parametrize(
    ("one", "other"), [("RIVER", "river"), ("Река", "рЕКА"), ("ΣΟΦΙΑ", "σοφια"), ("2019", "7777"), ("٢٠١٩", "2024")]
)
def test_hashes_fold_case_and_digits(one, other):
    assert find_words([one]).hashes[0] == find_words([other]).hashes[0]


@pytest.mark.parametrize(
    ("one", "other"), [("river", "rivers"), ("ab", "ba"), ("2019", "201"), ("a", "aa"), ("水", "火")]
)
def test_different_words_have_different_hashes(one, other):
    assert find_words([one]).hashes[0] != find_words([other]).hashes[0]


def test_stems_are_of_longer_words_only_and_hold_their_beginning():
    short, longer, inflected = find_words(["donat donated donations"]).stems
    assert len("donat") == PREFIX
    assert short == 0
    assert longer == inflected != 0


@given(WORD, st.text(max_size=20), st.text(max_size=20), st.lists(st.text(max_size=20), max_size=3))
def test_a_words_hash_depends_on_the_word_alone(word, before, after, paragraphs):
    alone = find_words([word])
    words = find_words([*paragraphs, f"{before} {word} {after}", *paragraphs])
    at = np.searchsorted(words.starts, words.bounds[len(paragraphs)] + len(before) + 1)
    assert words.hashes[at] == alone.hashes[0]
    assert words.stems[at] == alone.stems[0]


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_every_visible_character_lies_in_exactly_one_word(texts):
    words = find_words(texts)
    covered = np.zeros(len(words.classes), int)
    for start, end in zip(words.starts, words.ends, strict=True):
        covered[start:end] += 1
    assert (covered == (words.classes != 0)).all()
    assert (words.counts > 0).all()


def test_ngram_rows_lie_in_the_table():
    rows = ngram_buckets(find_words([f"word{i} словo {i}" for i in range(300)]))
    assert rows.min() == 0
    assert rows.max() < BUCKETS
    assert (rows[:, :2] > 0).all()


def test_only_long_words_have_a_stem_and_only_first_words_a_start():
    rows = ngram_buckets(find_words(["long subscription text", "newsletter"]))
    assert (rows[:, 2] > 0).tolist() == [False, True, False, True]
    assert (rows[:, 3] > 0).tolist() == [True, False, False, True]


def test_a_pair_is_of_a_word_and_the_next_one_in_its_paragraph():
    together, swapped, parted = (ngram_buckets(find_words(texts)) for texts in (["log in"], ["in log"], ["log", "in"]))
    assert together[0, 1] not in (swapped[0, 1], parted[0, 1])
    assert together[1, 1] == parted[1, 1]  # a word and the paragraph's end


def test_ngrams_do_not_depend_on_other_paragraphs():
    together = ngram_buckets(find_words(TEXTS))
    assert np.array_equal(together, np.concatenate([ngram_buckets(find_words([text])) for text in TEXTS]))


@pytest.mark.parametrize("dtype", [np.int8, np.float32])
def test_score_words_equals_a_plain_sum(dtype):
    table = np.random.default_rng(0).integers(-127, 128, (BUCKETS, 3)).astype(dtype)
    expected = []
    for text in TEXTS:
        rows = ngram_buckets(find_words([text])).tolist()
        expected.append(sum(table[bucket].astype(float) for row in rows for bucket in row if bucket) / len(rows) ** 0.5)
    table[0] = 0  # what training leaves where there is no n-gram
    assert score_words(find_words(TEXTS), table) == pytest.approx(np.array(expected), rel=1e-5, abs=1e-3)


def familiar(texts, known):
    return familiarity(find_words(texts), Layout([len(texts)]), known)


def test_familiarity_is_the_share_of_known_stems():
    known = np.zeros(1 << (KNOWN_BITS - 3), np.uint8)
    text = "river bridges " * FEW
    for slot in known_slots(find_words(["river"])):
        known[slot >> 3] |= 1 << (slot & 7)
    assert familiar([text], known) == 0.5
    assert familiar([text.replace("bridges", "2024 ,")], known) == 1  # numbers and marks are no words
    for slot in known_slots(find_words(["bridged"])):  # the same stem
        known[slot >> 3] |= 1 << (slot & 7)
    assert familiar([text], known) == 1


def test_too_few_words_do_not_tell_a_language():
    nothing = np.zeros(1 << (KNOWN_BITS - 3), np.uint8)
    assert familiar(["river " * (FEW - 1)], nothing) == 1
    assert familiar(["river " * FEW], nothing) == 0
    assert familiar(["..."], nothing) == 1


def test_scripts_without_spaces_are_judged_by_their_letters():
    nothing = np.zeros(1 << (KNOWN_BITS - 3), np.uint8)
    for text in ("市議会は橋を直すことを決めた。" * 3, "ສະພາເມືອງຕົກລົງສ້ອມແປງຂົວ" * 3):
        assert familiar([text], nothing) == 0
