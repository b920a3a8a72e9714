"""Articles with notices put into them: how the classifier learns where a notice begins and ends, whatever the publisher.

A splice takes the article of one publisher and notices of others in the same language, real and written, several at once and
with lines missing, and puts them at the end, at the start and between paragraphs. All of a splice is of one fold: what is measured
out of fold holds no notice that was trained on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from declutter.kinds import NOTICES, Kind
from declutter.training.corpus import GoldPage, Text

_SPLICED = NOTICES - {
    Kind.NAVIGATION,
    Kind.INTERFACE,
}  # what is worth a splice by itself; the rest comes along with its page
_HEADING = 80  # characters
_FINAL = (*".!?…。！？।۔؟", *"\"'”’»」』)")
_BARE = frozenset((Kind.CONTENT, Kind.BYLINE, Kind.CAPTION))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a spliced text: line `number` of text `text` of the list that was spliced."""

    text: int
    number: int


class Splicer:
    """Makes new texts out of labelled ones; the same seed makes the same texts.

    Args:
        texts: every labelled text: articles to splice into, notices to splice, and texts that hold both.
        seed: of the random choices.
    """

    def __init__(self, texts: Sequence[Text], seed: int = 0):
        self.texts = texts
        self.random = np.random.default_rng(seed)
        self.notices: dict[tuple[str, int], list[list[Line]]] = defaultdict(list)  # by language and fold
        self.letters: dict[tuple[str, int], list[list[Line]]] = defaultdict(list)  # the ones written for the corpus
        self.negatives: dict[tuple[str, int], list[list[Line]]] = defaultdict(list)
        for t, text in enumerate(texts):
            whole = [Line(t, i) for i in range(len(text.lines))]
            if text.place:
                self.letters[text.lang, text.fold].append(whole)
            elif text.rendering == "written" and not any(kind in NOTICES for kind in text.kinds):
                self.negatives[text.lang, text.fold].append(whole)
            elif text.rendering != "string":
                self.notices[text.lang, text.fold] += _runs(t, text)

    def thin(self, t: int) -> list[Line]:
        """A text as another extractor might have left it: some runs of notices, and some of their lines, are gone."""
        lines: list[Line] = []
        text = self.texts[t]
        gone, previous = False, None
        for i, kind in enumerate(text.kinds):
            if kind is Kind.CONTENT:
                lines.append(Line(t, i))
            else:
                if kind is not previous:
                    gone = self.random.random() < 0.5
                if not gone and self.random.random() < 0.85:
                    lines.append(Line(t, i))
            previous = kind
        return lines

    def splice(self, t: int) -> list[Line]:
        """The article of a text with one to three notices of other publishers."""
        text = self.texts[t]
        bare = self.random.random() < 0.6
        lines = [
            Line(t, i)
            for i, kind in enumerate(text.kinds)
            if (kind in _BARE if bare else kind is Kind.CONTENT or self.random.random() < 0.3)
        ]
        if bare and self.random.random() < 0.5:  # as most extractors leave it: no captions, no byline
            lines = [line for line in lines if text.kinds[line.number] is Kind.CONTENT]
        if len(lines) > 12 and self.random.random() < 0.3:
            lines = lines[: int(self.random.integers(5, len(lines)))]
            while len(lines) > 5 and self._leads_on(lines[-1]):
                lines.pop()
        for _ in range(int(self.random.choice([1, 2, 3], p=[0.5, 0.3, 0.2]))):
            notice = self.notice(text)
            if notice:
                at = self._place(notice, lines)
                lines[at:at] = notice
        return lines

    def notice(self, text: Text | GoldPage) -> list[Line]:
        """A notice of another site in the language and the fold of a text or page; empty where there is none."""
        written = self.random.random() < 0.7
        key = text.lang, text.fold
        choices = (self.letters if written else self.notices).get(key) or self.letters.get(key) or self.notices.get(key)
        if not choices:
            return []
        for _ in range(5):
            notice = choices[int(self.random.integers(len(choices)))]
            if self.texts[notice[0].text].site != text.site:
                break
        else:
            return []
        if len(notice) > 2 and self.random.random() < 0.3:
            notice = [line for line in notice if self.random.random() < 0.8] or notice
        return notice

    def negative(self, text: Text | GoldPage) -> list[Line]:
        """A hard negative in the language and the fold of a text or page; empty where there is none."""
        choices = self.negatives.get((text.lang, text.fold))
        return choices[int(self.random.integers(len(choices)))] if choices else []

    def _place(self, notice: list[Line], lines: list[Line]) -> int:
        """Before which line a notice goes: never between a heading or a lead-in and what it leads to."""
        usual = self.texts[notice[0].text].place or "end"
        draw = self.random.random()
        where = usual if draw < 0.5 else "end" if draw < 0.75 else "middle" if draw < 0.92 else "start"
        if where == "end":
            return len(lines)
        at = min(len(lines), int(self.random.integers(0, 3 if where == "start" else len(lines) + 1)))
        while 1 < at < len(lines) and self._leads_on(lines[at - 1]):
            at += 1
        return at

    def _leads_on(self, line: Line) -> bool:
        """Whether a line is a heading or a lead-in: short, and without the mark that ends a sentence."""
        text = self.texts[line.text].lines[line.number]
        return text.endswith((":", "：")) or (len(text) < _HEADING and not text.endswith(_FINAL))


def _runs(t: int, text: Text) -> list[list[Line]]:
    """Runs of one to twelve neighbouring notice lines of one kind."""
    runs: list[list[Line]] = []
    previous = None
    for i, kind in enumerate(text.kinds):
        if kind in _SPLICED:
            if kind is previous and len(runs[-1]) < 12:
                runs[-1].append(Line(t, i))
            else:
                runs.append([Line(t, i)])
        previous = kind
    return runs
