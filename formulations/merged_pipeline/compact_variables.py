"""The variables of the compact model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from formulations.merged_pipeline.compact_horizon import Horizon, least_beats, most
from formulations.merged_pipeline.crossings import Crossings, Window
from formulations.modellers import Modeller, Variable, label
from instances.tables import CostTables, Ints


@dataclass(frozen=True)
class Variables:
    """Every variable of the model; names carry the layer's name.

    Attributes:
        segment_begins: [L+1] b, a segment begins at layer l; entry L is the end of the network.
        cluster_begins: [L+1] a, a cluster begins at layer l; likewise.
        tiled: [L] t, layer l is a tiled segment.
        mode: [L][O][C] p, layer l runs with option o on a region of c chiplets.
        option: [L][O] x, layer l runs with option o.
        region: [L][C] z, the region of layer l has c chiplets.
        used: [L] U, chiplets given out in the segment up to layer l's cluster.
        depth: [L] K, clusters in the segment up to layer l's; empty unless they are limited.
        windows: (i, j) -> w, a cluster begins at one of the layers i..j.
        received: (i, v) -> cycles to receive skip tensors at v if a cluster begins within i..v.
        sent: (l, j) -> cycles to send skip tensors made at l-1 that stay beyond l and leave by j.
        time: [L] T, cycles a sample from the cluster's first layer to l, results not yet sent.
        resident: [L] R, bytes for the segment's duration from the cluster's first layer to l.
        waiting: (i, l) -> bytes of skip tensors that wait at l if no cluster begins within i..l.
        momentary: [L] W, most bytes needed beside R by a layer of the cluster up to l.
        beat: [L] B, the beat of the segment that holds layer l.
        fill: [L] beat if a cluster begins at l, else 0: a cluster's share of (m+K-1) * beat.
        steady: [L] beat if a segment begins at l, else 0: paid m-1 times.
        energy: the variables that tell the energy; None unless it decides anything.
    """

    segment_begins: list[Variable]
    cluster_begins: list[Variable]
    tiled: list[Variable]
    mode: list[list[list[Variable]]]
    option: list[list[Variable]]
    region: list[list[Variable]]
    used: list[Variable]
    depth: list[Variable]
    windows: dict[Window, Variable]
    received: dict[Window, Variable]
    sent: dict[Window, Variable]
    time: list[Variable]
    resident: list[Variable]
    waiting: dict[Window, Variable]
    momentary: list[Variable]
    beat: list[Variable]
    fill: list[Variable]
    steady: list[Variable]
    energy: EnergyVariables | None


@dataclass(frozen=True)
class EnergyVariables:
    """Picojoules a sample.

    Attributes:
        layer: [L] to bring a layer its inputs and to compute it.
        exit: [L] to send a cluster's results, 0 inside a cluster.
        received: (i, v) -> to receive skip tensors at v if a cluster begins within i..v.
        sent: (l, j) -> to send skip tensors made at l-1 that stay beyond l and leave by j.
        dram: [L] for the DRAM traffic of the segment that ends with layer l, 0 inside a segment.
    """

    layer: list[Variable]
    exit: list[Variable]
    received: dict[Window, Variable]
    sent: dict[Window, Variable]
    dram: list[Variable]


class Declaration:
    """Adds the variables to a model, with domains no larger than the horizon.

    Args:
        tables, largest: lower and upper bounds on all costs; they are the same unless something
            may be compressed.
    """

    def __init__(
        self,
        modeller: Modeller,
        tables: CostTables,
        largest: CostTables,
        crossing: Crossings,
        horizon: Horizon,
    ) -> None:
        self._modeller, self._tables, self._largest = modeller, tables, largest
        self._crossing, self._horizon = crossing, horizon
        self._places = (*tables.layers, "end")

    def variables(
        self, count_clusters: bool, count_energy: bool, more: Iterable[Window] = (), *, whole: bool
    ) -> Variables:
        """All variables; those that count clusters and energy only on demand.

        Args:
            more: windows that are asked for besides those of skip tensors.
            whole: whether a beat has to be declared an integer, as no time makes it one.
        """
        beats = self._modeller.integer if whole else self._modeller.quantity
        tables, places, binary = self._tables, self._places, self._binary
        layers, options, sizes = tables.layers, tables.options, range(1, tables.chiplets + 1)
        crossing, beat, memory = self._crossing, self._horizon.beat, self._horizon.memory
        return Variables(
            segment_begins=[binary("segment_begins", at) for at in places],
            cluster_begins=[binary("cluster_begins", at) for at in places],
            tiled=[binary("tiled", at) for at in layers],
            mode=[[[binary("mode", at, o, c) for c in sizes] for o in options] for at in layers],
            option=[[binary("option", at, o) for o in options] for at in layers],
            region=[[binary("region", at, c) for c in sizes] for at in layers],
            used=self._each("used", tables.chiplets),
            depth=self._each("depth", len(layers)) if count_clusters else [],
            windows={
                (i, j): binary("window", places[i], places[j]) for i, j in self._windows(more)
            },
            received=self._charges("received", crossing.enter, beat),
            sent=self._charges("sent", crossing.leave, beat),
            time=self._each("time", beat),
            resident=self._each("resident", memory),
            waiting=self._charges("waiting", crossing.hold, memory),
            momentary=self._each("momentary", memory),
            beat=[
                beats(min(low, beat), beat, label("beat", at))
                for low, at in zip(least_beats(tables).tolist(), layers, strict=True)
            ],
            fill=self._each("fill", beat),
            steady=self._each("steady", beat),
            energy=self._energy_variables() if count_energy else None,
        )

    def _energy_variables(self) -> EnergyVariables:
        costs, crossing, largest = self._largest.energy, self._crossing, self._horizon.energy
        inside = np.maximum(most(costs.entry), most(costs.step))
        return EnergyVariables(
            layer=self._each("layer_energy", largest, np.maximum(inside, costs.alone)),
            exit=self._each("exit_energy", largest, most(costs.exit)),
            received=self._charges("received_energy", crossing.enter_energy, largest),
            sent=self._charges("sent_energy", crossing.leave_energy, largest),
            dram=self._each("dram_energy", largest, costs.io.max(axis=0)),
        )

    def _binary(self, what: str, *place: object) -> Variable:
        return self._modeller.binary(label(what, *place))

    def _each(self, what: str, largest: int, own: Ints | None = None) -> list[Variable]:
        """A quantity for each layer, up to the largest or the layer's own largest."""
        layers = self._tables.layers
        highs = [largest] * len(layers) if own is None else np.minimum(own, largest).tolist()
        return [
            self._modeller.quantity(0, high, label(what, at))
            for high, at in zip(highs, layers, strict=True)
        ]

    def _charges(
        self, what: str, costs: dict[Window, Ints], largest: int
    ) -> dict[Window, Variable]:
        places = self._places
        return {
            (i, j): self._modeller.quantity(
                0, min(largest, int(cost.max())), label(what, places[i], places[j])
            )
            for (i, j), cost in costs.items()
        }

    def _windows(self, more: Iterable[Window]) -> list[Window]:
        """Windows of several layers without 0 and L, at which a cluster begins anyway."""
        crossing = self._crossing
        sent = (*crossing.leave, *crossing.leave_energy)
        later = {(layer + 1, last) for layer, last in sent}
        windows = {*crossing.enter, *crossing.enter_energy, *later, *crossing.hold, *more}
        return sorted(
            window for window in windows if 0 < window[0] < window[1] < len(self._tables.layers)
        )
