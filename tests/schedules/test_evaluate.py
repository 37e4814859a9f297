"""What schedules cost, by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from instances.cost import make_instance as network_instance
from instances.generate import random_instance
from instances.instance import Instance
from instances.networks import build_network
from instances.packages import load_package
from instances.tables import EnergyTables, Skip
from schedules.evaluate import cluster_cost, cluster_memory, evaluate, latency
from schedules.schedule import Cluster, Schedule, Segment

MakeInstance = Callable[..., Instance]

I, W = "ISP", "WSP"  # noqa: E741


def schedule(*segments: Segment | list[Cluster]) -> Schedule:
    return Schedule(tuple(s if isinstance(s, Segment) else Segment(tuple(s)) for s in segments))


# --- the example of two layers, batch 8, three chiplets ------------------------------------------


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        # 12 + 9 load; entry 15, step 10, exit 1 against io 7; 8 beats.
        ([[Cluster(0, 1, 3, (W, W))]], 21 + 8 * (15 + 10 + 1)),
        ([[Cluster(0, 1, 3, (I, I))]], 21 + 8 * (16 + 13 + 1)),
        ([[Cluster(0, 1, 2, (W, I))]], 21 + 8 * (21 + 17 + 2)),
        ([[Cluster(0, 1, 1, (I, W))]], 21 + 8 * (40 + 28 + 3)),
        # Two stages take 9 beats of the slower: 22 + 2 and 30 + 3, then 40 + 4 and 16 + 2.
        ([[Cluster(0, 0, 2, (I,)), Cluster(1, 1, 1, (I,))]], 21 + 9 * 33),
        ([[Cluster(0, 0, 1, (I,)), Cluster(1, 1, 2, (W,))]], 21 + 9 * 44),
        ([[Cluster(0, 0, 1, (I,)), Cluster(1, 1, 1, (W,))]], 21 + 9 * 44),
        # Two segments: each loads its own weights, 15 + 2 and 12 + 1 a beat.
        ([[Cluster(0, 0, 3, (W,))], [Cluster(1, 1, 3, (W,))]], 12 + 8 * 17 + 9 + 8 * 13),
        ([[Cluster(0, 0, 2, (I,))], [Cluster(1, 1, 1, (I,))]], 12 + 8 * 24 + 9 + 8 * 33),
    ],
)
def test_latency_of_the_examples_schedules(
    example: Instance, segments: list[list[Cluster]], expected: int
) -> None:
    plan = schedule(*segments)
    found = evaluate(example, plan)
    assert found.latency == latency(example, plan) == expected
    assert found.throughput == 8 / expected


def test_the_best_schedule_of_the_example_takes_229_cycles(example: Instance) -> None:
    assert latency(example, schedule([Cluster(0, 1, 3, (W, W))])) == 229


def test_dram_traffic_bounds_the_beat(example: Instance) -> None:
    plan = schedule([Cluster(0, 0, 2, (I,)), Cluster(1, 1, 1, (I,))])
    for io, beat in [(33, 33), (34, 34)]:
        tables = replace(example.tables, io=np.array([[5, io], [0, 4]]))
        found = evaluate(replace(example, tables=tables), plan)
        assert (found.segments[0].dram, found.segments[0].beat) == (io, beat)
        assert found.latency == 21 + 9 * beat


def test_breakdown_by_segment_and_cluster(example: Instance) -> None:
    found = evaluate(example, schedule([Cluster(0, 0, 2, (I,)), Cluster(1, 1, 1, (W,))]))
    (segment,) = found.segments
    assert (segment.load, segment.dram, segment.beat, segment.beats) == (21, 7, 33, 9)
    assert segment.time == 21 + 9 * 33
    first, second = segment.clusters
    assert (first.time, second.time) == (24, 33)
    assert (first.memory, second.memory) == (30 + 8, 30 + 6)
    assert first.compute is None
    assert first.exchange is None


def test_memory_is_all_weights_and_the_largest_moment(example: Instance) -> None:
    tables = example.tables
    assert cluster_memory(tables, Cluster(0, 1, 3, (W, W))) == 60 + 30 + max(3, 2)
    assert cluster_memory(tables, Cluster(0, 1, 2, (I, W))) == 30 + 30 + max(8, 3)
    assert cluster_memory(tables, Cluster(0, 1, 2, (W, I))) == 60 + 15 + max(4, 6)


def test_utilisation_is_busy_chiplets_over_all(example: Instance) -> None:
    found = evaluate(example, schedule([Cluster(0, 0, 2, (I,)), Cluster(1, 1, 1, (I,))]))
    assert found.utilisation == pytest.approx(8 * (2 * 24 + 1 * 33) / (3 * (21 + 9 * 33)))
    found = evaluate(example, schedule([Cluster(0, 0, 2, (I,))], [Cluster(1, 1, 1, (I,))]))
    assert found.utilisation == pytest.approx(8 * (2 * 24 + 33) / (3 * (12 + 192 + 9 + 264)))


def test_nothing_to_do_takes_no_time(make_instance: MakeInstance) -> None:
    free = make_instance([[[0]]], batch=3)
    found = evaluate(free, schedule([Cluster(0, 0, 1, (I,))]))
    assert (found.latency, found.energy, found.edp) == (0, 0, 0)
    assert found.throughput == float("inf")
    assert found.utilisation == 1


# --- tiled segments ------------------------------------------------------------------------------


def test_a_tiled_segment_takes_load_and_a_beat_a_sample(example: Instance) -> None:
    tables = replace(example.tables, alone=np.array([20, -1]))
    instance = replace(example, tables=tables)
    tiled = Segment((Cluster(0, 0, 3, (I,)),), tiled=True)
    found = evaluate(instance, schedule(tiled, [Cluster(1, 1, 3, (W,))]))
    first = found.segments[0]
    assert (first.load, first.beat, first.beats, first.time) == (12, 20, 8, 12 + 8 * 20)
    assert first.dram == 0  # its traffic is in the beat
    assert first.clusters[0].memory == 0
    assert found.latency == 12 + 8 * 20 + 9 + 8 * 13


def test_a_tiled_segment_ignores_io_and_the_tables_of_a_cluster(
    make_instance: MakeInstance,
) -> None:
    instance = make_instance([[[50]]], batch=4, io=[[99]], exit=7, load=5, alone=3)
    tiled = Segment((Cluster(0, 0, 1, (I,)),), tiled=True)
    assert latency(instance, schedule(tiled)) == 5 + 4 * 3
    assert latency(instance, schedule([Cluster(0, 0, 1, (I,))])) == 5 + 4 * 99


# --- skip tensors --------------------------------------------------------------------------------


def skip_tensor(producer: int, consumers: tuple[int, ...], *, leaves: bool = False) -> Skip:
    """Receiving costs 100 at the first consumer, 200 at the second; twice that as WSP."""
    enter = np.array([[[100 * k], [200 * k]] for k in range(1, len(consumers) + 1)])
    enter = enter.reshape(len(consumers), 2, 1)
    leave, hold = np.array([7]), np.array([1000])
    return Skip("t", producer, consumers, leaves, enter, leave, hold, 3 * enter, 3 * leave)


def cluster(first: int, options: str) -> Cluster:
    """On one chiplet; a letter an option."""
    names = tuple({"I": I, "W": W}[letter] for letter in options)
    return Cluster(first, first + len(options) - 1, 1, names)


@pytest.mark.parametrize(
    ("first", "options", "cycles"),
    [
        (0, "I", 0),  # the producer is last: exit sends the tensor
        (0, "II", 7),  # used later
        (0, "III", 7),  # used inside and later, and still sent once
        (0, "IIIII", 0),  # used up inside
        (1, "I", 0),  # neither made nor read here
        (1, "II", 100),
        (1, "IW", 200),  # the consumer's option counts
        (1, "WI", 100),
        (2, "IIW", 100),  # once a cluster, at its first consumer
        (2, "WII", 200),
        (3, "WI", 200),
        (4, "WI", 400),
        (5, "I", 0),
    ],
)
def test_a_skip_tensor_enters_once_and_leaves_once(
    make_instance: MakeInstance, first: int, options: str, cycles: int
) -> None:
    tables = make_instance([[[0], [0]]] * 6, skips=(skip_tensor(0, (2, 4)),)).tables
    cost = cluster_cost(tables, cluster(first, options))
    assert (cost.time, cost.energy) == (cycles, 3 * cycles)


def test_every_cluster_that_reads_a_skip_tensor_receives_it(make_instance: MakeInstance) -> None:
    instance = make_instance([[[0], [0]]] * 5, skips=(skip_tensor(0, (2, 4)),))
    plan = schedule([cluster(0, "II")], [cluster(2, "I")], [cluster(3, "II")])
    assert [s.beat for s in evaluate(instance, plan).segments] == [7, 100, 200]


def test_a_tensor_from_outside_enters_and_never_leaves(make_instance: MakeInstance) -> None:
    tables = make_instance([[[0], [0]]] * 4, skips=(skip_tensor(-1, (1, 3)),)).tables
    assert cluster_cost(tables, cluster(0, "III")).time == 100
    assert cluster_cost(tables, cluster(2, "II")).time == 200


def test_a_result_leaves_unless_its_producer_is_last(make_instance: MakeInstance) -> None:
    for skip in (skip_tensor(1, (2,), leaves=True), skip_tensor(1, (), leaves=True)):
        tables = make_instance([[[0], [0]]] * 4, skips=(skip,)).tables
        assert cluster_cost(tables, cluster(0, "II")).time == 0
        assert cluster_cost(tables, cluster(0, "IIII")).time == 7
        assert cluster_cost(tables, cluster(1, "III")).time == 7


@pytest.mark.parametrize(
    ("first", "options", "held"),
    [
        (0, "II", 1000),  # waits while layer 1 runs
        (0, "I", 0),
        (1, "I", 0),  # never arrives here
        (1, "II", 0),  # arrives for layer 2, which counts it itself
        (2, "II", 1000),  # waits after layer 2, though layer 4 is in another cluster
        (3, "II", 0),
        (4, "II", 0),  # no use after layer 4
    ],
)
def test_a_skip_tensor_occupies_buffer_only_while_it_waits(
    make_instance: MakeInstance, first: int, options: str, held: int
) -> None:
    skips = (skip_tensor(0, (2, 4)),)
    tables = make_instance([[[0], [0]]] * 6, skips=skips, resident=1, working=20).tables
    assert cluster_memory(tables, cluster(first, options)) == len(options) + 20 + held


def test_the_waiting_tensor_counts_with_the_layer_during_which_it_waits(
    make_instance: MakeInstance,
) -> None:
    working = [[[500]], [[30]], [[500]]]
    skip = Skip(
        name="t",
        producer=0,
        consumers=(2,),
        leaves=False,
        enter=np.zeros((1, 1, 1), dtype=np.int64),
        leave=np.array([0]),
        hold=np.array([100]),
        enter_energy=np.zeros((1, 1, 1), dtype=np.int64),
        leave_energy=np.array([0]),
    )
    tables = make_instance([[[0]]] * 3, skips=(skip,), working=working).tables
    assert cluster_memory(tables, cluster(0, "III")) == 500
    larger = replace(tables, skips=(replace(skip, hold=np.array([480])),))
    assert cluster_memory(larger, cluster(0, "III")) == 30 + 480


# --- energy --------------------------------------------------------------------------------------


@pytest.fixture
def with_energy(example: Instance) -> Instance:
    """Digits tell tables apart: entry 1000s, step 100s, exit 10s, load 10^4, io 10^5."""
    energy = EnergyTables(
        entry=np.arange(1, 13).reshape(2, 2, 3) * 1000,
        step=np.arange(24).reshape(2, 2, 2, 3) * 100,
        exit=np.arange(1, 13).reshape(2, 2, 3) * 10,
        load=np.array([10_000, 20_000]),
        io=np.array([[100_000, 300_000], [0, 200_000]]),
        alone=np.array([5_000_000, 0]),
        leakage=3,
    )
    return replace(example, tables=replace(example.tables, alone=np.array([20, -1]), energy=energy))


def test_energy_is_the_samples_the_loads_and_the_leakage(with_energy: Instance) -> None:
    found = evaluate(with_energy, schedule([Cluster(0, 1, 3, (I, W))]))
    # entry[0, ISP, 3], step[1, ISP, WSP, 3], exit[1, WSP, 3], io[0][1]
    sample = 3000 + 1700 + 120 + 300_000
    assert found.segments[0].clusters[0].energy == 3000 + 1700 + 120
    assert found.segments[0].energy == 30_000 + 8 * sample
    cycles = 21 + 8 * (16 + 11 + 1)
    assert found.latency == cycles
    assert found.energy == 30_000 + 8 * sample + 3 * cycles
    assert found.edp == found.energy * cycles


def test_energy_adds_up_over_clusters_and_segments(with_energy: Instance) -> None:
    stages = [Cluster(0, 0, 2, (I,)), Cluster(1, 1, 1, (W,))]
    found = evaluate(with_energy, schedule(stages))
    sample = (2000 + 20) + (10_000 + 100) + 300_000
    assert found.energy == 30_000 + 8 * sample + 3 * (21 + 9 * 33)

    found = evaluate(with_energy, schedule(stages[:1], stages[1:]))
    first = 10_000 + 8 * (2000 + 20 + 100_000)
    second = 20_000 + 8 * (10_000 + 100 + 200_000)
    assert [s.energy for s in found.segments] == [first, second]
    assert found.energy == first + second + 3 * found.latency


def test_energy_of_a_tiled_segment(with_energy: Instance) -> None:
    tiled = Segment((Cluster(0, 0, 3, (I,)),), tiled=True)
    found = evaluate(with_energy, schedule(tiled, [Cluster(1, 1, 3, (W,))]))
    assert found.segments[0].energy == 10_000 + 8 * 5_000_000
    assert found.segments[0].clusters[0].energy == 5_000_000


# --- sums ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_the_breakdown_adds_up_to_the_total(seed: int) -> None:
    instance = random_instance(seed, layers=4, chiplets=4, options=2, shape="dag")
    plan = schedule(
        [Cluster(0, 0, 2, (I,)), Cluster(1, 2, 2, (W, I))],
        [Cluster(3, 3, 3, (W,))],
    )
    found = evaluate(instance, plan)
    tables, batch = instance.tables, instance.batch
    assert found.latency == latency(instance, plan) == sum(s.time for s in found.segments)
    leakage = tables.energy.leakage * found.latency
    assert found.energy == sum(s.energy for s in found.segments) + leakage
    for part, stages in zip(found.segments, plan.segments, strict=True):
        own = range(stages.first, stages.last + 1)
        assert part.load == sum(int(tables.load[layer]) for layer in own)
        assert part.dram == tables.io[stages.first, stages.last]
        assert part.beat == max(part.dram, *(c.time for c in part.clusters))
        assert part.beats == batch + len(stages.clusters) - 1
        assert part.time == part.load + part.beats * part.beat


def test_compute_and_exchange_are_the_time_of_a_stage() -> None:
    package = load_package("simba-4x4")
    instance = network_instance(build_network("resnet18"), package, batch=4)
    compute = instance.tables.compute
    assert compute is not None
    count = len(instance.tables.layers)
    options = [instance.tables.options[layer % 3] for layer in range(count)]
    clusters = [
        Cluster(first, min(first + 2, count - 1), 2, tuple(options[first : first + 3]))
        for first in range(0, count, 3)
    ]
    (segment,) = evaluate(instance, schedule(clusters)).segments
    for stage, cost in zip(clusters, segment.clusters, strict=True):
        own = range(stage.first, stage.last + 1)
        assert cost.compute == sum(int(compute[layer, layer % 3, 1]) for layer in own)
        assert cost.exchange is not None
        assert cost.exchange >= 0
        assert cost.compute + cost.exchange == cost.time


def test_every_cost_is_a_python_integer(example: Instance) -> None:
    found = evaluate(example, schedule([Cluster(0, 1, 3, (W, W))]))
    (segment,) = found.segments
    (stage,) = segment.clusters
    numbers = (found.latency, found.energy, *vars(segment).values(), stage.time, stage.memory)
    assert {type(n) for n in numbers} == {int, tuple}
