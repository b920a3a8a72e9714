"""The command line: arguments in, exit code out. What it does is done elsewhere; here it is only called and reported.

Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 some inputs failed, 2 wrong use. A closed pipe is no error.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from declutter import __version__
from declutter.document import Document
from declutter.errors import DeclutterError, MissingExtraError, SourceError, UsageError
from declutter.kinds import Kind
from declutter.labeller import Declutter
from declutter.policy import DEFAULT_PRESET, PRESETS
from declutter.readers import READERS, UNITS
from declutter.writers import OUTPUTS, WRITERS, write_jsonl

STDIN = "-"
KINDS_HELP = ", ".join(kind.value for kind in Kind)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments.pop(0) if arguments and arguments[0] in COMMANDS else "filter"
    try:
        parser, run = COMMANDS[name]
        return run(parser().parse_args(arguments))
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # so that closing stdout at exit does not fail again
        return 0
    except KeyboardInterrupt:
        return 130
    except DeclutterError as error:
        _complain(str(error))
        return 1 if isinstance(error, SourceError) else 2
    except OSError as error:
        _complain(f"{error.filename or 'output'}: {error.strerror or error}")
        return 2


def _complain(message: str) -> None:
    print(f"declutter: {' '.join(message.split())}", file=sys.stderr)


def _parser(command: str, description: str, examples: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"declutter {command}".strip(),
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"declutter {__version__}")
    return parser


def _add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="pages or texts; '-' or none reads standard input")
    _add_format(parser)


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=("auto", *READERS), default="auto", help="what the input is (default: auto)"
    )
    _add_kinds(parser)
    _add_labeller(parser)
    parser.add_argument(
        "--memory",
        metavar="FILE",
        help="how many documents of a site hold the same paragraph, as `declutter archive --memory learn` left it; needs --url",
    )
    parser.add_argument("--url", metavar="URL", help="where the input comes from: an address, or the name of a site")


def _add_kinds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keep",
        metavar="KINDS",
        help=f"kinds to keep, comma-separated (default: content,headline); kinds: {KINDS_HELP}",
    )
    parser.add_argument("--drop", metavar="KINDS", help="kinds to strip; without --keep, every other kind stays")


def _add_labeller(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--unit",
        choices=UNITS,
        default="auto",
        help="what a paragraph of plain text is (default: auto: a line, or what was hard-wrapped)",
    )
    parser.add_argument("--model", metavar="DIR", help="another model than the one that comes with declutter")
    parser.add_argument(
        "--for",
        dest="preset",
        choices=PRESETS,
        default=DEFAULT_PRESET,
        help="what the result is for: "
        + "; ".join(f"{name} {preset.meaning}" for name, preset in PRESETS.items())
        + " (default: %(default)s)",
    )
    _add_forcing(parser)
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="P",
        help="probability of content from which a paragraph is content, 0 to 1; lower keeps more; it overrules --for",
    )


def _add_forcing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--budget",
        type=float,
        metavar="SHARE",
        help="strip at most this share of the characters, 0 to 1; what goes beyond it is put back, and a note says so",
    )
    parser.add_argument(
        "--keep-phrase",
        action="append",
        default=[],
        metavar="TEXT",
        help="keep every paragraph that holds this text, whatever its kind; may be given several times",
    )
    parser.add_argument(
        "--drop-phrase", action="append", default=[], metavar="TEXT", help="strip every paragraph that holds this text"
    )


def _filter_parser() -> argparse.ArgumentParser:
    others = ", ".join(name for name in COMMANDS if name != "filter")
    examples = (
        "  declutter < article.txt > clean.txt\n"
        "  declutter page.html\n"
        "  declutter --output markdown page.html > page.md\n"
        "  declutter --drop appeal,paywall --removed gone.jsonl a.txt b.txt\n"
        "  declutter --for archive --budget 0.5 --drop-phrase 'Vale Echo Newsletter' article.txt\n"
        "  curl -s https://example.org/news | declutter --keep content,headline,caption"
    )
    parser = _parser(
        "",
        f"Strips the publisher's notices from articles in plain text and web pages. Other commands: {others} (declutter COMMAND --help).",
        examples,
    )
    _add_reading(parser)
    parser.add_argument(
        "--output",
        choices=OUTPUTS,
        default="text",
        help="form of what is kept; the HTML is minimal, but not sanitised (default: text)",
    )
    parser.add_argument(
        "--removed", metavar="FILE", help="write what was stripped to FILE, one JSON object a paragraph"
    )
    return parser


def _label_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "label",
        "Writes one JSON object for every paragraph: its kind, whether it is kept, its probability, its text and where it stands.",
        "  declutter label article.txt\n  declutter label --reasons 3 page.html | jq 'select(.keep | not)'",
    )
    _add_reading(parser)
    parser.add_argument("--probabilities", action="store_true", help="give the probability of every kind")
    parser.add_argument("--reasons", type=int, default=0, metavar="N", help="give up to N reasons for each paragraph")
    return parser


def _explain_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "explain",
        "Writes one HTML page that shows a text or page paragraph by paragraph: kept or struck out, its kind, how sure that is, and why. "
        "The page is one file that loads nothing.",
        "  declutter explain article.txt > explained.html\n  declutter explain --for archive < page.html > explained.html",
    )
    parser.add_argument(
        "file", nargs="?", default=STDIN, metavar="FILE", help="a page or text; '-' or none reads standard input"
    )
    _add_format(parser)
    return parser


def _labeller(arguments: argparse.Namespace) -> Declutter:
    if arguments.memory and not arguments.url:
        raise UsageError("--memory needs --url, to know the site")
    return Declutter(
        arguments.model,
        keep=arguments.keep,
        drop=arguments.drop,
        threshold=arguments.threshold,
        unit=arguments.unit,
        preset=arguments.preset,
        budget=arguments.budget,
        keep_phrases=arguments.keep_phrase,
        drop_phrases=arguments.drop_phrase,
        memory=arguments.memory,
    )


def _run_filter(arguments: argparse.Namespace) -> int:
    removed: list[str] = []
    several = len(arguments.files) > 1

    def write(name: str, document: Document) -> None:
        encoding = document.source.encoding if document.source.format == arguments.output == "text" else None
        written = "".join(WRITERS[arguments.output](document))
        if several and written and (arguments.output == "markdown" or not written.endswith("\n")):
            written += "\n"
        _write_bytes(written.encode(encoding or "utf-8", "surrogateescape"))
        removed.extend(_named(name if several else None, line) for line in write_jsonl(document.removed))

    code = _each(arguments, write, spare_stdin=arguments.output == "text")
    if arguments.removed:
        _replace_file(Path(arguments.removed), "".join(removed))
    return code


def _run_label(arguments: argparse.Namespace) -> int:
    several = len(arguments.files) > 1

    def write(name: str, document: Document) -> None:
        for line in write_jsonl(document, reasons=arguments.reasons, probabilities=arguments.probabilities):
            _write_bytes(_named(name if several else None, line).encode("utf-8", "surrogatepass"))

    return _each(arguments, write, spare_stdin=False)


def _run_explain(arguments: argparse.Namespace) -> int:
    arguments.files = [arguments.file]
    return _each(
        arguments, lambda _, document: _write_bytes("".join(WRITERS["explain"](document)).encode()), spare_stdin=False
    )


def _named(name: str | None, line: str) -> str:
    return line if name is None else json.dumps({"file": name} | json.loads(line), ensure_ascii=False) + "\n"


def _each(arguments: argparse.Namespace, write: Any, spare_stdin: bool) -> int:
    """Labels every input in turn. What came from stdin and cannot be judged goes through unchanged, because it is nowhere else."""
    names = arguments.files or [STDIN]
    try:
        labeller = _labeller(arguments)
    except UsageError:
        raise
    except DeclutterError:
        if spare_stdin and STDIN in names:
            _write_bytes(sys.stdin.buffer.read())
        raise
    failed = 0
    for name in names:
        raw = sys.stdin.buffer.read() if name == STDIN else None
        try:
            document = labeller.label(Path(name) if raw is None else raw, arguments.format, arguments.url)
        except SourceError as error:
            failed += 1
            if raw is not None and spare_stdin:
                _write_bytes(raw)
                _complain(f"standard input {error}; it went through unchanged")
            else:
                _complain(str(error) if str(error).startswith(name) else f"{_input(name)}: {error}")
            continue
        write(name, document)
        for note in document.notes:
            _complain(f"{_input(name)}: {note}")
        if document.unfamiliar:
            _complain(f"{_input(name)}: its language is one that the model has seen little of; check what was stripped")
    sys.stdout.flush()
    return 1 if failed else 0


def _input(name: str) -> str:
    return "standard input" if name == STDIN else name


def _write_bytes(data: bytes) -> None:
    sys.stdout.flush()
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(data.decode("utf-8", "replace"))
    else:
        buffer.write(data)
        buffer.flush()


def _replace_file(path: Path, content: str) -> None:
    """Writes a file whole or not at all."""
    if path.is_dir():
        raise UsageError(f"{path} is a directory")
    with _temporary(path) as file:
        file.write(content)


@contextmanager
def _temporary(path: Path) -> Iterator[IO[str]]:
    if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced
        with path.open("w", encoding="utf-8", errors="surrogatepass") as file:
            yield file
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", errors="surrogatepass") as file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _archive_parser() -> argparse.ArgumentParser:
    from declutter.archive.containers import fields_help
    from declutter.archive.engines import ENGINES
    from declutter.archive.run import LEARN, LIMITS, OFF, ON_ERROR, PART_BYTES

    parser = _parser(
        "archive",
        "Cleans every document of JSON lines, Parquet, WARC, WET, text and HTML files, also gzip or zstd, into files of the same "
        "names in a folder. Whatever ends a run, the same command goes on where it was.",
        "  declutter archive crawl/ --out cleaned\n"
        "  declutter archive 'news-*.jsonl.zst' --out cleaned --fields text=body,url=link --workers 8\n"
        "  declutter archive CC-MAIN-20261101.warc.wet.gz --out cleaned --for corpus --on-error stop\n"
        "  declutter archive records.parquet --out labelled --sidecar\n"
        "  declutter archive crawl/ --out cleaned --memory learn\n"
        "  declutter archive crawl/ --out cleaned --engine ray --ray-address auto",
    )
    parser.add_argument("sources", nargs="+", metavar="SRC", help="files, folders, globs, or URLs of such (s3://...)")
    parser.add_argument("--out", required=True, metavar="DIR", help="where the cleaned files go")
    parser.add_argument("--engine", choices=ENGINES, default="local", help="where it runs (default: %(default)s)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one a core)")
    parser.add_argument(
        "--ray-address", metavar="ADDR", help="of the cluster for --engine ray, or auto (default: start one here)"
    )
    parser.add_argument(
        "--fields",
        metavar="NAMES",
        help=f"what the archive calls {fields_help()}",
    )
    parser.add_argument(
        "--sidecar", action="store_true", help="leave texts as they are, write only labels to DIR/labels"
    )
    parser.add_argument(
        "--on-error", choices=ON_ERROR, default="skip", help="what to do where a document fails (default: %(default)s)"
    )
    parser.add_argument("--redo", action="store_true", help="do again what is done, with other settings if need be")
    parser.add_argument(
        "--part-bytes",
        type=int,
        default=PART_BYTES,
        metavar="N",
        help="larger files are cleaned in parts of about N bytes, by several workers (default: %(default)s)",
    )
    for name, what, of in (
        ("characters", int, "characters"),
        ("nodes", int, "elements in a page or lines in a text"),
        ("seconds", float, "seconds of processor time"),
    ):
        parser.add_argument(
            f"--max-{name}",
            type=what,
            default=getattr(LIMITS, f"max_{name}"),
            metavar="N",
            help=f"a document of more {of} is counted as an error (default: %(default)s)",
        )
    parser.add_argument(
        "--memory",
        default=OFF,
        metavar="FILE",
        help="weigh in how many documents of its site a paragraph stands: by a file that was learnt before, or "
        f"{LEARN!r} to go through the archive once before and count, into DIR/memory.parquet (default: %(default)s)",
    )
    _add_kinds(parser)
    _add_labeller(parser)
    return parser


def _run_archive(arguments: argparse.Namespace) -> int:
    from declutter.archive import clean_archive

    report = clean_archive(**_options(arguments), progress=True)
    share = report.removed_characters / max(report.characters, 1)
    print(
        f"{report.records:,} documents in {report.files:,} files, {share:.1%} of the characters stripped, "
        f"{report.errors:,} errors, {report.seconds:.1f} s"
        + (f", {report.skipped:,} of {report.shards:,} shards were done before" if report.skipped else ""),
        file=sys.stderr,
    )
    return _after_errors(report.errors, arguments.out)


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The arguments under the names that the library gives them."""
    plural = {"keep_phrase": "keep_phrases", "drop_phrase": "drop_phrases"}
    return {plural.get(name, name): value for name, value in vars(arguments).items()}


