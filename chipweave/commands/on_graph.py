"""`chipweave solve`, `verify` and `show` for a graph of operators."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from chipweave.commands import groups, options
from chipweave.commands.checks import check_method
from chipweave.commands.codes import BROKEN, FOUND, exit_code
from chipweave.commands.several import Several, refuse
from chipweave.commands.solve_models import Files
from chipweave.output import STDOUT, deliver, schedule_writes, write_json
from chipweave.status import live

if TYPE_CHECKING:
    from instances.graph import Order
    from solvers.graph_partition import PartitionResult

OrderName = Annotated[
    str | None,
    typer.Option(
        "--order",
        metavar="CLASS",
        help="Of a graph of operators: which divisions are allowed, ordered (without: this),"
        " convex or free.",
    ),
]


def order_of(name: str | None) -> Order:
    """The class that an option means.

    Raises:
        ValueError: there is no such class.
    """
    from chipweave.inputs import suggestion
    from instances.graph import ORDERS

    for order in ORDERS:
        if name in (None, order):
            return order
    near = suggestion(str(name), ORDERS)
    raise ValueError(f"--order: unknown {name!r}.{near} Choose one of {', '.join(ORDERS)}")


def refuse_on_graph(
    setting: options.Setting,
    several: Several,
    conditions: options.Conditions,
    objective: str,
    *others: str,
) -> None:
    """Refuse options that have no meaning for a graph.

    Raises:
        ValueError: one was given.
    """
    if objective != "latency":
        raise ValueError(
            f"--objective {objective}: for a graph of operators, the largest load is what is"
            " minimised"
        )
    given = [*groups.given(setting), *groups.given(several), *groups.given(conditions), *others]
    refuse(given, "not for a graph of operators, whose file says what the devices are")


def solve_graph(
    what: str,
    method: str,
    order: str | None,
    engine: str | None,
    files: Files,
    *,
    time_limit: float | None,
    seed: int,
    workers: int | None,
) -> NoReturn:
    """Divide a graph among devices, print and write what was found.

    Raises:
        typer.Exit: always, with the exit code.
        ValueError: bad input.
    """
    import chipweave as cw
    from schedules.progress import TracePoint
    from solvers.graph_partition import GRAPH_METHODS

    check_method(method, GRAPH_METHODS, " for a graph of operators")
    allowed = order_of(order)
    graph = cw.read_graph(what)

    def in_time(ticks: float | None) -> float | None:
        return None if ticks is None else graph.time(ticks)

    start = files.begin(cw.read_partition, lambda own: cw.partition_violations(graph, own, allowed))
    with live(f"{method} on {graph.name}") as status:
        result = cw.solve_graph(
            graph,
            method,
            order=allowed,
            engine=engine,
            start=start,
            time_limit=time_limit,
            seed=seed,
            workers=workers,
            listener=lambda point: status(
                TracePoint(point.seconds, in_time(point.objective), in_time(point.bound))
            ),
        )
    why = [] if result.schedule is not None else _nothing(result)
    draw = partial(cw.draw_partition, graph)
    writes = schedule_writes(
        result.schedule, cw.write_partition, draw, out=files.out, plot=files.plot
    )
    reasons = {"why": why} if result.stop == "infeasible" else {}
    data = {**result.to_data(), **reasons}
    deliver(files.json, lambda: data, lambda: _print(result, why), writes)
    raise typer.Exit(exit_code(result.schedule is not None, result.stop))


def _nothing(result: PartitionResult) -> list[str]:
    """What an end without a division means, and what may help."""
    if result.stop == "infeasible":
        from solvers.graph_partition.explain import MOST_REASONS, why_impossible

        looser = "" if result.order == "free" else ", or --order free"
        reasons = why_impossible(result.graph, result.order)
        more = len(reasons) - MOST_REASONS
        return [
            f"no {result.order} division exists: more memory, more devices{looser} may help;"
            " a CPU (maxCPUs) takes everything",
            *(f"- {reason}" for reason in reasons[:MOST_REASONS]),
            *([f"- and {more:,} more like these"] if more > 0 else []),
        ]
    return [
        f"{result.method} ended ({result.stop}) before it had a division, which does not mean that"
        " there is none: use exact, or give it more time"
    ]


def _print(result: PartitionResult, why: list[str]) -> None:
    from chipweave.graph_report import devices_table, result_summary
    from chipweave.grid import console, say

    screen = console()
    result_summary(result).show(screen)
    if result.evaluation is not None:
        devices_table(result.graph, result.evaluation).show(screen)
    say(screen, why)


def verify_graph(what: str, schedule: str, order: str | None, json: str | None) -> NoReturn:
    """List what is wrong with a division, or what it costs.

    Raises:
        typer.Exit: always, with the exit code.
        ValueError: a file cannot be used.
    """
    import chipweave as cw
    from chipweave.graph_report import devices_table
    from chipweave.grid import console, say

    graph, allowed = cw.read_graph(what), order_of(order)
    found = cw.read_partition(schedule)
    wrong = cw.partition_violations(graph, found, allowed)
    evaluation = None if wrong else cw.evaluate_partition(graph, found)
    cost = None if evaluation is None else graph.time(evaluation.objective)
    if json is not None:
        write_json(json, {"violations": wrong, "objective": cost})
    if json != STDOUT:
        screen = console()
        if evaluation is not None:
            devices_table(graph, evaluation).show(screen)
        say(screen, wrong or [f"the division may run: its largest load is {cost:,.12g}"])
    raise typer.Exit(BROKEN if wrong else FOUND)


def show_graph(what: str) -> None:
    """Print what a graph is.

    Raises:
        ValueError: the file cannot be used.
    """
    import chipweave as cw
    from chipweave.graph_report import graph_rows
    from chipweave.grid import Grid, console

    Grid(("", ""), graph_rows(cw.read_graph(what))).show(console())
