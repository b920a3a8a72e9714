"""Speed of `declutter archive`: per container and engine, with one worker and two, beside the library's own on the same texts.

    OMP_NUM_THREADS=1 python tests/benchmarks/archive.py --data ../shared/data [--megabytes 20] [--shard-seconds 5] [--skip-ray]

Makes archives of the train split's texts and pages in a temporary folder, cleans each in a process of its own and prints documents
and megabytes (of text or markup, not compressed) a second of the clock, megabytes a second of processor time of the workers (which
a busy machine spares), and the largest worker's peak memory. Then what starting a run takes, what two workers gain, and what Ray adds.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import io
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import declutter
from declutter.archive import clean_archive
from declutter.archive.files import COMPRESSIONS, replacing
from declutter.training.corpus import read_labelled, read_pages


def documents(data: Path, pages: bool) -> list[str]:
    """Texts or pages of the train split."""
    if pages:
        return [page.markup for page in itertools.islice(read_pages(data, "train"), 600)]
    return ["\n".join(text.lines) for text in read_labelled(data, "train")]


def enough(found: list[str], megabytes: float) -> Iterator[str]:
    """Documents over and over until there are so many megabytes."""
    size = 0
    for document in itertools.cycle(found):
        if size >= megabytes * 1e6:
            return
        size += len(document.encode())
        yield document


def json_lines(texts: list[str]) -> bytes:
    return "".join(
        json.dumps({"id": n, "text": text}, ensure_ascii=False) + "\n" for n, text in enumerate(texts)
    ).encode()


def warc(found: list[str], pages: bool) -> bytes:
    """Response records of pages, or conversion records of texts."""
    records = io.BytesIO()
    for number, document in enumerate(found):
        body = document.encode()
        kind, media = (b"conversion", b"text/plain")
        if pages:
            kind, media = b"response", b"application/http; msgtype=response"
            body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        records.write(
            b"WARC/1.0\r\nWARC-Type: %s\r\nWARC-Target-URI: https://example.org/%d\r\nContent-Type: %s\r\n"
            b"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-%012d>\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n"
            % (kind, number, media, number, len(body), body)
        )
    return records.getvalue()


def make_archives(folder: Path, texts: list[str], pages: list[str]) -> dict[str, tuple[Path, list[str]]]:
    """An archive in every container, and the documents in it."""
    lines = json_lines(texts)
    folder.mkdir()
    contents = {
        "jsonl": lines,
        "jsonl.gz": gzip.compress(lines, 6),
        "wet": warc(texts, False),
        "warc": warc(pages, True),
    }
    found = {}
    for name, content in contents.items():
        (folder / f"a.{name}").write_bytes(content)
        found[name] = (folder / f"a.{name}", pages if name == "warc" else texts)
    if importlib.util.find_spec("backports.zstd") or sys.version_info >= (3, 14):
        with replacing(folder / "a.jsonl.zst", COMPRESSIONS[1]) as file:
            file.write(lines)
        found["jsonl.zst"] = (folder / "a.jsonl.zst", texts)
    if importlib.util.find_spec("pyarrow"):
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.table({"text": texts}), folder / "a.parquet", row_group_size=1000)
        found["parquet"] = (folder / "a.parquet", texts)
    for name, some in (("txt", texts), ("html", pages)):
        (folder / name).mkdir()
        for number, document in enumerate(some):
            (folder / name / f"{number}.{name}").write_text(document, errors="replace")
        found[name] = (folder / name, some)
    return found


def measure(source: Path, out: Path, workers: int, engine: str = "local", warm: bool = False) -> dict[str, float]:
    """One run in a process of its own: seconds of the clock, of the workers' processors, and the largest worker's peak in MB."""
    command = [sys.executable, __file__, "--one", str(source), str(out), str(workers), engine, str(int(warm))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def run_one(source: str, out: str, workers: str, engine: str, warm: str) -> None:
    """What `measure` starts."""
    if int(warm):  # a cluster that is there already
        import ray

        ray.init("local", num_cpus=int(workers), include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    started = time.perf_counter()
    clean_archive(source, out, workers=int(workers), engine=engine)
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    print(json.dumps({"seconds": seconds, "processor": used.ru_utime + used.ru_stime, "peak": peak}))


def library(texts: list[str], form: str) -> float:
    """Seconds of processor time that the library takes for the same texts, best of two."""
    labeller = declutter.Declutter()
    times = []
    for _ in range(2):
        started = time.process_time()
        for text in texts:
            labeller.clean(text, form)
        times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        run_one(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--megabytes", type=float, default=20, help="of text in each archive; of pages five times as many"
    )
    parser.add_argument(
        "--shard-seconds", type=float, default=5, help="of each of the eight shards that Ray is measured with"
    )
    parser.add_argument("--skip-ray", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = list(enough(documents(arguments.data, pages=False), arguments.megabytes))
        pages = list(enough(documents(arguments.data, pages=True), 5 * arguments.megabytes))
        (folder / "tiny.jsonl").write_bytes(json_lines(["One line."]))
        starts = [measure(folder / "tiny.jsonl", folder / f"tiny{n}", 1) for n in range(5)]
        start = min(starts, key=lambda found: found["seconds"])
        print(f"a run over one line: {start['seconds']:.2f} s, of the worker's processor {start['processor']:.2f} s")
        print(
            f"{'container':12}{'docs':>8}{'MB':>7}{'docs/s':>9}{'MB/s':>7}{'MB/s, processor':>17}{'of the library':>16}{'peak MB':>9}"
        )
        for container, (path, found) in make_archives(folder / "archives", texts, pages).items():
            size = sum(len(document.encode()) for document in found) / 1e6
            run = measure(path, folder / f"out-{container}", 1)
            own = library(found, "html" if found is pages else "text")
            used = run["processor"] - start["processor"]
            print(
                f"{container:12}{len(found):8,}{size:7.1f}{len(found) / run['seconds']:9.0f}{size / run['seconds']:7.2f}"
                f"{size / used:17.2f}{own / used:16.0%}{run['peak']:9.0f}",
                flush=True,
            )
        rate = arguments.megabytes / measure(folder / "archives/a.jsonl", folder / "rate", 1)["seconds"]
        (folder / "eight").mkdir()
        shard = json_lines(list(enough(texts, rate * arguments.shard_seconds)))
        for number in range(8):
            (folder / "eight" / f"{number}.jsonl").write_bytes(shard)
        one, two = (measure(folder / "eight", folder / f"eight-{n}", n)["seconds"] for n in (1, 2))
        print(f"eight shards, local: one worker {one:.1f} s, two workers {two:.1f} s, {one / two:.2f}x")
        if not arguments.skip_ray and importlib.util.find_spec("ray"):
            there = measure(folder / "eight", folder / "eight-there", 2, "ray", warm=True)["seconds"]
            own = measure(folder / "eight", folder / "eight-own", 2, "ray")["seconds"]
            print(
                f"eight shards, Ray with two workers: {there:.1f} s on a cluster that is there ({there / two - 1:+.0%}), ",
                end="",
            )
            print(f"{own:.1f} s with its start and end ({own / two - 1:+.0%})")


if __name__ == "__main__":
    main()
