"""The best options of clusters that have places: first each by itself, then all with the links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np

from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.protocol import Modeller
from formulations.placement.choice import ChoiceModel, Stage
from instances.tables import Ints
from schedules.parallel import OutOfTimeError
from schedules.placed import PlacedSegment, placed_segment
from schedules.schedule import Cluster, Segment
from schedules.traffic import DRAM, flows, loads_of
from solvers.engines.engine import Outcome
from solvers.joint.regions import Regions
from solvers.joint.times import Hops, Times

Place = tuple[int, int, int]
"""First layer, last layer, number of the region."""

Solve = Callable[[Modeller], Outcome]


@dataclass(frozen=True)
class Trial:
    """Clusters at their places with the best options.

    Attributes:
        segment: with options and tiles.
        cost: of the segment, as evaluated.
        hops: of each cluster, the ways from its sources.
        times: of each cluster by itself.
        beat: the least that any options reach; more than the times where links are too busy.
    """

    segment: Segment
    cost: PlacedSegment
    hops: tuple[Hops, ...]
    times: tuple[int, ...]
    beat: int


def best_options(times: Times, places: Sequence[Place], solve: Solve) -> Trial:
    """The least beat of clusters on regions, each of which fits.

    Raises:
        OutOfTimeError: before the proof.
    """
    hops = tuple(_hops(times, places, k) for k in range(len(places)))
    found = [times.fastest(*place, own) for place, own in zip(places, hops, strict=True)]
    chosen = [options.tolist() for _, options in found]
    cycles = tuple(time for time, _ in found)
    segment = segment_of(times, places, chosen)
    cost = placed_segment(times.instance, segment)
    slowest = max(cost.dram, *cycles)
    if cost.beat > slowest:
        better = _with_links(times, places, hops, slowest, cost.beat, solve)
        segment = segment_of(times, places, better)
        cost = placed_segment(times.instance, segment)
    return Trial(segment, cost, hops, cycles, cost.beat)


def _hops(times: Times, places: Sequence[Place], k: int) -> Hops:
    first, last, region = places[k]
    return tuple(
        _hops_from(times.regions, places, source, region) for source in times.sources(first, last)
    )


def _hops_from(regions: Regions, places: Sequence[Place], source: int, region: int) -> int:
    for first, last, own in places:
        if first <= source <= last:
            return int(regions.ways[own, region])
    return int(regions.from_dram[region])


def segment_of(times: Times, places: Sequence[Place], options: Sequence[Sequence[int]]) -> Segment:
    """The segment of clusters with regions and options."""
    names, regions = times.instance.options, times.regions
    return Segment(
        tuple(
            Cluster(
                first,
                last,
                int(regions.sizes[region]),
                tuple(names[o] for o in own),
                regions.tiles[region],
            )
            for (first, last, region), own in zip(places, options, strict=True)
        )
    )


def _with_links(
    times: Times,
    places: Sequence[Place],
    hops: Sequence[Hops],
    least: int,
    most: int,
    solve: Solve,
) -> list[list[int]]:
    """Options of the least beat if links take part."""
    loads, fixed = _loads(times, places)
    stages = []
    for (first, last, region), own in zip(places, hops, strict=True):
        size, inside = int(times.regions.sizes[region]), int(times.regions.ways[region, region])
        tables = times.tables(first, last, size, inside, own)
        resident, momentary = times.bytes(first, last, size)
        part = loads[first - places[0][0] : last + 1 - places[0][0]]
        stages.append(Stage(*tables, resident, momentary, part))
    package = times.costs.package
    rate = Fraction(package.chiplet.clock_hz, package.nop.bandwidth).as_integer_ratio()
    modeller = CpSatModeller()
    model = ChoiceModel(modeller, stages, fixed, rate, times.costs.capacity, least, most)
    outcome = solve(modeller)
    if outcome.stop != "optimal" or outcome.solution is None:
        raise OutOfTimeError
    return model.chosen(outcome.solution)


def _loads(times: Times, places: Sequence[Place]) -> tuple[Ints, Ints]:
    """[layers,O,O,links] bytes for what each layer takes in; [links] bytes that are always sent.

    What a layer takes in depends on its option and on the one before, which is of no account for
    the first layer of a cluster. So schedules in which two options take turns tell it of all.
    """
    instance, mesh = times.instance, times.regions.mesh
    begin, end, count = places[0][0], places[-1][1] + 1, len(instance.options)
    loads = np.zeros((end - begin, count, count, len(mesh.links)), dtype=np.int64)
    fixed = np.zeros(len(mesh.links), dtype=np.int64)
    tiles = [times.regions.tiles[region] for _, _, region in places]
    firsts = {first for first, _, _ in places}
    for before, own, parity in product(range(count), range(count), range(2)):
        turns = (own, before) if parity == 0 else (before, own)
        options = [[turns[k % 2] for k in range(i, j + 1)] for i, j, _ in places]
        for flow in flows(instance, segment_of(times, places, options)):
            sent = loads_of(flow, mesh, tiles)
            if flow.once:
                continue
            if flow.receiver == DRAM:
                fixed += sent if before == own == parity == 0 else 0
            elif flow.layer % 2 == parity and (before == 0 or flow.layer not in firsts):
                loads[flow.layer - begin, before, own] += sent
    return loads, fixed