def _apply_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "apply",
        "Decides anew what stays in what `declutter archive` cleaned, or puts back what was stripped; no model runs.",
        "  declutter apply cleaned --out stricter --keep content\n"
        "  declutter apply cleaned --out fuller --drop appeal,paywall --budget 0.3 --keep-phrase 'Ferry news'\n"
        "  declutter apply cleaned --out as-it-was --restore\n"
        "  declutter apply records.parquet --labels labelled/labels --out cleaned --drop appeal,paywall",
    )
    parser.add_argument("sources", nargs="+", metavar="SRC", help="folders that declutter wrote, or files out of them")
    parser.add_argument("--out", required=True, metavar="DIR", help="an empty folder to write to")
    parser.add_argument(
        "--restore", dest="undo", action="store_true", help="put back what was stripped, and take the labels off"
    )
    parser.add_argument(
        "--labels", metavar="DIR", help="the labels that --sidecar wrote; SRC is then what was labelled"
    )
    parser.add_argument("--fields", metavar="NAMES", help="as for declutter archive (default: what the run was told)")
    _add_kinds(parser)
    _add_forcing(parser)
    return parser


def _run_apply(arguments: argparse.Namespace) -> int:
    from declutter.archive import apply_archive

    applied = apply_archive(**_options(arguments))
    print(f"{applied.records:,} documents, {applied.errors:,} errors", file=sys.stderr)
    return _after_errors(applied.errors, arguments.out)


