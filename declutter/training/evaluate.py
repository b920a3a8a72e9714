"""Scores a model by paragraph, text and kind, and holds the scores against pinned floors."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from lxml import etree

from declutter.document import Paragraph
from declutter.errors import CorpusError
from declutter.kinds import NOTICES, SCORED, Kind
from declutter.labeller import Declutter
from declutter.readers.html import find_elements
from declutter.training.align import INSIDE, in_gold
from declutter.training.corpus import GoldPage, Text, held_out, read_labelled, read_pages, read_written
from declutter.training.plant import NEAR, build, find_planted, plant

NEUTRAL = frozenset((Kind.CAPTION, Kind.BYLINE))


@dataclass(slots=True)
class Tally:
    """Counts over some texts; every score is read off it.

    A paragraph of kind content must stay, a notice must go; captions, bylines and paragraphs without a letter or digit are
    neutral.
    """

    texts: int = 0
    perfect: int = 0
    untouched: int = 0
    content: int = 0
    characters: int = 0
    lost: int = 0
    lost_characters: int = 0
    right_kind: int = 0
    true: dict[Kind, int] = field(default_factory=lambda: defaultdict(int))
    called: dict[Kind, int] = field(default_factory=lambda: defaultdict(int))
    correct: dict[Kind, int] = field(default_factory=lambda: defaultdict(int))
    gone: dict[Kind, int] = field(default_factory=lambda: defaultdict(int))
    bins: dict[int, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0, 0.0, 0.0]))

    def add(self, text: Text, kinds: Sequence[Kind], kept: Sequence[bool], content: Sequence[float]) -> list[int]:
        """Counts one text; returns the numbers of its wrong lines."""
        wrong = []
        for number, (line, truth, kind, keep, probability) in enumerate(
            zip(text.lines, text.kinds, kinds, kept, content, strict=True)
        ):
            self.true[truth] += 1
            kind = Kind.CONTENT if kind is Kind.HEADLINE else kind
            self.called[kind] += 1
            self.correct[truth] += kind is truth
            counted = self.bins[min(9, int(probability * 10))]
            counted[0] += 1
            counted[1] += probability
            counted[2] += truth is Kind.CONTENT
            if not any(map(str.isalnum, line)):
                continue
            if truth is Kind.CONTENT:
                self.content += 1
                self.characters += len(line)
                if not keep:
                    self.lost += 1
                    self.lost_characters += len(line)
                    wrong.append(number)
            elif truth not in NEUTRAL:
                if keep:
                    wrong.append(number)
                else:
                    self.gone[truth] += 1
                    self.right_kind += kind is truth
        self.texts += 1
        self.perfect += not wrong
        self.untouched += all(
            keep for line, truth, keep in zip(text.lines, text.kinds, kept, strict=True) if truth is Kind.CONTENT
        )
        return wrong

    def scores(self) -> dict[str, Any]:
        """The figures, rounded: shares between 0 and 1."""
        seen = sum(count for kind, count in self.true.items() if kind in NOTICES)
        gone = sum(self.gone.values())
        paragraphs = max(1.0, sum(found[0] for found in self.bins.values()))
        per_kind = {}
        for kind in SCORED:
            if self.true[kind] or self.called[kind]:
                precision, recall = (
                    _share(self.correct[kind], self.called[kind]),
                    _share(self.correct[kind], self.true[kind]),
                )
                per_kind[kind.value] = {
                    "lines": self.true[kind],
                    "precision": _r(precision),
                    "recall": _r(recall),
                    "f1": _r(_share(2 * precision * recall, precision + recall)),
                }
        precision, recall = _share(gone, gone + self.lost), _share(gone, seen)
        return {
            "texts": self.texts,
            "notice_precision": _r(precision),
            "notice_recall": _r(recall),
            "notice_f1": _r(_share(2 * precision * recall, precision + recall)),
            "content_lost_lines": _r(_share(self.lost, self.content), 5),
            "content_lost_characters": _r(_share(self.lost_characters, self.characters), 5),
            "perfect_texts": _r(_share(self.perfect, self.texts)),
            "untouched_articles": _r(_share(self.untouched, self.texts)),
            "kinds_right": _r(_share(self.right_kind, gone)),
            "calibration_error": _r(sum(abs(found[1] - found[2]) for found in self.bins.values()) / paragraphs),
            "kinds": per_kind,
        }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _r(value: float, digits: int = 4) -> float:
    return round(float(value), digits)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong line with what stands around it.

    Attributes:
        text: where it stands.
        number: of the line, from 0.
        paragraph: what was said of it.
    """

    text: Text
    number: int
    paragraph: Paragraph

    @property
    def truth(self) -> Kind:
        """What it is."""
        return self.text.kinds[self.number]

    @property
    def content(self) -> float:
        """Its probability of being content."""
        return self.paragraph.probabilities[Kind.CONTENT]

    @property
    def fifth(self) -> int:
        """Which fifth of the text it stands in, 1 to 5."""
        return 1 + 5 * self.number // len(self.text.lines)

    @property
    def weight(self) -> float:
        """How bad it is: certainty of the wrong answer, times the line's length where article was lost."""
        line = self.text.lines[self.number]
        return (1 - self.content) * len(line) if self.truth is Kind.CONTENT else self.content * 40

    def __str__(self) -> str:
        lines, n = self.text.lines, self.number
        before, after = (lines[n - 1] if n else "", lines[n + 1] if n + 1 < len(lines) else "")
        likely = sorted(self.paragraph.probabilities.items(), key=lambda item: -item[1])[:3]
        return (
            f"{self.text.id} line {n + 1} of {len(lines)} [{self.text.lang}, {self.text.rendering}]: "
            f"is {self.truth}, called {self.paragraph.kind}; {', '.join(f'{kind} {p:.2f}' for kind, p in likely)}\n"
            f"      {before[:100]}\n    > {lines[n][:300]}\n      {after[:100]}\n"
            f"    why: {'; '.join(map(str, self.paragraph.reasons(3)))}"
        )


