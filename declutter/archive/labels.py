"""What stands beside a cleaned text: what was taken out and where, so that it can be put back or decided anew without the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from declutter.document import Document, Source, kept_slices
from declutter.errors import SourceError
from declutter.kinds import Kind
from declutter.policy import Policy
from declutter.readers.text import read_text

FIELD = "declutter"
FLAGS = ("looks_paywalled", "mostly_notice", "unfamiliar")
BETWEEN = "\n\n"  # the paragraphs of a page


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
    cleaned, found = make_labels(text, spans, document.kinds, document.kept, document.certainties)
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
) -> tuple[str, dict[str, Any]]:
    """The kept text and what leads back: stripped paragraphs, kept ones that are not content, white space that went, counts.

    Args:
        text: the original.
        spans: start and end of each paragraph in it.
        kinds: the kind of each.
        kept: whether each stays.
        probabilities: of each one's kind, None where nobody asked.
    """
    removed, others, stripped = [], [], []
    for span, kind, keep, probability in zip(spans, kinds, kept, probabilities, strict=True):
        if keep and kind is Kind.CONTENT:
            continue
        start, end = span
        certain = None if probability is None else round(probability, 4)
        entry: dict[str, Any] = {"start": start, "end": end, "kind": kind.value, "probability": certain}
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
    """Keeps and strips by kind alone, from the kinds that stand in the labels; what they do not name is content.

    Args:
        original: the text that the spans point into.
        labels: the `declutter` object of an earlier decision.
        policy: the kinds that stay.

    Raises:
        SourceError: the labels are not those of this text.
    """
    try:
        named = {entry["end"]: entry for entry in (*labels["removed"], *labels["kept"])}
        spans = read_text(original, labels["unit"]).spans
        entries = [named.pop(end, {"kind": Kind.CONTENT, "probability": None}) for _, end in spans]
        kinds = [Kind(entry["kind"]) for entry in entries]
        before = labels["policy"]
    except (KeyError, TypeError, ValueError):
        raise SourceError(f"the {FIELD} object is not one that declutter wrote") from None
    if named:
        raise SourceError(f"the {FIELD} object does not fit its text")
    kept = [kind in policy.keep for kind in kinds]
    text, found = make_labels(original, spans, kinds, kept, [entry["probability"] for entry in entries])
    forgotten = {"notes": [], "policy": {"keep": kinds_of(policy)} | {n: before[n] for n in _LASTING if n in before}}
    return Cleaned(text, labels | found | forgotten)


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
