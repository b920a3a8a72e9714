"""The whole way from a source to its labelled paragraphs, on one screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from declutter import explain
from declutter.document import Document, Reason, Repetition, Source
from declutter.errors import DeclutterError, UsageError
from declutter.features import Evidence, extract
from declutter.features.words import FAMILIAR, familiarity
from declutter.kinds import SCORED
from declutter.memory import LookUp, load_memory, shifted, site_of
from declutter.model import Model, default_model, load_model
from declutter.policy import DEFAULT_PRESET, PRESETS, Thresholds, decide, expected_f, make_policy
from declutter.readers import read
from declutter.writers import OUTPUTS, WRITERS


class Declutter:
    """A labeller configured once and used many times; it holds no state, can be pickled, and is safe to share among threads.

    Args:
        model: folder of a model, or a loaded one; None for the model that comes with declutter.
        keep: kinds that stay, by default content and headline.
        drop: kinds that go; without `keep`, every other kind stays.
        threshold: probability of content from which a paragraph is content; None for the model's own.
        unit: what a paragraph of plain text is: "line", "block" or "auto".
        preset: thresholds for a use: "corpus" strips more, "reading" what is surely no article, "archive" keeps in doubt.
        budget: share of the characters, 0 to 1, that may be stripped at most. What goes beyond it is put back, the likeliest
            article first, and `Document.notes` says so, and where the first long paragraph goes.
        keep_phrases, drop_phrases: paragraphs that hold one of these stay or go, whatever their kind and the budget; where one
            holds both, it stays. Case and line breaks do not matter.

    Raises:
        UsageError: an unknown kind or preset, an empty phrase, or a threshold or budget that is no number from 0 to 1.
        ModelError: the model cannot be used.
    """

    def __init__(
        self,
        model: Model | Path | str | None = None,
        keep: Iterable[str] | str | None = None,
        drop: Iterable[str] | str | None = None,
        threshold: float | None = None,
        unit: str = "auto",
        preset: str = DEFAULT_PRESET,
        budget: float | None = None,
        keep_phrases: Iterable[str] | str | None = None,
        drop_phrases: Iterable[str] | str | None = None,
        memory: LookUp | Path | str | None = None,
    ):
        self.policy = make_policy(keep, drop, threshold, preset, budget, keep_phrases, drop_phrases)
        self.unit = unit
        self.model = (
            default_model() if model is None else model if isinstance(model, Model) else load_model(Path(model))
        )
        self.memory = load_memory(memory) if isinstance(memory, (str, Path)) else memory
        if self.memory is not None:
            self.model.needs_memory()

    def label(self, source: Any, format: str = "auto", url: str | None = None) -> Document:
        """Says of every paragraph of a source what it is; see `declutter.label`."""
        return self.judge([read(source, format, self.unit)], [url])[0]

    @overload
    def label_many(
        self,
        sources: Iterable[Any],
        format: str = ...,
        urls: Iterable[str | None] | None = ...,
        return_exceptions: Literal[False] = ...,
    ) -> Iterator[Document]: ...
    @overload
    def label_many(
        self,
        sources: Iterable[Any],
        format: str = ...,
        urls: Iterable[str | None] | None = ...,
        *,
        return_exceptions: bool,
    ) -> Iterator[Document | DeclutterError]: ...
    def label_many(
        self,
        sources: Iterable[Any],
        format: str = "auto",
        urls: Iterable[str | None] | None = None,
        return_exceptions: bool = False,
    ) -> Iterator[Document | DeclutterError]:
        """Says of every paragraph of every source what it is, as `label` would one by one, in half the time where texts are short.

        Args:
            sources: any number, read as they are needed: some `BATCH` characters ahead of what comes out.
            format: of all of them.
            urls: of each one, where there is a memory.
            return_exceptions: a source that cannot be read gives its error, in its place, and the rest goes on; without, it is
                raised after the documents before it.

        Raises:
            ValueError: there are not as many addresses as sources.
            SourceError, UsageError, ModelError: as `label`.
        """
        pairs = zip(sources, repeat(None)) if urls is None else zip(sources, urls, strict=True)
        batch: list[tuple[Source, str | None]] = []
        size = 0
        for source, url in pairs:
            try:
                found = read(source, format, self.unit)
            except DeclutterError as error:
                yield from self._judged(batch)
                if not return_exceptions:
                    raise
                yield error
                batch, size = [], 0
                continue
            batch.append((found, url))
            size += sum(map(len, found.texts))
            if size >= BATCH or len(batch) >= _MOST:
                yield from self._judged(batch)
                batch, size = [], 0
        yield from self._judged(batch)

    def _judged(self, batch: Sequence[tuple[Source, str | None]]) -> list[Document]:
        return self.judge([source for source, _ in batch], [url for _, url in batch])

    def judge(self, sources: Sequence[Source], urls: Sequence[str | None]) -> list[Document]:
        """Says of every paragraph of what was read what it is; texts that follow one another share the work.

        Args:
            sources: what `readers.read` made of documents.
            urls: of each one, None where it has none.
        """
        found: list[Document] = []
        for batch in _batches(sources):
            evidence = extract(batch, self.model.words.scores, self.model.score_names) if batch[0].texts else None
            found += self._decided(batch, urls[len(found) :], evidence)
        return found

    def _decided(
        self, batch: Sequence[Source], urls: Sequence[str | None], evidence: Evidence | None
    ) -> Iterator[Document]:
        """What becomes of the sources that some evidence is about; without any they have no paragraphs."""
        if evidence is None:
            nothing = np.zeros((0, len(SCORED)), np.float32)
            yield from (Document(source, nothing, [], [], {}, [], False, self) for source in batch)
            return
        layout, scores = evidence.layout, self.model.scores(evidence)
        unfamiliar = (familiarity(evidence.words, layout, self.model.known_words) < FAMILIAR).tolist()
        for source, url, rows, unknown in zip(batch, urls, layout.slices(), unfamiliar, strict=False):
            lengths = evidence.lengths[rows]
            repetition = self._recall(source, lengths, scores[rows], url)
            probabilities = np.exp(scores[rows] if repetition is None else shifted(scores[rows], repetition.shifts))
            thresholds = self.policy.thresholds or self._thresholds(source, probabilities, lengths, self.policy.preset)
            headline = None if source.page is None else source.page.headline
            decision = decide(self.policy, thresholds, source.texts, probabilities, source.page is not None, headline)
            yield Document(source, probabilities, *decision, unknown, self, repetition)

    def clean(self, source: Any, format: str = "auto", output: str = "text", url: str | None = None) -> str:
        """What is kept of a source; see `declutter.clean`."""
        if output not in OUTPUTS:
            raise UsageError(f"unknown output {output!r}; the outputs are {', '.join(OUTPUTS)}")
        document = self.label(source, format, url)
        return document.text if output == "text" else self.write(document, output)

    def explain(self, document: Document, index: int) -> list[Reason]:
        """All evidence about a paragraph, strongest first."""
        if document.grounds is None:
            document.grounds = explain.find_grounds(self.model, document.source)
        found = explain.reasons(self.model, document.source, document.kinds[index], index, document.grounds)
        repeated = explain.repeated(document, index)
        return found if repeated is None else sorted([*found, repeated], key=lambda reason: -abs(reason.weight))

    def uncertain(self, document: Document) -> list[bool]:
        """Whether each paragraph is article by the thresholds for an archive but not by those for a corpus."""
        texts = document.source.texts
        if not texts:
            return []
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        careful, bold = (
            self._thresholds(document.source, document.probabilities, lengths, preset).keeps(
                document.probabilities, lengths
            )
            for preset in ("archive", "corpus")
        )
        uncertain: list[bool] = (careful & ~bold).tolist()
        if document.source.page is not None and document.source.page.headline is not None:
            uncertain[document.source.page.headline] = False  # known by its title
        return uncertain

    def write(self, document: Document, output: str) -> str:
        """What is kept of a document as "markdown" or "html"."""
        return "".join(WRITERS[output](document)).removesuffix("\n")

    def _recall(self, found: Source, lengths: np.ndarray, scores: np.ndarray, url: str | None) -> Repetition | None:
        """What the memory says of the site, if it knows it."""
        site = None if self.memory is None else site_of(url)
        if self.memory is None or site is None:
            return None
        documents, of = self.memory.look_up(found.texts, site)
        shifts = self.model.needs_memory().shifts(scores, lengths, documents, of)
        return Repetition(documents, of, shifts) if of else None

    def _thresholds(self, source: Source, probabilities: np.ndarray, lengths: np.ndarray, preset: str) -> Thresholds:
        """Those of the model; for a page lower, the less sure it is what of the page is the article."""
        if source.page is None:
            return self.model.thresholds["text"][preset]
        return self.model.thresholds["html"][preset].scaled(expected_f(probabilities, lengths, PRESETS[preset].recall))


BATCH = 1 << 16  # characters of paragraphs that go through the classifier together, unless one document has more
_MOST = 1000  # documents that wait for others, however short they are


def _batches(sources: Sequence[Source]) -> Iterator[list[Source]]:
    """Texts, or pages, that follow one another, up to `BATCH` characters; what has no paragraphs, by itself."""
    batch: list[Source] = []
    size = 0
    for source in sources:
        length = sum(map(len, source.texts))
        if batch and (size + length > BATCH or _sort(source) != _sort(batch[0])):
            yield batch
            batch, size = [], 0
        batch.append(source)
        size += length
    if batch:
        yield batch


def _sort(source: Source) -> tuple[bool, bool]:
    """What the sources of a batch have in common: whether there are paragraphs, and whether there is markup."""
    return bool(source.texts), source.page is not None


@lru_cache(maxsize=32)
def _cached(options: tuple[tuple[str, Any], ...]) -> Declutter:
    return Declutter(**dict(options))


def _labeller(model: Model | Path | str | None, **options: Any) -> Declutter:
    """A labeller; without a model of the user's own, one for all calls with the same options."""
    if isinstance(options["memory"], (str, Path)):
        options["memory"] = load_memory(options["memory"])  # once, but anew where the file has changed
    if model is not None:
        return Declutter(model, **options)
    return _cached(tuple((name, _hashable(value)) for name, value in options.items()))


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else value


