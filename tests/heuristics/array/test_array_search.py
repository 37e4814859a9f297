import numpy as np
import pytest

from heuristics.array.pipeorgan import pipeorgan
from heuristics.array.search import _crossing, _path, guessed, pipeorgan_plus, priced, refined
from heuristics.array.segments import Found, alone
from instances.arrays import load_array
from instances.cost.array import ArrayCosts
from instances.generate_array import random_array_costs
from instances.networks import build_network
from schedules.array.evaluate import evaluate_segment
from schedules.array.progress import ArrayProgress


def _cycles(progress: ArrayProgress) -> int:
    assert progress.objective is not None
    return progress.objective


@pytest.mark.parametrize("seed", range(25))
def test_what_segments_read_and_write_is_what_the_dram_is_asked_for(seed: int) -> None:
    costs = random_array_costs(seed, layers=10)
    tensors = [tensor for tensor in costs.network.tensors if tensor.name not in costs.kept]
    deep = min(costs.array.depth, costs.layers)
    found = _crossing(costs, tensors, deep)
    for first in range(costs.layers):
        for last in range(first + 1, min(costs.layers, first + deep)):
            weights = sum(costs.weights(k) for k in range(first, last + 1))
            data = (costs.dram(first, last) - weights) / costs.batch
            assert found[first, last - first] == data


@pytest.mark.parametrize("seed", range(25))
def test_a_guess_is_infinite_only_where_weights_have_no_room(seed: int) -> None:
    costs = random_array_costs(seed, layers=8)
    guesses = guessed(costs)
    for first in range(costs.layers):
        for more in range(guesses.shape[1]):
            last = first + more
            fits = last < costs.layers and (
                sum(map(costs.stationary, range(first, last + 1))) <= costs.array.buffer_bytes // 2
            )
            assert np.isfinite(guesses[first, more]) == fits


def test_the_path_is_the_shortest() -> None:
    table = np.array([[5.0, 9.0, 20.0], [5.0, 6.0, np.inf], [5.0, np.inf, np.inf]])
    assert _path(table) == [(0, 0), (1, 2)]
    table[0, 1] = 3.0
    assert _path(table) == [(0, 1), (2, 2)]
    table[0, 2] = 1.0
    assert _path(table) == [(0, 2)]


@pytest.mark.parametrize("seed", range(25))
def test_what_was_priced_is_what_the_evaluator_says(seed: int) -> None:
    costs = random_array_costs(seed, layers=6)
    for first in range(costs.layers):
        for last in range(first + 1, min(costs.layers, first + costs.array.depth)):
            found = priced(costs, first, last)
            if found is not None:
                better = refined(costs, found)
                for own in (found, better):
                    assert evaluate_segment(costs, own.segment).cycles == own.cycles
                assert better.cycles <= found.cycles


def test_refining_leaves_a_layer_by_itself_as_it_is() -> None:
    costs = random_array_costs(0)
    found: Found = alone(costs, 0)
    assert refined(costs, found) == found


@pytest.mark.parametrize("seed", range(20))
def test_it_begins_with_the_rules_and_never_ends_worse(seed: int) -> None:
    rules, found = (ArrayProgress(random_array_costs(seed, layers=15, side=8)) for _ in "ab")
    pipeorgan(rules, None)
    pipeorgan_plus(found, None)
    assert found.trace[0].objective == rules.objective
    assert _cycles(found) <= _cycles(rules)


def test_a_budget_limits_what_is_priced() -> None:
    costs = ArrayCosts(build_network("mobilenet_v2"), load_array("32x32"))
    few, many = ArrayProgress(costs), ArrayProgress(costs)
    pipeorgan_plus(few, None, budget=1)
    pipeorgan_plus(many, None, budget=200)
    assert few.counts["segments"] < many.counts["segments"]
    assert few.counts["segments"] < 53
    assert _cycles(many) < _cycles(few)


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "unet"])
def test_pipelining_by_search_beats_layer_by_layer_on_networks_bound_by_memory(name: str) -> None:
    costs = ArrayCosts(build_network(name), load_array("32x32"))
    progress = ArrayProgress(costs)
    pipeorgan_plus(progress, None)
    assert _cycles(progress) < sum(alone(costs, k).cycles for k in range(costs.layers))
