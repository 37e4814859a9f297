"""`chipweave order`."""

from __future__ import annotations

from typing import Annotated

import typer

from chipweave.commands import groups, options
from chipweave.commands.benches import write_results
from chipweave.commands.checks import check_method, check_outputs
from chipweave.commands.codes import exit_code
from chipweave.output import deliver
from chipweave.status import live

HELP = """Search for a better order of a network's layers.

Where a network has branches, its layers may run in many orders, and schedules take layers in their
order. The search walks from the given order to neighbours that are no worse, and solves each. The
best network goes to a file, which every other command takes.

Exit codes: 0 a schedule was found; 2 bad input or usage; 3 proved infeasible; 4 stopped without a
schedule.

\b
Examples:
  chipweave order googlenet --tries 50 --out googlenet-ordered.yaml
  chipweave order my-network.yaml --package simba-8x8 --method scope --tries 1000
"""

Tries = Annotated[int, typer.Option("--tries", metavar="N", min=1, help="Orders, at most.")]
NetworkOut = Annotated[
    str | None,
    typer.Option("--out", metavar="FILE", help="Write the network (.yaml or .json)."),
]


@groups.flat
def order(
    task: options.Task,
    method: options.Method = "exact",
    tries: Tries = 100,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    out: NetworkOut = None,
    json: options.Json = None,
) -> None:
    check_outputs(json=json, out=out, inputs=(task.what, task.package))
    check_method(method)
    import chipweave as cw
    from chipweave.grid import Grid, console, number, percent

    instance = task.instance()
    if instance.network is None or instance.package is None:
        raise ValueError(f"{task.what}: costs written out as tables have no other order")
    with live(instance.name) as status:
        found = cw.best_order(
            instance.network,
            instance.package,
            instance.batch,
            method=method,
            tries=tries,
            seed=seed,
            workers=workers,
            watch=status.watch,
        )
    result = found.result
    rows = [
        ("network", f"{instance.name}, batch {instance.batch}"),
        ("method", method),
        ("orders tried", f"{found.tries:,}{', all there are' if found.complete else ''}"),
        ("as given", number(found.given.objective, 0, " cycles")),
        ("best order", number(result.objective, 0, " cycles")),
        ("gain", percent(found.gain)),
    ]
    data = {
        **result.to_data(),
        "given": found.given.objective,
        "tries": found.tries,
        "complete": found.complete,
        "order": [layer.name for layer in found.network.layers],
    }
    writes = [] if out is None else [lambda: cw.write_network(found.network, out)]
    deliver(json, lambda: data, lambda: Grid(("", ""), rows).show(console()), writes)
    raise typer.Exit(exit_code(result.schedule is not None, result.stop))


BENCH_HELP = """Measure what other orders of layers are worth, for networks with branches.

\b
Example:
  chipweave bench orders --out docs/results
"""

Folder = Annotated[
    str, typer.Option("--out", metavar="DIR", help="A folder; made if it is not there.")
]


def bench_orders(out: Folder = "docs/results", tries: Tries = 60) -> None:
    from experiments.ordering import orders_page

    with live("bench orders") as status:
        page = orders_page(status.watch, tries)
    write_results(page, f"chipweave bench orders --out {out}", out)
