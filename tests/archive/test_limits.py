"""Limits of one document: over them it is an error, and whatever comes after it is cleaned."""

import contextlib
import json
import signal
import threading

import pytest

from declutter.archive.limits import Limits, time_limit
from declutter.errors import SourceError

needs_timers = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers of processor time")


@pytest.mark.parametrize(
    ("text", "form", "refusal"),
    [
        ("x" * 101, "text", "has 101 characters, more than the 100 allowed"),
        ("\n" * 11, "text", "has 11 lines, more than the 10 allowed"),
        ("<br>" * 11, "html", "has 11 elements, more than the 10 allowed"),
    ],
    ids=repr,
)
def test_a_document_is_refused_by_its_size(text, form, refusal):
    limits = Limits(max_characters=100, max_nodes=10)
    with pytest.raises(SourceError, match=refusal):
        limits.check(text, form)
    limits.check("x" * 100, form)
    limits.check("<br>" * 10, form)
    limits.check("<b>x</b>\n" * 10, form)


@needs_timers
def test_work_is_interrupted_when_its_time_is_up_even_where_it_swallows_errors():
    with (
        pytest.raises(SourceError, match=r"took more than the 0\.05 seconds of processor time allowed"),
        time_limit(0.05),
    ):
        while True:
            with contextlib.suppress(Exception):
                sum(range(1000))
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)


@needs_timers
def test_a_limit_goes_on_where_its_first_alarm_was_lost():
    def stubborn():
        while True:
            sum(range(1000))

    with pytest.raises(SourceError), time_limit(0.02):
        try:
            stubborn()
        except BaseException:
            stubborn()


@needs_timers
def test_work_within_its_time_leaves_nothing_behind():
    before = signal.getsignal(signal.SIGPROF)
    with time_limit(60):
        pass
    with pytest.raises(ZeroDivisionError), time_limit(60):
        raise ZeroDivisionError
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
    assert signal.getsignal(signal.SIGPROF) is before


def test_outside_of_the_main_thread_work_goes_on_without_a_limit():
    done = []

    def work():
        with time_limit(1e-9):
            done.append(sum(range(100_000)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done


@needs_timers
@pytest.mark.parametrize("form", ["jsonl", "html"])
def test_a_document_over_its_time_is_an_error_and_others_are_cleaned(clean, tmp_path, form):
    """The long one takes a second or more, the others a hundredth of the limit."""
    lines = [f"The council met on day {n} and voted." for n in range(40_000)]
    folder = tmp_path / "in"
    folder.mkdir()
    if form == "jsonl":
        texts = ["Short.\nShare this", "\n".join(lines), "Short again.\nShare this"]
        (folder / "a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    else:
        (folder / "a.html").write_text("<p>Short.<p>Share this")
        (folder / "b.html").write_text("".join(f"<p>{line}</p>" for line in lines))
        (folder / "c.html").write_text("<p>Short again.<p>Share this")
    report = clean(folder, tmp_path / "out", max_seconds=0.1)
    assert (report.errors, report.records) == (1, 3)
    error = json.loads((tmp_path / "out/errors.jsonl").read_text())
    assert error["reason"] == "took more than the 0.1 seconds of processor time allowed"
    if form == "jsonl":
        written = [json.loads(line) for line in (tmp_path / "out/a.jsonl").read_text().splitlines()]
        assert [record["text"] for record in written] == ["Short.", texts[1], "Short again."]
        assert written[1]["declutter"] == {"error": error["reason"]}
    else:
        assert (tmp_path / "out/c.html.txt").read_text() == "Short again."
    assert clean(folder, tmp_path / "more", max_seconds=600).errors == 0
