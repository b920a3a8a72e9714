"""Words as hashed n-grams, computed over one buffer of code points in numpy: fast for any script, no tokenizer, no word list.

A word is a run of letters, marks and digits; in scripts written without spaces every letter is one, and so is every symbol
in any script. The hash of a word comes from one running sum over the buffer (a polynomial hash; Karp and Rabin 1987), so
all words of all paragraphs cost a handful of array operations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from declutter.features import characters
from declutter.features.layout import Layout

BUCKETS = 1 << 17  # rows of a table of n-gram weights; row 0 stands for "no n-gram"
KNOWN_BITS = 21  # logarithm of the number of slots of a table of known words
FEW = 30  # words; fewer do not tell a language
FAMILIAR = (
    0.25  # share of known words; on sites not trained on, texts of trained languages have more, texts of others less
)
PREFIX = 5  # characters; a word's stem, roughly, in languages that inflect
_PRIME, _INVERSE = 0x9E3779B97F4A7C15, pow(0x9E3779B97F4A7C15, -1, 1 << 64)
_MIX, _PAIR, _STEM, _EDGE, _START = (
    np.uint64(x)
    for x in (0xD6E8FEB86659FD93, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xA0761D6478BD642F, 0x27D4EB2F165667C5)
)
# Characters that are worked on at a time: enough for most documents, and it bounds memory for the others.
PART = 1 << 15
_EMPTY = "\u200b"  # stands in for a blank paragraph, which only a list can hold


@cache
def _powers(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Powers of an odd constant and of its inverse modulo 2**64."""

    def powers(base: int) -> np.ndarray:
        factors = np.full(size, base, np.uint64)
        factors[0] = 1
        return np.cumprod(factors, dtype=np.uint64)

    return powers(_PRIME), powers(_INVERSE)


def _mix(hashes: np.ndarray) -> np.ndarray:
    mixed: np.ndarray = (hashes ^ (hashes >> np.uint64(32))) * _MIX
    mixed ^= mixed >> np.uint64(29)
    return mixed


@dataclass(slots=True)
class Words:
    """The characters and words of some paragraphs, as arrays.

    Attributes:
        classes: class of every character (see `characters.CLASSES`); each paragraph is followed by a line break.
        bounds: start of each paragraph in `classes`, and the end of the last.
        starts, ends: of each word in `classes`.
        lengths: characters of each paragraph.
        owner: index of the paragraph each word stands in.
        first: index of each paragraph's first word, and the number of words. No paragraph is without words.
        hashes: 64 bits for each word, lower-cased, every digit as 0.
        stems: the same of the first `PREFIX` characters of longer words; 0 for the others.
    """

    classes: np.ndarray
    bounds: np.ndarray
    lengths: np.ndarray
    owner: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    first: np.ndarray
    hashes: np.ndarray
    stems: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """Number of words of each paragraph."""
        counts: np.ndarray = self.first[1:] - self.first[:-1]
        return counts

    def parts(self) -> Iterator[Words]:
        """The same paragraphs in runs of at most `PART` characters, or of a single longer paragraph."""
        if self.bounds[-1] <= PART:
            yield self
            return
        start, count = 0, len(self.lengths)
        while start < count:
            stop = max(start + 1, int(np.searchsorted(self.bounds, self.bounds[start] + PART, side="right")) - 1)
            yield self.part(slice(start, stop))
            start = stop

    def part(self, paragraphs: slice) -> Words:
        """Those of some paragraphs in a row."""
        start, stop = paragraphs.start, paragraphs.stop
        characters = slice(self.bounds[start], self.bounds[stop])
        words = slice(self.first[start], self.first[stop])
        return Words(
            self.classes[characters],
            self.bounds[start : stop + 1] - characters.start,
            self.lengths[start:stop],
            self.owner[words] - start,
            self.starts[words] - characters.start,
            self.ends[words] - characters.start,
            self.first[start : stop + 1] - words.start,
            self.hashes[words],
            self.stems[words],
        )


