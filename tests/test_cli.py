"""The command line: exit codes, what goes to stdout and what to stderr."""

import contextlib
import io
import itertools
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import declutter
from declutter.archive.engines import ENGINES
from declutter.cli import COMMANDS, _labeller, main
from declutter.kinds import SCORED

TEXT = b"The council met on Monday.\n\n  It voted to repair the bridge.\r\nShare this"
PAGE = b"<html><title>Council mends bridge</title><body><h1>Council mends bridge</h1><p>It voted.</p></body></html>"
BINARY = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe"
LATIN = "Café “déjà vu” – 5 €.\n".encode("windows-1252")
ALL, NONE = (
    "--threshold=0",
    "--threshold=0 --drop=content",
)  # everything is content: whatever the model, all stays, or nothing


class Output(NamedTuple):
    code: int
    out: bytes
    err: str

    @property
    def records(self) -> list[dict]:
        return [json.loads(line) for line in self.out.decode().splitlines()]


def run(arguments: str, stdin: bytes = b"") -> Output:
    """Runs `declutter ARGUMENTS < stdin` in this process."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    standard = mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    with standard, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(shlex.split(arguments))
        except SystemExit as exit:
            code = exit.code
        out.flush()
    return Output(code, out.buffer.getvalue(), err.getvalue())


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A working directory with some inputs."""
    files = {
        "good.txt": TEXT,
        "other.txt": b"More.\n",
        "page.html": PAGE,
        "bad.bin": BINARY,
        "latin.txt": LATIN,
        "empty": b"",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model.json").write_text("{}")
    (tmp_path / "broken" / "weights.npz").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Case(NamedTuple):
    arguments: str
    stdin: bytes = b""
    code: int = 0
    out: bytes = b""
    complaints: tuple[str, ...] = ()  # what each line of stderr holds


CASES = [
    # the filter
    Case(ALL, TEXT, out=TEXT),
    Case(f"filter {ALL}", TEXT, out=TEXT),
    Case(f"{ALL} -", TEXT, out=TEXT),
    Case(f"{ALL} good.txt", b"unread", out=TEXT),
    Case(f"{ALL} page.html", out=b"Council mends bridge\n\nIt voted.\n"),
    Case(f"{ALL} -", PAGE, out=b"Council mends bridge\n\nIt voted.\n"),
    Case(f"{ALL} --format=text", PAGE, out=PAGE),
    Case(f"{ALL} --format=html", b"One.\nTwo.", out=b"One. Two.\n"),
    Case(f"{ALL} --format=text", b"", out=b""),
    Case(f"{ALL} latin.txt", out=LATIN),  # a text leaves in the encoding it came in
    Case(ALL, "市議会。\n".encode("utf-16"), out="市議会。\n".encode("utf-16")),
    Case(ALL, "\ufeff市議会。\n".encode("utf-16-be"), out="\ufeff市議会。\n".encode("utf-16-be")),
    Case(ALL, b"\xef\xbb\xbfOne.\n", out=b"\xef\xbb\xbfOne.\n"),
    # what is kept
    Case(NONE, TEXT, out=b""),
    Case(f"{ALL} --keep=caption", TEXT, out=b""),
    Case(f"{ALL} --keep=caption,content", TEXT, out=TEXT),
    Case(f"{ALL} --keep=content,headline --drop=content", TEXT, out=b""),
    Case(f"{ALL} --drop=headline page.html", out=b"It voted.\n"),
    Case(f"{NONE} page.html", out=b"Council mends bridge\n"),
    Case(f"{NONE} --keep-phrase=VOTED", TEXT, out=b"  It voted to repair the bridge."),
    Case(f"{ALL} --drop-phrase=council --drop-phrase='share this'", TEXT, out=b"  It voted to repair the bridge."),
    Case(f"{NONE} --budget=0", TEXT, out=TEXT, complaints=("standard input: stripping all that is not to be kept would take 100.0%",)),
    Case(f"{NONE} --budget=1", TEXT, out=b""),
    # its form
    Case(f"{ALL} --output=markdown page.html", out=b"# Council mends bridge\n\nIt voted.\n"),
    Case(f"{ALL} --output=html page.html", out=b"<h1>Council mends bridge</h1>\n<p>It voted.</p>\n"),
    Case(f"{ALL} --output=text page.html", out=b"Council mends bridge\n\nIt voted.\n"),
    Case(f"{ALL} --output=html latin.txt", out="<p>Café “déjà vu” – 5 €.</p>\n".encode()),  # always UTF-8
    Case(f"{ALL} --output=markdown other.txt other.txt", out=b"More.\n\nMore.\n\n"),
    Case(f"{NONE} --output=html", TEXT, out=b""),
    Case(f"{ALL} --output=html", BINARY, code=1, complaints=("standard input: is binary",)),  # that is no HTML
    # several inputs
    Case(f"{ALL} good.txt other.txt", out=TEXT + b"\nMore.\n"),
    Case(f"{ALL} other.txt - good.txt", b"From a pipe.", out=b"More.\nFrom a pipe.\n" + TEXT + b"\n"),
    Case(f"{ALL} good.txt bad.bin other.txt", code=1, out=TEXT + b"\nMore.\n", complaints=("bad.bin",)),
    Case(f"{ALL} missing.txt other.txt folder", code=1, out=b"More.\n", complaints=("missing.txt: ", "folder: ")),
    # inputs that fail: what came from a pipe goes through unchanged
    Case("missing.txt", code=1, complaints=("missing.txt: No such file",)),
    Case("folder", code=1, complaints=("folder: ",)),
    Case("bad.bin", code=1, complaints=("bad.bin: is binary",)),
    Case("empty", code=1, complaints=("empty: is empty",)),
    Case("", b"", code=1, complaints=("standard input is empty",)),
    Case("", b" \n\n", code=1, out=b" \n\n", complaints=("standard input is empty",)),
    Case("", BINARY, code=1, out=BINARY, complaints=("standard input is binary",)),
    Case(f"{ALL} other.txt -", BINARY, code=1, out=b"More.\n" + BINARY, complaints=("standard input is binary",)),
    Case("label", BINARY, code=1, complaints=("standard input: is binary",)),
    Case("label missing.txt", code=1, complaints=("missing.txt: No such file",)),
    # wrong use
    Case("--keep=adverts", TEXT, code=2, complaints=("unknown kind 'adverts'; the kinds are content, headline",)),
    Case("label --drop=content,ads", TEXT, code=2, complaints=("unknown kind 'ads'",)),
    Case("--threshold=2", TEXT, code=2, complaints=("threshold must lie between 0 and 1, not 2",)),
    Case("--threshold=nan good.txt", code=2, complaints=("threshold must lie between 0 and 1",)),
    Case("--budget=1.5", TEXT, code=2, complaints=("budget must lie between 0 and 1, not 1.5",)),
    Case("--keep-phrase= good.txt", code=2, complaints=("a phrase to keep or drop must be a text that is not empty",)),
    Case(f"{ALL} --removed=folder good.txt", code=2, out=TEXT, complaints=("folder is a directory",)),
    Case("train --out=folder", code=2, complaints=("--data is needed",)),
    Case("--memory=memory.parquet good.txt", code=2, complaints=("--memory needs --url",)),
    Case("--memory=memory.parquet --url=a.example", TEXT, code=2, out=TEXT, complaints=("no memory at memory.parquet",)),
    Case("memory show memory.parquet", code=2, complaints=("no memory at memory.parquet",)),
    Case("memory merge memory.parquet", code=2, complaints=("--out is needed",)),
    Case("corpus check --corpus=nowhere", code=2, complaints=("no corpus at nowhere",)),
    # a model that cannot be used
    Case("--model=nowhere", TEXT, code=2, out=TEXT, complaints=("no model at nowhere",)),
    Case("--model=broken", BINARY, code=2, out=BINARY, complaints=("does not describe a declutter model",)),
    Case("--model=broken good.txt", TEXT, code=2, complaints=("does not describe a declutter model",)),
    Case("label --model=broken", TEXT, code=2, complaints=("does not describe a declutter model",)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.arguments} < {case.stdin[:12]!a}")
def test_case(folder, case):
    done = run(case.arguments, case.stdin)
    assert (done.code, done.out) == (case.code, case.out)
    complaints = done.err.splitlines()
    assert len(complaints) == len(case.complaints), done.err
    for line, wanted in zip(complaints, case.complaints, strict=True):
        assert line.startswith("declutter: ")
        assert wanted in line


@pytest.mark.parametrize(
    "arguments",
    [
        "--nonsense",
        "label --reasons=many",
        "--format=pdf",
        "--unit=word",
        "--for=blog",
        "--output=pdf",
        "train",
        "corpus mend",
    ],
)
def test_arguments_that_do_not_parse_are_wrong_use(folder, arguments):
    done = run(arguments, TEXT)
    assert (done.code, done.out) == (2, b"")
    assert done.err.splitlines()[-1].startswith("declutter")


@settings(max_examples=50)
@given(
    st.one_of(
        st.binary(max_size=60), st.text(max_size=30).map(str.encode), st.binary(max_size=20).map(b"<p>One.".__add__)
    )
)
def test_any_bytes_in_a_pipe_end_in_an_exit_code(stdin):
    for arguments in (ALL, "label --reasons=1", "--format=html", "--format=text --drop=content"):
        done = run(arguments, stdin)
        assert done.code in (0, 1)
        complaints = [line for line in done.err.splitlines() if "holds no article" not in line]
        assert len(complaints) == done.code


def test_label_writes_one_json_object_a_paragraph(folder):
    done = run(f"label {ALL} good.txt")
    assert done.code == 0
    assert [list(record) for record in done.records] == [
        ["kind", "keep", "probability", "uncertain", "start", "end", "text"]
    ] * 3
    text = TEXT.decode()
    assert [text[record["start"] : record["end"]] for record in done.records] == [
        record["text"] for record in done.records
    ]
    assert {(record["kind"], record["keep"]) for record in done.records} == {("content", True)}


def test_label_says_where_a_paragraph_stands_on_a_page(folder):
    records = run(f"label {ALL} page.html").records
    assert [record["path"] for record in records] == ["/html/body/h1", "/html/body/p"]
    assert [record["kind"] for record in records] == ["headline", "content"]
    assert {"start", "end"}.isdisjoint(records[0])


def test_label_gives_probabilities_and_reasons_when_asked(folder):
    for record in run("label --probabilities --reasons=2 good.txt").records:
        assert list(record["probabilities"]) == [kind.value for kind in SCORED]
        assert sum(record["probabilities"].values()) == pytest.approx(1, abs=0.01)
        assert len(record["reasons"]) <= 2
        assert all(set(reason) == {"text", "weight"} for reason in record["reasons"])


def test_a_preset_a_budget_and_phrases_reach_the_policy():
    arguments = "--for=archive --budget=0.5 --keep-phrase=One --keep-phrase=Two --drop-phrase=Three --unit=block"
    policy = _labeller(COMMANDS["filter"][0]().parse_args(shlex.split(arguments))).policy
    assert (policy.preset, policy.budget) == ("archive", 0.5)
    assert (policy.keep_phrases, policy.drop_phrases) == (("one", "two"), ("three",))


def test_label_says_what_was_forced(folder):
    records = run(f"label {ALL} --drop-phrase=bridge good.txt").records
    assert [record.get("forced") for record in records] == [None, "it holds 'bridge', which is to be stripped", None]


def test_label_names_the_file_where_there_are_several(folder):
    done = run(f"label {ALL} other.txt - bad.bin", b"From a pipe.")
    assert done.code == 1
    assert [(record["file"], record["text"]) for record in done.records] == [
        ("other.txt", "More."),
        ("-", "From a pipe."),
    ]


def test_the_unit_reaches_the_reader():
    assert len(run("label --unit=block", b"a\nb\n\nc").records) == 2
    assert len(run("label --unit=line", b"a\nb\n\nc").records) == 3


def test_removed_holds_what_is_missing_from_the_output(folder):
    assert run(f"{NONE} --removed=gone.jsonl good.txt").out == b""
    records = [json.loads(line) for line in (folder / "gone.jsonl").read_text().splitlines()]
    assert [record["text"] for record in records] == [line.strip() for line in TEXT.decode().splitlines() if line]
    assert {(record["kind"], record["keep"]) for record in records} == {("content", False)}


def test_removed_names_the_file_and_is_there_where_an_input_fails(folder):
    assert run(f"{NONE} --removed=gone.jsonl other.txt bad.bin page.html").code == 1
    records = [json.loads(line) for line in (folder / "gone.jsonl").read_text().splitlines()]
    assert [(record["file"], record["text"]) for record in records] == [
        ("other.txt", "More."),
        ("page.html", "It voted."),
    ]


def test_removed_is_empty_where_nothing_was_stripped(folder):
    (folder / "gone.jsonl").write_text("of an earlier run")
    run(f"{ALL} --removed=gone.jsonl good.txt")
    assert (folder / "gone.jsonl").read_text() == ""


def test_removed_is_written_whole_or_not_at_all(folder, monkeypatch):
    (folder / "gone.jsonl").write_text("of an earlier run")
    before = sorted(folder.iterdir())
    assert run("--model=broken --removed=gone.jsonl good.txt").code == 2

    def fail(*_):
        raise OSError(28, "No space left on device", "gone.jsonl")

    monkeypatch.setattr(Path, "replace", fail)
    done = run(f"{NONE} --removed=gone.jsonl good.txt")
    assert (done.code, done.err) == (2, "declutter: gone.jsonl: No space left on device\n")
    assert (folder / "gone.jsonl").read_text() == "of an earlier run"
    assert sorted(folder.iterdir()) == before


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="needs /dev/null")
def test_removed_may_be_a_device(folder):
    assert run(f"{NONE} --removed=/dev/null good.txt").code == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_examples_that_parse(command):
    done = run(f"{command} --help")
    assert done.code == 0
    _, _, examples = done.out.decode().partition("\nexamples:\n")
    called = [words for line in examples.splitlines() for words in commands(line) if words[0] == "declutter"]
    assert called
    for _, *arguments in called:
        own = arguments[0] if arguments and arguments[0] in COMMANDS else "filter"
        assert own == command
        COMMANDS[own][0]().parse_args(arguments[own != "filter" :])


def commands(line: str) -> Iterator[list[str]]:
    """The words of each command of a pipe, without where its input comes from and its output goes."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    for piped, part in itertools.groupby(words, lambda word: word == "|"):
        if not piped:
            yield list(itertools.takewhile(lambda word: word not in "<>", part))


def test_the_filters_help_names_the_other_commands_and_every_kind():
    help_text = run("--help").out.decode()
    assert all(name in help_text for name in COMMANDS if name != "filter")
    assert all(kind.value in help_text for kind in declutter.Kind)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_version(command):
    assert run(f"{command} --version").out.decode() == f"declutter {declutter.__version__}\n"


def test_archive_reports_on_stderr_and_its_code_says_whether_records_failed(folder, monkeypatch):
    def here(work, shards, workers):
        return ((shard, work(shard)) for shard in shards)

    monkeypatch.setitem(ENGINES, "local", here)
    (folder / "good.jsonl").write_text('{"body": "One.\\nShare this", "n": 1}\n')
    done = run(f"archive good.jsonl --out clean {ALL} --fields text=body --drop-phrase='share this' --workers=3")
    assert (done.code, done.out) == (0, b"")
    assert done.err.startswith("1 documents in 1 files, 71.4% of the characters stripped, 0 errors, ")
    assert json.loads((folder / "clean/good.jsonl").read_text())["body"] == "One."
    again = run(f"archive good.jsonl --out clean {ALL} --fields text=body --drop-phrase='share this'")
    assert again.err.endswith(", 1 of 1 shards were done before\n")
    assert run("apply clean --out back --restore") == Output(0, b"", "1 documents, 0 errors\n")
    assert (folder / "back/good.jsonl").read_bytes() == (folder / "good.jsonl").read_bytes()
    assert run("apply clean --out kept --keep content").code == 0
    assert json.loads((folder / "kept/good.jsonl").read_text())["body"] == "One.\nShare this"

    (folder / "bad.jsonl").write_text("{broken\n")
    failed = run(f"archive bad.jsonl --out clean {ALL} --fields text=body --drop-phrase='share this'")
    assert (failed.code, failed.err.splitlines()[1]) == (1, f"declutter: see {Path('clean/errors.jsonl')}")
    stopped = run("archive bad.jsonl --out other --on-error stop")
    assert (stopped.code, stopped.err.count("\n")) == (1, 1)
    assert "the run stops there" in stopped.err
    for arguments, complaint in (
        (f"archive good.jsonl --out clean {ALL}", "clean was written with another fields and policy"),
        ("archive nowhere --out new", "there is no nowhere"),
        ("archive folder --out new", "folder holds nothing to clean"),
        ("archive good.txt --out new --keep ads", "unknown kind 'ads'"),
        ("archive good.txt --out good.txt/new", "Not a directory"),
        ("apply good.jsonl --out clean", "clean is not empty"),
    ):
        refused = run(arguments)
        assert (refused.code, refused.out, refused.err.count("\n")) == (2, b"", 1)
        assert complaint in refused.err
    assert not (folder / "new").exists()


def test_explain_writes_a_page_about_one_input(folder):
    for arguments, stdin in ((f"explain {ALL} good.txt", b""), (f"explain {ALL}", TEXT), (f"explain {ALL} -", TEXT)):
        done = run(arguments, stdin)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith(b"<!doctype html>")
        assert b"It voted to repair the bridge." in done.out
    assert b"<h1>Council mends bridge</h1>" in run("explain page.html").out
    for arguments, code in (("explain bad.bin", 1), ("explain missing.txt", 1), ("explain good.txt other.txt", 2)):
        failed = run(arguments)
        assert (failed.code, failed.out) == (code, b"")


def test_report_writes_a_page_about_a_run(folder, monkeypatch):
    monkeypatch.setitem(ENGINES, "local", lambda work, shards, workers: ((shard, work(shard)) for shard in shards))
    assert run(f"archive good.txt --out clean {NONE}").code == 0
    done = run("report clean")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(b"<!doctype html>")
    assert b"What was stripped: clean" in done.out
    refused = run("report folder")
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, b"", 1)


PROGRAM = [sys.executable, "-m", "declutter"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "out"),
    [
        (ALL, TEXT, 0, TEXT),
        (ALL, b"Of no encoding: \x81\x8d\x8f\x90\x9d.\n", 0, b"Of no encoding: \x81\x8d\x8f\x90\x9d.\n"),
        ("", BINARY, 1, BINARY),
        ("--keep=ads", TEXT, 2, b""),
    ],
    ids=["text", "unknown encoding", "binary", "wrong use"],
)
def test_as_a_program_it_is_a_filter_with_an_exit_code(root, arguments, stdin, code, out):
    done = subprocess.run([*PROGRAM, *arguments.split()], input=stdin, capture_output=True, cwd=root)
    assert (done.returncode, done.stdout) == (code, out)
    assert [line[:11] for line in done.stderr.splitlines()] == [b"declutter: "] * (code > 0)


@pytest.mark.parametrize("arguments", [ALL, "label"])
def test_a_closed_pipe_is_no_error(root, arguments):
    with subprocess.Popen(
        [*PROGRAM, *arguments.split()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root
    ) as program:
        program.stdout.close()
        with contextlib.suppress(BrokenPipeError):  # it may be gone before it has read all
            program.stdin.write(b"The council met on Monday.\n" * 5000)
            program.stdin.close()
        assert program.stderr.read() == b""
        assert program.wait() == 0


def test_an_archive_is_learnt_and_its_memory_shown_merged_and_used(tmp_path, capsysbinary):
    pytest.importorskip("pyarrow", reason="needs the extra archive")
    pytest.importorskip("publicsuffixlist", reason="needs the extra archive")
    line = "Residents of Sandholm read this newspaper since 1912."
    texts = [
        f"The council met for the {word} time, and the ferry was on its agenda.\n{line}\n"
        for word in ("first", "second", "third")
    ]
    (tmp_path / "in.jsonl").write_text(
        "".join(
            json.dumps({"url": f"https://www.lantern.example/{i}", "text": text}) + "\n"
            for i, text in enumerate(texts * 10)
        )
    )
    out = tmp_path / "out"
    assert main(["archive", str(tmp_path / "in.jsonl"), "--out", str(out), "--workers=1", "--memory=learn"]) == 0
    memory = str(out / "memory.parquet")
    capsysbinary.readouterr()
    assert main(["memory", "show", memory, "--top=1", "--site=https://m.lantern.example/x"]) == 0
    assert capsysbinary.readouterr().out.decode() == f"30/30\tlantern.example\t{line}\n"
    assert main(["memory", "merge", memory, memory, "--out", str(tmp_path / "both.parquet")]) == 0
    assert main(["memory", "show", str(tmp_path / "both.parquet"), "--top=1"]) == 0
    assert capsysbinary.readouterr().out.decode().startswith("60/60\t")
    (tmp_path / "new.txt").write_text(
        f"The harbour master said on Monday that the ice would hold until March.\n{line}\n"
    )
    for arguments, found in (([], True), (["--memory", memory, "--url=https://www.lantern.example/new"], False)):
        main(["label", "--reasons=99", str(tmp_path / "new.txt"), *arguments])
        label = json.loads(capsysbinary.readouterr().out.splitlines()[-1])
        assert any("stands in 30 of 30 documents" in reason["text"] for reason in label["reasons"]) is not found
