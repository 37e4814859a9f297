"""The compact model's constraint families for regions, stages, memory and beats."""

from __future__ import annotations

import numpy as np

from formulations.merged_pipeline.compact_frame import Frame
from formulations.merged_pipeline.compact_horizon import least_times


class Stages(Frame):
    """Where segments and clusters begin, what they run on, how long they take, what they hold."""

    def one_mode(self) -> None:
        """sum_{o,c} p[l,o,c] + t[l] = 1: an option and a region size for each layer, or tiled."""
        v = self.variables
        for layer, rows in enumerate(v.mode):
            modes = [mode for row in rows for mode in row]
            chosen = self.modeller.sum([*modes, v.tiled[layer]])
            self._require(self._at("one_mode", layer), chosen == 1)

    def horizon(self) -> None:
        """p[l,o,c] = 0 where the mode alone is too slow, too large or too costly; t[l] likewise.

        Implied, and stronger than what implies it in a relaxation.
        """
        v = self.variables
        for layer, rows in enumerate(v.mode):
            name, possible = self._at("horizon", layer), self._possible[layer].tolist()
            for row, own in zip(rows, possible, strict=True):
                for mode, fits in zip(row, own, strict=True):
                    if not fits:
                        self._require(name, mode == 0)
            if self._tables.alone[layer] > self._horizon.beat:
                self._require(name, v.tiled[layer] == 0)

    def marginals(self) -> None:
        """x[l,o] = sum_c p[l,o,c]; z[l,c] = sum_o p[l,o,c]."""
        v, total = self.variables, self.modeller.sum
        for layer, rows in enumerate(v.mode):
            for option, row in zip(v.option[layer], rows, strict=True):
                self._require(self._at("option", layer), option == total(row))
            for region, column in zip(v.region[layer], zip(*rows, strict=True), strict=True):
                self._require(self._at("region", layer), region == total(column))

    def boundaries(self) -> None:
        """b[l] <= a[l]; both are 1 at layer 0 and at the end of the network."""
        v = self.variables
        for segment, cluster in zip(v.segment_begins, v.cluster_begins, strict=True):
            self._require("boundaries", segment <= cluster)
        for end in (0, self._layers):
            self._require("boundaries", v.segment_begins[end] == 1)
            self._require("boundaries", v.cluster_begins[end] == 1)

    def one_region(self) -> None:
        """z[l,c] = z[l-1,c] unless a[l]: a cluster runs on one region."""
        v = self.variables
        for layer in range(1, self._layers):
            for before, own in zip(v.region[layer - 1], v.region[layer], strict=True):
                name = self._at("one_region", layer)
                self._require(name, before == own, unless=(v.cluster_begins[layer],))

    def tiled_alone(self) -> None:
        """t[l] <= b[l], t[l] <= b[l+1]; t[l] = 0 where no tile fits."""
        v = self.variables
        for layer, tiled in enumerate(v.tiled):
            name = self._at("tiled_alone", layer)
            self._require(name, tiled <= v.segment_begins[layer])
            self._require(name, tiled <= v.segment_begins[layer + 1])
            if self._tables.alone[layer] < 0:
                self._require(name, tiled == 0)

    def package(self) -> None:
        """U[l] <= C for the chiplets given out: a segment's regions are disjoint.

        U[l] >= size[l]; U[l] >= U[l-1] unless b[l]; U[l] >= U[l-1] + size[l] if a[l] unless b[l].
        """
        v = self.variables
        for layer, used in enumerate(v.used):
            name, size = self._at("package", layer), self._size(layer)
            segment, cluster = v.segment_begins[layer], v.cluster_begins[layer]
            self._require(name, used >= size)
            if layer > 0:
                before = v.used[layer - 1]
                self._require(name, used >= before, unless=(segment,))
                self._require(name, used >= before + size, when=(cluster,), unless=(segment,))

    def windows(self) -> None:
        """w[i,j] = max(a[i], ..., a[j])."""
        v = self.variables
        for (first, last), window in v.windows.items():
            name, begins = self._at("windows", first, last), v.cluster_begins[first : last + 1]
            self._require(name, window <= self.modeller.sum(begins))
            for begin in begins:
                self._require(name, window >= begin)

    def receiving(self) -> None:
        """received[i,v] >= sum_{o,c} enter[i,v,o,c] p[v,o,c] if w[i,v]."""
        for window, received in self.variables.received.items():
            cost = self._mode_sum(window[1], self._cycles(self._crossings.enter[window]))
            name = self._at("receiving", window[1])
            self._require(name, received >= cost, when=(self._crossed(window),))

    def sending(self) -> None:
        """sent[l,j] >= sum_c leave[l,j,c] z[l,c] if w[l+1,j] and not a[l]."""
        for (layer, last), sent in self.variables.sent.items():
            cost = self._region_sum(layer, self._cycles(self._crossings.leave[layer, last]))
            outside = self.variables.cluster_begins[layer]
            opened = self._crossed((layer + 1, last))
            name = self._at("sending", layer)
            self._require(name, sent >= cost, when=(opened,), unless=(outside,))

    def stage_time(self) -> None:
        """T[l] >= own + received[.,l] + sent[l,.], plus T[l-1] inside a cluster.

        own = sum_{o,c} entry[l,o,c] p[l,o,c] + alone[l] t[l] if a[l];
        own = sum_{o,c} step[l,q,o,c] p[l,o,c] if not a[l] and x[l-1,q], for each option q.
        """
        v, tables = self.variables, self._tables
        for layer, time in enumerate(v.time):
            name, begins = self._at("stage_time", layer), v.cluster_begins[layer]
            extra, alone = self._skip_cycles(layer), self._alone_cycles(layer)
            entry = self._mode_sum(layer, self._cycles(tables.entry[layer]))
            self._require(name, time >= entry + alone + extra, when=(begins,))
            if layer == 0:
                continue
            for before, option in enumerate(v.option[layer - 1]):
                step = self._mode_sum(layer, self._cycles(tables.step[layer, before]))
                rule = time >= v.time[layer - 1] + step + extra
                self._require(name, rule, when=(option,), unless=(begins,))

    def waiting(self) -> None:
        """waiting[i,l] >= sum_c hold[i,l,c] z[l,c] unless w[i,l]."""
        for window, waiting in self.variables.waiting.items():
            layer = window[1]
            size = self._region_sum(layer, self._bytes(self._crossings.hold[window]))
            name = self._at("waiting", layer)
            self._require(name, waiting >= size, unless=(self._crossed(window),))

    def resident(self) -> None:
        """R[l] >= sum_{o,c} resident[l,o,c] p[l,o,c] + coders[l], plus R[l-1] unless a[l]."""
        v = self.variables
        for layer, resident in enumerate(v.resident):
            own = self._mode_sum(layer, self._bytes(self._tables.resident[layer]))
            coders = self._charges("bytes", layer)
            own = own + self.modeller.sum(coders) if coders else own
            self._require(self._at("resident", layer), resident >= own)
            if layer > 0:
                rule = resident >= v.resident[layer - 1] + own
                self._require(self._at("resident", layer), rule, unless=(v.cluster_begins[layer],))

    def momentary(self) -> None:
        """W[l] >= sum_{o,c} working[l,o,c] p[l,o,c] + waiting[.,l]; W[l] >= W[l-1] unless a[l]."""
        v = self.variables
        for layer, momentary in enumerate(v.momentary):
            own = self._mode_sum(layer, self._bytes(self._tables.working[layer]))
            waiting = self.modeller.sum([w for (_, at), w in v.waiting.items() if at == layer])
            name = self._at("momentary", layer)
            self._require(name, momentary >= own + waiting)
            if layer > 0:
                rule = momentary >= v.momentary[layer - 1]
                self._require(name, rule, unless=(v.cluster_begins[layer],))

    def capacity(self) -> None:
        """R[l] + W[l] <= M."""
        v = self.variables
        for layer in range(self._layers):
            rule = v.resident[layer] + v.momentary[layer] <= self._tables.capacity
            self._require(self._at("capacity", layer), rule)

    def one_beat(self) -> None:
        """B[l] = B[l-1] unless b[l]: every stage of a segment advances once a beat."""
        v = self.variables
        for layer in range(1, self._layers):
            rule = v.beat[layer] == v.beat[layer - 1]
            name = self._at("one_beat", layer)
            self._require(name, rule, unless=(v.segment_begins[layer],))

    def slowest_stage(self) -> None:
        """B[l] >= T[l], plus sum_{o,c} exit[l,o,c] p[l,o,c] if a[l+1]."""
        v = self.variables
        for layer, beat in enumerate(v.beat):
            name, ends = self._at("slowest_stage", layer), v.cluster_begins[layer + 1]
            exit_time = self._mode_sum(layer, self._cycles(self._tables.exit[layer]))
            self._require(name, beat >= v.time[layer])
            self._require(name, beat >= v.time[layer] + exit_time, when=(ends,))

    def dram(self) -> None:
        """B[e] >= io[s,e] if s..e is a segment and is not tiled."""
        for first, last, cycles in self._segments(self._cycles(self._tables.io)):
            when, unless = self._is_pipeline(first, last)
            rule = self.variables.beat[last] >= cycles
            self._require(self._at("dram", first, last), rule, when, unless)

    def batch(self) -> None:
        """fill[l] >= B[l] if a[l]; steady[l] >= B[l] if b[l]."""
        v = self.variables
        for layer, beat in enumerate(v.beat):
            name = self._at("batch", layer)
            self._require(name, v.fill[layer] >= beat, when=(v.cluster_begins[layer],))
            self._require(name, v.steady[layer] >= beat, when=(v.segment_begins[layer],))

    def area(self) -> None:
        """sum_l (m-1) steady[l] + fill[l] >= sum_{l,o,c} floor(m c least[l,o,c] / C) p + m alone t.

        Implied. least is the smaller of entry and all steps. A segment has C chiplets for at least
        m beats, and its layers occupy c chiplets for at least m * least cycles each.
        """
        v, tables = self.variables, self._tables
        sizes = np.arange(1, self._chiplets + 1)
        # Python's integers: these products may leave 64 bits.
        least = self._cycles(least_times(tables)).astype(object)
        shares = self._batch * sizes * least // self._chiplets
        alone = self._cycles(tables.alone).tolist()
        terms = [
            (mode, share)
            for layer, rows in enumerate(v.mode)
            for row, own in zip(rows, shares[layer].tolist(), strict=True)
            for mode, share in zip(row, own, strict=True)
        ]
        terms += [(t, self._batch * max(0, own)) for t, own in zip(v.tiled, alone, strict=True)]
        self._require("area", self._beats() >= self._sum(terms))
