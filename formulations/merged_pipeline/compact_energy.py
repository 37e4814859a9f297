"""The compact model's constraint families for energy: picojoules of a sample, item by item.

All are lower bounds: an objective or a cap presses the energy down.
"""

from __future__ import annotations

from formulations.merged_pipeline.compact_frame import Frame
from formulations.merged_pipeline.compact_horizon import least_energies
from formulations.merged_pipeline.compact_variables import EnergyVariables
from formulations.modellers import Expression


class Energies(Frame):
    """What each layer, exit, skip tensor and segment costs; nothing where energy does not count."""

    def layer_energy(self) -> None:
        """E[l] >= own, as in `stage_time`, with the tables of energy.

        own = sum_{o,c} entry[l,o,c] p[l,o,c] + alone[l] t[l] if a[l];
        own = sum_{o,c} step[l,q,o,c] p[l,o,c] if not a[l] and x[l-1,q], for each option q.
        """
        v, costs = self.variables, self._tables.energy
        for layer, energy in enumerate(self._energy_variables.layer):
            name, begins = self._at("layer_energy", layer), v.cluster_begins[layer]
            entry = self._mode_sum(layer, self._picojoules(costs.entry[layer]))
            self._require(name, energy >= entry + self._alone(layer), when=(begins,))
            if layer == 0:
                continue
            for before, option in enumerate(v.option[layer - 1]):
                step = self._mode_sum(layer, self._picojoules(costs.step[layer, before]))
                self._require(name, energy >= step, when=(option,), unless=(begins,))

    def exit_energy(self) -> None:
        """X[l] >= sum_{o,c} exit[l,o,c] p[l,o,c] if a[l+1]."""
        for layer, energy in enumerate(self._energy_variables.exit):
            exit_ = self._mode_sum(layer, self._picojoules(self._tables.energy.exit[layer]))
            ends = self.variables.cluster_begins[layer + 1]
            self._require(self._at("exit_energy", layer), energy >= exit_, when=(ends,))

    def skip_energy(self) -> None:
        """As in `receiving` and `sending`.

        received[i,v] >= sum_{o,c} enter[i,v,o,c] p[v,o,c] if w[i,v];
        sent[l,j] >= sum_c leave[l,j,c] z[l,c] if w[l+1,j] and not a[l].
        """
        energy, crossing = self._energy_variables, self._crossings
        for window, received in energy.received.items():
            layer = window[1]
            cost = self._mode_sum(layer, self._picojoules(crossing.enter_energy[window]))
            name = self._at("skip_energy", layer)
            self._require(name, received >= cost, when=(self._crossed(window),))
        for (layer, last), sent in energy.sent.items():
            cost = self._region_sum(layer, self._picojoules(crossing.leave_energy[layer, last]))
            outside = self.variables.cluster_begins[layer]
            opened = self._crossed((layer + 1, last))
            name = self._at("skip_energy", layer)
            self._require(name, sent >= cost, when=(opened,), unless=(outside,))

    def dram_energy(self) -> None:
        """D[e] >= io[s,e] if s..e is a segment and is not tiled."""
        variables = self._energy_variables.dram
        io = self._picojoules(self._tables.energy.io)
        for first, last, cost in self._segments(io) if variables else ():
            when, unless = self._is_pipeline(first, last)
            name = self._at("dram_energy", first, last)
            self._require(name, variables[last] >= cost, when, unless)

    def least_energy(self) -> None:
        """E[l] >= sum_{o,c} least[l,o,c] p[l,o,c] + alone[l] t[l].

        Implied. least is the smaller of entry and all steps.
        """
        least = self._picojoules(least_energies(self._tables))
        for layer, energy in enumerate(self._energy_variables.layer):
            rule = energy >= self._mode_sum(layer, least[layer]) + self._alone(layer)
            self._require(self._at("least_energy", layer), rule)

    @property
    def _energy_variables(self) -> EnergyVariables:
        """None of any kind where energy does not count."""
        return self.variables.energy or EnergyVariables([], [], {}, {}, [])

    def _alone(self, layer: int) -> Expression:
        costs = self._tables.energy
        alone = int(self._picojoules(costs.alone)[layer])
        return max(0, alone) * self.variables.tiled[layer]
