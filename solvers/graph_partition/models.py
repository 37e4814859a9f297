"""The methods `cpsat` and `milp` for graphs: build a model, run an engine, believe nothing.

What an engine reports is checked as in `solvers.models`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from formulations.graph_partition.ordered import OrderedPartition
from formulations.graph_partition.reduction import Reduced, reduced
from formulations.graph_partition.unordered import UnorderedPartition
from heuristics.graph_partition.orders import split
from schedules.partition.partition import Partition
from schedules.partition.progress import PartitionProgress
from schedules.partition.verify import in_order, partition_violations
from schedules.progress import Stop
from solvers.engines import Settings
from solvers.engines.modellers import modeller_of
from solvers.methods import RunOptions
from solvers.reports import PlainSearch, Reports

if TYPE_CHECKING:
    from solvers.engines.engine import Engine

MOST_VARIABLES = 2_000_000
"""Larger models would take minutes to build, and prove nothing."""

UNITS = 1_000.0
"""The incumbent's load in a MILP's units of time: its numbers stay near 1."""

TIGHT = 1e-9
"""A MILP engine's tolerance, absolute on numbers up to UNITS."""

TOLERANCE = 2e-9
"""By how much a load that a MILP engine proves best may differ from the division's, relatively."""


def solve_models(progress: PartitionProgress, options: RunOptions[Partition]) -> Stop:
    """Minimise the largest load with a model.

    Raises:
        ValueError: a start that may not run, or a model that would be too large.
        RuntimeError: the engine fails, or the model is wrong: the evaluator contradicts it.
    """
    _start(progress, options)
    return search(progress, options) if not progress.expired else "time-limit"


def search(
    progress: PartitionProgress,
    options: RunOptions[Partition],
    cancelled: Callable[[], bool] | None = None,
) -> Stop:
    """Minimise the largest load with a model, from what is known.

    Args:
        progress: of the run.
        options: with an engine.
        cancelled: tells, now and then, whether the search is to end, as interrupted.

    Raises:
        ValueError: a model that would be too large.
        RuntimeError: the engine fails, or the model is wrong.
    """
    engine = options.engine
    assert engine is not None
    given = reduced(progress.graph, progress.order, _most(progress))
    if not all(given.places):
        # No block has a load above what all blocks together have, so it has no device at all.
        assert progress.best is None, "what runs has a place"
        return "infeasible"
    progress.raise_bound(given.bound)
    if progress.proved:
        return "optimal"
    formulation = _formulation(progress, given, engine)
    if progress.best is not None:
        formulation.hint(progress.best)
    reports = Reports(
        engine, PlainSearch(progress, formulation), progress.raise_bound, tolerance=TOLERANCE
    )
    left = progress.remaining
    settings = Settings(
        end=None if left is None else time.perf_counter() + left,
        seed=options.seed,
        workers=options.workers,
        tolerance=TIGHT,
        cancelled=cancelled,
    )
    return reports.settle(engine.run(formulation.modeller.model, settings, reports)).stop


def _start(progress: PartitionProgress, options: RunOptions[Partition]) -> None:
    """Begin with the division that the user gave, or with the best split."""
    start = options.start
    if start is None:
        split(progress, options)
        return
    wrong = partition_violations(progress.graph, start, progress.order)
    if wrong:
        raise ValueError(f"the start cannot be used: {wrong[0]}; leave it out")
    progress.offer(in_order(progress.graph, start) if progress.order == "ordered" else start)


def _most(progress: PartitionProgress) -> int:
    """No load above counts: the incumbent's, or everything at once."""
    if progress.objective is not None:
        return progress.objective
    nodes = progress.graph.nodes
    return sum(max(node.accelerator or 0, node.cpu) + 2 * node.transfer for node in nodes)


def _formulation(
    progress: PartitionProgress, given: Reduced, engine: Engine
) -> OrderedPartition | UnorderedPartition:
    places = sum(map(len, given.places))
    progress.count("variables", places)
    if places > MOST_VARIABLES:
        raise ValueError(
            f"the graph is too large for the models: they would have {places:,} variables, more"
            f" than {MOST_VARIABLES:,}; use method split"
        )
    kind = OrderedPartition if given.order == "ordered" else UnorderedPartition
    unit = 1.0 if engine.kind == "cpsat" else max(1.0, given.most / UNITS)
    return kind(given, modeller_of(engine), unit)
