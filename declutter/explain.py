"""Why a paragraph was called what it was called: what changes when one piece of evidence is taken away.

This is occlusion (Zeiler and Fergus 2014), piece by piece of evidence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from declutter.document import Document, Reason, Source
from declutter.features import FEATURES, extract, log_softmax
from declutter.kinds import SCORED, Kind
from declutter.memory import odds_of, shifted
from declutter.model import Model, Network


class Grounds(NamedTuple):
    """What a document was judged by last.

    Attributes:
        network: what decided.
        columns: its input: float32, paragraphs x features.
        pieces: the columns of each piece of evidence, by the sentence that names it.
    """

    network: Network
    columns: np.ndarray
    pieces: dict[str, list[int]]


def find_grounds(model: Model, source: Source) -> Grounds:
    """What the paragraphs of a document were judged by."""
    network, columns = model.last_pass(extract([source], model.words.scores, model.score_names))
    features = [feature for feature in FEATURES if source.page is not None or not feature.markup]
    pieces: dict[str, list[int]] = {}
    for column, feature in enumerate(features):
        pieces.setdefault(_sentence(feature.family, feature.meaning), []).append(column)
    return Grounds(network, columns, pieces)


def reasons(model: Model, source: Source, kind: Kind, index: int, grounds: Grounds | None = None) -> list[Reason]:
    """The evidence for and against a paragraph's kind, strongest first.

    Every feature of the last pass is put to its average over the document in turn; the weight is what the log-odds of `kind` lose.

    Args:
        model: the model that judged.
        source: the paragraphs as read.
        kind: what paragraph `index` was called.
        index: which paragraph.
        grounds: of this model and source, where they were found before.
    """
    if kind is Kind.HEADLINE:
        return [Reason("it is the page's own headline: its title says the same", 1.0)]
    network, columns, pieces = find_grounds(model, source) if grounds is None else grounds
    occluded = np.repeat(columns[index : index + 1], len(pieces), axis=0)
    average = columns.mean(axis=0)
    for row, members in enumerate(pieces.values()):
        occluded[row, members] = average[members]
    whole = _log_odds(network, columns[index : index + 1], kind)[0]
    change = whole - _log_odds(network, occluded, kind)
    found = [
        Reason(sentence, round(float(weight), 2))
        for sentence, weight in zip(pieces, change, strict=True)
        if abs(weight) >= 0.05
    ]
    return sorted(found, key=lambda reason: -abs(reason.weight))


def repeated(document: Document, index: int) -> Reason | None:
    """What a memory said for or against a paragraph's kind; None where it said nothing.

    The weight is what the log-odds of the kind gained by it.
    """
    repetition, kind = document.repetition, document.kinds[index]
    if repetition is None or not repetition.shifts[index] or kind is Kind.HEADLINE:
        return None
    after = np.log(np.maximum(document.probabilities[index : index + 1].astype(np.float64), np.finfo(np.float32).tiny))
    before = shifted(after, -repetition.shifts[index : index + 1])
    chosen = SCORED.index(kind)
    weight = float((odds_of(after, chosen) - odds_of(before, chosen))[0])
    documents = int(repetition.documents[index])
    return Reason(f"stands in {documents:,} of {repetition.of:,} documents of this site", round(weight, 2))


def _sentence(family: str, meaning: str) -> str:
    """Evidence as a person reads it; what the words around look like is one piece of evidence, not one a kind."""
    if family == "words":
        return "the wording of the paragraph itself"
    if family == "names":
        return "the class and id names around it"
    if family == "around" and " look like " in meaning:
        where = meaning.removeprefix("how much ").split(" look like ")[0]
        return f"what {where} look like" if where != "its own words" else "the first impression of the paragraph"
    return meaning


def _log_odds(network: Network, columns: np.ndarray, kind: Kind) -> np.ndarray:
    return odds_of(log_softmax(network.scores(columns)), SCORED.index(kind))
