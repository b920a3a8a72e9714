"""The shipped arrays, put back into scikit-learn's own classifiers, give the probabilities that numpy gives."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from declutter.document import Source
from declutter.features import extract, log_softmax
from declutter.features.words import find_words
from declutter.kinds import SCORED
from declutter.model import PASSES, default_model_folder, load_model
from declutter.readers.html import read_page
from declutter.training.estimators import NgramVectorizer

CORPUS = Path(__file__).parents[2] / "corpus"
ARTICLE = "<p>The river rose by two metres overnight, the mayor said on Monday, and the bridge stays closed.</p>" * 3
PAGES = [
    f"<title>The river rose</title><nav><a href=/>Home</a></nav><article><h1>The river rose</h1>{ARTICLE}</article>",
    f"<main>{ARTICLE}<div class=newsletter><h3>Sign up</h3><form><button>Subscribe</button></form></div></main>",
    "<p>Ein Absatz</p>",
]


def texts():
    for path in sorted((CORPUS / "texts").glob("*.jsonl"))[:12]:
        record = json.loads(path.read_text("utf-8").split("\n")[0])
        yield Source("list", [line["text"] for line in record["lines"]])


SOURCES = {"text": list(texts()), "html": [read_page(page) for page in PAGES]}


@pytest.fixture(scope="module")
def model():
    return load_model(default_model_folder())


def as_perceptron(network):
    """A scikit-learn perceptron with the arrays of a network, in double precision."""
    perceptron = MLPClassifier()
    perceptron.coefs_ = [network.hidden_weights.astype(float), network.output_weights.astype(float)]
    perceptron.intercepts_ = [network.hidden_bias.astype(float), network.output_bias.astype(float)]
    perceptron.n_layers_, perceptron.out_activation_ = 3, "softmax"
    perceptron.n_features_in_, perceptron.n_outputs_ = len(network.hidden_weights), len(SCORED)
    perceptron.classes_ = np.arange(len(SCORED))
    return perceptron


@pytest.mark.parametrize("form", PASSES)
def test_every_network_gives_the_probabilities_of_scikit_learns_perceptron(model, form):
    for source in SOURCES[form]:
        evidence = extract(source, model.score_words, model.score_names)
        scores = evidence.word_scores
        for network in model.networks[form]:
            columns = evidence.columns(scores)
            expected = as_perceptron(network).predict_proba(columns.astype(float))
            assert np.exp(network.scores(columns.astype(float))) == pytest.approx(expected, abs=1e-6)
            scores = network.scores(columns)
            assert np.exp(scores) == pytest.approx(expected, abs=1e-4)  # sums in single precision
        assert np.array_equal(model.scores(evidence), scores)


def test_the_words_classifier_gives_the_probabilities_of_scikit_learns_regression(model):
    regression = LogisticRegression()
    regression.coef_ = (model.word_table * model.word_scale.astype(float)).T
    regression.intercept_ = model.word_bias.astype(float)
    regression.classes_ = np.arange(len(SCORED))
    regression.n_features_in_ = regression.coef_.shape[1]
    for source in SOURCES["text"]:
        expected = regression.predict_proba(NgramVectorizer().transform(source.texts).astype(float))
        found = np.exp(log_softmax(model.score_words(find_words(source.texts))))
        assert found == pytest.approx(expected, abs=1e-5)  # sums in single precision


def test_no_ngram_has_no_weight(model):
    assert not model.word_table[0].any()
