"""Placement by candidates: each region takes one of the places that it may have.

Sets: regions k; P[k], the places of region k; its streams inside itself and with the DRAM put
own[p,e] bytes on link e. Pairs a < b of regions that send to each other; the places p of a and q of
b that do not overlap; both[p,q,e] bytes on link e. Variables: x[p], the region has place p; z[p,q],
both regions have theirs; busiest, bytes on the link with the most.

    byte_hops = sum_p own[p] x[p] + sum_pq both[p,q] z[p,q]
    load[e] = sum_p own[p,e] x[p] + sum_pq both[p,q,e] z[p,q] <= busiest

own[p] and both[p,q] are the sums over all links. All is divided by the greatest common divisor of
the streams' bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from formulations.modellers import Expression, Modeller, Solution, Variable, label
from formulations.placement.candidates import Candidates
from instances.package import Tile
from instances.tables import Ints
from schedules.placement import placement_cost
from schedules.traffic import Places

Objective = Literal["hops", "load"]

CONSTRAINTS = (
    "one_place",
    "disjoint",
    "together_first",
    "together_second",
    "apart",
    "busiest",
    "least_load",
)
"""The constraint families in the order in which they are built; each is a method of
`ByCandidates`."""


@dataclass(frozen=True)
class Variables:
    """The variables of the model.

    Attributes:
        place: [K] of each region, [places] whether it is there.
        together: by pair of regions, [Q] whether a pair of their places is taken.
        busiest: bytes on the link with the most, in units; None unless loads count.
    """

    place: list[list[Variable]]
    together: dict[tuple[int, int], list[Variable]]
    busiest: Variable | None


class ByCandidates:
    """The candidate model of a placement problem.

    Attributes:
        modeller: has the native model, `modeller.model`.
        candidates: the places that the regions may have.
        variables: the model's variables.
        unit: bytes, or bytes times links, that one of the objective stands for.

    Args:
        candidates: as `formulations.placement.candidates.candidates` finds them.
        objective: what is minimised.
        cap: bytes that no link may exceed. What alone exceeds it is left out of the model.
        constraints: the constraint families to build, all by default; tests leave some out.

    Raises:
        ValueError: the numbers are too large for the modeller.
    """

    def __init__(
        self,
        candidates: Candidates,
        modeller: Modeller,
        objective: Objective = "hops",
        cap: int | None = None,
        constraints: Sequence[str] = CONSTRAINTS,
    ) -> None:
        self.modeller = modeller
        self.unit = candidates.unit
        self._problem = candidates.problem
        self._most = None if cap is None else cap // self.unit
        self.candidates = candidates.within(cap if "busiest" in constraints else None)
        self._declare(objective)
        for name in constraints:
            getattr(self, name)()
        modeller.minimize(self.variables.busiest if objective == "load" else self._sum(None))

    def _declare(self, objective: Objective) -> None:
        modeller, candidates = self.modeller, self.candidates
        largest = sum(int(own.sum(axis=1).max(initial=0)) for own in candidates.alone)
        largest += sum(int(p.loads.sum(axis=1).max(initial=0)) for p in candidates.pairs.values())
        modeller.expect("the bytes of all streams times the links that they take", largest)
        place = [
            [modeller.binary(label("place", k, *p.tiles[0], n)) for n, p in enumerate(own)]
            for k, own in enumerate(candidates.places)
        ]
        together = {
            (a, b): [
                modeller.quantity(0, 1, label("together", a, p, b, q))
                for p, q in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
            ]
            for (a, b), pairs in candidates.pairs.items()
        }
        busiest = modeller.quantity(0, largest, "busiest") if objective == "load" else None
        self.variables = Variables(place, together, busiest)

    def hint(self, places: Places) -> None:
        """Suggest places: a value for every variable. Replaces an older hint.

        Raises:
            ValueError: some are no candidates, or overlap.
        """
        chosen = self.candidates.numbers(places)
        values = []
        for own, number in zip(self.variables.place, chosen, strict=True):
            values += [(x, int(n == number)) for n, x in enumerate(own)]
        for (a, b), together in self.variables.together.items():
            pairs = self.candidates.pairs[a, b]
            taken = (pairs.first == chosen[a]) & (pairs.second == chosen[b])
            values += list(zip(together, taken.astype(int).tolist(), strict=True))
        busiest = placement_cost(self._problem, places).busiest // self.unit
        if self._most is not None and busiest > self._most:
            raise ValueError(
                f"the places bring a link to {busiest * self.unit} bytes, the cap is less"
            )
        if self.variables.busiest is not None:
            values.append((self.variables.busiest, busiest))
        self.modeller.hint(values)

    def extract(self, solution: Solution) -> list[tuple[Tile, ...]]:
        """The places of a solution; ask only an engine that has one."""
        return [
            next(p.tiles for p, x in zip(own, taken, strict=True) if solution.value(x))
            for own, taken in zip(self.candidates.places, self.variables.place, strict=True)
        ]

    # Constraint families

    def one_place(self) -> None:
        """Each region has a place: sum_p x[p] = 1."""
        for k, own in enumerate(self.variables.place):
            self.modeller.require(label("one_place", k), self.modeller.sum(own) == 1)

    def disjoint(self) -> None:
        """Each chiplet is held by one region at most: sum_{p holds it} x[p] <= 1."""
        for tile in self._problem.mesh.tiles:
            holding = [
                x
                for own, taken in zip(self.candidates.places, self.variables.place, strict=True)
                for place, x in zip(own, taken, strict=True)
                if tile in place.held
            ]
            rule = self.modeller.sum(holding) <= 1
            self.modeller.require(label("disjoint", *tile), rule)

    def together_first(self) -> None:
        """The pairs of a place are taken if it is: sum_q z[p,q] = x[p]."""
        for (a, b), pairs in self.candidates.pairs.items():
            self._together("together_first", (a, b), a, pairs.first)

    def together_second(self) -> None:
        """Likewise sum_p z[p,q] = x[q]."""
        for (a, b), pairs in self.candidates.pairs.items():
            self._together("together_second", (a, b), b, pairs.second)

    def _together(self, name: str, ends: tuple[int, int], region: int, numbers: Ints) -> None:
        together = self.variables.together[ends]
        of: list[list[Variable]] = [[] for _ in self.candidates.places[region]]
        for number, z in zip(numbers.tolist(), together, strict=True):
            of[number].append(z)
        for number, x in enumerate(self.variables.place[region]):
            rule = self.modeller.sum(of[number]) == x
            self.modeller.require(label(name, *ends, number), rule)

    def apart(self) -> None:
        """Beside a place, too, each chiplet is held by one region at most. Implied.

        sum_b sum_{q holds it} z[p,q] <= x[p] for a place p of a region, over all regions b that
        send to it or get from it: `disjoint` times x[p], a step of the
        reformulation-linearization technique (Adams, Johnson 1994).
        """
        beside: dict[tuple[int, int, Tile], list[tuple[int, Variable]]] = {}
        for (a, b), pairs in self.candidates.pairs.items():
            numbers = zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
            for (p, q), z in zip(numbers, self.variables.together[a, b], strict=True):
                for tile in self.candidates.places[b][q].held:
                    beside.setdefault((a, p, tile), []).append((b, z))
                for tile in self.candidates.places[a][p].held:
                    beside.setdefault((b, q, tile), []).append((a, z))
        for (k, number, tile), terms in beside.items():
            if len({region for region, _ in terms}) > 1:
                rule = self.modeller.sum([z for _, z in terms]) <= self.variables.place[k][number]
                self.modeller.require(label("apart", k, number, *tile), rule)

    def busiest(self) -> None:
        """No link has more than the busiest, or more than the cap: load[e] <= busiest."""
        if self.variables.busiest is None and self._most is None:
            return
        for link, (start, end) in enumerate(self._problem.mesh.links):
            name = label("busiest", *start, *end)
            load = self._sum(link)
            if self.variables.busiest is not None:
                self.modeller.require(name, load <= self.variables.busiest)
            if self._most is not None:
                self.modeller.require(name, load <= self._most)

    def least_load(self) -> None:
        """The busiest link has at least the load of a place alone, or of a pair. Implied.

        sum_p max_e own[p,e] x[p] <= busiest for each region; likewise for each pair.
        """
        if self.variables.busiest is None:
            return
        for k, (own, taken) in enumerate(
            zip(self.candidates.alone, self.variables.place, strict=True)
        ):
            rule = self.modeller.sum(taken, own.max(axis=1, initial=0).tolist())
            self.modeller.require(label("least_load", k), rule <= self.variables.busiest)
        for (a, b), pairs in self.candidates.pairs.items():
            most = pairs.all_loads.max(axis=1, initial=0).tolist()
            rule = self.modeller.sum(self.variables.together[a, b], most)
            self.modeller.require(label("least_load", a, b), rule <= self.variables.busiest)

    # Expressions

    def _terms(self, link: int | None) -> Iterator[tuple[Variable, int]]:
        """Variables and what they put on a link, or on all links."""
        for own, taken in zip(self.candidates.alone, self.variables.place, strict=True):
            amounts = own.sum(axis=1) if link is None else own[:, link]
            yield from zip(taken, amounts.tolist(), strict=True)
        for ends, pairs in self.candidates.pairs.items():
            amounts = pairs.loads.sum(axis=1) if link is None else pairs.loads[:, link]
            yield from zip(self.variables.together[ends], amounts.tolist(), strict=True)

    def _sum(self, link: int | None) -> Expression:
        """What is sent over a link, or over all links."""
        terms = [(variable, amount) for variable, amount in self._terms(link) if amount]
        return self.modeller.sum([v for v, _ in terms], [amount for _, amount in terms])
