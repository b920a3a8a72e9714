"""Whether the same words get the same kinds from a page and from its extracted text.

    OPENBLAS_NUM_THREADS=1 python tests/benchmarks/page_and_text.py --data ../shared/data [--limit 50]

Every page of the dev split is labelled as a page, and once more as plain text with one line for each of its blocks: all of them,
and those from four before the first kept block to twelve after the last, as a scraper leaves them. These lines are labelled a third
time, as a page of bare paragraphs, whose markup says nothing. Counted are blocks that no other block of their page equals, with the
same decision to keep and the same kind as in the text, and what the page's markup said of those that differ.
"""

from __future__ import annotations

import argparse
import html
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import declutter
from declutter.document import Document, Paragraph
from declutter.readers.page import TAGS
from declutter.training.corpus import read_pages
from declutter.training.report import markdown_table

BEFORE, AFTER = 4, 12  # blocks around the article


def windows(document: Document) -> Iterator[tuple[str, range]]:
    """The whole page, and the blocks around what is kept."""
    yield "whole page", range(len(document))
    kept = [i for i, keep in enumerate(document.kept) if keep]
    if kept:
        yield "around the article", range(max(0, kept[0] - BEFORE), min(len(document), kept[-1] + 1 + AFTER))


def evidence(document: Document, index: int) -> str:
    """The plainest thing that markup says of a block, and plain text does not."""
    page = document.source.page
    node = page.blocks[index]
    tag = TAGS[page.tags[node]]
    if index == page.headline:
        return "is the page's headline"
    if page.linked[index] * 2 > len(document.source.texts[index]):
        return "is mostly link"
    if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
        return "is a heading"
    around = set()
    while node >= 0:
        around.add(TAGS[page.tags[node]])
        node = page.parents[node]
    for name, tags in (
        ("stands in a menu, header, footer or aside", {"nav", "header", "footer", "aside", "menu"}),
        ("stands in a form or button", {"form", "button", "select", "label", "fieldset"}),
        ("stands in a table", {"table"}),
        ("stands in a figure", {"figure", "figcaption"}),
        ("stands in a list", {"ul", "ol", "dl"}),
    ):
        if around & tags:
            return name
    return "is a paragraph" if tag == "p" else "is in a division without a meaning of its own"


def count(counted: Counter[str], once: Counter[str], of_page: list[Paragraph], of_text: list[Paragraph]) -> None:
    """Counts the blocks that a page and a text agree about."""
    for block, line in zip(of_page, of_text, strict=True):
        if once[line.text] > 1:
            continue
        kind = "content" if block.kind == "headline" else block.kind  # plain text may call a headline content
        keeps = block.keep == line.keep
        counted.update(
            blocks=1, keep=keeps, kind=kind == line.kind, characters=len(line.text), alike=keeps * len(line.text)
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=sys.maxsize, help="pages")
    arguments = parser.parse_args()
    labeller = declutter.Declutter()
    same: dict[str, Counter[str]] = defaultdict(Counter)
    evident: dict[str, Counter[str]] = defaultdict(Counter)
    swaps: dict[str, Counter[str]] = defaultdict(Counter)
    for number, page in enumerate(read_pages(arguments.data, "dev")):
        if number >= arguments.limit:
            break
        of_page = labeller.label(page.markup, "html")
        for name, window in windows(of_page):
            texts = [of_page.source.texts[i].replace("\t", " ") for i in window]
            if not texts:
                continue
            once = Counter(texts)
            of_text = list(labeller.label("\n".join(texts), "text"))
            of_bare = list(labeller.label("".join(f"<p>{html.escape(text)}</p>" for text in texts), "html"))
            count(same[name], once, of_page[window.start : window.stop], of_text)
            count(same[f"{name}, as bare paragraphs"], once, of_bare, of_text)
            for i, paragraph in zip(window, of_text, strict=True):
                kind, keeps = of_page.kinds[i], paragraph.keep == of_page.kept[i]
                if once[paragraph.text] > 1:
                    continue
                evident[name].update({(evidence(of_page, i), keeps): 1})
                if not keeps:
                    swaps[name].update([f"{kind} in the page, {paragraph.kind} in the text"])
    rows = [
        [
            name,
            counted["blocks"],
            f"{counted['keep'] / counted['blocks']:.1%}",
            f"{counted['alike'] / counted['characters']:.1%}",
            f"{counted['kind'] / counted['blocks']:.1%}",
        ]
        for name, counted in same.items()
    ]
    print(markdown_table(["", "blocks", "same decision", "of characters", "same kind"], rows))
    for name, found in evident.items():
        sums = {what: found[what, True] + found[what, False] for what, _ in found}
        order = sorted(sums, key=lambda what: -found[what, False])
        print(f"\n{name}: what the markup says of blocks\n")
        print(
            markdown_table(
                ["the block", "blocks", "other decision", "share"],
                [[what, sums[what], found[what, False], f"{found[what, False] / sums[what]:.1%}"] for what in order],
            )
        )
        print()
        print(markdown_table([f"{name}: other decision", "blocks"], [*map(list, swaps[name].most_common(8))]))


if __name__ == "__main__":
    main()
