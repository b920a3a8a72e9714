"""Scores as tables, and the model card that training writes."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from declutter.labeller import Declutter
from declutter.policy import PRESETS, presets_table
from declutter.training.corpus import fingerprint
from declutter.training.evaluate import Mistake, evaluate, evaluation_sets
from declutter.training.memory import measure

ABLATIONS = "ablations.json"  # beside the model: what was measured with and without each step
PAGE_SPEED = "page_speed.json"  # beside the model: where a page's milliseconds go
_MEASURED = ("paragraphs", "notice_f1", "content_lost_lines", "content_lost_characters", "calibration_error")
_COLUMNS = (
    ("texts", "texts"),
    ("notice F1", "notice_f1"),
    ("precision", "notice_precision"),
    ("recall", "notice_recall"),
    ("content lost, lines", "content_lost_lines"),
    ("content lost, characters", "content_lost_characters"),
    ("perfect texts", "perfect_texts"),
    ("articles untouched", "untouched_articles"),
    ("kinds right", "kinds_right"),
    ("calibration error", "calibration_error"),
)


def markdown_table(header: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def scores_table(name: str, scores: dict[str, Any]) -> str:
    """The scores of one set as Markdown: the whole, then by language, rendering and kind."""
    parts = [f"### {name}", "", markdown_table(["", *(title for title, _ in _COLUMNS)], _rows({"all": scores})), ""]
    for breakdown in ("language", "rendering"):
        if len(found := scores[f"by_{breakdown}"]) > 1:
            parts += [markdown_table([breakdown, *(title for title, _ in _COLUMNS)], _rows(found)), ""]
    kinds = [
        [kind, *(row[field] for field in ("lines", "precision", "recall", "f1"))]
        for kind, row in scores["kinds"].items()
    ]
    return "\n".join([*parts, markdown_table(["kind", "lines", "precision", "recall", "F1"], kinds), ""])


def _rows(found: dict[str, dict[str, Any]]) -> list[list[Any]]:
    return [[name, *(scores[field] for _, field in _COLUMNS)] for name, scores in found.items()]


def mistakes_table(mistakes: Sequence[Mistake]) -> str:
    """Where the mistakes are, as Markdown: by what they are and were called, by language, and by place in the text."""
    counts: dict[str, Counter[Any]] = {
        "is, called": Counter(f"{mistake.truth}, {mistake.paragraph.kind}" for mistake in mistakes),
        "language": Counter(mistake.text.lang for mistake in mistakes),
        "fifth of the text": Counter(mistake.fifth for mistake in mistakes),
    }
    return "\n".join(
        f"{markdown_table([title, 'mistakes'], [*map(list, found.most_common())])}\n" for title, found in counts.items()
    )


_OTHERS = (
    "The others are spliced, thinned and written texts and pages that were labelled for what they teach, by the thresholds for reading.",
    "",
)


def write_card(folder: Path, corpus: Path, data: Path | None) -> None:
    """Evaluates a model and writes card.md beside it: what it is, what it was trained on, how good it is, and where it is not."""
    labeller = Declutter(folder)
    about = labeller.model.about
    with (corpus / "sources.toml").open("rb") as file:
        sources = tomllib.load(file)["source"]
    measured = [
        [f"{name}, {part}", *(scores.get(score, "") for score in _MEASURED)]
        for name, form in (("plain text", "text"), ("pages", "html"))
        for part, scores in about["out_of_fold"][form].items()
        if isinstance(scores, dict)
    ]
    parts = [
        "# Model card: article",
        "",
        "Written by `declutter train`; do not edit by hand.",
        "",
        f"Tells {len(about['kinds'])} kinds of paragraph apart in plain text and web pages of news sites, magazines and "
        "blogs. "
        f"Format {about['format']}, {len(about['features'])} features, trained with scikit-learn "
        f"{about['trained_with']['scikit-learn']} and run by numpy.",
        "",
        "## Trained on",
        "",
        f"{about['counts']['pages']} pages with gold text and {about['counts']['texts']} labelled texts, notices and notice strings "
        f"({about['counts']['lines']} labelled lines), of sites whose hash puts them into the train split. "
        "The project's own corpus has the fingerprint",
        f"`{about['corpus']}`{'' if about['corpus'] == fingerprint(corpus) else ' (it has grown since)'}. "
        "No text of the third-party sets is part of the project.",
        "",
        markdown_table(
            ["source", "licence", "what"], [[source["name"], source["licence"], source["what"]] for source in sources]
        ),
        "",
        "## Thresholds",
        "",
        "For text picked out of fold, by site: those with the best F1 score of notice lines that cost at most the stated share of the "
        "article's characters. For pages the probability at which a block is worth keeping if losing one of the article is "
        f"{', '.join(f'{preset.recall:g} ({name})' for name, preset in PRESETS.items())} times as bad as keeping one of boilerplate, times "
        "the best F score that the page's probabilities let expect.",
        "",
        presets_table(),
        "",
        "```json",
        json.dumps(about["thresholds"]),
        "```",
        "",
        markdown_table(["out of fold", *(score.replace("_", " ") for score in _MEASURED)], measured),
        "",
        *(_OTHERS if "others" in about["out_of_fold"]["text"] else ()),
        "## Scores on what it was not trained on",
        "",
    ]
    for name, texts in evaluation_sets(corpus, data).items():
        parts.append(scores_table(name, evaluate(labeller, texts())[0]))
    parts += _ablations(folder / ABLATIONS, about["corpus"])
    parts += _page_speed(folder / PAGE_SPEED)
    if data is not None and labeller.model.memory is not None:
        parts += _memory_section(measure(labeller.model, corpus, data))
    parts += [
        "## Where it falls short",
        "",
        "* Bare headlines of other stories between paragraphs of the article are taken for sub-headings, and short list items "
        "of the article for links.",
        "* Languages with little of their own in the corpus (see the table by language) are judged by shape and place more than by words.",
        "* Appeals that read like the article itself, without an address to the reader, are kept.",
        "",
    ]
    (folder / "card.md").write_text("\n".join(parts), encoding="utf-8")


def memory_table(rows: Sequence[dict[str, Any]]) -> str:
    """What a memory adds, as Markdown."""
    header = ["set", "documents", "notices gone", "article lost", "of what repeats in it"]
    return markdown_table(
        header,
        [
            [
                row["set"],
                row["documents"],
                *(
                    f"{row[f'without {part}'] * 100:.{digits}f} to {row[f'with {part}'] * 100:.{digits}f} %"
                    for part, digits in (("gone", 1), ("lost", 2), ("repeated lost", 1))
                ),
            ]
            for row in rows
        ],
    )


def _memory_section(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [
        "## What a memory of the site adds",
        "",
        "On sites of the dev split and notices that are held out, without and with a memory of the site: lines of notices that go, and "
        "characters of the article that are lost, of all of it and of what stands in several documents (quotations, articles that a "
        "crawl holds twice, headlines that other documents link to). Real: the labelled texts, and the pages, of sites with several pages. "
        "Notices: "
        "articles with one to four held-out notices in 30 to 100 % of a site's documents, in varied amounts; passages: with passages "
        "of other articles in their place, which nothing but repetition convicts. The number is how many documents a site has.",
        "",
        memory_table(rows),
        "",
    ]


def _ablations(path: Path, corpus: str) -> list[str]:
    """What was measured with and without each step, and whether that was on this corpus."""
    if not path.exists():
        return []
    found = json.loads(path.read_text(encoding="utf-8"))
    then = "this corpus" if found["corpus"] == corpus else f"the corpus as it was before (`{found['corpus'][:8]}`)"
    rows = [
        [
            row["step"],
            *(f"{before:.3f} to {after:.3f}" for before, after in zip(row["before"], row["after"], strict=True)),
        ]
        for row in found["steps"]
    ]
    return [
        "## What each step gained",
        "",
        f"Measured one step at a time on {then}, not by the training run that wrote this card: notice F1 of plain text "
        "out of fold, at a loss of 0.5 % of the article's characters where nothing else is said. Two trainings of the same thing differ "
        "by 0.002; rows were measured at different stages, so that one does not begin where the one before ended.",
        "",
        markdown_table(["step", "real texts", "spliced texts"], rows),
        "",
        *_page_steps(found.get("page_steps")),
    ]


def _page_steps(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return []
    rows = [
        [row["step"], *(" to ".join(f"{value:.3f}" for value in pair) if pair else "" for pair in row["scores"])]
        for row in found["steps"]
    ]
    return [f"{found['measured']}", "", markdown_table(["step", *found["columns"]], rows), ""]


def _page_speed(path: Path) -> list[str]:
    """Where a page's milliseconds go, where it was measured."""
    if not path.exists():
        return []
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        [stage, *(f"{milliseconds:.2f}" for milliseconds in values)] for stage, values in found["milliseconds"].items()
    ]
    return [
        "## Where a page's milliseconds go",
        "",
        f"Milliseconds of one core a page, over {found['pages']} pages of sites that the model was not trained on. {found['measured']}.",
        "",
        markdown_table(["", *found["columns"]], rows),
        "",
        *(f"* {note}" for note in found["notes"]),
        "",
    ]
