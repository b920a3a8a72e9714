"""Where a paragraph stands and what stands around it: linear in the number of paragraphs, whatever the document's size."""

from __future__ import annotations

from functools import cache

import numpy as np

from declutter.features.layout import ALL, OFFSETS, Layout, Rows
from declutter.features.shape import SHAPE
from declutter.features.words import Words
from declutter.kinds import SCORED, Kind

CONTENT = SCORED.index(Kind.CONTENT)
_NOTICES = slice(CONTENT + 3, None)  # what is no caption and no byline either
_ODD = np.uint64(0x9E3779B97F4A7C15)
_WORD = 5  # letters of a word that counts as vocabulary
LONG = 100  # characters from which a paragraph says something about the document's vocabulary
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


def place(words: Words, shape: np.ndarray, layout: Layout, columns: np.ndarray) -> None:
    """Fills in position, repetition, vocabulary and the neighbours' shape: float32, paragraphs x columns (see `PLACE`)."""
    lengths = words.lengths
    count, total = layout.spread(layout.counts), layout.spread(layout.totals(lengths))
    long = lengths >= LONG
    columns[:, 0] = layout.index / np.maximum(1, count - 1)
    columns[:, 1] = np.log1p(layout.index)
    columns[:, 2] = np.log1p(count - 1 - layout.index)
    columns[:, 3] = (layout.running(lengths) - lengths) / total
    columns[:, 4] = np.log1p(count)
    columns[:, 5] = np.log1p(total)
    running = layout.running(lengths * long)
    of_long = layout.spread(layout.totals(lengths * long))
    columns[:, 6] = of_long / total
    columns[:, 7], columns[:, 8] = _repetition(words, layout)
    columns[:, 9], columns[:, 10] = _vocabulary(words, long, layout)
    columns[:, 11] = np.log1p(layout.since(long))
    columns[:, 12] = np.log1p(layout.until(long))
    logs = shape[:, :1]
    difference = logs - layout.neighbours(logs, 4)(ALL)[:, :, 0]
    difference[layout.near[:, :4] == len(layout)] = 0
    columns[:, 13:17] = difference
    columns[:, 17] = (running - lengths * long) / (of_long + 1)
    columns[:, 18] = 1 - running / (of_long + 1)
    fragment = (lengths < LONG) & (shape[:, _STOP] == 0)
    columns[:, 19] = fragment
    columns[:, 20] = np.log1p(layout.since(~fragment))
    columns[:, 21] = np.log1p(layout.until(~fragment))
    at = len(PLACE)
    for around in (
        layout.neighbours(shape[:, _NEIGHBOUR_COLUMNS], 2)(ALL).reshape(len(layout), -1),
        layout.windows(shape[:, _WINDOW_COLUMNS], _SHAPE_WINDOWS)(ALL),
    ):
        columns[:, at : at + around.shape[1]] = around
        at += around.shape[1]


