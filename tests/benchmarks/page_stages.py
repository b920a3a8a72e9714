"""Where the milliseconds of a page go, on one core, as JSON: the figures of models/article/page_speed.json.

    OPENBLAS_NUM_THREADS=1 taskset -c 0 python tests/benchmarks/page_stages.py --data ../shared/data [--rounds 5]

Times are of the processor, best of some rounds over all pages of the dev split that lxml parses as strings.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import lxml.html

import declutter
from declutter import features, labeller, model
from declutter.training.corpus import read_pages

STAGES = (  # what is timed: its name in the table, and where it is called from
    ("reading, with a parse of its own", labeller, "read"),
    ("words", features, "find_words"),
    ("words' scores", model.WordNetwork, "scores"),
    ("shape and place", features, "shape"),
    ("shape and place", features, "place"),
    ("markup and names", features, "Tree"),
    ("markup and names", features, "markup"),
    ("markup and names", model.Model, "score_names"),
    ("surroundings", features, "region"),
    ("surroundings", features, "surroundings"),
    ("networks", model.Network, "scores"),
    ("decision", labeller, "decide"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    pages = [page.markup for page in read_pages(arguments.data, "dev") if parses(page.markup)]
    cleaner = declutter.Declutter()
    spent: dict[str, float] = defaultdict(float)
    for stage, owner, name in STAGES:
        setattr(owner, name, timed(stage, getattr(owner, name), spent))
    rounds = []
    for _ in range(arguments.rounds):
        spent.clear()
        for page in pages:
            started = time.process_time()
            lxml.html.document_fromstring(page)
            parsed = time.process_time()
            cleaner.clean(page, "html")
            spent["lxml's parse"] += parsed - started
            spent["clean"] += time.process_time() - parsed
        rounds.append({stage: 1000 * seconds / len(pages) for stage, seconds in spent.items()})
    best = {stage: min(found[stage] for found in rounds) for stage in rounds[0]}
    best["rest"] = best["clean"] - sum(best[stage] for stage in {stage for stage, _, _ in STAGES})
    print(
        json.dumps(
            {"pages": len(pages), "milliseconds": {name: round(value, 2) for name, value in best.items()}}, indent=1
        )
    )


def parses(page: str) -> bool:
    try:
        lxml.html.document_fromstring(page)
    except Exception:  # whatever a parser raises: this page is no yardstick
        return False
    return True


def timed(stage: str, work: Any, spent: dict[str, float]) -> Any:
    """The same function or class, which counts the time that it takes."""

    def wrapper(*arguments: Any, **options: Any) -> Any:
        started = time.process_time()
        try:
            return work(*arguments, **options)
        finally:
            spent[stage] += time.process_time() - started

    return wrapper


if __name__ == "__main__":
    main()
