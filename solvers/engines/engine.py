"""What an engine is, what it is asked, and what it answers."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from formulations.modellers import Solution
from schedules.progress import Stop

Kind = Literal["cpsat", "milp"]
"""The kind of model that an engine solves; also the name of the method that runs it."""

Feature = Literal[
    "bound",
    "warm-start",
    "time-limit",
    "gap-limit",
    "memory-limit",
    "threads",
    "seed",
    "log",
    "interrupt",
    "incumbents",
]
FEATURES: dict[Feature, str] = {
    "bound": "gives a valid lower bound, also when it is stopped early",
    "warm-start": "starts from a known schedule",
    "time-limit": "can be given a time limit",
    "gap-limit": "can stop at a gap",
    "memory-limit": "can be stopped when memory runs short",
    "threads": "runs on several threads",
    "seed": "takes a seed",
    "log": "has a log",
    "interrupt": "returns its best schedule after Ctrl-C",
    "incumbents": "reports schedules while it runs",
}


@dataclass(frozen=True)
class Found:
    """An engine that is here.

    Attributes:
        version: of the solver, or of the package that brings it.
    """

    version: str


@dataclass(frozen=True)
class Settings:
    """What a run is asked to keep to; None where there is no limit.

    Attributes:
        end: when it must end, as `time.perf_counter` tells the time.
        gap: (objective - bound) / objective at which to stop.
        memory: MiB of resident memory.
        seed: of random choices.
        workers: threads.
        log: takes the engine's log, a line at a time.
        tolerance: by how much rows and integers of a MILP may be off, for engines that can be told;
            the engine's own where None.
        cancelled: tells, now and then, whether the run is to end; it then counts as interrupted.
    """

    end: float | None = None
    gap: float | None = None
    memory: int | None = None
    seed: int = 0
    workers: int = 1
    log: Callable[[str], None] | None = None
    tolerance: float | None = None
    cancelled: Callable[[], bool] | None = None

    @property
    def seconds(self) -> float | None:
        """Wall time that is left, a little at least; None without a limit."""
        return None if self.end is None else max(1e-3, self.end - time.perf_counter())


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        stop: 'optimal' and 'infeasible' are the engine's claims, with no gap allowed.
        solution: the best that it found, None if none.
        objective: what the engine says that the solution costs.
        bound: a lower bound in the engine's arithmetic, None if it has none.
    """

    stop: Stop
    solution: Solution | None = None
    objective: float | None = None
    bound: float | None = None


class Listener(Protocol):
    """Hears of progress while an engine runs, from any thread; never raises."""

    def solution(self, solution: Solution) -> bool:
        """Take a solution; whether the engine shall go on."""
        ...

    def bound(self, value: float) -> bool:
        """Take a lower bound; whether the engine shall go on."""
        ...


Run = Callable[[str, Any, Settings, Listener], Outcome]
"""(engine's name, native model, settings, listener) -> outcome."""


@dataclass(frozen=True)
class Engine:
    """One solver as this project uses it.

    Attributes:
        name: as in `--engine`.
        kind: of the models that it solves.
        place: of the function that runs it, module:function.
        probe: tells whether it is here, without its licence and without importing it.
        packages: whose versions belong in a result.
        install: how to get it.
        features: what it can do.
        note: a few words for lists.
    """

    name: str
    kind: Kind
    place: str
    probe: Callable[[], Found | None]
    packages: tuple[str, ...]
    install: str
    features: frozenset[Feature]
    note: str = ""

    def find(self) -> Found | None:
        """Whether the engine can be used here, and its version."""
        return self.probe()

    def run(self, model: Any, settings: Settings, listener: Listener) -> Outcome:
        """Run the engine on a native model.

        Raises:
            RuntimeError: the engine fails, or rejects the model.
        """
        module, function = self.place.split(":")
        run: Run = getattr(importlib.import_module(module), function)
        return run(self.name, model, settings, listener)