def label(
    source: Any,
    format: str = "auto",
    *,
    keep: Iterable[str] | str | None = None,
    drop: Iterable[str] | str | None = None,
    threshold: float | None = None,
    unit: str = "auto",
    preset: str = DEFAULT_PRESET,
    budget: float | None = None,
    keep_phrases: Iterable[str] | str | None = None,
    drop_phrases: Iterable[str] | str | None = None,
    model: Model | Path | str | None = None,
    memory: LookUp | Path | str | None = None,
    url: str | None = None,
) -> Document:
    """Says of every paragraph of a page or a text what it is: the article, or which kind of publisher boilerplate.

    Args:
        source: str, bytes, `pathlib.Path`, an lxml element or tree, a BeautifulSoup object or tag, or a list of paragraphs.
        format: "html", "text", or "auto", which finds out and raises where a source looks like neither.
        keep, drop, threshold, unit, preset, budget, keep_phrases, drop_phrases, model, memory: see `Declutter`.
        url: address of the document, or the name of its site; whose paragraphs the memory is asked for.

    Returns:
        Every paragraph in order, none dropped.

    Raises:
        SourceError: the source cannot be read, is binary, or (with format "auto") empty.
        UsageError: an unknown kind, format, unit or preset, or a number out of its range.
        ModelError: the model cannot be used.

    >>> import declutter
    >>> text = "The river rose by two metres overnight, the mayor said on Monday.\\nSubscribe to our newsletter\\n"
    >>> [str(paragraph.kind) for paragraph in declutter.label(text, format="text")]
    ['content', 'signup']
    """
    return _labeller(
        model,
        keep=keep,
        drop=drop,
        threshold=threshold,
        unit=unit,
        preset=preset,
        budget=budget,
        keep_phrases=keep_phrases,
        drop_phrases=drop_phrases,
        memory=memory,
    ).label(source, format, url)


