"""The compact model: each constraint family binds, as a CP-SAT and as a MILP model."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pulp
import pytest

from formulations.formulation import Formulation
from formulations.merged_pipeline.compact import FAMILIES, Compact
from formulations.merged_pipeline.compact_ratios import CODING_FAMILIES
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller
from instances.instance import Instance
from instances.tables import Skip
from schedules.goal import Goal, Pin, Weights

MakeInstance = Callable[..., Instance]
Kind = type[CpSatModeller] | type[MilpModeller]
Solved = Callable[[Formulation], int | None]
Flip = Any
"""Of conftest.py: asserts a model's optimum with a family and without it."""

FORMULATION = "compact"
ENERGY = Goal("energy")


def skip(
    producer: int,
    *consumers: int,
    enter: int = 0,
    leave: int = 0,
    hold: int = 0,
    enter_energy: int = 0,
    leave_energy: int = 0,
) -> Skip:
    """A skip tensor for one option and one chiplet."""
    shape = len(consumers), 1, 1
    return Skip(
        "t",
        producer,
        consumers,
        leaves=False,
        enter=np.full(shape, enter),
        leave=np.full(1, leave),
        hold=np.full(1, hold),
        enter_energy=np.full(shape, enter_energy),
        leave_energy=np.full(1, leave_energy),
    )


def with_energy(instance: Instance, leakage: int = 0, **given: Any) -> Instance:
    """The instance with energy tables, each a number or nested lists; zero if not given."""
    tables = instance.tables
    shaped = {
        name: np.broadcast_to(np.array(values), getattr(tables.energy, name).shape)
        for name, values in given.items()
    }
    energy = replace(tables.energy, leakage=leakage, **shaped)
    return replace(instance, tables=replace(tables, energy=energy))


# Each test builds an instance in which one family decides: with it the optimum is the expected one
# (None: infeasible), without it the model promises a better schedule than there is, or any.


of = partial(pytest.mark.parametrize, "family")


def test_every_family_has_a_flip_test(flipped: set[str]) -> None:
    # Those of compression are in test_ratio_families.
    assert flipped == set(FAMILIES) - set(CODING_FAMILIES)


@of(["one_mode"])
def test_one_mode_binds(flips: Flip, make_instance: MakeInstance) -> None:
    # Without it, ISP on one chiplet and WSP on two at once count as less than either.
    sizes = {
        "resident": [[[60, 80, 80], [80, 60, 80]]],
        "working": [[[50, 60, 60], [60, 50, 60]]],
    }
    instance = make_instance([[[10, 10, 10]] * 2], **sizes)
    flips(instance, "horizon", on=None, off=10)


@of(["horizon"])
def test_horizon_bounds_what_the_other_families_leave_open(
    flips: Flip, make_instance: MakeInstance
) -> None:
    instance = make_instance([[[10]]], resident=60, working=60)
    flips(instance, "momentary", on=None, off=10)


@of(["marginals", "package"])
def test_regions_count_against_the_package(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]], [[10]]], resident=60, batch=10)
    flips(instance, "area", on=200, off=110)


@of(["boundaries"])
def test_boundaries_bind(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]]), "area", on=10, off=0)


@of(["one_region"])
def test_one_region_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10, 90]], [[90, 90]]], [[[[90, 10]]]])
    flips(instance, on=100, off=20)


@of(["tiled_alone"])
def test_tiled_alone_binds_to_one_layer(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[50]], [[20]]], [[[[20]]]], alone=[5, -1])
    flips(instance, on=25, off=20)


@of(["tiled_alone"])
def test_tiled_alone_binds_where_no_tile_fits(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], resident=101), on=None, off=10)


@of(["windows"])
def test_windows_bind(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]] * 4, resident=60, skips=(skip(0, 3, enter=30),))
    flips(instance, on=70, off=40)


@of(["receiving"])
def test_receiving_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]] * 3, resident=60, skips=(skip(0, 2, enter=30),))
    flips(instance, on=60, off=30)


@of(["sending"])
def test_sending_binds(flips: Flip, make_instance: MakeInstance) -> None:
    residents = [[[10]], [[10]], [[95]]]
    tensor = skip(0, 2, leave=7)
    instance = make_instance([[[10]]] * 3, resident=residents, skips=(tensor,))
    flips(instance, on=27, off=20)


@of(["stage_time"])
def test_stage_time_binds(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]], [[10]]], [[[[10]]]]), "area", on=20, off=10)


