"""How strong each formulation is: its size, its root bound, and the time to a proof."""

from __future__ import annotations

import json
import logging
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from formulations.export import size
from formulations.formulation import FORMULATIONS, Formulation
from instances.cost import make_instance
from instances.instance import Instance
from instances.networks import build_network
from instances.packages import load_package
from schedules.goal import Goal
from schedules.progress import Progress, TracePoint
from solvers.engines import ENGINES, choose
from solvers.models import ModelOptions, ModelSearch
from solvers.relaxation import relaxation
from solvers.result import Result
from solvers.solve import solve, toy

DEFAULT_INSTANCES = (
    ("alexnet", "simba-4x4"),
    ("vgg16", "simba-4x4"),
    ("darknet19", "simba-4x4"),
    ("resnet18", "simba-4x4"),
    ("vgg16", "simba-6x6"),
    ("resnet50", "simba-4x4"),
)
"""Network and package of each instance; batch DEFAULT_BATCH."""

DEFAULT_BATCH = 64
DEFAULT_ENGINES = ("cp-sat", "highs")

MILP = "highs"
"""Any engine of the MILP form: the relaxation is that of the form, not of the engine."""

MARK = b"model "
"""Begins the lines in which a process tells of a model."""

logger = logging.getLogger("chipweave")

Watch = Callable[[str], Callable[[TracePoint], None]]


@dataclass(frozen=True)
class Model:
    """A model as it is before any search.

    Attributes:
        variables, constraints: how many.
        build_s: wall time to build it, with all that its presolve does.
        bound: what its own relaxations prove, None if nothing.
        relaxed: optimum of the LP relaxation, None if unknown or no MILP.
    """

    variables: int
    constraints: int
    build_s: float
    bound: int | None = None
    relaxed: float | None = None

    @property
    def root(self) -> float | None:
        """The better of both bounds."""
        known = [value for value in (self.bound, self.relaxed) if value is not None]
        return max(known, default=None)


@dataclass(frozen=True)
class Strength:
    """One formulation of one instance, run by one engine.

    Attributes:
        instance, formulation, engine: their names.
        optimum: by the exact method, None if it proved none.
        model: as the engine gets it, reduced by a known schedule; None if not built in time.
        milp: the same in its MILP form, which has the root bound.
        whole: the MILP form without a known schedule; None if not built in time, or not asked for.
        result: of the run to a proof; None if it was not run.
        reason: why not.
    """

    instance: str
    formulation: str
    engine: str
    optimum: int | None
    model: Model | None
    milp: Model | None
    whole: Model | None
    result: Result | None
    reason: str = ""

    def of_optimum(self, bound: float | None) -> float | None:
        """A bound over the optimum."""
        if bound is None or not self.optimum:
            return None
        return bound / self.optimum

    def to_data(self) -> dict[str, Any]:
        """The row as plain data."""
        return {
            "instance": self.instance,
            "formulation": self.formulation,
            "engine": self.engine,
            "optimum": self.optimum,
            "model": _model_data(self, self.model),
            "milp": _model_data(self, self.milp),
            "without_limit": _model_data(self, self.whole),
            "result": None if self.result is None else self.result.to_data(),
            "reason": self.reason,
        }


def _model_data(row: Strength, model: Model | None) -> dict[str, Any] | None:
    if model is None:
        return None
    return {
        "variables": model.variables,
        "constraints": model.constraints,
        "build_s": model.build_s,
        "bound": model.bound,
        "relaxed": model.relaxed,
        "root_bound_over_optimum": row.of_optimum(model.root),
    }


def default_instances() -> list[Instance]:
    """The instances of the table in docs/formulations.md."""
    return [
        make_instance(build_network(network), load_package(package), DEFAULT_BATCH)
        for network, package in DEFAULT_INSTANCES
    ]


def strength(
    instances: Sequence[Instance] | None = None,
    formulations: Sequence[str] = tuple(FORMULATIONS),
    engines: Sequence[str] = DEFAULT_ENGINES,
    *,
    goal: Goal | None = None,
    time_limit: float = 60.0,
    without_limit: bool = True,
    watch: Watch | None = None,
    **arguments: Any,
) -> Iterator[Strength]:
    """Measure formulations on instances, a row at a time.

    Args:
        instances: `default_instances()` by default.
        formulations, engines: names; every engine runs every formulation.
        goal: latency or energy, and conditions, for all rows.
        time_limit: wall seconds for a run, for building a model, and for its relaxation.
        without_limit: whether to measure the models without a known schedule, too.
        watch: called with the name of each step before it begins; returns its listener.
        arguments: what else `solve` takes.

    Returns:
        The rows; Ctrl-C ends them.

    Raises:
        ValueError: an unknown name, or a goal that is no weighted sum.
    """
    goal = Goal() if goal is None else goal
    _check(formulations, engines, goal)
    chosen = default_instances() if instances is None else instances
    step = watch or (lambda name: _deaf)
    study = _Study(goal, time_limit, without_limit, step, arguments)
    return study.rows(chosen, formulations, engines)


def _check(formulations: Sequence[str], engines: Sequence[str], goal: Goal) -> None:
    for name in formulations:
        if name not in FORMULATIONS:
            known = ", ".join(FORMULATIONS)
            raise ValueError(f"unknown formulation {name!r}: choose from {known}")
    for name in engines:
        if name not in ENGINES:
            raise ValueError(f"unknown engine {name!r}: choose from {', '.join(ENGINES)}")
        choose(ENGINES[name].kind, name)
    goal.weights  # noqa: B018 - raises where there are none


