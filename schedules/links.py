"""The link report of a placed schedule: what its busiest links need, beside its times.

The times of a schedule follow from the bandwidth of ports alone; a link that several flows share
may need longer. A stage is bounded by the busiest of its links, a segment by the busiest link of
all its flows (ours).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from instances.instance import Instance
from instances.mesh import Link, Mesh
from instances.tables import Ints
from schedules.compressed import refuse_compressed
from schedules.evaluate import segment_cost
from schedules.placed import link_cycles, places_of, stage_of
from schedules.schedule import Schedule, Segment
from schedules.traffic import flows, loads_of, model_of


@dataclass(frozen=True)
class StageLinks:
    """A stage, a sample.

    Attributes:
        time: cycles that it takes by the port-bandwidth model, as `evaluate` tells them.
        link: cycles that the busiest link needs for the flows of this stage alone.
    """

    time: int
    link: int


@dataclass(frozen=True)
class SegmentLinks:
    """A segment, a sample; weights, which come once, apart.

    Attributes:
        loads: [links] bytes of all flows on each link of `Mesh.links`.
        busiest: the link with the most; None if nothing is sent.
        link: cycles that it needs.
        beat: cycles between two samples, as `evaluate` tells them.
        weights: cycles that the busiest link needs for the weights, once.
        load: cycles to bring them from DRAM, as `evaluate` tells them.
        stages: of each cluster.
    """

    loads: Ints
    busiest: Link | None
    link: int
    beat: int
    weights: int
    load: int
    stages: tuple[StageLinks, ...]

    @property
    def share(self) -> float:
        """The busiest link's cycles over the beat: above 1, the mesh is slower than promised."""
        return self.link / self.beat if self.beat else 0.0


def link_report(instance: Instance, schedule: Schedule) -> tuple[SegmentLinks, ...]:
    """What the busiest links of each segment need.

    Args:
        instance: a network on a package.
        schedule: one that `verify` accepts; all its clusters but those of tiled segments have
            places.

    Raises:
        ValueError: a table instance, a schedule with compressed tensors, or a cluster has no place.
    """
    refuse_compressed(schedule, "the link report")
    return tuple(segment_links(instance, segment) for segment in schedule.segments)


def segment_links(instance: Instance, segment: Segment) -> SegmentLinks:
    """What the busiest links of a segment need.

    Raises:
        ValueError: as `link_report`.
    """
    package = model_of(instance).package
    mesh, cost = Mesh.of(package), segment_cost(instance, segment)
    places = places_of(mesh, segment)
    total, once = (np.zeros(len(mesh.links), dtype=np.int64) for _ in range(2))
    own = np.zeros((len(segment.clusters), len(mesh.links)), dtype=np.int64)
    for flow in flows(instance, segment):
        loads = loads_of(flow, mesh, places)
        if flow.once:
            once += loads
        else:
            total += loads
            own[stage_of(flow)] += loads
    most = int(total.max(initial=0))
    return SegmentLinks(
        loads=total,
        busiest=mesh.links[int(total.argmax())] if most else None,
        link=link_cycles(package, most),
        beat=cost.beat,
        weights=link_cycles(package, int(once.max(initial=0))),
        load=cost.load,
        stages=tuple(
            StageLinks(part.time, link_cycles(package, int(loads.max(initial=0))))
            for part, loads in zip(cost.clusters, own, strict=True)
        ),
    )
