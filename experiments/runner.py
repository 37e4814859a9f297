"""Runs in a process of their own, which is ended when a run exceeds its limits.

The process does one run after the other, so that kernels and networks stay loaded. It reads runs
from its standard input and writes what came of them to what was its standard output; whatever a
solver prints goes to standard error. It ends when the process that started it does, however that
ends: Linux kills it, elsewhere it sees its standard input end.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread, local
from typing import IO, Any

from experiments.cases import Case, arguments, run
from experiments.store import Record, Task
from solvers.engines.running import resident_bytes
from solvers.solve import solve, toy

LOOK_SECONDS = 0.1
"""Between two looks at the memory of a run."""

GRACE = 1.5
GRACE_SECONDS = 10.0
"""A run may take so many times its time limit, and so much longer, before it is ended."""

ATTEMPTS = 3
"""Of a run whose process dies by itself."""

STARTS = 10
"""Attempts to start a process."""

READY, BEGUN = "ready", "begun"
"""What the process tells before it takes a run, and when the run's clock starts."""

Told = tuple[dict[str, Any] | None, str | None]
"""Result and error of a run."""

PR_SET_PDEATHSIG = 1
"""Linux: the option of prctl that has a process signalled when its parent ends."""


class Runner:
    """Does runs in a process of its own; a context, which ends the process.

    Raises:
        RuntimeError: the process cannot be started.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._told: SimpleQueue[Any] = SimpleQueue()

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        for engine in _below(process.pid):
            engine.kill()
        process.kill()
        process.wait()
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.close()

    @property
    def pid(self) -> int | None:
        """Of the process; None before the first run and after one that was ended."""
        return None if self._process is None else self._process.pid

    def run(self, case: Case, task: Task) -> Record:
        """What comes of a task; an error if it exceeded a limit, or if its process kept dying."""
        if "memory_limit_mb" in task.options and resident_bytes(os.getpid()) is None:
            return Record(task, None, "this system does not tell what a process holds: no limit")
        for _ in range(ATTEMPTS):
            try:
                result, error = self._attempt(case, task)
            except EOFError:
                code = self._end()
            else:
                return Record(task, result, error)
        return Record(
            task, None, f"the process of the run died {ATTEMPTS} times, the last time with {code}"
        )

    def _attempt(self, case: Case, task: Task) -> Told:
        """Result and error.

        Raises:
            EOFError: the process died during the run.
        """
        self._begin(case, task)
        limit = task.options.get("time_limit")
        most = task.options.get("memory_limit_mb")
        end = None
        while True:
            try:
                told = self._told.get(timeout=LOOK_SECONDS)
            except Empty:
                problem = self._exceeded(end, limit, most)
                if problem is not None:
                    self.close()
                    return None, problem
                continue
            if told is None:
                raise EOFError
            if told != BEGUN:
                return told
            if limit is not None:
                end = time.monotonic() + limit * GRACE + GRACE_SECONDS

    def _exceeded(self, end: float | None, limit: float | None, most: int | None) -> str | None:
        """Which limit the run exceeds, if one."""
        if end is not None and time.monotonic() > end:
            return f"the run went on long after its time limit of {limit:g} s and was ended"
        if most is None or self._process is None:
            return None
        held = (resident_bytes(self._process.pid) or 0) / 2**20
        if held <= most:
            return None
        return f"the run held {held:,.0f} MiB, its limit is {most:,} MiB, and was ended"

    def _begin(self, case: Case, task: Task) -> None:
        """Hand the run to the process; start one where there is none."""
        for _ in range(STARTS):
            process = self._start() if self._process is None else self._process
            assert process.stdin is not None
            if self._told.get() == READY:
                with suppress(OSError):  # it has died since it was ready
                    pickle.dump((case, task), process.stdin)
                    process.stdin.flush()
                    return
            code = self._end()
        raise RuntimeError(f"the process for runs died {STARTS} times at its start, with {code}")

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", f"import {__name__} as home; home.serve({os.getpid()})"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        assert process.stdout is not None
        self._process, self._told = process, SimpleQueue()
        Thread(target=_take, args=(process.stdout, self._told), daemon=True).start()
        return process

    def _end(self) -> str:
        """Let go of a process that has died, and tell how."""
        process = self._process
        assert process is not None
        self.close()
        code = process.returncode
        return f"signal {-code}" if code < 0 else f"exit code {code}"


def _below(pid: int) -> list[Any]:
    """Processes of engines that a process has started; none if nothing tells."""
    with suppress(ImportError):
        import psutil  # Dask brings it

        with suppress(psutil.Error):
            return psutil.Process(pid).children(recursive=True)
    return []


_own = local()


def run_here(case: Case, task: Task) -> Told:
    """Result and error of a run in the process that this thread keeps for runs.

    Raises:
        RuntimeError: no such process can be started.
    """
    if not hasattr(_own, "runner"):
        _own.runner = Runner()
    record = _own.runner.run(case, task)
    return record.result, record.error


def _take(pipe: IO[bytes], told: SimpleQueue[Any]) -> None:
    """Pass on what a process tells; None when it ends."""
    with pipe, suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            told.put(pickle.load(pipe))
    told.put(None)


def serve(parent: int) -> None:
    """Do the runs that standard input brings: what the process of a `Runner` does."""
    _end_with(parent)
    if hasattr(signal, "pthread_sigmask"):  # some engines are ended by a signal that a sweep blocks
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    tell = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    given: SimpleQueue[tuple[Case, Task]] = SimpleQueue()
    Thread(target=_receive, args=(given,), daemon=True).start()

    def say(what: object) -> None:
        pickle.dump(what, tell)
        tell.flush()

    warm: set[str] = set()
    while True:
        say(READY)
        case, task = given.get()
        say(_outcome(case, task, warm, say))


def _outcome(case: Case, task: Task, warm: set[str], say: Callable[[object], None]) -> Told:
    """Result and error of a run."""
    if "time_limit" in task.options:
        _warm_up(task, warm)
    try:
        instance = case.instance()
    except (ValueError, MemoryError, OverflowError) as error:
        return None, f"no costs: {str(error) or type(error).__name__}"
    say(BEGUN)
    record = run(task, instance)
    return record.result, record.error


def _warm_up(task: Task, warm: set[str]) -> None:
    """Compile or load what a run needs, so that no time limit counts it."""
    options = arguments(task)
    kind = f"{task.method} {options.get('goal')} {options.get('formulation')}"
    if kind not in warm:
        warm.add(kind)
        with suppress(ValueError, RuntimeError, ImportError):  # the run itself will tell
            solve(toy(), task.method, **options)


def _receive(given: SimpleQueue[tuple[Case, Task]]) -> None:
    """Pass on runs; end this process when standard input does."""
    with suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            given.put(pickle.load(sys.stdin.buffer))
    os._exit(1)


def _end_with(parent: int) -> None:
    """Have Linux end this process with its parent, even while it runs compiled code."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
