"""What the models of ordered and of other divisions share: loads, tensors, memory.

Sets: blocks b (instances.graph_blocks), places d, which are an accelerator or a CPU and its number,
tensors t with an owner o(t) and readers R(t). Variables:

    x[b,d]   binary: block b is on d
    z[t,d]   binary: accelerator d sends or receives tensor t
    T        the largest load

The objective is T.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from formulations.graph_partition.reduction import Place, Reduced
from formulations.modellers import Expression, Modeller, Solution, Variable, label
from instances.graph import Kind
from schedules.partition.partition import Partition

Values = list[tuple[Variable, float]]

SHARED = ("one_place", "memory", "crossing", "accelerator_load", "cpu_load")
"""The constraint families of all models, in the order in which they are built."""


@dataclass
class Variables:
    """The variables, for constraints of one's own.

    Attributes:
        on: [block, place] x; a block has those of places where it may be.
        moved: [tensor, place] z, of accelerators.
        largest: T.
    """

    on: dict[tuple[int, Place], Variable] = field(default_factory=dict)
    moved: dict[tuple[int, Place], Variable] = field(default_factory=dict)
    largest: Variable = None


class Frame:
    """A model of divisions.

    Attributes:
        modeller: has the native model, `modeller.model`.
        variables: for constraints of one's own.
        families: the constraint families, each a method, in the order in which they are built.

    Args:
        given: the graph, and what may be where.
        modeller: a new one.
        unit: ticks of a unit of the model's times; 1 for engines that compute with integers.
        families: those to build, all by default; tests leave some out.
    """

    families: tuple[str, ...] = SHARED

    def __init__(
        self,
        given: Reduced,
        modeller: Modeller,
        unit: float = 1,
        families: Sequence[str] | None = None,
    ) -> None:
        self.given, self.modeller, self.unit = given, modeller, unit
        self._blocks = given.blocks
        self.variables = self._declare()
        for name in self.families if families is None else families:
            getattr(self, name)()
        modeller.minimize(modeller.sum([self.variables.largest], [unit]))

    def _declare(self) -> Variables:
        given, modeller, v = self.given, self.modeller, Variables()
        for block, places in enumerate(given.places):
            for place in places:
                v.on[block, place] = modeller.binary(label("x", block, *place))
        for tensor, owner in enumerate(self._blocks.owner):
            ends = [int(owner), *map(int, self._blocks.readers[tensor])]
            ways = {place for end in ends for place in given.places[end]}
            for place in sorted(way for way in ways if way[0] == "accelerator"):
                v.moved[tensor, place] = modeller.binary(label("z", tensor, *place))
        v.largest = modeller.quantity(self._time(given.bound), self._time(given.most), "T")
        return v

    def _time(self, ticks: int) -> float:
        """A time in units; an integer where a unit is a tick."""
        return int(ticks) if self.unit == 1 else int(ticks) / self.unit

    def _times(self, ticks: Iterable[int]) -> list[float]:
        return [self._time(own) for own in ticks]

    def _x(self, block: int, place: Place) -> Expression:
        return self.variables.on.get((block, place), 0)

    def _at(self, place: Place) -> list[int]:
        """Blocks that may be at a place."""
        return [b for b in range(self._blocks.count) if (b, place) in self.variables.on]

    @property
    def _all_places(self) -> list[Place]:
        return sorted({place for _, place in self.variables.on})

    # Constraint families

    def one_place(self) -> None:
        """Every block is on one device: sum_d x[b,d] = 1."""
        for block, places in enumerate(self.given.places):
            own = self.modeller.sum([self.variables.on[block, place] for place in places])
            self.modeller.require(label("one_place", block), own == 1)

    def memory(self) -> None:
        """Blocks have room on an accelerator d: sum_b size[b] x[b,d] <= memory."""
        room = self.given.graph.memory
        for place in self._all_places:
            blocks = [b for b in self._at(place) if self._blocks.size[b]]
            sizes = [int(self._blocks.size[b]) for b in blocks]
            if place[0] == "accelerator" and sum(sizes) > room:
                own = self.modeller.sum([self.variables.on[b, place] for b in blocks], sizes)
                self.modeller.require(label("memory", *place), own <= room)

    def crossing(self) -> None:
        """An accelerator d sends a tensor t that others read, and receives one that it reads.

        For all r in R(t): z[t,d] >= x[o(t),d] - x[r,d] and z[t,d] >= x[r,d] - x[o(t),d].
        """
        for (tensor, place), z in self.variables.moved.items():
            x = self._x(int(self._blocks.owner[tensor]), place)
            for reader in map(int, self._blocks.readers[tensor]):
                y = self._x(reader, place)
                name = label("crossing", tensor, *place, reader)
                self.modeller.require(f"{name}+", z - x + y >= 0)
                self.modeller.require(f"{name}-", z + x - y >= 0)

    def accelerator_load(self) -> None:
        """T is at least the load of each accelerator d.

        sum_b accelerator[b] x[b,d] + sum_t cost[t] z[t,d] <= T
        """
        v, blocks = self.variables, self._blocks
        for place in self._all_places:
            if place[0] == "accelerator":
                own = [b for b in self._at(place) if blocks.accelerator[b]]
                tensors = [t for t in range(len(blocks.cost)) if (t, place) in v.moved]
                load = self.modeller.sum(
                    [v.on[b, place] for b in own] + [v.moved[t, place] for t in tensors],
                    self._times([blocks.accelerator[b] for b in own])
                    + self._times([blocks.cost[t] for t in tensors]),
                )
                self.modeller.require(label("load", *place), v.largest >= load)

    def cpu_load(self) -> None:
        """T is at least the load of each CPU d: sum_b cpu[b] x[b,d] <= T."""
        v, blocks = self.variables, self._blocks
        for place in self._all_places:
            if place[0] == "cpu":
                own = self._at(place)
                load = self.modeller.sum(
                    [v.on[b, place] for b in own], self._times([blocks.cpu[b] for b in own])
                )
                self.modeller.require(label("load", *place), v.largest >= load)

    # Solutions

    def extract(self, solution: Solution) -> Partition:
        """The division of a solution."""
        found: dict[Place, list[int]] = {}
        for (block, place), x in self.variables.on.items():
            if solution.value(x):
                found.setdefault(place, []).append(block)
        return self._partition(found)

    def _partition(self, found: dict[Place, list[int]]) -> Partition:
        """Blocks at places as a division; devices by number."""
        nodes, members = self.given.graph.nodes, self._blocks.members
        return Partition.of(
            [
                (place[0], [nodes[p].id for b in found[place] for p in members[b]])
                for place in sorted(found, key=lambda own: (own[1], own[0]))
            ]
        )

    def _blocks_on(self, partition: Partition) -> list[tuple[Kind, list[int]]]:
        """Kinds of a division's devices, and their blocks."""
        nodes, members = self.given.graph.nodes, self._blocks.members
        block_of = {nodes[p].id: b for b, places in enumerate(members) for p in places}
        return [
            (device.kind, sorted({block_of[node] for node in device.nodes}))
            for device in partition.devices
            if device.nodes
        ]

    def _blocks_at(self, places: dict[Place, list[int]]) -> Values:
        """Values of x, z and T for blocks at places."""
        v, blocks = self.variables, self._blocks
        at = {block: place for place, own in places.items() for block in own}
        values: Values = [(x, int(at[block] == place)) for (block, place), x in v.on.items()]
        loads = dict.fromkeys(places, 0)
        for place, own in places.items():
            times = blocks.accelerator if place[0] == "accelerator" else blocks.cpu
            loads[place] = sum(int(times[b]) for b in own)
        for (tensor, place), z in v.moved.items():
            ends = [int(blocks.owner[tensor]), *map(int, blocks.readers[tensor])]
            here = sum(at[end] == place for end in ends)
            moved = int(here > 0 and (at[ends[0]] != place or here < len(ends)))
            values.append((z, moved))
            if moved:
                loads[place] += int(blocks.cost[tensor])
        values.append((v.largest, self._time(max(loads.values(), default=0))))
        return values
