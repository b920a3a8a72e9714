"""What is kept: the kinds a user asked for, and how sure the classifier must be before a paragraph is called anything but content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from declutter.errors import UsageError
from declutter.kinds import NOTICES, SCORED, Kind, parse_kinds

DEFAULT_KEEP = frozenset({Kind.CONTENT, Kind.HEADLINE})
SHORT = 100  # characters; a longer paragraph that is lost is a loss the reader feels
DIGITS = 4  # of a probability, where it is written down; a budget sees no more either, so that it can be kept to again from labels

SENTENCE = 40  # likely characters; what a page's longest likely paragraph has less of is no sentence of an article
ARTICLE = 150  # likely characters of a page that has no such sentence, from which its short pieces make an article all the same
LIKELY = 0.2  # probability of content from which a paragraph counts for that
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff]")  # letters of East Asia say twice as much
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
    def even(cls, probability: float) -> Thresholds:
        """The same for every paragraph."""
        return cls(probability, probability, probability)

    def scaled(self, factor: float) -> Thresholds:
        """The same, each times a factor."""
        return Thresholds(self.short * factor, self.long * factor, self.credit * factor)

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


class Preset(NamedTuple):
    """What a use of the result asks of the thresholds.

    Attributes:
        content_loss: share of the article's characters that the thresholds for text may cost on sites not trained on.
        recall: for pages, whose gold text is too uneven to promise a loss: how many times as much a lost block of the article
            counts as one of boilerplate that stays.
        meaning: for whom it is.
    """

    content_loss: float
    recall: float
    meaning: str


PRESETS = {
    "corpus": Preset(0.01, 0.5, "strips more, for text that models are trained on"),
    "reading": Preset(0.0045, 1.0, "strips what is surely no article, for readers and search"),
    "archive": Preset(0.001, 4.0, "keeps in doubt, for records that must not lose a sentence"),
}
"""Named sets of thresholds; training picks them and the model carries them."""

DEFAULT_PRESET = "reading"


def expected_f(probabilities: np.ndarray, lengths: np.ndarray, recall: float) -> float:
    """The best F score that the probabilities of a page's paragraphs let expect, whichever of them are kept: 0 to 1.

    What maximises it is to keep what reaches this score over 1 + recall (Lipton, Elkan and Naryanaswamy 2014): where it is clear
    what is article that is a half or more, and less on a page that says so little that much has to be kept to have some of it.

    Args:
        probabilities: paragraphs x `SCORED` kinds, at least one paragraph.
        lengths: characters of each paragraph.
        recall: how many times as much a lost part of the article counts as boilerplate that stays (the square of F's beta).
    """
    content = probabilities[:, _CONTENT].astype(np.float64)
    likeliest = np.argsort(-content, kind="stable")
    article = content * lengths
    hits, kept = np.cumsum(article[likeliest]), np.cumsum(lengths[likeliest])
    return float(((1 + recall) * hits / (kept + recall * article.sum())).max())


def presets_table() -> str:
    """The presets as a Markdown table, as the README prints them."""
    rows = (
        f"| `{name}`{' (default)' * (name == DEFAULT_PRESET)} | {preset.content_loss * 100:g}% | {preset.meaning} |"
        for name, preset in PRESETS.items()
    )
    return "\n".join(("| preset | may cost (text) | what it does |", "|---|---|---|", *rows))


@dataclass(frozen=True, slots=True)
class Policy:
    """What is kept.

    Attributes:
        keep: the kinds that stay.
        thresholds: from which probability a paragraph is content; None takes those of the preset.
        preset: name of the model's thresholds.
        budget: share of the characters, 0 to 1, that may be stripped at most; None for no limit.
        keep_phrases, drop_phrases: as `plain` makes them; a paragraph that holds one stays, or goes, whatever its kind and
            whatever the budget. Where it holds one of each, it stays.
    """

    keep: frozenset[Kind] = DEFAULT_KEEP
    thresholds: Thresholds | None = None
    preset: str = DEFAULT_PRESET
    budget: float | None = None
    keep_phrases: tuple[str, ...] = ()
    drop_phrases: tuple[str, ...] = ()


def make_policy(
    keep: Iterable[str] | str | None = None,
    drop: Iterable[str] | str | None = None,
    threshold: float | None = None,
    preset: str = DEFAULT_PRESET,
    budget: float | None = None,
    keep_phrases: Iterable[str] | str | None = None,
    drop_phrases: Iterable[str] | str | None = None,
) -> Policy:
    """The policy for what a user typed.

    Args:
        keep: kinds to keep, names or kinds; None for the default (content and headline), or for "all but `drop`".
        drop: kinds to strip. Without `keep`, every other kind stays; with it, they are taken out of `keep`.
        threshold: one probability of content for every paragraph; a lower one keeps more of the article and more notices.
        preset: one of `PRESETS`.
        budget: share of the characters that may be stripped at most, 0 to 1.
        keep_phrases, drop_phrases: paragraphs that hold one of these stay or go, whatever their kind.

    Raises:
        UsageError: an unknown kind or preset, a threshold or budget that is no number from 0 to 1, or an empty phrase.
    """
    for name, share in (("threshold", threshold), ("budget", budget)):
        if share is not None and not (isinstance(share, (int, float)) and 0 <= share <= 1):
            raise UsageError(f"{name} must lie between 0 and 1, not {share}")
    if preset not in PRESETS:
        raise UsageError(f"unknown preset {preset!r}; there are {', '.join(PRESETS)}")
    base = DEFAULT_KEEP if drop is None else frozenset(Kind)
    kinds = base if keep is None else parse_kinds(keep)
    return Policy(
        kinds - (frozenset() if drop is None else parse_kinds(drop)),
        None if threshold is None else Thresholds.even(threshold),
        preset,
        budget,
        _phrases(keep_phrases),
        _phrases(drop_phrases),
    )


def plain(text: str) -> str:
    """A text as phrases are looked for in it: case folded, white space and line breaks as one blank."""
    return " ".join(text.casefold().split())


def _phrases(phrases: Iterable[str] | str | None) -> tuple[str, ...]:
    given = (phrases,) if isinstance(phrases, str) else tuple(phrases or ())
    if not all(isinstance(phrase, str) and phrase.strip() for phrase in given):
        raise UsageError("a phrase to keep or drop must be a text that is not empty")
    return tuple(map(plain, given))


class Decision(NamedTuple):
    """What becomes of every paragraph.

    Attributes:
        kinds: the kind of each.
        kept: whether it stays.
        forced: for the numbers of those that do not go by their kind: what made them stay or go.
        notes: what the user should hear, in whole sentences.
    """

    kinds: list[Kind]
    kept: list[bool]
    forced: dict[int, str]
    notes: list[str]


def decide(
    policy: Policy,
    thresholds: Thresholds,
    texts: Sequence[str],
    probabilities: np.ndarray,
    page: bool = False,
    headline: int | None = None,
) -> Decision:
    """Content where its probability reaches its threshold, the likeliest other kind elsewhere; then what the policy says.

    A page without an article is notices throughout, unless the policy has a threshold of its own.

    Args:
        policy: what is kept.
        thresholds: from which probability a paragraph is content.
        texts: the paragraphs, at least one.
        probabilities: paragraphs x `SCORED` kinds.
        page: whether they are those of a page.
        headline: number of the paragraph that is the page's own headline.
    """
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    content = probabilities[:, _CONTENT]
    article = (
        not page
        or policy.thresholds is not None
        or holds_article(texts, content, lengths, PRESETS[policy.preset].recall)
    )
    others = np.where(_NOTICE | article, probabilities, -1)[:, 1:].argmax(axis=1) + 1
    chosen = np.where(thresholds.keeps(probabilities, lengths) & article, _CONTENT, others)
    kinds = [SCORED[i] for i in chosen.tolist()]
    if headline is not None and article:
        kinds[headline] = Kind.HEADLINE
    decision = settle(policy, texts, kinds, content.tolist())
    if not article:
        decision.notes.insert(0, "the page holds no article: all of it is notices")
    return decision


def settle(policy: Policy, texts: Sequence[str], kinds: list[Kind], content: Sequence[float | None]) -> Decision:
    """Keeps and strips paragraphs whose kinds are known: by kind, then as the phrases and the budget say.

    Args:
        policy: what is kept.
        texts: the paragraphs.
        kinds: the kind of each.
        content: the probability of content of each; None where it is not known, which only what is content may be that stays
            by its kind.
    """
    decision = Decision(kinds, [kind in policy.keep for kind in kinds], {}, [])
    if policy.keep_phrases or policy.drop_phrases:
        _force(policy, texts, decision)
    if policy.budget is not None:
        _keep_within(policy.budget, texts, content, decision)
    return decision


def holds_article(texts: Sequence[str], content: np.ndarray, lengths: np.ndarray, recall: float = 1.0) -> bool:
    """Whether a page holds an article, rather than a login form, an error message, a question for consent or a bare list of links.

    It does where some paragraph is likely to be an article's sentence, and where many short ones are likely to be its pieces.
    An article of a single sentence of less than `SENTENCE` likely characters cannot be told from an error message.

    Args:
        texts: the paragraphs.
        content: probability of content of each.
        lengths: characters of each.
        recall: how many times as much a lost block of an article counts as one of boilerplate that stays; less than 1 is as 1.
    """
    likely = content * max(recall, 1.0)
    if (likely * lengths).max() >= SENTENCE:
        return True
    likely = likely * (lengths + np.fromiter((len(_WIDE.findall(text)) for text in texts), np.int64, len(texts)))
    return bool(likely.max() >= SENTENCE or likely[content >= LIKELY].sum() >= ARTICLE)


def _force(policy: Policy, texts: Sequence[str], decision: Decision) -> None:
    for i, text in enumerate(map(plain, texts)):
        for phrases, keep, what in ((policy.keep_phrases, True, "kept"), (policy.drop_phrases, False, "stripped")):
            found = next((phrase for phrase in phrases if phrase in text), None)
            if found is not None:
                decision.kept[i] = keep
                decision.forced[i] = f"it holds {found!r}, which is to be {what}"
                break


def _keep_within(budget: float, texts: Sequence[str], content: Sequence[float | None], decision: Decision) -> None:
    """Puts paragraphs back, the likeliest article first, until no more than the budget is stripped; says so, and if the lead goes."""
    kinds, kept, forced, notes = decision
    lengths = list(map(len, texts))
    whole = sum(lengths)
    stripped = [i for i, keep in enumerate(kept) if not keep]
    wanted = gone = sum(lengths[i] for i in stripped)
    back = 0
    for i in sorted(stripped, key=lambda i: -round(content[i] or 0, DIGITS)):
        if gone > budget * whole and i not in forced:
            kept[i] = True
            forced[i] = "it was put back to stay within the budget"
            gone -= lengths[i]
            back += 1
    if back:
        notes.append(
            f"stripping all that is not to be kept would take {wanted / whole:.1%} of the characters; to stay within {budget:.1%}, "
            f"{back} paragraph{'s' * (back != 1)} likeliest to be article {'was' if back == 1 else 'were'} put back"
        )
    if gone > budget * whole:
        notes.append(f"the phrases to strip take {gone / whole:.1%} of the characters, more than {budget:.1%}")
    lead = next((i for i, length in enumerate(lengths) if length >= SHORT), None)
    if lead is not None and not kept[lead]:
        known = content[lead]
        sure = "" if known is None else f"; the probability that it is article is {round(known, DIGITS):.2f}"
        notes.append(f"the first long paragraph goes, as {kinds[lead]}{sure}")
