"""The scikit-learn side: transformers over paragraphs, the estimators that are trained, and their way into plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from declutter.features.markup import NAME_BUCKETS, Tree, name_rows
from declutter.features.shape import SHAPE, shape
from declutter.features.words import BUCKETS, find_words, ngram_buckets
from declutter.kinds import SCORED
from declutter.model import Network, WordNetwork

ABSENT = -12.0  # score of a kind that a classifier has never seen


def _paragraphs(X: Any) -> list[str]:
    if isinstance(X, str):
        raise ValueError("expected a sequence of paragraphs, not one string")
    paragraphs = list(X)
    if not all(isinstance(paragraph, str) for paragraph in paragraphs):
        raise ValueError("every paragraph must be a str")
    return paragraphs


class _ParagraphTransformer(TransformerMixin, BaseEstimator):
    """A transformer of paragraphs that learns nothing."""

    def fit(self, X: Any, y: Any = None) -> _ParagraphTransformer:
        """Checks the paragraphs; there is nothing to learn."""
        _paragraphs(X)
        self.n_features_out_ = len(self.get_feature_names_out())
        return self

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns."""
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.requires_fit = False
        return tags


class NgramVectorizer(_ParagraphTransformer):
    """Paragraphs to hashed n-grams, exactly as the run time counts them: a sparse matrix, paragraphs x `BUCKETS`.

    Every n-gram weighs one over the root of the paragraph's number of words.
    """

    def transform(self, X: Sequence[str]) -> scipy.sparse.csr_matrix:
        """Counts the n-grams of paragraphs."""
        paragraphs = _paragraphs(X)
        if not paragraphs:
            return scipy.sparse.csr_matrix((0, BUCKETS), dtype=np.float32)
        words = find_words(paragraphs)
        buckets = ngram_buckets(words)
        width = buckets.shape[1]
        weights = np.repeat((1 / np.sqrt(words.counts)).astype(np.float32), words.counts * width)
        rows, columns = np.repeat(words.owner, width), buckets.ravel()
        real = columns > 0
        return scipy.sparse.csr_matrix((weights[real], (rows[real], columns[real])), shape=(len(paragraphs), BUCKETS))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns: hashes have no better ones."""
        return np.array([f"n-gram {i}" for i in range(BUCKETS)], dtype=object)


class ShapeTransformer(_ParagraphTransformer):
    """Paragraphs to the shape columns of the feature table: float32, paragraphs x len(SHAPE)."""

    def transform(self, X: Sequence[str]) -> np.ndarray:
        """Measures paragraphs."""
        paragraphs = _paragraphs(X)
        return shape(find_words(paragraphs)) if paragraphs else np.zeros((0, len(SHAPE)), np.float32)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns."""
        return np.array([name for name, _ in SHAPE], dtype=object)


def name_matrix(tree: Tree) -> scipy.sparse.csr_matrix:
    """The names in a page's markup as a sparse matrix, blocks x twice `NAME_BUCKETS`: own element, then the ones around it."""
    rows, first = name_rows(tree.page)
    which = np.array(tree.page.names)
    counts = np.diff(first)
    weights = np.repeat((1 / np.sqrt(counts)).astype(np.float32), counts)
    names = scipy.sparse.csr_matrix(
        (weights, (np.repeat(np.arange(len(counts)), counts), rows)), shape=(len(counts), NAME_BUCKETS)
    )
    per_node = names[which]
    around = [(np.arange(len(tree.blocks)), tree.blocks)]
    blocks, node = around[0]
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    while True:
        up = node > 0
        blocks, node = blocks[up], tree.parents[node[up]]
        if not len(blocks):
            break
        pairs.append((blocks, node))
    shape_ = (len(tree.blocks), len(which))
    above = (
        scipy.sparse.csr_matrix(
            (
                np.ones(sum(len(b) for b, _ in pairs), np.float32),
                (np.concatenate([b for b, _ in pairs]), np.concatenate([n for _, n in pairs])),
            ),
            shape=shape_,
        )
        if pairs
        else scipy.sparse.csr_matrix(shape_, dtype=np.float32)
    )
    return scipy.sparse.hstack([per_node[tree.blocks], above @ per_node], format="csr")


