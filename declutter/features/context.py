"""Where a paragraph stands and what stands around it: linear in the number of paragraphs, whatever the document's size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from declutter.features.shape import SHAPE
from declutter.features.words import Words
from declutter.kinds import SCORED, Kind

CONTENT = SCORED.index(Kind.CONTENT)
_WORD = 5  # letters of a word that counts as vocabulary
LONG = 100  # characters from which a paragraph says something about the document's vocabulary
OFFSETS = (-1, 1, -2, 2, -3, 3)
WINDOWS = (4, 12)
EVEN = float(np.log(1 / len(SCORED)))  # the score that says nothing
FAINT = -6.0  # lower scores count as this: one paragraph must not outweigh its whole window

RUN_BOUNDS = (2.0, 6.0)  # log-odds
STRONGEST = 8.0  # log-odds that one paragraph adds to a run at most
_SHAPE_WINDOWS = (3, 8)
_NAMES = [name for name, _ in SHAPE]
_STOP = _NAMES.index("ends with a full stop")
_WINDOW_COLUMNS = [
    _NAMES.index(name)
    for name in ("length", "ends with a full stop", "capitalised words", "digits", "begins with a capital")
]
_NEIGHBOUR_SHAPE = (
    "length", "words", "capitalised words", "all capitals", "digits", "exclamation marks", "currency signs", "begins in lower case",
    "ends with a full stop", "ends with a colon", "ends with a letter", "ends with a comma", "quotations",
)  # fmt: skip
_NEIGHBOUR_COLUMNS = [_NAMES.index(name) for name in _NEIGHBOUR_SHAPE]

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
    ("fragments before", "length of the run of fragments that ends with it"),
    ("fragments after", "length of the run of fragments that begins with it"),
)
"""Name and meaning of every column of `place` but the neighbours' shape, which follows."""


@cache
def neighbour_names() -> list[tuple[str, str]]:
    """Name and meaning of the columns of `place` that tell the shape of the paragraphs around."""
    names = [
        (f"{SHAPE[c][0]}, {where}", f"{where}: {SHAPE[c][1]}")
        for where in ("paragraph before", "paragraph after")
        for c in _NEIGHBOUR_COLUMNS
    ]
    return names + [
        (f"{SHAPE[c][0]}, {size} {where}", f"{size} paragraphs {where}: {SHAPE[c][1]}")
        for size in _SHAPE_WINDOWS
        for where in ("before", "after")
        for c in _WINDOW_COLUMNS
    ]


def place(words: Words, shape: np.ndarray) -> np.ndarray:
    """Position, repetition, vocabulary and the neighbours' shape: float32, paragraphs x columns (see `PLACE`)."""
    count = len(shape)
    lengths = words.lengths.astype(np.float32)
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
    for around in _windows(shape[:, _WINDOW_COLUMNS], _SHAPE_WINDOWS):
        columns[:, at : at + len(_WINDOW_COLUMNS)] = around
        at += len(_WINDOW_COLUMNS)
    return columns


def _windows(values: np.ndarray, sizes: Sequence[int]) -> Iterator[np.ndarray]:
    """Sums of values over the paragraphs before each one, then over those after it, divided by the window's size, for each size."""
    count, reach = len(values), max(sizes)
    sums = np.zeros((count + 2 * reach + 1, values.shape[1]), np.float32)  # running sums, level beyond both ends
    np.cumsum(values, axis=0, out=sums[reach + 1 : reach + 1 + count])
    sums[reach + 1 + count :] = sums[reach + count]
    until, after = sums[reach : reach + count], sums[reach + 1 : reach + 1 + count]
    for size in sizes:
        yield (until - sums[reach - size : reach - size + count]) / size
        yield (sums[reach + 1 + size : reach + 1 + size + count] - after) / size


def _since(marks: np.ndarray) -> np.ndarray:
    """Number of paragraphs since the last marked one; since the start where there is none."""
    index = np.arange(len(marks))
    return index - np.maximum.accumulate(np.where(marks, index, -1))


def _repetition(words: Words) -> tuple[np.ndarray, np.ndarray]:
    """Logarithm of how often each paragraph's words stand in the document in this order, and whether they did before."""
    prints = np.concatenate([_prints(part) for part in words.parts()])
    _, earliest, number, counts = np.unique(prints, return_index=True, return_inverse=True, return_counts=True)
    repeats = np.ones(len(prints), np.float32)
    repeats[earliest] = 0
    return np.log(counts.astype(np.float32))[number], repeats


def _prints(words: Words) -> np.ndarray:
    """64 bits for the words of each paragraph in their order."""
    place = np.arange(len(words.hashes)) - words.first[words.owner]
    prints: np.ndarray = np.add.reduceat(words.hashes * (2 * place + 1).astype(np.uint64), words.first[:-1])
    return prints


