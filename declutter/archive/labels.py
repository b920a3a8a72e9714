"""What stands beside a cleaned text: what was taken out and where, so that it can be put back or decided anew without the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from declutter.document import Document, Source, kept_slices
from declutter.errors import SourceError
from declutter.kinds import SCORED, Kind
from declutter.policy import DIGITS, Policy, settle
from declutter.readers.text import read_text

FIELD = "declutter"
FLAGS = ("looks_paywalled", "mostly_notice", "unfamiliar")
BETWEEN = "\n\n"  # the paragraphs of a page
_CONTENT = SCORED.index(Kind.CONTENT)


class Cleaned(NamedTuple):
    """A text as it is written, and the labels that lead back to the original.

    Attributes:
        text: what is kept.
        labels: the `declutter` object, see `make_labels`.
        title: of the document, None where it has none.
        encoding: what the text goes out in where it is a file by itself; None where its container says.
    """

    text: str
    labels: dict[str, Any]
    title: str | None = None
    encoding: str | None = None


def whole_text(source: Source) -> tuple[str, list[tuple[int, int]], str]:
    """The original that spans point into, each paragraph's start and end, and the unit that cuts it so again.

    The original of a page is its paragraphs with a blank line between; markup is not kept.
    """
    if source.format == "text":
        return source.text, source.spans, "auto"
    spans, at = [], 0
    for text in source.texts:
        spans.append((at, at + len(text)))
        at += len(text) + len(BETWEEN)
    return BETWEEN.join(source.texts), spans, "line"


def clean_document(document: Document, unit: str, about: dict[str, Any]) -> Cleaned:
    """The kept text of a document and its labels.

    Args:
        document: what was labelled.
        unit: what a paragraph of text was.
        about: what else the labels say: the model and the policy.
    """
    text, spans, own_unit = whole_text(document.source)
    contents = document.probabilities[:, _CONTENT].tolist()
    cleaned, found = make_labels(text, spans, document.kinds, document.kept, document.certainties, contents)
    labels = {
        **found,
        "flags": [flag for flag in FLAGS if getattr(document, flag)],
        "notes": document.notes,
        "unit": unit if document.source.format == "text" else own_unit,
        **about,
    }
    return Cleaned(cleaned, labels, document.title)


def make_labels(
    text: str,
    spans: Sequence[tuple[int, int]],
    kinds: Sequence[Kind],
    kept: Sequence[bool],
    probabilities: Sequence[float | None],
    contents: Sequence[float | None],
) -> tuple[str, dict[str, Any]]:
    """The kept text and what leads back: stripped paragraphs, kept ones that are not content, white space that went, counts.

    Args:
        text: the original.
        spans: start and end of each paragraph in it.
        kinds: the kind of each.
        kept: whether each stays.
        probabilities: of each one's kind, None where nobody asked.
        contents: of each that it is content, None likewise.
    """
    removed, others, stripped = [], [], []
    for span, kind, keep, probability, content in zip(spans, kinds, kept, probabilities, contents, strict=True):
        if keep and kind is Kind.CONTENT:
            continue
        start, end = span
        entry: dict[str, Any] = {"start": start, "end": end, "kind": kind.value}
        entry |= {"probability": _rounded(probability), "content": _rounded(content)}
        if keep:
            others.append(entry)
        else:
            entry["text"] = text[start:end]
            removed.append(entry)
            stripped.append(span)
    slices = kept_slices(text, spans, kept)
    gaps = [{"start": start, "text": text[start:end]} for start, end in _between([*slices, *stripped], len(text))]
    found = Counter(kinds)
    counts = {kind.value: found[kind] for kind in Kind if kind in found}
    cleaned = "".join([text[start:end] for start, end in slices])
    return cleaned, {"removed": removed, "kept": others, "gaps": gaps, "counts": counts}


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, DIGITS)


def _between(covered: Iterable[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """The stretches of 0 to `length` that no slice covers."""
    found, done = [], 0
    for start, end in sorted(covered):
        if done < start:
            found.append((done, start))
        done = max(done, end)
    return [*found, (done, length)] if done < length else found


def restore(text: str, labels: dict[str, Any]) -> str:
    """The original of a cleaned text.

    Raises:
        SourceError: the labels are not those of this text.
    """
    parts: list[str] = []
    original = cleaned = 0  # characters of each that are done
    try:
        for piece in sorted([*labels["removed"], *labels["gaps"]], key=lambda piece: piece["start"]):
            ahead = piece["start"] - original
            parts += text[cleaned : cleaned + ahead], piece["text"]
            cleaned += ahead
            original = piece["start"] + len(piece["text"])
            if ahead < 0 or cleaned > len(text):
                raise SourceError(f"the {FIELD} object does not fit its text")
    except (KeyError, TypeError):
        raise SourceError(f"the {FIELD} object is not one that declutter wrote") from None
    parts.append(text[cleaned:])
    return "".join(parts)


def decide_again(original: str, labels: dict[str, Any], policy: Policy) -> Cleaned:
    """Keeps and strips anew from the kinds and probabilities that stand in the labels; what they do not name is content.

    Args:
        original: the text that the spans point into.
        labels: the `declutter` object of an earlier decision.
        policy: what is kept; with a budget, content has to be, because of that no probability is written down.

    Raises:
        SourceError: the labels are not those of this text.
    """
    try:
        named = {entry["end"]: entry for entry in (*labels["removed"], *labels["kept"])}
        spans = read_text(original, labels["unit"]).spans
        entries = [named.pop(end, _KEPT) for _, end in spans]
        kinds = [Kind(entry["kind"]) for entry in entries]
        probabilities, contents = ([entry[name] for entry in entries] for name in ("probability", "content"))
        before = labels["policy"]
    except (KeyError, TypeError, ValueError):
        raise SourceError(f"the {FIELD} object is not one that declutter wrote") from None
    if named:
        raise SourceError(f"the {FIELD} object does not fit its text")
    decision = settle(policy, [original[start:end] for start, end in spans], kinds, contents)
    text, found = make_labels(original, spans, kinds, decision.kept, probabilities, contents)
    lasting = {name: before[name] for name in _LASTING if name in before}
    return Cleaned(text, labels | found | {"notes": decision.notes, "policy": describe_policy(policy) | lasting})


_KEPT = {"kind": Kind.CONTENT, "probability": None, "content": None}
_LASTING = ("preset", "threshold")  # what of a policy made the kinds, and so still holds when they are judged anew


def kinds_of(policy: Policy) -> list[str]:
    """The kinds that a policy keeps, in the order of `Kind`."""
    return [kind.value for kind in Kind if kind in policy.keep]


def describe_policy(policy: Policy) -> dict[str, Any]:
    """A policy as labels and the report of a run give it: the kinds that stay, and what else was asked for."""
    asked = {
        "threshold": None if policy.thresholds is None else policy.thresholds.short,
        "budget": policy.budget,
        "keep_phrases": list(policy.keep_phrases) or None,
        "drop_phrases": list(policy.drop_phrases) or None,
    }
    return {"keep": kinds_of(policy), "preset": policy.preset} | {n: v for n, v in asked.items() if v is not None}