@of(["waiting"])
def test_waiting_binds(flips: Flip, make_instance: MakeInstance) -> None:
    tensor = skip(0, 2, hold=50)
    instance = make_instance([[[100]]] * 3, [[[[1]]]] * 2, working=60, skips=(tensor,))
    flips(instance, on=201, off=102)


@of(["resident"])
def test_resident_binds(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]] * 2, resident=60), on=20, off=10)


@of(["momentary"])
def test_momentary_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]], resident=60, working=60)
    flips(instance, "horizon", on=None, off=10)


@of(["momentary"])
def test_momentary_binds_on_the_largest_layer_of_a_cluster(
    flips: Flip, make_instance: MakeInstance
) -> None:
    sizes = {"working": [[[60]], [[0]]], "resident": [[[0]], [[50]]]}
    flips(make_instance([[[10]]] * 2, **sizes), on=20, off=10)


@of(["capacity"])
def test_capacity_binds(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], resident=60, working=60), on=None, off=10)


@of(["one_beat"])
def test_one_beat_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10, 10]], [[50, 50]]], [[[[50, 50]]]], batch=10)
    flips(instance, "area", on=550, off=100)


@of(["slowest_stage"])
def test_slowest_stage_binds(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], exit=5), on=15, off=10)


@of(["dram"])
def test_dram_binds(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], io=50), on=50, off=10)


@of(["batch"])
def test_batch_binds(flips: Flip, make_instance: MakeInstance) -> None:
    flips(make_instance([[[10]]], exit=5, batch=3), on=45, off=30)


@of(["area"])
def test_area_bounds_what_the_other_families_leave_open(
    flips: Flip, make_instance: MakeInstance
) -> None:
    instance = make_instance([[[10]], [[10]]], [[[[10]]]])
    flips(instance, "stage_time", on=20, off=10)


@of(["layer_energy"])
def test_layer_energy_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = with_energy(make_instance([[[1, 1]]] * 2), entry=[[[70, 80]], [[9, 9]]], step=20)
    flips(instance, "least_energy", on=79, off=0, goal=ENERGY)


@of(["layer_energy"])
def test_layer_energy_binds_on_steps(flips: Flip, make_instance: MakeInstance) -> None:
    steps = [[[[0]] * 2] * 2, [[[70], [70]], [[60], [40]]]]
    instance = make_instance([[[1], [1]]] * 2)
    instance = with_energy(instance, entry=[[[5], [9]], [[99], [99]]], step=steps)
    flips(instance, "least_energy", on=9 + 40, off=0, goal=ENERGY)


@of(["exit_energy"])
def test_exit_energy_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = with_energy(make_instance([[[1]]] * 2, resident=60, batch=3), exit=7)
    flips(instance, on=3 * (7 + 7), off=0, goal=ENERGY)


@of(["skip_energy"])
def test_skip_energy_binds_on_entering(flips: Flip, make_instance: MakeInstance) -> None:
    tensor = skip(0, 3, enter_energy=30)
    instance = make_instance([[[10]]] * 4, resident=[[[0]], [[60]], [[60]], [[0]]], skips=(tensor,))
    flips(instance, on=30, off=0, goal=ENERGY)


@of(["skip_energy"])
def test_skip_energy_binds_on_leaving(flips: Flip, make_instance: MakeInstance) -> None:
    residents = [[[10]], [[10]], [[95]]]
    tensor = skip(0, 2, leave_energy=7)
    instance = make_instance([[[10]]] * 3, resident=residents, skips=(tensor,))
    instance = with_energy(instance, exit=[[[9]], [[0]], [[0]]])
    flips(instance, on=7, off=0, goal=ENERGY)


@of(["dram_energy"])
def test_dram_energy_binds(flips: Flip, make_instance: MakeInstance) -> None:
    traffic = [[6, 50], [0, 8]]
    instance = with_energy(make_instance([[[1]]] * 2, batch=2), io=traffic)
    flips(instance, on=2 * (6 + 8), off=0, goal=ENERGY)


@of(["least_energy"])
def test_least_energy_bounds_what_layer_energy_leaves_open(
    flips: Flip, make_instance: MakeInstance
) -> None:
    instance = with_energy(make_instance([[[1]]] * 2), entry=[[[30]], [[40]]], step=20)
    flips(instance, "layer_energy", on=50, off=0, goal=ENERGY)


@of(["caps"])
def test_a_cap_on_latency_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = with_energy(make_instance([[[10, 8]]]), entry=[[[3, 5]]])
    flips(instance, on=5, off=3, goal=Goal("energy", latency_cap=9))
    flips(instance, on=None, off=8, goal=Goal(latency_cap=7))


