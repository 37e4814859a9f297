"""Every constraint: the tight schedule passes, one more breaks it, and the message says where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.cost import make_instance
from instances.generate import random_instance
from instances.instance import Instance
from instances.networks import build_network
from instances.package import Faults
from instances.packages import load_package
from instances.tables import Skip
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations

MakeInstance = Callable[..., Instance]
Tiles = tuple[tuple[int, int], ...]

I, W = "ISP", "WSP"  # noqa: E741


ALEXNET = make_instance(build_network("alexnet"), load_package("datacentre-4x4"), 2)


def on_faults(**faults: Any) -> Instance:
    """AlexNet on the same package with faults."""
    assert ALEXNET.network is not None
    package = replace(load_package("datacentre-4x4"), faults=Faults(**faults))
    return make_instance(ALEXNET.network, package, 2)


def alexnet(*tiles: tuple[int, int]) -> Schedule:
    """Its layers one after the other, the first on some tiles."""
    clusters = [Cluster(k, k, 12, (I,)) for k in range(len(ALEXNET.layers))]
    clusters[0] = replace(clusters[0], chiplets=len(tiles), tiles=tiles)
    return schedule(*([cluster] for cluster in clusters))


def schedule(*segments: Segment | list[Cluster]) -> Schedule:
    return Schedule(tuple(s if isinstance(s, Segment) else Segment(tuple(s)) for s in segments))


def one(instance: Instance, plan: Schedule) -> str:
    """The only violation."""
    (found,) = violations(instance, plan)
    return found


def layers(first: int, last: int, chiplets: int = 1) -> Cluster:
    """A cluster whose options are right."""
    return Cluster(first, last, chiplets, (I,) * (last - first + 1))


@pytest.fixture
def four(make_instance: MakeInstance) -> Instance:
    """Four layers a, b, c, d on three chiplets; everything fits."""
    return make_instance([[[1, 1, 1], [1, 1, 1]]] * 4)


def test_schedules_that_may_run(four: Instance, example: Instance) -> None:
    for plan in (
        schedule([layers(0, 3, 3)]),
        schedule([layers(0, 1, 2), layers(2, 3, 1)]),
        schedule([layers(0, 0, 3)], [layers(1, 2)], [layers(3, 3, 2)]),
    ):
        assert violations(four, plan) == []
    assert violations(example, schedule([Cluster(0, 1, 3, (W, W))])) == []


# --- every layer once, in order ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "parts"),
    [
        (schedule([layers(0, 2, 3)]), ["layers 3 to 3", "no cluster"]),
        (schedule([layers(0, 0)], [layers(1, 1)]), ["layers 2 to 3", "no cluster"]),
        (schedule([layers(0, 4, 3)]), ["layer 4", "last layer is 3"]),
        (schedule([layers(0, 3, 3)], [layers(4, 5, 3)]), ["layer 5", "last layer is 3"]),
        (schedule([layers(1, 3, 3)]), ["segment 0, cluster 0", "layer 1", "layer 0 comes next"]),
        (
            schedule([layers(0, 0), layers(2, 3)]),
            ["segment 0, cluster 1", "layer 2", "layer 1 comes next"],
        ),
        (
            schedule([layers(0, 1)], [layers(1, 3)]),
            ["segment 1, cluster 0", "layer 1", "layer 2 comes next"],
        ),
    ],
)
def test_layers_that_are_missing_doubled_or_unknown(
    four: Instance, plan: Schedule, parts: list[str]
) -> None:
    message = one(four, plan)
    for part in parts:
        assert part in message


def test_clusters_out_of_order(four: Instance) -> None:
    first, second, *_ = violations(four, schedule([layers(2, 3), layers(0, 1)]))
    assert "cluster 0 begins with layer 2" in first
    assert "cluster 1 begins with layer 0" in second


def test_a_cluster_that_runs_backwards(four: Instance) -> None:
    plan = schedule([Cluster(0, -1, 1, ()), layers(1, 3)])
    assert one(four, plan) == "segment 0, cluster 0 ends with layer -1, before its first 0"


def test_a_schedule_without_segments(four: Instance) -> None:
    assert one(four, Schedule(())) == "layers 0 to 3 are in no cluster"


def test_a_segment_without_clusters(four: Instance) -> None:
    plan = schedule([layers(0, 1)], [], [layers(2, 3)])
    assert one(four, plan) == "segment 1 has no cluster"


# --- chiplets ------------------------------------------------------------------------------------


def test_regions_of_a_segment_share_the_package(four: Instance) -> None:
    assert violations(four, schedule([layers(0, 1, 2), layers(2, 3, 1)])) == []
    message = one(four, schedule([layers(0, 1, 2), layers(2, 3, 2)]))
    assert message == "segment 0 uses 4 chiplets, the package has 3"
    # Segments run one after another: each has the whole package.
    assert violations(four, schedule([layers(0, 1, 3)], [layers(2, 3, 3)])) == []
    assert "segment 1 uses 4" in one(four, schedule([layers(0, 1, 3)], [layers(2, 3, 4)]))


@pytest.mark.parametrize("chiplets", [0, -1])
def test_a_cluster_has_at_least_one_chiplet(four: Instance, chiplets: int) -> None:
    message = one(four, schedule([layers(0, 1, 3), layers(2, 3, chiplets)]))
    assert message == f"segment 0, cluster 1 has {chiplets} chiplets, at least 1 is needed"


# --- options -------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), (I,), (I, I, I)])
def test_every_layer_has_one_option(four: Instance, options: tuple[str, ...]) -> None:
    message = one(four, schedule([layers(0, 1)], [Cluster(2, 3, 1, options)]))
    found = "1 option" if len(options) == 1 else f"{len(options)} options"
    assert message == f"segment 1, cluster 0 gives {found} for 2 layers"


def test_an_unknown_option_is_named_beside_the_known(four: Instance) -> None:
    message = one(four, schedule([Cluster(0, 3, 1, (I, "SWP", W, "SWP"))]))
    assert message == "segment 0, cluster 0: option 'SWP' is none of ISP, WSP"


# --- memory --------------------------------------------------------------------------------------


def with_capacity(instance: Instance, capacity: int) -> Instance:
    return replace(instance, tables=replace(instance.tables, capacity=capacity))


def test_all_weights_and_the_largest_moment_fit_the_buffer(example: Instance) -> None:
    plan = schedule([Cluster(0, 1, 3, (W, W))])
    assert violations(with_capacity(example, 60 + 30 + 3), plan) == []
    message = one(with_capacity(example, 60 + 30 + 2), plan)
    assert message == (
        "segment 0, cluster 0 (a to b on 3 chiplets) needs 93 bytes a chiplet, 1 more than the"
        " buffer of 92"
    )


def test_the_memory_of_unknown_layers_is_not_judged(make_instance: MakeInstance) -> None:
    instance = make_instance([[[1]]] * 4, capacity=90, resident=20)
    assert violations(instance, schedule([layers(0, 3)])) == []
    assert "layer 0 comes next" in one(instance, schedule([layers(-1, 3)]))
    assert "last layer is 3" in one(instance, schedule([layers(0, 4)]))


def test_each_cluster_has_its_own_buffers(example: Instance) -> None:
    plan = schedule([Cluster(0, 0, 2, (I,)), Cluster(1, 1, 1, (W,))])
    assert violations(with_capacity(example, 38), plan) == []
    message = one(with_capacity(example, 37), plan)
    assert "segment 0, cluster 0 (a on 2 chiplets) needs 38" in message
    assert len(violations(with_capacity(example, 35), plan)) == 2


def test_a_waiting_skip_tensor_needs_buffer(make_instance: MakeInstance) -> None:
    skip = Skip(
        name="t",
        producer=0,
        consumers=(2,),
        leaves=False,
        enter=np.zeros((1, 1, 1), dtype=np.int64),
        leave=np.array([0]),
        hold=np.array([91]),
        enter_energy=np.zeros((1, 1, 1), dtype=np.int64),
        leave_energy=np.array([0]),
    )
    instance = make_instance([[[1]]] * 3, skips=(skip,), resident=2, working=3)
    plan = schedule([layers(0, 2)])
    assert violations(instance, plan) == []
    assert "needs 100 bytes" in one(with_capacity(instance, 99), plan)
    assert violations(with_capacity(instance, 9), schedule([layers(0, 1)], [layers(2, 2)])) != []
    assert violations(with_capacity(instance, 7), schedule([layers(0, 0)], [layers(1, 2)])) == []


# --- tiles of the mesh ---------------------------------------------------------------------------


def placed(*regions: Tiles) -> Schedule:
    """Four layers in one cluster or in two, each on its tiles."""
    bounds = {1: [(0, 3)], 2: [(0, 1), (2, 3)]}[len(regions)]
    return schedule(
        [
            replace(layers(*ends, len(tiles)), tiles=tiles)
            for ends, tiles in zip(bounds, regions, strict=True)
        ]
    )


@pytest.fixture
def meshed(four: Instance) -> Instance:
    """The same on a mesh of three columns and one row."""
    return replace(four, package=replace(load_package("simba-4x4"), mesh=(3, 1)))


def test_tiles_are_as_many_as_the_chiplets(meshed: Instance) -> None:
    assert violations(meshed, placed(((0, 0), (1, 0)))) == []
    plan = schedule([replace(layers(0, 3, 3), tiles=((0, 0), (1, 0)))])
    assert one(meshed, plan) == "segment 0, cluster 0 has 3 chiplets but names 2 tiles"


@pytest.mark.parametrize("tile", [(3, 0), (0, 1), (-1, 0), (0, -1)])
def test_tiles_lie_on_the_mesh(meshed: Instance, tile: tuple[int, int]) -> None:
    assert violations(meshed, placed(((2, 0), (1, 0)))) == []
    message = one(meshed, placed(((2, 0), tile)))
    assert message == f"segment 0, cluster 0: tile {list(tile)} is not on the 3 x 1 mesh"


def test_regions_are_disjoint(meshed: Instance) -> None:
    assert violations(meshed, placed(((0, 0),), ((1, 0), (2, 0)))) == []
    message = one(meshed, placed(((0, 0), (1, 0)), ((1, 0),)))
    assert message == "segment 0: tile [1, 0] belongs to clusters 0 and 1"


def test_a_region_names_each_of_its_tiles_once(meshed: Instance) -> None:
    assert "tile [1, 0]" in one(meshed, placed(((1, 0), (1, 0))))


def test_regions_of_different_segments_may_share_tiles(meshed: Instance) -> None:
    first, second = (replace(layers(k, k + 1), tiles=((1, 0),)) for k in (0, 2))
    assert violations(meshed, schedule([first], [second])) == []


def test_a_region_is_connected(meshed: Instance) -> None:
    message = one(meshed, placed(((0, 0), (2, 0))))
    assert message == ("segment 0, cluster 0: its 2 tiles lie in 2 parts that no link joins")
    assert violations(meshed, placed(((0, 0),), ((2, 0),))) == []


@pytest.mark.parametrize("kind", ["chiplets", "missing"])
def test_a_region_lies_on_chiplets_that_compute(kind: str) -> None:
    assert violations(ALEXNET, alexnet((1, 0), (0, 0))) == []
    message = one(on_faults(**{kind: ((1, 0),)}), alexnet((1, 0), (0, 0)))
    assert message == (
        "segment 0, cluster 0: tile [1, 0] is among the package's faults, no chiplet computes there"
    )


def test_a_broken_link_does_not_join() -> None:
    cut = on_faults(links=(((0, 0), (1, 0)),))
    assert "2 parts" in one(cut, alexnet((1, 0), (0, 0)))
    assert violations(cut, alexnet((1, 0), (0, 0), (0, 1), (1, 1))) == []


def test_a_tiled_segment_takes_chiplets_that_no_link_joins() -> None:
    column = on_faults(chiplets=tuple((1, y) for y in range(4)))
    tiles = tuple((x, y) for x in (0, 2, 3) for y in range(4))
    for layer in range(len(ALEXNET.layers)):
        own = Cluster(layer, layer, 12, (I,), tiles)
        for tiled, parts in ((True, 0), (False, 1)):
            found = violations(column, schedule(Segment((own,), tiled=tiled)))
            assert sum("2 parts" in sentence for sentence in found) == parts


def test_tables_have_no_mesh_that_tiles_could_miss(four: Instance) -> None:
    assert violations(four, placed(((7, 7), (0, 0)))) == []


# --- tiled segments ------------------------------------------------------------------------------


@pytest.fixture
def tiling(make_instance: MakeInstance) -> Instance:
    """Layer a can be tiled, layer b cannot; a's weights exceed the buffer, b's do not."""
    entry, resident = [[[1, 1]], [[1, 1]]], [[[500, 500]], [[1, 1]]]
    return make_instance(entry, resident=resident, alone=[9, -1])


def test_a_tiled_layer_needs_no_memory(tiling: Instance) -> None:
    tiled = Segment((layers(0, 0, 2),), tiled=True)
    assert violations(tiling, schedule(tiled, [layers(1, 1)])) == []
    message = one(tiling, schedule([layers(0, 0, 2)], [layers(1, 1)]))
    assert "(a on 2 chiplets) needs 500 bytes a chiplet, 400 more" in message


def test_a_tiled_layer_takes_the_whole_package(tiling: Instance) -> None:
    message = one(tiling, schedule(Segment((layers(0, 0, 1),), tiled=True), [layers(1, 1)]))
    assert message == ("segment 0 is tiled, but has 1 chiplet: a tiled segment takes all 2")


def test_only_a_layer_with_a_tile_that_fits_is_tiled(tiling: Instance) -> None:
    first, second = (Segment((layers(k, k, 2),), tiled=True) for k in (0, 1))
    message = one(tiling, schedule(first, second))
    assert message == "segment 1: layer b cannot be tiled: no tile of it fits"


@pytest.mark.parametrize("clusters", [(layers(0, 1, 2),), (layers(0, 0), layers(1, 1))])
def test_a_tiled_segment_is_one_layer(tiling: Instance, clusters: tuple[Cluster, ...]) -> None:
    message = one(tiling, schedule(Segment(clusters, tiled=True)))
    assert message == "segment 0 is tiled, but holds more than one layer"


def test_the_options_of_a_tiled_layer_are_checked(tiling: Instance) -> None:
    wrong = Segment((Cluster(0, 0, 2, ("none",)),), tiled=True)
    assert "'none' is none of ISP" in one(tiling, schedule(wrong, [layers(1, 1)]))


# --- several at once -----------------------------------------------------------------------------


def test_all_violations_are_listed(example: Instance) -> None:
    small = with_capacity(example, 10)
    plan = schedule(
        [Cluster(0, 0, 3, (I,)), Cluster(0, 0, 2, ("XSP",))],
        [],
        [Cluster(2, 2, 0, (I, I))],
    )
    found = violations(small, plan)
    for part in (
        "segment 0, cluster 1 begins with layer 0, but layer 1",
        "segment 2, cluster 0 begins with layer 2, but layer 1",
        "runs to layer 2, but the last layer is 1",
        "segment 0, cluster 0 (a on 3 chiplets) needs 28",
        "segment 0, cluster 1: option 'XSP'",
        "segment 0 uses 5 chiplets",
        "segment 1 has no cluster",
        "segment 2, cluster 0 has 0 chiplets",
        "segment 2, cluster 0 gives 2 options for 1 layer",
    ):
        assert [part in message for message in found].count(True) == 1, part
    assert len(found) == 9


# --- a plain check -------------------------------------------------------------------------------


def needs(instance: Instance, cluster: Cluster) -> int:
    """Bytes a chiplet, read once more from the definition."""
    tables, c = instance.tables, cluster.chiplets - 1
    resident, moments = 0, []
    for layer in range(cluster.first, cluster.last + 1):
        option = tables.options.index(cluster.options[layer - cluster.first])
        resident += tables.resident[layer, option, c]
        moment = tables.working[layer, option, c]
        for skip in tables.skips:
            seen = {skip.producer, *skip.consumers} & set(range(cluster.first, layer))
            used_later = skip.leaves or max(skip.consumers) > layer
            if seen and used_later and layer not in skip.consumers:
                moment += skip.hold[c]
        moments.append(moment)
    return int(resident + max(moments))


@pytest.mark.parametrize("seed", range(40))
def test_the_limits_are_those_of_a_plain_check(seed: int) -> None:
    """Random schedules pass with just the buffer that they need, and not with a byte less."""
    instance = random_instance(seed, layers=5, chiplets=4, options=2, shape="dag")
    rng = np.random.default_rng(seed)
    for _ in range(10):
        plan: list[list[Cluster]] = [[]]
        first = 0
        while first < 5:
            last = int(rng.integers(first, 5))
            names = tuple(rng.choice([I, W], last - first + 1).tolist())
            free = 4 - sum(cluster.chiplets for cluster in plan[-1])
            if free == 0 or (free < 4 and rng.random() < 0.3):
                plan.append([])
                free = 4
            plan[-1].append(Cluster(first, last, int(rng.integers(1, free + 1)), names))
            first = last + 1
        every = [cluster for segment in plan for cluster in segment]
        need = max(needs(instance, cluster) for cluster in every)
        worst = [cluster for cluster in every if needs(instance, cluster) == need]
        assert violations(with_capacity(instance, need), schedule(*plan)) == []
        assert len(violations(with_capacity(instance, need - 1), schedule(*plan))) == len(worst)


# --- malformed schedules -------------------------------------------------------------------------

numbers = st.integers(-3, 6) | st.sampled_from([10**6, -(10**6), 2**70, -(2**70)])
clusters = st.builds(
    Cluster,
    first=numbers,
    last=numbers,
    chiplets=numbers,
    options=st.lists(st.sampled_from([I, W, "WSP-sharded", "", "ISP "]), max_size=5).map(tuple),
    tiles=st.none() | st.lists(st.tuples(numbers, numbers), max_size=4).map(tuple),
)
segments = st.builds(
    Segment, clusters=st.lists(clusters, max_size=3).map(tuple), tiled=st.booleans()
)


@settings(max_examples=300)
@given(
    plan=st.builds(Schedule, st.lists(segments, max_size=4).map(tuple)),
    seed=st.integers(0, 5),
    meshed=st.booleans(),
)
def test_no_schedule_makes_the_verifier_fail(plan: Schedule, seed: int, meshed: bool) -> None:
    instance = random_instance(seed, layers=4, chiplets=4, options=2, shape="dag")
    if meshed:
        package = replace(load_package("simba-4x4"), mesh=(2, 2))
        instance = replace(instance, package=package)
    found = violations(instance, plan)
    assert all(isinstance(message, str) and message for message in found)
    covered = [
        layer
        for segment in plan.segments
        for cluster in segment.clusters
        for layer in range(max(cluster.first, -9), min(cluster.last, 9) + 1)
    ]
    if covered != [0, 1, 2, 3]:
        assert found
