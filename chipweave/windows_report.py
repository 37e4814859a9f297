"""What a person reads about a schedule of several models: summaries and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chipweave.grid import Grid, number, scaled, shortened
from chipweave.report import end_rows
from schedules.schedule import counted
from schedules.windows.goal import UNITS
from schedules.windows.labels import kind_labels, units_label

if TYPE_CHECKING:
    from instances.cost.jobs import WorkloadCosts
    from instances.package import Tile
    from schedules.windows.evaluate import RunEvaluation, WindowEvaluation
    from schedules.windows.goal import WindowGoal
    from solvers.multi_model import WindowResult


def result_summary(costs: WorkloadCosts, result: WindowResult) -> Grid:
    """How a run ended, and what the schedule costs."""
    rows = [
        ("workload", result.workload),
        ("method", ", ".join(filter(None, (result.method, result.engine)))),
        ("asked", _asked(result.goal)),
        *end_rows(result, result.unit, _costs(costs, result.evaluation)),
    ]
    return Grid(("", ""), rows)


def _asked(goal: WindowGoal) -> str:
    """What was minimised, and what a schedule was allowed."""
    rules = [goal.objective, f"at most {counted(goal.windows, 'window')}"]
    rules += [] if goal.pipelined else ["no pipelining"]
    rules += ["chiplets shared in time"] if goal.shared else []
    return ", ".join(rules)


def evaluation_summary(
    costs: WorkloadCosts, goal: WindowGoal, evaluation: WindowEvaluation
) -> Grid:
    """What a schedule costs."""
    rows = [
        ("workload", costs.workload.name),
        ("objective", number(goal.value(evaluation), 0, f" {UNITS[goal.objective]}")),
        *_costs(costs, evaluation),
    ]
    return Grid(("", ""), rows)


def _costs(costs: WorkloadCosts, found: WindowEvaluation | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    clock = costs.workload.package.chiplet.clock_hz
    time, energy = scaled(found.latency / clock, "s"), scaled(found.energy * 1e-12, "J")
    return [
        ("latency", f"{found.latency:,} cycles ({time})"),
        ("energy", f"{found.energy:,} pJ ({energy})"),
        ("energy-delay product", f"{found.edp * 1e-12 / clock:.6g} J s"),
        ("period", f"{found.period:,} cycles a round of all batches"),
        ("throughput", f"{clock / found.period:,.6g} rounds/s"),
    ]


def windows_table(costs: WorkloadCosts, evaluation: WindowEvaluation) -> Grid:
    """A line for each stage; the first one of a run says what is of the run."""
    headings = (
        "window",
        ">begin",
        ">end",
        "model",
        ">mini-batch",
        "stage",
        ">load",
        ">stage time",
        ">beat",
        ">latency",
    )
    kinds = kind_labels(costs.package)
    rows: list[tuple[str, ...]] = []
    begins = (0, *evaluation.ends)
    for place, runs in enumerate(evaluation.windows):
        for run in runs:
            rows += _run_rows(costs, kinds, run, place, begins[place])
    return Grid(headings, shortened(rows), "cycles; a stage: units -> chiplet (dataflow)")


def _run_rows(
    costs: WorkloadCosts, kinds: dict[Tile, str], found: RunEvaluation, window: int, begin: int
) -> list[tuple[str, ...]]:
    run = found.run
    rows: list[tuple[str, ...]] = []
    own = costs.workload.jobs[run.job]
    head = (
        str(window),
        number(begin + run.start),
        number(begin + found.end),
        own.name,
        f"{run.mini_batch} x {found.rounds}",
    )
    tail = (number(found.beat), number(found.latency))
    for n, stage in enumerate(run.stages):
        units = units_label(own, stage.first, stage.last)
        text = f"{units} -> {list(stage.tile)} ({kinds[stage.tile]})"
        cells = (text, number(found.loads[n]), number(found.times[n]))
        rows.append((*head, *cells, *tail) if n == 0 else ("",) * 5 + (*cells, "", ""))
    return rows
