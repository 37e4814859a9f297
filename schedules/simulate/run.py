"""Runs a placed schedule, segment after segment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from instances.instance import Instance
from instances.mesh import Link, Mesh
from instances.package import Tile
from schedules.compressed import refuse_compressed
from schedules.place import with_places
from schedules.schedule import Schedule
from schedules.simulate.clock import Clock
from schedules.simulate.fabric import Fabric
from schedules.simulate.pipeline import Pipeline
from schedules.simulate.planner import Planner
from schedules.simulate.record import Record, Span
from schedules.simulate.tiled import Tiled
from schedules.traffic import model_of


@dataclass(frozen=True)
class SegmentRun:
    """When a segment ran, in cycles.

    Attributes:
        start: when its weights began to load.
        loaded: when they were there; of a tiled segment, those of the first tile.
        end: when the last result was where it belongs.
    """

    start: int
    loaded: int
    end: int


@dataclass(frozen=True)
class Simulation:
    """What a simulated run came to.

    Attributes:
        name: of the instance.
        batch: samples.
        contention: whether the links of the mesh limited anything.
        makespan: cycles of the whole batch.
        segments: when each ran.
        busy: chiplet -> share of the makespan in which its array worked.
        high_water: chiplet -> most bytes in its buffer.
        links: link -> bytes over it, of links that carry some.
        between: most bytes that were sent by one region, or read from DRAM, and not yet taken in.
        link_rate: bytes a cycle that a link can carry.
        spans: what took time, for `write_trace`.
    """

    name: str
    batch: int
    contention: bool
    makespan: int
    segments: tuple[SegmentRun, ...]
    busy: dict[Tile, float]
    high_water: dict[Tile, int]
    links: dict[Link, int]
    between: int
    link_rate: float
    spans: tuple[Span, ...]

    @property
    def throughput(self) -> float:
        """Samples a cycle."""
        return self.batch / self.makespan

    @property
    def utilisation(self) -> float:
        """Mean share of the makespan in which an array worked."""
        return sum(self.busy.values()) / len(self.busy)

    def load(self, amount: int) -> float:
        """The share that so many bytes are of what a link could carry in the makespan."""
        return amount / (self.link_rate * self.makespan)

    def to_data(self) -> dict[str, Any]:
        """The run as plain data, without its spans."""
        return {
            "instance": self.name,
            "batch": self.batch,
            "contention": self.contention,
            "makespan": self.makespan,
            "throughput": self.throughput,
            "utilisation": self.utilisation,
            "segments": [asdict(own) for own in self.segments],
            "chiplets": [
                {"tile": tile, "busy": share, "high_water": self.high_water[tile]}
                for tile, share in self.busy.items()
            ],
            "links": [
                {"from": start, "to": end, "bytes": amount, "load": self.load(amount)}
                for (start, end), amount in self.links.items()
            ],
            "between": self.between,
        }


def simulate(instance: Instance, schedule: Schedule, contention: bool = True) -> Simulation:
    """Run a schedule sample by sample; clusters without a place get one along the snake.

    Args:
        instance: a network on a package.
        schedule: one that `verify` finds nothing wrong with.
        contention: whether the links of the mesh limit what passes over them.

    Raises:
        ValueError: a table instance, a schedule with compressed tensors, or a region where no
            chiplet computes.
    """
    refuse_compressed(schedule, "the simulation")
    package = model_of(instance).package
    mesh = Mesh.of(package)
    placed = with_places(schedule, mesh)
    _check(placed, mesh)
    clock = Clock()
    fabric = Fabric(clock, package, len(mesh.links) if contention else 0)
    record = Record(len(mesh.links))
    runs = []
    for number, segment in enumerate(placed.segments):
        start = clock.cycle
        job: Pipeline | Tiled
        if segment.tiled:
            job = Tiled(clock, fabric, instance, segment, mesh, number, record)
        else:
            plan = Planner(instance, segment, mesh, real=contention).plan()
            job = Pipeline(clock, fabric, instance, plan, number, record)
        clock.run(clock.process(job.run()))
        runs.append(SegmentRun(start, job.loaded, clock.cycle))
    end, busy, held = clock.cycle, record.busy, record.high_water
    loads = zip(mesh.links, record.links.tolist(), strict=True)
    return Simulation(
        name=instance.name,
        batch=instance.batch,
        contention=contention,
        makespan=end,
        segments=tuple(runs),
        busy={tile: busy[tile] / end for tile in mesh.tiles},
        high_water={tile: held[tile] for tile in mesh.tiles},
        links={link: amount for link, amount in loads if amount},
        between=record.between,
        link_rate=package.nop.bandwidth / package.chiplet.clock_hz,
        spans=tuple(record.spans),
    )


def _check(schedule: Schedule, mesh: Mesh) -> None:
    for s, segment in enumerate(schedule.segments):
        for k, cluster in enumerate(segment.clusters):
            for tile in cluster.tiles or ():
                if tile not in mesh.usable:
                    raise ValueError(
                        f"segment {s}, cluster {k}: no chiplet computes at {list(tile)}; give the"
                        " cluster tiles that do"
                    )