def clean(
    source: Any,
    format: str = "auto",
    *,
    output: str = "text",
    keep: Iterable[str] | str | None = None,
    drop: Iterable[str] | str | None = None,
    threshold: float | None = None,
    unit: str = "auto",
    preset: str = DEFAULT_PRESET,
    budget: float | None = None,
    keep_phrases: Iterable[str] | str | None = None,
    drop_phrases: Iterable[str] | str | None = None,
    model: Model | Path | str | None = None,
    memory: LookUp | Path | str | None = None,
    url: str | None = None,
) -> str:
    """What is left of a page or a text without its notices; the other arguments and errors are as for `label`.

    Args:
        source: a page or a text.
        format: "html", "text" or "auto".
        output: "text": a text comes back as it was, less the stripped paragraphs, and a page as paragraphs with one blank line
            between. "markdown" and "html": with headings, lists, quotes, tables, code, links and emphasis. The HTML holds
            nothing else, but it is not sanitised: do not put that of a page you do not trust into a page of your own.

    >>> import declutter
    >>> page = "<p>The river <em>rose</em> by two metres overnight, <a href='/mayor'>the mayor</a> said on Monday.</p>"
    >>> print(declutter.clean(page, output="markdown"))
    The river _rose_ by two metres overnight, [the mayor](/mayor) said on Monday.
    """
    return _labeller(
        model,
        keep=keep,
        drop=drop,
        threshold=threshold,
        unit=unit,
        preset=preset,
        budget=budget,
        keep_phrases=keep_phrases,
        drop_phrases=drop_phrases,
        memory=memory,
    ).clean(source, format, output, url)
