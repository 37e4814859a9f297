"""Engines in a process of their own, which is kept for the next model.

HiGHS does not look at its limits while it presolves, which can take minutes; a solver of MathOpt
may hang; and the HiGHS in the ortools wheel shares symbols with the one in highspy: whichever
comes second in a process may crash. A process can be ended, and its memory watched.
"""

from __future__ import annotations

import atexit
import pickle
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from os import getpid
from pathlib import Path
from threading import Event, Thread
from typing import IO, Any

from solvers.engines.engine import Listener, Outcome, Settings
from solvers.engines.lp import Values
from solvers.engines.running import POLL_SECONDS, Cause, Watch, by_line, until_done

PROGRAM = Path(__file__).with_name("engine_process.py")

_idle: dict[tuple[int, str], list[_Child]] = {}
"""(this process, which) -> children that wait for a model."""


@atexit.register
def _end_all() -> None:
    for (process, _), children in _idle.items():
        for child in children if process == getpid() else ():
            child.end()
            child.close()


@dataclass(frozen=True)
class Answer:
    """What a child's engine ended with; the last that it reported, if it had to be killed.

    Attributes:
        status: in the engine's words; None if it was killed.
        objective, bound: None if it has none.
        solution: None if it has none.
        cause: why it was stopped, if it was.
    """

    status: str | None
    objective: float | None
    bound: float | None
    solution: Values | None
    cause: Cause | None

    def unproved(self) -> Outcome:
        """The outcome of a run that ended early."""
        stop = self.cause or "time-limit"
        return Outcome(stop, self.solution, self.objective, self.bound)


def ask(
    which: str,
    request: dict[str, Any],
    names: list[str],
    factor: float,
    settings: Settings,
    listener: Listener,
) -> Answer:
    """Have a child run its engine.

    Args:
        which: 'highs' or 'mathopt'.
        request: as `engine_process` wants it.
        names: of the columns.
        factor: by which costs were divided.

    Raises:
        RuntimeError: the engine fails.
    """
    key = getpid(), which
    waiting = _idle.setdefault(key, [])
    child = waiting.pop() if waiting else _Child(which)
    run = _Run(names, factor, settings, listener)
    try:
        return child.ask(request, run)
    finally:
        if child.alive:
            waiting.append(child)


class _Child:
    """A process that runs one kind of engine, for one model after another."""

    def __init__(self, which: str) -> None:
        self._which = which
        self._numbers = count(1)
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(PROGRAM), which],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def alive(self) -> bool:
        """Whether it can take another model."""
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], run: _Run) -> Answer:
        """Have it run its engine; see `ask` outside."""
        number = next(self._numbers)
        reader = Thread(target=run.read, args=(self._process.stdout,), daemon=True)
        reader.start()
        cause = None
        try:
            self._send("request", {**request, "number": number})
            cause = until_done(
                self._process,
                run.done.wait,
                lambda: self._send("stop", number),
                Watch(run.settings, self._process.pid),
                run.enough.is_set,
            )
        finally:
            if run.answer is None and run.error is None:
                self.end()
        reader.join()
        if not self.alive:
            self.close()
        if run.error is not None:
            raise RuntimeError(f"{self._which} failed: {run.error}")
        if run.answer is None and cause is None and not run.enough.is_set():
            raise RuntimeError(f"{self._which} ended with code {self._process.returncode}")
        return run.told(cause)

    def end(self) -> None:
        """End the process, whatever it does."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()  # what the process waits for when it is idle
        try:
            self._process.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Let go of the pipes of a process that has ended."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()

    def _send(self, kind: str, value: Any) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended, as its reader will notice
            pickle.dump((kind, value), self._process.stdin)
            self._process.stdin.flush()


class _Run:
    """What a child tells of one model.

    Attributes:
        settings: of the run.
        done: set when nothing more will come.
        enough: set when the listener wants no more.
        answer: the last word; None if there was none.
        error: what went wrong, None if nothing did.
    """

    def __init__(
        self, names: list[str], factor: float, settings: Settings, listener: Listener
    ) -> None:
        self.settings = settings
        self.done = Event()
        self.enough = Event()
        self.answer: dict[str, Any] | None = None
        self.error: str | None = None
        self._names = names
        self._factor = factor
        self._listener = listener
        self._log = None if settings.log is None else by_line(settings.log)
        self._objective: float | None = None
        self._bound: float | None = None
        self._solution: Values | None = None

    def read(self, messages: IO[bytes]) -> None:
        """Take messages until the answer, or the child's end."""
        try:
            while not self.done.is_set():
                kind, value = pickle.load(messages)
                getattr(self, f"_on_{kind}")(value)
        except (EOFError, pickle.UnpicklingError):
            self.done.set()

    def _on_log(self, text: str) -> None:
        if self._log is not None:
            self._log(text)

    def _on_bound(self, bound: float) -> None:
        self._bound = bound * self._factor
        self._go_on(self._listener.bound(self._bound))

    def _on_solution(self, found: tuple[float, list[float]]) -> None:
        self._objective = found[0] * self._factor
        self._solution = Values(dict(zip(self._names, found[1], strict=True)))
        self._go_on(self._listener.solution(self._solution))

    def _on_answer(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.done.set()

    def _on_error(self, error: str) -> None:
        self.error = error
        self.done.set()

    def _go_on(self, wanted: bool) -> None:
        if not wanted:
            self.enough.set()

    def told(self, cause: Cause | None) -> Answer:
        """The answer; what was last reported where there is none."""
        if self.answer is None:
            return Answer(None, self._objective, self._bound, self._solution, cause)
        bound, values = self.answer["bound"], self.answer["values"]
        solution = None
        if values is not None:
            solution = Values(dict(zip(self._names, values, strict=True)))
        return Answer(
            self.answer["status"],
            None if solution is None else self.answer["objective"] * self._factor,
            None if bound is None else bound * self._factor,
            solution,
            cause,
        )
