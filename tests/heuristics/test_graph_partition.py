"""The split of graphs: kernels that keep tensors up to date, cuts of an order, and the orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heuristics.graph_partition.crossings import joins, leaves, room_of, tensors_of
from heuristics.graph_partition.orders import RANDOM_ORDERS, orders, partition_of, split
from heuristics.graph_partition.split import NEVER, Pieces, best_split
from instances.generate_graph import random_graph
from instances.graph import ORDERS, OperatorGraph, Order
from instances.graph_blocks import blocks_of
from instances.graph_of_network import graph_of
from instances.networks import build_network
from schedules.partition.evaluate import evaluate_partition
from schedules.partition.partition import Partition
from schedules.partition.progress import PartitionProgress
from schedules.partition.verify import partition_violations
from solvers.methods import RunOptions

MakeGraph = Callable[..., OperatorGraph]

# Kernels


@settings(max_examples=150)
@given(st.integers(0, 10**6), st.sampled_from(ORDERS), st.data())
def test_blocks_that_join_and_leave_keep_what_the_evaluator_counts(
    seed: int, order: Order, data: st.DataObject
) -> None:
    graph = random_graph(seed, classes=9)
    blocks = blocks_of(graph, order)
    tensors = tensors_of(blocks)
    inside = np.zeros(len(blocks.cost), dtype=np.int64)
    member = np.zeros(blocks.count, dtype=np.bool_)
    paid = 0
    turns = st.lists(st.integers(0, blocks.count - 1), max_size=20)
    for block in data.draw(turns):
        if member[block]:
            paid -= leaves(block, tensors, inside, member)
        else:
            paid += joins(block, tensors, inside, member)
        ids = [graph.nodes[p].id for b in np.flatnonzero(member) for p in blocks.members[b]]
        loads = evaluate_partition(graph, Partition.of([("accelerator", ids)])).loads
        assert paid == sum(own.sent + own.received for own in loads)


# Cuts


def all_cuts(count: int, graph: OperatorGraph) -> Iterator[list[tuple[bool, range]]]:
    """Every way to cut a row of blocks among devices of the graph."""
    for pieces in range(1, min(count, graph.devices) + 1):
        for inner in combinations(range(1, count), pieces - 1):
            cuts = [0, *inner, count]
            for kinds in product((False, True), repeat=pieces):
                yield [(is_cpu, range(*cuts[k : k + 2])) for k, is_cpu in enumerate(kinds)]


@pytest.mark.parametrize("seed", range(30))
def test_a_split_is_the_best_of_all_cuts_of_its_order(seed: int) -> None:
    graph = random_graph(seed)
    blocks = blocks_of(graph, "ordered")
    for order in list(orders(blocks, seed))[:6]:
        best = NEVER
        for cuts in all_cuts(blocks.count, graph):
            pieces: Pieces = [(is_cpu, [int(order[k]) for k in own]) for is_cpu, own in cuts]
            partition = partition_of(graph, blocks, pieces)
            if not partition_violations(graph, partition):
                best = min(best, evaluate_partition(graph, partition).objective)
        load, found = best_split(blocks, order, room_of(graph))
        assert load == best
        if load == NEVER:
            assert found == []
            continue
        partition = partition_of(graph, blocks, found)
        assert partition_violations(graph, partition) == []
        assert evaluate_partition(graph, partition).objective == load
        # Only what is below a bar counts.
        assert best_split(blocks, order, room_of(graph), load + 1)[0] == load
        assert best_split(blocks, order, room_of(graph), load)[0] >= load


def test_random_graphs_have_splits_and_have_none() -> None:
    found = []
    for seed in range(30):
        progress = PartitionProgress(random_graph(seed))
        split(progress, RunOptions())
        found.append(progress.best is not None)
    assert 10 <= sum(found) <= 29


def test_a_cut_may_be_worth_it_only_once_a_tensor_has_all_its_readers(
    make_graph: MakeGraph,
) -> None:
    # The cut behind 0 costs 90, that behind 1 costs 2: the first device is cheaper with more work.
    graph = make_graph([10, 10, 10], [(0, 1), (1, 2)], transfer=[90, 2, 0])
    progress = PartitionProgress(graph)
    assert split(progress, RunOptions()) == "finished"
    assert progress.objective == 22
    assert progress.best == Partition.of([("accelerator", [0, 1]), ("accelerator", [2])])


def test_devices_beyond_the_number_of_classes_make_no_tables(make_graph: MakeGraph) -> None:
    graph = make_graph([1, 2, 3], accelerators=10**6, cpus=10**6, color=[0, 0, None])
    assert room_of(graph) == (2, 2, graph.memory)
    progress = PartitionProgress(graph)
    split(progress, RunOptions())
    # The CPUs take no time.
    assert progress.objective == 0


# Orders


@pytest.mark.parametrize("training", [False, True])
def test_every_order_has_all_blocks_each_behind_what_it_reads(training: bool) -> None:
    graph = graph_of(build_network("googlenet"), training=training)
    blocks = blocks_of(graph, "ordered")
    found = list(orders(blocks, 3))
    assert len(found) == 4 + RANDOM_ORDERS
    for order in found:
        at = np.argsort(order)
        assert sorted(order.tolist()) == list(range(blocks.count))
        assert all(at[u] < at[v] for u, v in blocks.arcs)
    assert len({tuple(order) for order in found}) > RANDOM_ORDERS


def test_the_seed_decides_the_random_orders_alone() -> None:
    blocks = blocks_of(graph_of(build_network("googlenet")), "ordered")
    first, again, other = ([tuple(o) for o in orders(blocks, seed)] for seed in (1, 1, 2))
    assert first == again
    assert first[:4] == other[:4]
    assert first[4:] != other[4:]


def test_a_graph_without_arcs_has_orders_too(make_graph: MakeGraph) -> None:
    for order in orders(blocks_of(make_graph([1, 2, 3]), "ordered"), 0):
        assert sorted(order.tolist()) == [0, 1, 2]


# The method


@pytest.mark.parametrize("order", ORDERS)
def test_what_split_offers_may_run_in_every_class(order: Order) -> None:
    for seed in range(40):
        progress = PartitionProgress(random_graph(seed), order)
        # The keeper refuses what may not run.
        assert split(progress, RunOptions(seed=seed)) == "finished"
        assert progress.counts == {"orders": 4 + RANDOM_ORDERS}
        assert progress.bound is None


def test_without_time_no_order_is_cut() -> None:
    progress = PartitionProgress(random_graph(0), time_limit=0)
    assert split(progress, RunOptions()) == "time-limit"
    assert (progress.best, progress.counts) == (None, {})


def test_more_devices_or_memory_make_no_split_worse() -> None:
    for seed in range(30):
        graph = random_graph(seed)
        blocks = blocks_of(graph, "ordered")
        order = next(orders(blocks, 0))
        load = best_split(blocks, order, room_of(graph))[0]
        for more in (
            replace(graph, accelerators=graph.accelerators + 1),
            replace(graph, cpus=graph.cpus + 1),
            replace(graph, memory=graph.memory + 3),
        ):
            assert best_split(blocks, order, room_of(more))[0] <= load
