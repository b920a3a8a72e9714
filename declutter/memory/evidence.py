"""What it says of a paragraph that other documents of its site hold it too: a logistic regression, trained beside the classifier.

Repetition is evidence among other evidence. What stands in one document alone, or in none, is judged as without a memory.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from declutter.errors import ModelError

WEIGHTS = "memory.json"  # beside the model
FORMAT = 1
REPEATED = 2  # documents from which a paragraph counts as repeated
COLUMNS = (
    ("content", "log-odds of content by the paragraph itself and what is around it"),
    ("few", "binary logarithm of the number of documents that hold it, up to four of them"),
    ("many", "and from there on"),
    ("share", "their share of the site's documents, times few"),
    ("length", "logarithm of its characters, times few"),
    (
        "likewise",
        "share of its own document's characters that repeat as often, to the fourth power, times few and many",
    ),
    ("neighbours", "how much of that its two neighbours repeat, times few"),
    ("lead", "whether nothing stands before it but what repeats, times few"),
)
"""Input of the regression. What stands in two or three documents may be quoted, or an article that a crawl holds twice; what
stands in many is something else. Where nearly all of a document repeats as often as a paragraph, the document does. What leads it
may be its headline, to which the others link."""


def odds_of(scores: np.ndarray, kind: int = 0) -> np.ndarray:
    """Log-odds of one kind (its place in `SCORED`; 0 is content), from logarithms of the probabilities of all."""
    odds: np.ndarray = scores[:, kind] - np.logaddexp.reduce(np.delete(scores, kind, axis=1), axis=1)
    return odds


def columns(odds: np.ndarray, lengths: np.ndarray, documents: np.ndarray, of: int) -> np.ndarray:
    """The input of the regression: float64, paragraphs x `COLUMNS`.

    Args:
        odds: log-odds of content of each paragraph of a document.
        lengths: characters of each.
        documents: how many documents of the site hold each.
        of: how many documents of the site there are.
    """
    often = np.log2(np.maximum(documents, 1))
    few = np.minimum(often, 2)
    order = np.argsort(-documents, kind="stable")
    characters = np.cumsum(lengths[order])
    last = np.searchsorted(-documents[order], -documents, side="right") - 1  # of those that repeat as often
    likewise = (characters[last] / max(characters[-1], 1)) ** 4
    around = np.concatenate(([0.0], often, [0.0]))
    both = np.minimum(around[:-2], often) + np.minimum(around[2:], often)
    neighbours = both / np.maximum(2 * often, 1)
    lead = np.cumsum(documents < REPEATED) == (documents < REPEATED)
    share, length = documents / max(of, 1), np.log(np.maximum(lengths, 1))
    parts = few, often - few, few * share, few * length, often * likewise, few * neighbours, few * lead
    return np.stack([odds, *parts], axis=1, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class MemoryWeights:
    """The trained regression.

    Attributes:
        weights: of each of `COLUMNS`.
        about: the whole description, as in memory.json.
    """

    weights: tuple[float, ...]
    about: dict[str, Any]

    def shifts(self, scores: np.ndarray, lengths: np.ndarray, documents: np.ndarray, of: int) -> np.ndarray:
        """By how much a memory changes each paragraph's log-odds of content: down or, for what does not repeat, not at all.

        Args:
            scores: logarithms of the probabilities without it, paragraphs x kinds.
            lengths, documents, of: see `columns`.
        """
        odds = odds_of(scores.astype(np.float64))
        changed = columns(odds, lengths, documents, of) @ np.array(self.weights)
        return np.where(documents >= REPEATED, np.minimum(changed - odds, 0.0), 0.0)


def shifted(scores: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Logarithms of the probabilities after a change of the log-odds of content; the ratios of all other kinds stay.

    Rows without a change stay as they are, bit for bit.
    """
    rows = np.flatnonzero(shifts)
    if not len(rows):
        return scores
    before = scores[rows].astype(np.float64)
    odds = odds_of(before) + shifts[rows]
    others = np.logaddexp.reduce(before[:, 1:], axis=1, keepdims=True)
    found = scores.copy()
    found[rows, 0] = -np.logaddexp(0, -odds)
    found[rows, 1:] = before[:, 1:] - others - np.logaddexp(0, odds)[:, None]
    return found


def load_weights(folder: Path) -> MemoryWeights | None:
    """The regression that lies beside a model; None where there is none.

    Raises:
        ModelError: it cannot be read, or is of another format or for other columns.
    """
    path = folder / WEIGHTS
    try:
        about = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ModelError(f"{path} does not hold the weights of a memory in format {FORMAT}")
    weights = about.get("weights")
    if not isinstance(weights, dict) or list(weights) != [name for name, _ in COLUMNS]:
        raise ModelError(f"{path} was trained on other columns than this version of declutter computes")
    if not all(isinstance(weight, (int, float)) and np.isfinite(weight) for weight in weights.values()):
        raise ModelError(f"{path}: a weight is no number")
    return MemoryWeights(tuple(map(float, weights.values())), about)
