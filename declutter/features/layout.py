"""Which of some rows belong to which document: many documents go through the features at once, and none may see another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property

import numpy as np

Rows = Callable[[slice], np.ndarray]  # gives columns for some rows
ALL = slice(None)


class Layout:
    """Rows (paragraphs) of one document or of several, one document after the other.

    Sums over rows are taken in double precision, so that what comes out does not hang on what stood before.

    Attributes:
        starts, stops: of each document's rows. No document is without rows.
        counts: rows of each document.
        of: which document each row belongs to.
        index: number of each row in its document, from 0.
    """

    def __init__(self, counts: Sequence[int]):
        self.counts = np.array(counts, np.intp)
        self.stops = np.cumsum(self.counts)
        self.starts = self.stops - self.counts
        self.of = np.repeat(np.arange(len(counts)), self.counts)
        self._rows = np.arange(len(self.of))
        self._first, self._stop = self.spread(self.starts), self.spread(self.stops)
        self.index = self._rows - self._first
        self._windows: dict[tuple[int, ...], np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.of)

    def slices(self) -> Iterator[slice]:
        """The rows of each document."""
        return map(slice, self.starts.tolist(), self.stops.tolist())

    def spread(self, values: np.ndarray) -> np.ndarray:
        """A value of each document for each of its rows; for a single document the value itself, which numpy spreads."""
        return values if len(values) == 1 else values[self.of]

    def totals(self, values: np.ndarray) -> np.ndarray:
        """Sums over each document."""
        sums: np.ndarray = np.add.reduceat(values, self.starts, axis=0, dtype=np.float64)
        return sums

    def running(self, values: np.ndarray) -> np.ndarray:
        """Sums over the rows of a document up to each one."""
        sums: np.ndarray = np.add.accumulate(values, dtype=np.float64)
        if len(self.counts) > 1:
            sums -= self.spread(sums[self.starts] - values[self.starts])
        return sums

    def since(self, marks: np.ndarray) -> np.ndarray:
        """Number of rows since the last marked one; since before the document's start where there is none."""
        last = np.maximum.accumulate(np.where(marks, self._rows, -1))
        if len(self.counts) > 1:
            np.maximum(last, self._first - 1, out=last)
        return self._rows - last

    def until(self, marks: np.ndarray) -> np.ndarray:
        """Number of rows until the next marked one; until after the document's end where there is none."""
        following = np.minimum.accumulate(np.where(marks, self._rows, len(self))[::-1])[::-1]
        if len(self.counts) > 1:
            np.minimum(following, self._stop, out=following)
        until: np.ndarray = following - self._rows
        return until

    @cached_property
    def near(self) -> np.ndarray:
        """The rows at `OFFSETS` from each one, the number of rows for those beyond the document: rows x offsets."""
        rows: np.ndarray = self._rows[:, None] + _OFFSETS
        rows[(rows < self._first[:, None]) | (rows >= self._stop[:, None])] = len(self)
        return rows

    def neighbours(self, values: np.ndarray, offsets: int) -> Rows:
        """What stands at the first so many of `OFFSETS` from some rows, 0 beyond the document: rows x offsets x columns."""
        padded = np.zeros((len(self) + 1, values.shape[1]), values.dtype)
        padded[:-1] = values
        return lambda rows: padded.take(self.near[rows, :offsets], axis=0)

    def windows(self, values: np.ndarray, sizes: tuple[int, ...]) -> Rows:
        """For each size sums over the rows before some rows, then over those after them, divided by the size: rows x columns."""
        ends, signed = _ends(sizes)
        within = self._windows.get(sizes)
        if within is None:
            within = self._rows[:, None] + ends
            np.maximum(within, self._first[:, None], out=within)
            np.minimum(within, self._stop[:, None], out=within)
            self._windows[sizes] = within
        sums = np.zeros((len(self) + 1, values.shape[1]))
        np.add.accumulate(values, out=sums[1:])

        def of(rows: slice) -> np.ndarray:
            found: np.ndarray = sums.take(within[rows], axis=0)
            found[:, ::2] -= sums[:-1][rows, None]
            found[:, 1::2] -= sums[1:][rows, None]
            found /= signed
            return found.reshape(len(found), -1)

        return of


@cache
def _ends(sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Where windows before and after a row begin or end, and what their sums are divided by; those before are the wrong way round."""
    ends = [offset for size in sizes for offset in (-size, 1 + size)]
    return np.array(ends), np.array([part for size in sizes for part in (-size, size)], np.float64)[:, None]


OFFSETS = (-1, 1, -2, 2, -3, 3)
_OFFSETS = np.array(OFFSETS)
