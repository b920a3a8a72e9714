import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from declutter.features import log_softmax
from declutter.features.markup import NAME_BUCKETS, Tree, score_names
from declutter.features.shape import SHAPE
from declutter.features.words import BUCKETS, find_words, score_words
from declutter.kinds import SCORED
from declutter.readers.html import read_page
from declutter.training.estimators import (
    ColumnScaler,
    NgramVectorizer,
    ShapeTransformer,
    as_network,
    as_word_network,
    linear,
    linear_weights,
    name_matrix,
    perceptron,
    quantised,
)

TEXTS = [
    "Sign up now!",
    "The mayor said on Monday that it rained.",
    "Подпишитесь",
    "订阅我们。",
    "",
    "Log in | Sign up",
]
TRANSFORMERS = [NgramVectorizer(), ShapeTransformer()]


@parametrize_with_checks([ColumnScaler()])
def test_the_scaler_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
@pytest.mark.parametrize(
    "check",  # the others fit a table of numbers, and these take paragraphs
    [
        "check_estimator_cloneable",
        "check_estimator_tags_renamed",
        "check_estimator_repr",
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
        "check_valid_tag_types",
    ],
)
def test_transformers_of_paragraphs_pass_the_checks_of_scikit_learn(transformer, check):
    getattr(estimator_checks, check)(type(transformer).__name__, clone(transformer))


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_a_transformer_learns_nothing_and_names_its_columns(transformer):
    unfitted = clone(transformer).transform(TEXTS)
    fitted = clone(transformer).fit(["something else"]).transform(TEXTS)
    assert abs(unfitted - fitted).max() == 0
    assert unfitted.shape == (len(TEXTS), len(transformer.get_feature_names_out()))
    assert len(set(transformer.get_feature_names_out())) == unfitted.shape[1]


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_no_paragraphs_are_no_rows(transformer):
    assert transformer.transform([]).shape == transformer.transform(["a"])[:0].shape


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
@pytest.mark.parametrize("wrong", ["one string", [1, 2], [["nested"]], [None]])
def test_what_is_no_list_of_paragraphs_is_refused(transformer, wrong):
    with pytest.raises(ValueError, match="paragraph"):
        clone(transformer).fit(wrong)
    with pytest.raises(ValueError, match="paragraph"):
        transformer.transform(wrong)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_a_transformer_works_in_a_pipeline(transformer):
    texts = [
        "Sign up now!",
        "Subscribe today!",
        "Join us!",
        "It rained on Monday.",
        "The mayor spoke.",
        "A bridge fell.",
    ]
    kinds = ["signup"] * 3 + ["content"] * 3
    pipeline = clone(make_pipeline(transformer, LogisticRegression(C=100))).fit(texts, kinds)
    assert pipeline.predict(texts).tolist() == kinds
    assert list(pipeline[:-1].get_feature_names_out()) == list(transformer.get_feature_names_out())


def test_shape_is_measured_by_name_and_may_be_set_to_the_default_output():
    transformer = ShapeTransformer().set_output(transform="default").fit(TEXTS)
    column = list(transformer.get_feature_names_out()).index("exclamation marks")
    assert transformer.transform(TEXTS)[:, column] == pytest.approx([np.log(2), 0, 0, 0, 0, 0])
    assert transformer.n_features_out_ == len(SHAPE)


def test_ngram_rows_times_a_table_are_what_the_run_time_scores():
    table = np.random.default_rng(0).normal(size=(BUCKETS, 5)).astype(np.float32)
    table[0] = 0  # no n-gram
    expected = score_words(find_words(TEXTS), table)
    assert NgramVectorizer().transform(TEXTS) @ table == pytest.approx(expected, abs=1e-4)


def test_name_rows_times_a_table_are_what_the_run_time_scores():
    page = "<div class='box promo'><ul id=list><li class=item>a</li><li>b</li></ul></div><p role=note>c</p><div><div>d"
    tree = Tree(read_page(page).page)
    table = np.random.default_rng(1).normal(size=(NAME_BUCKETS, 6)).astype(np.float32)
    counted = name_matrix(tree)
    assert counted.shape == (4, 2 * NAME_BUCKETS)
    assert counted @ np.concatenate((table[:, :3], table[:, 3:])) == pytest.approx(score_names(tree, table), abs=1e-4)


def test_the_scaler_brings_columns_to_mean_0_and_deviation_1_in_float32():
    X = np.random.default_rng(2).normal(5, 3, (200, 4)).astype(np.float32)
    X[:, 3] = 7
    scaled = ColumnScaler().fit_transform(X)
    assert scaled.dtype == np.float32
    assert scaled.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-5)
    assert scaled.std(axis=0) == pytest.approx([1, 1, 1, 0], abs=1e-5)


