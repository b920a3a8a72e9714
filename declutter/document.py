"""The records: a source cut into paragraphs, and the labelled document made of it.

A document keeps its columns (texts, probabilities, kinds) as they were computed and makes `Paragraph`s only when asked,
so that cleaning a long text costs no object per line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, overload

from declutter.kinds import NOTICES, SCORED, Kind

if TYPE_CHECKING:
    import numpy as np

SOON = 5  # paragraphs; a paywall notice that comes later after an article is not about it
LINE_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


class Reason(NamedTuple):
    """One thing that spoke for (weight above 0) or against the paragraph's kind.

    Attributes:
        text: what it is, in plain words.
        weight: change of the kind's log-odds when this evidence is taken away.
    """

    text: str
    weight: float

    def __str__(self) -> str:
        return f"{self.text}: {self.weight:+.1f}"


@dataclass(slots=True)
class Source:
    """What a reader made of an input: paragraphs in order, nothing judged yet.

    Attributes:
        format: "text", "html" or "list".
        texts: the paragraphs. In hard-wrapped text a paragraph holds its own line breaks.
        text: the whole plain text (format "text" only).
        spans: start and end of each paragraph in `text`, in characters (format "text" only).
        encoding: what the bytes were decoded with; None for str.
        page: the page's tables (format "html" only), see `readers.html.Page`.
    """

    format: str
    texts: list[str]
    text: str = ""
    spans: list[tuple[int, int]] = field(default_factory=list)
    encoding: str | None = None
    page: Any = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph and what it was judged to be.

    Attributes:
        text: its text, exactly as in a text source; white space collapsed for pages.
        kind: what it is.
        keep: whether the policy keeps it.
        probability: calibrated probability of `kind`, 0 to 1. The page's own headline is found by its title and
            carries the probability of being content.
        start, end: character offsets into the text source, None for pages and lists.
        block: number shared by the paragraphs of one notice, None for what is no notice.
    """

    text: str
    kind: Kind
    keep: bool
    probability: float
    start: int | None
    end: int | None
    block: int | None
    _document: Document = field(repr=False, compare=False)
    _index: int = field(repr=False, compare=False)

    @property
    def probabilities(self) -> dict[Kind, float]:
        """Calibrated probability of every kind the classifier tells apart; they sum to 1."""
        return dict(zip(SCORED, map(float, self._document.probabilities[self._index]), strict=True))

    @property
    def forced(self) -> str | None:
        """What made it stay or go where that is not its kind (a phrase, the budget), or None."""
        return self._document.forced.get(self._index)

    @property
    def uncertain(self) -> bool:
        """Whether it is article by the thresholds for an archive but not by those for a corpus, whatever the policy."""
        return self._document.uncertain[self._index]

    @property
    def path(self) -> str | None:
        """XPath of the element that holds the paragraph (pages only)."""
        return self._document.path(self._index)

    def reasons(self, count: int = 5) -> list[Reason]:
        """The evidence that weighed most for and against `kind`, strongest first; at most `count`."""
        return self._document.explain(self._index)[:count]


class Notice(NamedTuple):
    """Neighbouring paragraphs that are notices of one kind.

    Attributes:
        kind: what it is.
        start, stop: numbers of its first paragraph and of the one after its last.
        begins, ends: confidence, 0 to 1, that it begins and ends there and that the paragraphs beyond are something else.
    """

    kind: Kind
    start: int
    stop: int
    begins: float
    ends: float


class Repetition(NamedTuple):
    """How often the paragraphs of a document stand in the documents of its site, by a memory.

    Attributes:
        documents: how many documents of the site hold each paragraph, int64; 0 for what the memory does not know.
        of: how many documents of the site the memory knows.
        shifts: by how much that changed each paragraph's log-odds of content, float64; 0 unless two documents hold it.
    """

    documents: np.ndarray
    of: int
    shifts: np.ndarray


class Judge(Protocol):
    """What can be asked about a document after it was judged; costs nothing until asked."""

    def explain(self, document: Document, index: int) -> list[Reason]:
        """All evidence about a paragraph, strongest first."""

    def uncertain(self, document: Document) -> list[bool]:
        """Whether each paragraph is article by the thresholds for an archive but not by those for a corpus."""

    def write(self, document: Document, output: str) -> str:
        """What is kept of the document as "markdown" or "html"."""


