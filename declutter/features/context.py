"""Where a paragraph stands and what stands around it: linear in the number of paragraphs, whatever the document's size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from declutter.features.shape import SHAPE
from declutter.features.words import Words
from declutter.kinds import SCORED, Kind

CONTENT = SCORED.index(Kind.CONTENT)
LONG = 100  # characters from which a paragraph says something about the document's vocabulary
OFFSETS = (-1, 1, -2, 2, -3, 3)
WINDOWS = (4, 12)
EVEN = float(np.log(1 / len(SCORED)))  # the score that says nothing
FAINT = -6.0  # lower scores count as this: one paragraph must not outweigh its whole window
_SHAPE_WINDOWS = (3, 8)
_NAMES = [name for name, _ in SHAPE]
_STOP = _NAMES.index("ends with a full stop")
_WINDOW_COLUMNS = [_NAMES.index(name) for name in ("length", "ends with a full stop", "capitalised words", "digits", "begins with a capital")]
_NEIGHBOUR_COLUMNS = [_NAMES.index(name) for name in ("length", "words", "capitalised words", "all capitals", "digits", "begins in lower case", "ends with a full stop", "ends with a colon", "ends with a letter", "quotations")]  # fmt: skip

PLACE = (
    ("position", "place in the document, from 0 at its start to 1 at its end"),
    ("from the start", "paragraphs before it"),
    ("from the end", "paragraphs after it"),
    ("characters before", "share of the document's characters before it"),
    ("paragraphs", "number of paragraphs of the document"),
    ("characters", "number of characters of the document"),
    ("long paragraphs", "share of the document's characters in long paragraphs"),
    ("repeated", "how often the same paragraph stands in the document"),
    ("repeats", "whether it stood in the document before"),
    ("vocabulary", "share of its longer words that long paragraphs around it use"),
    ("vocabulary of the start", "share of its longer words that the first paragraphs use"),
    ("since long", "paragraphs since the last long one"),
    ("until long", "paragraphs until the next long one"),
    ("likeness before", "difference in length to the paragraph before"),
    ("likeness after", "difference in length to the paragraph after"),
    ("likeness two before", "difference in length to the second paragraph before"),
    ("likeness two after", "difference in length to the second paragraph after"),
    ("long text before", "share of the document's long paragraphs that lies before it"),
    ("long text after", "share of the document's long paragraphs that lies after it"),
    ("fragment", "is short and ends without a full stop"),
    ("fragments before", "number of fragments right before it"),
    ("fragments after", "number of fragments right after it"),
)
"""Name and meaning of every column of `place` but the neighbours' shape, which follows."""


@cache
def neighbour_names() -> list[tuple[str, str]]:
    """Name and meaning of the columns of `place` that tell the shape of the paragraphs around."""
    names = [(f"{SHAPE[c][0]}, {where}", f"{where}: {SHAPE[c][1]}") for where in ("paragraph before", "paragraph after") for c in _NEIGHBOUR_COLUMNS]
    return names + [(f"{SHAPE[c][0]}, {size} {where}", f"{size} paragraphs {where}: {SHAPE[c][1]}") for size in _SHAPE_WINDOWS for where in ("before", "after") for c in _WINDOW_COLUMNS]


def place(words: Words, shape: np.ndarray) -> np.ndarray:
    """Position, repetition, vocabulary and the neighbours' shape: float32, paragraphs x columns (see `PLACE`)."""
    count = len(shape)
    lengths = (np.diff(words.bounds) - 1).astype(np.float32)
    index = np.arange(count, dtype=np.float32)
    before = np.cumsum(lengths) - lengths
    total = lengths.sum()
    long = lengths >= LONG
    columns = np.empty((count, len(PLACE) + len(neighbour_names())), np.float32)
    columns[:, 0] = index / max(1, count - 1)
    columns[:, 1] = np.log1p(index)
    columns[:, 2] = np.log1p(count - 1 - index)
    columns[:, 3] = before / total
    columns[:, 4] = np.log1p(count)
    columns[:, 5] = np.log1p(total)
    columns[:, 6] = lengths[long].sum() / total
    columns[:, 7], columns[:, 8] = _repetition(words)
    columns[:, 9], columns[:, 10] = _vocabulary(words, long)
    columns[:, 11] = np.log1p(_since(long))
    columns[:, 12] = np.log1p(_since(long[::-1])[::-1])
    logs = shape[:, 0]
    columns[:, 13:17] = 0
    for column, offset in ((13, 1), (15, 2)):
        if count > offset:
            difference = logs[offset:] - logs[:-offset]
            columns[offset:, column] = difference
            columns[:-offset, column + 1] = -difference
    running = np.cumsum(lengths * long)
    whole = running[-1] + 1
    columns[:, 17] = (running - lengths * long) / whole
    columns[:, 18] = 1 - running / whole
    fragment = (lengths < LONG) & (shape[:, _STOP] == 0)
    columns[:, 19] = fragment
    columns[:, 20] = np.log1p(_since(~fragment))
    columns[:, 21] = np.log1p(_since(~fragment[::-1])[::-1])
    around = shape[:, _NEIGHBOUR_COLUMNS]
    at, width = len(PLACE), len(_NEIGHBOUR_COLUMNS)
    columns[:, at : at + 2 * width] = 0
    columns[1:, at : at + width] = around[:-1]
    columns[:-1, at + width : at + 2 * width] = around[1:]
    at += 2 * width
    sums = np.zeros((count + 1, len(_WINDOW_COLUMNS)), np.float32)
    np.cumsum(shape[:, _WINDOW_COLUMNS], axis=0, out=sums[1:])
    for before_it, after_it in _windows(sums, _SHAPE_WINDOWS):
        for part in (before_it, after_it):
            columns[:, at : at + len(_WINDOW_COLUMNS)] = part
            at += len(_WINDOW_COLUMNS)
    return columns


