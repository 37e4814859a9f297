"""Where the regions of a segment lie: the problem, and what a place costs.

Sizes of regions and their traffic are given; places are asked for. Times of the schedule do not
depend on them, loads of links do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from instances.instance import Instance
from instances.mesh import Mesh
from instances.package import Tile
from instances.tables import Ints
from schedules.schedule import Segment
from schedules.traffic import Flow, Places, Stream, flows, loads_of, model_of


@dataclass(frozen=True)
class PlacementProblem:
    """The regions of a segment and what they send to one another.

    Attributes:
        mesh: where they shall lie.
        sizes: [K] chiplets of each region.
        streams: by ends; bytes are those of the whole batch.
    """

    mesh: Mesh
    sizes: tuple[int, ...]
    streams: tuple[Stream, ...]


@dataclass(frozen=True)
class PlacementCost:
    """What places cost.

    Attributes:
        byte_hops: bytes times links that they take, in the whole batch.
        busiest: bytes on the link with the most.
    """

    byte_hops: int
    busiest: int


def placement_problem(instance: Instance, segment: Segment) -> PlacementProblem:
    """The problem of a segment; its own places, if it has any, play no part.

    Raises:
        ValueError: a table instance.
    """
    mesh = Mesh.of(model_of(instance).package)
    sizes = tuple(cluster.chiplets for cluster in segment.clusters)
    return PlacementProblem(mesh, sizes, tuple(streams(flows(instance, segment), instance.batch)))


def streams(given: Sequence[Flow], batch: int) -> list[Stream]:
    """Flows with the same ends as one, over a batch."""
    total: Counter[tuple[int, int, bool]] = Counter()
    for flow in given:
        times = 1 if flow.once else batch
        total[flow.sender, flow.receiver, flow.multicast] += times * flow.bytes
    return [Stream(*ends[:2], amount, ends[2]) for ends, amount in sorted(total.items())]


def link_loads(problem: PlacementProblem, places: Places) -> Ints:
    """[links] bytes of the whole batch on each link of the mesh."""
    total = np.zeros(len(problem.mesh.links), dtype=np.int64)
    for stream in problem.streams:
        total += loads_of(stream, problem.mesh, places)
    return total


def placement_cost(problem: PlacementProblem, places: Places) -> PlacementCost:
    """What places cost, by the load of every link."""
    loads = link_loads(problem, places)
    return PlacementCost(int(loads.sum()), int(loads.max(initial=0)))


def misplaced(problem: PlacementProblem, places: Sequence[Sequence[Tile]]) -> list[str]:
    """What is wrong with places, a sentence each; empty if nothing is."""
    found = []
    owners: dict[Tile, int] = {}
    if len(places) != len(problem.sizes):
        return [f"{len(places)} places for {len(problem.sizes)} regions"]
    for k, (size, tiles) in enumerate(zip(problem.sizes, places, strict=True)):
        if len(set(tiles)) != size:
            found.append(f"region {k} has {size} chiplets, but {len(set(tiles))} places")
        for tile in tiles:
            if tile not in problem.mesh.usable:
                found.append(f"region {k}: no chiplet computes at {list(tile)}")
            if owners.setdefault(tile, k) != k:
                found.append(f"{list(tile)} belongs to regions {owners[tile]} and {k}")
        if not problem.mesh.connected(tiles):
            found.append(f"region {k} is not connected")
    return found
