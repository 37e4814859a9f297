"""`chipweave solve` inside an array."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NoReturn

import typer

from chipweave.commands.checks import check_method
from chipweave.commands.codes import exit_code
from chipweave.commands.solve_models import Files
from chipweave.output import deliver, schedule_writes
from chipweave.status import live

if TYPE_CHECKING:
    from instances.cost.array import ArrayCosts
    from solvers.array import ArrayResult


def solve_array(
    costs: ArrayCosts,
    method: str,
    engine: str | None,
    files: Files,
    *,
    time_limit: float | None,
    seed: int,
    workers: int | None,
) -> NoReturn:
    """Schedule a network on an array, print and write what was found.

    Raises:
        typer.Exit: always, with the exit code.
        ValueError: bad input.
    """
    import chipweave as cw
    from solvers.array import ARRAY_METHODS

    check_method(method, ARRAY_METHODS, " inside an array")
    start = files.begin(cw.read_array_schedule, lambda own: cw.array_violations(costs, own))
    with live(f"{method} on {costs.network.name} on {costs.array.name}") as status:
        result = cw.solve_array(
            costs,
            method,
            engine=engine,
            start=start,
            time_limit=time_limit,
            seed=seed,
            workers=workers,
            listener=status,
        )
    why = [] if result.schedule is not None else [_nothing(result)]
    draw = partial(cw.draw_array, costs)
    writes = schedule_writes(
        result.schedule, cw.write_array_schedule, draw, out=files.out, plot=files.plot
    )
    deliver(
        files.json,
        lambda: {**result.to_data(), "clock_hz": costs.array.clock_hz},
        lambda: _print(costs, result, why),
        writes,
    )
    raise typer.Exit(exit_code(result.schedule is not None, result.stop))


def _nothing(result: ArrayResult) -> str:
    """What an end without a schedule means, and what may help."""
    return (
        f"{result.method} ended ({result.stop}) before it had a schedule; there always is one,"
        " layer by layer: give it more time, or take another method"
    )


def _print(costs: ArrayCosts, result: ArrayResult, why: list[str]) -> None:
    from chipweave.array_report import result_summary, segments_table
    from chipweave.grid import console, say

    screen = console()
    result_summary(costs, result).show(screen)
    if result.evaluation is not None:
        segments_table(costs, result.evaluation).show(screen)
    say(screen, why)
