"""Cycles of SCALE-Sim's array against ours: the products, their count, and the page."""

from __future__ import annotations

import sys
from dataclasses import replace
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweave.inputs import find_package, instance
from experiments.scalesim_costs import (
    Compared,
    Product,
    Systolic,
    compared,
    product_of,
    systolic_of,
)
from experiments.scalesim_page import scalesim_page
from experiments.tables.parts import Table
from instances.cost.facts import ISP, WSP
from instances.cost.given import shares
from instances.instance import Instance


def alexnet(network: str = "alexnet") -> Instance:
    return instance(network, "simba-4x4", batch=4)


def by_formula(given: Instance) -> Compared:
    """A comparison whose products were not simulated but counted."""
    array = Systolic(32, 32)
    layers, options = len(given.layers), len(given.options)
    compute = np.zeros((layers, options, given.chiplets), dtype=np.int64)
    assert given.network is not None
    assert given.package is not None
    for share in shares(given.network, given.package, (ISP, WSP)):
        product, groups = product_of(given.network.layers[share.layer], share)
        array.known[product] = array.by_formula(product)
        cycles = groups * array.known[product]
        compute[share.layer, share.option, share.chiplets - 1] = cycles
    compute[:, 2] = compute[:, WSP]
    return Compared(given, array, range(1, given.chiplets + 1), compute)


@pytest.mark.parametrize("network", ["alexnet", "mobilenet_v2", "hand-tracking", "gpt2"])
def test_products_on_one_chiplet_have_the_work_of_their_layers(network: str) -> None:
    given = alexnet(network)
    assert given.network is not None
    assert given.package is not None
    for share in shares(given.network, given.package, (ISP,)):
        if share.chiplets == 1:
            layer = given.network.layers[share.layer]
            product, groups = product_of(layer, share)
            assert groups * prod(product) == layer.macs


@given(
    sides=st.sampled_from([(4, 4), (4, 8), (8, 4)]),
    product=st.builds(Product, *(st.integers(1, 40) for _ in range(3))),
)
@settings(max_examples=25)
def test_the_simulated_array_takes_what_the_page_says(
    sides: tuple[int, int], product: Product
) -> None:
    pytest.importorskip("scalesim")
    array = Systolic(*sides)
    assert array.cycles(product) == array.by_formula(product)


def test_all_regions_are_filled_from_the_simulated_ones() -> None:
    pytest.importorskip("scalesim")
    given = instance("res8-narrow", "simba-4x4")
    found = compared(given, [4])
    assert found.sizes == [1, 4]
    assert (found.compute > 0).all()
    for c in (1, 2):
        np.testing.assert_array_equal(found.compute[..., c], found.compute[..., 0])
    np.testing.assert_array_equal(found.compute[..., 15], found.compute[..., 3])
    every = by_formula(given).compute
    np.testing.assert_array_equal(found.compute[..., [0, 3]], every[..., [0, 3]])


def test_the_ratio_of_a_layer_is_that_of_its_two_reasons() -> None:
    layers, _, schedules = (
        part for part in scalesim_page(by_formula(alexnet())).parts if isinstance(part, Table)
    )
    assert len(layers.rows) == 8
    for _, ours, theirs, ratio, packing, filling in layers.rows:
        assert ratio == pytest.approx(theirs / ours)  # type: ignore[operator]
        assert ratio == pytest.approx(packing * filling)  # type: ignore[operator]
    (_, _, best, other), (_, _, worse, least) = schedules.rows
    assert best <= worse  # type: ignore[operator]
    assert least <= other  # type: ignore[operator]


def test_arrays_of_another_kind_and_products_without_end_are_refused() -> None:
    package = find_package("simba-4x4")
    stationary = replace(package.chiplet, dataflow="output-stationary")
    with pytest.raises(ValueError, match="expected weight-stationary"):
        systolic_of(replace(package, chiplet=stationary))
    with pytest.raises(ValueError, match="would take more than"):
        Systolic(32, 32).cycles(Product(10**6, 10**4, 10**4))


def test_without_scalesim_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("layout_utils", "scale_config", "single_layer_sim", "topology_utils"):
        monkeypatch.setitem(sys.modules, f"scalesim.{module}", None)
    with pytest.raises(ImportError, match=r"pip install 'chipweave\[scalesim\]'"):
        Systolic(4, 4).cycles(Product(1, 1, 1))
