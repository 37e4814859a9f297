"""Makes the plan of a segment from the amounts of the cost model, the traffic and the places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from math import prod

import numpy as np

from instances.cost.work import Receipt, receipts, shares
from instances.instance import Instance
from instances.mesh import Mesh
from instances.network import OUTSIDE, Layer, Network
from instances.tables import Ints
from schedules.schedule import Cluster, Segment
from schedules.simulate.fabric import cycles_of
from schedules.simulate.plan import (
    Cargo,
    Intake,
    LayerPlan,
    SegmentPlan,
    StagePlan,
    across,
    over,
    steps,
)
from schedules.traffic import DRAM, Flow, Places, ends, flows, loads_of, model_of

_Key = tuple[int, int, int]
_Intakes = dict[_Key, Intake]
"""By layer, SKIP or ALONG, and skip tensor (0 for what comes along)."""

SKIP, ALONG = range(2)


class Planner:
    """Makes the plan of a segment.

    Attributes:
        instance: a network on a package.
        segment: with places.
        mesh: of the package.
        real: whether the way of a transfer is that between the places.
    """

    def __init__(self, instance: Instance, segment: Segment, mesh: Mesh, real: bool) -> None:
        self.instance, self.segment, self.mesh, self.real = instance, segment, mesh, real
        self.costs = model_of(instance)
        self.network, self.package = self.costs.network, self.costs.package
        self.tensors = self.network.tensors
        self.places = [cluster.tiles or () for cluster in segment.clusters]
        number = {tensor.name: t for t, tensor in enumerate(self.tensors)}
        layers = self.network.layers
        self._reads = [[number[name] for name in layer.reads] for layer in layers]
        self._makes: list[list[int]] = [[] for _ in layers]
        for t, tensor in enumerate(self.tensors):
            if tensor.producer != OUTSIDE:
                self._makes[tensor.producer].append(t)
        self._streams: list[tuple[int, ...]] = []
        self._streamed: dict[int, int] = {}
        self._ways: dict[tuple[int, int], int] = {}
        self._flows = flows(instance, segment)

    def plan(self) -> SegmentPlan:
        """The whole segment."""
        count = range(len(self.segment.clusters))
        intakes = [self._intakes(k) for k in count]
        readers: list[list[int]] = [[] for _ in count]
        takers: Counter[int] = Counter()
        for k, own in enumerate(intakes):
            for intake in own.values():
                takers.update(intake.tensors)
                for sender in intake.closes:
                    readers[sender].append(k)
        stages = [self._stage(k, intakes[k], tuple(readers[k])) for k in count]
        takers.update(flow.tensor for flow in self._flows if flow.receiver == DRAM)
        sizes = {t: self._size(t) for t in takers}
        return SegmentPlan(tuple(stages), tuple(self._streams), sizes, dict(takers))

    def _size(self, tensor: int) -> int:
        return self.tensors[tensor].elements * self.package.element_bytes

    def _until(self, tensor: int) -> int:
        """The last layer that reads a tensor, the number of layers if it leaves the network."""
        own = self.tensors[tensor]
        return len(self.network.layers) if own.leaves else own.consumers[-1]

    # --- what comes in

    def _intakes(self, k: int) -> _Intakes:
        """What comes in, in order."""
        own = self.segment.clusters[k]
        found = receipts(self.costs, own.first, own.last, own.options, own.chiplets)
        keyed = sorted(((self._group(r), r) for r in found), key=lambda pair: pair[0])
        groups = {key: [r for _, r in rows] for key, rows in groupby(keyed, lambda pair: pair[0])}
        mine = {(f.layer, f.tensor): f for f in self._flows if f.receiver == k and not f.once}
        traffic = {key: [mine[r.layer, r.tensor] for r in rows] for key, rows in groups.items()}
        last = {f.sender: key for key, rows in traffic.items() for f in rows}
        return {
            key: self._intake(
                rows,
                traffic[key],
                tuple(p for p, at in last.items() if at == key and p not in (k, DRAM)),
            )
            for key, rows in groups.items()
        }

    def _group(self, receipt: Receipt) -> _Key:
        """What comes in at once: skip tensors each alone and first, everything else together."""
        if receipt.outside and self.tensors[receipt.tensor].producer + 1 != receipt.layer:
            return receipt.layer, SKIP, receipt.tensor
        return receipt.layer, ALONG, 0

    def _intake(
        self, rows: Sequence[Receipt], traffic: Sequence[Flow], closes: tuple[int, ...]
    ) -> Intake:
        read = tuple(f.tensor for f in traffic if f.sender == DRAM)
        fresh, own = tuple(t for t in read if t not in self._streamed), None
        if fresh:
            own = len(self._streams)
            self._streams.append(fresh)
            self._streamed.update(dict.fromkeys(fresh, own))
        return Intake(
            self._cargo(traffic, port=sum(r.bytes for r in rows)),
            tuple(dict.fromkeys(f.sender for f in traffic if f.sender not in (DRAM, f.receiver))),
            tuple(r.tensor for r in rows if r.outside),
            tuple(dict.fromkeys(self._streamed[t] for t in read)),
            own,
            closes,
        )

    def _cargo(self, traffic: Sequence[Flow], *, port: int = 0, dram: int = 0) -> Cargo:
        way = max(self._way(flow) for flow in traffic)
        return Cargo(port, dram, links_of(traffic, self.mesh, self.places), way)

    def _way(self, flow: Flow) -> int:
        """Cycles of the hops from end to end."""
        key = flow.sender, flow.receiver
        if key not in self._ways:
            if self.real:
                senders, receivers = ends(flow, self.mesh, self.places)
                hops = max(self.mesh.hops(a, b) for a in senders for b in receivers)
            else:
                hops = 0 if flow.receiver == DRAM else across(len(self.places[flow.receiver]))
            self._ways[key] = cycles_of(self.package, self.package.nop.hop_ns, hops)
        return self._ways[key]

    # --- what a cluster does

    def _stage(self, k: int, intakes: _Intakes, readers: tuple[int, ...]) -> StagePlan:
        own = self.segment.clusters[k]
        n = own.chiplets
        results = self._makes[own.last]
        early = [t for layer in range(own.first, own.last) for t in self._makes[layer]]
        skips = [t for t in early if self._until(t) > own.last]
        write = [f for f in self._flows if f.sender == k and f.receiver == DRAM]
        written = sum(self._size(f.tensor) for f in write)
        return StagePlan(
            tiles=tuple(self.places[k]),
            layers=tuple(self._layers(own, intakes)),
            weights=tuple(self._weights(k)),
            results=over(sum(map(self._size, results)), n),
            skips=tuple(over(self._size(t), n) for t in skips),
            sent=(*results, *skips),
            write=self._cargo(write, dram=written) if write else None,
            written=tuple(f.tensor for f in write),
            readers=readers,
        )

    def _weights(self, k: int) -> Iterable[Cargo]:
        own = self.segment.clusters[k]
        held = shares(self.costs, own.first, own.last, own.options, own.chiplets)
        for flow in self._flows:
            if flow.receiver == k and flow.once:
                layer = self.network.layers[flow.layer]
                whole = layer.weights * self.package.element_bytes
                yield self._cargo([flow], port=held[flow.layer - own.first].weights, dram=whole)

    def _layers(self, own: Cluster, intakes: _Intakes) -> Iterable[LayerPlan]:
        held = shares(self.costs, own.first, own.last, own.options, own.chiplets)
        waiting = self._waiting(own)
        for layer, share in enumerate(held, own.first):
            yield LayerPlan(
                layer,
                tuple(intake for key, intake in intakes.items() if key[:2] == (layer, SKIP)),
                intakes.get((layer, ALONG, 0)),
                steps(self.package, self.network.layers[layer], share),
                self._working(own, layer) + waiting[layer - own.first],
            )

    def _working(self, own: Cluster, index: int) -> int:
        """Double buffers of all that a layer reads and makes, and what it gathers."""
        layer, option = self.network.layers[index], own.options[index - own.first]
        element = self.package.element_bytes
        both = sum(map(self._size, (*self._reads[index], *self._makes[index])))
        held = over(2 * both, own.chiplets)
        if option == "ISP":
            return held + window(layer, self.network, element)
        held += sum(prod(self.network.shape(name)) * element for name in set(layer.operands))
        return held + (layer.weights * element if option == "WSP-sharded" else 0)

    def _waiting(self, own: Cluster) -> list[int]:
        """By layer, bytes of tensors that an earlier one made or took in, for later ones."""
        inner = range(own.first, own.last + 1)
        total = [0] * len(inner)
        for t in {t for layer in inner for t in (*self._reads[layer], *self._makes[layer])}:
            tensor, share = self.tensors[t], over(self._size(t), own.chiplets)
            uses = [v for v in (tensor.producer, *tensor.consumers) if v in inner]
            sent = tensor.producer in inner and self._until(t) > own.last
            for layer in range(uses[0] + 1, own.last + 1 if sent else uses[-1]):
                if layer not in uses:
                    total[layer - own.first] += share
        return total


def links_of(traffic: Iterable[Flow], mesh: Mesh, places: Places) -> Ints:
    """[links] bytes of some flows together."""
    none = np.zeros(len(mesh.links), dtype=np.int64)
    return sum((loads_of(flow, mesh, places) for flow in traffic), none)


def window(layer: Layer, network: Network, element_bytes: int, columns: int | None = None) -> int:
    """Bytes of the input rows that a row of outputs reads, whole or only so many columns."""
    total = 0
    for name in dict.fromkeys(layer.inputs):
        channels, height, width = network.shape(name)
        rows = height if layer.positions[0] == 1 else min(height, layer.kernel[0])
        total += channels * rows * min(width, columns or width) * element_bytes
    return total
