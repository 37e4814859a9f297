"""Whether a schedule may run: every violation, in the user's words."""

from __future__ import annotations

from collections.abc import Iterator

from instances.compressed_costs import costs_of
from instances.compression import MILLION
from instances.instance import Instance
from instances.mesh import Mesh
from instances.package import Tile
from schedules.evaluate import cluster_memory
from schedules.schedule import Cluster, Schedule, Segment, counted


def violations(instance: Instance, schedule: Schedule) -> list[str]:
    """Every constraint that the schedule breaks, a sentence each; empty if it may run."""
    unknown = list(_unknown_ratios(instance, schedule))
    if unknown:  # there are no costs with such ratios
        schedule = Schedule(schedule.segments)
    rest = [*_order(instance, schedule), *_segments(instance, schedule)]
    return [*rest, *unknown, *_lost(instance, schedule)]


def _unknown_ratios(instance: Instance, schedule: Schedule) -> Iterator[str]:
    """There must be one for every layer, and such as its output may have."""
    given, ratios, layers = instance.compression, schedule.ratios, instance.layers
    if not ratios:
        return
    if given is None:
        yield "the schedule compresses, but nothing says what may be compressed, and at what loss"
        return
    if len(ratios) != len(layers):
        of = counted(len(layers), "layer")
        yield f"the schedule gives {counted(len(ratios), 'ratio')} for {of}"
        return
    for name, ratio, losses in zip(layers, ratios, given.losses.tolist(), strict=True):
        known = [r for r, loss in zip(given.ratios, losses, strict=True) if loss >= 0]
        if ratio not in known:
            allowed = ", ".join(map(str, known))
            yield f"the output of {name} is compressed {ratio} to 1, but may have {allowed}"


def _lost(instance: Instance, schedule: Schedule) -> Iterator[str]:
    """All losses together are within the budget."""
    given = instance.compression
    if given is None or not schedule.ratios:
        return
    lost = given.loss(given.choices(schedule.ratios))
    if lost > given.budget:
        more, budget = (lost - given.budget) / MILLION, given.budget / MILLION
        yield f"compression loses {lost / MILLION:g}, {more:g} more than the budget of {budget:g}"


def _order(instance: Instance, schedule: Schedule) -> Iterator[str]:
    """Clusters must cover layers 0..L-1 once each, in order."""
    count = len(instance.layers)
    expected = 0
    for place, cluster in _clusters(schedule):
        if cluster.first != expected:
            yield (
                f"{place} begins with layer {cluster.first}, but layer {expected} comes next:"
                " clusters must cover every layer once, in order"
            )
        if cluster.last < cluster.first:
            yield f"{place} ends with layer {cluster.last}, before its first {cluster.first}"
        expected = max(cluster.last, cluster.first) + 1
    if expected < count:
        yield f"layers {expected} to {count - 1} are in no cluster"
    elif expected > count:
        yield f"the schedule runs to layer {expected - 1}, but the last layer is {count - 1}"


def _clusters(schedule: Schedule) -> Iterator[tuple[str, Cluster]]:
    for s, segment in enumerate(schedule.segments):
        for k, cluster in enumerate(segment.clusters):
            yield f"segment {s}, cluster {k}", cluster


def _segments(instance: Instance, schedule: Schedule) -> Iterator[str]:
    for s, segment in enumerate(schedule.segments):
        if not segment.clusters:
            yield f"segment {s} has no cluster"
            continue
        for k, cluster in enumerate(segment.clusters):
            place = f"segment {s}, cluster {k}"
            yield from _region(instance, place, cluster, segment.tiled)
            yield from _options(instance, place, cluster)
            if not segment.tiled:
                yield from _memory(instance, place, cluster, schedule.ratios)
        yield from _regions(instance, f"segment {s}", segment)
        if segment.tiled:
            yield from _tiled(instance, f"segment {s}", segment, schedule.ratios)


def _region(instance: Instance, place: str, cluster: Cluster, tiled: bool) -> Iterator[str]:
    if cluster.chiplets < 1:
        yield f"{place} has {cluster.chiplets} chiplets, at least 1 is needed"
    tiles = cluster.tiles
    if tiles is None:
        return
    if len(tiles) != cluster.chiplets:
        chiplets = counted(cluster.chiplets, "chiplet")
        yield f"{place} has {chiplets} but names {counted(len(tiles), 'tile')}"
    if instance.package is not None:
        yield from _tiles(Mesh.of(instance.package), place, tiles, tiled)