class Document(Sequence[Paragraph]):
    """Every paragraph of one source with its kind, in order; none is dropped.

    Attributes:
        source: the paragraphs as they were read.
        probabilities: float32 array, paragraphs x `SCORED` kinds.
        kinds: the kind of each paragraph.
        kept: whether each paragraph stays.
        forced: for the numbers of those that do not go by their kind: what made them stay or go.
        blocks: the notice each paragraph belongs to, or None.
        notes: what the policy has to say about the decision, in whole sentences.
        unfamiliar: a hint about the whole document: its language or script is one that the classifier has seen little of.
        grounds: what the judge found out to explain paragraphs; None until one is asked about.
        repetition: what a memory of the document's site had to say; None without one, or where it does not know the site.
    """

    __slots__ = (
        "_judge",
        "_paths",
        "_uncertain",
        "blocks",
        "forced",
        "grounds",
        "kept",
        "kinds",
        "notes",
        "probabilities",
        "repetition",
        "source",
        "unfamiliar",
    )

    def __init__(
        self,
        source: Source,
        probabilities: np.ndarray,
        kinds: list[Kind],
        kept: list[bool],
        forced: dict[int, str],
        notes: list[str],
        unfamiliar: bool,
        judge: Judge,
        repetition: Repetition | None = None,
    ):
        self.source = source
        self.probabilities = probabilities
        self.kinds = kinds
        self.kept = kept
        self.forced = forced
        self.blocks = _blocks(kinds)
        self.notes = notes
        self.unfamiliar = unfamiliar
        self.grounds: Any = None
        self.repetition = repetition
        self._judge = judge
        self._paths: list[str | None] | None = None
        self._uncertain: list[bool] | None = None

    def __len__(self) -> int:
        return len(self.kinds)

    @overload
    def __getitem__(self, index: int) -> Paragraph: ...
    @overload
    def __getitem__(self, index: slice) -> list[Paragraph]: ...
    def __getitem__(self, index: int | slice) -> Paragraph | list[Paragraph]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError("paragraph index out of range")
        return self._paragraph(index)

    def _paragraph(self, index: int) -> Paragraph:
        start, end = self.source.spans[index] if self.source.spans else (None, None)
        kind = self.kinds[index]
        return Paragraph(
            self.source.texts[index],
            kind,
            self.kept[index],
            float(self.probabilities[index, _column(kind)]),
            start,
            end,
            self.blocks[index],
            self,
            index,
        )

    def __iter__(self) -> Iterator[Paragraph]:
        return map(self._paragraph, range(len(self)))

    @property
    def certainties(self) -> list[float]:
        """The probability of each paragraph's kind, as in `Paragraph.probability`."""
        found: list[float] = self.probabilities[range(len(self)), [_COLUMNS[kind] for kind in self.kinds]].tolist()
        return found

    @property
    def text(self) -> str:
        """What is kept, in order. For a text source a subsequence of it: kept paragraphs and white space, nothing rewritten."""
        if self.source.format == "text":
            text = self.source.text
            return "".join([text[start:end] for start, end in kept_slices(text, self.source.spans, self.kept)])
        kept = [text for text, keep in zip(self.source.texts, self.kept, strict=True) if keep]
        return ("\n" if self.source.format == "list" else "\n\n").join(kept)

    @property
    def markdown(self) -> str:
        """What is kept, in order, as Markdown; in a page with its headings, lists, quotes, tables, code, links and emphasis."""
        return self._judge.write(self, "markdown")

    @property
    def html(self) -> str:
        """What is kept, in order, as HTML without classes, styles and scripts. It is **not sanitised**.

        A page is read once more for it, from the source. Where that is gone (after pickling) or was changed, links and emphasis
        within paragraphs are missing and rows of tables are paragraphs; the text is the same.
        """
        return self._judge.write(self, "html")

    @property
    def removed(self) -> list[Paragraph]:
        """The paragraphs that the policy strips, in order."""
        return [self[i] for i, keep in enumerate(self.kept) if not keep]

    @property
    def notices(self) -> list[Notice]:
        """The notices in order, one a block, with the confidence of their edges.

        An edge is as sure as it is likely that the paragraphs on its two sides are of different kinds; the edges of the
        document are certain.
        """
        edges = [1.0, *(1 - (self.probabilities[1:] * self.probabilities[:-1]).sum(axis=1)).tolist(), 1.0]
        found = []
        start = 0
        for stop in range(1, len(self) + 1):
            if stop == len(self) or self.blocks[stop] != self.blocks[start]:
                if self.blocks[start] is not None:
                    found.append(Notice(self.kinds[start], start, stop, edges[start], edges[stop]))
                start = stop
        return found

    @property
    def uncertain(self) -> list[bool]:
        """Whether each paragraph is article by the thresholds for an archive but not by those for a corpus."""
        if self._uncertain is None:
            self._uncertain = self._judge.uncertain(self)
        return self._uncertain

    @property
    def title(self) -> str | None:
        """The page's own headline, or its title where no headline stands on the page; None for text without either."""
        for text, kind in zip(self.source.texts, self.kinds, strict=True):
            if kind is Kind.HEADLINE:
                return text
        return (self.source.page.title or None) if self.source.page is not None else None

    @property
    def json_ld_body(self) -> str | None:
        """The article as the page's own JSON-LD gives it (articleBody), unchanged: it may hold markup, or be shortened.

        It is evidence about the page's paragraphs, and offered beside `text`, never in its place. None where the page has none
        that can be read, and for text and lists.
        """
        return self.source.page.article_body if self.source.page is not None else None

    @property
    def looks_paywalled(self) -> bool:
        """A hint about the whole document: a paywall notice stands within the article, soon after it, or in its place.

        One in the menus, which most pages of newspapers have, says nothing about the page.
        """
        content = [i for i, kind in enumerate(self.kinds) if kind is Kind.CONTENT]
        around = slice(content[0], content[-1] + 1 + SOON) if content else slice(None)
        return Kind.PAYWALL in self.kinds[around]

    @property
    def mostly_notice(self) -> bool:
        """A hint about the whole document: it holds no article, or next to none.

        A page is mostly notice where nothing of it is content: login and consent walls, error pages, robot checks, bare lists of
        links. Its menus do not count, because many an article is shorter than the menus around it. Text, and a list, is where
        less than a tenth of its characters is article.
        """
        if self.source.page is not None:
            return Kind.CONTENT not in self.kinds
        article = sum(
            len(text) for text, kind in zip(self.source.texts, self.kinds, strict=True) if kind not in NOTICES
        )
        return article * 10 < sum(map(len, self.source.texts))

    @property
    def counts(self) -> Mapping[Kind, int]:
        """Number of paragraphs of every kind that occurs, in the order of `Kind`."""
        return {kind: n for kind in Kind if (n := self.kinds.count(kind))}

    def path(self, index: int) -> str | None:
        """XPath of the element that holds paragraph `index`; None for text and lists."""
        if self.source.page is None:
            return None
        if self._paths is None:
            self._paths = self.source.page.paths()
        return self._paths[index]

    def explain(self, index: int) -> list[Reason]:
        """All evidence about paragraph `index`, strongest first."""
        return self._judge.explain(self, index)

    def __repr__(self) -> str:
        return f"<Document of {len(self)} paragraphs, {sum(self.kept)} kept>"

    def __getstate__(self) -> dict[str, Any]:
        if self.source.page is not None:
            self.path(0) if len(self) else None  # a tree cannot be pickled: the paths travel instead
        state = {name: getattr(self, name) for name in self.__slots__} | {"grounds": None}
        if self.source.page is not None:
            state["source"] = replace(self.source, page=replace(self.source.page, origin=None))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)


