"""A layer alone on the whole package: weight tiles one after the other, each for all samples."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from instances.cost.work import Share, Tiling, tiling
from instances.instance import Instance
from instances.mesh import Mesh
from instances.network import Layer, Network
from instances.tables import Ints
from schedules.schedule import Segment
from schedules.simulate.clock import Clock, Steps
from schedules.simulate.fabric import Fabric
from schedules.simulate.plan import Cargo, over, steps
from schedules.simulate.planner import links_of, window
from schedules.simulate.record import Record, Span
from schedules.traffic import DRAM, Flow, flows, model_of


class Tiled:
    """A tiled segment.

    Attributes:
        loaded: when the weights of the first tile were there.

    Raises:
        ValueError: no tile of the layer fits.
    """

    def __init__(
        self,
        clock: Clock,
        fabric: Fabric,
        instance: Instance,
        segment: Segment,
        mesh: Mesh,
        number: int,
        record: Record,
    ) -> None:
        self._clock, self._fabric, self._record, self._number = clock, fabric, record, number
        self._batch, self._name = instance.batch, instance.layers[segment.first]
        self._mesh, self._tiles = mesh, segment.clusters[0].tiles or ()
        costs = model_of(instance)
        plan, layer = tiling(costs, segment.first), costs.network.layers[segment.first]
        if plan is None:
            raise ValueError(f"layer {self._name} cannot be tiled: no tile of it fits")
        element = costs.package.element_bytes
        self._count, self._overlap = plan.tiles, costs.package.overlap
        self._compute = steps(
            costs.package, layer, Share(plan.channels, plan.rows, plan.columns, 0)
        )
        self._buffer = tile_buffer(costs.network, layer, plan, element)
        traffic = flows(instance, segment)
        self._fill(traffic, plan, layer.weights * element)
        self.loaded = 0

    def _fill(self, traffic: Sequence[Flow], plan: Tiling, weights: int) -> None:
        """What is carried for each tile: weights once, inputs and results of each sample."""
        n = len(self._tiles)
        once = [flow for flow in traffic if flow.once]
        coming = [flow for flow in traffic if flow.sender == DRAM and not flow.once]
        going = [flow for flow in traffic if flow.receiver == DRAM]
        received = plan.inputs + plan.operands + plan.addends
        self._weights = self._part(once, over(weights, n) if plan.by_channel else weights, weights)
        self._inputs = self._part(coming, received, plan.moved - plan.made)
        self._results = self._part(going, 0, plan.made)
        self._out = over(over(plan.made, n), plan.tiles)
        self._links = self._sum(once) + self._batch * self._sum([*coming, *going])

    def _sum(self, traffic: Sequence[Flow]) -> Ints:
        return links_of(traffic, self._mesh, [self._tiles])

    def _part(self, traffic: Sequence[Flow], port: int, dram: int) -> Cargo:
        """The part of one weight tile."""
        count = self._count
        return Cargo(over(port, count), over(dram, count), -(-self._sum(traffic) // count), 0)

    def run(self) -> Steps:
        """Tile after tile, sample after sample."""
        for tile in range(self._count):
            yield from self._load(tile)
            if tile == 0:
                self.loaded = self._clock.cycle
            for sample in range(self._batch):
                yield from self._pass(sample)
        self._record.links += self._links

    def _load(self, tile: int) -> Steps:
        if not self._weights.dram:
            return
        start = self._clock.cycle
        delivery = self._fabric.deliver(self._weights)
        yield self._fabric.read(self._weights.dram)
        yield self._clock.timeout(self._fabric.access)
        yield delivery
        self._span("DRAM", "load", f"tile {tile}", start)

    def _pass(self, sample: int) -> Steps:
        """Inputs stream in and results out while the array works, if it may.

        A port takes in and sends in turn; the DRAM reads and writes all the time.
        """
        clock, fabric, start = self._clock, self._fabric, self._clock.cycle
        self._record.holds(self._tiles, self._buffer)
        streams = [fabric.read(self._inputs.dram), fabric.write(self._results)]
        array = clock.timeout(self._compute)
        if not self._overlap:
            yield array
        yield fabric.deliver(self._inputs)
        yield clock.timeout(fabric.port_cycles(self._out))
        yield clock.all_of([array, *streams])
        self._record.works(self._tiles, self._compute)
        self._span("cluster 0", "sample", str(sample), start)

    def _span(self, track: str, what: str, name: str, start: int) -> None:
        now = self._clock.cycle
        self._record.spans.append(Span(self._number, track, what, name, start, now))


def tile_buffer(network: Network, layer: Layer, plan: Tiling, element_bytes: int) -> int:
    """Bytes of a chiplet: a tile of weights or operands, double rows of results and of inputs."""
    operands = sum(prod(network.shape(name)) for name in set(layer.operands))
    weights = plan.channels * over((layer.weights + operands) * element_bytes, layer.channels)
    width = element_bytes * (2 if layer.addends else 1)
    reach = None if plan.by_channel or layer.positions[1] == 1 else read_columns(layer, plan)
    rows = window(layer, network, element_bytes, reach)
    return weights + 2 * plan.channels * plan.columns * width + 2 * rows


def read_columns(layer: Layer, plan: Tiling) -> int:
    """Columns of the input that the positions of a chiplet read."""
    if layer.kind == "deconv":
        return plan.columns + (layer.kernel[1] - 1) // layer.stride[1]
    return (plan.columns - 1) * layer.stride[1] + layer.kernel[1]
