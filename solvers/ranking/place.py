"""Where a latency stands among those of all schedules: counted where possible, drawn where not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from instances.instance import Instance
from schedules.evaluate import latency as latency_of
from schedules.parallel import OutOfTimeError
from schedules.progress import Progress
from schedules.verify import violations
from solvers.ranking import any_segments, one_segment
from solvers.ranking.interval import clopper_pearson
from solvers.ranking.space import Space
from solvers.ranking.uniform import Feasible
from solvers.ranking.work import TooManyError

CONFIDENCE = 0.95

ROOMY = 2**60
"""Bytes that nothing exceeds."""


@dataclass(frozen=True)
class Sample:
    """Schedules drawn uniformly, with replacement, and how many were faster.

    Attributes:
        tried: how many were drawn.
        drawn: how many of them fit, and count.
        better, equal: how many of them are faster, and exactly as fast.
        low, high: Clopper and Pearson's interval for the share of faster ones among all.
        confidence: how often such an interval holds the true share, at least.
    """

    tried: int
    drawn: int
    better: int
    equal: int
    low: float
    high: float
    confidence: float


@dataclass(frozen=True)
class Place:
    """Where a latency stands.

    Attributes:
        feasible: schedules of the space that fit; None if they were not counted.
        better, equal: how many of these are faster, and how many exactly as fast, a schedule of
            this latency itself among them; None if they were not counted.
        sample: what was drawn instead; None if they were counted.
        reason: why they were not counted; None if they were.
    """

    feasible: int | None = None
    better: int | None = None
    equal: int | None = None
    sample: Sample | None = None
    reason: str | None = None

    @property
    def share(self) -> float | None:
        """Of faster schedules among those that fit, or among those drawn; None if unknown."""
        if self.better is not None and self.feasible:
            return self.better / self.feasible
        return None if self.sample is None else self.sample.better / self.sample.drawn


@dataclass(frozen=True)
class Effort:
    """What may be spent on a place.

    Attributes:
        samples: schedules to draw where counting would take too long.
        time_limit: wall seconds, half of them for counting; None for no limit.
        seed: of what is drawn.
        workers: threads.
    """

    samples: int
    time_limit: float | None
    seed: int
    workers: int


def place_of(instance: Instance, space: Space, latency: int, effort: Effort) -> Place:
    """Count the schedules that fit and those that are faster; draw if counting takes too long."""
    limit = effort.time_limit
    counting = Progress(instance, None if limit is None else limit / 2)
    drawing = Progress(instance, limit)
    feasible = None
    try:
        feasible = Feasible(instance, space, counting, effort.workers)
        if feasible.number == 0:
            return Place(0, 0, 0)
        method = one_segment if space.segments == "one" else any_segments
        better, equal = method.count_up_to(instance, space, latency, counting, effort.workers)
        return Place(feasible.number, better, equal)
    except (TooManyError, OutOfTimeError) as error:
        reason = str(error) or "the time limit passed"
    if feasible is not None:
        return Place(
            feasible.number,
            sample=draw(instance, feasible, latency, effort, drawing),
            reason=reason,
        )
    try:
        schedules = Feasible(_roomy(instance), space, drawing, effort.workers)
    except (TooManyError, OutOfTimeError):
        return Place(reason=reason)
    sample = draw(instance, schedules, latency, effort, drawing, all_fit=False)
    if sample is None:
        reason += "; none of the schedules that were drawn fits"
    return Place(sample=sample, reason=reason)


def _roomy(instance: Instance) -> Instance:
    """The instance with buffers that hold everything: its schedules are numbered at once."""
    return replace(instance, tables=replace(instance.tables, capacity=ROOMY))


def draw(
    instance: Instance,
    schedules: Feasible,
    latency: int,
    effort: Effort,
    progress: Progress,
    *,
    all_fit: bool = True,
) -> Sample | None:
    """Compare with uniformly drawn schedules until they are enough or time is up.

    Of schedules drawn uniformly from more than those that fit, those that do are uniform, too.
    None if none fits.
    """
    random = Random(effort.seed)
    tried = drawn = better = equal = 0
    while tried < effort.samples and not (tried and progress.expired):
        schedule = schedules.schedule(random.randrange(schedules.number))
        tried += 1
        if all_fit or not violations(instance, schedule):
            other = latency_of(instance, schedule)
            drawn, better, equal = drawn + 1, better + (other < latency), equal + (other == latency)
    if drawn == 0:
        return None
    interval = clopper_pearson(better, drawn, CONFIDENCE)
    return Sample(tried, drawn, better, equal, *interval, CONFIDENCE)
