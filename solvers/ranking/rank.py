"""The place of a method's schedule, or of a given one, among all schedules."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.metadata import version
from time import perf_counter
from typing import Any

from instances.instance import Instance
from schedules.compressed import refuse_compression
from schedules.evaluate import latency as latency_of
from schedules.files import schedule_to_data
from schedules.schedule import Schedule
from schedules.verify import violations
from solvers.ranking.candidate import candidate
from solvers.ranking.place import Effort, Place, place_of
from solvers.ranking.space import Space, narrowed, number_of_all
from solvers.solve import METHODS, toy

SAMPLES = 20_000

MOST_LAYERS = 250
"""What the recursions over layers bear."""


@dataclass(frozen=True, kw_only=True)
class Rank(Place):
    """The place of one schedule in a space.

    Attributes:
        instance: its name.
        method: that made the schedule; None if it was given.
        space: what it is ranked among.
        schedule: None if the method found none; there is no place then.
        latency: of the schedule, in cycles.
        outside: why the schedule itself is not in the space, if so: its latency is ranked then.
        schedules: the size of the space if buffers had no end.
        runtime_s: wall seconds of the ranking, without the method.
        seed, workers, time_limit: as asked for; workers as used.
        versions: of the packages that took part.
    """

    instance: str
    method: str | None
    space: Space
    schedule: Schedule | None
    latency: int | None
    outside: str | None
    schedules: int
    runtime_s: float
    seed: int
    workers: int
    time_limit: float | None
    versions: dict[str, str]

    def to_data(self) -> dict[str, Any]:
        """The rank as plain data: what `chipweave rank --json` prints."""
        own = {part.name: getattr(self, part.name) for part in fields(self)}
        return {
            **own,
            "space": asdict(self.space),
            "sample": None if self.sample is None else asdict(self.sample),
            "schedule": None if self.schedule is None else schedule_to_data(self.schedule),
            "share": self.share,
        }


def rank(
    instance: Instance,
    what: str | Schedule = "scope",
    space: Space | None = None,
    *,
    samples: int = SAMPLES,
    time_limit: float | None = None,
    seed: int = 0,
    workers: int | None = None,
) -> Rank:
    """Count the schedules that are faster than one, and all that fit.

    Args:
        what: a method's name, which then runs in the space as far as it can be held to it; or a
            schedule.
        space: among which schedules; all of one segment by default.
        samples: schedules to draw where counting would take too long.
        time_limit: wall seconds for the method, and again for the ranking, half of them for
            counting.
        seed: of the method, and of what is drawn.
        workers: threads; all cores by default.

    Raises:
        ValueError: an unknown method or option, an argument out of its range, more than
            MOST_LAYERS layers, a schedule that may not run, or compression.
    """
    refuse_compression(instance, "a ranking")
    space = Space() if space is None else space
    space.check(instance)
    layers = len(instance.layers)
    if layers > MOST_LAYERS:
        raise ValueError(f"{layers} layers: schedules of at most {MOST_LAYERS} are counted")
    effort = _effort(samples, time_limit, seed, workers)
    within = narrowed(instance, space)
    method = None if isinstance(what, Schedule) else what
    schedule = (
        _given(instance, what)
        if isinstance(what, Schedule)
        else _found(within, what, space, effort)
    )
    _warm_up()
    start = perf_counter()
    latency, place = None, Place(reason="the method found no schedule")
    if schedule is not None:
        latency = latency_of(instance, schedule)
        place = place_of(within, space, latency, effort)
    return Rank(
        **vars(place),
        instance=instance.name,
        method=method,
        space=space,
        schedule=schedule,
        latency=latency,
        outside=None if schedule is None else space.outside(instance, schedule),
        schedules=number_of_all(within, space),
        runtime_s=perf_counter() - start,
        seed=seed,
        workers=effort.workers,
        time_limit=time_limit,
        versions={name: version(name) for name in ("chipweave", "numpy", "numba")},
    )


def _effort(samples: int, time_limit: float | None, seed: int, workers: int | None) -> Effort:
    if samples < 1:
        raise ValueError(f"{samples} samples: at least 1 is needed")
    if time_limit is not None and not time_limit > 0:
        raise ValueError(f"time limit {time_limit} is not a positive number of seconds")
    if workers is not None and workers < 1:
        raise ValueError(f"{workers} workers: at least 1 is needed")
    return Effort(samples, time_limit, seed, workers or os.cpu_count() or 1)


def _given(instance: Instance, schedule: Schedule) -> Schedule:
    wrong = violations(instance, schedule)
    if wrong:
        raise ValueError(f"the schedule may not run: {wrong[0]}")
    return schedule


def _found(instance: Instance, method: str, space: Space, effort: Effort) -> Schedule | None:
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}: choose one of {', '.join(METHODS)}")
    return candidate(instance, method, space, effort)


@cache
def _warm_up() -> None:
    """Load the kernels, which the clock does not count."""
    instance = toy()
    for space in (Space(), Space("any")):
        place_of(instance, space, 2**40, Effort(1, None, 0, 1))