def _tiles(mesh: Mesh, place: str, tiles: tuple[Tile, ...], tiled: bool) -> Iterator[str]:
    """A region must lie on chiplets that compute and hang together."""
    columns, rows = mesh.size
    for x, y in tiles:
        if not (0 <= x < columns and 0 <= y < rows):
            yield f"{place}: tile [{x}, {y}] is not on the {columns} x {rows} mesh"
        elif (x, y) not in mesh.usable:
            fault = "is among the package's faults, no chiplet computes there"
            yield f"{place}: tile [{x}, {y}] {fault}"
    # A tiled segment takes what chiplets there are.
    if mesh.usable.issuperset(tiles) and not tiled and not mesh.connected(tiles):
        parts = counted(len(mesh.parts(tiles)), "part")
        yield f"{place}: its {len(tiles)} tiles lie in {parts} that no link joins"


def _options(instance: Instance, place: str, cluster: Cluster) -> Iterator[str]:
    known = instance.options
    expected = cluster.last - cluster.first + 1
    if len(cluster.options) != expected:
        options = counted(len(cluster.options), "option")
        yield f"{place} gives {options} for {counted(expected, 'layer')}"
    for name in dict.fromkeys(cluster.options):
        if name not in known:
            yield f"{place}: option {name!r} is none of {', '.join(known)}"


def _memory(
    instance: Instance, place: str, cluster: Cluster, ratios: tuple[int, ...]
) -> Iterator[str]:
    layers, capacity = instance.layers, instance.capacity
    if not _can_be_costed(instance, cluster):
        return
    need = cluster_memory(costs_of(instance, ratios), cluster)
    if need > capacity:
        names = " to ".join(dict.fromkeys((layers[cluster.first], layers[cluster.last])))
        chiplets = counted(cluster.chiplets, "chiplet")
        yield (
            f"{place} ({names} on {chiplets}) needs {need} bytes a chiplet,"
            f" {need - capacity} more than the buffer of {capacity}"
        )


def _can_be_costed(instance: Instance, cluster: Cluster) -> bool:
    """Whether the tables have entries for the cluster; if not, another violation says why."""
    return (
        0 <= cluster.first <= cluster.last < len(instance.layers)
        and 1 <= cluster.chiplets <= instance.chiplets
        and len(cluster.options) == cluster.last - cluster.first + 1
        and all(name in instance.options for name in cluster.options)
    )


def _regions(instance: Instance, place: str, segment: Segment) -> Iterator[str]:
    used, limit = sum(c.chiplets for c in segment.clusters), instance.chiplets
    if used > limit:
        yield f"{place} uses {counted(used, 'chiplet')}, the package has {limit}"
    owners: dict[Tile, int] = {}
    for k, cluster in enumerate(segment.clusters):
        for tile in cluster.tiles or ():
            if tile in owners:
                yield f"{place}: tile {list(tile)} belongs to clusters {owners[tile]} and {k}"
            owners[tile] = k


def _tiled(
    instance: Instance, place: str, segment: Segment, ratios: tuple[int, ...]
) -> Iterator[str]:
    cluster, chiplets = segment.clusters[0], instance.chiplets
    if len(segment.clusters) != 1 or cluster.first != cluster.last:
        yield f"{place} is tiled, but holds more than one layer"
        return
    if cluster.chiplets != chiplets:
        yield (
            f"{place} is tiled, but has {counted(cluster.chiplets, 'chiplet')}: a tiled segment"
            f" takes all {chiplets}"
        )
    layers = instance.layers
    if not 0 <= cluster.first < len(layers):
        return
    name = layers[cluster.first]
    if instance.costs.tiled(cluster.first) is None:
        yield f"{place}: layer {name} cannot be tiled: no tile of it fits"
    elif costs_of(instance, ratios).tiled(cluster.first) is None:
        yield (
            f"{place}: layer {name} is tiled, which leaves no place for coders, but a tensor that"
            " it reads or makes is compressed"
        )
