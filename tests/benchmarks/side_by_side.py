"""Accuracy and speed of declutter and of every installed peer on the same pages in the same run, as the README's tables.

    OPENBLAS_NUM_THREADS=1 taskset -c 0 python tests/benchmarks/side_by_side.py --data ../shared/data [--split dev] [--limit 50]

Peers: trafilatura, resiliparse, readability-lxml (with lxml_html_clean), justext, chromerag; those that are installed take part,
each as its documentation calls it for the main content. Pages go through all tools one after the other, so that a change of the
machine's speed hits all alike; times are of the processor, not of the clock. Pages and metrics are those of the bench beside the
data. Where a set's gold text holds the page's headline (wcxb, dragnet), declutter keeps it, otherwise not.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import importlib.util
import logging
import re
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import lxml.html

import declutter
from declutter.training.report import markdown_table

SETS = ("fundus", "andy", "wcxb", "dragnet")
PARSE = "lxml's parse"  # what any reader built on it takes at least
WARM_UP = "<html><body><article><p>What a tool loads with its first page is no part of what a page takes.</p></article></body></html>"
WITH_HEADLINE = ("wcxb", "dragnet")
Extractor = Callable[[str, bool], str]
"""Main content of a page; the flag says whether its headline is wanted."""


def parse(page: str, _: bool) -> str:
    """What lxml's parse of a page takes alone."""
    lxml.html.document_fromstring(page)
    return ""


def make_declutter() -> Extractor:
    labellers = {True: declutter.Declutter(), False: declutter.Declutter(keep="content")}
    return lambda page, headline: labellers[headline].clean(page, "html")


def make_trafilatura() -> Extractor:
    from trafilatura import extract

    return lambda page, _: extract(page, include_comments=False) or ""


def make_resiliparse() -> Extractor:
    from resiliparse.extract.html2text import extract_plain_text

    return lambda page, _: extract_plain_text(page, main_content=True)


def make_readability() -> Extractor:
    from readability import Document

    def extract(page: str, _: bool) -> str:
        root = lxml.html.fromstring(Document(page).summary())
        for element in root.iter("p", "div", "li", "h1", "h2", "h3", "h4", "br", "td", "blockquote"):
            element.tail = "\n" + (element.tail or "")  # text_content() puts nothing between blocks
        return str(root.text_content())

    return extract


def make_justext() -> Extractor:
    import justext

    stop_words = {language: justext.get_stoplist(language) for language in justext.get_stoplists()}
    by_code = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pl": "Polish"}

    def extract(page: str, _: bool) -> str:
        found = re.search(r"<html[^>]*\blang=[\"']?([a-z]{2})", page[:5000], re.I)
        language = by_code.get(found[1].lower() if found else "en", "English")
        paragraphs = justext.justext(page, stop_words[language])
        return "\n".join(paragraph.text for paragraph in paragraphs if not paragraph.is_boilerplate)

    return extract


def make_chromerag() -> Extractor:
    from chromerag import ChromeRAG

    extractor = ChromeRAG()

    def extract(page: str, _: bool) -> str:
        markdown = re.sub(r"\A---\n.*?\n---\n", "", extractor.extract(page).markdown, flags=re.S)
        return re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)  # addresses are no words of the page

    return extract


TOOLS = {  # the distribution to ask for the version, and what makes the extractor
    "declutter": ("declutter", make_declutter),
    "trafilatura": ("trafilatura", make_trafilatura),
    "resiliparse": ("resiliparse", make_resiliparse),
    "readability": ("readability-lxml", make_readability),
    "justext": ("justext", make_justext),
    "chromerag": ("chromerag", make_chromerag),
}


def installed(names: Iterable[str]) -> dict[str, tuple[str, Extractor]]:
    """Version and extractor of each tool that is installed."""
    found = {}
    for name in names:
        distribution, make = TOOLS[name]
        try:
            extract = make()
            extract(WARM_UP, True)
            found[name] = importlib.metadata.version(distribution), extract
        except (ImportError, importlib.metadata.PackageNotFoundError) as error:
            print(f"left out: {name} ({error})", file=sys.stderr)
    return found


