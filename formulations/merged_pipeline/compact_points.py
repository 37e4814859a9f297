"""Between schedules and points of the compact model: complete hints, and extraction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from formulations.merged_pipeline.charges import Charge
from formulations.merged_pipeline.compact_variables import EnergyVariables, Variables
from formulations.merged_pipeline.crossings import Crossings, Window
from formulations.modellers import Solution, Variable
from instances.instance import Instance
from instances.ratio_tables import ends_at
from instances.tables import CostTables, Ints
from schedules.evaluate import segment_cost
from schedules.schedule import Cluster, Schedule, Segment

Point = Iterator[tuple[Variable, int]]
"""Variables and their values."""


def schedule_of(solution: Solution, options: tuple[str, ...], v: Variables) -> Schedule:
    """The schedule that a solution of the model stands for."""

    def cluster(first: int, after: int) -> Cluster:
        modes = [_mode(solution, v.mode[layer]) for layer in range(first, after)]
        names = tuple(options[option] for option, _ in modes)
        return Cluster(first, after - 1, modes[0][1], names)

    def segment(first: int, after: int) -> Segment:
        tiled = solution.value(v.tiled[first]) == 1
        begins = [at for at in _ones(solution, v.cluster_begins) if first <= at <= after]
        return Segment(tuple(cluster(*ends) for ends in pairwise(begins)), tiled)

    begins = _ones(solution, v.segment_begins)
    return Schedule(tuple(segment(*ends) for ends in pairwise(begins)))


def _ones(solution: Solution, literals: list[Variable]) -> list[int]:
    return [index for index, literal in enumerate(literals) if solution.value(literal)]


def _mode(solution: Solution, rows: list[list[Variable]]) -> tuple[int, int]:
    """Option and chiplets of a layer; a tiled one has no mode, any option and all chiplets."""
    for option, row in enumerate(rows):
        for size, literal in enumerate(row, start=1):
            if solution.value(literal):
                return option, size
    return 0, len(rows[0])


def point_of(
    schedule: Schedule,
    instance: Instance,
    crossing: Crossings,
    v: Variables,
    charged: Sequence[tuple[Charge, Variable]],
) -> Point:
    """A value for every variable, each as small as the schedule allows; ratios apart."""
    given = instance.compression
    choices = () if given is None else given.choices(schedule.ratios)
    walk = _Walk(schedule, ends_at(instance, choices), crossing)
    walk.charge([charge for charge, _ in charged], choices)
    yield from _choices(walk, v)
    yield from ((literal, int(walk.crossed(window))) for window, literal in v.windows.items())
    for variables, costs in (
        (v.received, walk.received),
        (v.sent, walk.sent),
        (v.waiting, walk.waiting),
    ):
        yield from ((variable, costs[window]) for window, variable in variables.items())
    yield from zip((variable for _, variable in charged), walk.charges, strict=True)
    yield from _running_sums(walk, v)
    yield from _depths(walk, v)
    yield from _beats(schedule, instance, v)
    if v.energy is not None:
        yield from _energies(walk, v.energy)


class _Walk:
    """A schedule as seen layer by layer.

    Attributes:
        segments, clusters: the layers at which one begins, and L.
        mode: [L] (option, index of the region's size), None for a tiled layer.
        received, sent, waiting: what skip tensors cost, by window.
        received_energy, sent_energy: likewise, in picojoules.
        charges: what choices of ratios charge, as many as `charge` was given.
        coded: the sums of their cycles and bytes by layer.
    """

    def __init__(self, schedule: Schedule, tables: CostTables, crossing: Crossings) -> None:
        end = len(tables.layers)
        self.tables = tables
        self.segments = {end, *(segment.first for segment in schedule.segments)}
        self.clusters = {end}
        self.mode: list[tuple[int, int] | None] = []
        for segment in schedule.segments:
            for cluster in segment.clusters:
                self.clusters.add(cluster.first)
                for name in cluster.options:
                    mode = tables.options.index(name), cluster.chiplets - 1
                    self.mode.append(None if segment.tiled else mode)
        self.charges: list[int] = []
        self.coded = {"cycles": [0] * end, "bytes": [0] * end}
        self.received = {w: self._received(w, cost) for w, cost in crossing.enter.items()}
        self.sent = {w: self._sent(w, cost) for w, cost in crossing.leave.items()}
        self.waiting = {w: self._waiting(w, cost) for w, cost in crossing.hold.items()}
        self.received_energy = {w: self._received(w, e) for w, e in crossing.enter_energy.items()}
        self.sent_energy = {w: self._sent(w, e) for w, e in crossing.leave_energy.items()}

    def charge(self, what: Sequence[Charge], choices: Sequence[int]) -> None:
        """Work out what choices of ratios charge."""
        for charge in what:
            amount = self._charged(charge, choices[charge.producer])
            self.charges.append(amount)
            if charge.what in self.coded:
                self.coded[charge.what][charge.layer] += amount

    def _charged(self, charge: Charge, k: int) -> int:
        costs, mode = charge.costs[k], self.mode[charge.layer]
        if not self.crossed(charge.window) or (charge.inside and charge.layer in self.clusters):
            return 0
        if costs.ndim == 0:
            return int(costs)
        return int(costs[mode if costs.ndim == 2 else mode[1]]) if mode else 0

    def crossed(self, window: Window) -> bool:
        """Whether a cluster begins within the window."""
        return any(layer in self.clusters for layer in range(window[0], window[1] + 1))

    def own(self, entry: Ints, step: Ints, layer: int) -> int:
        """What an untiled layer costs, by its place in its cluster."""
        mode, before = self.mode[layer], self.mode[layer - 1]
        if layer in self.clusters or before is None:
            return int(entry[layer][mode])
        return int(step[layer, before[0]][mode])

    def _received(self, window: Window, cost: Ints) -> int:
        mode = self.mode[window[1]]
        return int(cost[mode]) if mode and self.crossed(window) else 0

    def _sent(self, window: Window, cost: Ints) -> int:
        layer, last = window
        mode = self.mode[layer]
        paid = layer not in self.clusters and self.crossed((layer + 1, last))
        return int(cost[mode[1]]) if mode and paid else 0

    def _waiting(self, window: Window, cost: Ints) -> int:
        mode = self.mode[window[1]]
        return int(cost[mode[1]]) if mode and not self.crossed(window) else 0


def _choices(walk: _Walk, v: Variables) -> Point:
    for layer, literal in enumerate(v.segment_begins):
        yield literal, int(layer in walk.segments)
    for layer, literal in enumerate(v.cluster_begins):
        yield literal, int(layer in walk.clusters)
    for layer, mode in enumerate(walk.mode):
        yield v.tiled[layer], int(mode is None)
        for o, row in enumerate(v.mode[layer]):
            yield v.option[layer][o], int(mode is not None and mode[0] == o)
            yield from ((literal, int(mode == (o, c))) for c, literal in enumerate(row))
        for c, literal in enumerate(v.region[layer]):
            yield literal, int(mode is not None and mode[1] == c)


def _running_sums(walk: _Walk, v: Variables) -> Point:
    tables = walk.tables
    used = time = resident = momentary = 0
    for layer, mode in enumerate(walk.mode):
        if layer in walk.segments:
            used = 0
        if layer in walk.clusters:
            used += tables.chiplets if mode is None else mode[1] + 1
            time = resident = momentary = 0
        if mode is None:
            time = int(tables.alone[layer])
        else:
            time += walk.own(tables.entry, tables.step, layer)
            time += _at(walk.received, 1, layer) + _at(walk.sent, 0, layer)
            time += walk.coded["cycles"][layer]
            resident += int(tables.resident[layer][mode]) + walk.coded["bytes"][layer]
            working = int(tables.working[layer][mode]) + _at(walk.waiting, 1, layer)
            momentary = max(momentary, working)
        yield from (
            (v.used[layer], used),
            (v.time[layer], time),
            (v.resident[layer], resident),
            (v.momentary[layer], momentary),
        )


def _at(costs: dict[Window, int], side: int, layer: int) -> int:
    """What the windows that begin (side 0) or end (side 1) at the layer cost together."""
    return sum(cost for window, cost in costs.items() if window[side] == layer)


def _beats(schedule: Schedule, instance: Instance, v: Variables) -> Point:
    for segment in schedule.segments:
        beat = segment_cost(instance, segment, schedule.ratios).beat
        begins = {cluster.first for cluster in segment.clusters}
        for layer in range(segment.first, segment.last + 1):
            yield v.beat[layer], beat
            yield v.fill[layer], beat if layer in begins else 0
            yield v.steady[layer], beat if layer == segment.first else 0


def _depths(walk: _Walk, v: Variables) -> Point:
    count = 0
    for layer, depth in enumerate(v.depth):
        count = 0 if layer in walk.segments else count
        count += layer in walk.clusters
        yield depth, count


def _energies(walk: _Walk, v: EnergyVariables) -> Point:
    costs = walk.tables.energy
    first = 0
    for layer, mode in enumerate(walk.mode):
        first = layer if layer in walk.segments else first
        sends = mode is not None and layer + 1 in walk.clusters
        own = int(costs.alone[layer])
        if mode is not None:
            own = walk.own(costs.entry, costs.step, layer)
        yield v.layer[layer], own
        yield v.exit[layer], int(costs.exit[layer][mode]) if sends else 0
        pipeline = mode is not None and layer + 1 in walk.segments
        yield v.dram[layer], int(costs.io[first, layer]) if pipeline else 0
    yield from ((v.received[window], cost) for window, cost in walk.received_energy.items())
    yield from ((v.sent[window], cost) for window, cost in walk.sent_energy.items())
