"""The compact model's constraint families for compression.

The families of `compact_stages` and `compact_energy` have costs that no choice of ratios undercuts;
those here state what each choice costs.
"""

from __future__ import annotations

from collections.abc import Iterator

from formulations.merged_pipeline.charges import Charge
from formulations.merged_pipeline.compact_frame import Frame
from formulations.modellers import Expression, Variable
from instances.tables import Ints

CODING_FAMILIES = (
    "one_ratio",
    "budget",
    "plain_tiles",
    "coded_charges",
    "coded_time",
    "code_traffic",
    "coded_energy",
)
"""The families of compression; the first three are those of `Ratios`."""


class Coding(Frame):
    """What each choice of ratios costs."""

    def coded_charges(self) -> None:
        """Charge >= cost[k] if w[window] and u[l,k]; of what leaves, unless a[l+1].

        cost[k] is sum_{o,c} cost[k,o,c] p[v,o,c], or the like for regions; v pays for layer l.
        """
        for charge, variable in self.charged:
            name = self._at(f"coded_{charge.what}", charge.producer, charge.layer)
            begins = self.variables.cluster_begins[charge.layer]
            for k, chosen in self._own_ratios(charge.producer):
                if charge.costs[k].any():
                    when = (self._crossed(charge.window), chosen)
                    unless = (begins,) if charge.inside else ()
                    self._require(name, variable >= self._amount(charge, k), when, unless)

    def coded_time(self) -> None:
        """As in `stage_time` and `slowest_stage`, for each choice.

        T[l] >= sum_{o,c} entry[k,l,o,c] p[l,o,c] + alone[l] t[l] + skips if a[l] and u[l-1,k];
        B[l] >= T[l] + sum_{o,c} exit[k,l,o,c] p[l,o,c] if a[l+1] and u[l,k].
        """
        v, given = self.variables, self._given
        if given is None:
            return
        for layer, time in enumerate(v.time):
            name, begins = self._at("coded_time", layer), v.cluster_begins[layer]
            for k, chosen in self._own_ratios(layer - 1):
                entry = self._mode_sum(layer, self._cycles(given.entry[k, layer]))
                rule = time >= entry + self._alone_cycles(layer) + self._skip_cycles(layer)
                self._require(name, rule, when=(begins, chosen))
            for k, chosen in self._own_ratios(layer):
                exit_ = self._mode_sum(layer, self._cycles(given.exit[k, layer]))
                ends = v.cluster_begins[layer + 1]
                self._require(name, v.beat[layer] >= time + exit_, when=(ends, chosen))

    def code_traffic(self) -> None:
        """B[e] >= rate (traffic[s,e] - sum_{l,k} saved[l,k] u[l,k]) if s..e is a segment.

        The sum is over the layers whose outputs cross its border. Not where it is tiled.
        """
        given = self._given
        if given is None:
            return
        numerator, denominator = given.rate
        for first, last, name in self._coded_segments("code_traffic"):
            traffic = numerator * int(given.traffic[first, last])
            self.modeller.expect("what DRAM traffic takes", traffic)
            spared = self._spared(first, last, numerator * given.saved)
            rule = denominator * self.variables.beat[last] + spared >= traffic
            self._require(name, rule, *self._is_pipeline(first, last))

    def coded_energy(self) -> None:
        """As in `layer_energy`, `exit_energy` and `dram_energy`, for each choice.

        E[l] >= sum_{o,c} entry[k,l,o,c] p[l,o,c] if a[l] and u[l-1,k];
        X[l] >= sum_{o,c} exit[k,l,o,c] p[l,o,c] if a[l+1] and u[l,k];
        D[e] >= io[s,e] - sum_{l,k} saved[l,k] u[l,k] if s..e is a segment and is not tiled.
        """
        v, given = self.variables, self._given
        if given is None or v.energy is None:
            return
        for layer in range(self._layers):
            name, begins = self._at("coded_energy", layer), v.cluster_begins
            for k, chosen in self._own_ratios(layer - 1):
                entry = self._picojoules(given.entry_energy[k, layer])
                rule = v.energy.layer[layer] >= self._mode_sum(layer, entry)
                self._require(name, rule, when=(begins[layer], chosen))
            for k, chosen in self._own_ratios(layer):
                exit_ = self._picojoules(given.exit_energy[k, layer])
                rule = v.energy.exit[layer] >= self._mode_sum(layer, exit_)
                self._require(name, rule, when=(begins[layer + 1], chosen))
        for first, last, name in self._coded_segments("coded_energy"):
            spared = self._spared(first, last, given.saved_energy)
            rule = v.energy.dram[last] + spared >= int(self._plain.energy.io[first, last])
            self._require(name, rule, *self._is_pipeline(first, last))

    def _own_ratios(self, layer: int) -> list[tuple[int, Variable]]:
        """(k, u[l,k]) of a layer; none if it has no choice."""
        return [(k, u) for (at, k), u in self.ratio.items() if at == layer]

    def _coded_segments(self, family: str) -> Iterator[tuple[int, int, str]]:
        """(s, e, name) of the segments whose border something crosses that has a choice."""
        assert self._given is not None
        for last in range(self._layers):
            for first in range(last + 1):
                if any(at in self._given.open for at in self._given.crossing(first, last)):
                    yield first, last, self._at(family, first, last)

    def _spared(self, first: int, last: int, saved: Ints) -> Expression:
        """sum_{l,k} saved[k,l] u[l,k] of what crosses."""
        assert self._given is not None
        crossed = self._given.crossing(first, last)
        return self._sum(
            [(u, int(saved[k, at])) for (at, k), u in self.ratio.items() if at in crossed]
        )

    def _amount(self, charge: Charge, k: int) -> Expression:
        """What the charge is with choice k."""
        costs = charge.costs[k]
        if costs.ndim == 0:
            return int(costs)
        cut = {"cycles": self._cycles, "bytes": self._bytes}.get(charge.what, self._picojoules)
        costs = cut(costs)
        total = self._mode_sum if costs.ndim == 2 else self._region_sum
        return total(charge.layer, costs)
