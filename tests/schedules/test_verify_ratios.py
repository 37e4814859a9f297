"""Constraints on ratios: the tight schedule passes, one more breaks it, and it is told why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from instances.compression import Coders, Compression
from instances.instance import Instance
from instances.tables import Ints
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations

MakeInstance = Callable[..., Instance]

HELD = 40
"""Bytes of an encoder, or a decoder, at ratio 2."""


@pytest.fixture
def three(make_instance: MakeInstance) -> Instance:
    """A chain of layers a, b, c of 10 bytes each; ratio 2 for a and b, ratio 4 for a alone."""
    plain = make_instance([[[9, 9]]] * 3, exit=5, resident=10, capacity=100, alone=7, batch=2)
    tables = plain.tables

    def thrice(table: Ints) -> Ints:
        return np.stack([table] * 3)

    none = np.zeros((3, 3), dtype=np.int64)
    held = np.zeros((3, 3, 2), dtype=np.int64)
    held[1:, :2] = HELD
    coders = Coders(held, none, none)
    own = Compression(
        ratios=(1, 2, 4),
        readers=((1,), (2,), ()),
        losses=np.array([[0, 1000, 5000], [0, 2000, -1], [0, -1, -1]]),
        budget=3000,
        entry=thrice(tables.entry),
        exit=thrice(tables.exit),
        entry_energy=thrice(tables.energy.entry),
        exit_energy=thrice(tables.energy.exit),
        skips=(),
        encoders=coders,
        decoders=coders,
        traffic=tables.io,
        saved=none,
        rate=(1, 1),
        saved_energy=none,
    )
    return replace(plain, compression=own)


def clusters(*ends: tuple[int, int]) -> Segment:
    """Clusters of a chiplet each."""
    return Segment(tuple(Cluster(a, b, 1, ("ISP",) * (b - a + 1)) for a, b in ends))


def tiled(layer: int) -> Segment:
    return Segment((Cluster(layer, layer, 2, ("ISP",)),), tiled=True)


def of(ratios: tuple[int, ...], *segments: Segment) -> Schedule:
    return Schedule(segments, ratios)


ALL, SPLIT = clusters((0, 2)), clusters((0, 1), (2, 2))


def test_ratios_that_are_allowed_may_run(three: Instance) -> None:
    for ratios in ((), (1, 1, 1), (2, 1, 1), (1, 2, 1), (2, 2, 1)):
        assert violations(three, of(ratios, SPLIT)) == []


def test_a_ratio_that_the_output_may_not_have_is_found_with_those_it_may(three: Instance) -> None:
    assert violations(three, of((1, 4, 1), SPLIT)) == [
        "the output of b is compressed 4 to 1, but may have 1, 2"
    ]
    assert violations(three, of((3, 1, 2), SPLIT)) == [
        "the output of a is compressed 3 to 1, but may have 1, 2, 4",
        "the output of c is compressed 2 to 1, but may have 1",
    ]


@pytest.mark.parametrize(("count", "said"), [(1, "1 ratio"), (2, "2 ratios"), (4, "4 ratios")])
def test_there_is_one_ratio_for_each_layer(three: Instance, count: int, said: str) -> None:
    assert violations(three, of((1,) * count, SPLIT)) == [f"the schedule gives {said} for 3 layers"]


def test_losses_beyond_the_budget_are_found_even_of_what_does_not_cross(three: Instance) -> None:
    assert violations(three, of((4, 1, 1), ALL)) == [
        "compression loses 0.005, 0.002 more than the budget of 0.003"
    ]
    own = three.compression
    assert own is not None
    for budget, count in ((6999, 1), (7000, 0)):
        wider = replace(three, compression=own.within(budget))
        assert len(violations(wider, of((4, 2, 1), ALL))) == count


def test_ratios_where_nothing_may_be_compressed_are_found(three: Instance) -> None:
    plain = replace(three, compression=None)
    assert violations(plain, of((2, 1, 1), SPLIT)) == [
        "the schedule compresses, but nothing says what may be compressed, and at what loss"
    ]
    assert violations(plain, of((), SPLIT)) == []


def test_coders_count_to_the_memory_where_their_tensor_crosses(three: Instance) -> None:
    tight = 2 * 10 + HELD  # a and b, and the encoder of b's output
    assert violations(at(three, tight), of((1, 2, 1), SPLIT)) == []
    assert violations(at(three, tight - 1), of((1, 2, 1), SPLIT)) == [
        f"segment 0, cluster 0 (a to b on 1 chiplet) needs {tight} bytes a chiplet,"
        f" 1 more than the buffer of {tight - 1}"
    ]
    assert violations(at(three, tight - 1), of((2, 1, 1), SPLIT)) == []  # stays inside


def test_a_cluster_holds_decoders_and_encoders_at_once(three: Instance) -> None:
    plan = of((2, 2, 1), clusters((0, 0), (1, 1)), clusters((2, 2)))
    assert violations(at(three, 10 + 2 * HELD), plan) == []
    (found,) = violations(at(three, 10 + 2 * HELD - 1), plan)
    assert found.startswith("segment 0, cluster 1 (b on 1 chiplet) needs 90 bytes")


def at(instance: Instance, capacity: int) -> Instance:
    """The instance with other buffers."""
    return replace(instance, tables=replace(instance.tables, capacity=capacity))


def test_a_tiled_layer_neither_reads_nor_makes_what_is_compressed(three: Instance) -> None:
    plan = clusters((0, 0)), tiled(1), clusters((2, 2))
    assert violations(three, of((), *plan)) == []
    for ratios in ((2, 1, 1), (1, 2, 1)):
        assert violations(three, of(ratios, *plan)) == [
            "segment 1: layer b is tiled, which leaves no place for coders, but a tensor that it"
            " reads or makes is compressed"
        ]
    assert violations(three, of((1, 2, 1), tiled(0), clusters((1, 1), (2, 2)))) == []


def test_a_schedule_with_wrong_ratios_has_its_other_faults_told_too(three: Instance) -> None:
    found = violations(at(three, 15), of((2, 1), SPLIT))
    assert [text.split(" (")[0] for text in found] == [
        "segment 0, cluster 0",
        "the schedule gives 2 ratios for 3 layers",
    ]
