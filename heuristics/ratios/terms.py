"""What ratios change in a schedule that is otherwise fixed, as flat arrays for kernels.

The time of a stage is a sum to which every tensor that crosses the stage's border adds what its
ratio costs there; the same holds for memory, loads and DRAM traffic. So the beat of a segment is
the largest of a few such sums: its terms.
"""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

import numpy as np

from instances.compression import Compression
from instances.instance import Instance
from instances.tables import Ints
from schedules.evaluate import segment_cost
from schedules.schedule import Cluster, Schedule, Segment


class Terms(NamedTuple):
    """The terms of a schedule's segments: of each its stages in order, then the DRAM.

    Attributes:
        losses: [L,R] millionths; -1 where the layer's output cannot have the ratio here.
        load: [L,R] cycles to bring the coders' weights, once.
        beats: [S] beats that each segment takes.
        begins: [S+1] terms of segment s are begins[s] to begins[s+1]; none of a tiled one.
        segment: [T] that of each term.
        base: [T] cycles of a stage, or units of DRAM traffic, without compression.
        numerator, denominator: [T] cycles for a unit, as a fraction; a sum is rounded up.
        spare: [T] bytes that are left on each chiplet without compression.
        part_at: [L+1] parts of layer l are part_at[l] to part_at[l+1].
        term: [P] the term to which a part adds.
        amount, bytes: [P,R] what it adds to base, and takes from spare.
        layer_at, layer: [T+1], [P] the layers that add to a term, found as the parts are.
        constant: cycles that no ratio changes: loads of the layers, tiled segments.
    """

    losses: Ints
    load: Ints
    beats: Ints
    begins: Ints
    segment: Ints
    base: Ints
    numerator: Ints
    denominator: Ints
    spare: Ints
    part_at: Ints
    term: Ints
    amount: Ints
    bytes: Ints
    layer_at: Ints
    layer: Ints
    constant: int


def terms_of(instance: Instance, given: Compression, schedule: Schedule) -> Terms:
    """The terms of a schedule; its own ratios play no role."""
    return _Gathering(instance, given, schedule).terms()