def _report_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "report",
        "Writes one HTML page about a run of declutter archive: what was stripped, by kind and by site, the most frequent notices, "
        "what is in doubt, sites that look wrong, and what failed. The page is one file that loads nothing.",
        "  declutter report cleaned > report.html",
    )
    parser.add_argument("folder", metavar="DIR", help="what declutter archive wrote to")
    return parser


def _run_report(arguments: argparse.Namespace) -> int:
    from declutter.archive import report_page

    _write_bytes(report_page(arguments.folder).encode())
    return 0


def _memory_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "memory",
        "Shows what a memory of sites holds, or makes one of several. A memory is a Parquet file that other tools can read too.",
        "  declutter memory show cleaned/memory.parquet --site example.org\n"
        "  declutter memory merge may.parquet june.parquet --out both.parquet",
    )
    parser.add_argument("action", choices=("show", "merge"))
    parser.add_argument("files", nargs="+", metavar="FILE", help="memories; to merge, those of different documents")
    parser.add_argument("--out", metavar="FILE", help="where the merged memory goes")
    parser.add_argument("--site", metavar="URL", help="show this site alone: an address in it, or its name")
    parser.add_argument("--top", type=int, default=20, metavar="N", help="show N paragraphs (default: %(default)s)")
    return parser


def _run_memory(arguments: argparse.Namespace) -> int:
    from declutter.archive.sites import merge_memories, most_frequent

    if arguments.action == "merge":
        if not arguments.out:
            raise UsageError("--out is needed: the file for the merged memory")
        merge_memories(arguments.files, arguments.out)
        return 0
    for file in arguments.files:
        for row in most_frequent(file, arguments.top, arguments.site):
            _write_bytes(f"{row.documents}/{row.of}\t{row.site}\t{row.example}\n".encode())
    return 0


