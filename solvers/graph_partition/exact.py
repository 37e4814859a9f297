"""The methods `ideals` and `exact` for graphs: the dynamic program, by itself or beside CP-SAT."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from threading import Event

from heuristics.graph_partition.crossings import room_of
from heuristics.graph_partition.orders import partition_of, split
from heuristics.graph_partition.split import NEVER
from instances.graph_blocks import Blocks, blocks_of
from schedules.partition.partition import Partition
from schedules.partition.progress import PartitionProgress
from schedules.progress import Stop
from solvers.graph_partition.ideals import Division, best_division
from solvers.graph_partition.lattice import Lattice, lattice_of
from solvers.methods import RunOptions

MOST_IDEALS = 1_000_000
MOST_STEPS = 20_000_000
"""Of a lattice, and all together some 300 MB."""

MOST_STATES = 12_000_000
"""Ideals times numbers of devices, some 150 MB."""

HEAD_START = 15.0
"""Seconds that the dynamic program has to itself, before CP-SAT works beside it."""


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
    bar = _bar(progress)
    try:
        found = _divide(progress, blocks, lattice, bar, lambda: False)
    except TimeoutError:
        return "time-limit"
    return _settle(progress, blocks, bar, found)


def exact(progress: PartitionProgress, options: RunOptions[Partition]) -> Stop:
    """The best division: by ideals where it is to be ordered and they are few, or by CP-SAT.

    Where the ideals take long and there is another core, CP-SAT works on it; the first proof ends
    the run.
    """
    split(progress, options)
    if progress.expired:
        return "time-limit"
    lattice = None
    if progress.order == "ordered":
        blocks = blocks_of(progress.graph, "ordered")
        lattice = _lattice(progress, blocks)
    if lattice is None:
        return _search(progress, options)
    bar, stopped = _bar(progress), Event()
    with ThreadPoolExecutor(1) as pool:
        division = pool.submit(_divide, progress, blocks, lattice, bar, stopped.is_set)
        try:
            wait([division], HEAD_START)
            if not division.done() and options.workers > 1:
                # A model that is too large to build is no reason to end the program.
                with suppress(ValueError):
                    beside = replace(options, workers=options.workers - 1)
                    stop = _search(progress, beside, division.done)
                    if not division.done():
                        return stop
            return _settle(progress, blocks, bar, division.result())
        except TimeoutError:
            return "time-limit"
        finally:
            stopped.set()


def _search(
    progress: PartitionProgress,
    options: RunOptions[Partition],
    cancelled: Callable[[], bool] | None = None,
) -> Stop:
    from solvers.engines import choose
    from solvers.graph_partition.models import search

    return search(progress, replace(options, engine=choose("cpsat", None)[0]), cancelled)


def _lattice(progress: PartitionProgress, blocks: Blocks) -> Lattice | None:
    room = room_of(progress.graph)
    states = (room.accelerators + 1) * (room.cpus + 1)
    lattice = lattice_of(blocks, min(MOST_IDEALS, MOST_STATES // states), MOST_STEPS)
    if lattice is not None:
        progress.count("ideals", lattice.ideals)
    return lattice


def _bar(progress: PartitionProgress) -> int:
    """Only loads below are of interest."""
    return NEVER if progress.objective is None else progress.objective


def _divide(
    progress: PartitionProgress,
    blocks: Blocks,
    lattice: Lattice,
    bar: int,
    stopped: Callable[[], bool],
) -> Division:
    """The best division below the bar.

    Raises:
        TimeoutError: the time is up, or it is told to stop.
    """

    def watch() -> None:
        if stopped() or progress.expired:
            raise TimeoutError

    return best_division(blocks, lattice, room_of(progress.graph), bar, watch)


def _settle(progress: PartitionProgress, blocks: Blocks, bar: int, found: Division) -> Stop:
    """What the dynamic program has shown; `bar` is what it was to undercut."""
    progress.count("steps", found.steps)
    if found.pieces:
        progress.offer(partition_of(progress.graph, blocks, found.pieces))
        progress.raise_bound(found.load)
    elif bar == NEVER:
        return "infeasible"
    else:
        progress.raise_bound(bar)
    return "optimal"
