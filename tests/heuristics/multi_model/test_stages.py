"""Stages of one model: the dynamic program against all ways to cut, and the kernel's costs."""

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from heuristics.multi_model.stages import ENERGY, LATENCY, PERIOD, divide
from heuristics.multi_model.tables import job_tables, price
from instances.cost.jobs import WorkloadCosts
from instances.generate_workload import random_workload
from schedules.windows.evaluate import evaluate_run
from schedules.windows.schedule import Run, Stage


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), pipelined=st.booleans())
def test_stages_are_the_best_of_all_cuts_and_cost_what_the_evaluator_says(
    seed: int, pipelined: bool
) -> None:
    workload = random_workload(seed, models=1, layers=6, batch=12)
    costs = WorkloadCosts(workload)
    tables, (job,) = job_tables(costs.jobs[0]), workload.jobs
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, min(4, job.units) + 1))
    tiles = rng.permutation(4)[:count]
    n = int(rng.integers(0, len(job.mini_batches)))
    each = []
    for inner in combinations(range(1, job.units), count - 1):
        cuts = (0, *inner, job.units)
        places = [costs.package.tiles[tile] for tile in tiles]
        stages = [Stage(a, b - 1, tile) for a, b, tile in zip(cuts, cuts[1:], places, strict=False)]
        found = evaluate_run(costs, Run(0, job.mini_batches[n], tuple(stages)), pipelined)
        own = price(tables, n, tiles, np.array(cuts), pipelined)
        assert own == (found.latency, found.rounds * found.beat, found.energy)
        each.append(own)
    for aim, at in ((LATENCY, 0), (PERIOD, 1), (ENERGY, 2)):
        cuts_found = divide(tables, n, tiles, (0, job.units), aim, pipelined)
        assert cuts_found[0] == 0
        assert cuts_found[-1] == job.units
        assert price(tables, n, tiles, cuts_found, pipelined)[at] == min(own[at] for own in each)


def test_units_in_the_middle_are_cut_with_handovers_to_dram_at_both_ends() -> None:
    costs = WorkloadCosts(random_workload(6, models=1, layers=12, batch=4))
    tables, units = job_tables(costs.jobs[0]), costs.workload.jobs[0].units
    assert units >= 5  # the middle has several cuts
    span = 1, units - 1
    cuts = divide(tables, 0, np.array([2, 0]), span, LATENCY, True)
    each = [
        price(tables, 0, np.array([2, 0]), np.array([1, cut, units - 1]), True)[0]
        for cut in range(2, units - 1)
    ]
    assert price(tables, 0, np.array([2, 0]), cuts, True)[0] == min(each)
