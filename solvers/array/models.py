"""The methods `cpsat` and `milp` for arrays: build a model, run an engine, believe nothing.

What an engine reports is checked as in `solvers.models`.
"""

from __future__ import annotations

import time

from formulations.spatial_organization.model import SpatialOrganization
from formulations.spatial_organization.reduction import Reduced, reduced
from instances.cost.array import ArrayCosts
from schedules.array.progress import ArrayProgress
from schedules.array.schedule import ArraySchedule, ArraySegment, Layout
from schedules.array.verify import array_violations
from schedules.progress import Stop
from solvers.array.solve import ARRAY_METHODS, ArrayOptions
from solvers.engines import Settings
from solvers.engines.modellers import modeller_of
from solvers.reports import PlainSearch, Reports

MOST_VARIABLES = 500_000
"""Larger models would take minutes to build, and prove nothing."""

START_SHARE = 0.2
"""Of the time, at most, for the method that finds a start."""


def solve_models(progress: ArrayProgress, options: ArrayOptions) -> Stop:
    """Minimise the latency with a model.

    Raises:
        ValueError: a start that may not run, a model that would be too large, or costs that are
            too large for the engine.
        RuntimeError: the engine fails, or the model is wrong: the evaluator contradicts it.
    """
    engine = options.engine
    assert engine is not None
    _start(progress, options)
    assert progress.best is not None
    if progress.expired:
        return "time-limit"
    try:
        given = reduced(progress.costs, progress.best, lambda: _watch(progress))
    except TimeoutError:
        return "time-limit"
    progress.raise_bound(given.bound)
    progress.count("columns", len(given.columns))
    if progress.proved:
        return "optimal"
    _check_size(progress, given)
    formulation = SpatialOrganization(progress.costs, modeller_of(engine), given)
    formulation.hint(progress.best)
    reports = Reports(engine, PlainSearch(progress, formulation), progress.raise_bound)
    left = progress.remaining
    settings = Settings(
        end=None if left is None else time.perf_counter() + left,
        seed=options.seed,
        workers=options.workers,
    )
    return reports.settle(engine.run(formulation.modeller.model, settings, reports)).stop


def _start(progress: ArrayProgress, options: ArrayOptions) -> None:
    """Begin with the schedule that the user gave; or layer by layer, and with `pipeorgan+`'s."""
    costs, start = progress.costs, options.start
    if start is not None:
        wrong = array_violations(costs, start)
        if wrong:
            raise ValueError(f"the start cannot be used: {wrong[0]}; leave it out")
        progress.offer(start)
        return
    progress.offer(layer_by_layer(costs))
    left = progress.remaining
    own = ArrayProgress(costs, None if left is None else START_SHARE * left)
    ARRAY_METHODS["pipeorgan+"].load()(own, ArrayOptions(seed=options.seed))
    if own.best is not None:
        progress.offer(own.best)


def layer_by_layer(costs: ArrayCosts) -> ArraySchedule:
    """Every layer on the whole array: always a schedule."""
    columns, rows = costs.array.mesh
    layout = Layout((rows,), (columns,))
    return ArraySchedule(
        tuple(ArraySegment(k, k, "positions", 1, layout) for k in range(costs.layers))
    )


def _watch(progress: ArrayProgress) -> None:
    if progress.expired:
        raise TimeoutError


def _check_size(progress: ArrayProgress, given: Reduced) -> None:
    variables = sum(column.variables for column in given.columns)
    progress.count("variables", variables)
    if variables > MOST_VARIABLES:
        raise ValueError(
            f"the network is too large for the models: they would have {variables:,} variables,"
            f" more than {MOST_VARIABLES:,}; use a smaller array, or method exact"
        )
