"""A real Chromium for the pages that declutter writes, spoken to in its own protocol over a pipe: no driver, no package."""

import base64
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 60  # seconds until a browser that says nothing is given up


class Browser:
    """A browser without a window. Commands and events are those of the Chrome DevTools Protocol."""

    def __init__(self, program: str, profile: Path):
        to_browser, self.commands = os.pipe()
        self.answers, from_browser = os.pipe()
        # the browser reads from its file 3 and writes to its file 4; copies with high numbers are in nobody's way
        reads, writes = (fcntl.fcntl(end, fcntl.F_DUPFD, 64) for end in (to_browser, from_browser))
        self.process = subprocess.Popen(
            [program, *OPTIONS, f"--user-data-dir={profile}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=lambda: (os.dup2(reads, 3), os.dup2(writes, 4)),
        )
        for end in (to_browser, from_browser, reads, writes):
            os.close(end)
        self.number = 0
        self.rest = b""

    def send(self, method: str, session: str | None = None, **parameters: Any) -> int:
        """Sends a command and returns its number."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        return self.number

    def receive(self) -> dict[str, Any]:
        """The next answer or event."""
        while b"\0" not in self.rest:
            found = os.read(self.answers, 1 << 16)
            if not found:
                raise EOFError("the browser ended")
            self.rest += found
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.send("Browser.close")
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.commands)
        os.close(self.answers)


class Tab:
    """One page in a browser.

    Attributes:
        requests: every address that it asked for.
        complaints: what it wrote to its console, errors of scripts, and what the browser refused it.
        dialogs: what it asked or told in windows of its own.
    """

    def __init__(self, browser: Browser):
        self.browser = browser
        self.session: str | None = None
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        self.loaded = False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What a command answers."""
        number = self.browser.send(method, self.session, **parameters)
        while (message := self.browser.receive()).get("id") != number:
            self._notice(message)
        assert "error" not in message, message
        return message["result"]

    def _notice(self, message: dict[str, Any]) -> None:
        found = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(found["request"]["url"])
            case "Runtime.consoleAPICalled":
                self.complaints.append(str([argument.get("value") for argument in found["args"]]))
            case "Runtime.exceptionThrown":
                self.complaints.append(str(found["exceptionDetails"]))
            case "Log.entryAdded":
                self.complaints.append(found["entry"]["text"])
            case "Page.javascriptDialogOpening":
                self.dialogs.append(found["message"])
                self.browser.send("Page.handleJavaScriptDialog", self.session, accept=True)
            case "Page.loadEventFired":
                self.loaded = True

    def open(self, path: Path, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Shows a file and waits until it is loaded."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.loaded = False
        self.call("Page.navigate", url=path.as_uri())
        while not self.loaded:
            self._notice(self.browser.receive())

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Clicks in the middle of an element, as a person would."""
        x, y = self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center', behavior: "
            "'instant'}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, whole: bool = False) -> bytes:
        """What is to be seen, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"])


@pytest.fixture(scope="session")
def browser(tmp_path_factory) -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"needs a browser: there is none of {', '.join(NAMES)}")
    started = Browser(program, tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture
def show(browser, tmp_path) -> Callable[..., Tab]:
    """Shows a page from a file and gives its tab."""

    def shown(page: str, **options: Any) -> Tab:
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        tab = Tab(browser)
        tab.open(path, **options)
        return tab

    return shown
