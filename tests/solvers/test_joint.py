"""Schedule and places at once: what CP-SAT proves is what trying everything finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, islice, pairwise, permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.cost import make_instance
from instances.generate import random_instance
from instances.instance import Instance
from instances.mesh import Mesh
from instances.network import Layer, Network
from instances.networks import build_network
from instances.package import Faults, Package, Tile
from instances.packages import load_package
from schedules.evaluate import cluster_memory
from schedules.place import with_places
from schedules.placed import placed_evaluation, placed_segment
from schedules.placement import misplaced, placement_cost, placement_problem
from schedules.schedule import Cluster, Schedule, Segment
from schedules.traffic import model_of
from schedules.verify import violations
from solvers.joint import place_jointly
from solvers.joint.regions import Regions
from solvers.placing import place
from solvers.solve import solve


def small_network(channels: list[int], side: int, kernel: int, skip: bool) -> Network:
    """A chain of convolutions; with a skip, the last one also adds what the first one made."""
    layers, tensor, depth = [], "x", 4
    for k, wide in enumerate(channels):
        addends = ("t0",) if skip and k == len(channels) - 1 > 1 else ()
        wide = channels[0] if addends else wide
        layers.append(
            Layer(
                f"layer{k}",
                "conv",
                wide,
                depth,
                (side, side),
                (kernel, kernel),
                inputs=(tensor,),
                addends=addends,
                outputs=((f"t{k}", (wide, side, side)),),
            )
        )
        tensor, depth = f"t{k}", wide
    return Network("small", (("x", (4, side, side)),), tuple(layers), results=(tensor,))


def small_package(
    mesh: tuple[int, int],
    buffer: int,
    bandwidth: int,
    hop_ns: float,
    overlap: bool,
    dram: int = 4 * 10**9,
) -> Package:
    """Chiplets of 16 MACs at one cycle a nanosecond; slow DRAM makes segments long."""
    base = load_package("simba-2x2")
    return replace(
        base,
        mesh=mesh,
        overlap=overlap,
        chiplet=replace(base.chiplet, array=(4, 4), clock_hz=10**9, buffer_bytes=buffer),
        nop=replace(base.nop, bandwidth=bandwidth, hop_ns=hop_ns),
        dram=replace(base.dram, bandwidth=dram),
    )


def by_trying_everything(instance: Instance) -> int | None:
    """The least latency of all schedules and places; None if none fits."""
    count, far = len(instance.layers), float("inf")
    reach = [0.0] + [far] * count
    for end in range(1, count + 1):
        for begin in range(end):
            if reach[begin] < far:
                costs = (placed_segment(instance, s).time for s in _segments(instance, begin, end))
                reach[end] = min(reach[end], reach[begin] + min(costs, default=far))
    return None if reach[-1] == far else int(reach[-1])


def _segments(instance: Instance, begin: int, end: int) -> Iterator[Segment]:
    if end == begin + 1 and instance.costs.tiled(begin) is not None:
        yield Segment((Cluster(begin, begin, instance.chiplets, ("ISP",)),), tiled=True)
    mesh = Mesh.of(model_of(instance).package)
    for inner in range(end - begin):
        for cuts in combinations(range(begin + 1, end), inner):
            borders = [begin, *cuts, end]
            parts = list(pairwise(borders))
            choices = [list(_clusters(instance, mesh, i, j - 1)) for i, j in parts]
            for clusters in product(*choices):
                tiles = [tile for cluster in clusters for tile in cluster.tiles or ()]
                if len(tiles) == len(set(tiles)):
                    yield Segment(clusters)


def _clusters(instance: Instance, mesh: Mesh, first: int, last: int) -> Iterator[Cluster]:
    for size in range(1, len(mesh.tiles) + 1):
        for tiles in combinations(mesh.tiles, size):
            if mesh.connected(tiles):
                for options in product(instance.options, repeat=last - first + 1):
                    cluster = Cluster(first, last, size, options, tiles)
                    if cluster_memory(instance.costs, cluster) <= instance.capacity:
                        yield cluster


networks = st.builds(
    small_network,
    channels=st.lists(st.sampled_from([2, 4, 8, 16]), min_size=2, max_size=3),
    side=st.sampled_from([1, 2, 4]),
    kernel=st.sampled_from([1, 3]),
    skip=st.booleans(),
)
packages = st.builds(
    small_package,
    mesh=st.sampled_from([(2, 1), (3, 1), (1, 3)]),
    buffer=st.sampled_from([600, 1500, 4000]),
    bandwidth=st.sampled_from([10**8, 4 * 10**8, 10**9, 10**11]),
    hop_ns=st.sampled_from([0, 3.5, 40.0, 200.0]),
    overlap=st.booleans(),
    dram=st.sampled_from([10**8, 4 * 10**9]),
)


def expect_the_optimum(instance: Instance) -> None:
    """That the joint optimum is proved and nothing beats it."""
    result = place_jointly(instance)
    best = by_trying_everything(instance)
    assert result.objective == best
    assert result.stop == ("infeasible" if best is None else "optimal")
    if result.schedule is not None:
        assert result.bound == best
        assert violations(instance, result.schedule) == []
        mesh = Mesh.of(model_of(instance).package)
        for segment in result.schedule.segments:
            for cluster in segment.clusters:
                assert cluster.tiles is not None
                assert mesh.connected(cluster.tiles)


@settings(max_examples=12)
@given(network=networks, package=packages, batch=st.sampled_from([1, 2, 16]))
def test_nothing_beats_the_proved_optimum_on_a_row(
    network: Network, package: Package, batch: int
) -> None:
    expect_the_optimum(make_instance(network, package, batch))


@settings(max_examples=8)
@given(
    channels=st.lists(st.sampled_from([4, 8, 16]), min_size=2, max_size=2),
    bandwidth=st.sampled_from([10**8, 10**9]),
    hop_ns=st.sampled_from([3.5, 40.0]),
    missing=st.booleans(),
)
def test_nothing_beats_the_proved_optimum_on_a_square(
    channels: list[int], bandwidth: int, hop_ns: float, missing: bool
) -> None:
    package = small_package((2, 2), 1500, bandwidth, hop_ns, overlap=True)
    if missing:
        package = replace(package, faults=Faults(missing=((1, 0),)))
    expect_the_optimum(make_instance(small_network(channels, 4, 3, skip=False), package, 8))


def pipeline() -> Instance:
    """Layers that fill a chiplet each, and DRAM so slow that they are best in one segment."""
    package = small_package((2, 2), 600, 4 * 10**8, 40.0, overlap=False, dram=10**8)
    return make_instance(small_network([8, 8, 4, 16], 1, 3, skip=True), package, 64)


def test_a_pipeline_is_proved_with_bounds_and_by_models_alone() -> None:
    instance = pipeline()
    result = place_jointly(instance)
    assert result.stop == "optimal"
    assert result.schedule is not None
    assert max(len(segment.clusters) for segment in result.schedule.segments) > 1
    alone = place_jointly(instance, bounds=False)
    assert (alone.stop, alone.objective, alone.bound) == ("optimal", result.objective, result.bound)
    assert alone.rounds > result.rounds


def by_hops(instance: Instance, schedule: Schedule) -> Schedule:
    """The schedule at the connected places with the fewest bytes times hops."""
    return place(instance, schedule, "exact", family="free", objective="hops").schedule


def test_held_schedules_keep_everything_but_their_places() -> None:
    instance = pipeline()
    counts = solve(instance, "exact", workers=1).schedule
    assert counts is not None
    second = place_jointly(instance, held=counts)
    best = place_jointly(instance)
    assert second.stop == best.stop == "optimal"
    assert second.schedule is not None
    assert [[replace(c, tiles=None) for c in s.clusters] for s in second.schedule.segments] == [
        [replace(c, tiles=None) for c in s.clusters] for s in counts.segments
    ]
    costs = [
        placed_evaluation(instance, placed).latency
        for placed in (by_hops(instance, counts), with_places(counts, (2, 2)))
    ]
    assert best.objective is not None
    assert second.objective is not None
    assert best.objective <= second.objective <= min(costs)


def test_fewest_byte_hops_are_fewer_than_those_of_any_other_places() -> None:
    instance = pipeline()
    counts = solve(instance, "exact", workers=1).schedule
    assert counts is not None
    found = by_hops(instance, counts)
    segment = max(found.segments, key=lambda own: len(own.clusters))
    problem = placement_problem(instance, segment)
    least = min(
        placement_cost(problem, places).byte_hops
        for order in permutations(problem.mesh.tiles)
        if not misplaced(problem, places := _cut(order, problem.sizes))
    )
    places = [cluster.tiles or () for cluster in segment.clusters]
    assert misplaced(problem, places) == []
    assert placement_cost(problem, places).byte_hops == least


def _cut(order: tuple[Tile, ...], sizes: tuple[int, ...]) -> list[tuple[Tile, ...]]:
    rest = iter(order)
    return [tuple(islice(rest, size)) for size in sizes]


def test_a_time_limit_leaves_a_valid_bound() -> None:
    instance = make_instance(build_network("alexnet"), load_package("simba-2x2"), 64)
    known = place_jointly(instance)
    hasty = place_jointly(instance, time_limit=0.0, start=known.schedule, bounds=False)
    assert hasty.stop == "time-limit"
    assert hasty.objective == known.objective
    assert hasty.bound is not None
    assert known.bound is not None
    assert hasty.bound < known.bound


@pytest.mark.parametrize("name", ["alexnet", "resnet18"])
def test_built_in_networks_are_proved_on_2_x_2(name: str) -> None:
    instance = make_instance(build_network(name), load_package("simba-2x2"), 64)
    result = place_jointly(instance)
    assert (result.stop, result.gap) == ("optimal", 0.0)
    assert result.schedule is not None
    assert violations(instance, result.schedule) == []


def test_large_meshes_and_table_instances_are_refused() -> None:
    large = make_instance(build_network("alexnet"), load_package("simba-4x4"), 64)
    with pytest.raises(ValueError, match="at most 12 chiplets, found 16"):
        place_jointly(large)
    with pytest.raises(ValueError, match="table instance"):
        place_jointly(random_instance(0, layers=2, chiplets=4))


@pytest.mark.parametrize(("mesh", "count"), [((2, 2), 13), ((3, 3), 218), ((3, 4), 1126)])
def test_all_connected_regions_are_known(mesh: tuple[int, int], count: int) -> None:
    regions = Regions(Mesh(mesh, 2))
    assert len(regions.tiles) == len(set(regions.tiles))
    every = [
        own
        for size in range(1, mesh[0] * mesh[1] + 1)
        for own in combinations(regions.mesh.tiles, size)
        if regions.mesh.connected(own)
    ]
    assert set(regions.tiles) == set(every)
    assert len(every) == count
