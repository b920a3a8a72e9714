"""What a page's gold text and its labelled lines say about the page's blocks."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from declutter.kinds import Kind
from declutter.training.corpus import Text

UNKNOWN, OUTSIDE, INSIDE = -1, 0, 1
_SHINGLE = 4  # words


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = _words(text)
    return {tuple(words[i : i + _SHINGLE]) for i in range(len(words) - _SHINGLE + 1)}


def in_gold(blocks: Sequence[str], gold: str) -> np.ndarray:
    """Whether each block is part of the gold text: INSIDE, OUTSIDE, or UNKNOWN where it is only partly.

    Text that stands on the page more often than in gold is INSIDE where most of its neighbours are.
    """
    lines = Counter(filter(None, map(_plain, gold.split("\n"))))
    whole = _plain(gold)
    shingles = _shingles(gold)
    found = np.empty(len(blocks), np.int64)
    plains = [_plain(block) for block in blocks]
    places: dict[str, list[int]] = defaultdict(list)
    for i, (block, plain) in enumerate(zip(blocks, plains, strict=True)):
        if plain in lines or (len(plain) >= 20 and plain in whole):
            found[i] = INSIDE
            places[plain].append(i)
        elif not plain:
            found[i] = UNKNOWN
        else:
            own = _shingles(block)
            share = len(own & shingles) / len(own) if own else 0.0
            found[i] = (
                INSIDE
                if share > 0.9
                else UNKNOWN
                if share > 0.1 or (not own and plain in whole and len(plain) > 3)
                else OUTSIDE
            )
    inside = np.concatenate(([0], np.cumsum(found == INSIDE)))
    index = np.arange(len(blocks))
    near = inside[np.minimum(index + 5, len(blocks))] - inside[np.maximum(index - 4, 0)]
    for plain, where in places.items():
        times = max(1, lines[plain])
        for i in sorted(where, key=lambda i: -near[i])[times:]:
            found[i] = OUTSIDE if len(plain) < 80 else UNKNOWN
    return found


def kinds_of_blocks(blocks: Sequence[str], text: Text) -> list[Kind | None]:
    """The kinds that a labelled text gives to a page's blocks, None where it says nothing of a block.

    Both are walked in the page's order; a block that holds several lines takes the kind of most of its characters.
    """
    lines = [_plain(line) for line in text.lines]
    kinds: list[Kind | None] = [None] * len(blocks)
    start = _first_match([_plain(block) for block in blocks], lines)
    at = 0
    for i in range(start, len(blocks)):
        plain = _plain(blocks[i])
        if not plain or at >= len(lines):
            continue
        for skip in range(at, min(at + 4, len(lines))):
            taken = skip
            joined = ""
            votes: Counter[Kind] = Counter()
            while taken < len(lines) and len(joined) < len(plain) and plain.startswith(joined + lines[taken]):
                joined += lines[taken]
                votes[text.kinds[taken]] += len(lines[taken])
                taken += 1
            if joined == plain:
                kinds[i] = votes.most_common(1)[0][0]
                at = taken
                break
    return kinds


def _first_match(blocks: list[str], lines: list[str]) -> int:
    """Where the labelled window begins on the page: the block from which most of its first lines follow each other."""
    opening = [line for line in lines[:12] if line]
    best, best_count = 0, -1
    for i, block in enumerate(blocks):
        if opening and (block == opening[0] or (len(opening) > 1 and block == opening[1])):
            here = set(blocks[i : i + 16])
            count = sum(line in here for line in opening)
            if count > best_count:
                best, best_count = i, count
    return best
