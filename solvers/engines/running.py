"""Running an engine so that it can be stopped: Ctrl-C, memory, and time that it overlooks."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from threading import Thread, current_thread, main_thread
from typing import Any, Literal, TypeVar

from solvers.engines.engine import Settings

POLL_SECONDS = 0.05
"""How long Ctrl-C can go unnoticed."""

OVERRUN_SECONDS = 1.0
"""How far an engine may overrun its own time limit."""

GRACE_SECONDS = 2.0
"""How long it may then take to stop."""

MIB = 1 << 20

Cause = Literal["interrupted", "memory-limit", "time-limit"]
T = TypeVar("T")


def resident_bytes(process: int) -> int | None:
    """Memory that a process holds; None where this system does not tell."""
    status = Path(f"/proc/{process}/statm")
    try:
        if status.exists():
            import resource

            return int(status.read_text().split()[1]) * resource.getpagesize()
        told = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(process)], capture_output=True, text=True, check=False
        )
        return int(told.stdout) * 1024
    except (OSError, ValueError, ImportError):
        return None


class Watch:
    """Tells when a run must be ended from outside; a context, in which Ctrl-C raises nothing.

    Args:
        settings: with the limits on time and memory.
        process: the one whose memory counts.
    """

    def __init__(self, settings: Settings, process: int) -> None:
        self._process = process
        self._most = None if settings.memory is None else settings.memory * MIB
        self._end = None if settings.end is None else settings.end + OVERRUN_SECONDS
        self._cancelled = settings.cancelled or (lambda: False)
        self._pressed = False
        self._handler: Any = None

    def __enter__(self) -> Watch:
        # An exception could come between any two lines, and leave the engine behind.
        ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if ours and current_thread() is main_thread():
            self._handler = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *_: object) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)

    def _press(self, *_: object) -> None:
        self._pressed = True

    def exceeded(self) -> Cause | None:
        """Why the run must end, None if it need not."""
        if self._pressed or self._cancelled():
            return "interrupted"
        if self._end is not None and time.perf_counter() > self._end:
            return "time-limit"
        if self._most is not None and (resident_bytes(self._process) or 0) > self._most:
            return "memory-limit"
        return None


class LeftRunningError(Exception):
    """An engine that cannot be stopped had to be left: its thread ends with the process.

    Attributes:
        cause: why it had to be left.
    """

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause)
        self.cause = cause


def by_line(log: Callable[[str], None]) -> Callable[[str], None]:
    """Takes any text, and passes it on a line at a time."""

    def take(text: str) -> None:
        for line in text.splitlines():
            log(line)

    return take


def in_thread(
    work: Callable[[], T], stop: Callable[[], None] | None, watch: Watch
) -> tuple[T, Cause | None]:
    """What `work` returns, and why it was stopped, if it was.

    Args:
        stop: asks `work` to end soon; called again and again, for it may not listen at first.
            None: it cannot be asked.

    Raises:
        LeftRunningError: the work cannot be stopped.
    """
    run: Future[T] = Future()
    cause: Cause | None = None
    with watch:
        Thread(target=_fulfil, args=(run, work), daemon=True).start()
        # A long wait would not be ended by a signal that reaches another thread.
        while not wait([run], timeout=POLL_SECONDS).done:
            cause = cause or watch.exceeded()
            if cause is not None and stop is None:
                raise LeftRunningError(cause)
            if cause is not None and stop is not None:
                stop()
    return run.result(), cause


def _fulfil(run: Future[T], work: Callable[[], T]) -> None:
    try:
        run.set_result(work())
    except BaseException as error:
        run.set_exception(error)


def until_done(
    process: subprocess.Popen[Any],
    done: Callable[[float], bool],
    stop: Callable[[], None],
    watch: Watch,
    enough: Callable[[], bool] = lambda: False,
) -> Cause | None:
    """Wait for a process to be done; the limit that ended it, if any.

    Args:
        process: in a session of its own, so that Ctrl-C reaches only us.
        done: waits for some seconds and tells whether it is.
        stop: asks it once to be done soon; it is killed when it does not listen.
        enough: whether it may be asked, without any limit.
    """
    cause: Cause | None = None
    kill_at: float | None = None
    with watch:
        while not done(POLL_SECONDS):
            cause = cause or watch.exceeded()
            if kill_at is None and (cause is not None or enough()):
                kill_at = time.perf_counter() + GRACE_SECONDS
                stop()
            if kill_at is not None and time.perf_counter() > kill_at:
                process.kill()
    return cause
