"""The compact model's constraint families for the goal: caps, limits, and what is held fixed."""

from __future__ import annotations

from collections.abc import Iterator

from formulations.merged_pipeline.compact_frame import Frame
from formulations.merged_pipeline.compact_horizon import LARGEST
from formulations.modellers import Expression, label
from instances.tables import CostTables
from schedules.goal import Pin


def rule_name(tables: CostTables, pin: Pin, what: str) -> str:
    """The name of the rule that states one thing that a pin holds."""
    return label("held", tables.layers[pin.layer], f"{what}={getattr(pin, what)}")


class Conditions(Frame):
    """What the user asks of a schedule beside the objective."""

    def caps(self) -> None:
        """The latency <= its cap; the energy <= its cap."""
        goal = self._goal
        if goal.latency_cap is not None:
            self._require("latency_cap", self.latency <= min(goal.latency_cap, LARGEST))
        if goal.energy_cap is not None and self.energy is not None:
            self._require("energy_cap", self.energy <= min(goal.energy_cap, LARGEST))

    def limits(self) -> None:
        """sum_l b[l] <= the segments; K[l] <= the clusters of one; U[l] <= its chiplets.

        K[l] >= 1; K[l] >= K[l-1] + a[l] unless b[l]. Besides, size[l] <= the chiplets: implied.
        """
        self._limit_segments()
        self._limit_clusters()
        self._limit_chiplets()

    def held(self) -> None:
        """For each pin on layer l, as far as it says something.

        b[l] = segment; a[l] = cluster; t[l] = tiled; x[l,option] = 1;
        z[l,c] = 1 for a region of c < C chiplets, z[l,C] + t[l] = 1 for all of them.
        """
        for pin in self._goal.pins:
            for what, expression, value in self._facts(pin):
                self._require(rule_name(self._tables, pin, what), expression == value)

    def _limit_segments(self) -> None:
        most, begins = self._goal.segments, self.variables.segment_begins
        if most is not None:
            total = self.modeller.sum(begins[: self._layers])
            self._require("segments", total <= min(most, self._layers))

    def _limit_clusters(self) -> None:
        v, most = self.variables, self._goal.clusters
        for layer, depth in enumerate(v.depth):
            name = self._at("depth", layer)
            self._require(name, depth >= 1)
            if layer > 0:
                rule = depth >= v.depth[layer - 1] + v.cluster_begins[layer]
                self._require(name, rule, unless=(v.segment_begins[layer],))
            self._require(self._at("clusters", layer), depth <= most)

    def _limit_chiplets(self) -> None:
        most = self._goal.chiplets
        if most is None or most >= self._chiplets:
            return
        for layer, used in enumerate(self.variables.used):
            name = self._at("chiplets", layer)
            self._require(name, used <= most)
            self._require(name, self._size(layer) <= most)

    def _facts(self, pin: Pin) -> Iterator[tuple[str, Expression, int]]:
        """(what is held, its expression, its value)."""
        v, layer = self.variables, pin.layer
        if pin.segment is not None:
            yield "segment", v.segment_begins[layer], int(pin.segment)
        if pin.cluster is not None:
            yield "cluster", v.cluster_begins[layer], int(pin.cluster)
        if pin.tiled is not None:
            yield "tiled", v.tiled[layer], int(pin.tiled)
        if pin.chiplets is not None:
            whole = [v.tiled[layer]] if pin.chiplets == self._chiplets else []
            region = v.region[layer][pin.chiplets - 1]
            yield "chiplets", self.modeller.sum([region, *whole]), 1
        if pin.option is not None:
            yield "option", v.option[layer][self._tables.options.index(pin.option)], 1
