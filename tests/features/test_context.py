import numpy as np
import pytest

from declutter.document import Source
from declutter.features import context, extract, feature_names, log_softmax
from declutter.features.layout import ALL, OFFSETS, Layout
from declutter.kinds import NOTICES, SCORED, Kind

LONG = (
    "The council agreed on Monday that the bridge over the river would stay closed until the autumn, at least in part."
)


def place_of(texts):
    found = extract([Source("list", texts)], even, None)
    return dict(zip(feature_names(False), found.fixed.T, strict=False))


def around(scores, lengths):
    found = context.surroundings(scores.astype(np.float32), np.asarray(lengths, np.float32), Layout([len(lengths)]))(
        ALL
    )
    return dict(zip((name for name, _ in context.surroundings_names()), found.T, strict=True))


@pytest.fixture(scope="module")
def scores():
    return log_softmax(np.random.default_rng(1).normal(0, 1.5, (60, len(SCORED))))


@pytest.fixture(scope="module")
def lengths():
    return np.random.default_rng(2).integers(5, 200, 60)


def test_position_is_counted_in_paragraphs_and_in_characters():
    found = place_of(["ab", "abcd", "abcdef", "abcd"])
    assert found["place: position"] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert found["place: from the start"] == pytest.approx(np.log1p([0, 1, 2, 3]))
    assert found["place: from the end"] == pytest.approx(np.log1p([3, 2, 1, 0]))
    assert found["place: characters before"] == pytest.approx([0, 2 / 16, 6 / 16, 12 / 16])
    assert found["place: paragraphs"] == pytest.approx([np.log1p(4)] * 4)
    assert found["place: characters"] == pytest.approx([np.log1p(16)] * 4)


def test_repeated_paragraphs_equal_a_plain_comparison():
    random = np.random.default_rng(3)
    texts = [" ".join(random.choice(["share", "this", "article", "now"], random.integers(1, 4))) for _ in range(80)]
    found = place_of(texts)
    assert found["place: repeated"] == pytest.approx([np.log(texts.count(text)) for text in texts])
    assert found["place: repeats"].tolist() == [text in texts[:i] for i, text in enumerate(texts)]


def test_repetition_heeds_the_order_of_words_but_neither_case_nor_digits():
    assert place_of(["sign up", "up sign", "sign", "sign up up"])["place: repeats"].tolist() == [0, 0, 0, 0]
    assert place_of(["Read 12 comments", "READ 99 comments"])["place: repeats"].tolist() == [0, 1]


def test_since_and_until_long_equal_a_walk():
    texts = ["menu", "menu", LONG, "a", "b", LONG, LONG, "c"]
    found = place_of(texts)
    assert found["place: since long"] == pytest.approx(np.log1p([1, 2, 0, 1, 2, 0, 0, 1]))
    assert found["place: until long"] == pytest.approx(np.log1p([2, 1, 0, 2, 1, 0, 0, 1]))


def test_long_text_before_and_after_are_shares_of_all_long_text():
    found = place_of(["menu", LONG, "menu", LONG])
    assert found["place: long paragraphs"] == pytest.approx([2 * len(LONG) / (2 * len(LONG) + 8)] * 4)
    assert found["place: long text before"] == pytest.approx([0, 0, 0.5, 0.5], abs=0.01)
    assert found["place: long text after"] == pytest.approx([1, 0.5, 0.5, 0], abs=0.01)


def test_runs_of_fragments_are_counted_up_to_the_paragraph_itself():
    found = place_of(["Home", "News", "It rained.", "Share", "Print", "Save"])
    assert found["place: fragment"].tolist() == [1, 1, 0, 1, 1, 1]
    assert found["place: fragments before"] == pytest.approx(np.log1p([1, 2, 0, 1, 2, 3]))
    assert found["place: fragments after"] == pytest.approx(np.log1p([2, 1, 0, 3, 2, 1]))


def test_likeness_is_the_difference_in_length_to_neighbours():
    found = place_of(["a", "aaa", "aaaaaaa"])
    log2 = np.log(2)
    assert found["place: likeness before"] == pytest.approx([0, log2, log2])
    assert found["place: likeness after"] == pytest.approx([-log2, -log2, 0])
    assert found["place: likeness two before"] == pytest.approx([0, 0, 2 * log2])
    assert found["place: likeness two after"] == pytest.approx([-2 * log2, 0, 0])


def test_vocabulary_is_shared_with_other_long_paragraphs():
    found = place_of([LONG, "Bridge closed, council tells", "Subscribe today", LONG.replace("bridge", "tunnel"), "no"])
    assert found["place: vocabulary"][1:3] == pytest.approx([3 / 4, 0])
    assert found["place: vocabulary"][4] == 0
    assert 0.5 < found["place: vocabulary"][0] < 1  # all but its bridge


def test_vocabulary_of_the_start_is_shared_with_other_first_paragraphs():
    found = place_of(["Bridge closed", "Bridge", "menu", "Bridge works closed", "Works"])
    assert found["place: vocabulary of the start"] == pytest.approx([1 / 2, 1, 0, 2 / 3, 0])


