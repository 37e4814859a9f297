"""`chipweave verify` for several models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import typer

from chipweave.commands.codes import BROKEN, FOUND
from chipweave.output import STDOUT, write_json

if TYPE_CHECKING:
    from chipweave.commands.several import Several
    from instances.workload import Workload
    from schedules.windows.evaluate import WindowEvaluation
    from schedules.windows.goal import WindowGoal


def verify_models(
    workload: Workload, several: Several, schedule: str, objective: str, json: str | None
) -> NoReturn:
    """List what is wrong with a schedule of several models, or what it costs.

    Raises:
        typer.Exit: always, with the exit code.
        ValueError: the files cannot be used.
    """
    import chipweave as cw
    from chipweave.grid import console, say
    from chipweave.windows_report import evaluation_summary, windows_table

    costs, found = cw.WorkloadCosts(workload), cw.read_windows(schedule)
    goal = several.goal(objective, max(1, len(found.windows)))
    wrong = cw.window_violations(costs, found, goal)
    evaluation = None if wrong else cw.evaluate_windows(costs, found, goal.pipelined)
    if json is not None:
        write_json(json, {"violations": wrong, **_costs(goal, evaluation)})
    if json != STDOUT:
        screen = console()
        if evaluation is not None:
            evaluation_summary(costs, goal, evaluation).show(screen)
            windows_table(costs, evaluation).show(screen)
        say(screen, wrong or ["the schedule may run: no constraint is broken"])
    raise typer.Exit(BROKEN if wrong else FOUND)


def _costs(goal: WindowGoal, evaluation: WindowEvaluation | None) -> dict[str, Any]:
    if evaluation is None:
        return dict.fromkeys(("objective", "latency", "period", "throughput", "energy", "edp"))
    return {
        "objective": goal.value(evaluation),
        "latency": evaluation.latency,
        "period": evaluation.period,
        "throughput": 1 / evaluation.period,
        "energy": evaluation.energy,
        "edp": evaluation.edp,
    }
