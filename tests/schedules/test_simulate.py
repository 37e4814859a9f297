"""Simulated runs: timelines worked out by hand, and what holds for every schedule."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.cost import make_instance
from instances.generate import random_instance
from instances.instance import Instance
from instances.mesh import Mesh
from instances.network import Layer, Network
from instances.networks import build_network
from instances.package import Faults, Package
from instances.packages import load_package
from schedules.evaluate import cluster_memory, segment_cost
from schedules.place import with_places
from schedules.placement import link_loads, placement_problem
from schedules.schedule import Cluster, Schedule, Segment
from schedules.simulate import Simulation, simulate, write_trace
from schedules.simulate.clock import Clock, Steps
from schedules.simulate.fabric import Fabric, shared
from schedules.simulate.plan import Cargo
from schedules.simulate.record import Span
from solvers.solve import solve

HOP, ACCESS = 3, 10


def package(columns: int = 4, *, overlap: bool = True, rows: int = 1, dram: int = 1) -> Package:
    """One byte a cycle through a port, two of the DRAM's with `dram` bytes; one MAC a chiplet."""
    simba = load_package("simba-4x4")
    return replace(
        simba,
        mesh=(columns, rows),
        overlap=overlap,
        chiplet=replace(simba.chiplet, array=(1, 1), clock_hz=10**9, buffer_bytes=10**6),
        nop=replace(simba.nop, bandwidth=10**9, hop_ns=float(HOP)),
        dram=replace(simba.dram, ports=2, bandwidth=dram * 10**9, latency_ns=float(ACCESS)),
    )


def conv(name: str, source: str, channels: int = 2, depth: int = 2, **more: object) -> Layer:
    """1x1 on 2x2 positions: depth times channels weights, four times as many cycles."""
    layer = Layer(
        name,
        "conv",
        channels,
        depth,
        (2, 2),
        inputs=(source,),
        outputs=((name, (channels, 2, 2)),),
    )
    return replace(layer, **more)  # type: ignore[arg-type]


def network(*layers: Layer) -> Network:
    return Network("small", (("x", (2, 2, 2)),), layers)


def stages(*chiplets: int, options: str = "ISP") -> Schedule:
    """One segment, a layer a cluster."""
    clusters = tuple(Cluster(k, k, n, (options,)) for k, n in enumerate(chiplets))
    return Schedule((Segment(clusters),))


def spans(run: Simulation, track: str, what: str) -> list[Span]:
    return [span for span in run.spans if (span.track, span.what) == (track, what)]


# --- by hand -------------------------------------------------------------------------------------


def test_one_layer_on_one_chiplet_that_overlaps() -> None:
    """Weights: 4 bytes at 2 a cycle and an access. Each sample: 16 cycles hide 8 for its input."""
    instance = make_instance(network(conv("a", "x")), package(), 2)
    run = simulate(instance, stages(1), contention=False)
    (segment,) = run.segments
    assert (segment.start, segment.loaded) == (0, 2 + ACCESS)
    assert [s[-2:] for s in spans(run, "cluster 0", "sample")] == [(12, 28), (28, 44)]
    assert run.makespan == segment.end == 44 + 4, "the last result is written, 8 bytes at 2 a cycle"
    assert run.busy[0, 0] == 32 / 48
    assert run.busy[1, 0] == 0


def test_one_layer_on_one_chiplet_that_does_not_overlap() -> None:
    """Each sample: 8 cycles for its input, 16 to compute, 8 and a hop to send."""
    instance = make_instance(network(conv("a", "x")), package(overlap=False), 2)
    run = simulate(instance, stages(1), contention=False)
    assert run.makespan == 12 + 2 * (8 + 16 + 8 + HOP) + 4


def test_what_the_array_does_not_hide_of_the_sending_follows_after() -> None:
    """4 channels at 4 positions take 16 cycles; their 16 bytes and a hop take 19 to be sent."""
    layers = conv("a", "x"), conv("b", "a", 4, groups=2)
    run = simulate(make_instance(network(*layers), package(), 1), stages(1, 1), contention=False)
    (sent,) = spans(run, "cluster 1 ports", "send")
    (computed,) = spans(run, "cluster 1", "compute")
    assert computed.end - computed.start == 16
    assert (sent.start, sent.end) == (computed.end, computed.end + HOP)


