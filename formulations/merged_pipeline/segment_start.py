"""What holds for all segments, whatever they may cost: where their bounds start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from formulations.merged_pipeline.columns import FAR, Column, Columns
from formulations.merged_pipeline.ratio_columns import RatioColumns
from formulations.merged_pipeline.ratios import FINE, loss_prices
from formulations.merged_pipeline.segment_relaxations import (
    Flags,
    Stages,
    least_slowest,
    least_sums,
)
from instances.compression import Compression
from instances.instance import Instance
from instances.tables import LIMIT, Ints
from schedules.goal import Goal, Weights

SAFE = 2**58
"""Costs below this can be added without a thought for 64 bits."""

Place = tuple[int, int]
"""First and last layer."""


class Resource(NamedTuple):
    """What a schedule uses: `cycles` a cycle of latency, `energy` a picojoule without leakage.

    Attributes:
        most: that may be used.
        slack: how much more than `scale` times the objective's limit that is; -1 if it has nothing
            to do with that limit.
        scale: of the objective in this sum.
    """

    cycles: int
    energy: int
    most: int
    slack: int = -1
    scale: int = 1

    def limited(self, objective: int) -> Resource:
        """The same where the objective may be so much at most."""
        if self.slack < 0:
            return self
        return self._replace(most=self.scale * objective + self.slack)


class Kind(NamedTuple):
    """What the columns of one interval with the same choices of ratios have in common.

    Attributes:
        choices: as those of a column.
        load, load_energy: cycles and picojoules to bring the weights of coders, once.
    """

    choices: tuple[int, ...] = ()
    load: int = 0
    load_energy: int = 0


class Start(NamedTuple):
    """What holds for all schedules that obey a goal's pins and limits; no energy has leakage.

    Where something may be compressed and energy does not count, losses in millionths take its place
    in all attributes.

    Attributes:
        stages: the cluster columns.
        kinds: (first, last) -> the columns' kinds; may be empty without compression.
        beats: [K+1] how often a segment in k clusters pays its beat.
        least: [L,L,K+1] cycles, a lower bound on the beat of segment s..e in k clusters.
        spent: [L,L,K+1] picojoules a sample, a lower bound on those of its stages.
        load: [L,L] cycles to load the segment.
        energy: [L,L] picojoules of a segment but for its stages.
        tiled: [L] cycles of a tiled layer; FAR where it cannot be.
        tiled_energy: [L] picojoules.
    """

    stages: Stages
    kinds: dict[Place, list[Kind]]
    beats: Ints
    least: Ints
    spent: Ints
    load: Ints
    energy: Ints
    tiled: Ints
    tiled_energy: Ints

    def kind(self, first: int, last: int, number: int) -> Kind:
        """The kind of that number of the columns first..last."""
        return self.kinds[first, last][number] if self.kinds else Kind()


def start(instance: Instance, goal: Goal, columns: Columns | RatioColumns, priced: bool) -> Start:
    """The bounds before any resource is limited.

    Args:
        instance: restricted to the goal; with compression, what no choice of ratios undercuts.
        priced: whether the columns know energies.

    Raises:
        ValueError: the costs are too large to be added in 64 bits.
    """
    tables, batch, count = instance.tables, instance.batch, len(instance.tables.layers)
    clusters, segments = goal.allowed_clusters(count), goal.allowed_segments(count)
    most = min(count, tables.chiplets, goal.clusters or count)
    stages, kinds = _stages(columns, clusters, priced)
    _refuse_large(instance, stages, priced)
    taken = stages.times < FAR
    area = least_sums(np.where(taken, stages.times * stages.chiplets, FAR).min(axis=2), most)
    shared = np.where(area < FAR, -(-area // tables.chiplets), FAR)
    fastest = np.where(clusters[:, :, None], np.minimum.accumulate(columns.times, axis=2), FAR)
    least = np.maximum(np.maximum(shared, least_slowest(fastest, most)), tables.io[:, :, None])
    least[~segments] = FAR
    spent = least_sums(np.where(taken, stages.energies, FAR).min(axis=2), most)
    energy = _sums(tables.energy.load) + batch * tables.energy.io
    tiled_energy = tables.energy.load + batch * tables.energy.alone
    if isinstance(columns, RatioColumns) and not priced:
        energy, tiled_energy = np.zeros_like(energy), np.zeros_like(tiled_energy)
    may_tile = (tables.alone >= 0) & np.diagonal(segments & clusters)
    return Start(
        stages=stages,
        kinds=kinds,
        beats=batch + np.arange(most + 1) - 1,
        least=least,
        spent=spent,
        load=_sums(tables.load),
        energy=energy,
        tiled=np.where(may_tile, tables.load + batch * np.where(may_tile, tables.alone, 0), FAR),
        tiled_energy=tiled_energy,
    )


def _refuse_large(instance: Instance, stages: Stages, priced: bool) -> None:
    tables, batch = instance.tables, instance.batch
    largest = {"cycles": [stages.times, tables.io, tables.alone]}
    if priced:
        largest["picojoules"] = [stages.energies, tables.energy.io, tables.energy.alone]
    for unit, costs in largest.items():
        worst = batch * max(int(table[table < FAR].max(initial=0)) for table in costs)
        if worst > LIMIT:
            raise ValueError(
                f"the numbers are too large for this formulation: a cluster may take {worst:.1e}"
                f" {unit}, the limit is {LIMIT:.1e}; use a smaller batch or larger units"
            )


def _stages(
    columns: Columns | RatioColumns, allowed: Flags, priced: bool
) -> tuple[Stages, dict[Place, list[Kind]]]:
    """The columns of allowed clusters, with or without energies; and their kinds."""
    kinds: dict[Place, list[Kind]] = {}
    if isinstance(columns, Columns) and not priced:
        chiplets = columns.times.shape[2]
        times = np.where(allowed[:, :, None], columns.times, FAR)
        sizes = np.broadcast_to(np.arange(1, chiplets + 1), times.shape)
        tables = np.stack([times, sizes, np.zeros_like(times), np.zeros_like(times)])
    else:
        own = {(i, j): columns.of(i, j) for i, j in np.argwhere(allowed).tolist()}
        kinds = {place: list(dict.fromkeys(map(_kind, own[place]))) for place in own}
        tables = _listed(own, kinds, allowed, priced)
    # What is no column goes to the end, where it can be cut off.
    times = tables[0]
    order = np.argsort(times == FAR, axis=2, kind="stable")
    slots = max(1, int((times < FAR).sum(axis=2).max()))
    return Stages(
        *(
            np.ascontiguousarray(np.take_along_axis(table, order, axis=2)[:, :, :slots])
            for table in tables
        )
    ), kinds


def _kind(column: Column) -> Kind:
    return Kind(column.choices, column.load, column.load_energy)


def _listed(
    columns: Mapping[Place, Sequence[Column]],
    kinds: Mapping[Place, Sequence[Kind]],
    allowed: Flags,
    priced: bool,
) -> Ints:
    """Times, chiplets, energies and kinds [4,L,L,N], by kind, chiplets, then energy.

    Where energy does not count, its place is taken by the shares of the losses.
    """
    slots = max([1, *(len(own) for own in columns.values())])
    tables = np.full((4, *allowed.shape, slots), FAR, dtype=np.int64)
    for place, own in columns.items():
        number = {kind: n for n, kind in enumerate(kinds[place])}
        rows = sorted(
            (number[_kind(q)], q.chiplets, q.energy if priced else q.lost, q.time) for q in own
        )
        if rows:
            which, sizes, energies, times = np.array(rows).T
            tables[(slice(None), *place, slice(len(rows)))] = times, sizes, energies, which
    return tables


def _sums(load: Ints) -> Ints:
    """[L,L] the sum over the layers s..e."""
    before = np.concatenate([[0], np.cumsum(load)])
    return np.ascontiguousarray(before[None, 1:] - before[:-1, None])


def resources(
    known: Start, goal: Goal, weights: Weights, leakage: int, limit: int | None
) -> list[Resource]:
    """The objective first, then what the goal caps.

    Raises:
        ValueError: costs are too large to be added in 64 bits.
    """
    cycles, energy = weights.latency + weights.energy * leakage, weights.energy
    most = _worst(known, cycles, energy)
    found = [Resource(cycles, energy, most if limit is None else min(limit, most))]
    if goal.latency_cap is not None:
        found.append(Resource(1, 0, min(goal.latency_cap, LIMIT)))
    if goal.energy_cap is not None:
        found.append(Resource(leakage, 1, min(goal.energy_cap, LIMIT)))
    if found[0].most >= SAFE:
        raise ValueError(
            f"the numbers are too large for 64-bit integers: costs may reach {found[0].most:.1e},"
            f" the limit is {SAFE:.1e}; use larger units, or smaller weights"
        )
    return found


def losses(
    objective: Resource, bound: int | None, given: Compression, batch: int
) -> list[Resource]:
    """The budget of losses, and with the objective in one sum, at several prices.

    A schedule within both limits is within every weighted sum of them; and what a sum rules out is
    more than what either does alone, as fast columns lose much.
    """
    found = [Resource(0, 1, batch * given.budget)]
    gain = objective.most - (objective.most if bound is None else bound)
    for price in loss_prices(gain, given, batch):
        slack = price * batch * given.budget
        most = FINE * objective.most + slack
        if most < SAFE:
            found.append(Resource(FINE * objective.cycles, price, most, slack, FINE))
    return found


def _worst(known: Start, cycles: int, energy: int) -> int:
    """No schedule costs more."""
    stages, count = known.stages, len(known.tiled)

    def most(table: Ints) -> int:
        return int(table[table < FAR].max(initial=0))

    beat = max(most(stages.times), most(known.least))
    latency = count * max(most(known.load) + int(known.beats[-1]) * beat, most(known.tiled))
    joules = count * (most(known.energy) + most(known.tiled_energy))
    joules += count * int(known.beats[1]) * most(stages.energies)
    return cycles * min(LIMIT, latency) + energy * min(LIMIT, joules)
