"""The shipped arrays, put back into scikit-learn's own classifiers, give the probabilities that numpy gives."""

import json
from pathlib import Path

import numpy as np
import pytest
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


def as_perceptron(hidden_weights, hidden_bias, output_weights, output_bias):
    """A scikit-learn perceptron with the arrays of a network, in double precision."""
    perceptron = MLPClassifier()
    perceptron.coefs_ = [hidden_weights.astype(float), output_weights.astype(float)]
    perceptron.intercepts_ = [hidden_bias.astype(float), output_bias.astype(float)]
    perceptron.n_layers_, perceptron.out_activation_ = 3, "softmax"
    perceptron.n_features_in_, perceptron.n_outputs_ = len(hidden_weights), len(SCORED)
    perceptron.classes_ = np.arange(len(SCORED))
    return perceptron


@pytest.mark.parametrize("form", PASSES)
def test_every_network_gives_the_probabilities_of_scikit_learns_perceptron(model, form):
    for source in SOURCES[form]:
        evidence = extract([source], model.words.scores, model.score_names)
        scores = evidence.word_scores
        for network, around in zip(model.networks[form], PASSES[form], strict=True):
            columns = evidence.columns(scores) if around else evidence.fixed
            expected = as_perceptron(
                network.hidden_weights, network.hidden_bias, network.output_weights, network.output_bias
            ).predict_proba(columns.astype(float))
            assert np.exp(network.scores(columns.astype(float))) == pytest.approx(expected, abs=1e-6)
            scores = network.scores(columns)
            assert np.exp(scores) == pytest.approx(expected, abs=1e-4)  # sums in single precision
        assert np.array_equal(model.scores(evidence), scores)


def test_the_words_classifier_gives_the_probabilities_of_scikit_learns_perceptron(model):
    words = model.words
    perceptron = as_perceptron(
        words.table * words.scale.astype(float), words.hidden_bias, words.output_weights, words.output_bias
    )
    for source in SOURCES["text"]:
        expected = perceptron.predict_proba(NgramVectorizer().transform(source.texts).astype(float))
        found = np.exp(log_softmax(words.scores(find_words(source.texts))))
        assert found == pytest.approx(expected, abs=1e-5)  # sums in single precision


def test_no_ngram_has_no_weight(model):
    assert not model.words.table[0].any()