def test_an_unfitted_scaler_does_not_transform():
    with pytest.raises(NotFittedError):
        ColumnScaler().transform(np.zeros((2, 2), np.float32))


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(3)
    X = random.normal(2, [1, 10, 0.1, 3, 1, 1, 5], (400, 7))
    y = (random.random(400) * len(SCORED)).astype(int)
    return X, y


def fit_perceptrons(X, y, number):
    return [
        perceptron(hidden=9, epochs=4, seed=seed, alpha=0.1, rate=1e-3, batch=100).fit(X, y) for seed in range(number)
    ]


@pytest.mark.parametrize("number", [1, 3])
def test_a_network_gives_the_averaged_log_odds_of_its_perceptrons(data, number):
    X, y = data
    scaler = ColumnScaler().fit(X)
    scaled = (X - scaler.mean_.astype(float)) / scaler.scale_.astype(float)
    fitted = fit_perceptrons(scaled, y, number)
    assert all(isinstance(one, MLPClassifier) for one in fitted)
    expected = np.exp(np.mean([one.predict_log_proba(scaled) for one in fitted], axis=0))
    expected /= expected.sum(axis=1, keepdims=True)
    assert np.exp(as_network(scaler, fitted).scores(X)) == pytest.approx(expected, abs=1e-6)


def test_temperature_divides_the_scores(data):
    X, y = data
    scaler = ColumnScaler().fit(X)
    fitted = fit_perceptrons(scaler.transform(X), y, 2)
    network = as_network(scaler, fitted)
    cold, hot = network.scores(X), network.softened(2.0).scores(X)
    odds = [scores - scores[:, :1] for scores in (cold, hot)]
    assert odds[1] == pytest.approx(odds[0] / 2, abs=1e-5)


@pytest.mark.parametrize("number", [1, 3])
def test_a_word_network_gives_the_averaged_log_odds_of_its_perceptrons(number):
    counted = NgramVectorizer().transform(TEXTS * 20)
    kinds = np.arange(len(TEXTS) * 20) % len(TEXTS)
    kinds[kinds == 4] = 12  # so that some kinds between are unknown
    fitted = fit_perceptrons(counted, kinds, number)
    network = as_word_network(fitted)
    assert network.table.dtype == np.int8
    assert not network.table[0].any()
    found = log_softmax(network.scores(find_words(TEXTS)))
    known = fitted[0].classes_
    expected = np.mean([one.predict_log_proba(NgramVectorizer().transform(TEXTS)) for one in fitted], axis=0)
    expected -= np.log(np.exp(expected).sum(axis=1, keepdims=True))
    assert np.exp(found[:, known]) == pytest.approx(np.exp(expected), abs=5e-3)  # weights of eight bits
    assert np.exp(np.delete(found, known, axis=1)).max() < 1e-3


def test_a_kind_without_data_is_improbable_in_a_network(data):
    X, y = data
    scaler = ColumnScaler().fit(X)
    seen = y % 3 != 1
    found = np.exp(as_network(scaler, fit_perceptrons(scaler.transform(X[seen]), y[seen], 2)).scores(X))
    assert found[:, 1::3].max() < 1e-3
    assert found.sum(axis=1) == pytest.approx(np.ones(len(X)), abs=1e-5)


def test_linear_weights_are_those_of_the_classifier(data):
    X, y = data
    fitted = linear(iterations=20).fit(ColumnScaler().fit_transform(X), y)
    weights = linear_weights(fitted)
    assert weights.dtype == np.float32
    assert weights == pytest.approx(fitted.coef_.T, abs=1e-6)


def test_a_kind_without_data_has_no_linear_weights(data):
    X, y = data
    seen = y != 4
    fitted = linear(iterations=20).fit(ColumnScaler().fit_transform(X)[seen], y[seen])
    weights = linear_weights(fitted)
    assert not weights[:, 4].any()
    assert np.delete(weights, 4, axis=1) == pytest.approx(fitted.coef_.T, abs=1e-6)


def test_quantised_weights_are_off_by_half_a_step_at_most():
    weights = np.random.default_rng(4).normal(0, [0.01, 1, 50], (1000, 3)).astype(np.float32)
    table, scale = quantised(weights)
    assert table.dtype == np.int8
    assert (np.abs(table * scale - weights) <= scale * 0.5001).all()
    assert scale == pytest.approx(np.abs(weights).max(axis=0) / 127)


def test_quantised_zeros_stay_zeros():
    table, scale = quantised(np.zeros((10, 2), np.float32))
    assert not table.any()
    assert np.isfinite(scale).all()
