"""Whether a schedule of several models may run; it knows no solver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from instances.cost.jobs import WorkloadCosts
from schedules.windows.evaluate import RunEvaluation, evaluate_run
from schedules.windows.goal import WindowGoal
from schedules.windows.schedule import Run, WindowSchedule


def window_violations(
    costs: WorkloadCosts, schedule: WindowSchedule, goal: WindowGoal | None = None
) -> list[str]:
    """All that is wrong with a schedule, a sentence each; empty if it may run.

    Args:
        costs: those of the workload.
        schedule: what is checked.
        goal: what a schedule may do; by default as `WindowGoal`, with any number of windows.
    """
    asked = WindowGoal(windows=max(1, len(schedule.windows))) if goal is None else goal
    wrong = []
    if len(schedule.windows) > asked.windows:
        wrong.append(f"{len(schedule.windows)} windows, expected at most {asked.windows}")
    for number, window in enumerate(schedule.windows):
        if not window.runs:
            wrong.append(f"window {number} is empty")
        for run in window.runs:
            wrong += [f"window {number}, {text}" for text in _run_violations(costs, run)]
        twice = [job for job, n in Counter(run.job for run in window.runs).items() if n > 1]
        wrong += [f"window {number} has model {job} more than once" for job in twice]
    wrong += _order_violations(costs, schedule)
    if not wrong:  # only then have all runs times
        for number, window in enumerate(schedule.windows):
            runs = [evaluate_run(costs, run, asked.pipelined) for run in window.runs]
            wrong += [f"window {number}: {text}" for text in _clashes(runs, asked.shared)]
    return wrong


def _run_violations(costs: WorkloadCosts, run: Run) -> Iterator[str]:
    jobs = costs.workload.jobs
    if not 0 <= run.job < len(jobs):
        yield f"model {run.job}: there are models 0 to {len(jobs) - 1}"
        return
    job = jobs[run.job]
    where = f"model {run.job} ({job.name})"
    if run.mini_batch not in job.mini_batches:
        yield f"{where}: mini-batch {run.mini_batch} does not divide the batch of {job.batch}"
    if run.start < 0:
        yield f"{where}: begins at {run.start}, before its window"
    if not run.stages:
        yield f"{where}: has no stage"
    for number, stage in enumerate(run.stages):
        before = run.stages[number - 1].last if number else stage.first - 1
        if not 0 <= stage.first <= stage.last < job.units:
            units = f"units {stage.first} to {stage.last}"
            yield f"{where}, stage {number}: {units}, expected some of 0 to {job.units - 1}"
        if stage.tile not in costs.package.number:
            yield f"{where}, stage {number}: no chiplet computes at {list(stage.tile)}"
        if stage.first != before + 1:
            yield f"{where}, stage {number}: begins at unit {stage.first}, after unit {before}"
    tiles = Counter(stage.tile for stage in run.stages)
    for tile in [tile for tile, times in tiles.items() if times > 1]:
        yield f"{where}: {tiles[tile]} stages on chiplet {list(tile)}, expected each on its own"


def _order_violations(costs: WorkloadCosts, schedule: WindowSchedule) -> Iterator[str]:
    """Each model runs all units, in their order over the windows."""
    for number, job in enumerate(costs.workload.jobs):
        runs = [run for window in schedule.windows for run in window.runs if run.job == number]
        reached = 0
        for run in runs:
            if run.stages and run.stages[0].first != reached:
                first = run.stages[0].first
                yield f"model {number} ({job.name}): unit {first} follows, expected unit {reached}"
            reached = run.stages[-1].last + 1 if run.stages else reached
        if reached != job.units:
            yield f"model {number} ({job.name}): ends after {reached} units of {job.units}"


def _clashes(runs: list[RunEvaluation], shared: bool) -> Iterator[str]:
    """Models on one chiplet at once, or at all where chiplets are not shared."""
    for a, b in combinations(runs, 2):
        common = {s.tile for s in a.run.stages} & {s.tile for s in b.run.stages}
        if not common:
            continue
        models = f"models {a.run.job} and {b.run.job}"
        places = ", ".join(str(list(tile)) for tile in sorted(common))
        if not shared:
            yield f"{models} are both on chiplets {places}, but chiplets are not shared"
        elif a.run.start < b.end and b.run.start < a.end:
            yield f"{models} are on chiplets {places} at the same time"
