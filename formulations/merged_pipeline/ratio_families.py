"""The constraint families of compression, for all formulations: u[l,k], layer l has choice k.

Everything here is about the layers whose outputs may have more than one ratio; where there is no
compression there are none, and the families are empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from formulations.modellers import Expression, Modeller, Variable, label
from instances.compression import Compression
from instances.instance import Instance

COLUMN_FAMILIES = (
    "one_ratio",
    "budget",
    "encode",
    "decode",
    "spare",
    "code_traffic",
    "plain_tiles",
)
"""The families of models over cluster columns."""

Place = tuple[int, int]
"""A layer, and the choice of its output's ratio."""


class Ratios:
    """What a model decides about ratios.

    Attributes:
        modeller: of the model.
        ratio: (l, k) -> u, for the layers that have a choice.
    """

    modeller: Modeller

    def _declare_ratios(self, instance: Instance) -> None:
        self._given: Compression | None = instance.compression
        self._layer_names = instance.layers
        self.ratio: dict[Place, Variable] = {
            (layer, k): self.modeller.binary(label("ratio", self._layer_names[layer], ratio))
            for layer, k, ratio in self._choices()
        }

    def _choices(self) -> Iterator[tuple[int, int, int]]:
        """(layer, choice, ratio) of the layers that have a choice."""
        given = self._given
        if given is not None:
            for layer in given.open:
                for k in given.allowed(layer):
                    yield layer, k, given.ratios[k]

    def _may_tile(self) -> Mapping[int, Variable]:
        """t[l] by layer, of the layers that may be tiled."""
        raise NotImplementedError

    def _ratio_values(self, choices: Sequence[int]) -> Iterator[tuple[Variable, int]]:
        """The point of a schedule's choices."""
        for (layer, k), u in self.ratio.items():
            yield u, int(choices[layer] == k)

    # Constraint families

    def one_ratio(self) -> None:
        """sum_k u[l,k] = 1."""
        for layer in dict.fromkeys(layer for layer, _ in self.ratio):
            own = [u for (at, _), u in self.ratio.items() if at == layer]
            name = label("one_ratio", self._layer_names[layer])
            self.modeller.require(name, self.modeller.sum(own) == 1)

    def budget(self) -> None:
        """sum_{l,k} loss[l,k] u[l,k] <= the budget."""
        if self._given is None:
            return
        losses = [int(self._given.losses[place]) for place in self.ratio]
        self.modeller.expect("the losses together", sum(losses))
        lost = self.modeller.sum(list(self.ratio.values()), losses)
        self.modeller.require("budget", lost <= self._given.budget)

    def plain_tiles(self) -> None:
        """t[l] <= u[k,0] for each k that is l, or that l reads: both go as they are."""
        if self._given is None:
            return
        for layer, tiled in self._may_tile().items():
            for at in self._given.crossing(layer, layer):
                plain = self.ratio.get((at, 0))
                if plain is not None:
                    name = label("plain_tiles", self._layer_names[layer], self._layer_names[at])
                    self.modeller.require(name, tiled <= plain)


@dataclass(frozen=True)
class Run:
    """A segment of a model that is not tiled.

    Attributes:
        name: for constraints.
        first, last: layers.
        least: cycles that its beat has at least, if it is chosen.
        chosen: y.
        beat: its beat if it is chosen, else 0.
    """

    name: str
    first: int
    last: int
    least: int
    chosen: Variable
    beat: Expression


