"""Costs on demand are those of the tables, entry by entry, and take no tables to be told."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instances.cost import build_tables, make_instance
from instances.cost.cuts import cut_positions
from instances.cost.rates import at_rate
from instances.instance import Instance
from instances.jit import compiled
from instances.network import Layer, Network, Shape
from instances.networks import build_network
from instances.package import Package
from instances.packages import load_package
from instances.stages import (
    StageCosts,
    arrival,
    departure,
    dram,
    drams,
    entry,
    loading,
    momentary,
    resident,
    sending,
    stage_costs,
    step,
)
from schedules.evaluate import evaluate
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations


def random_network(seed: int) -> Network:
    """A DAG: tensors of several roles, from outside, skipping layers, leaving early."""
    draw = Random(seed)
    extent = draw.choice([4, 30])

    def shape() -> Shape:
        return draw.randint(1, 2 * extent), draw.randint(1, extent), draw.randint(1, extent)

    inputs = {f"in{k}": shape() for k in range(draw.randint(1, 3))}
    known = dict(inputs)
    layers: list[Layer] = []
    for index in range(draw.randint(2, 8)):
        read = draw.sample(sorted(known), min(len(known), draw.randint(1, 4)))
        matmul = len(read) > 1 and draw.random() < 0.3
        cut = draw.randint(1, len(read) - 1 if matmul else len(read))
        again = draw.sample(read, draw.randint(0, 1))
        depth = sum(known[name][0] for name in read[:cut])
        groups = draw.choice([1, 1, depth])
        made = {f"t{index}.{k}": shape() for k in range(draw.randint(1, 2))}
        layers.append(
            Layer(
                name=f"layer{index}",
                kind="matmul" if matmul else draw.choice(["conv", "conv", "deconv", "fc"]),
                channels=groups * draw.randint(1, 40),
                depth=depth,
                positions=(draw.randint(1, extent), draw.randint(1, extent)),
                kernel=(draw.randint(1, 4), draw.randint(1, 4)),
                stride=(draw.randint(1, 3), draw.randint(1, 3)),
                groups=groups,
                inputs=tuple(read[:cut]),
                operands=tuple(read[cut : cut + 1] if matmul else ()),
                addends=tuple(read[cut + matmul :] + again),
                outputs=tuple(made.items()),
            )
        )
        known |= made
    names = sorted(set(known) - set(inputs))
    results = draw.sample(names, draw.randint(0, min(3, len(names))))
    return Network(f"random-{seed}", tuple(inputs.items()), tuple(layers), tuple(results))


def packages() -> Iterator[Package]:
    """Both dataflows, overlapped or not, round constants and awkward ones."""
    simba = load_package("simba-4x4")
    yield replace(simba, chiplet=replace(simba.chiplet, buffer_bytes=20_000))
    still = replace(simba.chiplet, dataflow="output-stationary", array=(5, 3), buffer_bytes=9999)
    yield replace(simba, name="output-stationary", mesh=(3, 5), overlap=False, chiplet=still)
    yield replace(
        simba,
        name="awkward",
        mesh=(7, 2),
        element_bytes=3,
        overlap=False,
        chiplet=replace(simba.chiplet, clock_hz=999_999_937, buffer_bytes=100_003, array=(7, 11)),
        nop=replace(simba.nop, bandwidth=99_999_999_977, hop_ns=33.3331),
        dram=replace(simba.dram, ports=3, bandwidth=63_999_999_979),
    )


PACKAGES = list(packages())


@compiled
def differences(one: StageCosts, other: StageCosts) -> int:
    """How many entries of all accessors two sources disagree on."""
    count, wrong = one.alone.shape[0], 0
    for n in range(1, one.chiplets + 1):
        for first in range(count):
            for option in range(one.options):
                wrong += entry(one, first, option, n) != entry(other, first, option, n)
                wrong += sending(one, first, option, n) != sending(other, first, option, n)
                wrong += resident(one, first, option, n) != resident(other, first, option, n)
                for before in range(one.options):
                    known = step(one, first, before, option, n)
                    wrong += known != step(other, first, before, option, n)
            for last in range(first, count):
                wrong += departure(one, first, last, n) != departure(other, first, last, n)
                for option in range(one.options):
                    known = arrival(one, first, last, option, n)
                    wrong += known != arrival(other, first, last, option, n)
                    known = momentary(one, first, last, option, n)
                    wrong += known != momentary(other, first, last, option, n)
    for first in range(count):
        for last in range(first, count):
            wrong += dram(one, first, last) != dram(other, first, last)
            wrong += drams(one, first, count - 1)[last - first] != dram(other, first, last)
            wrong += loading(one, first, last) != loading(other, first, last)
        wrong += one.alone[first] != other.alone[first]
    return wrong


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_cost_on_demand_is_the_one_in_the_tables(package: Package) -> None:
    for seed in range(60):
        network = random_network(seed)
        lazy = make_instance(network, package, 4)
        asked = stage_costs(lazy.costs)
        assert not asked.dense
        assert asked.capacity == package.chiplet.buffer_bytes
        assert differences(asked, stage_costs(build_tables(network, package))) == 0, seed
        assert not lazy.costs.has_tables  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["densenet121", "gpt2-decode", "unet"])
def test_built_in_networks_cost_the_same_on_demand(name: str) -> None:
    network, package = build_network(name), load_package("simba-3x2")
    asked = stage_costs(make_instance(network, package, 4).costs)
    dense = stage_costs(build_tables(network, package))
    layers = list(range(0, len(network.layers), 7))
    for first, last in pairwise(layers):
        for n in range(1, 7):
            assert departure(asked, first, last, n) == departure(dense, first, last, n)
            for option in range(3):
                for what in (arrival, momentary):
                    found = what(asked, first, last, option, n)
                    assert found == what(dense, first, last, option, n)
    assert np.array_equal(drams(asked, 0, layers[-1]), drams(dense, 0, layers[-1]))


def test_costs_come_from_the_tables_once_they_are_made() -> None:
    instance = make_instance(build_network("alexnet"), load_package("simba-4x4"), 4)
    assert not stage_costs(instance.costs).dense
    assert instance.tables is instance.tables
    assert stage_costs(instance.costs).dense
    assert replace(instance, batch=8).tables is instance.tables


def random_schedule(instance: Instance, draw: Random) -> Schedule:
    """Any cover of the layers; its clusters may be too large for the buffer."""
    count = len(instance.layers)
    borders = sorted({0, count, *draw.choices(range(1, count), k=draw.randint(0, 3))})
    segments = []
    for begin, end in pairwise(borders):
        cuts = sorted({begin, end, *draw.choices(range(begin, end), k=draw.randint(0, 2))})
        clusters = tuple(
            Cluster(
                first,
                last - 1,
                max(1, instance.chiplets // (len(cuts) - 1) - draw.randint(0, 2)),
                tuple(draw.choices(instance.options, k=last - first)),
            )
            for first, last in pairwise(cuts)
        )
        whole = Cluster(begin, begin, instance.chiplets, instance.options[:1])
        tiled = end == begin + 1 and draw.random() < 0.3
        segments.append(Segment((whole,) if tiled else clusters, tiled))
    return Schedule(tuple(segments))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_schedules_cost_the_same_with_and_without_tables(package: Package) -> None:
    broken = 0
    for seed in range(60):
        network = random_network(seed)
        lazy = make_instance(network, package, 4)
        dense = Instance("dense", 4, build_tables(network, package), network, package)
        for number in range(3):
            plan = random_schedule(lazy, Random(100 * seed + number))
            assert violations(lazy, plan) == violations(dense, plan)
            broken += bool(violations(lazy, plan))
            assert evaluate(lazy, plan) == evaluate(dense, plan)
        assert not lazy.costs.has_tables  # type: ignore[attr-defined]
    assert 0 < broken < 180


@given(
    st.integers(0, 2**62),
    st.integers(1, 2**50),
    st.integers(1, 2**61 - 1),
)
def test_a_rate_is_exact_wherever_its_result_fits(amount: int, numerator: int, below: int) -> None:
    denominator = max(below, amount * numerator // 2**62 + 1)  # so that the result fits
    if denominator < 2**61:
        expected = -(-amount * numerator // denominator)
        assert at_rate(amount, numerator, denominator) == expected


@pytest.mark.parametrize("array", [(1, 1), (3, 2)])
@pytest.mark.parametrize("seed", range(20))
def test_cuts_are_the_best_of_all(array: tuple[int, int], seed: int) -> None:
    draw = Random(seed)
    rows, columns, chiplets = draw.randint(1, 20), draw.randint(1, 20), draw.randint(1, 40)
    slopes, rests = (draw.randint(1, 2), draw.randint(1, 3)), (draw.randint(0, 3), 1)
    cuts = cut_positions((rows, columns), slopes, rests, array, chiplets).tolist()
    assert [cut[0] for cut in cuts] == sorted({cut[0] for cut in cuts})

    def rank(a: int, b: int) -> tuple[int, ...]:
        p, q = -(-rows // a), -(-columns // b)
        tile = (slopes[0] * p + rests[0]) * (slopes[1] * q + rests[1])
        return -(-p // array[0]) * -(-q // array[1]), tile, a, b

    for n in range(1, chiplets + 1):
        pairs = [(a, b) for a in range(1, n + 1) for b in range(1, n // a + 1)]
        _, _, a, b = min(rank(a, b) for a, b in pairs)
        found = [cut for cut in cuts if cut[0] <= n][-1]
        assert found[1:] == [-(-rows // a), -(-columns // b)]


def test_a_large_instance_is_costed_in_a_small_part_of_its_tables_memory() -> None:
    network, package = build_network("gpt-stack-2000"), load_package("simba-32x32")
    make_instance(build_network("gpt-stack-6"), package, 4).costs.stage(0, 5, 4)  # compiles
    tracemalloc.start()
    instance = make_instance(network, package, 16)
    costs = stage_costs(instance.costs)
    plan = Schedule(
        tuple(
            Segment((Cluster(first, first + 3, 1024, ("ISP",) * 4),)) for first in range(0, 2000, 4)
        )
    )
    assert violations(instance, plan) == []
    first = evaluate(instance, plan).segments[0]
    assert first.dram == dram(costs, 0, 3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    step_table = 8 * 2000 * 9 * 1024
    assert peak < step_table / 5


def test_tables_that_would_not_fit_in_memory_are_refused_in_one_line() -> None:
    instance = make_instance(build_network("chain-10000"), load_package("simba-64x64"), 4)
    with pytest.raises(ValueError, match=r"10000 layers on 4096 chiplets would have") as caught:
        _ = instance.tables
    assert "\n" not in str(caught.value)
