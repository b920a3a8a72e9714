"""What is kept: the kinds a user asked for, and how sure the classifier must be before a paragraph is called anything but content."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from declutter.errors import UsageError
from declutter.kinds import NOTICES, SCORED, Kind, parse_kinds

DEFAULT_KEEP = frozenset({Kind.CONTENT, Kind.HEADLINE})
SHORT = 100  # characters; a longer paragraph that is lost is a loss the reader feels

_NOTICE = np.array([kind in NOTICES for kind in SCORED])
_CONTENT = SCORED.index(Kind.CONTENT)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities of content, 0 to 1, from which a paragraph is content.

    Attributes:
        short: for paragraphs of less than `SHORT` characters that look like a notice.
        long: for longer ones.
        credit: for those that look like a caption or a byline, which do less harm where they stay.
    """

    short: float
    long: float
    credit: float

    @classmethod
    def scaled(cls, short: float) -> Thresholds:
        """The three in the proportion that cost least on sites not trained on."""
        return cls(short, short / 2, short / 4)

    def keeps(self, probabilities: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Whether each paragraph is content: bool.

        Args:
            probabilities: paragraphs x `SCORED` kinds.
            lengths: characters of each paragraph.
        """
        others = probabilities[:, _CONTENT + 1 :].argmax(axis=1) + _CONTENT + 1
        wanted = np.where(_NOTICE[others], np.where(lengths < SHORT, self.short, self.long), self.credit)
        kept: np.ndarray = probabilities[:, _CONTENT] >= wanted
        return kept


@dataclass(frozen=True, slots=True)
class Policy:
    """What is kept.

    Attributes:
        keep: the kinds that stay.
        thresholds: from which probability a paragraph is content; None takes the model's own, which were picked for a
            stated loss of content.
    """

    keep: frozenset[Kind] = DEFAULT_KEEP
    thresholds: Thresholds | None = None


def make_policy(
    keep: Iterable[str] | str | None = None, drop: Iterable[str] | str | None = None, threshold: float | None = None
) -> Policy:
    """The policy for what a user typed.

    Args:
        keep: kinds to keep, names or kinds; None for the default (content and headline), or for "all but `drop`".
        drop: kinds to strip. Without `keep`, every other kind stays; with it, they are taken out of `keep`.
        threshold: one probability of content for every paragraph; a lower one keeps more of the article and more notices.

    Raises:
        UsageError: an unknown kind, or a threshold outside 0 to 1.
    """
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError(f"threshold must lie between 0 and 1, not {threshold}")
    thresholds = None if threshold is None else Thresholds(threshold, threshold, threshold)
    if drop is None:
        return Policy(DEFAULT_KEEP if keep is None else parse_kinds(keep), thresholds)
    base = frozenset(Kind) if keep is None else parse_kinds(keep)
    return Policy(base - parse_kinds(drop), thresholds)
