"""Experiments: networks x packages x batches x methods x time limits x seeds, in a short file.

    kind: experiment
    name: comparison                        # by default the file's name
    networks: [alexnet, gpt2?sequence=256]  # as instances.files.names reads them; all: the built-in
    packages: [simba-4x4, simba-16x16]
    batches: [64]                           # this is the default
    methods:                                # names, or mappings with more arguments of solve
      - scope
      - {method: cpsat, formulation: interval, time_limit: 20}
      - {method: exact, segments: 2}        # limits of the goal: segments, clusters, chiplets
    time_limits: [60]                       # seconds of a run; by default none
    seeds: [0, 1, 2]                        # default [0]; for methods that draw random numbers
    objective: latency                      # this is the default
    memory_limit_mb: 2000                   # MiB of the process of a run; by default none
    workers: 1                              # threads of a run; this is the default

What a mapping says of a method goes before what the file says of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from experiments.cases import OF_GOAL, Case
from experiments.store import Task
from instances.files.errors import Place, Problems, listed
from instances.files.names import network_of, package_of
from instances.files.schema import Batch, FileModel, Name, validate
from instances.files.text import kind_of, read_data
from instances.networks import network_names
from instances.packages import package_names
from schedules.goal import Goal, Objective
from solvers.arguments import LARGEST_SEED, MOST_WORKERS, Arguments, checked
from solvers.solve import METHODS, toy

LEAST_SECONDS, MOST_SECONDS = 0.001, 10**7
"""Of a time limit."""


@dataclass(frozen=True)
class Experiment:
    """What is to be run; `tasks` lists the runs.

    Attributes:
        networks, packages: names, as `instances.files.names` reads them.
        methods: names, or mappings of `method` and more arguments of `solve`, `objective` and
            the limits of a goal (`segments`, `clusters`, `chiplets`) too.
        batches: samples a run.
        time_limits: wall seconds; None for no limit. A run that exceeds its own by far is ended.
        seeds: only methods that draw random numbers are run with each of them.
        objective: latency, energy or edp.
        memory_limit_mb: MiB that the process of a run may hold; a run that takes more is ended.
        workers: threads of a run.
        name: for people.

    Raises:
        FileError: there are no such runs; one line a problem, which names its place.
    """

    networks: Sequence[str]
    packages: Sequence[str]
    methods: Sequence[str | Mapping[str, Any]]
    batches: Sequence[int] = (64,)
    time_limits: Sequence[float | None] = (None,)
    seeds: Sequence[int] = (0,)
    objective: Objective = "latency"
    memory_limit_mb: int | None = None
    workers: int = 1
    name: str = "experiment"

    def __post_init__(self) -> None:
        given = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        data = {"kind": "experiment", **given}
        _check(validate(ExperimentFile, data, Problems(self.name)), Problems(self.name))

    def cases(self) -> list[Case]:
        """All instances, small ones first."""
        found = [Case(*names) for names in product(self.networks, self.packages, self.batches)]
        return sorted(found, key=lambda case: case.size)

    def tasks(self) -> list[tuple[Case, Task]]:
        """All runs, each once, those of small instances first."""
        found: dict[str, tuple[Case, Task]] = {}
        for case in self.cases():
            for method, options in self.runs():
                task = case.task(method, **options)
                found.setdefault(task.key, (case, task))
        return list(found.values())

    def runs(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each method with the options of each of its runs on one instance."""
        for entry in self.methods:
            own = {"method": entry} if isinstance(entry, str) else dict(entry)
            method = own.pop("method")
            seeds = self.seeds if METHODS[method].random else (0,)
            for limit, seed in product(self.time_limits, seeds):
                yield method, self._options(own, limit, seed)

    def _options(self, own: Mapping[str, Any], limit: float | None, seed: int) -> dict[str, Any]:
        options = {
            "time_limit": limit,
            "seed": seed,
            "objective": self.objective,
            "memory_limit_mb": self.memory_limit_mb,
            "workers": self.workers,
            **own,
        }
        if options["objective"] == Goal().objective:
            del options["objective"]  # as other commands have it, whose runs are in the same store
        return options


def read_experiment(path: str | Path) -> Experiment:
    """Read a file of kind experiment.

    Raises:
        FileError: the file is not one; one line a problem.
    """
    data = read_data(path)
    kind_of(data, str(path), ("experiment",))
    problems = Problems(str(path), data)
    model = validate(ExperimentFile, data, problems)
    _check(model, problems)
    return _experiment(model, Path(path).stem)


