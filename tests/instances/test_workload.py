"""Jobs and their units; workloads."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instances.networks import build_network
from instances.packages import load_package
from instances.workload import GRAINS, Job, Workload, job

RESNET, GPT2 = build_network("resnet50"), build_network("gpt2", sequence=8)


def test_blocks_are_layers_in_a_row_with_one_name_up_to_the_last_dot() -> None:
    own = job(RESNET, 2)
    assert own.unit_names[:4] == ("conv1", "layer1.0", "layer1.1", "layer1.2")
    assert own.unit_names[-2:] == ("layer4.2", "fc")
    assert own.units == 1 + 3 + 4 + 6 + 3 + 1
    assert job(GPT2, 1).unit_names == (*(f"block{n}" for n in range(12)), "lm_head")


def test_stages_go_up_to_the_first_dot_and_layers_are_alone() -> None:
    stages = job(RESNET, 2, "stage")
    assert stages.unit_names == ("conv1", "layer1", "layer2", "layer3", "layer4", "fc")
    layers = job(RESNET, 2, "layer")
    assert layers.unit_names == tuple(layer.name for layer in RESNET.layers)
    assert layers.cuts == tuple(range(len(RESNET.layers)))


def test_units_without_a_common_name_have_those_of_their_ends() -> None:
    own = Job(RESNET, 1, (0, 5))
    first, last = RESNET.layers[0].name, RESNET.layers[4].name
    assert own.unit_names[0] == f"{first}..{last}"


@given(st.integers(1, 10_000))
def test_mini_batches_are_the_divisors_of_the_batch(batch: int) -> None:
    divisors = tuple(n for n in range(1, batch + 1) if batch % n == 0)
    assert job(GPT2, batch).mini_batches == divisors


def test_a_huge_batch_has_its_divisors_at_once() -> None:
    assert len(job(GPT2, 10**9).mini_batches) == 100


@pytest.mark.parametrize("cuts", [(), (1,), (0, 3, 3), (0, 4, 2), (0, 54)])
def test_units_that_do_not_cut_the_network_into_intervals_are_refused(
    cuts: tuple[int, ...],
) -> None:
    assert len(RESNET.layers) == 54
    with pytest.raises(ValueError, match=r"resnet50: (the first unit|units .* do not ascend)"):
        Job(RESNET, 1, cuts)


def test_a_batch_below_one_and_an_unknown_grain_are_refused() -> None:
    with pytest.raises(ValueError, match="resnet50: batch 0 is not at least 1"):
        job(RESNET, 0)
    with pytest.raises(ValueError, match="unknown grain 'blocks': choose one of layer, block"):
        job(RESNET, 1, "blocks")  # type: ignore[arg-type]
    assert GRAINS == ("layer", "block", "stage")


def test_a_workload_needs_models_and_a_package_that_adds_up() -> None:
    with pytest.raises(ValueError, match="workload 'empty' has no models"):
        Workload("empty", load_package("het-2x2"), ())
    with pytest.raises(ValueError, match="'simba-4x4' overlaps communication with computation"):
        Workload("hidden", load_package("simba-4x4"), (job(GPT2, 1),))


def test_a_package_too_large_for_costs_by_pairs_is_refused() -> None:
    package = load_package("het-2x2")
    own = (job(build_network("chain-2"), 1),)
    assert Workload("large", replace(package, mesh=(32, 32)), own).package.chiplets == 1024
    with pytest.raises(ValueError, match="1,056 chiplets, expected at most 1,024"):
        Workload("too large", replace(package, mesh=(33, 32)), own)