def _column(kind: Kind) -> int:
    return _COLUMNS[kind]


_COLUMNS = {kind: i for i, kind in enumerate(SCORED)} | {Kind.HEADLINE: SCORED.index(Kind.CONTENT)}


def _blocks(kinds: list[Kind]) -> list[int | None]:
    """Numbers the runs of neighbouring paragraphs that are notices of one kind."""
    blocks: list[int | None] = []
    number, previous = -1, None
    for kind in kinds:
        if kind in NOTICES:
            number += kind is not previous
            blocks.append(number)
        else:
            blocks.append(None)
        previous = kind
    return blocks


def kept_slices(text: str, spans: Sequence[tuple[int, int]], kept: Sequence[bool]) -> list[tuple[int, int]]:
    """Start and end of everything that stays of a text: the kept paragraphs with white space of the text between them.

    Neighbours keep their gap as it is. Where something was stripped between two, the first keeps the end of its line and
    the second its indentation; of the line breaks between them the longest run stays, so that a blank line is not lost.

    Args:
        text: the whole text.
        spans: start and end of each paragraph.
        kept: whether each stays.
    """
    if spans and not any(kept):
        return []
    slices: list[tuple[int, int]] = []
    begin = 0  # of the slice that goes on
    for first, stop in _stripped_runs(kept):
        starts = [start for start, _ in spans[first : stop + 1]] + [len(text)] * (stop == len(kept))
        ends = [0] * (first == 0) + [end for _, end in spans[max(first - 1, 0) : stop]]
        gaps = list(zip(ends, starts, strict=True))
        if first:
            slices += (begin, ends[0]), _tail(text, gaps[0])
        if stop == len(kept):
            begin = ends[
                -1
            ]  # the white space after the last paragraph is the text's own end, whatever was stripped before it
            continue
        if first:
            slices.append(_breaks(text, max(gaps, key=lambda gap: len(LINE_BREAK.findall(text, *gap)))))
        begin = _indented(text, gaps[-1])
    return [*slices, (begin, len(text))]


def _stripped_runs(kept: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """First number of every run of paragraphs that go, and the number after its last."""
    start = 0
    for keep, run in groupby(kept):
        stop = start + len(list(run))
        if not keep:
            yield start, stop
        start = stop


def _tail(text: str, gap: tuple[int, int]) -> tuple[int, int]:
    found = LINE_BREAK.search(text, *gap)
    return gap[0], found.start() if found else gap[0]


def _breaks(text: str, gap: tuple[int, int]) -> tuple[int, int]:
    found = list(LINE_BREAK.finditer(text, *gap))
    return (found[0].start(), found[-1].end()) if found else (gap[0], gap[0])


def _indented(text: str, gap: tuple[int, int]) -> int:
    """Where the last line of a gap begins."""
    found = list(LINE_BREAK.finditer(text, *gap))
    return found[-1].end() if found else gap[0]