def _all(names: Callable[[], Sequence[str]]) -> BeforeValidator:
    """The word 'all' in the place of a list."""
    return BeforeValidator(
        lambda value: list(names()) if value == "all" else value,
        json_schema_input_type=Literal["all"] | Annotated[list[Name], Some],
    )


def _method(value: object) -> object:
    return {"method": value} if isinstance(value, str) else value


def _no_limit() -> list[Limit]:
    return [None]


Some = Field(min_length=1)
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
Seconds = Annotated[float, Field(ge=LEAST_SECONDS, le=MOST_SECONDS, allow_inf_nan=False)]
Limit = Seconds | None
Mebibytes = Annotated[int, Field(ge=1, le=10**9)]
Most = Annotated[int, Field(ge=1)]
Threads = Annotated[int, Field(ge=1, le=MOST_WORKERS)]


class MethodModel(FileModel):
    """An entry of `methods` with arguments of `solve`; what is absent is as for all methods."""

    method: Name
    formulation: Name | None = None
    engine: Name | None = None
    start: bool | None = None
    time_limit: Seconds | None = None
    gap_limit: Annotated[float, Field(ge=0, lt=1)] | None = None
    memory_limit: Mebibytes | None = None
    seed: Seed | None = None
    workers: Threads | None = None
    steps: Name | None = None
    objective: Objective | None = None
    segments: Most | None = None
    clusters: Most | None = None
    chiplets: Most | None = None


_METHOD = BeforeValidator(_method, json_schema_input_type=Name | MethodModel)


class ExperimentFile(FileModel):
    """A file of kind experiment."""

    kind: Literal["experiment"]
    name: Name | None = None
    networks: Annotated[list[Name], Some, _all(network_names)]
    packages: Annotated[list[Name], Some, _all(package_names)]
    methods: Annotated[list[Annotated[MethodModel, _METHOD]], Some]
    batches: Annotated[list[Batch], Some] = Field(default_factory=lambda: [64])
    time_limits: Annotated[list[Limit], Some] = Field(default_factory=_no_limit)
    seeds: Annotated[list[Seed], Some] = Field(default_factory=lambda: [0])
    objective: Objective = "latency"
    memory_limit_mb: Mebibytes | None = None
    workers: Threads = 1


def _experiment(model: ExperimentFile, default_name: str) -> Experiment:
    methods = [entry.model_dump(exclude_unset=True) for entry in model.methods]
    return Experiment(
        networks=tuple(model.networks),
        packages=tuple(model.packages),
        methods=tuple(own if len(own) > 1 else own["method"] for own in methods),
        batches=tuple(model.batches),
        time_limits=tuple(model.time_limits),
        seeds=tuple(model.seeds),
        objective=model.objective,
        memory_limit_mb=model.memory_limit_mb,
        workers=model.workers,
        name=model.name or default_name,
    )


def _check(model: ExperimentFile, problems: Problems) -> None:
    """Refuse names that there are not, and arguments that a method does not take.

    Raises:
        FileError: there are such.
    """
    for place, name in enumerate(model.networks):
        _attempt(partial(network_of, name), ("networks", place), problems)
    for place, name in enumerate(model.packages):
        _attempt(partial(_check_package, name), ("packages", place), problems)
    for place, entry in enumerate(model.methods):
        _attempt(partial(_check_method, entry, model), ("methods", place), problems)
    problems.stop_if_any()


def _attempt(check: Callable[[], object], place: Place, problems: Problems) -> None:
    try:
        check()
    except (ValueError, ImportError) as error:
        problems.add(place, str(error))


def _check_package(name: str) -> None:
    package_of(name).check_alike("resnet50:64")


def _check_method(entry: MethodModel, model: ExperimentFile) -> None:
    """Let `solve`'s own check look at the arguments; an engine may be on another machine only."""
    if entry.method not in METHODS:
        raise ValueError(f"found {entry.method!r}, expected one of {listed(METHODS)}")
    if entry.engine is not None:
        return
    given: dict[str, Any] = dict.fromkeys(field.name for field in fields(Arguments))
    given |= {"start": True, "seed": 0} | entry.model_dump(exclude_unset=True, exclude={"method"})
    goal = {name: given.pop(name) for name in OF_GOAL if name in given}
    given["goal"] = Goal(**{"objective": model.objective, **goal})
    checked(toy(), entry.method, METHODS[entry.method], Arguments(**given))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