def test_skip_tensors_come_before_the_layer_and_leave_after_the_last() -> None:
    """Layer c adds what a made: 8 bytes, one sample; a is not its cluster's last layer."""
    layers = conv("a", "x"), conv("b", "a"), conv("c", "b", addends=("a",))
    instance = make_instance(network(*layers), package(), 1)
    clusters = Cluster(0, 1, 1, ("ISP",) * 2), Cluster(2, 2, 1, ("ISP",))
    run = simulate(instance, Schedule((Segment(clusters),)), contention=False)
    (sent,) = spans(run, "cluster 0 ports", "send")
    assert sent.end - sent.start == 8 + HOP, "what b made is hidden, what a made is not"
    skip, chain = spans(run, "cluster 1 ports", "take in")
    (computed,) = spans(run, "cluster 1", "compute")
    assert (skip.start, skip.end) == (sent.end, sent.end + 8)
    assert chain.start == computed.start == skip.end


def test_a_skip_tensor_is_under_way_until_its_last_reader_has_it() -> None:
    """What a made waits for d, behind c; when b has sent, too, 16 bytes are in nobody's buffer."""
    layers = conv("a", "x"), conv("b", "a"), conv("c", "b"), conv("d", "c", addends=("a",))
    clusters = (*stages(1, 1).segments[0].clusters, Cluster(2, 3, 1, ("ISP",) * 2))
    instance = make_instance(network(*layers), package(), 1)
    assert simulate(instance, Schedule((Segment(clusters),)), contention=False).between == 16


def test_the_slowest_resource_sets_the_beat_be_it_the_dram() -> None:
    """At a byte a cycle, 8 in and 8 out take the DRAM 16 cycles a sample; the stage takes 11."""
    slow = replace(package().dram, bandwidth=5 * 10**8)
    layer = conv("a", "x", groups=2)
    instance = make_instance(network(layer), replace(package(), dram=slow), 32)
    cost = segment_cost(instance, stages(1).segments[0])
    assert (cost.dram, cost.clusters[0].time) == (16, 11)
    run = simulate(instance, stages(1), contention=False)
    assert cost.load + 32 * 16 <= run.makespan <= cost.load + 33 * 16


def test_a_producer_waits_until_one_of_its_two_results_is_taken() -> None:
    """The first stage takes 16 cycles, the second 64: it sets the pace of both."""
    layers = conv("a", "x"), conv("b", "a", 8)
    run = simulate(make_instance(network(*layers), package(), 8), stages(1, 1), contention=False)
    made = [span.start for span in spans(run, "cluster 0", "compute")]
    taken = [span.end for span in spans(run, "cluster 1 ports", "take in")]
    assert made[3:] == taken[1:-2], "the place of the result before the last is free just then"
    assert set(np.diff(made)[3:].tolist()) == {64}


