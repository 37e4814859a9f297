"""Instances by names, and runs of them that a store can keep."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from experiments.fingerprint import content, version_of
from experiments.store import Record, Task
from instances.cost import make_instance
from instances.files.names import network_of, package_of
from instances.instance import Instance
from instances.networks import network_names
from instances.packages import package_names
from schedules.goal import Goal
from schedules.progress import TracePoint
from solvers.solve import solve

logger = logging.getLogger("chipweave")

Watch = Callable[[str], Callable[[TracePoint], None]]
"""Called with the name of a run before it begins; returns what listens to it."""

NOT_OF_SOLVE = ("repeat", "memory_limit_mb")
"""Options of a task that are not for `solve`."""

OF_GOAL = ("objective", "segments", "clusters", "chiplets")
"""Options of a task that make a goal."""


@dataclass(frozen=True)
class Case:
    """An instance by names.

    Attributes:
        network, package: as `instances.files.names` reads them.
        batch: m, samples a run.
    """

    network: str
    package: str
    batch: int

    def __str__(self) -> str:
        return f"{self.network} on {self.package}, batch {self.batch}"

    @cached_property
    def content(self) -> str:
        """Names what the instance says; no cost tables are built."""
        return content(network_of(self.network), package_of(self.package), self.batch)

    @cached_property
    def size(self) -> int:
        """Grows as the run time does, roughly."""
        layers = len(network_of(self.network).layers)
        return layers * layers * package_of(self.package).chiplets

    def instance(self) -> Instance:
        """The instance, with its costs."""
        return make_instance(network_of(self.network), package_of(self.package), self.batch)

    def task(self, method: str, **options: Any) -> Task:
        """A run of the case; options that are None are left out."""
        given = {name: value for name, value in options.items() if value is not None}
        version = version_of(method)
        return Task(self.content, self.batch, method, version, given, self.network, self.package)


def cases(
    networks: Sequence[str] | None = None,
    packages: Sequence[str] | None = None,
    batches: Sequence[int] = (64,),
) -> list[Case]:
    """All combinations; of all general networks and built-in packages by default.

    Raises:
        ValueError: an unknown name, or a batch below 1.
    """
    for batch in batches:
        if batch < 1:
            raise ValueError(f"batch {batch} is not at least 1")
    networks, packages = networks or network_names(), packages or package_names()
    found = [Case(*names) for names in product(networks, packages, batches)]
    for case in found:
        case.size  # noqa: B018 - raises where a name is unknown
    return found


def run(
    task: Task, instance: Instance, listener: Callable[[TracePoint], None] | None = None
) -> Record:
    """Do a task; a method that fails leaves its reason.

    Raises:
        KeyboardInterrupt: the run was interrupted.
    """
    options = arguments(task)
    try:
        result = solve(instance, task.method, listener=listener, **options)
    except (ValueError, RuntimeError, ImportError, MemoryError) as error:
        reason = str(error) or type(error).__name__
        logger.warning("%s on %s: %s", task.what, task.instance, reason)
        return Record(task, None, reason)
    if result.stop == "interrupted":
        raise KeyboardInterrupt
    return Record(task, result.to_data())


def arguments(task: Task) -> dict[str, Any]:
    """What `solve` is given: an `objective` and limits become a goal."""
    options = {name: value for name, value in task.options.items() if name not in NOT_OF_SOLVE}
    goal = {name: options.pop(name) for name in OF_GOAL if name in options}
    return {**options, "goal": Goal(**goal)} if goal else options