def linear(iterations: int) -> LogisticRegression:
    """The classifier of names."""
    return LogisticRegression(max_iter=iterations, tol=1e-3)


def linear_weights(fitted: LogisticRegression) -> np.ndarray:
    """Weights of a fitted linear classifier for all `SCORED` kinds, 0 for one that was not in its data: float32, features x kinds."""
    weights = np.zeros((fitted.coef_.shape[1], len(SCORED)), np.float32)
    weights[:, fitted.classes_] = _each_class(fitted.coef_.T, fitted.classes_)
    return weights


def _each_class(scores: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """One column a class: of two classes scikit-learn keeps only the second's, relative to the first's."""
    return np.stack((np.zeros_like(scores[..., 0]), scores[..., 0]), axis=-1) if len(classes) == 2 else scores


def quantised(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights as int8 with one scale a column."""
    scale = np.maximum(np.abs(weights).max(axis=0), 1e-6) / 127
    return np.rint(weights / scale).astype(np.int8), scale.astype(np.float32)


class ColumnScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Columns to mean 0 and deviation 1, clipped at nothing and kept in float32; its scaling can be folded into a network."""

    def fit(self, X: np.ndarray, y: Any = None) -> ColumnScaler:
        """Learns mean and deviation of every column."""
        X = validate_data(self, X, dtype=(np.float32, np.float64))
        self.mean_ = X.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.scale_ = np.maximum(X.std(axis=0, dtype=np.float64), 1e-3).astype(np.float32)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Scales columns."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=(np.float32, np.float64), reset=False)
        return (X - self.mean_) / self.scale_


def perceptron(hidden: int, epochs: int, seed: int, alpha: float, rate: float, batch: int) -> MLPClassifier:
    """The classifier of words, and those of context."""
    return MLPClassifier(
        hidden_layer_sizes=(hidden,),
        alpha=alpha,
        batch_size=batch,
        learning_rate_init=rate,
        max_iter=epochs,
        tol=0,
        n_iter_no_change=epochs + 1,
        random_state=seed,
    )


def as_word_network(fitted: Sequence[MLPClassifier]) -> WordNetwork:
    """Perceptrons over n-grams as one network that averages their scores, with a table of int8."""
    hidden_weights = np.concatenate([one.coefs_[0] for one in fitted], axis=1)
    hidden_weights[0] = 0  # no n-gram: never counted, so what it began with is still there
    table, scale = quantised(hidden_weights)
    outputs = [_all_kinds(one) for one in fitted]
    return WordNetwork(
        table,
        scale,
        np.concatenate([one.intercepts_[0] for one in fitted], dtype=np.float32),
        np.concatenate([weights / len(fitted) for weights, _ in outputs], dtype=np.float32),
        np.stack([bias for _, bias in outputs]).mean(axis=0).astype(np.float32),
    )


def _all_kinds(fitted: MLPClassifier) -> tuple[np.ndarray, np.ndarray]:
    """Output weights and biases for all `SCORED` kinds; one that was not in the data gets a bias that makes it improbable."""
    last = fitted.coefs_[1]
    weights, bias = np.zeros((last.shape[0], len(SCORED))), np.full(len(SCORED), ABSENT)
    weights[:, fitted.classes_] = _each_class(last, fitted.classes_)
    bias[fitted.classes_] = _each_class(fitted.intercepts_[1], fitted.classes_)
    return weights, bias


def as_network(scaler: ColumnScaler, fitted: Sequence[MLPClassifier]) -> Network:
    """Perceptrons of one input as one network that averages their scores; scaling is folded into its weights."""
    hidden_weights = np.concatenate([one.coefs_[0] for one in fitted], axis=1, dtype=np.float64)
    hidden_bias = np.concatenate([one.intercepts_[0] for one in fitted], dtype=np.float64)
    hidden_bias -= (scaler.mean_ / scaler.scale_) @ hidden_weights
    outputs = [_all_kinds(one) for one in fitted]
    return Network(
        (hidden_weights / scaler.scale_[:, None]).astype(np.float32),
        hidden_bias.astype(np.float32),
        np.concatenate([weights / len(fitted) for weights, _ in outputs], dtype=np.float32),
        np.stack([bias for _, bias in outputs]).mean(axis=0).astype(np.float32),
    )
