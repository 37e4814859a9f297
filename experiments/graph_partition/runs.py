"""Runs of methods on large graphs, each in a process of its own, whose memory is measured."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from experiments.bars import Measure
from instances.graph import OperatorGraph, Order
from instances.graph_blocks import blocks_of
from instances.graph_of_network import Detail, graph_of
from instances.networks import build_network
from solvers.graph_partition import solve_graph

SECONDS, BYTES = 60.0, 1e9
"""Bars: what a proof may take of time and memory."""

Watch = Callable[[str], object]


@dataclass(frozen=True)
class Case:
    """A graph made from a built-in network, as `instances.graph_of_network` makes it.

    Attributes:
        network, detail, training, accelerators, cpus, room: its arguments.
    """

    network: str
    detail: Detail
    training: bool
    accelerators: int
    cpus: int
    room: float

    def graph(self) -> OperatorGraph:
        """The graph."""
        return graph_of(
            build_network(self.network),
            detail=self.detail,
            training=self.training,
            accelerators=self.accelerators,
            cpus=self.cpus,
            room=self.room,
        )


LOOSE, TIGHT = 4.0, 1.1
"""Memory of all accelerators, in multiples of what a graph takes."""

GRAPHS: tuple[tuple[str, Detail, int, int], ...] = (
    ("inception_v3", "layers", 6, 1),
    ("inception_v3", "operators", 3, 1),
    ("inception_v3", "operators", 6, 1),
    ("googlenet", "operators", 4, 2),
    ("densenet121", "operators", 6, 1),
    ("resnet152", "operators", 8, 1),
    ("gpt2", "operators", 6, 0),
    ("gpt2-large", "operators", 6, 1),
)
"""Networks, what is a node, accelerators and CPUs."""

CASES = tuple(
    Case(network, detail, training, accelerators, cpus, room)
    for network, detail, accelerators, cpus in GRAPHS
    for training in (False, True)
    for room in (LOOSE, TIGHT)
)


@dataclass(frozen=True)
class Run:
    """One method on one graph.

    Attributes:
        nodes, blocks: of the graph; what is placed by itself.
        stop, objective, bound, seconds: of the result, times in the graph's unit.
        ideals: that were counted, None if none were.
        held: bytes, the most that the process held.
    """

    nodes: int
    blocks: int
    stop: str
    objective: float | None
    bound: float | None
    seconds: float
    ideals: int | None
    held: int


def run(graph: OperatorGraph, method: str, order: Order = "ordered") -> Run:
    """Run a method on a graph in a process of its own.

    Raises:
        ValueError: the method refuses the graph.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, graph, method, order).result()


def _run(graph: OperatorGraph, method: str, order: Order) -> Run:
    result = solve_graph(graph, method, order=order, time_limit=2 * SECONDS)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Run(
        len(graph.nodes),
        blocks_of(graph, order).count,
        result.stop,
        result.time,
        None if result.bound is None else graph.time(result.bound),
        result.runtime_s,
        result.counts.get("ideals"),
        most if sys.platform == "darwin" else 1024 * most,
    )


def runs(
    cases: Sequence[Case], methods: Sequence[str], watch: Watch | None = None
) -> Iterator[tuple[Case, dict[str, Run]]]:
    """Methods on graphs made from networks.

    Args:
        cases: the graphs.
        methods: by name.
        watch: called with what is solved.
    """
    for case in cases:
        graph, found = case.graph(), {}
        for method in methods:
            if watch is not None:
                watch(f"{graph.name}: {method}")
            found[method] = run(graph, method)
        yield case, found


def run_measures(found: Sequence[tuple[str, str, Run]]) -> list[Measure]:
    """By graph and method: time and memory of a proof; not known where there is none."""
    measures = []
    for name, method, own in found:
        note = f"{own.stop}, objective {own.objective}"
        proved = own.stop == "optimal"
        time = own.seconds if proved else None
        measures.append(Measure(f"{name}: {method}", time, SECONDS, "s", note))
        held = own.held if proved else None
        measures.append(Measure(f"{name}: {method}, memory", held, BYTES, "bytes", note))
    return measures
