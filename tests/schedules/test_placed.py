"""What a placed schedule costs: by hand, and against the costs that know no places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.cost import make_instance
from instances.cost.placed import stage_cycles
from instances.generate import random_instance
from instances.instance import Instance
from instances.mesh import Mesh
from instances.network import Layer, Network
from instances.networks import build_network
from instances.package import Package, Tile
from instances.packages import load_package
from schedules.evaluate import cluster_cost, evaluate
from schedules.place import with_places
from schedules.placed import placed_evaluation, placed_segment
from schedules.schedule import Cluster, Schedule, Segment
from schedules.traffic import model_of

I, W, S = "ISP", "WSP", "WSP-sharded"  # noqa: E741


def package(mesh: tuple[int, int], *, hop_ns: float = 35, overlap: bool = False) -> Package:
    """A port passes a byte a cycle, a cycle is 2 ns."""
    simba = load_package("simba-2x2")
    nop = replace(simba.nop, bandwidth=simba.chiplet.clock_hz, hop_ns=hop_ns)
    return replace(simba, mesh=mesh, nop=nop, overlap=overlap)


def convolutions(count: int, *, skip: bool = False) -> Network:
    """1 x 1 convolutions of tensors of 256 bytes, 64 cycles each; with a skip, the last adds t0."""
    layers = []
    for k in range(count):
        reads = f"t{k - 1}" if k else "x"
        addends = ("t0",) if skip and k == count - 1 else ()
        made = ((f"t{k}", (4, 8, 8)),)
        layers.append(
            Layer(f"l{k}", "conv", 4, 4, (8, 8), inputs=(reads,), addends=addends, outputs=made)
        )
    return Network("row", (("x", (4, 8, 8)),), tuple(layers))


def singles(*tiles: Tile) -> Segment:
    """A layer on each tile."""
    return Segment(tuple(Cluster(k, k, 1, (I,), (tile,)) for k, tile in enumerate(tiles)))


def test_two_stages_on_a_square_by_hand() -> None:
    instance = make_instance(convolutions(2), package((2, 2)), 10)
    left, right = ((0, 0), (0, 1)), ((1, 0), (1, 1))
    segment = Segment((Cluster(0, 0, 2, (I,), left), Cluster(1, 1, 2, (I,), right)))
    cost = placed_segment(instance, segment)
    # Ports are at [0, 1] and [1, 1]. Both stages get 256 bytes over two hops, 35 cycles; they
    # compute 64 cycles, and send 128 bytes from each chiplet over one hop, 18 cycles.
    assert [stage.cycles for stage in cost.stages] == [64 + 256 + 35 + 128 + 18] * 2
    # From either port 128 bytes go to [0, 0] by way of [0, 1].
    assert cost.stages[0].link == 256
    # To the right region: 128 bytes from [1, 0] to [1, 1], and 64 of the results for that port.
    assert cost.stages[1].link == 128 + 64
    # From [1, 1] to [0, 1]: 128 of the input, 64 of the results.
    assert cost.link == 256
    assert cost.beat == 501
    assert cost.time == cost.load + 11 * 501


def test_a_busy_link_holds_up_the_beat() -> None:
    """The link [2, 0] to [3, 0] carries what goes from 0 to 5, from 1 to 4 and from 2 to 3."""
    instance = make_instance(convolutions(6), package((6, 1), hop_ns=0, overlap=True), 10)
    crossing = singles((0, 0), (5, 0), (1, 0), (4, 0), (2, 0), (3, 0))
    cost = placed_segment(instance, crossing)
    assert max(stage.cycles for stage in cost.stages) == 256 + (256 - 64)
    assert cost.link == cost.beat == 3 * 256
    along = placed_segment(instance, singles(*((x, 0) for x in range(6))))
    assert along.link < along.beat == 448


def test_a_far_sender_costs_hops_and_a_skip_tensor_has_a_way_of_its_own() -> None:
    instance = make_instance(convolutions(3, skip=True), package((4, 1)), 1)
    near = placed_segment(instance, singles((0, 0), (1, 0), (2, 0))).stages
    far = placed_segment(instance, singles((0, 0), (1, 0), (3, 0))).stages
    # The last stage is one hop farther from both: 35 - 18 cycles from its predecessor, and
    # 53 - 35 cycles for what the first stage made.
    assert far[2].cycles - near[2].cycles == (35 - 18) + (53 - 35)
    assert far[:2] == near[:2]


def test_inside_a_region_the_longest_way_counts() -> None:
    instance = make_instance(convolutions(2), package((3, 3)), 1)
    row = ((0, 0), (1, 0), (2, 0), (2, 1), (2, 2))
    cross = ((1, 0), (0, 1), (1, 1), (2, 1), (1, 2))
    one = [
        placed_segment(instance, Segment((Cluster(0, 1, 5, (I, I), tiles),))).stages[0].cycles
        for tiles in (row, cross)
    ]
    # From the ports at [0, 1] and [2, 1] 3 hops to the one and 2 to the other; within them 4 and 2.
    assert one[0] - one[1] == (53 - 35) + (70 - 35)


def test_a_tiled_segment_waits_for_its_links_too() -> None:
    fast = load_package("simba-3x3")
    slow = replace(fast, nop=replace(fast.nop, bandwidth=fast.nop.bandwidth // 64))
    tiled = Segment((Cluster(1, 1, 9, (I,)),), tiled=True)
    for base in (fast, slow):
        instance = make_instance(build_network("resnet18"), base, 4)
        cost = placed_segment(instance, tiled)
        alone = instance.costs.tiled(1)
        assert alone is not None
        assert cost.beat == max(alone[0], cost.link)
        assert (cost.link > alone[0]) == (base is slow)


def test_without_hops_and_with_endless_links_places_are_of_no_account() -> None:
    base = load_package("simba-3x3")
    free = replace(base, nop=replace(base.nop, bandwidth=10**15, hop_ns=0))
    instance = make_instance(build_network("resnet18"), free, 8)
    clusters = (
        Cluster(0, 3, 4, (W, I, S, W)),
        Cluster(4, 8, 3, (S,) * 5),
        Cluster(9, 20, 2, (I,) * 12),
    )
    schedule = with_places(Schedule((Segment(clusters),)), free.mesh)
    assert placed_evaluation(instance, schedule).latency == evaluate(instance, schedule).latency


RESNET = make_instance(build_network("resnet18"), load_package("simba-4x4"), 4)


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    first = draw(st.integers(0, 20))
    last = draw(st.integers(first, min(20, first + 5)))
    options = draw(
        st.lists(st.sampled_from([I, W, S]), min_size=last - first + 1, max_size=last - first + 1)
    )
    return Cluster(first, last, draw(st.integers(1, 16)), tuple(options))


@settings(max_examples=60)
@given(cluster=clusters())
def test_with_the_ways_that_the_tables_assume_a_stage_costs_what_the_tables_say(
    cluster: Cluster,
) -> None:
    facts = model_of(RESNET).facts
    way = int(facts.reach[cluster.chiplets])
    uses = facts.layers["uses"]
    ways = np.full(cluster.last - cluster.first + 1, way)
    skips = np.full(int(uses[cluster.last + 1] - uses[cluster.first]), way)
    options = np.array([RESNET.options.index(name) for name in cluster.options])
    cycles = stage_cycles(
        facts, cluster.first, cluster.last, options, cluster.chiplets, ways, skips
    )
    assert cycles == cluster_cost(RESNET.costs, cluster).time


@settings(max_examples=40)
@given(cluster=clusters(), data=st.data())
def test_longer_ways_and_slower_links_never_make_a_segment_faster(
    cluster: Cluster, data: st.DataObject
) -> None:
    mesh = Mesh.of(model_of(RESNET).package)
    tiles = tuple(data.draw(st.permutations(mesh.tiles))[: cluster.chiplets])
    segment = Segment((replace(cluster, tiles=tiles),))
    cost = placed_segment(RESNET, segment)
    for nop in (
        replace(load_package("simba-4x4").nop, hop_ns=70),
        replace(load_package("simba-4x4").nop, bandwidth=10**10),
    ):
        worse = replace(load_package("simba-4x4"), nop=nop)
        slower = placed_segment(make_instance(build_network("resnet18"), worse, 4), segment)
        assert slower.beat >= cost.beat
        assert slower.link >= cost.link
    assert cost.beat == max(cost.dram, cost.link, *(stage.time for stage in cost.stages))
    assert cost.stages[0].link <= cost.link


def test_without_a_place_or_a_network_there_is_no_such_cost() -> None:
    with pytest.raises(ValueError, match="layers 0 to 1 has no place"):
        placed_segment(RESNET, Segment((Cluster(0, 1, 2, (I, I)),)))
    tables: Instance = random_instance(0)
    with pytest.raises(ValueError, match="table instance"):
        placed_evaluation(tables, Schedule((Segment((Cluster(0, 0, 1, (I,), ((0, 0),)),)),)))
