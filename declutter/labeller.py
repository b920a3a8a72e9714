"""The whole way from a source to its labelled paragraphs, on one screen."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from declutter import explain
from declutter.document import Document, Source
from declutter.features import extract
from declutter.kinds import SCORED, Kind
from declutter.model import Model, default_model, load_model
from declutter.policy import make_policy
from declutter.readers import read


class Declutter:
    """A labeller configured once and used many times; it holds no state, can be pickled, and is safe to share among threads.

    Args:
        model: folder of a model, or a loaded one; None for the model that comes with declutter.
        keep: kinds that stay, by default content and headline.
        drop: kinds that go; without `keep`, every other kind stays.
        threshold: probability of content from which a paragraph is content; None for the model's own.
        unit: what a paragraph of plain text is: "line", "block" or "auto".

    Raises:
        UsageError: an unknown kind or a threshold outside 0 to 1.
        ModelError: the model cannot be used.
    """

    def __init__(
        self,
        model: Model | Path | str | None = None,
        keep: Iterable[str] | str | None = None,
        drop: Iterable[str] | str | None = None,
        threshold: float | None = None,
        unit: str = "auto",
    ):
        self.policy = make_policy(keep, drop, threshold)
        self.unit = unit
        self.model = (
            default_model() if model is None else model if isinstance(model, Model) else load_model(Path(model))
        )

    def label(self, source: Any, format: str = "auto") -> Document:
        """Says of every paragraph of a source what it is; see `declutter.label`."""
        found = read(source, format, self.unit)
        if not found.texts:
            return Document(found, np.zeros((0, len(SCORED)), np.float32), [], self.policy.keep, self._explain)
        evidence = extract(found, self.model.words.scores, self.model.score_names)
        probabilities = np.exp(self.model.scores(evidence))
        kinds = self._decide(found, probabilities)
        return Document(found, probabilities, kinds, self.policy.keep, self._explain)

    def clean(self, source: Any, format: str = "auto") -> str:
        """What is kept of a source; see `declutter.clean`."""
        return self.label(source, format).text

    def _decide(self, source: Source, probabilities: np.ndarray) -> list[Kind]:
        """Content where its probability reaches its threshold, the likeliest other kind elsewhere; the headline by its title."""
        thresholds = self.policy.thresholds or self.model.thresholds["text" if source.page is None else "html"]
        lengths = np.fromiter(map(len, source.texts), np.int64, len(source.texts))
        best = np.where(thresholds.keeps(probabilities, lengths), 0, 1 + probabilities[:, 1:].argmax(axis=1))
        kinds = [SCORED[i] for i in best]
        if source.page is not None and source.page.headline is not None:
            kinds[source.page.headline] = Kind.HEADLINE
        return kinds

    def _explain(self, document: Document, index: int) -> list[Any]:
        return explain.reasons(self.model, document.source, document.kinds[index], index)


@lru_cache(maxsize=32)
def _default_labeller(keep: Any, drop: Any, threshold: float | None, unit: str) -> Declutter:
    return Declutter(None, keep, drop, threshold, unit)


def _labeller(model: Any, keep: Any, drop: Any, threshold: float | None, unit: str) -> Declutter:
    if model is not None:
        return Declutter(model, keep, drop, threshold, unit)
    hashable = [kinds if kinds is None or isinstance(kinds, str) else frozenset(kinds) for kinds in (keep, drop)]
    return _default_labeller(*hashable, threshold, unit)


def label(
    source: Any,
    format: str = "auto",
    *,
    keep: Iterable[str] | str | None = None,
    drop: Iterable[str] | str | None = None,
    threshold: float | None = None,
    unit: str = "auto",
    model: Model | Path | str | None = None,
) -> Document:
    """Says of every paragraph of a page or a text what it is: the article, or which kind of publisher boilerplate.

    Args:
        source: str, bytes, `pathlib.Path`, an lxml element or tree, a BeautifulSoup object or tag, or a list of paragraphs.
        format: "html", "text", or "auto", which finds out and raises where a source looks like neither.
        keep, drop, threshold, unit, model: see `Declutter`.

    Returns:
        Every paragraph in order, none dropped.

    Raises:
        SourceError: the source cannot be read, is binary, or (with format "auto") empty.
        UsageError: an unknown kind, format or unit.
        ModelError: the model cannot be used.

    >>> import declutter
    >>> text = "The river rose by two metres overnight, the mayor said on Monday.\\nSubscribe to our newsletter\\n"
    >>> [str(paragraph.kind) for paragraph in declutter.label(text, format="text")]
    ['content', 'signup']
    """
    return _labeller(model, keep, drop, threshold, unit).label(source, format)


def clean(
    source: Any,
    format: str = "auto",
    *,
    keep: Iterable[str] | str | None = None,
    drop: Iterable[str] | str | None = None,
    threshold: float | None = None,
    unit: str = "auto",
    model: Model | Path | str | None = None,
) -> str:
    """What is left of a page or a text without its notices; arguments and errors as for `label`.

    Text comes back as it was, less the stripped paragraphs. A page comes back as paragraphs with one blank line between.
    """
    return _labeller(model, keep, drop, threshold, unit).clean(source, format)
