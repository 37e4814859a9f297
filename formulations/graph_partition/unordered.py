"""Convex and free divisions as a model.

Devices of a kind are alike, so numbers are given to them in the order of their first blocks. For
convex divisions there is, besides the variables of the frame:

    l[v,d]   binary: a path of forward edges leaves device d before node v, or at it
"""

from __future__ import annotations

from functools import cached_property

from formulations.graph_partition.frame import SHARED, Frame, Values
from formulations.graph_partition.reduction import Place
from formulations.modellers import Variable, label
from instances.graph import Kind
from schedules.partition.partition import Partition


class UnorderedPartition(Frame):
    """The model of convex divisions, or of all."""

    families = (*SHARED, "numbering", "convexity")

    @cached_property
    def left(self) -> dict[tuple[int, Place], Variable]:
        """[node, place] l; of nodes on forward edges."""
        if self.given.order != "convex":
            return {}
        nodes = sorted({end for edge in self.given.graph.forward_edges for end in edge})
        return {
            (node, place): self.modeller.binary(label("l", node, *place))
            for node in nodes
            for place in self._all_places
        }

    @cached_property
    def _block(self) -> dict[int, int]:
        """The block of each node, by places."""
        return {p: b for b, places in enumerate(self._blocks.members) for p in places}

    def numbering(self) -> None:
        """A block is on device d > 0 only if one before it is on d - 1 of the same kind."""
        for (block, (kind, number)), x in self.variables.on.items():
            if number:
                place = (kind, number - 1)
                before = [
                    self.variables.on[b, place]
                    for b in range(block)
                    if (b, place) in self.variables.on
                ]
                rule = self.modeller.sum(before) - x >= 0
                self.modeller.require(label("numbering", block, kind, number), rule)

    def convexity(self) -> None:
        """No path comes back to a device d.

        For every forward edge from u to v: l[v,d] >= l[u,d], l[v,d] >= x[u,d] - x[v,d], and
        x[v,d] + l[v,d] <= 1.
        """
        if self.given.order != "convex":
            return
        for place in self._all_places:
            for u, v in self.given.graph.forward_edges:
                left, before = self.left[v, place], self.left[u, place]
                here, there = self._x(self._block[v], place), self._x(self._block[u], place)
                name = label("convex", u, v, *place)
                self.modeller.require(f"{name}on", left - before >= 0)
                self.modeller.require(f"{name}out", left - there + here >= 0)
            for (node, own), left in self.left.items():
                if own == place:
                    rule = left + self._x(self._block[node], place) <= 1
                    self.modeller.require(label("back", node, *place), rule)

    def hint(self, partition: Partition) -> Values:
        """Suggest a division; the values."""
        numbers: dict[Kind, int] = {"accelerator": 0, "cpu": 0}
        places: dict[Place, list[int]] = {}
        for kind, own in sorted(self._blocks_on(partition), key=lambda device: device[1][0]):
            places[kind, numbers[kind]] = own
            numbers[kind] += 1
        values = [*self._blocks_at(places), *self._left_at(places)]
        self.modeller.hint(values)
        return values

    def _left_at(self, places: dict[Place, list[int]]) -> Values:
        """Values of l for blocks at places."""
        graph, at = self.given.graph, {b: place for place, own in places.items() for b in own}
        before: dict[int, list[int]] = {}
        for u, v in graph.forward_edges:
            before.setdefault(v, []).append(u)
        values: Values = []
        gone: dict[int, set[Place]] = {}
        for node in graph.topological:
            here = at[self._block[node]]
            own = {place for u in before.get(node, ()) for place in gone[u]}
            own |= {at[self._block[u]] for u in before.get(node, ())} - {here}
            gone[node] = own
        for (node, place), variable in self.left.items():
            values.append((variable, int(place in gone[node])))
        return values
