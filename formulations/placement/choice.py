"""Options of all layers of a segment whose clusters and regions are given, links included.

Between clusters options meet only on the links: each link carries what all of them send. So this
model is asked where the fastest options of each cluster by itself overload one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from formulations.modellers.protocol import Expression, Modeller, Solution, Variable, label
from instances.tables import Ints


@dataclass(frozen=True)
class Stage:
    """A cluster with a region.

    Attributes:
        entry: [O] cycles of the first layer.
        steps: [n,O,O] cycles of each later one after the previous option; row 0 unused.
        exits: [O] cycles after the last one.
        resident, momentary: [n,O] bytes.
        loads: [n,O,O,links] bytes on each link for what a layer takes in, by the previous option
            and its own; for the first layer the previous one is 0.
    """

    entry: Ints
    steps: Ints
    exits: Ints
    resident: Ints
    momentary: Ints
    loads: Ints


class ChoiceModel:
    """The least beat of placed clusters, all options free.

    Attributes:
        option: of each stage, layer and option, 1 if it is chosen.
        pair: of each stage and layer, for the option before and its own, 1 if both are chosen.
        beat: cycles between two samples.
    """

    def __init__(
        self,
        modeller: Modeller,
        stages: Sequence[Stage],
        fixed: Ints,
        rate: tuple[int, int],
        capacity: int,
        least: int,
        most: int,
    ) -> None:
        """Build the model.

        Args:
            fixed: [links] bytes that no option changes.
            rate: cycles of a byte on a link, as a fraction.
            capacity: bytes of a chiplet.
            least, most: beats between which the answer lies.
        """
        self.modeller, self.stages = modeller, stages
        self.beat = modeller.quantity(least, most, "beat")
        self.option: list[list[list[Variable]]] = []
        self.pair: list[list[list[list[Variable]]]] = []
        for k, stage in enumerate(stages):
            self._variables(k, stage)
        self.each_layer_has_one_option()
        self.pairs_agree_with_options()
        self.buffers_hold(capacity)
        self.no_stage_is_slower_than_the_beat()
        self.no_link_is_busier_than_the_beat(fixed, rate)
        modeller.minimize(self.beat)

    def _variables(self, k: int, stage: Stage) -> None:
        layers, options = stage.resident.shape
        binary = self.modeller.binary
        self.option.append(
            [
                [binary(label("option", k, layer, o)) for o in range(options)]
                for layer in range(layers)
            ]
        )
        self.pair.append(
            [
                [
                    [binary(label("pair", k, layer, p, o)) for o in range(options)]
                    for p in range(options)
                ]
                for layer in range(1, layers)
            ]
        )

    def each_layer_has_one_option(self) -> None:
        """The sum over o of x_lo is 1."""
        for k, own in enumerate(self.option):
            for layer, row in enumerate(own):
                self.modeller.require(label("one", k, layer), self.modeller.sum(row) == 1)

    def pairs_agree_with_options(self) -> None:
        """The sum over o of y_lpo is x_(l-1)p, that over p is x_lo."""
        for k, own in enumerate(self.pair):
            for layer, rows in enumerate(own):
                before, after = self.option[k][layer], self.option[k][layer + 1]
                for o in range(len(rows)):
                    out = self.modeller.sum(rows[o]) == before[o]
                    into = self.modeller.sum([row[o] for row in rows]) == after[o]
                    self.modeller.require(label("before", k, layer, o), out)
                    self.modeller.require(label("after", k, layer, o), into)

    def buffers_hold(self, capacity: int) -> None:
        """All resident bytes and those of each layer while it runs are at most the capacity."""
        for k, stage in enumerate(self.stages):
            kept = self._weighted(k, stage.resident)
            for layer, bytes_ in enumerate(stage.momentary):
                own = self.modeller.sum(self.option[k][layer], bytes_.tolist())
                self.modeller.require(label("buffer", k, layer), kept + own <= capacity)

    def _weighted(self, k: int, weights: Ints) -> Expression:
        """The sum over layers and options of weight times x_lo."""
        variables = [variable for row in self.option[k] for variable in row]
        return self.modeller.sum(variables, weights.ravel().tolist())

    def no_stage_is_slower_than_the_beat(self) -> None:
        """Beat >= entry + steps + exit of each stage."""
        for k, stage in enumerate(self.stages):
            total = self.modeller.sum(self.option[k][0], stage.entry.tolist())
            total += self.modeller.sum(self.option[k][-1], stage.exits.tolist())
            for rows, cycles in zip(self.pair[k], stage.steps[1:], strict=True):
                for row, own in zip(rows, cycles.tolist(), strict=True):
                    total += self.modeller.sum(row, own)
            self.modeller.require(label("stage", k), self.beat >= total)

    def no_link_is_busier_than_the_beat(self, fixed: Ints, rate: tuple[int, int]) -> None:
        """Beat >= rate * (bytes on the link), for each link."""
        numerator, denominator = rate
        for link, always in enumerate(fixed.tolist()):
            total: Expression = always
            for k, stage in enumerate(self.stages):
                first = stage.loads[0, 0, :, link].tolist()
                total = total + self.modeller.sum(self.option[k][0], first)
                for rows, loads in zip(self.pair[k], stage.loads[1:], strict=True):
                    for row, own in zip(rows, loads[:, :, link].tolist(), strict=True):
                        total += self.modeller.sum(row, own)
            rule = self.beat * denominator >= numerator * total
            self.modeller.require(label("link", link), rule)

    def chosen(self, solution: Solution) -> list[list[int]]:
        """Of each stage, the options of its layers."""
        return [
            [next(o for o, v in enumerate(row) if solution.value(v)) for row in own]
            for own in self.option
        ]
