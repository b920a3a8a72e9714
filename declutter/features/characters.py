"""What a character is: one of thirty classes, looked up in a table for a whole buffer at once.

The table is a file, so that classes and lower case do not change with the Unicode version of the Python that runs
(written by `python -m declutter.training.characters`). It covers the basic plane; what lies above counts as a symbol.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

CLASSES = (
    "space", "lower", "upper", "caseless", "alone", "digit", "mark", "period", "comma", "colon", "semicolon", "exclamation",
    "question", "opening", "closing", "straight", "apostrophe", "dash", "bullet", "bar", "open bracket", "close bracket",
    "currency", "at", "copyright", "percent", "ellipsis", "arrow", "hash", "star", "symbol", "other",
)  # fmt: skip
"""`alone`: letters of scripts written without spaces (Han, Kana, Thai, Lao, Khmer, Burmese), each taken as a word.
`opening`, `closing`, `straight`: quotation marks. `caseless`: letters of scripts without capitals."""

ID = {name: i for i, name in enumerate(CLASSES)}
FILE = Path(__file__).with_name("characters.npz")


@cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    with np.load(FILE, allow_pickle=False) as arrays:
        return arrays["classes"], arrays["steps"] + np.arange(0x10000, dtype=np.uint16)


def _clipped(points: np.ndarray) -> np.ndarray:
    return np.minimum(points, 0xFFFF)


def classify(points: np.ndarray) -> np.ndarray:
    """Index into `CLASSES` of every code point, as uint8."""
    return _table()[0][_clipped(points)]


def lower(points: np.ndarray) -> np.ndarray:
    """Lower case of every code point, as uint16; all above the basic plane become U+FFFF, every digit becomes 0."""
    return _table()[1][_clipped(points)]


def members(*names: str) -> np.ndarray:
    """A table over the classes that is True for the named ones: `members("lower", "upper")[classify(points)]`."""
    table = np.zeros(len(CLASSES), bool)
    table[[ID[name] for name in names]] = True
    return table
