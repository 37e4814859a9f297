"""What solvers of all problems share: methods by name, how one is run, and how that went."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from schedules.progress import Keeper, Stop, TracePoint
from solvers.arguments import check_limits

if TYPE_CHECKING:
    from solvers.engines import Engine
    from solvers.engines.engine import Kind

Found = TypeVar("Found")
"""A kind of schedule."""

OwnKeeper = TypeVar("OwnKeeper", bound=Keeper[Any])
"""What keeps the best of them."""


@dataclass(frozen=True)
class RunOptions(Generic[Found]):
    """How a method is to work.

    Attributes:
        engine: of a method with models; None for the others.
        start: a schedule to start from; None for the method's own.
        seed, workers: as asked for.
    """

    engine: Engine | None = None
    start: Found | None = None
    seed: int = 0
    workers: int = 1


@dataclass(frozen=True)
class NamedMethod:
    """A way to find schedules.

    Its function takes what keeps the best schedule, and RunOptions; it offers schedules and raises
    bounds, and says why it ended.

    Attributes:
        place: of its function: module:function.
        about: a line for lists.
        packages: whose versions belong in its results.
        models: the kind of engine that solves its models; None if it has none.
    """

    place: str
    about: str
    packages: tuple[str, ...] = ("numba",)
    models: Kind | None = None

    def load(self) -> Callable[[Any, RunOptions[Any]], Stop]:
        """Its function; imported only now, so that no unused solver is."""
        module, function = self.place.split(":")
        run: Callable[[Any, RunOptions[Any]], Stop] = getattr(
            importlib.import_module(module), function
        )
        return run


@dataclass(frozen=True)
class Ran:
    """How a run went.

    Attributes:
        method: its name.
        stop: why the run ended; 'optimal' and 'infeasible' mean proved.
        bound: a valid lower bound on the objective, None if none is known.
        runtime_s: wall time, the loading of kernels not counted.
        trace: improvements of incumbent and bound over time.
        counts: how often the method did what, by name; empty if it does not count.
        engine: of a method with models; None for the others.
        seed, workers, time_limit: as asked for; workers as used.
        versions: of the packages that took part, and of the engine.
    """

    method: str
    stop: Stop
    bound: float | None
    runtime_s: float
    trace: tuple[TracePoint, ...]
    counts: dict[str, int]
    engine: str | None
    seed: int
    workers: int
    time_limit: float | None
    versions: dict[str, str]

    def run_data(self) -> dict[str, Any]:
        """All but method, stop and bound, as plain data."""
        return {
            "runtime_s": self.runtime_s,
            "trace": [[point.seconds, point.objective, point.bound] for point in self.trace],
            "counts": self.counts,
            "engine": self.engine,
            "seed": self.seed,
            "workers": self.workers,
            "time_limit": self.time_limit,
            "versions": self.versions,
        }


def run_method(  # noqa: PLR0913 - all that a run takes
    methods: Mapping[str, NamedMethod],
    name: str,
    begin: Callable[[], OwnKeeper],
    warm_up: Callable[[str], None],
    *,
    engine: str | None,
    start: Found | None,
    time_limit: float | None,
    seed: int,
    workers: int | None,
) -> tuple[Ran, OwnKeeper]:
    """Run a method by name; Ctrl-C ends it with the best schedule so far.

    Args:
        methods: by name.
        name: of one of them.
        begin: starts the clock, and makes what keeps the best schedule.
        warm_up: loads the kernels of a method, before the clock starts.
        engine, start, time_limit, seed, workers: as for the problem's own call.

    Returns:
        How it went, and what has kept the best schedule.

    Raises:
        ValueError: an unknown method, an argument out of its range or one that the method cannot
            heed.
        RuntimeError: an engine failed, or a model was found to be wrong.
    """
    if name not in methods:
        raise ValueError(f"unknown method {name!r}: choose one of {', '.join(methods)}")
    check_limits(time_limit, seed, workers)
    entry = methods[name]
    versions = {package: version(package) for package in ("chipweave", "numpy", *entry.packages)}
    chosen = None
    if entry.models is not None:
        from solvers.engines import choose

        chosen, found = choose(entry.models, engine)
        versions[chosen.name] = found.version
    elif engine is not None or start is not None:
        raise ValueError(f"method {name} has no models: engine and start are for cpsat and milp")
    options = RunOptions(chosen, start, seed, workers or os.cpu_count() or 1)
    warm_up(name)
    progress = begin()
    try:
        stop = entry.load()(progress, options)
    except KeyboardInterrupt:
        stop = "interrupted"
    ran = Ran(
        method=name,
        stop=stop,
        bound=None if stop == "infeasible" else progress.bound,
        runtime_s=progress.seconds,
        trace=tuple(progress.trace),
        counts=progress.counts,
        engine=None if chosen is None else chosen.name,
        seed=seed,
        workers=options.workers,
        time_limit=time_limit,
        versions=versions,
    )
    return ran, progress
