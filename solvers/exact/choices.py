"""The clusters that matter where both time and energy count."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from instances.dominance import FIELDS, OPTION, PARENT
from instances.instance import Instance
from instances.tables import CostTables, Ints
from schedules.goal import Flags
from schedules.parallel import OutOfTimeError, in_parallel
from schedules.progress import Progress
from schedules.schedule import Cluster
from solvers.exact.choice_labels import (
    Costs,
    Rest,
    best_columns,
    finish,
    next_labels,
)
from solvers.exact.labels import FAR
from solvers.exact.trade import Columns, Horizon

ROUNDING = 1e-12
"""Taken off what floating-point numbers bound from below."""

LABELS = 70_000_000
"""Most labels of all clusters; some minutes of work."""

SAMPLE = 100_000
"""Labels of one first layer and region size after which the others are estimated."""


def make_columns(
    instance: Instance, allowed: Flags, horizon: Horizon, progress: Progress, workers: int
) -> Columns:
    """All columns that may be of use and whose clusters are `allowed` [L,L].

    Raises:
        ValueError: there are too many option choices.
        OutOfTimeError: the time limit passed.
    """
    tables = instance.tables
    count = len(tables.layers)
    least = least_of_layers(tables)
    _refuse_large(instance, horizon, least, progress)

    def on_region(index: int) -> Ints:
        first, c = divmod(index, tables.chiplets)
        rows = [np.empty((0, 5), dtype=np.int64)]
        if not allowed[first].any():
            return rows[0]
        costs = costs_of(tables, first, c + 1, int(np.flatnonzero(allowed[first])[-1]))
        rest = _rest(instance, horizon, least, first, c + 1)
        for k, labels in enumerate(grow(costs, rest)):
            if progress.expired:
                raise OutOfTimeError
            if allowed[first, first + k]:
                found = finish(labels, costs.exits[k], c + 1, first, first + k)
                rows.append(best_columns(found))
        return np.concatenate(rows)

    rows: list[list[Ints]] = [[] for _ in range(count)]
    tasks = count * tables.chiplets
    for index, found in in_parallel(on_region, tasks, progress, workers):
        rows[index // tables.chiplets].append(found)
    table = np.concatenate([best_columns(np.concatenate(own)) for own in rows])
    places = table[:, 3] * (count + 1) + table[:, 4]
    wanted = np.arange(count)[:, None] * (count + 1) + np.arange(count + 1)
    return Columns(table, np.searchsorted(places, wanted))


def _refuse_large(instance: Instance, horizon: Horizon, least: Least, progress: Progress) -> None:
    """Estimate the number of labels from a few first layers and region sizes.

    Raises:
        ValueError: they are too many.
    """
    layers, options, chiplets = instance.tables.shape
    sizes = sorted({(chiplets + 1) // 2, chiplets})
    firsts = range(0, layers, -(-layers // 8))
    total = 0.0
    for first in firsts:
        for size in sizes:
            costs = costs_of(instance.tables, first, size)
            rest = _rest(instance, horizon, least, first, size)
            total += _count_labels(costs, rest, progress)
    estimate = total / (len(firsts) * len(sizes)) * layers * chiplets
    if estimate > LABELS:
        raise ValueError(
            f"with energy, 'exact' is for smaller instances: {layers} layers with {options}"
            f" options on {chiplets} chiplets mean about {estimate:.0e} option choices worth"
            f" keeping, at most {LABELS:.0e} are allowed; use 'cpsat' or 'milp'"
        )


def _count_labels(costs: Costs, rest: Rest, progress: Progress) -> float:
    """How many labels there are; beyond SAMPLE, as if later layers had the mean of the first."""
    number, count = 0, len(costs.exits)
    for k, labels in enumerate(grow(costs, rest), start=1):
        number += len(labels)
        if progress.expired:
            raise OutOfTimeError
        if number > SAMPLE:
            return number * count / k
    return number


def cluster_of(tables: CostTables, column: Ints) -> Cluster:
    """The cluster that a column stands for, by growing its labels once more."""
    chiplets, time, energy, first, last = column.tolist()
    nothing = np.empty(0, dtype=np.int64)
    own = Horizon(time, energy, math.inf, nothing, nothing)
    count = last - first + 1
    rest = Rest(own, 1, 0, 0.0, 0, np.zeros(count), np.zeros(count, dtype=np.int64))
    costs = costs_of(tables, first, chiplets, last)
    layers = list(grow(costs, rest))
    rows = finish(layers[-1], costs.exits[-1], chiplets, first, last)
    label = int(np.flatnonzero((rows == column).all(axis=1))[0])
    options = []
    for labels in reversed(layers):
        options.append(tables.options[labels[label, OPTION]])
        label = labels[label, PARENT]
    return Cluster(first, last, chiplets, tuple(options[::-1]))


def grow(costs: Costs, rest: Rest) -> Iterator[Ints]:
    """Labels of the clusters of 1, 2, ... layers, while there are any."""
    labels = np.empty((0, FIELDS), dtype=np.int64)
    for layer in range(len(costs.exits)):
        labels = next_labels(costs, rest, layer, labels)
        if not len(labels):
            return
        yield labels


def costs_of(tables: CostTables, first: int, chiplets: int, last: int | None = None) -> Costs:
    """Costs of the clusters on so many chiplets from `first` on, up to `last`."""
    count, options, _ = tables.shape
    rows, c, energy = slice(first, None if last is None else last + 1), chiplets - 1, tables.energy
    enter, leave = np.zeros((count, options, 2), np.int64), np.zeros((count, 1, 2), np.int64)
    for skip in tables.skips:
        use = skip.first_use_from(first)
        if skip.producer < first and use is not None:
            which = skip.consumers.index(use)
            enter[use, :, 0] += skip.enter[which, :, c]
            enter[use, :, 1] += skip.enter_energy[which, :, c]
        elif skip.producer >= first:
            end = count if skip.leaves else skip.consumers[-1]
            leave[skip.producer + 1 : end] += skip.leave[c], skip.leave_energy[c]
    entry = np.stack([tables.entry[first, :, c], energy.entry[first, :, c]], axis=-1)
    step = np.stack([tables.step[rows, ..., c], energy.step[rows, ..., c]], axis=-1)
    exits = np.stack([tables.exit[rows, :, c], energy.exit[rows, :, c]], axis=-1)
    return Costs(
        entry=entry + enter[first],
        step=step + enter[rows, None],
        exits=exits + leave[rows],
        resident=np.ascontiguousarray(tables.resident[rows, :, c]),
        momentary=tables.working[rows, :, c] + tables.held(first)[rows, c, None],
        capacity=tables.capacity,
    )


class Least(NamedTuple):
    """Lower bounds on what each layer takes of the package, a sample, in any cluster or tiled.

    0 for a layer that can run in no way: there is no schedule to bound.

    Attributes:
        areas: [L] chiplets times cycles.
        energies: [L] picojoules.
    """

    areas: Ints
    energies: Ints


def least_of_layers(tables: CostTables) -> Least:
    """Each layer at its best."""
    energy, chiplets = tables.energy, tables.chiplets
    areas = _least_inside(tables, tables.entry, tables.step, np.arange(1, chiplets + 1))
    energies = _least_inside(tables, energy.entry, energy.step, np.ones(chiplets, dtype=np.int64))
    tiled = tables.alone >= 0
    areas = np.minimum(areas, np.where(tiled, tables.alone * chiplets, FAR))
    energies = np.minimum(energies, np.where(tiled, energy.alone, FAR))
    return Least(*(np.where(least < FAR, least, 0) for least in (areas, energies)))


def least_costs(instance: Instance) -> tuple[int, int]:
    """Lower bounds on the cycles and the picojoules of every schedule."""
    tables, batch = instance.tables, instance.batch
    least = least_of_layers(tables)
    time = int(tables.load.sum()) + batch * int(least.areas.sum()) // tables.chiplets
    energy = int(tables.energy.load.sum()) + batch * int(least.energies.sum())
    return time, energy + tables.energy.leakage * time


def _least_inside(tables: CostTables, entry: Ints, step: Ints, factors: Ints) -> Ints:
    """[L] the least `entry` or `step` times the factor [C] of the region; FAR if nothing fits."""
    inside = np.minimum(entry, step.min(axis=1))
    inside[0] = entry[0]
    fits = tables.resident + tables.working <= tables.capacity
    least: Ints = np.where(fits, inside * factors, FAR).min(axis=(1, 2))
    return least


def _rest(instance: Instance, horizon: Horizon, least: Least, first: int, chiplets: int) -> Rest:
    """Lower bounds on all that is outside of clusters from `first` on."""
    tables, batch = instance.tables, instance.batch
    areas = least.areas.sum() - np.cumsum(least.areas[first:])
    energies = least.energies.sum() - np.cumsum(least.energies[first:])
    return Rest(
        horizon=horizon,
        batch=batch,
        leakage=tables.energy.leakage,
        share=chiplets / tables.chiplets * (1 - ROUNDING),
        load=int(tables.load.sum()),
        times=areas / tables.chiplets * (1 - ROUNDING),
        energies=int(tables.energy.load.sum()) + batch * energies,
    )