def _after_errors(errors: int, out: str) -> int:
    if errors:
        _complain(f"see {out.rstrip('/')}/errors.jsonl")
    return 1 if errors else 0


def _project(part: str) -> Path:
    """A folder of the checkout that this package stands in, or of the working directory."""
    beside = Path(__file__).resolve().parent.parent / part
    return beside if beside.is_dir() else Path(part)


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--corpus",
        type=Path,
        default=_project("corpus"),
        metavar="DIR",
        help="the project's corpus (default: %(default)s)",
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the third-party sets that corpus/sources.toml names"
    )


def _train_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "train",
        "Trains a model from the corpus and the third-party sets, and writes its card. The same seed gives the same bytes.",
        "  declutter train --data ../shared/data --out models/article",
    )
    _add_training(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the model goes")
    parser.add_argument("--seed", type=int, default=0, help="of every random choice (default: 0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    parser.add_argument("--pages", type=int, metavar="N", help="use at most N pages of each set, for a quick try")
    parser.add_argument(
        "--only",
        choices=("memory",),
        help="train what a memory of sites says for the model that is in DIR, in some minutes, and leave the rest as it is",
    )
    return parser


def _run_train(arguments: argparse.Namespace) -> int:
    if arguments.data is None:
        raise UsageError("--data is needed: the folder of the third-party sets that corpus/sources.toml names")
    _needs_training()
    from declutter.training import memory, report, train

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if arguments.only is None:
        settings = train.Settings(seed=arguments.seed, jobs=arguments.jobs, page_limit=arguments.pages)
        train.train(arguments.corpus, arguments.data, arguments.out, settings, say)
    memory.train_memory(arguments.corpus, arguments.data, arguments.out, arguments.seed, arguments.jobs, say)
    report.write_card(arguments.out, arguments.corpus, arguments.data)
    return 0


def _evaluate_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "evaluate",
        "Scores a model on texts it was not trained on: those of the corpus, and with --data the labelled texts of the third-party sets.",
        "  declutter evaluate\n"
        "  declutter evaluate --data ../shared/data --errors 20\n"
        "  declutter evaluate --json --floors models/article/floors.json",
    )
    _add_training(parser)
    parser.add_argument("--model", metavar="DIR", help="another model than the one that comes with declutter")
    parser.add_argument("--json", action="store_true", help="print the scores as JSON")
    parser.add_argument(
        "--errors",
        type=int,
        default=0,
        metavar="N",
        help="count the mistakes of every set by kind, language and place, and print the N worst with their context and reasons",
    )
    parser.add_argument(
        "--floors", type=Path, metavar="FILE", help="exit 1 where a score is worse than the one pinned in FILE"
    )
    return parser


def _run_evaluate(arguments: argparse.Namespace) -> int:
    from declutter.training import evaluate, report

    labeller = Declutter(arguments.model)
    scores: dict[str, Any] = {}
    for name, texts in evaluate.evaluation_sets(arguments.corpus, arguments.data).items():
        scores[name], mistakes = evaluate.evaluate(labeller, texts())
        if not arguments.json:
            print(report.scores_table(name, scores[name]), flush=True)
        if arguments.errors:
            print(report.mistakes_table(mistakes), file=sys.stderr if arguments.json else sys.stdout)
        for mistake in mistakes[: arguments.errors]:
            print(mistake, file=sys.stderr if arguments.json else sys.stdout)
    if arguments.json:
        print(json.dumps(scores, indent=1, ensure_ascii=False))
    faults = evaluate.below_floors(scores, evaluate.read_floors(arguments.floors)) if arguments.floors else []
    for fault in faults:
        _complain(fault)
    return 1 if faults else 0


def _corpus_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "corpus",
        "Checks the project's corpus: every record readable, unique, labelled with known kinds, held-out publishers apart.",
        "  declutter corpus check",
    )
    parser.add_argument("action", choices=("check",))
    _add_training(parser)
    return parser


