"""What each stage of a segment does for a sample: bytes, array cycles, cycles of distance."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt, prod

from instances.cost.work import Share
from instances.network import Layer
from instances.package import Package, Tile
from instances.tables import Ints


@dataclass(frozen=True, eq=False)
class Cargo:
    """What one transfer carries.

    Attributes:
        port: bytes through the port of each chiplet that receives.
        dram: bytes from or to DRAM.
        links: [links] bytes over each link of the mesh.
        way: cycles that the last byte is under way.
    """

    port: int
    dram: int
    links: Ints
    way: int


@dataclass(frozen=True, eq=False)
class Intake:
    """What a layer takes in at once, of each sample.

    Attributes:
        cargo: its bytes; those that come from DRAM are read by a stream.
        senders: clusters that have to send before.
        tensors: numbers of those that come from outside the region.
        streams: numbers of the segment's DRAM streams that it needs.
        own: the stream that reads ahead of it, None if there is none.
        closes: clusters from which nothing more is taken in, of this sample.
    """

    cargo: Cargo
    senders: tuple[int, ...]
    tensors: tuple[int, ...]
    streams: tuple[int, ...]
    own: int | None
    closes: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class LayerPlan:
    """A layer of a stage.

    Attributes:
        index: in the network.
        before: skip tensors, which come in one after the other before the layer runs.
        along: what comes in while it runs, None for nothing.
        compute: cycles of the array of the busiest chiplet.
        buffer: bytes of each chiplet while it runs, resident weights left out.
    """

    index: int
    before: tuple[Intake, ...]
    along: Intake | None
    compute: int
    buffer: int


@dataclass(frozen=True, eq=False)
class StagePlan:
    """A cluster.

    Attributes:
        tiles: its region.
        layers: in order.
        weights: of each layer that has some, what a chiplet holds.
        results: bytes that each port sends of what the last layer makes.
        skips: the same of each tensor that an earlier layer makes and others need.
        sent: numbers of all tensors that it sends.
        write: what goes to DRAM, None if nothing does.
        written: numbers of the tensors that do.
        readers: clusters that read something of this one.
    """

    tiles: tuple[Tile, ...]
    layers: tuple[LayerPlan, ...]
    weights: tuple[Cargo, ...]
    results: int
    skips: tuple[int, ...]
    sent: tuple[int, ...]
    write: Cargo | None
    written: tuple[int, ...]
    readers: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class SegmentPlan:
    """A segment of clusters.

    Attributes:
        stages: the clusters.
        streams: tensors of each DRAM stream.
        sizes: number of a tensor that is sent or streamed -> its bytes.
        takers: the same -> how many take it: clusters, and the DRAM.
    """

    stages: tuple[StagePlan, ...]
    streams: tuple[tuple[int, ...], ...]
    sizes: dict[int, int]
    takers: dict[int, int]


def steps(package: Package, layer: Layer, share: Share) -> int:
    """Cycles of an array for a share of a layer.

    A weight-stationary array unrolls output by input channels, an output-stationary one rows by
    columns of positions.
    """
    (first, second), depth = package.chiplet.array, layer.depth // layer.groups
    if package.chiplet.dataflow == "weight-stationary":
        blocks = over(share.channels, first) * over(depth, second)
        return blocks * prod(layer.kernel) * share.rows * share.columns
    blocks = over(share.rows, first) * over(share.columns, second)
    return blocks * share.channels * depth * prod(layer.kernel)


def over(amount: int, divisor: int) -> int:
    """Quotient rounded up."""
    return -(-amount // divisor)


def across(n: int) -> int:
    """Hops from corner to corner of a block of n chiplets that is as square as can be."""
    columns = isqrt(n - 1) + 1
    return columns - 1 + over(n, columns) - 1
