"""Clusters as arcs between the states of two cuts, with their times, losses and loads."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from instances.compression import Compression
from instances.instance import Instance
from instances.tables import CostTables, Ints
from schedules.parallel import OutOfTimeError
from schedules.progress import Progress
from solvers.exact.bounds import stage_times_from
from solvers.exact.labels import FAR, Column, fastest
from solvers.exact.ratios.states import States
from solvers.exact.stages import CAP

MOST = 2_000_000
"""Arcs, at most."""


class Graph(NamedTuple):
    """Arcs for kernels, those that enter one node side by side, by rising source.

    Attributes:
        into: [N+1] the arcs into node n are into[n] to into[n+1].
        source: [A] the node that each begins at.
        times: [A,C] a lower bound on the cluster's time on at most c+1 chiplets.
        loss: [A] millionths that are lost when it sends what it makes.
        load: [A] cycles to load its coders.
    """

    into: Ints
    source: Ints
    times: Ints
    loss: Ints
    load: Ints


class Clusters:
    """All clusters that can matter, in all states.

    Attributes:
        graph: arcs between the nodes of `states`.
        target: [A] the node that each arc ends at.
        eased: as given.
        reached: [A,C] a time that some options reach on exactly c+1 chiplets, FAR if unknown.

    Raises:
        ValueError: there are too many.
        OutOfTimeError: the time limit passed.
    """

    def __init__(
        self,
        instance: Instance,
        given: Compression,
        states: States,
        eased: Ints,
        cutoff: int,
        progress: Progress,
    ) -> None:
        """Find the arcs.

        Args:
            eased: [L,L,C] lower bounds on the times of clusters, whatever the ratios; FAR where one
                cannot matter.
            cutoff: longer times cannot matter.
        """
        self.tables, self.given, self.states = instance.tables, given, states
        self.eased, self._cutoff = eased, cutoff
        self._possible = eased[:, :, -1] < FAR
        self._held = [self.tables.held(first) for first in range(len(self.tables.layers))]
        found: list[_Arcs] = []
        number = 0
        for first in range(len(self.tables.layers)):
            if progress.expired:
                raise OutOfTimeError
            own = self._from(first)
            number += len(own.source)
            if number > MOST:
                raise ValueError(
                    f"method 'exact' would have to follow more than {MOST:,} clusters with their"
                    " ratios: let fewer tensors be compressed, or by fewer ratios"
                )
            found.append(own)
        arcs = _Arcs(*(np.concatenate(part) for part in zip(*found, strict=True)))
        order = np.lexsort((arcs.source, arcs.target))
        arcs = _Arcs(*(part[order] for part in arcs))
        self.target, self.reached = arcs.target, arcs.reached
        into = np.searchsorted(arcs.target, np.arange(int(states.first[-1]) + 1))
        self.graph = Graph(into, arcs.source, arcs.times, arcs.loss, arcs.load)

    def _from(self, first: int) -> _Arcs:
        """The arcs of all clusters that begin at a layer."""
        tables, given, states = self.tables, self.given, self.states
        outs = _Outs(tables, given, states, first, np.flatnonzero(self._possible[first]).tolist())
        parts = []
        for node in range(int(states.first[first]), int(states.first[first + 1])):
            choices = states.choices(node)
            entry, enter, bytes_ = self._receiving(first, choices)
            times, reached = stage_times_from(
                first,
                outs.farthest,
                entry,
                tables.step,
                enter,
                tables.resident + bytes_[:, None, :],
                tables.working + self._held[first][:, None, :],
                given.exit,
                outs.last,
                outs.choice,
                outs.cycles,
                outs.bytes,
                tables.capacity,
                self._cutoff,
                CAP,
            )
            kept = np.flatnonzero(times[:, -1] < FAR)
            targets = [outs.target(n, choices) for n in kept.tolist()]
            loads = [outs.load[n] + self._decoding(first, int(outs.last[n]), choices) for n in kept]
            parts.append(
                _Arcs(
                    np.full(len(kept), node, dtype=np.int64),
                    np.array(targets, dtype=np.int64),
                    times[kept],
                    reached[kept],
                    outs.loss[kept],
                    np.array(loads, dtype=np.int64),
                )
            )
        return _Arcs(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def _decoding(self, first: int, last: int, choices: dict[int, int]) -> int:
        """Cycles to load the decoders of a cluster."""
        readers, load = self.given.readers, self.given.decoders.load
        return sum(
            int(load[k, layer])
            for layer, k in choices.items()
            if k and any(first <= reader <= last for reader in readers[layer])
        )

    def _receiving(self, first: int, choices: dict[int, int]) -> tuple[Ints, Ints, Ints]:
        """What clusters from `first` pay to receive: [O,C] entry, [L,O,C] skips, [L,C] bytes."""
        given, tables = self.given, self.tables
        enter = np.zeros(tables.shape, dtype=np.int64)
        bytes_ = np.zeros((len(tables.layers), tables.chiplets), dtype=np.int64)
        for skip, code in zip(tables.skips, given.skips, strict=True):
            use = skip.first_use_from(first) if skip.producer < first else None
            if use is not None:
                k = choices.get(skip.producer, 0)
                enter[use] += code.enter[k, skip.consumers.index(use)]
        for layer, k in choices.items():
            use = next(reader for reader in given.readers[layer] if reader >= first)
            bytes_[use] += given.decoders.resident[k, layer]
        return given.entry[choices.get(first - 1, 0), first], enter, bytes_

    def reaches(self, arc: int, chiplets: int, beat: int) -> bool:
        """Whether the cluster on exactly so many chiplets meets the beat; sharpens the bounds."""
        if self.reached[arc, chiplets - 1] <= beat:
            return True
        limit = min(beat + beat // 16 + 1, int(self.reached[arc, chiplets - 1]))
        time, _ = self.fastest(arc, chiplets, limit)
        if time < FAR:
            self.reached[arc, chiplets - 1] = time
        times = self.graph.times[arc]
        fewer = int(times[chiplets - 2]) if chiplets > 1 else FAR
        times[chiplets - 1] = min(fewer, time, limit)
        return time <= beat

    def place(self, arc: int) -> tuple[int, int]:
        """First and last layer of the cluster."""
        source, target = int(self.graph.source[arc]), int(self.target[arc])
        return self.states.cut_of(source), self.states.cut_of(target) - 1

    def fastest(self, arc: int, chiplets: int, limit: int) -> tuple[int, Ints]:
        """Time and options of the fastest such cluster, if that is below the limit; else FAR."""
        tables, given, c = self.tables, self.given, chiplets - 1
        first, last = self.place(arc)
        before = self.states.choices(int(self.graph.source[arc]))
        after = self.states.choices(int(self.target[arc]))
        entry, enter, bytes_ = self._receiving(first, before)
        layers = slice(first, last + 1)
        steps = tables.step[layers, :, :, c] + enter[layers, None, :, c]
        resident = tables.resident[layers, :, c] + bytes_[layers, None, c]
        momentary = tables.working[layers, :, c] + self._held[first][layers, None, c]
        own = {layer: k for layer, k in after.items() if layer >= first}
        leaving, coders = _sending(tables, given, first, last, own)
        column = Column(
            entry[:, c] + enter[first, :, c],
            steps,
            given.exit[own.get(last, 0), last, :, c].copy(),
            resident,
            momentary,
            tables.capacity - int(coders[c]),
        )
        time, options = fastest(column, limit - int(leaving[c]))
        return (time + int(leaving[c]) if time < FAR else FAR), options


class _Arcs(NamedTuple):
    """Arcs side by side: [A] source, target, loss, load; [A,C] times, reached."""

    source: Ints
    target: Ints
    times: Ints
    reached: Ints
    loss: Ints
    load: Ints


class _Outs:
    """The ways in which clusters from one layer can send what they make, by last layer.

    Attributes:
        farthest: the last layer of the longest.
        last, choice, loss, load: [X] last layer; choice of its output; millionths and cycles.
        cycles, bytes: [X,C] to encode and send skip tensors; of all encoders.
    """

    def __init__(
        self,
        tables: CostTables,
        given: Compression,
        states: States,
        first: int,
        lasts: list[int],
    ) -> None:
        self._states, self._own = states, []
        rows = []
        for last in lasts:
            made = [layer for layer in states.live[last + 1] if layer >= first]
            for picked in product(*(states.useful[layer] for layer in made)):
                own = dict(zip(made, picked, strict=True))
                loss = sum(int(given.losses[layer, k]) for layer, k in own.items())
                if loss <= given.budget:
                    load = sum(int(given.encoders.load[k, layer]) for layer, k in own.items())
                    rows.append((last, own.get(last, 0), loss, load))
                    self._own.append(own)
        self.farthest = max(lasts, default=first - 1)
        self.last, self.choice, self.loss, self.load = (
            np.array(rows, dtype=np.int64).reshape(-1, 4).T.copy()
        )
        sent = [
            _sending(tables, given, first, last, own)
            for (last, *_), own in zip(rows, self._own, strict=True)
        ]
        chiplets = tables.chiplets
        self.cycles, self.bytes = (
            np.array([pair[n] for pair in sent], dtype=np.int64).reshape(-1, chiplets)
            for n in range(2)
        )

    def target(self, number: int, before: dict[int, int]) -> int:
        """The node that a way leads to, after what was live before."""
        return self._states.node(int(self.last[number]) + 1, {**before, **self._own[number]})


def _sending(
    tables: CostTables, given: Compression, first: int, last: int, own: dict[int, int]
) -> tuple[Ints, Ints]:
    """[C] cycles to send the skip tensors of a cluster, and bytes of its encoders."""
    cycles = np.zeros(tables.chiplets, dtype=np.int64)
    coders = np.zeros_like(cycles)
    for skip, code in zip(tables.skips, given.skips, strict=True):
        if first <= skip.producer < last and skip.needed_after(last):
            cycles += code.leave[own.get(code.producer, 0)]
    for layer, k in own.items():
        coders += given.encoders.resident[k, layer]
    return cycles, coders
