"""How often methods that prove disagree with plain enumeration on random graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice, pairwise

from experiments.agreement import Answer, agreement_measures, answer
from experiments.bars import Measure
from instances.generate_graph import random_graph
from instances.graph import ORDERS, OperatorGraph, Order
from solvers.graph_partition import solve_graph

METHODS = ("exact", "ideals", "cpsat", "milp")

MOST = 20_000
"""Divisions of a graph that enumeration tries, at most; graphs with more are left out."""


@dataclass(frozen=True)
class Comparison:
    """One graph and one class of divisions.

    Attributes:
        graph: random.
        order: the class.
        optimum: ticks, as enumeration finds; None where there is no division.
        found: by method, what it says.
    """

    graph: OperatorGraph
    order: Order
    optimum: int | None
    found: dict[str, Answer]


def graphs(number: int) -> Iterator[OperatorGraph]:
    """As many random graphs that are small enough: the first ones, by seed."""
    small = (g for g in map(random_graph, count()) if g.devices ** len(g.classes) <= MOST)
    return islice(small, number)


def comparisons(
    number: int,
    methods: Sequence[str] = METHODS,
    watch: Callable[[str], object] | None = None,
) -> Iterator[Comparison]:
    """Random graphs of up to 7 forward classes on up to 4 devices, all three classes of divisions.

    Args:
        number: of graphs.
        methods: that prove.
        watch: called with what is compared.
    """
    for graph in graphs(number):
        for order in ORDERS:
            if watch is not None:
                watch(f"{graph.name}: {len(graph.nodes)} nodes, {order}")
            optimum = solve_graph(graph, "enumerate", order=order, workers=1).objective
            able = [name for name in methods if name != "ideals" or order == "ordered"]
            found = {
                method: answer(solve_graph(graph, method, order=order, workers=1, time_limit=60))
                for method in able
            }
            yield Comparison(graph, order, optimum, found)


def graph_measures(found: Sequence[Comparison]) -> list[Measure]:
    """By method: how many comparisons are wrong, and how many it left open."""
    graphs = list({own.graph.name: own.graph for own in found}.values())
    training = sum(any(node.backward for node in graph.nodes) for graph in graphs)
    optima = {(own.graph.name, own.order): own.optimum for own in found}
    gains = [
        sum(optima[graph.name, order] != optima[graph.name, other] for graph in graphs)
        for order, other in pairwise(ORDERS)
    ]
    impossible = sum(own.optimum is None for own in found)
    with_cpus = sum(graph.cpus > 0 for graph in graphs)
    note = (
        f"{len(graphs)} graphs x {len(ORDERS)} classes; {training} of training, {with_cpus} with"
        f" CPUs; {impossible} impossible; convex beats ordered in {gains[0]}, free convex in"
        f" {gains[1]}"
    )
    return agreement_measures(found, note)
