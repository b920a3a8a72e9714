"""Speed of declutter beside its yardsticks, on one core: text, pages, the filter as a process, and the import.

    OPENBLAS_NUM_THREADS=1 taskset -c 0 python tests/benchmarks/speed.py [--data ../shared/data] [--text FILE]

Texts and pages come from the data folder's dev split, or, without one, from the project's own corpus. Peers (trafilatura,
resiliparse, readability, jusText) are timed where they are installed. Best of `--repeats` rounds over everything.
"""

from __future__ import annotations

import argparse
import contextlib
import html
import importlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import lxml.html

import declutter
from declutter.training.corpus import read_labelled, read_pages, read_written

ROOT = Path(__file__).resolve().parents[2]


def best(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of some rounds."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def parses(page: str) -> bool:
    try:
        lxml.html.document_fromstring(page)
    except Exception:  # whatever a parser raises: this page is no yardstick
        return False
    return True


def load(data: Path | None) -> tuple[list[str], list[str]]:
    """Texts and pages."""
    if data is not None:
        texts = ["\n".join(text.lines) for text in read_labelled(data, "dev")]
        return texts, [page.markup for page in read_pages(data, "dev") if parses(page.markup)]
    written = read_written(ROOT / "corpus").texts
    pages = [
        f"<html><head><title>{html.escape(text.lines[0])}</title></head><body>"
        + "".join(
            f"<div class='{kind}'><p>{html.escape(line)}</p></div>"
            for line, kind in zip(text.lines, text.kinds, strict=True)
        )
        + "</body></html>"
        for text in written
    ]
    return ["\n".join(text.lines) for text in written], pages


def peers() -> dict[str, Callable[[str], object]]:
    """What each installed extractor does with a page."""

    def readability(page: str) -> object:
        document = importlib.import_module("readability").Document(page)
        return lxml.html.fromstring(document.summary()).text_content()

    found: dict[str, Callable[[str], object]] = {}
    calls = {
        "trafilatura": lambda page: importlib.import_module("trafilatura").extract(page),
        "resiliparse": lambda page: importlib.import_module("resiliparse.extract.html2text").extract_plain_text(
            page, main_content=True
        ),
        "readability": readability,
    }
    for name, call in calls.items():
        try:
            call("<html><body><article><p>Some words of an article.</p></article></body></html>")
        except ImportError:
            continue
        except Exception as error:
            print(f"{name}: {error}", file=sys.stderr)
        found[name] = call
    return found


def milliseconds_of_process(command: list[str], stdin: bytes, runs: int) -> float:
    """Median over some runs of a whole process."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run(command, input=stdin, stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - started)
    return 1e3 * statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--text", type=Path, default=ROOT / "tests/cases/harbour-lantern.txt")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    texts, pages = load(arguments.data)
    labeller = declutter.Declutter()

    size = sum(len(text.encode()) for text in texts) / 1e6
    seconds = best(lambda: [list(labeller.label(text, "text")) for text in texts], arguments.repeats)
    print(f"text       {size / seconds:8.2f} MB/s   {1e3 * seconds / len(texts):6.2f} ms a text, {len(texts)} texts")

    size = sum(len(page.encode()) for page in pages) / 1e6
    parse = best(lambda: [lxml.html.document_fromstring(page) for page in pages], arguments.repeats)
    print(f"lxml parse {size / parse:8.2f} MB/s   {1e3 * parse / len(pages):6.2f} ms a page, {len(pages)} pages   1.0x")
    rows = {"declutter": lambda page: labeller.clean(page, "html"), **peers()}
    for name, call in rows.items():

        def run(call: Callable[[str], object] = call) -> None:
            for page in pages:
                with contextlib.suppress(Exception):  # a peer that gives up on a page is as fast as it is
                    call(page)

        seconds = best(run, arguments.repeats if name == "declutter" else 1)
        rate = f"{size / seconds:8.2f} MB/s   {1e3 * seconds / len(pages):6.2f} ms a page"
        print(f"{name:10} {rate}   {seconds / parse:.1f}x the parse")

    text = arguments.text.read_bytes()
    python = milliseconds_of_process([sys.executable, "-c", "pass"], b"", 11)
    imported = milliseconds_of_process([sys.executable, "-c", "import declutter"], b"", 11)
    filtered = milliseconds_of_process([sys.executable, "-m", "declutter"], text, 11)
    print(
        f"python alone {python:.0f} ms, with import declutter {imported:.0f} ms, filter on {arguments.text.name} {filtered:.0f} ms"
    )


if __name__ == "__main__":
    main()
