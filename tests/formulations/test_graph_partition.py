"""The models of divisions of graphs: each constraint family binds, hints are complete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import pytest

from formulations.graph_partition.frame import SHARED
from formulations.graph_partition.ordered import OrderedPartition
from formulations.graph_partition.reduction import Reduced, closures, reduced
from formulations.graph_partition.unordered import UnorderedPartition
from formulations.modellers import Modeller
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller
from instances.generate_graph import random_graph
from instances.graph import ORDERS, OperatorGraph, Order
from instances.graph_blocks import blocks_of
from instances.graph_of_network import graph_of
from instances.networks import build_network
from schedules.partition.evaluate import evaluate_partition
from schedules.partition.verify import partition_violations
from solvers.graph_partition import PartitionResult, solve_graph

MakeGraph = Callable[..., OperatorGraph]
Solve = Callable[[Any], tuple[int, Any] | None]
AtHint = Callable[[Any], tuple[int, Any]]
Kind = Callable[[], Modeller]
AnyPartition = OrderedPartition | UnorderedPartition

of = pytest.mark.parametrize


class Loose(Reduced):
    """All loads count, and no bound is known: a model's families are all that binds."""

    bound = 0


def model_of(order: Order) -> type[AnyPartition]:
    return OrderedPartition if order == "ordered" else UnorderedPartition


def loose(graph: OperatorGraph, order: Order) -> Loose:
    return Loose(graph, order, blocks_of(graph, order), 10**6)


def enumerated(graph: OperatorGraph, order: Order) -> PartitionResult:
    return solve_graph(graph, "enumerate", order=order)


TOGETHER: dict[str, Any] = {
    "work": [3, 4],
    "edges": [(0, 1)],
    "transfer": [50, 0],
    "size": [60, 60],
    "memory": 100,
}
"""Each fits by itself, not both."""

CROSSED: dict[str, Any] = {
    "work": [1, 1, 1, 1],
    "edges": [(0, 1), (2, 3)],
    "size": [1, 2, 3, 4],
    "memory": 5,
}
"""Two chains; only 0 with 3 and 1 with 2 have room, and so no order."""

ALIKE: dict[str, Any] = {"work": [5, 5], "cpu": [100, 100], "accelerators": 1, "cpus": 1}

THERE_AND_BACK: dict[str, Any] = {"work": [5, 10, 5], "edges": [(0, 1), (1, 2)]}


@of(
    ("order", "family", "columns", "on", "off"),
    [
        *(
            pytest.param(order, *row, id=f"{order}-{row[0]}")
            for order in ORDERS
            for row in (
                ("one_place", {"work": [3, 4], "accelerators": 1}, 7, 0),
                ("memory", TOGETHER, 54, 7),
                ("crossing", TOGETHER, 54, 4),
                ("accelerator_load", {"work": [3, 4]}, 4, 0),
                ("cpu_load", {"work": [3, 4], "cpu": [8, 9], "accelerators": 0, "cpus": 1}, 17, 0),
            )
        ),
        pytest.param("ordered", "prefixes", CROSSED, None, 2, id="y-follows-x"),
        pytest.param("ordered", "edges", CROSSED, None, 2, id="edges-go-forward"),
        pytest.param("ordered", "kinds", ALIKE, 10, 5, id="a-device-has-one-kind"),
        pytest.param("ordered", "counts", ALIKE, 10, 5, id="there-are-so-many-cpus"),
        pytest.param("convex", "convexity", THERE_AND_BACK, 15, 10, id="no-path-comes-back"),
    ],
)
def test_without_a_family_a_model_promises_too_much(
    order: Order,
    family: str,
    columns: dict[str, Any],
    on: int | None,
    off: int,
    make_graph: MakeGraph,
    kind: Kind,
    solve: Solve,
) -> None:
    graph = make_graph(**columns)
    assert enumerated(graph, order).objective == on
    model = model_of(order)
    assert family in model.families
    # In an order, each block has a number on the last device, which puts it somewhere, too.
    also = ("prefixes",) if (order, family) == ("ordered", "one_place") else ()
    full = [own for own in model.families if own not in also]
    rest = [own for own in full if own != family]
    for families, wanted in ((full, on), (rest, off)):
        found = solve(model(loose(graph, order), kind(), families=families))
        assert (None if found is None else found[0]) == wanted, families


def test_every_family_has_its_flip() -> None:
    marks = test_without_a_family_a_model_promises_too_much.pytestmark
    flipped = {own.values[1] for mark in marks for own in mark.args[1]}
    # Numbers of devices are no rule of the problem: they are tested by themselves.
    assert {*flipped, "numbering"} == {*OrderedPartition.families, *UnorderedPartition.families}
    assert OrderedPartition.families[: len(SHARED)] == SHARED
    assert UnorderedPartition.families[: len(SHARED)] == SHARED


def test_families_of_other_orders_bind_no_free_division(
    make_graph: MakeGraph, kind: Kind, solve: Solve
) -> None:
    for columns, wanted in ((CROSSED, 2), (THERE_AND_BACK, 10)):
        found = solve(UnorderedPartition(loose(make_graph(**columns), "free"), kind()))
        assert found is not None
        assert found[0] == wanted


@of("device", [0, 1])
def test_devices_of_a_kind_are_numbered_by_their_first_blocks(
    device: int, make_graph: MakeGraph, kind: Kind, solve: Solve
) -> None:
    graph = make_graph([5, 5])
    for families in (UnorderedPartition.families, SHARED):
        model = UnorderedPartition(loose(graph, "free"), kind(), families=families)
        model.modeller.require("asked", model.variables.on[0, ("accelerator", device)] == 1)
        found = solve(model)
        wanted = None if device == 1 and "numbering" in families else 5
        assert (None if found is None else found[0]) == wanted


