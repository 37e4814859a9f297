"""Methods that divide graphs: held against enumeration and each other, and their endings."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from threading import Timer
from typing import Any

import pytest

from instances.files.graph_file import graph_from_data, graph_to_data
from instances.generate_graph import random_graph
from instances.graph import ORDERS, OperatorGraph, Order
from instances.graph_of_network import graph_of
from instances.networks import build_network
from schedules.partition.evaluate import evaluate_partition
from schedules.partition.files import partition_from_data
from schedules.partition.partition import Partition
from schedules.partition.progress import PartitionProgress
from schedules.partition.verify import in_order, partition_violations
from schedules.progress import TracePoint
from solvers.engines import Engine, choose
from solvers.engines.engine import Outcome
from solvers.graph_partition import GRAPH_METHODS, PartitionResult, models, solve_graph
from solvers.methods import RunOptions

MakeGraph = Callable[..., OperatorGraph]

of = pytest.mark.parametrize


def few(graph: OperatorGraph) -> bool:
    """Whether it has few divisions."""
    return graph.devices ** len(graph.classes) <= 3_000


SMALL = [
    *(seed for seed in range(32) if few(random_graph(seed))),
    *(315, 477, 509, 1111, 1162, 1198),
]
"""Seeds of graphs with few divisions; the last ones have optima that differ by class."""


def wide(make_graph: MakeGraph) -> OperatorGraph:
    """Chains side by side with half a million ideals, and much to divide: it takes a while."""
    chains, length = 6, 8
    count = chains * length
    edges = [(k, k + 1) for k in range(count) if (k + 1) % length]
    work = [1000 + 37 * k * k % 811 for k in range(count)]
    transfer = [100 + 53 * k * k % 71 for k in range(count)]
    return make_graph(work, edges, accelerators=5, transfer=transfer)


def sound(result: PartitionResult) -> None:
    """What holds of every result, whatever the method."""
    if result.schedule is None:
        assert result.objective is None
        assert result.stop != "optimal"
        return
    graph = result.graph
    assert partition_violations(graph, result.schedule, result.order) == []
    assert result.objective == evaluate_partition(graph, result.schedule).objective
    assert result.bound is None or result.bound <= result.objective
    if result.stop == "optimal":
        assert result.bound is not None
        assert result.bound >= result.objective * (1 - 2e-9)
    if result.order == "ordered":
        assert in_order(graph, result.schedule) == result.schedule


# Against enumeration


@of("order", ORDERS)
@of("seed", SMALL)
def test_all_methods_agree_with_enumeration(seed: int, order: Order) -> None:
    graph = random_graph(seed)
    best = solve_graph(graph, "enumerate", order=order)
    sound(best)
    for method in ("exact", "cpsat", "milp", *(("ideals",) if order == "ordered" else ())):
        found = solve_graph(graph, method, order=order, workers=1)
        sound(found)
        assert (found.stop, found.objective) == (best.stop, best.objective), method
        assert found.bound == best.bound
    fast = solve_graph(graph, "split", order=order)
    sound(fast)
    assert fast.stop == "finished"
    if best.objective is None:
        assert fast.objective is None
    elif fast.objective is not None:
        assert fast.objective >= best.objective


def test_the_small_graphs_have_divisions_of_some_classes_and_of_others_not() -> None:
    found = [
        tuple(
            solve_graph(random_graph(seed), "enumerate", order=order).objective for order in ORDERS
        )
        for seed in SMALL
    ]
    assert 2 <= sum(free is None for _, _, free in found) < len(found) // 2
    assert all(ordered != free for ordered, _, free in found[-6:])
    assert any(ordered is None and free is not None for ordered, _, free in found)
    assert any(ordered != convex for ordered, convex, _ in found)
    assert any(convex != free for _, convex, free in found)


def test_more_freedom_makes_no_optimum_worse() -> None:
    for seed in range(60, 90):
        graph = random_graph(seed, classes=9)
        found = [solve_graph(graph, order=order, workers=1) for order in ORDERS]
        for own in found:
            sound(own)
            assert own.stop in ("optimal", "infeasible")
        loads = [float("inf") if own.objective is None else own.objective for own in found]
        assert loads == sorted(loads, reverse=True)


@of("training", [False, True])
@of("network", ["alexnet", "resnet18"])
def test_methods_agree_on_graphs_of_networks(network: str, training: bool) -> None:
    graph = graph_of(build_network(network), detail="layers", training=training)
    best = solve_graph(graph, "ideals")
    sound(best)
    for method in ("exact", "cpsat", "milp"):
        found = solve_graph(graph, method, workers=1)
        sound(found)
        assert found.stop == "optimal"
        assert found.objective == pytest.approx(best.objective, rel=2e-9)


@of("seed", [0, 21, 55])
def test_a_graph_with_times_of_many_digits_has_the_same_optimum(seed: int) -> None:
    graph = random_graph(seed, classes=6, devices=3)
    grain = 123_456_789_012
    nodes = tuple(
        replace(
            node,
            accelerator=None if node.accelerator is None else node.accelerator * grain,
            cpu=node.cpu * grain,
            transfer=node.transfer * grain,
        )
        for node in graph.nodes
    )
    best = solve_graph(graph, "enumerate").objective
    assert best is not None
    for method in ("ideals", "cpsat", "milp"):
        found = solve_graph(replace(graph, nodes=nodes), method, workers=1)
        assert (found.stop, found.objective) == ("optimal", best * grain)


@of("power", [-12, -6, 5, 9])
def test_a_division_does_not_depend_on_the_unit_of_time(power: int) -> None:
    for seed in (3, 5, 21):
        graph = random_graph(seed, classes=6)
        data = graph_to_data(graph)
        unit = float(f"1e{power}")
        for node in data["nodes"]:
            node["cpuLatency"] *= unit
            node["fpgaLatency"] *= unit
        for edge in data["edges"]:
            edge["cost"] *= unit
        scaled = graph_from_data(data, "x", "scaled")
        plain = solve_graph(graph, workers=1)
        found = solve_graph(scaled, workers=1)
        assert found.stop == plain.stop
        if plain.schedule is not None and plain.time is not None:
            assert found.time == pytest.approx(plain.time * unit, rel=1e-9, abs=0)
            same = evaluate_partition(scaled, plain.schedule).objective
            assert scaled.time(same) == pytest.approx(plain.time * unit, rel=1e-9, abs=0)


@of("method", ["ideals", "exact", "cpsat", "milp", "enumerate"])
def test_a_cpu_that_takes_no_time_does_all(make_graph: MakeGraph, method: str) -> None:
    graph = make_graph([5, 5, 5], [(0, 1)], accelerators=2, cpus=1, transfer=[1, 0, 0])
    found = solve_graph(graph, method, workers=1)
    assert (found.stop, found.objective, found.bound) == ("optimal", 0, 0)
    assert found.gap == 0
    assert found.to_data()["throughput"] is None


@of("method", [own for own in GRAPH_METHODS if own != "split"])
def test_what_no_device_can_run_is_infeasible(make_graph: MakeGraph, method: str) -> None:
    for graph in (
        make_graph([1, None], accelerators=3),
        make_graph([1, 1], size=[1, 101]),
        make_graph([1, 1, 1], size=[60, 60, 60]),
    ):
        found = solve_graph(graph, method, workers=1)
        assert (found.stop, found.schedule, found.objective) == ("infeasible", None, None)
        assert (found.bound, found.gap, found.time) == (None, None, None)


# Endings


def test_ideals_give_ordered_divisions_alone() -> None:
    for order in ("convex", "free"):
        with pytest.raises(ValueError, match=f"not {order} ones: use method exact"):
            solve_graph(random_graph(0), "ideals", order=order)


@of("method", GRAPH_METHODS)
def test_without_time_a_run_ends_for_lack_of_it(method: str) -> None:
    graph = random_graph(3)
    found = solve_graph(graph, method, time_limit=0, workers=1)
    sound(found)
    assert found.stop == "time-limit"
    assert found.bound is None


@of("method", ["exact", "ideals", "cpsat"])
def test_when_time_runs_out_the_best_division_so_far_is_the_answer(
    method: str, make_graph: MakeGraph
) -> None:
    graph = wide(make_graph)
    fast = solve_graph(graph, "split").objective
    assert fast is not None
    found = solve_graph(graph, method, time_limit=0.4, workers=1)
    sound(found)
    assert found.stop == "time-limit"
    assert found.objective is not None
    assert found.objective <= fast
    assert found.runtime_s < 5


@of("method", ["split", "exact", "ideals", "cpsat", "milp"])
def test_ctrl_c_leaves_the_best_division_so_far(method: str, make_graph: MakeGraph) -> None:
    graph = make_graph([3, 4, 5, 6], [(0, 1), (1, 2), (2, 3)], transfer=[2, 2, 2, 0])

    def interrupt(point: TracePoint) -> None:
        raise KeyboardInterrupt

    found = solve_graph(graph, method, listener=interrupt, workers=1)
    sound(found)
    assert found.stop == "interrupted"
    assert found.schedule is not None


def test_ctrl_c_ends_the_program_while_it_works(make_graph: MakeGraph) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    graph = wide(make_graph)
    solve_graph(graph, "split")
    timer = Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    found = solve_graph(graph, "exact", workers=1, time_limit=30)
    timer.join()
    sound(found)
    assert found.stop == "interrupted"
    assert found.objective is not None
    assert found.runtime_s < 10


@of(("short", "stop"), [(0, "optimal"), (5e-10, "optimal"), (1e-8, "finished")])
def test_a_proof_in_floats_counts_where_it_is_near_enough(
    short: float, stop: str, make_graph: MakeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = 10**12
    graph = make_graph([7 * ticks, 5 * ticks, 3 * ticks], accelerators=2)
    start = Partition.of([("accelerator", [0]), ("accelerator", [1, 2])])
    claimed = 8 * ticks * (1 - short)

    def claim(*ignored: Any) -> Outcome:
        return Outcome("optimal", None, claimed, claimed)

    monkeypatch.setattr(Engine, "run", claim)
    found = solve_graph(graph, "milp", start=start, workers=1)
    sound(found)
    assert (found.stop, found.objective) == (stop, 8 * ticks)
    assert found.bound is not None
    assert claimed * (1 - 1.1e-9) <= found.bound <= 8 * ticks


def test_a_search_that_is_cancelled_counts_as_interrupted(make_graph: MakeGraph) -> None:
    graph = wide(make_graph)
    progress = PartitionProgress(graph, time_limit=60)
    options: RunOptions[Partition] = RunOptions(choose("cpsat", None)[0], workers=1)
    assert models.search(progress, options, lambda: True) == "interrupted"
    assert progress.seconds < 30


def test_a_listener_hears_of_every_improvement() -> None:
    heard: list[TracePoint] = []
    found = solve_graph(random_graph(3), "cpsat", workers=1, listener=heard.append)
    assert tuple(heard) == found.trace
    assert heard[-1].objective == heard[-1].bound == found.objective


# Arguments


@of("order", ORDERS)
@of("method", ["cpsat", "milp"])
def test_a_start_is_begun_from(method: str, order: Order, make_graph: MakeGraph) -> None:
    graph = make_graph([3, 4, 5], [(0, 1), (1, 2)], accelerators=3, transfer=[9, 9, 0])
    # Its devices are not listed in their order, and it is not the best.
    start = Partition.of([("accelerator", [2]), ("accelerator", [0]), ("accelerator", [1])])
    found = solve_graph(graph, method, order=order, start=start, workers=1)
    sound(found)
    assert found.trace[0].objective == evaluate_partition(graph, start).objective == 22
    assert (found.stop, found.objective) == ("optimal", 12)


def test_an_ordered_start_is_put_into_its_order(
    make_graph: MakeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = make_graph([3, 4], [(0, 1)], transfer=[9, 0])
    start = Partition.of([("accelerator", [1]), ("accelerator", [0])])
    monkeypatch.setattr(Engine, "run", lambda *ignored: Outcome("time-limit"))
    found = solve_graph(graph, "cpsat", start=start)
    sound(found)
    assert found.schedule == Partition.of([("accelerator", [0]), ("accelerator", [1])])


def test_a_start_that_may_not_run_is_refused(make_graph: MakeGraph) -> None:
    graph = make_graph([3, 4])
    start = Partition.of([("accelerator", [0])])
    with pytest.raises(ValueError, match="start cannot be used: node 1 is on no device"):
        solve_graph(graph, "cpsat", start=start)
    with pytest.raises(ValueError, match="has no models"):
        solve_graph(graph, "exact", start=start)


def test_what_a_method_cannot_heed_is_refused() -> None:
    graph = random_graph(0)
    with pytest.raises(ValueError, match="unknown method 'dpl': choose one of split, exact"):
        solve_graph(graph, "dpl")
    with pytest.raises(ValueError, match="unknown order 'loose': choose one of ordered, convex"):
        solve_graph(graph, order="loose")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="has no models"):
        solve_graph(graph, "split", engine="highs")
    with pytest.raises(ValueError, match="time_limit -1"):
        solve_graph(graph, time_limit=-1)


def test_graphs_beyond_a_method_are_refused_with_what_to_do(
    make_graph: MakeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=r"22 classes on 2 devices have .*: use method exact"):
        solve_graph(make_graph([1] * 22), "enumerate")
    monkeypatch.setattr(models, "MOST_VARIABLES", 5)
    with pytest.raises(ValueError, match=r"too large for the models.*; use method split"):
        solve_graph(make_graph([2, 2, 2]), "cpsat", order="free")


def test_a_result_as_data_holds_times_of_the_file_and_its_division(make_graph: MakeGraph) -> None:
    graph = make_graph([250, 500], [(0, 1)], transfer=[25, 0], digits=2)
    found = solve_graph(graph, "ideals")
    data = found.to_data()
    assert (data["objective"], data["bound"], data["gap"]) == (5.25, 5.25, 0.0)
    assert data["throughput"] == 1 / 5.25
    assert partition_from_data(data, "result") == found.schedule
    assert [point[1] for point in data["trace"]] == [5.25] * len(data["trace"])
    assert (data["graph"], data["order"], data["method"]) == ("made", "ordered", "ideals")
    assert set(data["versions"]) >= {"chipweave", "numpy", "numba"}
