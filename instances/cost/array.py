"""What layers cost inside an array: the tables that every method for arrays reads *(ours)*.

PipeOrgan's text gives ideas, not equations. The model here is ours:

*   A segment is an interval of layers that share the array; segments run one after another. A
    segment works in tiles, `tiles` a sample; in a beat, every layer works on one tile.
*   Each layer has a block of PEs. Where the blocks are laid out several times over the array, in
    `cells`, each cell works on its share of every tile's positions, with weights of its own. The
    outputs of a cell's share are spread evenly over the block's PEs.
*   What a layer hands on goes once, over links, in equal shares to the PEs of its consumer's block.
    All else comes over the columns' buses from the global buffer, or goes there: tensors from and
    to other segments, weights, and what the registers of a block cannot hold.
*   A tensor between segments stays in the global buffer if all that is alive there, for the whole
    batch, fits in half of it as long as it lives; otherwise it goes through the DRAM. The other
    half holds weights, and data on their way between layers.
*   DRAM traffic of a segment is spread evenly over its beats: it is fetched ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

import numpy as np

from instances.array import Array
from instances.cost.rates import over
from instances.cost.tiles import Ints, Role, Roles, Tiling, delay, loop, role
from instances.network import OUTSIDE, Network, Tensor

MOST_SEGMENTS = 1 << 16
"""That are remembered."""

REGISTER_ACCESSES = 3
"""Of a multiply-accumulate: two operands read, a sum updated."""


@dataclass(frozen=True)
class Need:
    """What registers hold of a layer, and what its buses then carry a tile, in bytes.

    Attributes:
        own: held in each cell: weights.
        shared: held by all cells together: data.
        bus_own: carried for each cell.
        bus_shared: carried for all cells together.
    """

    own: int = 0
    shared: int = 0
    bus_own: int = 0
    bus_shared: int = 0

    def __add__(self, other: Need) -> Need:
        return Need(
            self.own + other.own,
            self.shared + other.shared,
            self.bus_own + other.bus_own,
            self.bus_shared + other.bus_shared,
        )


@dataclass(frozen=True)
class Work:
    """A layer's work on one tile.

    Attributes:
        positions, channels: of the tile's outputs.
        cycles: of a PE for one output.
        needs: ways to use the registers; the first holds nothing.
    """

    positions: int
    channels: int
    cycles: int
    needs: tuple[Need, ...]

    def compute(self, pes: int, cells: int) -> int:
        """Cycles of a tile on blocks of `pes` PEs in each of `cells` cells."""
        return over(over(self.positions, cells) * self.channels, pes) * self.cycles


@dataclass(frozen=True)
class Flow:
    """A tensor handed on inside a segment.

    Attributes:
        producer, consumer: numbers of the layers within the segment.
        size: bytes of a tile.
    """

    producer: int
    consumer: int
    size: int


@dataclass(frozen=True)
class SegmentWork:
    """An interval of layers, cut into tiles: all but where its blocks are.

    Attributes:
        first, last: layers, inclusive.
        tiling, tiles: of a sample.
        layers: work of each.
        flows: what they hand on.
        starts: beat in which each layer begins.
        beats: of the whole batch: its tiles, and the last layer's start.
        dram: bytes of the whole batch.
        held: bytes of the global buffer for weights and data on their way.
        fits: whether they may be pipelined: `held` is at most half of the buffer, or it is one
            layer.
    """

    first: int
    last: int
    tiling: Tiling
    tiles: int
    layers: tuple[Work, ...]
    flows: tuple[Flow, ...]
    starts: tuple[int, ...]
    beats: int
    dram: int
    held: int
    fits: bool

    @property
    def depth(self) -> int:
        """How many layers there are."""
        return self.last - self.first + 1

    def arrays(self) -> tuple[Ints, Ints, Ints]:
        """For kernels: layers, their needs, and where each layer's needs begin and end."""
        layers = [(own.positions, own.channels, own.cycles) for own in self.layers]
        needs = [
            (need.own, need.shared, need.bus_own, need.bus_shared)
            for own in self.layers
            for need in own.needs
        ]
        ends = np.cumsum([0, *(len(own.needs) for own in self.layers)])
        return np.array(layers, np.int64), np.array(needs, np.int64), ends.astype(np.int64)