def load_bench(data: Path) -> Any:
    """The module with the bench's pages and metrics, which lies beside the data."""
    path = data.resolve().parent / "bench" / "common.py"
    spec = importlib.util.spec_from_file_location("bench_common", path)
    if spec is None or spec.loader is None or not path.exists():
        sys.exit(f"no bench at {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def f1(pairs: list[tuple[float | None, float]]) -> float:
    """Of precision and recall averaged over pages; a page without output counts for recall only, as the bench counts it."""
    precisions = [precision for precision, _ in pairs if precision is not None]
    precision = statistics.mean(precisions) if precisions else 0.0
    recall = statistics.mean(recall for _, recall in pairs)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--limit", type=int, default=sys.maxsize, help="pages of each set")
    arguments = parser.parse_args()
    logging.disable()  # peers tell at length what they cannot read; the last table counts it
    sys.setrecursionlimit(20_000)  # readability recurses as deep as a page
    bench = load_bench(arguments.data)
    tools = installed(arguments.tools.split(","))

    shingles: dict[tuple[str, str], list[tuple[float | None, float]]] = defaultdict(list)
    exact: dict[tuple[str, str], list[bool]] = defaultdict(list)
    word_f1: dict[tuple[str, str], list[float]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    errors: dict[str, int] = defaultdict(int)
    counts: dict[str, int] = defaultdict(int)
    took: dict[str, float] = {}  # by a page
    size = parsed = 0

    def timed(name: str, extract: Extractor, page: str, headline: bool) -> str:
        started = time.process_time()
        try:
            text = extract(page, headline) or ""
        except Exception:  # whatever a peer raises: the page counts as empty
            errors[name] += 1
            text = ""
        took[name] = time.process_time() - started
        return text

    for name in SETS:
        for number, row in enumerate(bench.rows(name, arguments.split)):
            if number >= arguments.limit:
                break
            page, gold = row["html"], row["gold"]
            groups = [name, *([f"wcxb {row['page_type']}"] if row.get("page_type") else [])]
            for group in groups:
                counts[group] += 1
            size += len(page.encode())
            number_of_errors = errors[PARSE]
            timed(PARSE, parse, page, False)
            for tool, (_, extract) in tools.items():
                text = timed(tool, extract, page, name in WITH_HEADLINE)
                for group in groups:
                    shingles[group, tool].append(bench.shingle_prf(text, gold))
                    word_f1[group, tool].append(bench.word_f1(text, gold))
                    exact[group, tool].append(bench.words(text) == bench.words(gold))
            if errors[PARSE] == number_of_errors:  # a page that it gives up on is no yardstick
                parsed += 1
                for tool, spent in took.items():
                    seconds[tool] += spent

    types = sorted((group for group in counts if group not in SETS), key=lambda group: -counts[group])
    sets = [group for group in SETS if counts[group]]
    pages = sum(counts[group] for group in sets)
    print(f"{datetime.date.today():%B %Y}, {arguments.split} split, {pages} pages, {size / pages / 1000:.0f} KB each\n")
    print("F1 over word 4-grams (share of pages with exactly the words of the gold text)\n")
    print(
        markdown_table(
            ["", *(f"{group} ({counts[group]})" for group in sets)],
            [
                [
                    f"{tool} {version}",
                    *(
                        f"{f1(shingles[group, tool]):.3f} ({statistics.mean(exact[group, tool]):.0%})".replace(
                            "%", " %"
                        )
                        for group in sets
                    ),
                ]
                for tool, (version, _) in tools.items()
            ],
        )
    )
    print("\nF1 over words, by type of page\n")
    print(
        markdown_table(
            ["", *(f"{group.removeprefix('wcxb ')} ({counts[group]})" for group in types)],
            [[tool, *(f"{statistics.mean(word_f1[group, tool]):.3f}" for group in types)] for tool in tools],
        )
    )
    print(f"\nSpeed, one core, {parsed} pages that lxml parses as strings\n")
    print(
        markdown_table(
            ["", "ms a page", "times lxml's parse", "pages that raised"],
            [
                [
                    name,
                    f"{1000 * seconds[name] / parsed:.2f}",
                    f"{seconds[name] / seconds[PARSE]:.1f}",
                    errors[name],
                ]
                for name in (PARSE, *tools)
            ],
        )
    )


if __name__ == "__main__":
    main()
