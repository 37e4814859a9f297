"""The method `exact` for graphs: the dynamic program over ideals, or CP-SAT where it cannot."""

from __future__ import annotations

from dataclasses import replace

from heuristics.graph_partition.crossings import room_of
from heuristics.graph_partition.orders import partition_of, split
from heuristics.graph_partition.split import NEVER
from instances.graph_blocks import Blocks, blocks_of
from schedules.partition.partition import Partition
from schedules.partition.progress import PartitionProgress
from schedules.progress import Stop
from solvers.graph_partition.ideals import best_division
from solvers.graph_partition.lattice import Lattice, lattice_of
from solvers.methods import RunOptions

MOST_IDEALS = 1_000_000
MOST_STEPS = 20_000_000
"""Of a lattice, and all together some 300 MB."""

MOST_STATES = 12_000_000
"""Ideals times numbers of devices, some 150 MB."""


def ideals(progress: PartitionProgress, options: RunOptions[Partition]) -> Stop:
    """The best ordered division by the dynamic program.

    Raises:
        ValueError: another class of divisions, or too many ideals.
    """
    if progress.order != "ordered":
        raise ValueError(
            f"ideals give ordered divisions, not {progress.order} ones: use method exact, cpsat or"
            " milp"
        )
    split(progress, options)
    blocks = blocks_of(progress.graph, "ordered")
    lattice = _lattice(progress, blocks)
    if lattice is None:
        raise ValueError(
            f"graph {progress.graph.name!r} has more than {MOST_IDEALS:,} ideals, too many for"
            " this method: use exact, cpsat or milp"
        )
    return _divide(progress, blocks, lattice)


def exact(progress: PartitionProgress, options: RunOptions[Partition]) -> Stop:
    """The best division: by ideals where it is to be ordered and they are few, or by CP-SAT."""
    split(progress, options)
    if progress.expired:
        return "time-limit"
    if progress.order == "ordered":
        blocks = blocks_of(progress.graph, "ordered")
        lattice = _lattice(progress, blocks)
        if lattice is not None:
            return _divide(progress, blocks, lattice)
    from solvers.engines import choose
    from solvers.graph_partition.models import search

    return search(progress, replace(options, engine=choose("cpsat", None)[0]))


def _lattice(progress: PartitionProgress, blocks: Blocks) -> Lattice | None:
    graph = progress.graph
    states = (graph.accelerators + 1) * (graph.cpus + 1)
    return lattice_of(blocks, min(MOST_IDEALS, MOST_STATES // states), MOST_STEPS)


def _divide(progress: PartitionProgress, blocks: Blocks, lattice: Lattice) -> Stop:
    graph = progress.graph
    progress.count("ideals", lattice.ideals)
    bar = NEVER if progress.objective is None else progress.objective

    def watch() -> None:
        if progress.expired:
            raise TimeoutError

    try:
        found = best_division(blocks, lattice, room_of(graph), bar, watch)
    except TimeoutError:
        return "time-limit"
    progress.count("steps", found.steps)
    if found.pieces:
        progress.offer(partition_of(graph, blocks, found.pieces))
    if progress.objective is None:
        return "infeasible"
    progress.raise_bound(progress.objective)
    return "optimal"
