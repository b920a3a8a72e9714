"""What one document may cost. A document over a limit is an error of its own, so that no single one costs a run its night."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from declutter.errors import SourceError


class Limits(NamedTuple):
    """How much is judged of one document, as named in run.json.

    Attributes:
        max_characters: of its markup or text; three million take 300 MB and a second or two.
        max_nodes: elements of a page, counted as opening tags in its markup, or lines of a text; 100,000 take 600 MB.
        max_seconds: of processor time, to read it and, once more, to judge it.
    """

    max_characters: int = 3_000_000
    max_nodes: int = 100_000
    max_seconds: float = 60.0

    def check(self, text: str, form: str) -> None:
        """Refuses a text or a page by its size, before anything is done with it.

        Raises:
            SourceError: it is larger than allowed.
        """
        if len(text) > self.max_characters:
            raise SourceError(f"has {len(text):,} characters, more than the {self.max_characters:,} allowed")
        if form == "html":
            nodes, called = text.count("<") - text.count("</"), "elements"
        else:
            nodes, called = text.count("\n"), "lines"
        if nodes > self.max_nodes:
            raise SourceError(f"has {nodes:,} {called}, more than the {self.max_nodes:,} allowed")


class _TimeUpError(BaseException):
    """Raised wherever the work happens to be; no `except Exception` on the way may take it for an error of its own."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupts the work within after so many seconds of processor time.

    A call into C (a parse, a product of matrices) is not cut off in the middle: the work ends when it returns. Nothing is
    interrupted where there are no such timers (Windows) or outside of a process' main thread, which alone gets signals.

    Raises:
        SourceError: the time is up.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise _TimeUpError

    before = signal.signal(signal.SIGPROF, stop)
    try:
        signal.setitimer(signal.ITIMER_PROF, seconds, 1)  # again every second, in case that the first was swallowed
        yield
        signal.setitimer(signal.ITIMER_PROF, 0)
    except _TimeUpError:
        raise SourceError(f"took more than the {seconds:g} seconds of processor time allowed") from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
