"""The shortest path over segments that are scheduled and placed at once."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from instances.instance import Instance
from instances.tables import LIMIT, Ints
from schedules.compressed import refuse_compressed, refuse_compression
from schedules.files import schedule_to_data
from schedules.parallel import OutOfTimeError
from schedules.place import mesh_of, with_places
from schedules.placed import PlacedEvaluation, placed_evaluation, placed_segment
from schedules.progress import Stop, gap_of
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations
from solvers.exact.labels import FAR
from solvers.exact.paths import path_of, shortest_paths
from solvers.joint.bounds import least_times, no_times, segment_bounds
from solvers.joint.linked import Solve
from solvers.joint.segment import settle, solver
from solvers.joint.times import Times
from solvers.solve import solve


@dataclass(frozen=True)
class JointResult:
    """A placed schedule and how it came about.

    Attributes:
        instance: its name.
        stop: why the run ended; 'optimal' and 'infeasible' mean proved.
        schedule: the best found, with tiles; None if none.
        evaluation: its cost by `placed_evaluation`; None without a schedule.
        bound: a valid lower bound on the latency; None if there is no schedule.
        runtime_s: wall time.
        settled: intervals of layers whose best segment was proved.
        rounds: CP-SAT models of segments solved.
    """

    instance: str
    stop: Stop
    schedule: Schedule | None
    evaluation: PlacedEvaluation | None
    bound: int | None
    runtime_s: float
    settled: int
    rounds: int

    @property
    def objective(self) -> int | None:
        """Cycles of the whole batch."""
        return None if self.evaluation is None else self.evaluation.latency

    @property
    def gap(self) -> float | None:
        """(objective - bound) / objective; None without a schedule."""
        return gap_of(self.objective, self.bound)

    def to_data(self) -> dict[str, Any]:
        """As plain data: what `chipweave joint --json` prints."""
        return {
            "instance": self.instance,
            "method": "joint",
            "stop": self.stop,
            "objective": self.objective,
            "unit": "cycles",
            "bound": self.bound,
            "gap": self.gap,
            "runtime_s": self.runtime_s,
            "settled": self.settled,
            "rounds": self.rounds,
            "schedule": None if self.schedule is None else schedule_to_data(self.schedule),
            "segments": None if self.evaluation is None else asdict(self.evaluation)["segments"],
        }


def place_jointly(
    instance: Instance,
    *,
    time_limit: float | None = None,
    seed: int = 0,
    workers: int = 1,
    held: Schedule | None = None,
    start: Schedule | None = None,
    bounds: bool = True,
) -> JointResult:
    """The schedule and places of least latency, hops and link loads included.

    Segments are independent of one another, so that the best schedule is a shortest path over
    intervals of layers. Intervals have lower bounds; those on the shortest path by bounds are
    settled by CP-SAT, until the whole path is.

    Args:
        instance: of a network, on a package of at most MOST_CHIPLETS chiplets.
        time_limit: wall seconds after which the best schedule so far is returned.
        seed, workers: of CP-SAT.
        held: keep the segments, clusters, sizes and options of this schedule: only places are free.
        start: a schedule with places, for the first incumbent; without, the one of `exact` at its
            best places.
        bounds: begin with bounds by counts; without, CP-SAT has to prove every interval by itself.

    Raises:
        ValueError: a table instance, too many chiplets, or compression, of the instance or of a
            schedule.
    """
    refuse_compression(instance, "the joint search")
    for given in (held, start):
        if given is not None:
            refuse_compressed(given, "the joint search")
    begun = time.perf_counter()
    end = None if time_limit is None else begun + time_limit
    times = Times(instance, held)
    if start is None:
        start = (
            _along_snake(instance, held) if held else _places_second(instance, end, seed, workers)
        )
    search = _Search(times, begun, solver(end, seed, workers), bounds)
    if held is not None:
        search.hold(held)
    if start is not None:
        search.start_from(start)
    return search.run()


def _along_snake(instance: Instance, schedule: Schedule) -> Schedule | None:
    """The schedule with places along the snake; None if they are not connected."""
    placed = with_places(schedule, mesh_of(instance))
    return None if violations(instance, placed) else placed


def _places_second(
    instance: Instance, end: float | None, seed: int, workers: int
) -> Schedule | None:
    """The best schedule by counts at its best places, None if none was found in time."""

    def left() -> float | None:
        return None if end is None else max(0.001, end - time.perf_counter())

    counts = solve(instance, "exact", time_limit=left(), workers=workers).schedule
    if counts is None:
        return None
    return place_jointly(
        instance, time_limit=left(), seed=seed, workers=workers, held=counts
    ).schedule


class _Search:
    """The state of one search.

    Attributes:
        lower: [L,L] lower bounds on the cost of each segment, load included.
        found: the best segments of settled intervals.
    """

    def __init__(self, times: Times, begun: float, solve: Solve, bounds: bool) -> None:
        self.begun, self.solve, self.times = begun, solve, times
        self.instance = instance = times.instance
        self.least = least_times(self.times)
        tables = instance.tables
        self.loads: Ints = tables.loads[None, 1:] - tables.loads[:-1, None]
        self.lower = segment_bounds(self.times, self.least if bounds else no_times(self.times))
        self.lower = np.where(self.lower < FAR, self.lower + self.loads, FAR)
        self.found: dict[tuple[int, int], Segment] = {}
        self.settled: set[tuple[int, int]] = set()
        self.best: Schedule | None = None
        self.objective = FAR
        self.rounds = 0
        self._tile()

    def start_from(self, schedule: Schedule) -> None:
        """Take a placed schedule for the incumbent."""
        self.best, self.objective = schedule, placed_evaluation(self.instance, schedule).latency

    def _tile(self) -> None:
        """Tiled segments have no choice: their cost is known."""
        self.tiled: dict[int, tuple[int, Segment]] = {}
        instance = self.instance
        for layer in range(len(instance.layers)):
            if instance.costs.tiled(layer) is not None:
                tiles = self.times.regions.mesh.tiles
                whole = Cluster(layer, layer, len(tiles), instance.options[:1], tiles)
                segment = Segment((whole,), tiled=True)
                cost = placed_segment(instance, segment).time
                self.tiled[layer] = cost, segment
                self.lower[layer, layer] = min(cost, int(self.lower[layer, layer]))

    def hold(self, held: Schedule) -> None:
        """Only the segments of a schedule are left."""
        keep = np.zeros(self.lower.shape, dtype=np.bool_)
        for segment in held.segments:
            keep[segment.first, segment.last] = True
            if segment.tiled:
                cost, own = self.tiled[segment.first]
                self.lower[segment.first, segment.last] = cost
                self.found[segment.first, segment.last] = own
                self.settled.add((segment.first, segment.last))
            else:
                self.tiled.pop(segment.first, None)
        self.lower[~keep] = FAR

    def run(self) -> JointResult:
        """Settle the intervals of shortest paths until one is settled from end to end."""
        stop: Stop
        try:
            while not self._done():
                pass
            stop = "optimal" if self.best is not None else "infeasible"
        except OutOfTimeError:
            stop = "time-limit"
        except KeyboardInterrupt:
            stop = "interrupted"
        bound = min(int(shortest_paths(self.lower)[0][-1]), self.objective)
        return JointResult(
            instance=self.instance.name,
            stop=stop,
            schedule=self.best,
            evaluation=None if self.best is None else placed_evaluation(self.instance, self.best),
            bound=None if stop == "infeasible" else bound,
            runtime_s=time.perf_counter() - self.begun,
            settled=len(self.settled),
            rounds=self.rounds,
        )

    def _done(self) -> bool:
        """Whether no path is shorter than the best schedule; if one is, settle its intervals."""
        reach, onward, starts = shortest_paths(self.lower)
        if int(reach[-1]) >= self.objective:
            return True
        path = path_of(starts)
        for first, last in path:
            if (first, last) not in self.settled:
                others = int(reach[first]) + int(onward[last + 1])
                self._settle(first, last, others)
        total = sum(int(self.lower[interval]) for interval in path)
        if total < self.objective:
            self.objective = total
            self.best = Schedule(tuple(self.found[interval] for interval in path))
        return False

    def _settle(self, first: int, last: int, others: int) -> None:
        """Find the interval's least cost, or that it is of no use with `others` beside it."""
        load = int(self.loads[first, last])
        most = min(LIMIT, self.objective - 1 - others) - load
        found = settle(self.times, self.least, (first, last), most, self.solve)
        cost, segment = found.cost + load, found.segment
        tiled = self.tiled.get(first) if first == last else None
        if tiled is not None and tiled[0] <= min(cost, most + load):
            cost, segment = tiled
        self.rounds += found.rounds
        self.settled.add((first, last))
        self.lower[first, last] = FAR if segment is None else cost
        if segment is not None:
            self.found[first, last] = segment
