"""The runs of an experiment as a store has them, and what their schedules cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import geometric_mean
from typing import Any

from experiments.cases import Case
from experiments.definition import Experiment
from experiments.store import Record, Store, label
from instances.files.names import package_of
from schedules.files import schedule_from_data
from schedules.schedule import Schedule


@dataclass(frozen=True)
class Run:
    """A run of an experiment.

    Attributes:
        case: the instance, by names.
        label: the method, with the options that tell it from the others.
        record: what came of it; None if the store does not have it.
    """

    case: Case
    label: str
    record: Record | None

    @property
    def result(self) -> Mapping[str, Any]:
        """As plain data; empty if the run failed or is missing."""
        return (self.record and self.record.result) or {}

    @property
    def latency(self) -> int | None:
        """Cycles for the whole batch; None without a schedule."""
        return self.record.latency if self.record else None

    @property
    def energy(self) -> int | None:
        """Picojoules; None without a schedule."""
        return self.record.energy if self.record else None

    @property
    def seconds(self) -> float | None:
        """Run time; None without a result."""
        return self.record.runtime_s if self.record else None

    @property
    def unscheduled(self) -> bool:
        """Whether the run ended well, but without a schedule."""
        return bool(self.result) and self.latency is None

    @property
    def proved(self) -> bool:
        """Whether the run proved its schedule optimal, under its own conditions."""
        return self.record is not None and self.record.stop == "optimal"

    @property
    def samples_per_second(self) -> float | None:
        """Throughput; None without a schedule."""
        if self.latency is None:
            return None
        return self.case.batch * package_of(self.case.package).chiplet.clock_hz / self.latency

    @property
    def schedule(self) -> Schedule | None:
        """What was found."""
        data = self.result.get("schedule")
        return None if data is None else schedule_from_data(data, str(self.case))


@dataclass(frozen=True)
class Runs:
    """All runs of an experiment, in its order.

    Attributes:
        experiment: its definition.
        all: of the first seed and time limit where there are several.
    """

    experiment: Experiment
    all: tuple[Run, ...]

    @cached_property
    def _found(self) -> dict[tuple[Case, str], Run]:
        found: dict[tuple[Case, str], Run] = {}
        for run in self.all:
            found.setdefault((run.case, run.label), run)
        return found

    @cached_property
    def labels(self) -> list[str]:
        """Methods, in the order of the file."""
        names = (label(method, options) for method, options in self.experiment.runs())
        return list(dict.fromkeys(names))

    def of(self, case: Case, name: str) -> Run:
        """The run of a method on an instance; one without a record if it is no part of this."""
        return self._found.get((case, name)) or Run(case, name, None)

    def case(self, network: str, package: str, batch: int | None = None) -> Case:
        """An instance of the experiment; of its first batch by default."""
        return Case(network, package, self.experiment.batches[0] if batch is None else batch)

    @property
    def missing(self) -> int:
        """How many runs the store does not have."""
        return sum(run.record is None for run in self.all)

    @property
    def failed(self) -> list[Run]:
        """Runs that ended with an error."""
        return [run for run in self.all if run.record is not None and run.record.error]

    @property
    def seconds(self) -> float:
        """Sum of all run times."""
        return sum(run.seconds or 0.0 for run in self.all)


def stored_runs(experiment: Experiment, store: Store) -> Runs:
    """What the store has of an experiment; nothing is run.

    Raises:
        StoreError: the store cannot be read.
    """
    return Runs(
        experiment,
        tuple(
            Run(case, label(task.method, task.options), store.get(task))
            for case, task in experiment.tasks()
        ),
    )


def ratio(over: float | None, under: float | None) -> float | None:
    """One over the other; None unless both are known and under is not 0."""
    return None if over is None or not under else over / under


def mean(values: Iterable[float | None]) -> float | None:
    """Geometric mean of what is known and positive; None if nothing is."""
    known = [value for value in values if value]
    return geometric_mean(known) if known else None


def chiplets(package: str) -> int:
    """C of a package."""
    return package_of(package).chiplets