@dataclass(frozen=True, slots=True)
class PagePart:
    """Some blocks of a page, with their kinds.

    Attributes:
        tree: of the page.
        text: the blocks as lines.
        numbers: which blocks of the page they are.
    """

    tree: etree._Element
    text: Text
    numbers: list[int]


def evaluate(labeller: Declutter, cases: Iterable[Text | PagePart]) -> tuple[dict[str, Any], list[Mistake]]:
    """Scores over texts or pages, with breakdowns by language and rendering, and the wrong lines, worst first."""
    whole = Tally()
    parts: dict[str, dict[str, Tally]] = {"language": defaultdict(Tally), "rendering": defaultdict(Tally)}
    mistakes: list[Mistake] = []
    for case in cases:
        text = case if isinstance(case, Text) else case.text
        document = labeller.label(list(case.lines) if isinstance(case, Text) else case.tree)
        numbers = range(len(document)) if isinstance(case, Text) else case.numbers
        content = document.probabilities[numbers, 0].tolist()
        kinds, kept = [document.kinds[n] for n in numbers], [document.kept[n] for n in numbers]
        wrong = whole.add(text, kinds, kept, content)
        for name, key in (("language", text.lang), ("rendering", text.rendering)):
            parts[name][key].add(text, kinds, kept, content)
        mistakes += [Mistake(text, n, document[numbers[n]]) for n in wrong]
    scores = whole.scores()
    for name, tallies in parts.items():
        scores[f"by_{name}"] = {
            key: {k: v for k, v in tally.scores().items() if k != "kinds"} for key, tally in sorted(tallies.items())
        }
    return scores, sorted(mistakes, key=lambda mistake: -mistake.weight)


def splice_notices(notices: Sequence[Text], articles: Sequence[Text], each: int = 1, seed: int = 0) -> list[Text]:
    """Every notice in `each` articles of its language (where there is one), at the place where such notices stand.

    The articles keep their content lines only.
    """
    random = np.random.default_rng(seed)
    by_language: dict[str, list[Text]] = defaultdict(list)
    for article in articles:
        if article.kinds.count(Kind.CONTENT) >= 4:
            by_language[article.lang].append(article)
    spliced = []
    for notice in notices:
        choices = [article for article in by_language[notice.lang] if article.site != notice.site]
        for number in range(min(each, len(choices))):
            article = choices[int(random.integers(len(choices)))]
            lines = [line for line, kind in zip(article.lines, article.kinds, strict=True) if kind is Kind.CONTENT]
            at = (
                len(lines)
                if notice.place in ("end", "")
                else min(len(lines), 1)
                if notice.place == "start"
                else int(random.integers(1, len(lines)))
            )
            kinds = [Kind.CONTENT] * len(lines)
            lines[at:at], kinds[at:at] = notice.lines, notice.kinds
            spliced.append(
                Text(
                    f"{notice.id} in {article.id} {number}",
                    notice.lang,
                    notice.site,
                    "splice",
                    notice.place or "end",
                    tuple(lines),
                    tuple(kinds),
                )
            )
    return spliced