class _Gathering:
    """Gathers the terms of one schedule."""

    def __init__(self, instance: Instance, given: Compression, schedule: Schedule) -> None:
        self.instance, self.given, self.segments = instance, given, schedule.segments
        self.costs = [segment_cost(instance, segment) for segment in self.segments]
        self.clusters: list[Cluster | None] = []  # of each term; None for DRAM
        self.cluster_of: list[int] = []  # of each layer, its term; -1 if it is tiled
        self.segment_of: list[int] = []
        numbers = [0 if one.tiled else len(one.clusters) + 1 for one in self.segments]
        self.begins = [0, *accumulate(numbers)]
        for s, segment in enumerate(self.segments):
            self._number(s, segment)
        self.load = np.zeros_like(given.losses)
        self.losses = given.losses.copy()

    def _number(self, s: int, segment: Segment) -> None:
        for cluster in segment.clusters:
            size = cluster.last - cluster.first + 1
            self.cluster_of += [-1 if segment.tiled else len(self.clusters)] * size
            self.segment_of += [s] * size
            if not segment.tiled:
                self.clusters.append(cluster)
        if not segment.tiled:
            self.clusters.append(None)

    def terms(self) -> Terms:
        parts = [self._parts(layer) for layer in range(len(self.cluster_of))]
        term = [t for own in parts for t in own]
        layers = [layer for layer, own in enumerate(parts) for _ in own]
        order = np.argsort(term, kind="stable")
        base, spare = self._base()
        rate = [(1, 1) if cluster else self.given.rate for cluster in self.clusters]
        changes = np.array([change for own in parts for change in own.values()], dtype=np.int64)
        changes = changes.reshape(len(term), 2, len(self.given.ratios))
        return Terms(
            losses=self.losses,
            load=self.load,
            beats=np.array([cost.beats for cost in self.costs], dtype=np.int64),
            begins=np.array(self.begins, dtype=np.int64),
            segment=np.repeat(np.arange(len(self.segments)), np.diff(self.begins)),
            base=np.array(base, dtype=np.int64),
            numerator=np.array([n for n, _ in rate], dtype=np.int64),
            denominator=np.array([d for _, d in rate], dtype=np.int64),
            spare=np.array(spare, dtype=np.int64),
            part_at=np.cumsum([0, *map(len, parts)], dtype=np.int64),
            term=np.array(term, dtype=np.int64),
            amount=np.ascontiguousarray(changes[:, 0]),
            bytes=np.ascontiguousarray(changes[:, 1]),
            layer_at=np.searchsorted(np.sort(term), np.arange(len(base) + 1)).astype(np.int64),
            layer=np.array(layers, dtype=np.int64)[order],
            constant=sum(
                cost.time if segment.tiled else cost.load
                for segment, cost in zip(self.segments, self.costs, strict=True)
            ),
        )

    def _base(self) -> tuple[list[int], list[int]]:
        """Of each term, its amount without compression and the bytes that are left."""
        base, spare = [], []
        for segment, cost in zip(self.segments, self.costs, strict=True):
            if not segment.tiled:
                base += [stage.time for stage in cost.clusters]
                base.append(int(self.given.traffic[segment.first, segment.last]))
                spare += [self.instance.capacity - stage.memory for stage in cost.clusters]
                spare.append(0)
        return base, spare

    def _parts(self, layer: int) -> dict[int, Ints]:
        """Term -> [2,R] amount and bytes that the ratio of a layer's output adds."""
        parts: dict[int, Ints] = {}
        own, of = self.cluster_of[layer], self.segment_of[layer]
        readers = self.given.readers[layer]
        if (self.losses[layer, 1:] < 0).all():
            return parts
        if own < 0 or any(self.cluster_of[reader] < 0 for reader in readers):
            self.losses[layer, 1:] = -1
            return parts
        ahead = {self.cluster_of[reader] for reader in readers} - {own}
        for t in sorted(ahead):
            self._receive(parts, layer, t)
        if ahead:
            self._send(parts, layer, own)
        for s in sorted({of, *(self.segment_of[reader] for reader in readers)}):
            if s != of or any(self.segment_of[reader] != of for reader in readers):
                self._add(parts, self.begins[s + 1] - 1, -self.given.saved[:, layer])
        if not ahead:
            self.losses[layer, 1:] = -1
        return parts

    def _receive(self, parts: dict[int, Ints], layer: int, t: int) -> None:
        """What a stage decodes, and how."""
        given, cluster = self.given, self._cluster(t)
        first, c = cluster.first, cluster.chiplets - 1
        self.load[layer] += given.decoders.load[:, layer]
        held = given.decoders.resident[:, layer, c]
        cycles = np.zeros_like(held)
        if layer == first - 1:
            cycles += self._excess(given.entry[:, first, self._option(cluster, first), c])
        for code in given.skips:
            inside = [n for n, v in enumerate(code.consumers) if first <= v <= cluster.last]
            if code.producer == layer and inside:
                option = self._option(cluster, code.consumers[inside[0]])
                cycles += self._excess(code.enter[:, inside[0], option, c])
        self._add(parts, t, cycles, held)

    def _send(self, parts: dict[int, Ints], layer: int, t: int) -> None:
        """What a stage encodes, and how."""
        given, cluster = self.given, self._cluster(t)
        c = cluster.chiplets - 1
        self.load[layer] += given.encoders.load[:, layer]
        held = given.encoders.resident[:, layer, c]
        cycles = np.zeros_like(held)
        if layer == cluster.last:
            cycles += self._excess(given.exit[:, layer, self._option(cluster, layer), c])
        else:
            for code in given.skips:
                if code.producer == layer:
                    cycles += self._excess(code.leave[:, c])
        self._add(parts, t, cycles, held)

    def _cluster(self, t: int) -> Cluster:
        cluster = self.clusters[t]
        assert cluster is not None
        return cluster

    def _option(self, cluster: Cluster, layer: int) -> int:
        return self.instance.options.index(cluster.options[layer - cluster.first])

    @staticmethod
    def _excess(cycles: Ints) -> Ints:
        """[R] cycles more than without compression."""
        return cycles - cycles[0]

    @staticmethod
    def _add(parts: dict[int, Ints], t: int, amount: Ints, held: Ints | int = 0) -> None:
        change = np.zeros((2, len(amount)), dtype=np.int64)
        change[0], change[1] = amount, held
        parts[t] = parts[t] + change if t in parts else change
