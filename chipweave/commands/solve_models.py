"""`chipweave solve` for several models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NoReturn, TypeVar

import typer

from chipweave.commands.checks import check_method
from chipweave.commands.codes import exit_code
from chipweave.output import deliver, schedule_writes
from chipweave.status import live

if TYPE_CHECKING:
    from instances.cost.jobs import WorkloadCosts
    from instances.workload import Workload
    from schedules.windows.goal import WindowGoal
    from solvers.multi_model import WindowResult

Found = TypeVar("Found")
"""A kind of schedule."""


@dataclass(frozen=True)
class Files:
    """What is read and written beside the workload; None for what is not."""

    start: str | None
    json: str | None
    plot: str | None
    out: str | None

    def begin(
        self, read: Callable[[str], Found], wrong: Callable[[Found], list[str]]
    ) -> Found | None:
        """The schedule to begin from, if one is named.

        Args:
            read: a file of the problem's schedules.
            wrong: why one may not run; empty if it may.

        Raises:
            ValueError: the file holds none, or one that may not run.
        """
        if self.start is None:
            return None
        import chipweave as cw

        try:
            schedule = read(self.start)
        except cw.FileError as error:
            raise ValueError(f"--start {error}") from None
        if found := wrong(schedule):
            raise ValueError(f"--start {self.start}: the schedule may not run: {found[0]}")
        return schedule


def solve_models(
    workload: Workload,
    goal: WindowGoal,
    method: str,
    engine: str | None,
    files: Files,
    *,
    time_limit: float | None,
    seed: int,
    workers: int | None,
) -> NoReturn:
    """Schedule several models, print and write what was found.

    Raises:
        typer.Exit: always, with the exit code.
        ValueError: bad input.
    """
    import chipweave as cw
    from solvers.multi_model import WINDOW_METHODS

    check_method(method, WINDOW_METHODS, " for several models")
    costs = cw.WorkloadCosts(workload)
    start = files.begin(cw.read_windows, lambda own: cw.window_violations(costs, own, goal))
    with live(f"{method} on {workload.name}") as status:
        result = cw.solve_workload(
            workload,
            method,
            goal=goal,
            engine=engine,
            start=start,
            time_limit=time_limit,
            seed=seed,
            workers=workers,
            listener=status,
        )
    why = [] if result.schedule is not None else [_nothing(workload, result)]
    draw = partial(cw.draw_windows, costs, pipelined=goal.pipelined)
    writes = schedule_writes(
        result.schedule, cw.write_windows, draw, out=files.out, plot=files.plot
    )
    deliver(
        files.json,
        lambda: {**result.to_data(), **_about(workload, result, why)},
        lambda: _print(costs, result, why),
        writes,
    )
    raise typer.Exit(exit_code(result.schedule is not None, result.stop))


def _nothing(workload: Workload, result: WindowResult) -> str:
    """What an end without a schedule means, and what may help."""
    from schedules.schedule import counted

    if result.stop == "infeasible":
        windows = counted(result.goal.windows, "window")
        chiplets = counted(workload.package.chiplets, "chiplet")
        return (
            f"no schedule exists of {len(workload.jobs)} models with at most {windows} of"
            f" {chiplets}: each model needs a chiplet of its own in some window; more windows"
            " (--windows) would do, or models that take turns (--share)"
        )
    return (
        f"{result.method} ended ({result.stop}) before it had a schedule, which does not mean that"
        " there is none: give it more time, or take another method"
    )


def _about(workload: Workload, result: WindowResult, why: list[str]) -> dict[str, object]:
    """What the JSON says about the workload."""
    models = [
        {"network": own.network.name, "batch": own.batch, "units": list(own.unit_names)}
        for own in workload.jobs
    ]
    reasons = {"why": why} if result.stop == "infeasible" else {}
    package = workload.package
    about = {"models": models, "package": package.name, "clock_hz": package.chiplet.clock_hz}
    return {**about, **reasons}


def _print(costs: WorkloadCosts, result: WindowResult, why: list[str]) -> None:
    from chipweave.grid import console, say
    from chipweave.windows_report import result_summary, windows_table

    screen = console()
    result_summary(costs, result).show(screen)
    if result.evaluation is not None:
        windows_table(costs, result.evaluation).show(screen)
    say(screen, why)
