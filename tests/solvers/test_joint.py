"""Schedule and places at once: what CP-SAT proves is what trying everything finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise, product

from hypothesis import given, settings
from hypothesis import strategies as st

from instances.cost import make_instance
from instances.instance import Instance
from instances.mesh import Mesh
from instances.network import Layer, Network
from instances.package import Faults, Package
from instances.packages import load_package
from schedules.evaluate import cluster_memory
from schedules.placed import placed_segment
from schedules.schedule import Cluster, Segment
from schedules.traffic import model_of
from schedules.verify import violations
from solvers.joint import place_jointly


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


@settings(max_examples=25)
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
