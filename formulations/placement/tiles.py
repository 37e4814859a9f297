"""Placement a chiplet at a time: which region has it, and a flow that keeps regions connected.

For free shapes where they are too many to be listed. Sets: regions k of n[k] chiplets; chiplets s,
t; the way of XY routing from s to t; beyond[s,e], the chiplets whose way from s takes link e.
Variables: x[k,s], region k has chiplet s; root[k,s], its first one; flow[k,s,t] between neighbours;
y[a,s,b,t], region a has s and b has t, for streams from a to b; reach[a,s,b,T], s sends to one of
the chiplets T at least, for T = beyond[s,e] and streams that are multicast; busiest.

A stream of d bytes from a to b puts on a link e

    d sum_s sum_{t in beyond[s,e]} y[a,s,b,t]   if each receiver gets bytes of its own,
    d sum_s reach[a,s,b,beyond[s,e]]            if it is multicast.

From the DRAM s runs over its ports, and x[b,t] stands for y; to the DRAM a chiplet's load is known.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, product
from math import gcd

from formulations.modellers import Expression, Modeller, Solution, Variable, label
from formulations.placement.places import Objective
from instances.package import Tile
from schedules.placement import PlacementProblem, misplaced, placement_cost
from schedules.traffic import DRAM, Places, Stream

CONSTRAINTS = (
    "size",
    "disjoint",
    "first_chiplet",
    "connected",
    "capacity",
    "both_first",
    "both_second",
    "copies",
    "busiest",
)
"""The constraint families in the order in which they are built; each is a method of `ByTiles`."""

Both = tuple[int, Tile, int, Tile]
Reach = tuple[int, Tile, int, frozenset[Tile]]


@dataclass(frozen=True)
class Variables:
    """The variables of the model.

    Attributes:
        has: by region and chiplet, whether it has it.
        root: likewise, whether it is its first.
        flow: by region and link between two chiplets.
        both: by region and chiplet, region and chiplet: whether both have theirs.
        reach: by sender and chiplet, receiver and chiplets: whether one of them gets something.
        busiest: bytes on the link with the most, in units; None unless loads count.
    """

    has: dict[tuple[int, Tile], Variable]
    root: dict[tuple[int, Tile], Variable]
    flow: dict[tuple[int, Tile, Tile], Variable]
    both: dict[Both, Variable]
    reach: dict[Reach, Variable]
    busiest: Variable | None


@dataclass
class _Sum:
    """Variables and their weights."""

    terms: Counter[int] = field(default_factory=Counter)
    variables: dict[int, Variable] = field(default_factory=dict)

    def add(self, variable: Variable, weight: int) -> None:
        self.terms[id(variable)] += weight
        self.variables[id(variable)] = variable

    def expression(self, modeller: Modeller) -> Expression:
        return modeller.sum(list(self.variables.values()), [self.terms[k] for k in self.variables])


class ByTiles:
    """The model of a placement problem by chiplets; any connected shapes.

    Attributes:
        modeller: has the native model, `modeller.model`.
        variables: the model's variables.
        unit: bytes, or bytes times links, that one of the objective stands for.

    Args:
        objective: what is minimised.
        cap: bytes that no link may exceed.
        constraints: the constraint families to build, all by default; tests leave some out.

    Raises:
        ValueError: the numbers are too large for the modeller.
    """

    def __init__(
        self,
        problem: PlacementProblem,
        modeller: Modeller,
        objective: Objective = "hops",
        cap: int | None = None,
        constraints: Sequence[str] = CONSTRAINTS,
    ) -> None:
        self.modeller = modeller
        self._problem = problem
        self._tiles = problem.mesh.tiles
        self._regions = range(len(problem.sizes))
        self.unit = gcd(*(s.bytes for s in problem.streams)) or 1
        self._most = None if cap is None else cap // self.unit
        self._declare(objective)
        for name in constraints:
            getattr(self, name)()
        hops = (self._loads[link].expression(modeller) for link in sorted(self._loads))
        total = modeller.sum([]) if not self._loads else sum(hops)
        modeller.minimize(self.variables.busiest if objective == "load" else total)

    def _declare(self, objective: Objective) -> None:
        modeller, mesh, sizes = self.modeller, self._problem.mesh, self._problem.sizes
        largest = len(mesh.links) * sum(
            s.bytes // self.unit * self._count(s.sender) * self._count(s.receiver)
            for s in self._problem.streams
        )
        modeller.expect("the bytes of all streams times the links that they take", largest)
        places = list(product(self._regions, self._tiles))
        flows = [
            (k, s, t)
            for k, s in places
            for t in mesh.joined(s)
            if t in mesh.usable and sizes[k] > 1
        ]
        self.variables = Variables(
            has={key: modeller.binary(label("has", key[0], *key[1])) for key in places},
            root={key: modeller.binary(label("root", key[0], *key[1])) for key in places},
            flow={
                (k, s, t): modeller.quantity(0, sizes[k] - 1, label("flow", k, *s, *t))
                for k, s, t in flows
            },
            both={
                (a, s, b, t): modeller.quantity(0, 1, label("both", a, *s, b, *t))
                for a, b in self._ends
                for s, t in product(self._tiles, self._tiles)
            },
            reach={
                (a, s, b, beyond): modeller.quantity(0, 1, label("reach", a, *s, b, n))
                for a, b in self._multicast
                for s in self._senders(a)
                for n, beyond in enumerate(sorted(set(self._beyond(s).values()), key=sorted))
            },
            busiest=modeller.quantity(0, largest, "busiest") if objective == "load" else None,
        )

    def _count(self, end: int) -> int:
        return len(self._problem.mesh.ports) if end == DRAM else self._problem.sizes[end]

    @cached_property
    def _ends(self) -> list[tuple[int, int]]:
        """Regions and those to which they send."""
        found = {(s.sender, s.receiver) for s in self._problem.streams}
        return sorted(ends for ends in found if DRAM not in ends)

    @cached_property
    def _multicast(self) -> list[tuple[int, int]]:
        """Senders and regions to which they send by multicast."""
        own = (s for s in self._problem.streams if s.multicast and s.receiver != DRAM)
        return sorted({(s.sender, s.receiver) for s in own})

    def _senders(self, end: int) -> Sequence[Tile]:
        return sorted(set(self._problem.mesh.ports)) if end == DRAM else self._tiles

    def _beyond(self, start: Tile) -> dict[int, frozenset[Tile]]:
        """Link -> the chiplets whose way from a start takes it."""
        if start not in self._known:
            mesh = self._problem.mesh
            found: dict[int, set[Tile]] = {}
            for tile in self._tiles:
                for link in pairwise(mesh.way(start, tile)):
                    found.setdefault(mesh.index[link], set()).add(tile)
            self._known[start] = {link: frozenset(tiles) for link, tiles in found.items()}
        return self._known[start]

    @cached_property
    def _known(self) -> dict[Tile, dict[int, frozenset[Tile]]]:
        return {}

    def hint(self, places: Places) -> None:
        """Suggest places: a value for every variable. Replaces an older hint.

        Raises:
            ValueError: they are wrong, or bring a link above the cap.
        """
        wrong = misplaced(self._problem, places)
        if wrong:
            raise ValueError(wrong[0])
        busiest = placement_cost(self._problem, places).busiest // self.unit
        if self._most is not None and busiest > self._most:
            found = busiest * self.unit
            raise ValueError(f"the places bring a link to {found} bytes, more than the cap")
        own, v = [frozenset(tiles) for tiles in places], self.variables
        flows = [self._flow_of(tiles) for tiles in own]
        values = [(x, int(s in own[k])) for (k, s), x in v.has.items()]
        values += [(x, int(s == min(own[k]))) for (k, s), x in v.root.items()]
        values += [(x, flows[k].get((s, t), 0)) for (k, s, t), x in v.flow.items()]
        values += [(x, int(s in own[a] and t in own[b])) for (a, s, b, t), x in v.both.items()]
        values += [
            (x, int((a == DRAM or s in own[a]) and not own[b].isdisjoint(beyond)))
            for (a, s, b, beyond), x in v.reach.items()
        ]
        if v.busiest is not None:
            values.append((v.busiest, busiest))
        self.modeller.hint(values)

    def _flow_of(self, tiles: frozenset[Tile]) -> dict[tuple[Tile, Tile], int]:
        """A unit for each chiplet of a region, from its first one along a tree."""
        root = min(tiles)
        before, ahead = {root: root}, deque([root])
        while ahead:
            tile = ahead.popleft()
            for other in self._problem.mesh.joined(tile):
                if other in tiles and other not in before:
                    before[other] = tile
                    ahead.append(other)
        found: Counter[tuple[Tile, Tile]] = Counter()
        for tile in tiles:
            while tile != root:
                found[before[tile], tile] += 1
                tile = before[tile]
        return found

    def extract(self, solution: Solution) -> list[tuple[Tile, ...]]:
        """The places of a solution; ask only an engine that has one."""
        has = self.variables.has
        return [tuple(t for t in self._tiles if solution.value(has[k, t])) for k in self._regions]

    # Constraint families

    def _has(self, keys: Iterable[tuple[int, Tile]]) -> Expression:
        return self.modeller.sum([self.variables.has[key] for key in keys])

    def size(self) -> None:
        """Each region has its chiplets: sum_s x[k,s] = n[k]."""
        for k, size in enumerate(self._problem.sizes):
            rule = self._has((k, s) for s in self._tiles) == size
            self.modeller.require(label("size", k), rule)

    def disjoint(self) -> None:
        """A chiplet is in one region at most: sum_k x[k,s] <= 1."""
        for s in self._tiles:
            rule = self._has((k, s) for k in self._regions) <= 1
            self.modeller.require(label("disjoint", *s), rule)

    def first_chiplet(self) -> None:
        """The root is the first chiplet of the region: x[k,t] + sum_{s after t} root[k,s] <= 1.

        Any other would do; so there is one flow less to choose.
        """
        v = self.variables
        for k, (n, t) in product(self._regions, enumerate(self._tiles)):
            later = self.modeller.sum([v.root[k, s] for s in self._tiles[n + 1 :]])
            self.modeller.require(label("first_chiplet", k, *t), v.has[k, t] + later <= 1)

    def connected(self) -> None:
        """From the root a unit flows to each chiplet of the region.

        sum_t flow[k,t,s] - sum_t flow[k,s,t] = x[k,s] - n[k] root[k,s]

        With `size` there is one root, and with `capacity` it is in the region.
        """
        v = self.variables
        for (k, s), has in v.has.items():
            coming = [v.flow[k, t, s] for t in self._tiles if (k, t, s) in v.flow]
            going = [v.flow[k, s, t] for t in self._tiles if (k, s, t) in v.flow]
            net = self.modeller.sum([*coming, *going], [1] * len(coming) + [-1] * len(going))
            rule = net == has - self._problem.sizes[k] * v.root[k, s]
            self.modeller.require(label("connected", k, *s), rule)

    def capacity(self) -> None:
        """Nothing flows through other chiplets: flow[k,s,t] <= (n[k]-1) x[k,s]; likewise x[k,t]."""
        v = self.variables
        for (k, s, t), flow in v.flow.items():
            for end in (s, t):
                rule = flow <= (self._problem.sizes[k] - 1) * v.has[k, end]
                self.modeller.require(label("capacity", k, *s, *t), rule)

    def both_first(self) -> None:
        """If a has s, all chiplets of b are with it: sum_t y[a,s,b,t] = n[b] x[a,s]."""
        v = self.variables
        for (a, b), s in product(self._ends, self._tiles):
            both = self.modeller.sum([v.both[a, s, b, t] for t in self._tiles])
            rule = both == self._problem.sizes[b] * v.has[a, s]
            self.modeller.require(label("both_first", a, *s, b), rule)

    def both_second(self) -> None:
        """Likewise sum_s y[a,s,b,t] = n[a] x[b,t]."""
        v = self.variables
        for (a, b), t in product(self._ends, self._tiles):
            both = self.modeller.sum([v.both[a, s, b, t] for s in self._tiles])
            rule = both == self._problem.sizes[a] * v.has[b, t]
            self.modeller.require(label("both_second", a, b, *t), rule)

    def copies(self) -> None:
        """A copy goes where a receiver is: reach[a,s,b,T] >= y[a,s,b,t] for t in T."""
        v = self.variables
        for (a, s, b, beyond), reach in v.reach.items():
            for t in sorted(beyond):
                there = v.has[b, t] if a == DRAM else v.both[a, s, b, t]
                self.modeller.require(label("copies", a, *s, b, *t), reach >= there)

    def busiest(self) -> None:
        """No link has more than the busiest, or more than the cap."""
        for link in sorted(self._loads):
            start, end = self._problem.mesh.links[link]
            name = label("busiest", *start, *end)
            load = self._loads[link].expression(self.modeller)
            if self.variables.busiest is not None:
                self.modeller.require(name, load <= self.variables.busiest)
            if self._most is not None:
                self.modeller.require(name, load <= self._most)

    # Expressions

    @cached_property
    def _loads(self) -> dict[int, _Sum]:
        """Link -> what all streams put on it, in units; links that nobody uses are left out."""
        found: dict[int, _Sum] = {}
        for stream in self._problem.streams:
            for link, variable, times in self._terms(stream):
                found.setdefault(link, _Sum()).add(variable, stream.bytes // self.unit * times)
        return found

    def _terms(self, stream: Stream) -> Iterable[tuple[int, Variable, int]]:
        """Links that a stream takes, the variables that say so, and how often it does."""
        v, mesh, (a, b) = self.variables, self._problem.mesh, (stream.sender, stream.receiver)
        if b == DRAM:
            for s in self._tiles:
                loads = mesh.loads([s], mesh.ports, stream.multicast)
                for link in loads.nonzero()[0].tolist():
                    yield link, v.has[a, s], int(loads[link])
            return
        for s in mesh.ports if a == DRAM else self._tiles:
            for link, beyond in self._beyond(s).items():
                if stream.multicast:
                    yield link, v.reach[a, s, b, beyond], 1
                    continue
                for t in beyond:
                    yield link, v.has[b, t] if a == DRAM else v.both[a, s, b, t], 1
