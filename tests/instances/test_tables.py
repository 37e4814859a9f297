"""What the tables say of skip tensors, against a plain reading and against the evaluator."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from instances.generate import random_instance
from instances.tables import CostTables, Skip
from schedules.evaluate import cluster_cost
from schedules.schedule import Cluster


def make_skip(
    producer: int, consumers: tuple[int, ...], *, leaves: bool = False, chiplets: int = 2
) -> Skip:
    """A skip tensor whose numbers tell apart consumer, option and region size."""
    which, option, c = np.indices((len(consumers), 2, chiplets))
    enter = 100 * (which + 1) + 10 * (option + 1) + c + 1
    leave = 1000 + np.arange(chiplets)
    return Skip(
        name="t",
        producer=producer,
        consumers=consumers,
        leaves=leaves,
        enter=enter,
        leave=leave,
        hold=7 + np.arange(chiplets),
        enter_energy=2 * enter,
        leave_energy=2 * leave,
    )


def with_skips(*skips: Skip, layers: int = 6) -> CostTables:
    tables = random_instance(3, layers=layers, chiplets=2, options=2, shape="chain").tables
    return replace(tables, skips=skips)


def test_entering_charges_the_first_consumer_of_a_tensor_made_before() -> None:
    tables = with_skips(make_skip(0, (2, 4)))
    assert not tables.entering(0).any()
    for first in (1, 2):
        found = tables.entering(first)
        assert found[2].tolist() == [[111, 112], [121, 122]]
        assert np.count_nonzero(found) == 4
    for first in (3, 4):
        found = tables.entering(first)
        assert found[4].tolist() == [[211, 212], [221, 222]]
        assert np.count_nonzero(found) == 4
    assert not tables.entering(5).any()


def test_entering_adds_up_tensors_and_counts_those_from_outside() -> None:
    tables = with_skips(make_skip(-1, (2,)), make_skip(1, (2, 3)))
    assert tables.entering(0)[2].tolist() == [[111, 112], [121, 122]]
    assert tables.entering(2)[2].tolist() == [[222, 224], [242, 244]]


def test_leaving_charges_clusters_that_end_between_the_producer_and_the_last_use() -> None:
    tables = with_skips(make_skip(1, (2, 4)))
    for first in (0, 1):
        # A cluster that ends with the producer sends the tensor in its exit.
        assert tables.leaving(first).tolist() == [[0, 0]] * 2 + [[1000, 1001]] * 2 + [[0, 0]] * 2
    assert not tables.leaving(2).any()


def test_a_result_leaves_every_cluster_that_goes_beyond_its_producer() -> None:
    for skip in (make_skip(1, (2, 4), leaves=True), make_skip(1, (), leaves=True)):
        tables = with_skips(skip)
        assert tables.leaving(0).tolist() == [[0, 0]] * 2 + [[1000, 1001]] * 4
        assert not tables.leaving(2).any()


def test_held_counts_the_layers_between_that_do_not_read_the_tensor() -> None:
    tables = with_skips(make_skip(0, (2, 5)))
    assert tables.held(0)[:, 0].tolist() == [0, 7, 0, 7, 7, 0]
    assert tables.held(0)[:, 1].tolist() == [0, 8, 0, 8, 8, 0]
    # From layer 1 on it arrives with layer 2, from layer 3 on with layer 5.
    assert tables.held(1)[:, 0].tolist() == [0, 0, 0, 7, 7, 0]
    assert not tables.held(3).any()


def test_a_result_is_held_to_the_end_of_the_cluster() -> None:
    assert with_skips(make_skip(1, (), leaves=True)).held(0)[:, 0].tolist() == [0, 0, 7, 7, 7, 7]
    tables = with_skips(make_skip(1, (3,), leaves=True))
    assert tables.held(1)[:, 0].tolist() == [0, 0, 7, 0, 7, 7]
    assert tables.held(2)[:, 0].tolist() == [0, 0, 0, 0, 7, 7]
    assert not tables.held(4).any()


@pytest.mark.parametrize("leaves", [False, True])
@pytest.mark.parametrize("consumers", [(1, 4), (2,), (3, 5), (0, 3)])
@pytest.mark.parametrize("producer", [-1, 0, 1, 2])
def test_waits_is_a_plain_reading_of_the_definition(
    producer: int, consumers: tuple[int, ...], leaves: bool
) -> None:
    consumers = tuple(v for v in consumers if v > producer) or (5,)
    skip = make_skip(producer, consumers, leaves=leaves)
    for first in range(6):
        for last in range(first, 6):
            expected = []
            here = False
            for layer in range(first, last + 1):
                later = leaves or any(v > layer for v in consumers)
                if here and layer not in consumers and later:
                    expected.append(layer)
                here = here or layer == producer or layer in consumers
            assert skip.waits(first, last) == expected, (first, last)


@pytest.mark.parametrize("seed", range(25))
def test_the_evaluator_reads_skip_tensors_as_the_tables_sum_them_up(seed: int) -> None:
    instance = random_instance(seed, layers=5, chiplets=3, shape="dag")
    tables = instance.tables
    assert tables.skips
    count, options, chiplets = tables.shape
    rng = np.random.default_rng(seed)
    for first in range(count):
        entering, leaving, held = tables.entering(first), tables.leaving(first), tables.held(first)
        for last, c in product(range(first, count), range(chiplets)):
            own = rng.integers(0, options, last - first + 1).tolist()
            names = tuple(tables.options[o] for o in own)
            time = tables.entry[first, own[0], c] + tables.exit[last, own[-1], c] + leaving[last, c]
            resident, peak = 0, 0
            for k, o in enumerate(own):
                layer = first + k
                time += entering[layer, o, c]
                time += tables.step[layer, own[k - 1], o, c] if k else 0
                resident += tables.resident[layer, o, c]
                peak = max(peak, tables.working[layer, o, c] + held[layer, c])
            cost = cluster_cost(tables, Cluster(first, last, c + 1, names))
            assert (cost.time, cost.memory) == (time, resident + peak)


def test_shape_chiplets_and_prefix_sums_of_the_loads() -> None:
    tables = random_instance(1, layers=4, chiplets=3, options=2).tables
    assert tables.shape == (4, 2, 3)
    assert tables.chiplets == 3
    load = tables.load.tolist()
    assert tables.loads.tolist() == [sum(load[:k]) for k in range(5)]


def test_nbytes_counts_every_array() -> None:
    chain, dag = with_skips(), with_skips(make_skip(0, (2, 4)))
    layers, options, chiplets = chain.shape
    per_option = layers * options * chiplets
    times = 4 * per_option + options * per_option + layers**2 + 2 * layers
    energies = 2 * per_option + options * per_option + layers**2 + 2 * layers
    assert chain.compute is None
    # entry, exit, resident, working; step; io; load and alone. The same, without memory, in energy.
    assert chain.nbytes == 8 * (times + energies)
    extra = 2 * (2 * options * chiplets) + 3 * chiplets
    assert dag.nbytes - chain.nbytes == 8 * extra
    computed = replace(chain, compute=chain.entry)
    assert computed.nbytes - chain.nbytes == 8 * per_option


def test_arrays_of_any_layout_become_the_one_that_kernels_are_built_for() -> None:
    tables = random_instance(3, shape="dag").tables
    turned = np.asfortranarray(tables.step)
    turned.setflags(write=False)
    settled = replace(tables, step=turned, entry=np.broadcast_to(np.int32(7), tables.shape))
    for array in (settled.step, settled.entry):
        assert array.dtype == np.int64
        assert array.flags.c_contiguous
        assert array.flags.writeable
    assert np.array_equal(settled.step, tables.step)