def _repetition(words: Words, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Logarithm of how often each paragraph's words stand in the document in this order, and whether they did before."""
    prints = np.concatenate([_prints(part) for part in words.parts()])
    prints += layout.of.astype(np.uint64) * _ODD  # the same words in another document are others
    order = np.argsort(prints, kind="stable")
    prints = prints[order]
    first = np.ones(len(prints), bool)
    np.not_equal(prints[1:], prints[:-1], out=first[1:])
    number = np.add.accumulate(first, dtype=np.intp) - 1
    often, repeats = np.empty((2, len(prints)), np.float32)
    often[order] = np.log(np.bincount(number))[number]
    repeats[order] = ~first
    return often, repeats


def _prints(words: Words) -> np.ndarray:
    """64 bits for the words of each paragraph in their order."""
    place = np.arange(len(words.hashes)) - words.first[words.owner]
    prints: np.ndarray = np.add.reduceat(words.hashes * (2 * place + 1).astype(np.uint64), words.first[:-1])
    return prints


def _vocabulary(words: Words, long: np.ndarray, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Share of each paragraph's words of five letters or more that other long paragraphs, and other ones of the first three, use.

    A table of slots for each document remembers the first and the last paragraph that uses a word; two words seldom share a slot.
    """
    chosen = np.flatnonzero(words.ends - words.starts >= _WORD)
    owner = words.owner[chosen]
    each = np.bincount(owner, minlength=len(layout))
    slots, size = _slots(words.hashes[chosen], owner, each, layout)
    number = np.maximum(each, 1).astype(np.float32)
    shares = []
    for members in (long, layout.index < 3):
        users = np.flatnonzero(members[owner])
        slot, user = slots[users], owner[users]
        table = np.full(size, -1, np.int32)
        table[slot] = user  # of several the last one stays
        latest = table[slots]
        table[slot[::-1]] = user[::-1]
        elsewhere = ((latest != owner) & (latest >= 0)) | (table[slots] != latest)
        shares.append(np.bincount(owner[elsewhere], minlength=len(layout)) / number)
    return shares[0], shares[1]


def _slots(hashes: np.ndarray, owner: np.ndarray, each: np.ndarray, layout: Layout) -> tuple[np.ndarray, int]:
    """A slot for each word in the table of its document, eight to sixteen times as large as the words are many, and all tables' size."""
    if len(layout.counts) == 1:
        bits = len(owner).bit_length() + 3
        return (hashes >> np.uint64(64 - bits)).astype(np.intp), 1 << bits
    bits_of = np.frexp(layout.totals(each))[1] + 3  # the exponent is the bit length
    sizes = 1 << bits_of
    document = layout.of[owner]
    slots = (hashes >> (64 - bits_of).astype(np.uint64)[document]).astype(np.intp)
    slots += (np.cumsum(sizes) - sizes)[document]
    return slots, int(sizes.sum())


def _window_names() -> list[str]:
    return [f"{width} paragraphs {side}" for width in WINDOWS for side in ("before", "after")]


@cache
def surroundings_names() -> list[tuple[str, str]]:
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
        *((f"{kind}: {place}", f"how much {who(place)} look like {kind}") for place in where for kind in SCORED),
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


def _runs(content: np.ndarray, layout: Layout) -> list[np.ndarray]:
    """What the paragraphs before, and those after, say of each one if article and notice change seldom: log-odds of a notice.

    These are the messages of a chain of two states (max-sum belief propagation; Pearl 1988): evidence adds up along a run, and
    a bound, the cost of a change, lets it end quickly.
    """
    odds = np.log1p(-np.exp(np.minimum(content, -1e-4))) - content
    evidence = np.minimum(np.maximum(odds, -STRONGEST), STRONGEST).tolist()
    documents = [evidence[rows] for rows in layout.slices()]
    columns: list[np.ndarray] = []
    for bound in RUN_BOUNDS:
        before: list[float] = []
        after: list[float] = []
        for document in documents:
            before += _messages(document, bound)
            after += _messages(document[::-1], bound)[::-1]
        columns += np.array(before, np.float32), np.array(after, np.float32)
    return columns


def _messages(evidence: list[float], bound: float) -> list[float]:
    messages, message = [], 0.0
    for value in evidence:
        messages.append(message)
        message += value
        if message > bound:
            message = bound
        elif message < -bound:
            message = -bound
    return messages


def surroundings(scores: np.ndarray, lengths: np.ndarray, layout: Layout) -> Rows:
    """What the paragraphs around each one look like, from the scores of a pass before.

    Args:
        scores: float32, paragraphs x kinds: logarithms of probabilities.
        lengths: characters of each paragraph.
        layout: which paragraphs belong to which document.

    Returns:
        Gives for some paragraphs float32, paragraphs x columns (see `surroundings_names`).
    """
    likely = np.exp(scores)
    article = likely[:, CONTENT] * lengths
    mass = layout.running(article)
    whole = np.broadcast_to(layout.spread(layout.totals(article)) + 1, mass.shape)
    strong = (likely[:, CONTENT] > 0.5) & (lengths >= LONG)
    ahead = (
        (mass - article) / whole,
        1 - mass / whole,
        np.log1p(layout.since(strong)),
        np.log1p(layout.until(strong)),
        np.log1p(whole),
    )
    runs = _runs(scores[:, CONTENT], layout)
    near_of = layout.neighbours(likely, len(OFFSETS))
    windows_of = layout.windows(np.maximum(scores, FAINT) - EVEN, WINDOWS)
    average = layout.totals(likely) / layout.counts[:, None]

    def columns(rows: slice) -> np.ndarray:
        near = near_of(rows)
        count = len(near)
        found = np.empty((count, len(surroundings_names())), np.float32)
        at = 0
        for part in (np.maximum(scores[rows], -8), near.reshape(count, -1), windows_of(rows), average[layout.of[rows]]):
            found[:, at : at + part.shape[1]] = part
            at += part.shape[1]
        strongest = near[:, :, _NOTICES].max(axis=(1, 2))
        for column in (*(column[rows] for column in ahead), strongest, *(column[rows] for column in runs)):
            found[:, at] = column
            at += 1
        return found

    return columns
