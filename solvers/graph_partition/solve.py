"""One call for all methods that divide a graph of operators."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from instances.graph import ORDERS, OperatorGraph, Order
from schedules.partition.evaluate import evaluate_partition
from schedules.partition.partition import Partition
from schedules.partition.progress import PartitionProgress
from schedules.progress import TracePoint
from solvers.graph_partition.result import PartitionResult
from solvers.methods import NamedMethod, RunOptions, run_method

GRAPH_METHODS: dict[str, NamedMethod] = {
    "split": NamedMethod(
        "heuristics.graph_partition.orders:split",
        "Cut several topological orders, each as well as possible.",
    ),
    "exact": NamedMethod(
        "solvers.graph_partition.exact:exact",
        "Prove the best: by ideals where they are few, otherwise by CP-SAT.",
        ("numba", "ortools"),
    ),
    "ideals": NamedMethod(
        "solvers.graph_partition.exact:ideals",
        "Prove the best ordered division by a dynamic program over ideals.",
    ),
    "cpsat": NamedMethod(
        "solvers.graph_partition.models:solve_models",
        "Solve the model with CP-SAT, and prove it.",
        ("numba", "ortools"),
        "cpsat",
    ),
    "milp": NamedMethod(
        "solvers.graph_partition.models:solve_models",
        "Solve the model with a MILP engine, and prove it.",
        models="milp",
    ),
    "enumerate": NamedMethod(
        "solvers.graph_partition.enumeration:enumerate_partitions", "The best of all divisions.", ()
    ),
}
"""Method's name -> method."""


def solve_graph(  # noqa: PLR0913 - the one call that everything goes through
    graph: OperatorGraph,
    method: str = "exact",
    *,
    order: Order = "ordered",
    engine: str | None = None,
    start: Partition | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    workers: int | None = None,
    listener: Callable[[TracePoint], None] | None = None,
) -> PartitionResult:
    """Divide a graph among devices, with the least largest load.

    Args:
        graph: of operators, and the devices.
        method: one of GRAPH_METHODS.
        order: which divisions are allowed: ordered, convex or free.
        engine: for cpsat and milp, one of `solvers.engines.ENGINES`; the best that is here by
            default.
        start: for cpsat and milp, a division to start from; that of `split` by default.
        time_limit: wall seconds after which the method returns its best.
        seed: for methods that draw random numbers.
        workers: threads; all cores by default.
        listener: called at every improvement of incumbent or bound.

    Returns:
        The result; its division is verified and its objective recomputed. Ctrl-C ends the run with
        the best division so far and stop 'interrupted'.

    Raises:
        ValueError: an unknown method or order, an argument out of its range, one that the method
            cannot heed, or a graph that is too large for it.
        RuntimeError: an engine failed, or a model was found to be wrong.
    """
    if order not in ORDERS:
        raise ValueError(f"unknown order {order!r}: choose one of {', '.join(ORDERS)}")
    ran, progress = run_method(
        GRAPH_METHODS,
        method,
        lambda: PartitionProgress(graph, order, time_limit, listener),
        _warm_up,
        engine=engine,
        start=start,
        time_limit=time_limit,
        seed=seed,
        workers=workers,
    )
    best = progress.best
    return PartitionResult(
        **vars(ran),
        graph=graph,
        order=order,
        schedule=best,
        evaluation=None if best is None else evaluate_partition(graph, best),
    )


@cache
def _warm_up(method: str) -> None:
    """Load the kernels on a toy, before the clock starts."""
    if method == "enumerate":
        return
    from instances.generate_graph import random_graph

    toy = PartitionProgress(random_graph(0))
    name = "split" if GRAPH_METHODS[method].models is not None else "ideals"
    GRAPH_METHODS[name].load()(toy, RunOptions())