def test_a_stage_works_on_one_sample_at_a_time_and_needs_the_one_before_it() -> None:
    instance = make_instance(build_network("googlenet"), load_package("simba-4x4"), 5)
    count = len(instance.layers)
    half = [tuple(["WSP-sharded"] * n) for n in (count // 2, count - count // 2)]
    clusters = Cluster(0, count // 2 - 1, 8, half[0]), Cluster(count // 2, count - 1, 8, half[1])
    run = simulate(instance, Schedule((Segment(clusters),)))
    first, second = (spans(run, f"cluster {k}", "sample") for k in range(2))
    for own in (first, second):
        assert all(a.end <= b.start for a, b in pairwise(own))
    assert all(a.end <= b.start for a, b in zip(first, second, strict=True))


# --- shares --------------------------------------------------------------------------------------


def test_flows_share_a_link_evenly_and_the_last_one_has_it_alone() -> None:
    """10 bytes from cycle 0 and 10 from cycle 4: 4 + 6 at half speed end at 16, the rest at 20."""
    clock = Clock()
    fabric = Fabric(clock, package(), 1)
    ends = []

    def carry(start: int) -> Steps:
        yield clock.timeout(start)
        yield fabric.deliver(Cargo(10, 0, np.array([10]), 0))
        ends.append(clock.cycle)

    clock.process(carry(0))
    clock.process(carry(4))
    clock.run()
    assert ends == [16, 20]


def test_rates_are_max_min_fair() -> None:
    """Two resources of 1 and 2: the flow on both shares the narrow one, the other gets the rest."""
    use = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    free = np.full(3, np.inf)
    assert shared(use, free, np.array([1.0, 2.0])).tolist() == [0.5, 0.5, 1.5]
    limited = np.array([0.2, np.inf, np.inf])
    assert shared(use, limited, np.array([1.0, 2.0])).tolist() == pytest.approx([0.2, 0.8, 1.8])


def test_two_regions_that_read_from_the_dram_at_once_share_it() -> None:
    """Both layers read x; it is read once a sample, and both wait for it."""
    layers = conv("a", "x"), conv("b", "a", addends=("x",))
    run = simulate(make_instance(network(*layers), package(), 4), stages(1, 1), contention=False)
    assert len(spans(run, "DRAM", "read")) == 4


# --- for every schedule --------------------------------------------------------------------------


@pytest.mark.parametrize("contention", [False, True])
def test_links_carry_what_the_link_model_says(contention: bool) -> None:
    instance = make_instance(build_network("alexnet"), load_package("simba-4x4"), 3)
    schedule = with_places(solve(instance, "scope").schedule or Schedule(()), (4, 4))
    assert any(segment.tiled for segment in schedule.segments)
    run = simulate(instance, schedule, contention)
    expected = np.zeros(len(Mesh.of(load_package("simba-4x4")).links), dtype=np.int64)
    for segment in schedule.segments:
        places = [cluster.tiles or () for cluster in segment.clusters]
        expected += link_loads(placement_problem(instance, segment), places)
    links = Mesh.of(load_package("simba-4x4")).links
    assert [run.links.get(link, 0) for link in links] == expected.tolist()


def drawn(seed: int, hop_ns: float = float(HOP)) -> tuple[Instance, Schedule]:
    """A network with skip tensors, a small package, a schedule with places."""
    draw = Random(seed)
    count, channels = draw.randint(2, 6), draw.randint(1, 4)
    layers: list[Layer] = []
    for k in range(count):
        earlier = [layer.name for layer in layers[:-1]]
        addends = (draw.choice(earlier),) if earlier and draw.random() < 0.5 else ()
        kernel, source = draw.choice([1, 3]), layers[-1].name if layers else "x"
        layers.append(
            Layer(
                f"l{k}",
                "conv",
                channels,
                channels,
                (6, 6),
                (kernel, kernel),
                inputs=(source,),
                addends=addends,
                outputs=((f"l{k}", (channels, 6, 6)),),
            )
        )
    size = draw.randint(1, 4), draw.randint(1, 3)
    given = package(size[0], overlap=draw.random() < 0.5, rows=size[1], dram=draw.randint(1, 4))
    if draw.random() < 0.5:
        given = replace(given, chiplet=replace(given.chiplet, dataflow="output-stationary"))
    given = replace(given, nop=replace(given.nop, hop_ns=hop_ns))
    net = Network("drawn", (("x", (channels, 6, 6)),), tuple(layers))
    instance = make_instance(net, given, draw.randint(1, 6))
    return instance, with_places(_drawn_schedule(draw, instance), size)


def _drawn_schedule(draw: Random, instance: Instance) -> Schedule:
    count, segments, first = len(instance.layers), [], 0
    while first < count:
        clusters, free, last = [], instance.chiplets, draw.randint(first, count - 1)
        while first <= last and free:
            end = last if free == 1 else draw.randint(first, last)
            n = draw.randint(1, free)
            options = tuple(draw.choices(instance.options, k=end - first + 1))
            clusters.append(Cluster(first, end, n, options))
            first, free = end + 1, free - n
        segments.append(Segment(tuple(clusters)))
    return Schedule(tuple(segments))


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_no_run_is_faster_than_its_beats_or_holds_more_than_its_memory(seed: int) -> None:
    instance, schedule = drawn(seed)
    run = simulate(instance, schedule, contention=False)
    allowed = dict.fromkeys(run.high_water, 0)
    for segment, own in zip(schedule.segments, run.segments, strict=True):
        cost = segment_cost(instance, segment)
        assert own.end - own.start >= cost.load + instance.batch * cost.beat
        for cluster in segment.clusters:
            for tile in cluster.tiles or ():
                allowed[tile] = max(allowed[tile], cluster_memory(instance.costs, cluster))
    assert all(held <= allowed[tile] for tile, held in run.high_water.items())


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_links_only_hold_up(seed: int) -> None:
    """Without the time of hops, which real places may make shorter, too."""
    instance, schedule = drawn(seed, hop_ns=0.0)
    without, run = (simulate(instance, schedule, contention) for contention in (False, True))
    assert run.makespan >= without.makespan
    assert run.links == without.links
    assert run.high_water == without.high_water


def test_each_chiplet_has_the_high_water_mark_of_all_its_regions() -> None:
    """The first segment fills (0, 0) with 32 bytes of weights, the second holds less on both."""
    layers = conv("a", "x", 16), conv("b", "a", 2, 16)
    clusters = Cluster(0, 0, 1, ("ISP",)), Cluster(1, 1, 2, ("ISP",))
    instance = make_instance(network(*layers), package(), 1)
    run = simulate(instance, Schedule(tuple(Segment((own,)) for own in clusters)))
    first, second = (cluster_memory(instance.costs, own) for own in clusters)
    assert first > second
    held = [run.high_water[x, 0] for x in range(3)]
    assert held == [first, second, 0]


def test_two_runs_are_the_same() -> None:
    instance, schedule = drawn(7)
    assert simulate(instance, schedule) == simulate(instance, schedule)


def test_a_tiled_segment_takes_its_beat_a_sample() -> None:
    """As the formula has it; more only for an access a tile and for bytes that do not divide."""
    instance = make_instance(build_network("vgg16"), load_package("simba-4x4"), 8)
    layer = len(instance.layers) - 3
    whole = Segment((Cluster(layer, layer, 16, ("ISP",)),), tiled=True)
    run = simulate(instance, Schedule((whole,)), contention=False)
    expected = segment_cost(instance, whole).time
    assert expected <= run.makespan <= 1.01 * expected
    assert 0 < max(run.high_water.values()) <= instance.capacity


# --- edges ---------------------------------------------------------------------------------------


def test_a_table_instance_is_refused() -> None:
    instance = random_instance(1, layers=1, chiplets=1)
    with pytest.raises(ValueError, match="network on a package"):
        simulate(instance, stages(1))


def test_places_without_a_chiplet_that_computes_are_refused() -> None:
    broken = replace(package(), faults=Faults(chiplets=((0, 2),)))
    instance = make_instance(network(conv("a", "x")), broken, 1)
    schedule = Schedule((Segment((Cluster(0, 0, 1, ("ISP",), ((0, 2),)),)),))
    with pytest.raises(ValueError, match=r"no chiplet computes at \[0, 2\]"):
        simulate(instance, schedule)


def test_a_trace_has_a_process_a_segment_and_a_thread_a_stage(tmp_path: Path) -> None:
    instance = make_instance(network(conv("a", "x"), conv("b", "a")), package(), 3)
    run = simulate(instance, stages(1, 1))
    write_trace(run, tmp_path / "run.json")
    events = json.loads((tmp_path / "run.json").read_text())["traceEvents"]
    names = {e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert {"cluster 0", "cluster 1", "cluster 0 ports", "DRAM"} <= names
    samples = [e for e in events if e.get("cat") == "sample"]
    assert len(samples) == 2 * 3
    assert max(e["ts"] + e["dur"] for e in events if e["ph"] == "X") == run.makespan
