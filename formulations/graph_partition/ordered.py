"""Ordered divisions as a model.

Devices have numbers k in their order; both kinds share them. Besides the variables of the frame:

    y[b,k]   binary: block b is on device k or one before it
    c[k]     binary: device k is a CPU
"""

from __future__ import annotations

from functools import cached_property

from formulations.graph_partition.frame import SHARED, Frame, Values
from formulations.modellers import Expression, Variable, label
from schedules.partition.partition import Partition


class OrderedPartition(Frame):
    """The model of ordered divisions."""

    families = (*SHARED, "prefixes", "edges", "kinds", "counts")

    @cached_property
    def reached(self) -> dict[tuple[int, int], Variable]:
        """[block, number] y; of numbers at which it is open."""
        found = {}
        for block in range(self._blocks.count):
            numbers = sorted({number for _, number in self.given.places[block]})
            for number in numbers[:-1]:
                found[block, number] = self.modeller.binary(label("y", block, number))
        return found

    @cached_property
    def is_cpu(self) -> list[Variable]:
        """[number] c; none where there is one kind of device."""
        graph = self.given.graph
        if not graph.cpus or not graph.accelerators:
            return []
        return [self.modeller.binary(label("c", number)) for number in range(graph.devices)]

    def _y(self, block: int, number: int) -> Expression:
        if (block, number) in self.reached:
            return self.reached[block, number]
        places = self.given.places[block]
        return int(bool(places) and number >= places[-1][1])

    def prefixes(self) -> None:
        """y[b,k] = y[b,k-1] + the x[b,d] of both kinds with number k."""
        for block, places in enumerate(self.given.places):
            for number in sorted({number for _, number in places}):
                here = [self.variables.on[block, own] for own in places if own[1] == number]
                before = self._y(block, number - 1) if number else 0
                rule = self.modeller.sum(here) + before == self._y(block, number)
                self.modeller.require(label("prefix", block, number), rule)

    def edges(self) -> None:
        """Edges go forward: y[w,k] <= y[b,k] for every arc from b to w."""
        for b, w in self._blocks.arcs:
            for number in range(self.given.slots - 1):
                early, late = self._y(b, number), self._y(w, number)
                # Two numbers in order leave nothing to say.
                if not isinstance(early, int) or not isinstance(late, int) or early < late:
                    self.modeller.require(label("edge", b, w, number), early - late >= 0)

    def kinds(self) -> None:
        """Blocks are where their kind is: x[b,d] <= c[k] for CPUs, 1 - c[k] for accelerators."""
        if not self.is_cpu:
            return
        for (block, (kind, number)), x in self.variables.on.items():
            room = self.is_cpu[number] if kind == "cpu" else 1 - self.is_cpu[number]
            self.modeller.require(label("kind", block, kind, number), x <= room)

    def counts(self) -> None:
        """There are so many CPUs: sum_k c[k] = CPUs."""
        if self.is_cpu:
            self.modeller.require("counts", self.modeller.sum(self.is_cpu) == self.given.graph.cpus)

    def hint(self, partition: Partition) -> Values:
        """Suggest a division, whose devices are in order; the values."""
        graph = self.given.graph
        kinds = [device.kind for device in partition.devices]
        spare = ["accelerator"] * (graph.accelerators - kinds.count("accelerator"))
        spare += ["cpu"] * (graph.cpus - kinds.count("cpu"))
        devices = self._blocks_on(partition)
        places = {(kind, number): own for number, (kind, own) in enumerate(devices)}
        values = self._blocks_at(places)
        at = {b: number for (_, number), own in places.items() for b in own}
        values += [(y, int(at[block] <= number)) for (block, number), y in self.reached.items()]
        all_kinds = [*kinds, *spare]
        values += [(c, int(kind == "cpu")) for c, kind in zip(self.is_cpu, all_kinds, strict=False)]
        self.modeller.hint(values)
        return values
