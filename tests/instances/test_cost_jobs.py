"""Costs of stages on single chiplets, worked out by hand for the workload of `make_workload`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from instances.cost.jobs import JobCosts, MiniBatchCosts, PackageCosts, WorkloadCosts
from instances.generate_workload import random_workload
from instances.networks import build_network
from instances.packages import load_package
from instances.workload import Workload, job

MakeWorkload = Callable[..., Workload]

LEFT, MIDDLE, RIGHT = range(3)


def stages(workload: Workload, mini_batch: int = 2) -> MiniBatchCosts:
    return WorkloadCosts(workload).jobs[0].stages(mini_batch)


def test_the_package_has_hops_kinds_and_leakage(make_workload: MakeWorkload) -> None:
    costs = PackageCosts(make_workload().package)
    assert costs.tiles == ((0, 0), (1, 0), (2, 0))
    assert costs.hops.tolist() == [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    assert costs.port_hops.tolist() == [0, 1, 0]
    assert [costs.kinds[k].dataflow[0] for k in costs.kind] == ["w", "o", "w"]
    assert costs.leakage == 3


def test_transfers_take_bytes_and_ways_and_nothing_takes_nothing(
    make_workload: MakeWorkload,
) -> None:
    costs = PackageCosts(make_workload().package)
    amounts, hops = np.array([0, 5, 5]), np.array([2, 0, 2])
    assert costs.hop_cycles(amounts, hops).tolist() == [0, 5, 5 + 4]
    assert costs.dram_cycles(amounts, hops).tolist() == [0, 10 + 10, 10 + 10 + 4]
    assert costs.hop_energy(amounts, hops).tolist() == [0, 0, 5 * 8 * 2]
    assert costs.dram_energy(amounts, hops).tolist() == [0, 5 * 8 * 2, 5 * 8 * (2 + 2)]


def test_bytes_over_a_bandwidth_are_rounded_up() -> None:
    costs = PackageCosts(load_package("het-2x2"))
    assert costs.hop_cycles(np.array([201]), np.array([0])).tolist() == [2], "200 bytes a cycle"
    assert costs.dram_cycles(np.array([129]), np.array([0])).tolist() == [2 + 100]


def test_kept_weights_are_loaded_once_and_streamed_ones_with_each_mini_batch(
    make_workload: MakeWorkload,
) -> None:
    kept, streamed = stages(make_workload(buffer=21)), stages(make_workload(buffer=20))
    work, arrives, leaves, weights = 2 * (12 + 6), 2 * 8 + 10, 2 * 4 + 10, 2 * 9 + 10
    assert kept.load[LEFT, 0, 1] == weights
    assert kept.time[LEFT, 0, 1] == work + arrives + leaves
    # Two samples of layer b's 12 bytes do not fit, those of layer a's 10 do.
    spilled = 2 * (2 * 12) + 10
    assert streamed.load[LEFT, 0, 1] == 0
    assert streamed.time[LEFT, 0, 1] == work + arrives + leaves + weights + spilled
    bits, samples = 8 * 2, 4
    assert kept.energy[LEFT, 0, 1] == samples * 18 + bits * (9 + samples * (4 + 2))
    rounds = 2
    assert kept.rounds == streamed.rounds == rounds
    moved = rounds * 9 + samples * (4 + 2 + 12)
    assert streamed.energy[LEFT, 0, 1] == samples * 18 + bits * moved


def test_a_part_of_the_units_may_be_kept_where_all_are_not(make_workload: MakeWorkload) -> None:
    found = stages(make_workload(buffer=20))
    assert found.load[LEFT].tolist() == [[2 * 6 + 10, 0], [0, 2 * 3 + 10]]
    assert found.time[LEFT, 0, 0] == 2 * 12 + (2 * 8 + 10)
    assert found.time[LEFT, 1, 1] == 2 * 6 + (2 * 4 + 10)


def test_a_smaller_mini_batch_spills_nothing(make_workload: MakeWorkload) -> None:
    found = stages(make_workload(buffer=20), mini_batch=1)
    assert found.rounds == 4
    expected = 18 + (2 * 4 + 10) + (2 * 2 + 10) + (2 * 9 + 10)
    assert found.time[LEFT, 0, 1] == expected


def test_a_unit_of_both_layers_counts_what_either_spills(make_workload: MakeWorkload) -> None:
    found = stages(make_workload(buffer=19, cuts=(0,)))
    assert found.time.shape == (3, 1, 1)
    spilled = 2 * 2 * (10 + 12) + 10
    expected = 36 + (2 * 8 + 10) + (2 * 4 + 10) + (2 * 9 + 10) + spilled
    assert found.time[LEFT, 0, 0] == expected
    assert not found.dram.any()


def test_the_middle_chiplet_computes_faster_and_is_a_hop_from_the_ports(
    make_workload: MakeWorkload,
) -> None:
    found = stages(make_workload())
    hop = 2
    assert found.load[MIDDLE, 0, 1] == 2 * 9 + 10 + hop
    # Output-stationary, 2 x 2: both positions at once, one output channel after the other.
    work = 2 * (3 * 2 + 1 * 3)
    assert found.time[MIDDLE, 0, 1] == work + (2 * 8 + 10 + hop) + (2 * 4 + 10 + hop)
    assert found.energy[MIDDLE, 0, 1] == 4 * 18 + 8 * (2 + 1) * (9 + 4 * (4 + 2))


@pytest.mark.parametrize(("skip", "live"), [(True, 6 + 4), (False, 6)])
def test_what_is_live_across_a_cut_is_handed_over(
    make_workload: MakeWorkload, skip: bool, live: int
) -> None:
    found = stages(make_workload(skip=skip))
    assert found.dram.tolist() == [[0, 4 * live + wait, 0] for wait in (10, 12, 10)]
    assert found.dram_energy[:, 1].tolist() == [8 * each * 4 * live for each in (2, 3, 2)]
    assert found.hop[LEFT, :, 1].tolist() == [2 * live, 2 * live + 2, 2 * live + 4]
    assert found.hop[:, :, 1].tolist() == found.hop[:, :, 1].T.tolist()
    assert found.hop_energy[LEFT, :, 1].tolist() == [0, 8 * 4 * live, 8 * 2 * 4 * live]
    assert not found.hop[:, :, [0, 2]].any()


def test_a_result_in_the_middle_leaves_through_dram_and_stays_live(
    make_workload: MakeWorkload,
) -> None:
    plain, found = stages(make_workload()), stages(make_workload(results=("a", "b")))
    leaves = 2 * (2 * 6) + 10
    assert found.time[LEFT, 0, 0] == plain.time[LEFT, 0, 0] + leaves
    both = 2 * 2 * (6 + 2) + 10
    assert found.time[LEFT, 0, 1] == plain.time[LEFT, 0, 1] - (2 * 4 + 10) + both
    assert (found.dram == plain.dram).all()


def test_units_sum_up_their_layers() -> None:
    """A stage costs the same however finely its layers are cut into units."""
    network, package = build_network("resnet18"), load_package("het-2x2")
    grains = [job(network, 6, "layer"), job(network, 6, "block"), job(network, 6, "stage")]
    for mini_batch in (1, 3):
        found = [JobCosts(own, PackageCosts(package)).stages(mini_batch) for own in grains]
        for table in ("time", "load", "energy"):
            whole = [getattr(own, table)[:, 0, -1].tolist() for own in found]
            assert whole[0] == whole[1] == whole[2], table
        fine, coarse = found[0], found[1]
        assert (coarse.dram == fine.dram[:, [*grains[1].cuts, len(network.layers)]]).all()


@pytest.mark.parametrize("seed", range(20))
def test_costs_of_random_workloads_are_never_negative_and_rise_with_the_units_of_a_stage(
    seed: int,
) -> None:
    costs = WorkloadCosts(random_workload(seed, models=1, layers=5))
    (own,) = costs.jobs
    for mini_batch in own.job.mini_batches:
        found = own.stages(mini_batch)
        for table in (found.time, found.load, found.energy, found.dram, found.hop):
            assert (table >= 0).all()
        whole = found.time + found.load
        for first in range(own.job.units):
            for table in (whole, found.energy):
                assert (np.diff(table[:, first, first:], axis=1) > 0).all()
    assert (own.live[[0, -1]] == 0).all()


def test_what_does_not_fit_in_64_bits_is_refused(make_workload: MakeWorkload) -> None:
    with pytest.raises(ValueError, match="costs that do not fit in 64 bits: lower the batch"):
        WorkloadCosts(make_workload(batch=2**60))
    workload = make_workload(batch=10**9)
    odd = replace(workload.package.nop, bandwidth=999_999_999_999_989)
    package = replace(workload.package, nop=odd)
    slow = replace(workload, package=package)
    with pytest.raises(ValueError, match="take rounder bandwidths"):
        WorkloadCosts(slow)
