"""The report's page in a real browser: opens, sorts, shows schedules, without an error."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.cases import Case
from experiments.report import write_report
from experiments.store import Record, Store, Task
from solvers.solve import solve

pytest.importorskip("plotly", reason="plotly is not installed")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1400,1000",
)
PATIENCE = 60.0
"""Seconds for an answer of the browser."""


class Browser:
    """Headless Chromium, spoken to over its debugging pipe: JSON between NUL bytes."""

    def __init__(self, program: str, folder: Path) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        command = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        flags = (*FLAGS, f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank")
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", program, *flags],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        os.set_blocking(self._in, False)
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        self.complaints: list[str] = []
        targets = self._ask("Target.getTargets")["targetInfos"]
        target = next(each["targetId"] for each in targets if each["type"] == "page")
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")

    def open(self, page: Path) -> float:
        """Open a page and wait until it is loaded; return the seconds that it took."""
        start = time.perf_counter()
        self._ask("Page.navigate", url=page.as_uri())
        self.wait("document.readyState === 'complete'")
        return time.perf_counter() - start

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is awaited."""
        answer = self._ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression holds in the page."""
        end = time.monotonic() + PATIENCE
        while not self.run(condition):
            assert time.monotonic() < end, f"never: {condition}"
            time.sleep(0.02)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What a method of the debugging protocol answers."""
        return self._ask(method, **parameters)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while True:
            for answer in self._messages():
                if answer.get("id") == self._number:
                    assert "error" not in answer, answer
                    result: dict[str, Any] = answer["result"]
                    return result
                self._note(answer)
            assert time.monotonic() < end, f"no answer to {method}"
            assert self._process.poll() is None, "the browser has ended"
            time.sleep(0.002)

    def _messages(self) -> Iterator[dict[str, Any]]:
        try:
            self._rest += os.read(self._in, 1 << 20)
        except BlockingIOError:
            return
        *whole, self._rest = self._rest.split(b"\0")
        yield from (json.loads(text) for text in whole)

    def _note(self, event: dict[str, Any]) -> None:
        """Keep what the page complains about, and every request beyond the page itself."""
        facts = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(facts["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if facts["type"] in ("error", "warning", "assert"):
                self.complaints.append(json.dumps(facts["args"]))
            case "Log.entryAdded" if facts["entry"]["level"] in ("error", "warning"):
                self.complaints.append(json.dumps(facts["entry"]))
            case "Network.requestWillBeSent":
                url = facts["request"]["url"]
                if not url.startswith(("file:", "data:", "blob:", "about:")):
                    self.complaints.append(f"asked the network for {url}")
