"""`chipweave solve` for several models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import typer

from chipweave.commands.checks import check_method
from chipweave.commands.codes import exit_code
from chipweave.output import deliver, schedule_writes
from chipweave.status import live

if TYPE_CHECKING:
    from instances.cost.jobs import WorkloadCosts
    from instances.workload import Workload
    from schedules.windows.goal import WindowGoal
    from schedules.windows.schedule import WindowSchedule
    from solvers.multi_model import WindowResult


@dataclass(frozen=True)
class Files:
    """What is read and written beside the workload; None for what is not."""

    start: str | None
    json: str | None
    plot: str | None
    out: str | None


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
    start = None if files.start is None else _read_start(costs, goal, files.start)
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


def _read_start(costs: WorkloadCosts, goal: WindowGoal, path: str) -> WindowSchedule:
    """A schedule to begin from.

    Raises:
        ValueError: the file holds none, or one that may not run.
    """
    import chipweave as cw

    try:
        schedule = cw.read_windows(path)
    except cw.FileError as error:
        raise ValueError(f"--start {error}") from None
    wrong = cw.window_violations(costs, schedule, goal)
    if wrong:
        raise ValueError(f"--start {path}: the schedule may not run: {wrong[0]}")
    return schedule


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
    from chipweave.grid import console
    from chipweave.windows_report import result_summary, windows_table

    screen = console()
    result_summary(costs, result).show(screen)
    if result.evaluation is not None:
        windows_table(costs, result.evaluation).show(screen)
    for line in why:
        screen.print(line, markup=False, soft_wrap=True)
