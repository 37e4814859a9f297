"""CBC, the program that PuLP brings along; its log tells status and bound."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from importlib.util import find_spec
from os import X_OK, access
from pathlib import Path
from signal import SIGINT
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from schedules.progress import Stop
from solvers.engines.engine import Found, Listener, Outcome, Settings
from solvers.engines.lp import GAP, Values, scaled, start_of
from solvers.engines.running import Cause, Watch, until_done

SYSTEMS = {"linux": "linux", "darwin": "osx", "win32": "win"}
"""Python's name of a system -> PuLP's."""

BOUND = re.compile(r"(?:best possible|Lower bound:) +(-?[\d.]+(?:e[+-]?\d+)?)")
DIGITS = 1e-7
"""CBC prints bounds with eight digits, and may round them up."""

INFEASIBLE = ("Infeasible", "Integer infeasible")
"""How the solution file of a model without solution begins."""

CONTRADICTION = "Problem is infeasible - tightenPrimalBounds!"
"""What CBC says of a model whose bounds contradict each other."""


def program() -> Path | None:
    """The path of PuLP's CBC; None if it has none for this machine. PuLP is not imported."""
    package = find_spec("pulp")
    if package is None or package.origin is None or sys.platform not in SYSTEMS:
        return None
    width = "i64" if sys.maxsize > 2**32 else "i32"
    arm = sys.platform == "linux" and platform.machine() in ("aarch64", "arm64")
    folder = Path(package.origin).parent / "solverdir" / "cbc" / SYSTEMS[sys.platform]
    name = "cbc.exe" if sys.platform == "win32" else "cbc"
    path = folder / ("arm64" if arm else width) / name
    return path if path.is_file() and access(path, X_OK) else None


def find() -> Found | None:
    """CBC's version, from the program itself."""
    path = program()
    if path is None:
        return None
    try:
        told = subprocess.run([path, "-quit"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return None  # made for another machine
    version = re.search(r"Version: (\S+)", told)
    return Found(version[1]) if version else None


def run(engine: str, model: Any, settings: Settings, listener: Listener) -> Outcome:
    """Run CBC on an `LpProblem` until a proof, a limit, or Ctrl-C.

    Raises:
        RuntimeError: CBC fails.
    """
    from pulp import COIN_CMD

    with TemporaryDirectory(prefix="chipweave-") as place, scaled(model) as factor:
        files = {name: str(Path(place) / name) for name in ("model.mps", "start", "solution")}
        api = COIN_CMD(path=str(program()), msg=False)
        variables, columns, rows, _ = model.writeMPS(files["model.mps"], rename=1)
        options = _options(settings, factor)
        if start_of(model) is not None:
            api.writesol(files["start"], model, variables, columns, rows)
            options += ["-mips", files["start"]]
        log = _Log(settings, listener, factor)
        command = [str(program()), files["model.mps"], *options, "-solve"]
        cause, code = _run([*command, "-solution", files["solution"]], settings, log)
        if cause is None and (code != 0 or not Path(files["solution"]).exists()):
            # It crashes if asked for a solution where it sees at once that there is none.
            _run(command, settings, log)
            if CONTRADICTION in log.last:
                return Outcome("infeasible")
            raise RuntimeError(f"CBC ended with code {code}: {' / '.join(log.last)}")
        if not Path(files["solution"]).exists():
            return Outcome(cause or "time-limit", bound=log.bound)  # it had to be killed
        _, values, *_ = api.readsol_MPS(files["solution"], model, variables, columns, rows)
        first = Path(files["solution"]).read_text().partition("\n")[0]
    outcome = _outcome(first, values, factor, log.bound, cause)
    if outcome.stop == "gap-limit" and settings.gap is None:
        return replace(outcome, stop="optimal")  # no gap but the one that integers leave
    return outcome


def _options(settings: Settings, factor: float) -> list[str]:
    # Its preprocessing calls some feasible models infeasible, tests/solvers/test_traps.py has one.
    options = ["-preprocess", "off"]
    seed = str(settings.seed + 1)  # 0 stands for the time of day
    options += ["-randomSeed", seed, "-randomCbcSeed", seed]
    options += ["-ratio", repr(settings.gap or 0.0), "-allow", repr(GAP / factor)]
    if settings.seconds is not None:
        options += ["-sec", repr(settings.seconds), "-timeMode", "elapsed"]
    if settings.workers > 1:
        options += ["-threads", str(settings.workers)]
    return options


def _run(command: list[str], settings: Settings, log: _Log) -> tuple[Cause | None, int]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    log_pipe = process.stdout
    assert log_pipe is not None
    reader = Thread(target=log.read, args=(log_pipe,), daemon=True)
    reader.start()
    try:
        cause = until_done(
            process,
            done=lambda seconds: _ended(process, seconds),
            stop=lambda: _interrupt(process),
            watch=Watch(settings, process.pid),
        )
    finally:
        process.kill()
        process.wait()
        reader.join()
        log_pipe.close()
    return cause, process.returncode


def _interrupt(process: subprocess.Popen[str]) -> None:
    """End CBC such that it still writes its best solution, where the system can tell it to."""
    if sys.platform == "win32":
        process.kill()
    else:
        process.send_signal(SIGINT)


def _ended(process: subprocess.Popen[str], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


class _Log:
    """Reads CBC's log as it comes.

    Attributes:
        bound: the last one told.
        last: the last lines.
    """

    def __init__(self, settings: Settings, listener: Listener, factor: float) -> None:
        self.bound: float | None = None
        self.last: list[str] = []
        self._log = settings.log
        self._listener = listener
        self._factor = factor

    def read(self, lines: Iterable[str]) -> None:
        """Take lines until there are no more."""
        for line in lines:
            self._take(line.rstrip("\n"))

    def _take(self, line: str) -> None:
        self.last = [*self.last[-2:], line]
        if self._log is not None:
            self._log(line)
        told = BOUND.search(line)
        if told is not None and abs(float(told[1])) < 1e50:
            bound = float(told[1])
            self.bound = (bound - DIGITS * abs(bound)) * self._factor
            self._listener.bound(self.bound)


def _outcome(
    first: str, values: dict[str, float], factor: float, bound: float | None, cause: Cause | None
) -> Outcome:
    """Reads the first line of a solution file: 'Stopped on time - objective value 12.0'."""
    if first.startswith(INFEASIBLE):
        return Outcome("infeasible")
    if "no integer solution" in first or "objective value" not in first:
        return Outcome(cause or "time-limit", bound=bound)
    objective = float(first.split()[-1]) * factor
    stop: Stop = cause or "time-limit"
    if first.startswith("Optimal (within gap"):
        stop = "gap-limit"
    elif first.startswith("Optimal"):
        stop, bound = "optimal", objective
    return Outcome(stop, Values(values), objective, bound)