def plant_notices(notices: Sequence[Text], pages: Iterable[GoldPage], seed: int = 0) -> list[PagePart]:
    """A notice among the paragraphs of every page with an article, of its language where there is one, else in English.

    What counts of the page is the notice and the paragraphs of the article within `NEAR` blocks.
    """
    random = np.random.default_rng(seed)
    by_language: dict[str, list[Text]] = defaultdict(list)
    for notice in notices:
        by_language[notice.lang].append(notice)
    parts = []
    for page in pages:
        choices = by_language.get(page.lang) or by_language["en"]
        if page.page_type != "article" or not choices:
            continue
        notice = choices[int(random.integers(len(choices)))]
        tree = plant(page.markup, page.gold, notice.lines, notice.place or "end", random)
        if tree is None:
            continue
        blocks, _ = find_elements(tree)
        planted = find_planted(blocks, notice.lines)
        if len(planted) < len(notice.lines):
            continue
        kinds = {block: notice.kinds[line] for block, line in planted.items()}
        first, stop = max(0, min(planted) - NEAR), max(planted) + NEAR
        for block, inside in enumerate(in_gold(blocks[first:stop], page.gold), first):
            if inside == INSIDE:
                kinds.setdefault(block, Kind.CONTENT)
        numbers = sorted(kinds)
        text = Text(
            f"{notice.id} in {page.id}",
            page.lang,
            page.site,
            "planted",
            notice.place or "end",
            tuple(blocks[n] for n in numbers),
            tuple(kinds[n] for n in numbers),
        )
        parts.append(PagePart(tree, text, numbers))
    return parts


def small_pages(texts: Sequence[Text], seed: int = 0) -> list[PagePart]:
    """A page of every text: a message instead of an article, or a very short one."""
    random = np.random.default_rng(seed)
    trees = [build(text.lines, text.kinds, random) for text in texts]
    return [PagePart(tree, text, list(range(len(text.lines)))) for tree, text in zip(trees, texts, strict=True)]


def evaluation_sets(corpus: Path, data: Path | None) -> dict[str, Callable[[], Sequence[Text | PagePart]]]:
    """The sets a model is scored on, by name; those of a data folder only where there is one.

    * notices: held-out written notices spliced into the articles of held-out texts and of hard negatives;
    * negatives: held-out hard negatives;
    * texts: held-out written texts;
    * small pages: pages built of held-out messages and short articles;
    * dev: the labelled texts of sites never trained on;
    * dev notices: held-out written notices spliced into the articles of dev;
    * page notices: the same among the paragraphs of dev's pages with an article.
    """
    written = read_written(corpus)
    notices, negatives, texts, small = (
        [text for text in part if held_out(text)]
        for part in (written.notices, written.negatives, written.texts, written.pages)
    )
    sets: dict[str, Callable[[], Sequence[Text | PagePart]]] = {
        "notices": lambda: splice_notices(notices, [*texts, *written.negatives]),
        "negatives": lambda: negatives,
        "texts": lambda: texts,
        "small pages": lambda: small_pages(small),
    }
    if data is not None:
        sets["dev"] = lambda: read_labelled(data, "dev")
        sets["dev notices"] = lambda: splice_notices(notices, read_labelled(data, "dev"), each=2)
        sets["page notices"] = lambda: plant_notices(notices, read_pages(data, "dev"))
    return sets


LOWER_IS_BETTER = frozenset(("content_lost_lines", "content_lost_characters", "calibration_error"))


def below_floors(scores: dict[str, dict[str, Any]], floors: dict[str, dict[str, float]]) -> list[str]:
    """Every score that is worse than its pinned floor, one line each; a set that was not scored is not held against it."""
    faults = []
    for name, pinned in floors.items():
        for score, floor in pinned.items():
            if name in scores:
                found = scores[name].get(score)
                if found is None:
                    faults.append(f"{name}: there is no score {score}")
                elif (found > floor) if score in LOWER_IS_BETTER else (found < floor):
                    faults.append(
                        f"{name}: {score} is {found}, {'above' if score in LOWER_IS_BETTER else 'below'} its floor {floor}"
                    )
    return faults


def read_floors(path: Path) -> dict[str, dict[str, float]]:
    """The pinned scores of a model; raises `CorpusError` where the file cannot be read."""
    try:
        floors: dict[str, dict[str, float]] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path}: {error}") from None
    return floors
