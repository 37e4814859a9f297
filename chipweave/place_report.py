"""What a person reads of a schedule's places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chipweave.grid import Grid, number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instances.instance import Instance
    from instances.mesh import Link
    from schedules.links import SegmentLinks
    from schedules.schedule import Cluster, Segment
    from solvers.placing import Placed, PlacedProblem, Step


def places_table(placed: Placed, links: Sequence[SegmentLinks | None]) -> Grid:
    """A line for each segment: what its places cost, and what is known about them."""
    headings = (
        "segment",
        ">regions",
        ">byte-hops",
        ">busiest (bytes)",
        "busiest link",
        ">link",
        ">beat",
        ">link/beat",
        "stop",
        ">bound",
        ">gap",
        ">time (s)",
    )
    rows = []
    for s, (segment, own) in enumerate(zip(placed.schedule.segments, links, strict=True)):
        found = placed.segments.get(s)
        rows.append((f"{s} {_span(segment)}", *_cost(segment, found), *_link(own), *_proof(found)))
    return Grid(headings, rows, "bytes of the batch; link and beat in cycles a sample")


def stages_table(placed: Placed, links: Sequence[SegmentLinks | None]) -> Grid:
    """A line for each region: its place, and its time beside what its own links need."""
    rows = []
    for s, (segment, own) in enumerate(zip(placed.schedule.segments, links, strict=True)):
        if segment.tiled or own is None:
            continue
        for k, (cluster, part) in enumerate(zip(segment.clusters, own.stages, strict=True)):
            cycles = (number(part.time), number(part.link))
            rows.append(
                (f"segment {s}, cluster {k}", str(cluster.chiplets), _place(cluster), *cycles)
            )
    return Grid(("region", ">chiplets", "place", ">time", ">link"), rows, "cycles a sample")


def _span(segment: Segment) -> str:
    first, last = segment.first, segment.last
    return f"({first})" if first == last else f"({first}–{last})"


def _cost(segment: Segment, found: PlacedProblem | None) -> tuple[str, str, str]:
    cost = None if found is None else found.cost
    regions = "tiled" if segment.tiled else str(len(segment.clusters))
    if cost is None:
        return regions, "–", "–"
    return regions, number(cost.byte_hops), number(cost.busiest)


def _link(own: SegmentLinks | None) -> tuple[str, str, str, str]:
    if own is None:
        return "–", "–", "–", "–"
    return link_name(own.busiest), number(own.link), number(own.beat), percent(own.share)


def _proof(found: PlacedProblem | None) -> tuple[str, str, str, str]:
    if found is None:
        return "", "", "", ""
    last = found.steps[-1] if found.steps else None
    bound, gap = (None, None) if last is None else (last.bound, last.gap)
    return found.stop, number(bound), percent(gap), f"{found.runtime_s:.2f}"


def link_name(link: Link | None) -> str:
    """'[0, 1] to [0, 2]'."""
    return "–" if link is None else f"{list(link[0])} to {list(link[1])}"


def _place(cluster: Cluster) -> str:
    """The corners of the box around a region, and how much of the box it fills."""
    if not cluster.tiles:
        return "–"
    columns, rows = zip(*cluster.tiles, strict=True)
    first, last = [min(columns), min(rows)], [max(columns), max(rows)]
    room = (last[0] - first[0] + 1) * (last[1] - first[1] + 1)
    if room == 1:
        return f"{first}"
    return f"{first} to {last}" + ("" if room == cluster.chiplets else f", {room} places")


def places_data(
    instance: Instance, placed: Placed, links: Sequence[SegmentLinks | None]
) -> list[dict[str, Any]]:
    """The same as plain data, a mapping for each segment."""
    rows = []
    for s, (segment, own) in enumerate(zip(placed.schedule.segments, links, strict=True)):
        found = placed.segments.get(s)
        cost = None if found is None else found.cost
        rows.append(
            {
                "segment": s,
                "tiled": segment.tiled,
                "regions": [cluster.chiplets for cluster in segment.clusters],
                "byte_hops": None if cost is None else cost.byte_hops,
                "busiest": None if cost is None else cost.busiest,
                "stop": None if found is None else found.stop,
                "steps": [] if found is None else [_step(step) for step in found.steps],
                "links": None if own is None else _links(own),
            }
        )
    return rows


def _step(step: Step) -> dict[str, Any]:
    return {
        "goal": step.goal,
        "stop": step.stop,
        "objective": step.objective,
        "bound": step.bound,
        "gap": step.gap,
        "runtime_s": step.runtime_s,
    }


def _links(own: SegmentLinks) -> dict[str, Any]:
    """Cycles a sample, of weights once."""
    return {
        "busiest": None if own.busiest is None else [list(end) for end in own.busiest],
        "link": own.link,
        "beat": own.beat,
        "weights": own.weights,
        "load": own.load,
        "stages": [{"time": part.time, "link": part.link} for part in own.stages],
    }
