"""The feature extractor: one literal table of families, and one function that fills them. Training and run time share it.

Text has no markup columns at all: what is missing is not there, and text and pages have classifiers of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from declutter.document import Source
from declutter.features.context import PLACE, neighbour_names, place, surroundings, surroundings_names
from declutter.features.layout import ALL, Layout, Rows
from declutter.features.markup import MARKUP, REGION, Tree, markup, region
from declutter.features.shape import SHAPE, shape
from declutter.features.words import Words, find_words
from declutter.kinds import SCORED


class Feature(NamedTuple):
    """One column of the classifier's input.

    Attributes:
        name: unique, and checked when a model is loaded.
        meaning: completes "The paragraph ..." or names a quantity; what `reasons()` prints.
        family: where it comes from.
        markup: whether it needs a page's markup.
        scored: whether it needs scores of a pass before.
    """

    name: str
    meaning: str
    family: str
    markup: bool
    scored: bool


def _family(
    family: str, rows: Sequence[tuple[str, str]], markup: bool = False, scored: bool = False
) -> tuple[Feature, ...]:
    return tuple(Feature(f"{family}: {name}", meaning, family, markup, scored) for name, meaning in rows)


FEATURES = (
    *_family("shape", SHAPE),
    *_family("place", (*PLACE, *neighbour_names())),
    *_family("words", [(kind, f"its words sound like {kind}") for kind in SCORED]),
    *_family("markup", MARKUP, markup=True),
    *_family("names", [(kind, f"the names in its markup are those of {kind}") for kind in SCORED], markup=True),
    *_family("region", REGION, markup=True, scored=True),
    *_family("around", surroundings_names(), scored=True),
)
"""Every column of the classifier's input, in order. A text has those that need no markup."""


def feature_names(with_markup: bool, scored: bool = True) -> list[str]:
    """Names of the columns for pages (`with_markup`) or for text, in order; without `scored`, of those that need no scores."""
    return [
        feature.name for feature in FEATURES if (with_markup or not feature.markup) and (scored or not feature.scored)
    ]


BLOCK = 256  # paragraphs that go through a network at a time


@dataclass(slots=True)
class Evidence:
    """Everything about the paragraphs of some pages, or of some texts, that does not depend on the scores of a pass over them.

    Attributes:
        layout: which paragraphs belong to which document.
        words: characters and words.
        lengths: characters of each paragraph, float32.
        fixed: columns that no scores go into but those of words and names, float32.
        word_scores: logarithm of each kind's probability by words alone, paragraphs x kinds.
        trees: every page's elements; none for texts.
    """

    layout: Layout
    words: Words
    lengths: np.ndarray
    fixed: np.ndarray
    word_scores: np.ndarray
    trees: list[Tree]

    def columns(self, scores: np.ndarray) -> np.ndarray:
        """The input of a pass that sees what is around, given scores of the one before: float32, paragraphs x features."""
        return self._columns(scores)(ALL)

    def blocks(self, scores: np.ndarray | None) -> Iterator[np.ndarray]:
        """The same, or without scores the fixed columns, `BLOCK` paragraphs at a time: a long page's would fill the memory."""
        columns = self.fixed.__getitem__ if scores is None else self._columns(scores)
        for start in range(0, len(self.fixed), BLOCK):
            yield columns(slice(start, start + BLOCK))

    def _columns(self, scores: np.ndarray) -> Rows:
        around = surroundings(scores, self.lengths, self.layout)
        if not self.trees:
            return lambda rows: np.concatenate((self.fixed[rows], around(rows)), axis=1)
        article = np.exp(scores[:, 0])
        regions = np.concatenate(
            [
                region(tree, article[rows], self.lengths[rows])
                for tree, rows in zip(self.trees, self.layout.slices(), strict=True)
            ]
        )
        return lambda rows: np.concatenate((self.fixed[rows], regions[rows], around(rows)), axis=1)


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Logarithms of the probabilities that scores stand for, row by row."""
    shifted: np.ndarray = scores - scores.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def extract(
    sources: Sequence[Source],
    word_scorer: Callable[[Words], np.ndarray],
    name_scorer: Callable[[Tree], np.ndarray] | None,
) -> Evidence:
    """Features of every paragraph of some sources.

    Args:
        sources: texts, or pages, each of at least one paragraph. What comes of one does not depend on the others.
        word_scorer: turns words into scores, paragraphs x kinds.
        name_scorer: names in a page's markup into scores, paragraphs x kinds; None to leave markup aside.
    """
    pages = [source.page for source in sources if source.page is not None and name_scorer is not None]
    trees = [Tree(page) for page in pages]
    layout = Layout([len(source.texts) for source in sources])
    words = find_words([text for source in sources for text in source.texts])
    lengths = words.lengths.astype(np.float32)
    fixed = np.empty((len(lengths), _width(bool(trees))), np.float32)
    at = 0

    def following(width: int) -> np.ndarray:
        """The next so many columns."""
        nonlocal at
        at += width
        return fixed[:, at - width : at]

    of_shape = following(len(SHAPE))
    of_shape[:] = shape(words)
    place(words, of_shape, layout, following(len(PLACE) + len(neighbour_names())))
    word_scores = log_softmax(word_scorer(words))
    np.maximum(word_scores, -8, out=following(len(SCORED)))
    if name_scorer is not None and trees:
        of_markup, of_names = following(len(MARKUP)), following(len(SCORED))
        for tree, rows in zip(trees, layout.slices(), strict=True):
            markup(tree, words if len(trees) == 1 else words.part(rows), lengths[rows], of_markup[rows])
            of_names[rows] = name_scorer(tree)
    return Evidence(layout, words, lengths, fixed, word_scores, trees)


@cache
def _width(with_markup: bool) -> int:
    return len(feature_names(with_markup, scored=False))


def features_table() -> str:
    """The features as a Markdown table."""
    return "\n".join(
        (
            "| feature | meaning | needs markup |",
            "|---|---|---|",
            *(f"| {f.name} | {f.meaning} | {'yes' if f.markup else ''} |" for f in FEATURES),
        )
    )


__all__ = [
    "FEATURES",
    "Evidence",
    "Feature",
    "extract",
    "feature_names",
    "features_table",
    "log_softmax",
]
