"""The trade between throughput and what compression loses: a schedule for each accuracy budget."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

from instances.compression import MILLION, Compression
from instances.files.whole import write_whole
from instances.instance import Instance
from instances.tables import LIMIT
from schedules.evaluate import Evaluation, evaluate
from schedules.files import schedule_to_data
from schedules.progress import Stop
from schedules.schedule import Schedule
from solvers.result import Result
from solvers.solve import solve

COLUMNS = ("loss", "latency", "throughput", "energy", "proved", "compressed")
"""Of the CSV file: loss as in the table of losses, latency in cycles, samples a cycle, energy in
picojoules, whether the point is proved, and how many layers' outputs are compressed."""


@dataclass(frozen=True)
class LossPoint:
    """One schedule of a front.

    Attributes:
        lost: millionths that its compression loses.
        schedule, evaluation: what it is and what it costs.
        proved: whether no schedule that loses as much or less is faster.
    """

    lost: int
    schedule: Schedule
    evaluation: Evaluation
    proved: bool

    @property
    def loss(self) -> float:
        """What its compression loses, as in the table of losses."""
        return self.lost / MILLION


@dataclass(frozen=True)
class LossFront:
    """Schedules of which none is slower and loses more than another.

    Attributes:
        instance: what was scheduled; its own budget plays no role.
        method: the one that found the points.
        points: from the least loss to the most.
        stop: 'optimal' if every run ended with a proof; 'infeasible' if there is no schedule,
            proved; otherwise why the first run without a proof ended.
        runtime_s: wall time.
    """

    instance: Instance
    method: str
    points: tuple[LossPoint, ...]
    stop: Stop
    runtime_s: float

    def to_data(self) -> dict[str, Any]:
        """The front as plain data."""
        return {
            "instance": self.instance.name,
            "batch": self.instance.batch,
            "method": self.method,
            "stop": self.stop,
            "runtime_s": self.runtime_s,
            "points": [
                {**_cells(point), "schedule": schedule_to_data(point.schedule)}
                for point in self.points
            ],
        }


def loss_front(
    instance: Instance,
    budgets: Sequence[float] | None = None,
    *,
    method: str = "scope",
    **arguments: Any,
) -> LossFront:
    """The front of latency and loss: the best schedule of a method within each budget.

    Args:
        budgets: what losses may add up to, as in the table of losses. By default all at which a
            schedule of the method begins to fit: each run has a millionth less than the schedule
            before it lost, down to no loss. That can be many runs.
        method: any that `solve` takes for an instance with compression.
        arguments: what else `solve` takes; limits are for each run.

    Returns:
        The front; after Ctrl-C what there is of it.

    Raises:
        ValueError: the instance has no compression, a budget is no number of at least 0, or there
            is none; or what `solve` refuses.
    """
    given = instance.compression
    if given is None:
        raise ValueError(
            f"instance {instance.name!r} has no compression, so it loses nothing: give it a table"
            " of losses"
        )
    started = time.perf_counter()
    search = _Search(instance, given, method, arguments)
    if budgets is None:
        search.descend()
    else:
        if not budgets:
            raise ValueError("no budgets: expected at least one, or None for all that matter")
        for budget in sorted({_millionths(budget) for budget in budgets}):
            search.run(budget)
    seconds = time.perf_counter() - started
    return LossFront(instance, method, _efficient(search.found), search.stop or "optimal", seconds)


def write_loss_front(front: LossFront, path: str | Path) -> None:
    """Write the points of a front as CSV, with the columns of COLUMNS.

    Raises:
        OSError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(_cells, front.points))
    write_whole(path, text.getvalue().encode())


class _Search:
    """The runs behind one front.

    Attributes:
        found: points, also such that another makes worthless.
        stop: why the first run ended that proved nothing, 'infeasible' if one proved that; None so
            far.
    """

    def __init__(
        self, instance: Instance, given: Compression, method: str, arguments: dict[str, Any]
    ) -> None:
        self.instance, self.given = instance, given
        self.method, self.arguments = method, arguments
        self.found: list[LossPoint] = []
        self.stop: Stop | None = None
        self.ended = False

    def descend(self) -> None:
        """A run at each budget that matters, from the largest on."""
        budget = int(self.given.losses.max(axis=1).sum())
        while budget >= 0:
            point = self.run(budget)
            if point is None:
                return
            budget = point.lost - 1

    def run(self, budget: int) -> LossPoint | None:
        """The schedule within a budget of so many millionths; None: there is none."""
        if self.ended:
            return None
        within = self.given.within(budget)
        asked = replace(self.instance, tables=self.instance.costs, compression=within)
        result = solve(asked, self.method, **self.arguments)
        self._note(result)
        if result.schedule is None:
            return None
        lost = within.loss(within.choices(result.schedule.ratios))
        costs = evaluate(self.instance, result.schedule)
        self.found.append(LossPoint(lost, result.schedule, costs, result.stop == "optimal"))
        return self.found[-1]

    def _note(self, result: Result) -> None:
        if result.stop != "optimal":
            self.stop = self.stop or result.stop
        # What does not fit within one budget fits within none: coders only add to the memory.
        self.ended = result.stop in ("infeasible", "interrupted", "memory-limit")


def _efficient(found: list[LossPoint]) -> tuple[LossPoint, ...]:
    """The points that no other one makes worthless, each cost once, from the least loss on."""
    kept: list[LossPoint] = []
    for point in sorted(found, key=lambda p: (p.lost, p.evaluation.latency, not p.proved)):
        if not kept or point.evaluation.latency < kept[-1].evaluation.latency:
            kept.append(point)
    return tuple(kept)


def _cells(point: LossPoint) -> dict[str, Any]:
    """A point, as it is in COLUMNS."""
    costs, ratios = point.evaluation, point.schedule.ratios
    compressed = sum(ratio > 1 for ratio in ratios)
    cells = (point.loss, costs.latency, costs.throughput, costs.energy, point.proved, compressed)
    return dict(zip(COLUMNS, cells, strict=True))


def _millionths(budget: float) -> int:
    if not 0 <= budget <= LIMIT / MILLION:
        raise ValueError(f"accuracy budget {budget}: expected a number of at least 0")
    return int((Decimal(str(budget)) * MILLION).to_integral_value(ROUND_FLOOR))