def _deaf(point: TracePoint) -> None:
    """Listen to nothing."""


@dataclass(frozen=True)
class _Study:
    """What all rows have in common."""

    goal: Goal
    time_limit: float
    without_limit: bool
    step: Watch
    arguments: dict[str, Any]

    def rows(
        self, instances: Sequence[Instance], formulations: Sequence[str], engines: Sequence[str]
    ) -> Iterator[Strength]:
        """A row for each instance, formulation and engine, until Ctrl-C."""
        try:
            for instance in instances:
                optimum = self._optimum(instance)
                for formulation in formulations:
                    yield from self._engines(instance, formulation, engines, optimum)
        except KeyboardInterrupt:
            return

    def _optimum(self, instance: Instance) -> int | None:
        found = self._solve(instance, f"the optimum of {instance.name}", "exact")
        return found.objective if found.stop == "optimal" else None

    def _engines(
        self, instance: Instance, formulation: str, engines: Sequence[str], optimum: int | None
    ) -> Iterator[Strength]:
        milp = self._measured(instance, formulation, MILP, start=True)
        whole = None
        if self.without_limit:
            whole = self._measured(instance, formulation, MILP, start=False)
        for engine in engines:
            own = milp
            if ENGINES[engine].kind != "milp":
                own = self._measured(instance, formulation, engine, start=True)
            result, reason = self._proof(instance, formulation, engine)
            yield Strength(
                instance.name,
                formulation,
                engine,
                optimum,
                own,
                milp,
                whole,
                result,
                reason or _contradiction(result, optimum),
            )

    def _proof(
        self, instance: Instance, formulation: str, engine: str
    ) -> tuple[Result | None, str]:
        """The run to a proof, or why there is none."""
        task = f"{formulation} by {engine} on {instance.name}"
        chosen = {"formulation": formulation, "engine": engine}
        try:
            return self._solve(instance, task, ENGINES[engine].kind, **chosen), ""
        except (ValueError, RuntimeError, ImportError, MemoryError) as error:
            return None, str(error) or type(error).__name__

    def _solve(self, instance: Instance, task: str, method: str, **chosen: Any) -> Result:
        result = solve(
            instance,
            method,
            goal=self.goal,
            time_limit=self.time_limit,
            listener=self.step(task),
            **self.arguments,
            **chosen,
        )
        if result.stop == "interrupted":
            raise KeyboardInterrupt
        return result

    def _measured(
        self, instance: Instance, formulation: str, engine: str, start: bool
    ) -> Model | None:
        """The model, built and relaxed in a process of its own, which can be stopped.

        None if there was not enough time, or it cannot be built.
        """
        self.step(f"size of {formulation} on {instance.name}{'' if start else ', without limit'}")
        command = [sys.executable, "-c", f"import {__name__} as home; home.measure()"]
        task = pickle.dumps((instance, self.goal, formulation, engine, start))
        try:
            ended = subprocess.run(
                command, input=task, capture_output=True, timeout=self.time_limit, check=False
            )
            told = ended.stdout
            if ended.returncode != 0:
                said = ended.stderr.decode(errors="replace").strip().splitlines()[-1:]
                logger.warning("%s on %s is not measured: %s", formulation, instance.name, said)
        except subprocess.TimeoutExpired as late:
            told = late.stdout or b""
        return _heard(told)


def _contradiction(result: Result | None, optimum: int | None) -> str:
    """What is wrong with a proof, if anything."""
    if result is None or optimum is None or result.stop != "optimal":
        return ""
    if result.objective == optimum:
        return ""
    return f"says that {result.objective} is optimal, the exact method {optimum}"


def _heard(told: bytes) -> Model | None:
    """The last model that a process told of, None if none; solvers may print other lines."""
    lines = [line for line in told.splitlines() if line.startswith(MARK) and line.endswith(b"}")]
    return Model(**json.loads(lines[-1].removeprefix(MARK))) if lines else None


def measure() -> None:
    """Build the model that standard input tells, and print what there is to know about it."""
    instance, goal, formulation, engine, start = pickle.load(sys.stdin.buffer)
    model_of(toy(), Goal(goal.objective), formulation, engine, start)  # readies the kernels
    begun = time.perf_counter()
    built = model_of(instance, goal, formulation, engine, start)
    found = Model(*size(built), time.perf_counter() - begun, built.bound)
    _tell(found)
    if ENGINES[engine].kind == "milp":
        _tell(replace(found, relaxed=relaxation(built.modeller.model)))


def model_of(
    instance: Instance, goal: Goal, formulation: str, engine: str, start: bool = True
) -> Formulation:
    """The model as `solve` builds it, with or without a schedule of the fast methods."""
    options = ModelOptions(ENGINES[engine], formulation, start)
    search = ModelSearch(instance, Progress(instance, goal=goal), options)
    search.start()
    return search.formulate(goal.weights)


def _tell(model: Model) -> None:
    sys.stdout.buffer.write(b"\n" + MARK + json.dumps(asdict(model)).encode() + b"\n")
    sys.stdout.flush()
