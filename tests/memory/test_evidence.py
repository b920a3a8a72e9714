"""What repetition says: nothing where there is none, more the more documents hold a paragraph, and never for the article."""

import json

import numpy as np
import pytest

from declutter.errors import ModelError
from declutter.features import log_softmax
from declutter.kinds import SCORED
from declutter.memory.evidence import COLUMNS, WEIGHTS, MemoryWeights, columns, load_weights, odds_of, shifted
from declutter.model import default_model, default_model_folder, load_model


@pytest.fixture(scope="module")
def weights() -> MemoryWeights:
    return default_model().needs_memory()


@pytest.fixture
def scores() -> np.ndarray:
    return log_softmax(np.random.default_rng(0).normal(size=(6, len(SCORED))) * 3).astype(np.float32)


def shifts_of(weights, documents, of, odds=2.0, length=120):
    """Shifts of the middle one of paragraphs of which the others do not repeat."""
    scores = np.full((5, len(SCORED)), np.log((1 - 1 / (1 + np.exp(-odds))) / (len(SCORED) - 1)))
    scores[:, 0] = -np.log1p(np.exp(-odds))
    counts = np.array([1, 1, documents, 1, 1])
    return weights.shifts(scores, np.full(5, length), counts, of)


def test_what_does_not_repeat_is_judged_as_without_a_memory(weights, scores):
    shifts = weights.shifts(scores, np.full(6, 80), np.array([0, 1, 0, 1, 1, 0]), 50)
    assert not shifts.any()
    assert shifted(scores, shifts) is scores
    mixed = shifted(scores, np.array([0, -2.0, 0, 0, 0, 0]))
    assert (mixed[[0, 2, 3, 4, 5]] == scores[[0, 2, 3, 4, 5]]).all()


def test_a_shift_moves_content_against_all_other_kinds_and_keeps_their_ratios(scores):
    moved = shifted(scores, np.full(6, -1.5)).astype(np.float64)
    assert np.allclose(odds_of(moved), odds_of(scores.astype(np.float64)) - 1.5, atol=1e-5)
    assert np.allclose(np.exp(moved).sum(axis=1), 1, atol=1e-6)
    assert np.allclose(moved[:, 1:] - moved[:, 1:2], scores[:, 1:] - scores[:, 1:2], atol=1e-5)


def test_extreme_scores_and_shifts_stay_numbers():
    scores = log_softmax(np.array([[800.0] + [0.0] * 13, [-800.0] + [0.0] * 13])).astype(np.float32)
    for shift in (-1e3, 1e3):
        assert np.isfinite(shifted(scores, np.full(2, shift))).all()


def test_the_more_documents_the_surer_and_never_surer_of_the_article(weights):
    found = [shifts_of(weights, documents, 200)[2] for documents in (2, 5, 20, 60, 200)]
    assert max(found) <= 0
    assert found == sorted(found, reverse=True)
    assert found[-1] < -4
    assert found[0] > -1  # a quotation in two articles
    assert [shifts_of(weights, 200, 200)[i] for i in (0, 1, 3, 4)] == [0, 0, 0, 0]


def test_an_article_that_a_crawl_holds_twice_stays(weights, scores):
    lengths = np.full(6, 300)
    twice = weights.shifts(scores, lengths, np.full(6, 2), 30)
    alone = weights.shifts(scores, lengths, np.array([2, 1, 1, 1, 1, 2]), 30)
    assert twice.min() > -1
    assert twice[2] >= alone[0] - 1


def test_columns_by_hand():
    found = columns(np.array([1.0, 2.0, 3.0]), np.array([10, 20, 70]), np.array([8, 8, 1]), 16)
    assert found.shape == (3, len(COLUMNS))
    by_name = dict(zip((name for name, _ in COLUMNS), found.T.tolist(), strict=True))
    assert by_name["content"] == [1, 2, 3]
    assert by_name["few"] == [2, 2, 0]
    assert by_name["many"] == [1, 1, 0]
    assert by_name["share"] == [1, 1, 0]
    assert by_name["length"] == pytest.approx([2 * np.log(10), 2 * np.log(20), 0])
    assert by_name["likewise"] == pytest.approx([3 * 0.3**4, 3 * 0.3**4, 0])
    assert by_name["neighbours"] == [1, 1, 0]
    assert by_name["lead"] == [2, 2, 0]


@pytest.fixture
def folder(tmp_path):
    """A model beside which weights of a memory can be changed."""
    for path in default_model_folder().iterdir():
        if path.suffix in (".json", ".npz"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"format": 99}, "format"),
        ({"weights": {}}, "other columns"),
        ({"weights": [1, 2]}, "other columns"),
        ({"weights": {name: float("nan") for name, _ in COLUMNS}}, "no number"),
        ({"weights": {name: "1" for name, _ in COLUMNS}}, "no number"),
    ],
)
def test_weights_that_do_not_fit_are_refused(folder, change, named):
    path = folder / WEIGHTS
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelError, match=named):
        load_model(folder)


@pytest.mark.parametrize("content", ["{", "[]", "null"])
def test_broken_weights_are_refused(folder, content):
    (folder / WEIGHTS).write_text(content)
    with pytest.raises(ModelError):
        load_model(folder)


def test_a_model_without_them_works_and_refuses_a_memory(folder):
    (folder / WEIGHTS).unlink()
    assert load_weights(folder) is None
    with pytest.raises(ModelError, match="--only memory"):
        load_model(folder).needs_memory()


def test_changed_weights_are_read_again(folder):
    before = load_model(folder)
    path = folder / WEIGHTS
    about = json.loads(path.read_text())
    path.write_text(json.dumps(about | {"weights": about["weights"] | {"many": -9.5}}))
    after = load_model(folder)
    assert before.needs_memory().weights != after.needs_memory().weights
    assert after.needs_memory().weights[2] == -9.5