# Against enumeration


@of("order", ORDERS)
@of("seed", range(12))
def test_a_model_without_bounds_has_the_optimum_of_all_divisions(
    seed: int, order: Order, kind: Kind, solve: Solve
) -> None:
    graph = random_graph(seed, classes=5, devices=3)
    best = enumerated(graph, order)
    model = model_of(order)(loose(graph, order), kind())
    found = solve(model)
    assert (None if found is None else found[0]) == best.objective
    if found is not None:
        partition = model.extract(found[1])
        assert partition_violations(graph, partition, order) == []
        assert evaluate_partition(graph, partition).objective == best.objective


@of("order", ORDERS)
@of("seed", range(40))
def test_a_hint_is_complete_and_feasible_where_nothing_worse_is_left(
    seed: int, order: Order, at_hint: AtHint
) -> None:
    graph = random_graph(seed, classes=6, devices=3)
    best = enumerated(graph, order)
    if best.schedule is None or best.objective is None:
        return
    given = reduced(graph, order, best.objective)
    # Neither windows nor bounds rule the optimum out.
    assert given.bound <= best.objective
    model = model_of(order)(given, CpSatModeller())
    values = model.hint(best.schedule)
    assert all(float(value).is_integer() for _, value in values)
    objective, solution = at_hint(model)
    assert objective == best.objective
    assert evaluate_partition(graph, model.extract(solution)).objective == best.objective


@of("training", [False, True])
@of("order", ORDERS)
def test_the_hint_of_a_large_graph_is_feasible_and_in_both_kinds_the_same(
    order: Order, training: bool, at_hint: AtHint
) -> None:
    graph = graph_of(build_network("alexnet"), training=training, detail="layers")
    start = solve_graph(graph, "split", order=order)
    assert start.schedule is not None
    assert start.objective is not None
    given = reduced(graph, order, start.objective)
    model = model_of(order)(given, CpSatModeller())
    model.hint(start.schedule)
    assert at_hint(model)[0] == start.objective
    rows = model_of(order)(given, MilpModeller())
    rows.hint(start.schedule)
    milp = rows.modeller.model
    assert all(variable.varValue is not None for variable in milp.variables())
    assert all(row.valid(1e-6) for row in milp.constraints())


@of("order", ORDERS)
def test_a_unit_of_time_changes_no_optimum(order: Order, solve: Solve) -> None:
    graph = random_graph(11, classes=5, devices=3)
    best = enumerated(graph, order).objective
    assert best is not None
    found = solve(model_of(order)(loose(graph, order), MilpModeller(), unit=7.0))
    assert found is not None
    assert found[0] == best


# What is left to decide


@of("seed", range(30))
def test_closures_are_all_on_paths(seed: int) -> None:
    blocks = blocks_of(random_graph(seed, classes=12), "ordered")
    arcs = nx.DiGraph()
    arcs.add_nodes_from(range(blocks.count))
    arcs.add_edges_from(blocks.arcs)
    before, after = closures(blocks)
    for block in range(blocks.count):
        assert set(before[block].nonzero()[0]) == {block, *nx.ancestors(arcs, block)}
        assert set(after[block].nonzero()[0]) == {block, *nx.descendants(arcs, block)}


def test_a_block_is_only_where_it_has_room_and_time(make_graph: MakeGraph) -> None:
    graph = make_graph(
        [3, None, 3, 30],
        cpu=[9, 9, 99, 9],
        size=[1, 1, 101, 1],
        accelerators=1,
        cpus=1,
    )
    given = reduced(graph, "free", 20)
    fast, slow = ("accelerator", 0), ("cpu", 0)
    assert given.places == ((fast, slow), (slow,), (), (slow,))


def test_windows_keep_blocks_from_devices_that_their_work_does_not_reach(
    make_graph: MakeGraph,
) -> None:
    graph = make_graph([10, 10, 10], [(0, 1), (1, 2)], accelerators=3)
    assert [[k for _, k in own] for own in reduced(graph, "ordered", 10).places] == [[0], [1], [2]]
    wide = reduced(graph, "ordered", 20).places
    assert [[k for _, k in own] for own in wide] == [[0, 1], [0, 1, 2], [1, 2]]


def test_the_bound_is_the_longest_block_or_the_work_shared(make_graph: MakeGraph) -> None:
    assert reduced(make_graph([7, 2, 2]), "free", 99).bound == 7
    assert reduced(make_graph([5, 5, 5]), "free", 99).bound == 8
    # A CPU that takes five times as long does a fifth of an accelerator's work.
    shared = make_graph([10] * 6, cpu=[50] * 6, accelerators=1, cpus=1)
    assert reduced(shared, "free", 99).bound == 50
    assert reduced(shared, "free", 49).bound == 49


@of("order", ORDERS)
def test_devices_beyond_the_number_of_blocks_make_no_variables(
    order: Order, make_graph: MakeGraph, at_hint: AtHint
) -> None:
    graph = make_graph([3, 4, 5], cpu=[9, 9, 9], accelerators=900, cpus=800, color=[0, 0, None])
    best = solve_graph(graph, "split").schedule
    assert best is not None
    given = reduced(graph, order, 7)
    assert sum(map(len, given.places)) <= 2 * 4
    model = model_of(order)(given, CpSatModeller())
    model.hint(best)
    assert at_hint(model)[0] == 7


def test_a_cpu_that_takes_no_time_leaves_every_place_open(make_graph: MakeGraph) -> None:
    given = reduced(make_graph([5, 5], accelerators=1, cpus=1), "ordered", 0)
    assert given.bound == 0
    assert all(own for own in given.places)