def test_vocabulary_equals_a_plain_comparison_but_for_words_that_share_a_slot():
    random = np.random.default_rng(4)
    known = ["".join(random.choice(list("abcdefgh"), random.integers(3, 9))) for _ in range(400)]
    texts = [" ".join(random.choice(known, random.integers(1, 40))) for _ in range(60)]
    expected = []
    for i, text in enumerate(texts):
        others = {
            word for j, other in enumerate(texts) if j != i and len(other) >= context.LONG for word in other.split()
        }
        own = [word for word in text.split() if len(word) >= 5]
        expected.append(sum(word in others for word in own) / max(1, len(own)))
    excess = place_of(texts)["place: vocabulary"] - expected
    assert excess.min() > -1e-6
    assert excess.mean() < 0.03


def test_neighbours_shape_is_theirs_and_nothing_beyond_the_ends():
    texts = ["Menu", "2024", "It rained.", "Read more:"]
    found = place_of(texts)
    for column in ("length", "digits", "ends with a full stop"):
        own = found[f"shape: {column}"]
        assert found[f"place: {column}, paragraph before"] == pytest.approx([0, *own[:-1]])
        assert found[f"place: {column}, paragraph after"] == pytest.approx([*own[1:], 0])


@pytest.mark.parametrize("offset", OFFSETS)
def test_neighbours_probabilities_are_theirs(scores, lengths, offset):
    found = around(scores, lengths)
    where = f"{abs(offset)} {'before' if offset < 0 else 'after'}"
    for k, kind in enumerate(SCORED):
        expected = [np.exp(scores[i + offset, k]) if 0 <= i + offset < len(scores) else 0 for i in range(len(scores))]
        assert found[f"{kind}: {where}"] == pytest.approx(expected, abs=1e-6)


def test_windows_of_scores_equal_plain_sums(scores, lengths):
    found = around(scores, lengths)
    lifted = scores + np.log(len(SCORED))  # nothing known counts nothing
    for width in context.WINDOWS:
        for i in range(len(scores)):
            before, after = lifted[max(0, i - width) : i, 0], lifted[i + 1 : i + 1 + width, 0]
            assert found[f"content: {width} paragraphs before"][i] == pytest.approx(before.sum() / width, abs=1e-4)
            assert found[f"content: {width} paragraphs after"][i] == pytest.approx(after.sum() / width, abs=1e-4)


def test_one_paragraph_cannot_outweigh_its_whole_window(scores, lengths):
    sure, surer = scores.copy(), scores.copy()
    sure[30, 0], surer[30, 0] = -20, -2000
    name = "content: 4 paragraphs before"
    assert around(sure, lengths)[name] == pytest.approx(around(surer, lengths)[name])


def test_the_article_before_and_after_adds_up_to_one(scores, lengths):
    found = around(scores, lengths)
    own = np.exp(scores[:, 0]) * lengths
    assert found["article before"] == pytest.approx((np.cumsum(own) - own) / (own.sum() + 1), abs=1e-5)
    total = found["article before"] + found["article after"] + own / (own.sum() + 1)
    assert total == pytest.approx(np.ones(len(scores)), abs=1e-5)


def test_the_strongest_notice_near_equals_a_plain_search(scores, lengths):
    found = around(scores, lengths)["strongest notice near"]
    notices = np.exp(scores[:, [kind in NOTICES for kind in SCORED]]).max(axis=1)
    for i in range(len(scores)):
        assert found[i] == pytest.approx(max(notices[j] for j in range(max(0, i - 3), min(60, i + 4)) if j != i))


def article_or_notice(probabilities):
    scores = np.full((len(probabilities), len(SCORED)), -20.0)
    scores[:, SCORED.index(Kind.CONTENT)] = np.log(probabilities)
    scores[:, SCORED.index(Kind.APPEAL)] = np.log1p(-np.asarray(probabilities))
    return scores


@pytest.mark.parametrize("bound", context.RUN_BOUNDS)
def test_runs_add_up_and_stop_at_their_bound(bound):
    probabilities = np.random.default_rng(6).choice([0.2, 0.3, 0.8, 0.85], 60)
    found = around(article_or_notice(probabilities), [50] * 60)
    odds = np.log((1 - probabilities) / probabilities)
    for side, order in (("before", range(60)), ("after", reversed(range(60)))):
        message = 0.0
        for i in order:
            assert found[f"run {side}, {bound:g}"][i] == pytest.approx(message, abs=1e-4)
            message = min(bound, max(-bound, message + odds[i]))


def test_a_head_is_heard_at_the_tail_and_an_article_ends_it():
    found = around(article_or_notice([0.9, 0.9, 0.001, 0.5, 0.5, 0.001, 0.999, 0.999, 0.5]), [50] * 9)
    run = found[f"run before, {context.RUN_BOUNDS[0]:g}"]
    assert (run[3:6] > 0).all()
    assert (run[[1, 2, 8]] < 0).all()


def test_a_text_among_others_is_told_as_it_is_alone():
    texts = [
        [LONG, "Read more", "12", LONG + " It rains.", "Share"],
        ["Read more"],
        ["Share", LONG, LONG, "Share"],
        ["x", "y"],
    ]
    together = extract([Source("list", lines) for lines in texts], even, None)
    scores = log_softmax(np.random.default_rng(3).normal(0, 1.5, (12, len(SCORED)))).astype(np.float32)
    around = np.split(together.columns(scores), together.layout.starts[1:])
    for lines, own, found in zip(texts, np.split(scores, together.layout.starts[1:]), around, strict=True):
        alone = extract([Source("list", lines)], even, None)
        assert np.array_equal(alone.columns(own), found)


def even(words):
    return np.zeros((len(words.counts), len(SCORED)), np.float32)