class ColumnRatios(Ratios):
    """The families of models over cluster columns, each of which has its choices.

    Attributes:
        spared: (p, l, k) -> segment p is chosen, and l, which crosses its border, has choice k.
    """

    def _clusters(self) -> Iterator[tuple[Variable, int, int, tuple[int, ...]]]:
        """x, first and last layer, and choices of all columns."""
        raise NotImplementedError

    @property
    def _runs(self) -> Sequence[Run]:
        """The segments that are not tiled."""
        raise NotImplementedError

    def _declare_spared(self, instance: Instance, priced: bool) -> None:
        """Variables where what is spared can matter: the DRAM decides, or energy counts."""
        self.spared: dict[tuple[int, int, int], Variable] = {}
        given = self._given
        for p, run in enumerate(self._runs if given is not None else ()):
            assert given is not None
            decides = instance.costs.segment(run.first, run.last).dram > run.least
            for layer in given.crossing(run.first, run.last) if decides or priced else ():
                for k in given.allowed(layer)[1:]:
                    place = run.name, self._layer_names[layer], given.ratios[k]
                    quantity = self.modeller.quantity(0, 1, label("spared", *place))
                    self.spared[p, layer, k] = quantity

    def _spared_joules(self) -> list[tuple[Variable, int]]:
        """Terms of the picojoules that a sample is spared."""
        given = self._given
        if given is None:
            return []
        return [(z, int(given.saved_energy[k, at])) for (_, at, k), z in self.spared.items()]

    def _spared_values(
        self, choices: Sequence[int], chosen: Sequence[int]
    ) -> Iterator[tuple[Variable, int]]:
        """The point of a schedule's choices and chosen segments."""
        for (p, layer, k), z in self.spared.items():
            yield z, int(p in chosen and choices[layer] == k)

    # Constraint families

    def encode(self) -> None:
        """sum_q x[q] <= u[l,k], over the columns that send l with choice k."""
        self._ask("encode", self._users(sent=True))

    def decode(self) -> None:
        """sum_{q over v} x[q] <= u[l,k], over those that receive l so, for each reader v."""
        self._ask("decode", self._users(sent=False))

    def spare(self) -> None:
        """What is spared needs its segment and its choice.

        sum_k spared[p,l,k] <= y[p]
        sum_p spared[p,l,k] <= u[l,k], over the segments that send l, and over those that receive it
        and contain v, for each reader v.
        """
        if self._given is None:
            return
        runs, rows = self._runs, dict[tuple[int, int], list[Variable]]()
        users = dict[tuple[int, int, int], list[Variable]]()
        for (p, layer, k), z in self.spared.items():
            rows.setdefault((p, layer), []).append(z)
            run = runs[p]
            for at in self._touched(run.first, run.last, layer):
                users.setdefault((layer, k, at), []).append(z)
        for (p, layer), own in rows.items():
            name = label("spare", runs[p].name, self._layer_names[layer])
            self.modeller.require(name, self.modeller.sum(own) <= runs[p].chosen)
        self._ask("spare", users)

    def code_traffic(self) -> None:
        """beat[p] >= rate (traffic[p] y[p] - sum_{l,k} saved[l,k] spared[p,l,k])."""
        given = self._given
        if given is None:
            return
        numerator, denominator = given.rate
        runs, terms = self._runs, dict[int, list[tuple[Variable, int]]]()
        for (p, layer, k), z in self.spared.items():
            terms.setdefault(p, []).append((z, int(given.saved[k, layer])))
        for p, own in terms.items():
            run, traffic = runs[p], int(given.traffic[runs[p].first, runs[p].last])
            self.modeller.expect("what DRAM traffic takes", numerator * traffic)
            spared = self.modeller.sum([z for z, _ in own], [numerator * n for _, n in own])
            rule = denominator * run.beat + spared >= numerator * traffic * run.chosen
            self.modeller.require(label("code_traffic", run.name), rule)

    def _ask(self, family: str, users: Mapping[tuple[int, int, int], list[Variable]]) -> None:
        """Sum <= u[l,k] for the users of (l, k, place)."""
        for (layer, k, at), own in users.items():
            if (layer, k) in self.ratio:
                name = label(family, self._layer_names[layer], self._layer_names[at], k)
                self.modeller.require(name, self.modeller.sum(own) <= self.ratio[layer, k])

    def _users(self, sent: bool) -> dict[tuple[int, int, int], list[Variable]]:
        """(l, k, layer of the cluster) -> columns that send, or receive, l with choice k."""
        users: dict[tuple[int, int, int], list[Variable]] = {}
        borders: dict[Place, list[tuple[int, list[int]]]] = {}
        if self._given is None:
            return users
        for x, first, last, choices in self._clusters():
            if (first, last) not in borders:
                borders[first, last] = [
                    (layer, self._touched(first, last, layer))
                    for layer in self._given.crossing(first, last)
                ]
            for (layer, places), k in zip(borders[first, last], choices, strict=True):
                if (layer >= first) == sent:
                    for at in places:
                        users.setdefault((layer, k, at), []).append(x)
        return users

    def _touched(self, first: int, last: int, layer: int) -> list[int]:
        """Where first..last meets a layer's output: where it makes it, else where it reads it."""
        assert self._given is not None
        if layer >= first:
            return [layer]
        return [reader for reader in self._given.readers[layer] if first <= reader <= last]
