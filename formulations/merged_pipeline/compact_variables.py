"""The variables of the compact model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.sat.python.cp_model import CpModel, IntVar

from formulations.merged_pipeline.crossings import Crossings, Window
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
    """

    segment_begins: list[IntVar]
    cluster_begins: list[IntVar]
    tiled: list[IntVar]
    mode: list[list[list[IntVar]]]
    option: list[list[IntVar]]
    region: list[list[IntVar]]
    used: list[IntVar]
    windows: dict[Window, IntVar]
    received: dict[Window, IntVar]
    sent: dict[Window, IntVar]
    time: list[IntVar]
    resident: list[IntVar]
    waiting: dict[Window, IntVar]
    momentary: list[IntVar]
    beat: list[IntVar]
    fill: list[IntVar]
    steady: list[IntVar]


def declare(
    model: CpModel, tables: CostTables, crossing: Crossings, horizon: int, buffer: int
) -> Variables:
    """Add all variables to the model; no time exceeds the horizon, no memory the buffer."""
    names, options = tables.layers, tables.options
    places, sizes = (*names, "end"), range(1, tables.chiplets + 1)

    def boolean(what: str, *place: object) -> IntVar:
        return model.new_bool_var(label(what, *place))

    def integer(what: str, low: int, high: int, *place: object) -> IntVar:
        return model.new_int_var(low, high, label(what, *place))

    def charges(what: str, costs: dict[Window, Ints], limit: int) -> dict[Window, IntVar]:
        return {
            (i, j): integer(what, 0, min(limit, int(cost.max())), places[i], places[j])
            for (i, j), cost in costs.items()
        }

    beats = np.minimum(least_beats(tables), horizon).tolist()
    return Variables(
        segment_begins=[boolean("segment_begins", at) for at in places],
        cluster_begins=[boolean("cluster_begins", at) for at in places],
        tiled=[boolean("tiled", at) for at in names],
        mode=[[[boolean("mode", at, o, c) for c in sizes] for o in options] for at in names],
        option=[[boolean("option", at, o) for o in options] for at in names],
        region=[[boolean("region", at, c) for c in sizes] for at in names],
        used=[integer("used", 0, tables.chiplets, at) for at in names],
        windows={
            (i, j): boolean("window", places[i], places[j])
            for i, j in _open_windows(crossing, len(names))
        },
        received=charges("received", crossing.enter, horizon),
        sent=charges("sent", crossing.leave, horizon),
        time=[integer("time", 0, horizon, at) for at in names],
        resident=[integer("resident", 0, buffer, at) for at in names],
        waiting=charges("waiting", crossing.hold, buffer),
        momentary=[integer("momentary", 0, buffer, at) for at in names],
        beat=[integer("beat", low, horizon, at) for low, at in zip(beats, names, strict=True)],
        fill=[integer("fill", 0, horizon, at) for at in names],
        steady=[integer("steady", 0, horizon, at) for at in names],
    )


def label(what: str, *place: object) -> str:
    """A name that leads back to a layer: what[layer,option,size]."""
    return f"{what}[{','.join(map(str, place))}]"


def _open_windows(crossing: Crossings, count: int) -> list[Window]:
    """Windows of several layers without layers 0 and L, at which a cluster begins anyway."""
    later = {(layer + 1, last) for layer, last in crossing.leave}
    windows = {*crossing.enter, *later, *crossing.hold}
    return sorted(window for window in windows if 0 < window[0] < window[1] < count)


def least_times(tables: CostTables) -> Ints:
    """[L,O,C] the least that a layer can add to its stage: entry, or step after any option."""
    least: Ints = np.minimum(tables.entry, tables.step.min(axis=1))
    least[0] = tables.entry[0]  # nothing comes before it: its steps mean nothing
    return least


def least_beats(tables: CostTables) -> Ints:
    """[L] the shortest stage that can hold the layer, tiled or not."""
    fastest = least_times(tables).min(axis=(1, 2))
    least: Ints = np.where(tables.alone < 0, fastest, np.minimum(fastest, tables.alone))
    return least