class ArrayCosts:
    """Costs of a network on an array.

    Attributes:
        network, array: what is run where.
        batch: m, samples of one run.

    Raises:
        ValueError: a batch of less than 1.
    """

    def __init__(self, network: Network, array: Array, batch: int = 1) -> None:
        if batch < 1:
            raise ValueError(f"batch {batch}: expected at least 1")
        self.network, self.array, self.batch = network, array, batch
        # Plain dictionaries: a cache around a method would tie itself and these costs in a cycle,
        # and freeing that would interrupt a later run for half a second.
        self._segments: dict[tuple[int, int, Tiling, int], SegmentWork] = {}
        self._delays: dict[tuple[str, int, int, Roles], int] = {}

    @property
    def layers(self) -> int:
        """L, how many there are."""
        return len(self.network.layers)

    @cached_property
    def tensors(self) -> tuple[tuple[Tensor, ...], ...]:
        """For each layer, the tensors that it reads."""
        own = {tensor.name: tensor for tensor in self.network.tensors}
        return tuple(tuple(own[name] for name in layer.reads) for layer in self.network.layers)

    @cached_property
    def made(self) -> tuple[tuple[Tensor, ...], ...]:
        """For each layer, the tensors that it makes."""
        found: list[list[Tensor]] = [[] for _ in range(self.layers)]
        for tensor in self.network.tensors:
            if tensor.producer != OUTSIDE:
                found[tensor.producer].append(tensor)
        return tuple(map(tuple, found))

    def size(self, tensor: Tensor) -> int:
        """Bytes of a sample's tensor."""
        return tensor.elements * self.array.element_bytes

    def weights(self, layer: int) -> int:
        """Bytes of a layer's weights."""
        return self.network.layers[layer].weights * self.array.element_bytes

    @cached_property
    def kept(self) -> frozenset[str]:
        """Tensors that stay in the global buffer between segments."""
        alive = np.zeros(self.layers + 1, dtype=np.int64)
        inner = [t for t in self.network.tensors if t.producer != OUTSIDE and t.consumers]
        for tensor in inner:
            cuts = slice(tensor.producer + 1, tensor.consumers[-1] + 1)
            alive[cuts] += self.batch * self.size(tensor)
        room = self.array.buffer_bytes // 2
        return frozenset(
            tensor.name
            for tensor in inner
            if alive[tensor.producer + 1 : tensor.consumers[-1] + 1].max() <= room
        )

    def tile_counts(self, first: int, last: int) -> tuple[tuple[Tiling, int], ...]:
        """Ways to cut a sample in a segment: tiling and tiles.

        One layer is not cut. Several are cut into powers of two, into as many tiles as the layer
        with the fewest rows has rows, and into as many as loop orders allow, which is the smallest
        tile with which the consumer may start *(the last is Tangram's and PipeOrgan's, the others
        are ours)*.
        """
        if first == last:
            return (("positions", 1),)
        rows = min(layer.positions[0] for layer in self.network.layers[first : last + 1])
        found: list[tuple[Tiling, int]] = []
        for tiling in ("positions", "channels"):
            most = self.most_tiles(first, last, tiling)
            counts = {1 << k for k in range(most.bit_length())} | {most}
            if tiling == "positions":
                counts |= {rows} if rows <= most else set()
            else:
                counts -= {1}
            found += [(tiling, tiles) for tiles in sorted(counts) if tiles]
        return tuple(found)

    def most_tiles(self, first: int, last: int, tiling: Tiling) -> int:
        """The most tiles that the loop orders of a segment allow; 0 where none fit together."""
        roles = self.roles(first, last, tiling)
        if roles is None:
            return 0
        layers = self.network.layers[first : last + 1]
        return min(loop(layer, own) for layer, own in zip(layers, roles, strict=True))

    def roles(self, first: int, last: int, tiling: Tiling) -> tuple[Role | None, ...] | None:
        """The loop of each layer that is cut; None where a layer has none."""
        if tiling == "positions":
            return (None,) * (last - first + 1)
        found = []
        for k in range(first, last + 1):
            reads = any(first <= tensor.producer for tensor in self.tensors[k])
            read = any(n <= last for tensor in self.made[k] for n in tensor.consumers)
            found.append(role(self.network.layers[k], reads, read))
        return None if None in found else tuple(found)

    def segment(self, first: int, last: int, tiling: Tiling, tiles: int) -> SegmentWork:
        """The work of layers `first` to `last`, cut into tiles.

        Raises:
            ValueError: the layers cannot be cut so.
        """
        key = first, last, tiling, tiles
        if key not in self._segments:
            if len(self._segments) >= MOST_SEGMENTS:
                self._segments.clear()
            self._segments[key] = self._segment(*key)
        return self._segments[key]

    def _segment(self, first: int, last: int, tiling: Tiling, tiles: int) -> SegmentWork:
        roles = self.roles(first, last, tiling)
        if roles is None or not 1 <= tiles <= self.most_tiles(first, last, tiling):
            raise ValueError(f"layers {first} to {last}: no {tiles} tiles by {tiling}")
        flows, starts, lags = [], [0] * (last - first + 1), []
        for k in range(first, last + 1):
            for tensor in self.tensors[k]:
                if tensor.producer < first:
                    continue
                u, v = tensor.producer - first, k - first
                lag = self._delay(tensor, k, tiles, (roles[u], roles[v]))
                starts[v] = max(starts[v], starts[u] + lag)
                flows.append(Flow(u, v, over(self.size(tensor), tiles)))
                lags.append(tensor)
        between = [0] * len(starts)
        for flow, tensor in zip(flows, lags, strict=True):
            if tensor.name not in self.network.layers[first + flow.consumer].operands:
                behind = starts[flow.consumer] - starts[flow.producer]
                between[flow.consumer] += (behind + 1) * flow.size
        layers = tuple(
            self._work(k, (first, last), tiles, roles[k - first], between[k - first])
            for k in range(first, last + 1)
        )
        held = sum(between) + sum(self.stationary(k) for k in range(first, last + 1))
        one = first == last
        return SegmentWork(
            first, last, tiling, tiles, layers, tuple(flows), tuple(starts),
            beats=self.batch * tiles + max(starts),
            dram=self.dram(first, last),
            held=held,
            fits=one or held <= self.array.buffer_bytes // 2,
        )  # fmt: skip

    def _delay(self, tensor: Tensor, consumer: int, tiles: int, roles: Roles) -> int:
        key = tensor.name, consumer, tiles, roles
        if key not in self._delays:
            layers = self.network.layers
            self._delays[key] = delay(
                layers[tensor.producer], layers[consumer], tensor, tiles, roles
            )
        return self._delays[key]

    def _operands(self, k: int) -> list[Tensor]:
        names = self.network.layers[k].operands
        return [tensor for tensor in self.tensors[k] if tensor.name in names]

    def stationary(self, k: int) -> int:
        """Bytes of what stands where weights do."""
        return self.weights(k) + sum(self.size(tensor) for tensor in self._operands(k))

    def _work(
        self, k: int, segment: tuple[int, int], tiles: int, own: Role | None, between: int
    ) -> Work:
        layer, macs = self.network.layers[k], self.array.macs
        positions, channels = prod(layer.positions), layer.channels
        depth = layer.depth // layer.groups
        if own is None:
            positions = over(positions, tiles)
        elif own == "inputs":
            depth = over(depth, tiles)
        else:
            channels = over(channels, tiles)
        cycles = over(depth * prod(layer.kernel), macs)
        fixed, *items = self._items(k, segment, tiles, own, between)
        needs = [sum(ways, fixed) for ways in product(*items)]
        return Work(positions, channels, cycles, tuple(dict.fromkeys(needs)))

    def _items(
        self, k: int, segment: tuple[int, int], tiles: int, own: Role | None, between: int
    ) -> tuple[Need, *tuple[tuple[Need, Need], ...]]:
        """What buses carry anyway, and then, for each thing, what follows if it is not held, or is.

        Args:
            k: the layer.
            segment: first and last layer.
            tiles: of a sample.
            own: the layer's role.
            between: bytes of data that are on their way to it.
        """
        first, last = segment
        layer = self.network.layers[k]
        share = 1 if own is None else tiles
        items = []
        weights = self.weights(k)
        if weights:
            once = over(weights, self.batch * tiles)
            items.append((Need(bus_own=over(weights, share)), Need(weights, 0, once)))
        operands = self._operands(k)
        for tensor in operands:
            size = self.size(tensor)
            once = 0 if tensor.producer >= first else over(size, tiles)
            items.append((Need(bus_own=over(size, share)), Need(size, 0, once)))
        if between:
            handed = sum(
                over(self.size(tensor), tiles)
                for tensor in self.tensors[k]
                if tensor.producer >= first and tensor not in operands
            )
            items.append((Need(bus_shared=2 * handed), Need(shared=between)))
        outside = [t for t in self.tensors[k] if t.producer < first and t not in operands]
        fixed = Need(bus_shared=sum(over(self.size(tensor), tiles) for tensor in outside))
        if own == "outputs" and tiles > 1:
            again = sum(self.size(tensor) for tensor in outside if tensor.name in layer.inputs)
            rest = Need(bus_shared=again - over(again, tiles))
            items.append((rest, Need(shared=again)))
        for tensor in self.made[k]:
            if tensor.leaves or any(n > last for n in tensor.consumers):
                fixed += Need(bus_shared=over(self.size(tensor), tiles))
        if own == "inputs" and tiles > 1:
            sums = layer.channels * prod(layer.positions) * self.array.element_bytes
            items.append((Need(bus_shared=2 * sums), Need(shared=sums)))
        return fixed, *items

    def dram(self, first: int, last: int) -> int:
        """Bytes that a segment reads and writes in DRAM for the whole batch."""
        inside = range(first, last + 1)
        weights = sum(self.weights(k) for k in inside)
        if first == last and weights > self.array.buffer_bytes // 2:
            weights *= self.batch
        entering = {t for k in inside for t in self.tensors[k] if t.producer < first}
        data = sum(self.size(t) for t in entering if t.name not in self.kept)
        for tensor in (t for k in inside for t in self.made[k]):
            later = any(n > last for n in tensor.consumers)
            if tensor.leaves or (later and tensor.name not in self.kept):
                data += self.size(tensor)
        return weights + self.batch * data