def _windows(sums: np.ndarray, sizes: Sequence[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """From running sums, the sums over the paragraphs before and after each one, divided by the size of the window."""
    count = len(sums) - 1
    index = np.arange(count)
    for size in sizes:
        yield (sums[index] - sums[np.maximum(index - size, 0)]) / size, (sums[np.minimum(index + 1 + size, count)] - sums[index + 1]) / size


def _since(marks: np.ndarray) -> np.ndarray:
    """Number of paragraphs since the last marked one; since the start where there is none."""
    index = np.arange(len(marks))
    return index - np.maximum.accumulate(np.where(marks, index, -1))


def _repetition(words: Words) -> tuple[np.ndarray, np.ndarray]:
    prints = np.add.reduceat(words.hashes * (np.arange(len(words.hashes), dtype=np.uint64) - words.first[:-1].astype(np.uint64).repeat(words.counts) + np.uint64(1)), words.first[:-1])
    _, firsts, inverse, counts = np.unique(prints, return_index=True, return_inverse=True, return_counts=True)
    return np.log(counts[inverse]).astype(np.float32), (firsts[inverse] != np.arange(len(prints))).astype(np.float32)


def _vocabulary(words: Words, long: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of each paragraph's words of five letters or more that the long paragraphs, and that the first three, use too."""
    owner = words.owners()
    chosen = np.flatnonzero(words.ends - words.starts >= 5)
    if not len(chosen):
        return np.zeros(len(long), np.float32), np.zeros(len(long), np.float32)
    owner = owner[chosen]
    _, word = np.unique(words.hashes[chosen], return_inverse=True)
    pairs = np.unique(word.astype(np.int64) * len(long) + owner)  # each word once a paragraph
    word, owner = np.divmod(pairs, len(long))
    each = np.maximum(np.bincount(owner, minlength=len(long)), 1).astype(np.float32)
    shares = []
    for members in (long, np.arange(len(long)) < 3):
        inside = members[owner]
        used = np.bincount(word[inside], minlength=word[-1] + 1)
        elsewhere = used[word] - inside > 0
        shares.append(np.bincount(owner, weights=elsewhere, minlength=len(long)).astype(np.float32) / each)
    return shares[0], shares[1]


def _window_names() -> list[str]:
    return [f"{width} paragraphs {side}" for width in WINDOWS for side in ("before", "after")]


def surroundings_names(kinds: Sequence[Kind] = SCORED) -> list[tuple[str, str]]:
    """Name and meaning of every column of `surroundings`."""
    where = ["itself", *(f"{abs(o)} {'before' if o < 0 else 'after'}" for o in OFFSETS), *_window_names(), "whole document"]
    rows = [(f"{kind}: {place}", f"how much {'its own words' if place == 'itself' else f'the paragraph{chr(115) if place[0] != str(1) else str()} {place}'} look like {kind}") for place in where for kind in kinds]
    return rows + [
        ("article before", "share of the article that lies before it"),
        ("article after", "share of the article that lies after it"),
        ("since article", "paragraphs since the last article paragraph"),
        ("until article", "paragraphs until the next article paragraph"),
        ("article characters", "characters of article in the document"),
        ("strongest notice near", "strongest sign of a notice within three paragraphs"),
    ]


def surroundings(scores: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """What the paragraphs around each one look like, from the scores of a pass before.

    Args:
        scores: float32, paragraphs x kinds: logarithms of probabilities.
        lengths: characters of each paragraph.

    Returns:
        float32, paragraphs x columns (see `surroundings_names`).
    """
    count, width = scores.shape
    likely = np.exp(scores)
    reach = max(map(abs, OFFSETS))
    padded = np.zeros((count + 2 * reach, width), np.float32)
    padded[reach : reach + count] = likely
    evidence = np.zeros((count + 1, width), np.float32)
    np.cumsum(np.maximum(scores, FAINT) - EVEN, axis=0, out=evidence[1:])
    parts = [np.maximum(scores, -8)]
    parts += [padded[reach + offset : reach + offset + count] for offset in OFFSETS]
    for before_it, after_it in _windows(evidence, WINDOWS):
        parts += (before_it, after_it)
    parts.append(np.broadcast_to(likely.mean(axis=0), likely.shape))
    article = likely[:, CONTENT] * lengths
    mass = np.cumsum(article)
    whole = mass[-1] + 1
    strong = (likely[:, CONTENT] > 0.5) & (lengths >= LONG)
    notice = padded[:, CONTENT + 3 :].max(axis=1) if width > 3 else padded[:, 0]
    near = np.max([notice[reach + offset : reach + offset + count] for offset in OFFSETS], axis=0)
    rest = (
        (mass - article) / whole,
        1 - mass / whole,
        np.log1p(_since(strong)),
        np.log1p(_since(strong[::-1])[::-1]),
        np.full(count, np.log1p(whole)),
        near,
    )
    parts.append(np.stack(rest, axis=1))
    return np.concatenate(parts, axis=1, dtype=np.float32)