def _vocabulary(words: Words, long: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of each paragraph's words of five letters or more that other long paragraphs, and other ones of the first three, use.

    A table of slots remembers the first and the last paragraph that uses a word; two words seldom share a slot.
    """
    chosen = np.flatnonzero(words.ends - words.starts >= _WORD)
    owner = words.owner[chosen]
    bits = len(owner).bit_length() + 3
    slots = (words.hashes[chosen] >> np.uint64(64 - bits)).astype(np.intp)
    each = np.maximum(np.bincount(owner, minlength=len(long)), 1).astype(np.float32)
    shares = []
    for members in (long, np.arange(len(long)) < 3):
        users = np.flatnonzero(members[owner])
        slot, user = slots[users], owner[users]
        earliest, latest = np.full((2, 1 << bits), -1, np.int32)
        latest[slot] = user  # of several the last one stays
        earliest[slot[::-1]] = user[::-1]
        found = latest[slots]
        elsewhere = ((found != owner) & (found >= 0)) | (earliest[slots] != found)
        shares.append(np.bincount(owner[elsewhere], minlength=len(long)) / each)
    return shares[0], shares[1]


def _window_names() -> list[str]:
    return [f"{width} paragraphs {side}" for width in WINDOWS for side in ("before", "after")]


def surroundings_names(kinds: Sequence[Kind] = SCORED) -> list[tuple[str, str]]:
    """Name and meaning of every column of `surroundings`."""
    where = [
        "itself",
        *(f"{abs(offset)} {'before' if offset < 0 else 'after'}" for offset in OFFSETS),
        *_window_names(),
        "whole document",
    ]

    def who(place: str) -> str:
        if place == "itself":
            return "its own words"
        return f"the paragraph {place}" if place[:2] == "1 " else f"the paragraphs {place}"

    return [
        *((f"{kind}: {place}", f"how much {who(place)} look like {kind}") for place in where for kind in kinds),
        ("article before", "share of the article that lies before it"),
        ("article after", "share of the article that lies after it"),
        ("since article", "paragraphs since the last article paragraph"),
        ("until article", "paragraphs until the next article paragraph"),
        ("article characters", "characters of article in the document"),
        ("strongest notice near", "strongest sign of a notice within three paragraphs"),
        *(
            (f"run {side}, {bound:g}", f"whether it goes on with a notice or with the article {side} it")
            for bound in RUN_BOUNDS
            for side in ("before", "after")
        ),
    ]


def _runs(content: np.ndarray) -> list[np.ndarray]:
    """What the paragraphs before, and those after, say of each one if article and notice change seldom: log-odds of a notice.

    These are the messages of a chain of two states (max-sum belief propagation; Pearl 1988): evidence adds up along a run, and
    a bound, the cost of a change, lets it end quickly.
    """
    odds = np.log1p(-np.exp(np.minimum(content, -1e-4))) - content
    evidence = np.minimum(np.maximum(odds, -STRONGEST), STRONGEST).tolist()
    return [
        column
        for bound in RUN_BOUNDS
        for column in (_messages(evidence, bound), _messages(evidence[::-1], bound)[::-1])
    ]


def _messages(evidence: list[float], bound: float) -> np.ndarray:
    messages, message = [], 0.0
    for value in evidence:
        messages.append(message)
        message += value
        if message > bound:
            message = bound
        elif message < -bound:
            message = -bound
    return np.array(messages, np.float32)


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
    offsets = [slice(reach + offset, reach + offset + count) for offset in OFFSETS]
    article = likely[:, CONTENT] * lengths
    mass = np.cumsum(article)
    whole = mass[-1] + 1
    strong = (likely[:, CONTENT] > 0.5) & (lengths >= LONG)
    notice = padded[:, CONTENT + 3 :].max(axis=1) if width > 3 else padded[:, 0]

    columns = np.empty((count, (2 + len(OFFSETS) + 2 * len(WINDOWS)) * width + 6 + 2 * len(RUN_BOUNDS)), np.float32)
    at = 0
    for part in (
        np.maximum(scores, -8),
        *(padded[where] for where in offsets),
        *_windows(np.maximum(scores, FAINT) - EVEN, WINDOWS),
        np.add.reduce(likely) / count,
    ):
        columns[:, at : at + width] = part
        at += width
    for column in (
        (mass - article) / whole,
        1 - mass / whole,
        np.log1p(_since(strong)),
        np.log1p(_since(strong[::-1])[::-1]),
        np.log1p(whole),
        np.maximum.reduce([notice[where] for where in offsets]),
        *_runs(scores[:, CONTENT]),
    ):
        columns[:, at] = column
        at += 1
    return columns
