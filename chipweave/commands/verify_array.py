"""`chipweave verify` inside an array."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import typer

from chipweave.commands.codes import BROKEN, FOUND
from chipweave.output import STDOUT, write_json

if TYPE_CHECKING:
    from instances.cost.array import ArrayCosts
    from schedules.array.evaluate import ArrayEvaluation


def verify_array(costs: ArrayCosts, schedule: str, json: str | None) -> NoReturn:
    """List what is wrong with a schedule on an array, or what it costs.

    Raises:
        typer.Exit: always, with the exit code.
        ValueError: the file cannot be used.
    """
    import chipweave as cw
    from chipweave.array_report import evaluation_summary, segments_table
    from chipweave.grid import console, say

    found = cw.read_array_schedule(schedule)
    wrong = cw.array_violations(costs, found)
    evaluation = None if wrong else cw.evaluate_array(costs, found)
    if json is not None:
        write_json(json, {"violations": wrong, **_costs(costs, evaluation)})
    if json != STDOUT:
        screen = console()
        if evaluation is not None:
            evaluation_summary(costs, evaluation).show(screen)
            segments_table(costs, evaluation).show(screen)
        say(screen, wrong or ["the schedule may run: no constraint is broken"])
    raise typer.Exit(BROKEN if wrong else FOUND)


def _costs(costs: ArrayCosts, evaluation: ArrayEvaluation | None) -> dict[str, int | float | None]:
    if evaluation is None:
        return dict.fromkeys(("objective", "latency", "throughput", "energy"))
    return {
        "objective": evaluation.latency,
        "latency": evaluation.latency,
        "throughput": costs.batch / evaluation.latency,
        "energy": evaluation.energy,
    }