def _run_corpus(arguments: argparse.Namespace) -> int:
    from declutter.training import corpus

    if not arguments.corpus.is_dir():
        raise UsageError(f"there is no corpus at {arguments.corpus}")
    counts, faults = corpus.check(arguments.corpus)
    for fault in faults:
        _complain(fault)
    languages = {name.partition(": ")[2] for name in counts if name.startswith("notices: ")}
    print(
        f"{counts['notices']} notices in {len(languages)} languages, {counts['negatives']} hard negatives, "
        f"{counts['texts']} texts, {counts['pages']} small pages, {counts['labels']} pages with {counts['labelled lines']} labelled lines"
    )
    return 1 if faults else 0


def _needs_training() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise MissingExtraError("training needs scikit-learn: pip install 'declutter[train]'") from None


COMMANDS = {
    "filter": (_filter_parser, _run_filter),
    "label": (_label_parser, _run_label),
    "explain": (_explain_parser, _run_explain),
    "archive": (_archive_parser, _run_archive),
    "apply": (_apply_parser, _run_apply),
    "report": (_report_parser, _run_report),
    "memory": (_memory_parser, _run_memory),
    "evaluate": (_evaluate_parser, _run_evaluate),
    "train": (_train_parser, _run_train),
    "corpus": (_corpus_parser, _run_corpus),
}
"""Parser and function of every command; `declutter` without one is the filter."""

if isinstance(sys.stderr, io.TextIOWrapper):
    sys.stderr.reconfigure(errors="backslashreplace")

if __name__ == "__main__":
    sys.exit(main())
