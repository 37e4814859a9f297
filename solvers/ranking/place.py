"""Where a latency stands among those of all schedules: counted where possible, drawn where not."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from instances.instance import Instance
from schedules.evaluate import latency as latency_of
from schedules.parallel import OutOfTimeError
from schedules.progress import Progress
from solvers.ranking import any_segments, one_segment
from solvers.ranking.interval import clopper_pearson
from solvers.ranking.space import Space
from solvers.ranking.uniform import Feasible
from solvers.ranking.work import TooManyError

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Sample:
    """Schedules drawn uniformly, with replacement, and how many were faster.

    Attributes:
        drawn: how many.
        better, equal: how many of them are faster, and exactly as fast.
        low, high: Clopper and Pearson's interval for the share of faster ones among all.
        confidence: how often such an interval holds the true share, at least.
    """

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
    try:
        feasible = Feasible(instance, space, counting, effort.workers)
    except (TooManyError, OutOfTimeError) as error:
        return Place(reason=_told(error))
    if feasible.number == 0:
        return Place(0, 0, 0)
    try:
        method = one_segment if space.segments == "one" else any_segments
        better, equal = method.count_up_to(instance, space, latency, counting, effort.workers)
    except (TooManyError, OutOfTimeError) as error:
        sample = draw(instance, feasible, latency, effort, drawing)
        return Place(feasible.number, sample=sample, reason=_told(error))
    return Place(feasible.number, better, equal)


def _told(error: TooManyError | OutOfTimeError) -> str:
    return str(error) or "the time limit passed"


def draw(
    instance: Instance, feasible: Feasible, latency: int, effort: Effort, progress: Progress
) -> Sample:
    """Compare with uniformly drawn schedules, at least one, until they are enough or time is up."""
    random = Random(effort.seed)
    drawn = better = equal = 0
    while drawn < effort.samples and not (drawn and progress.expired):
        other = latency_of(instance, feasible.schedule(random.randrange(feasible.number)))
        drawn, better, equal = drawn + 1, better + (other < latency), equal + (other == latency)
    return Sample(drawn, better, equal, *clopper_pearson(better, drawn, CONFIDENCE), CONFIDENCE)
