"""What the fast methods have in common: their options, and a schedule that always is there."""

from __future__ import annotations

from typing import Protocol

from instances.cost.jobs import WorkloadCosts
from schedules.windows.evaluate import evaluate_run
from schedules.windows.goal import WindowGoal
from schedules.windows.schedule import Run, Stage, Window, WindowSchedule


class Seeded(Protocol):
    """What the fast methods read of a method's options."""

    @property
    def seed(self) -> int:
        """Of all random numbers."""


def simple_schedule(costs: WorkloadCosts, goal: WindowGoal) -> WindowSchedule | None:
    """Each model as a single stage; None if no schedule exists at all (ours).

    The models are dealt over as few windows as there must be, one a chiplet, so that a window has
    no more models than chiplets. Where even all allowed windows together have too few chiplets,
    models take turns in one window if the goal lets them. Otherwise no schedule exists: each model
    needs a chiplet of its own in at least one window.
    """
    jobs, tiles = costs.workload.jobs, costs.package.tiles
    runs = [
        Run(k, job.batch, (Stage(0, job.units - 1, tiles[k % len(tiles)]),))
        for k, job in enumerate(jobs)
    ]
    starts = range(0, len(runs), len(tiles))
    turns = [runs[start : start + len(tiles)] for start in starts]
    if len(turns) <= goal.windows:
        return WindowSchedule(tuple(Window(tuple(own)) for own in turns))
    if not goal.shared:
        return None
    ready, found = dict.fromkeys(tiles, 0), []
    for run in runs:
        tile = run.stages[0].tile
        own = Run(run.job, run.mini_batch, run.stages, ready[tile])
        ready[tile] = evaluate_run(costs, own, goal.pipelined).end
        found.append(own)
    return WindowSchedule((Window(tuple(found)),))