def find_words(texts: Sequence[str]) -> Words:
    """Finds and hashes the words of paragraphs."""
    texts = [text if text and not text.isspace() else _EMPTY for text in texts]
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    bounds = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(lengths + 1, out=bounds[1:])
    whole = "\n".join(texts) + "\n"
    found = [_find_words(whole[start:stop], start) for start, stop in _pieces(whole)]
    classes, starts, ends, hashes, stems = (
        found[0] if len(found) == 1 else map(np.concatenate, zip(*found, strict=True))
    )
    first = np.searchsorted(starts, bounds)
    owner = np.repeat(np.arange(len(texts), dtype=np.int32), first[1:] - first[:-1])
    return Words(classes, bounds, lengths, owner, starts, ends, first, hashes, stems)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of pieces of a text of some `PART` characters, and seldom more, none of which ends within a word."""
    start = 0
    while start < len(text):
        stop = start + PART
        if stop < len(text):
            space = _SPACE.search(text, stop - _LONGEST)
            stop = space.end() if space else len(text)
        yield start, stop
        start = stop


_LONGEST = 1 << 10  # characters of a word, but for a few
_SPACE = re.compile("[ \n。，、]")  # ends a word in every script


def _find_words(text: str, offset: int) -> tuple[np.ndarray, ...]:
    """Classes of a text's characters; starts and ends, both counted from an offset, hashes and stems of its words."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    classes, values = characters.look_up(points)

    inner = characters.in_word(classes)  # goes on with its neighbours; every other character is a word by itself
    before = np.empty_like(inner)
    before[0], before[1:] = False, inner[:-1]
    begins = classes != characters.ID["space"]
    begins &= ~(inner & before)
    starts = np.flatnonzero(begins)
    ends = starts + 1
    ends[inner[starts]] = np.flatnonzero(before & ~inner)

    forth, back = _powers(1 << max(14, len(points).bit_length()))
    values *= forth[: len(values)]
    sums = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(values, out=sums[1:])
    origin = sums[starts]
    hashes = _mix((sums[ends] - origin) * back[starts])
    stems = np.zeros_like(hashes)
    longer = np.flatnonzero(ends - starts > PREFIX)
    stems[longer] = _mix((sums[starts[longer] + PREFIX] - origin[longer]) * back[starts[longer]] + _STEM)
    return classes, starts + offset, ends + offset, hashes, stems


def ngram_buckets(words: Words) -> np.ndarray:
    """Rows in a table of `BUCKETS` weights for the n-grams of every word: int32, words x 4.

    Columns: the word; the word with the one after it (or the paragraph's end); its stem; and, for the first word of a
    paragraph only, the word with the paragraph's start. Row 0 means that there is no such n-gram.
    """
    hashes = words.hashes
    following = np.empty_like(hashes)
    following[:-1] = hashes[1:]
    following[words.first[1:] - 1] = _EDGE
    rows = np.zeros((len(hashes), 4), np.int32)
    rows[:, 0] = _bucket(hashes)
    rows[:, 1] = _bucket(_mix(hashes * _PAIR + following))
    stemmed = words.stems != 0
    rows[stemmed, 2] = _bucket(words.stems[stemmed])
    rows[words.first[:-1], 3] = _bucket(_mix(hashes[words.first[:-1]] + _START))
    return rows


def _bucket(hashes: np.ndarray) -> np.ndarray:
    """1 to BUCKETS - 1 from the upper bits of a hash."""
    return (((hashes >> np.uint64(32)) * np.uint64(BUCKETS - 1)) >> np.uint64(32)).astype(np.int32) + 1


def score_words(words: Words, table: np.ndarray) -> np.ndarray:
    """Sum of the weights of a paragraph's n-grams over the root of its number of words: float32, paragraphs x columns."""
    return np.concatenate([_score_words(part, table) for part in words.parts()])


def _score_words(words: Words, table: np.ndarray) -> np.ndarray:
    rows = ngram_buckets(words)
    gathered = table.take(rows[:, 0], axis=0).astype(np.float32)  # twice as fast as table[rows[:, 0]]
    gathered += table.take(rows[:, 1], axis=0)
    gathered += table.take(rows[:, 2], axis=0)
    sums: np.ndarray = np.add.reduceat(gathered, words.first[:-1], axis=0)
    sums += table[rows[words.first[:-1], 3]]
    sums /= np.sqrt(words.counts, dtype=np.float32)[:, None]
    return sums


def known_slots(words: Words) -> np.ndarray:
    """Slots in a table of 2**`KNOWN_BITS` known words, one for the stem of every word that begins with a letter: int64."""
    return _slots(words, _spoken(words))


def _spoken(words: Words) -> np.ndarray:
    """Whether each word begins with a letter."""
    spoken: np.ndarray = _LETTERS[words.classes[words.starts]]
    return spoken


def _slots(words: Words, chosen: np.ndarray) -> np.ndarray:
    stems = np.where(words.stems != 0, words.stems, words.hashes)[chosen]
    slots: np.ndarray = (stems >> np.uint64(64 - KNOWN_BITS)).astype(np.int64)
    return slots


_LETTERS = characters.members("lower", "upper", "caseless", "alone")


def familiarity(words: Words, layout: Layout, known: np.ndarray) -> np.ndarray:
    """For each document the share of its words whose stem is among the known ones, 0 to 1; 1 where there are too few to say.

    Args:
        words: of the documents' paragraphs.
        layout: which paragraphs belong to which document.
        known: uint8, 2**`KNOWN_BITS` bits.
    """
    spoken = _spoken(words)
    slots = _slots(words, spoken)
    document = layout.of[words.owner[spoken]]
    number = np.bincount(document, minlength=len(layout.counts))
    found = np.bincount(document, known[slots >> 3] >> (slots & 7) & 1, minlength=len(layout.counts))
    return np.where(number < FEW, 1.0, found / np.maximum(number, 1))
