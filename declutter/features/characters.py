"""What a character is: one of 33 classes, looked up in a table for a whole buffer at once.

The table is a file, so that classes and lower case do not change with the Unicode version of the Python that runs
(written by `python -m declutter.training.characters`). It covers the basic plane; what lies above counts as a symbol.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

CLASSES = (
    "space", "alone", "lower", "upper", "caseless", "mark", "digit", "period", "exclamation", "question", "comma", "colon", "semicolon",
    "opening", "closing", "straight", "guillemet", "apostrophe", "dash", "bullet", "bar", "open bracket", "close bracket",
    "currency", "at", "copyright", "percent", "ellipsis", "arrow", "hash", "star", "symbol", "other",
)  # fmt: skip
"""`alone`: letters of scripts written without spaces (Han, Kana, Thai, Lao, Khmer, Burmese), each taken as a word.
`caseless`: letters of scripts without capitals. `opening`, `closing`, `straight`: quotation marks; `guillemet`: those that lead
on as often as they quote."""

ID = {name: i for i, name in enumerate(CLASSES)}
_FIRST, _LAST = np.uint8(ID["lower"]), np.uint8(ID["digit"])  # the classes of which words are made stand side by side
_STOPS = (np.uint8(ID["period"]), np.uint8(ID["question"]))  # and so do those that end sentences
FILE = Path(__file__).with_name("characters.npz")


@cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    with np.load(FILE, allow_pickle=False) as arrays:
        return arrays["classes"], _spread(arrays["steps"] + np.arange(0x10000, dtype=np.uint16))


def _spread(points: np.ndarray) -> np.ndarray:
    """A number of 64 random-looking bits for every code point."""
    values = (points.astype(np.uint64) + np.uint64(1)) * _MIX
    values ^= values >> np.uint64(31)
    return values


_MIX = np.uint64(0xD6E8FEB86659FD93)


def look_up(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Class and value of every code point.

    Args:
        points: code points of any width.

    Returns:
        Indices into `CLASSES` (uint8), and numbers to hash (uint64), equal for upper and lower case, for all digits, and for
        everything above the basic plane.
    """
    classes, values = _tables()
    indices = points.astype(np.intp)
    return classes.take(indices, mode="clip"), values.take(indices, mode="clip")


def in_word(classes: np.ndarray) -> np.ndarray:
    """Whether characters of these classes (uint8) go on with their neighbours as a word: letters, marks and digits."""
    return (classes - _FIRST) <= _LAST - _FIRST


def ends_sentence(classes: np.ndarray) -> np.ndarray:
    """Whether characters of these classes (uint8) are full stops, exclamation or question marks."""
    return (classes - _STOPS[0]) <= _STOPS[1] - _STOPS[0]


def members(*names: str) -> np.ndarray:
    """A table over the classes that is True for the named ones: `members("lower", "upper")[classes]`."""
    table = np.zeros(len(CLASSES), bool)
    table[[ID[name] for name in names]] = True
    return table
