"""Tables of compression: choices and borders, and plain tables that stand in for true costs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instances.compressed_costs import costs_of
from instances.compression import Coders, Compression
from instances.generate import random_instance
from instances.generate_ratios import random_ratios
from instances.instance import Instance
from instances.ratio_tables import tables_at
from schedules.evaluate import cluster_memory, segment_cost
from schedules.schedule import Cluster, Segment

seeds = st.integers(0, 10**6)


def compressed(seed: int) -> tuple[Instance, Compression]:
    """A random instance of two layers or more, all of its ratios allowed."""
    plain = random_instance(seed, layers=2 + seed % 4)
    instance = random_ratios(plain, seed, budget="loose")
    assert instance.compression is not None
    return instance, instance.compression


def drawn_choices(draw: Random, given: Compression) -> tuple[int, ...]:
    allowed = [np.flatnonzero(row >= 0).tolist() for row in given.losses]
    return tuple(draw.choice(own) for own in allowed)


def drawn_segment(draw: Random, instance: Instance) -> Segment:
    """Any clusters of neighbouring layers."""
    first, end = sorted(draw.sample(range(len(instance.layers) + 1), 2))
    cuts = sorted(draw.sample(range(first + 1, end), draw.randint(0, end - first - 1)))
    return Segment(
        tuple(
            Cluster(
                start,
                stop - 1,
                draw.randint(1, instance.chiplets),
                tuple(draw.choices(instance.options, k=stop - start)),
            )
            for start, stop in pairwise([first, *cuts, end])
        )
    )


# --- plain tables at certain choices --------------------------------------------------------------


@given(seeds)
def test_tables_at_certain_ratios_are_never_below_the_true_cost(seed: int) -> None:
    draw = Random(seed)
    instance, own = compressed(seed)
    choices, segment = drawn_choices(draw, own), drawn_segment(draw, instance)
    ratios = own.ratios_of(choices)
    charged = replace(instance, tables=tables_at(instance.tables, own, choices), compression=None)
    true, safe = segment_cost(instance, segment, ratios), segment_cost(charged, segment)
    assert [c.time for c in safe.clusters] == [c.time for c in true.clusters]
    assert [c.energy for c in safe.clusters] == [c.energy for c in true.clusters]
    assert (safe.dram, safe.beat) == (true.dram, true.beat)
    assert safe.load >= true.load
    assert safe.time >= true.time
    assert safe.energy >= true.energy
    for cluster in segment.clusters:
        need = cluster_memory(costs_of(instance, ratios), cluster)
        assert cluster_memory(charged.costs, cluster) >= need


@given(seeds)
def test_tables_at_certain_ratios_are_exact_where_coders_weigh_nothing(seed: int) -> None:
    draw = Random(seed)
    instance, own = compressed(seed)
    own = replace(own, encoders=weightless(own.encoders), decoders=weightless(own.decoders))
    instance = replace(instance, compression=own)
    choices, segment = drawn_choices(draw, own), drawn_segment(draw, instance)
    charged = replace(instance, tables=tables_at(instance.tables, own, choices), compression=None)
    assert segment_cost(charged, segment) == segment_cost(instance, segment, own.ratios_of(choices))


def weightless(coders: Coders) -> Coders:
    return Coders(*(np.zeros_like(own) for own in vars(coders).values()))


@given(seeds)
def test_no_layer_that_reads_or_makes_what_is_compressed_can_be_tiled(seed: int) -> None:
    instance, own = compressed(seed)
    choices = drawn_choices(Random(seed), own)
    tables = tables_at(instance.tables, own, choices)
    costs = costs_of(instance, own.ratios_of(choices))
    for layer in range(len(instance.layers)):
        reads = any(choices[at] for at in own.entering(layer, layer))
        assert tables.tiled(layer) == costs.tiled(layer)
        if choices[layer] or reads:
            assert tables.tiled(layer) is None
        else:
            assert tables.tiled(layer) == instance.tables.tiled(layer)


@given(seeds)
def test_no_compression_at_all_leaves_the_tables_as_they_are(seed: int) -> None:
    instance, own = compressed(seed)
    nothing = (0,) * len(instance.layers)
    segment = drawn_segment(Random(seed), instance)
    same = replace(instance, tables=tables_at(instance.tables, own, nothing), compression=None)
    assert segment_cost(same, segment) == segment_cost(instance, segment)
    assert segment_cost(instance, segment) == segment_cost(
        instance, segment, (1,) * len(instance.layers)
    )
    assert costs_of(instance, ()) is instance.costs


# --- choices, borders, losses ---------------------------------------------------------------------


def test_choices_are_places_of_ratios_and_nothing_means_no_ratio_at_all() -> None:
    _, own = compressed(3)
    own = replace(own, ratios=(1, 2, 4), readers=((1,), (2,), ()))
    assert own.choices((4, 1, 2)) == (2, 0, 1)
    assert own.choices(()) == (0, 0, 0)
    assert own.ratios_of((2, 0, 1)) == (4, 1, 2)
    assert own.ratios_of((0, 0, 0)) == ()
    with pytest.raises(ValueError, match="not in tuple"):
        own.choices((3, 1, 1))


def test_losses_add_up_whether_or_not_a_tensor_crosses() -> None:
    _, own = compressed(3)
    own = replace(own, losses=np.array([[0, 5, 9], [0, -1, 7], [0, -1, -1]]))
    assert own.loss((1, 2, 0)) == 12
    assert own.loss((0, 0, 0)) == 0
    assert own.open == (0, 1)


def test_what_enters_and_leaves_an_interval_is_read_on_the_other_side_of_its_border() -> None:
    _, own = compressed(3)
    own = replace(own, readers=((1, 3), (2,), (3,), ()))
    assert own.entering(1, 2) == [0]
    assert own.entering(3, 3) == [0, 2]
    assert own.leaving(0, 2) == [0, 2]
    assert own.leaving(1, 1) == [1]
    assert own.entering(0, 3) == own.leaving(0, 3) == []


def test_cycles_of_dram_traffic_round_up_after_all_savings() -> None:
    _, own = compressed(3)
    assert [replace(own, rate=(2, 3)).cycles(units) for units in range(5)] == [0, 1, 2, 2, 3]


# --- the instance ---------------------------------------------------------------------------------


def test_an_instance_with_compression_can_be_changed_like_any_other(example: Instance) -> None:
    instance = random_ratios(example, 1, ratios=2, budget="loose")
    assert instance.compression is not None
    assert replace(instance, batch=3).compression is instance.compression
    assert replace(instance, tables=example.tables).compression is instance.compression
    assert replace(instance, tables=example.costs).costs is example.costs
    assert example.compression is None


def test_ratios_without_compression_are_refused(example: Instance) -> None:
    with pytest.raises(ValueError, match="'small' has no compression, but a schedule has"):
        costs_of(example, (2, 1))