@of(["caps"])
def test_a_cap_on_energy_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = with_energy(make_instance([[[10, 8]]]), leakage=1, entry=[[[3, 7]]])
    flips(instance, on=10, off=8, goal=Goal(energy_cap=13))
    flips(instance, on=None, off=8, goal=Goal(energy_cap=12))


@of(["limits"])
def test_a_limit_on_segments_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10]]] * 3, [[[[10]]], [[[90]]]], resident=[[[40]]] * 3)
    assert flips.optimum(instance, goal=Goal(segments=2)) == 30
    flips(instance, on=None, off=30, goal=Goal(segments=1))


@of(["limits"])
def test_a_limit_on_clusters_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[10, 10]]] * 2, batch=9, io=[[10, 10], [10, 10]], resident=60)
    flips(instance, on=180, off=100, goal=Goal(clusters=1))


@of(["limits"])
def test_a_limit_on_chiplets_binds(flips: Flip, make_instance: MakeInstance) -> None:
    instance = make_instance([[[20, 10]]], alone=[5])
    flips(instance, on=20, off=5, goal=Goal(chiplets=1))


@of(["held"])
@pytest.mark.parametrize(
    ("pin", "on"),
    [
        (Pin(1, segment=True), 21 + 8 * (17 + 13)),
        (Pin(1, segment=False, cluster=True), 21 + 9 * 33),
        (Pin(0, chiplets=1), 21 + 9 * 44),
        (Pin(1, option="ISP"), 21 + 8 * (15 + 13 + 1)),
        (Pin(0, tiled=True), None),
        (Pin(0, cluster=False), None),
    ],
)
def test_pins_bind(flips: Flip, example: Instance, pin: Pin, on: int | None) -> None:
    flips(example, on=on, off=229, goal=Goal(pins=(pin,)))


@of(["held"])
def test_a_pin_on_all_chiplets_allows_a_tiled_layer(
    flips: Flip, make_instance: MakeInstance
) -> None:
    instance = make_instance([[[9, 20]]], alone=[15])
    flips(instance, on=15, off=9, goal=Goal(pins=(Pin(0, chiplets=2),)))


def test_a_tiled_layer_pays_neither_dram_nor_exit_nor_skips(
    kind: Kind, solved: Solved, make_instance: MakeInstance
) -> None:
    costs = {"exit": 3, "io": 60, "alone": [20, -1, 20], "load": [1, 2, 3]}
    tensor = skip(0, 2, enter=9, enter_energy=900, leave_energy=700)
    instance = make_instance([[[50]]] * 3, resident=80, batch=2, skips=(tensor,), **costs)
    assert solved(Compact(instance, kind())) == 6 + 2 * (20 + 60 + 20)
    instance = with_energy(instance, exit=200, io=300, alone=[1, 0, 1], entry=5, load=10)
    assert solved(Compact(instance, kind(), ENERGY)) == 30 + 2 * (1 + 5 + 200 + 300 + 1)


def test_numbers_that_would_overflow_are_refused_for_cp_sat_only(
    make_instance: MakeInstance,
) -> None:
    slow = make_instance([[[2**50]]], batch=2**12)
    large = make_instance([[[1]]], resident=2**61, capacity=2**61)
    costly = with_energy(make_instance([[[1]]]), entry=2**55)
    refused = "too large for CP-SAT's 64-bit integers: a sum of "
    with pytest.raises(ValueError, match=refused + "cycles"):
        Compact(slow, CpSatModeller())
    with pytest.raises(ValueError, match=refused + "bytes"):
        Compact(large, CpSatModeller())
    with pytest.raises(ValueError, match=refused + "picojoules"):
        Compact(replace(costly, batch=2**9), CpSatModeller(), ENERGY)
    with pytest.raises(ValueError, match="64-bit integers: the objective may reach"):
        Compact(costly, CpSatModeller(), weights=Weights(1, 2**9))
    beyond_cp_sat = Compact(slow, MilpModeller()).modeller.model
    beyond_cp_sat.solve(pulp.PULP_CBC_CMD(msg=False))
    assert pulp.value(beyond_cp_sat.objective) == pytest.approx(2**62)
    Compact(large, MilpModeller())
    Compact(costly, MilpModeller(), weights=Weights(1, 2**9))


def test_numbers_beyond_the_limit_or_the_buffer_do_not_overflow(
    kind: Kind, solved: Solved, make_instance: MakeInstance
) -> None:
    instance = make_instance([[[7, 2**61]]], resident=[[[3, 2**61]]], batch=4)
    assert solved(Compact(instance, kind(), limit=28)) == 28
