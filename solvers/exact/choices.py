"""The clusters that matter where both time and energy count."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from instances.instance import Instance
from instances.tables import LIMIT, CostTables, Ints
from schedules.goal import Flags
from schedules.parallel import OutOfTimeError, in_parallel
from schedules.progress import Progress
from schedules.schedule import Cluster
from solvers.exact.choice_labels import (
    FIELDS,
    OPTION,
    PARENT,
    Costs,
    Rest,
    best_columns,
    finish,
    next_labels,
)
from solvers.exact.trade import Columns, Horizon


def make_columns(
    instance: Instance, allowed: Flags, horizon: Horizon, progress: Progress, workers: int
) -> Columns:
    """All columns that may be of use and whose clusters are `allowed` [L,L].

    Raises:
        OutOfTimeError: the time limit passed.
    """
    tables = instance.tables
    count = len(tables.layers)
    own_energies = least_energies(tables)

    def from_layer(first: int) -> Ints:
        rest = _rest(instance, horizon, own_energies, first)
        rows = [np.empty((0, 5), dtype=np.int64)]
        for c, costs in enumerate(costs_from(tables, first)):
            for k, labels in enumerate(grow(costs, rest)):
                if progress.expired:
                    raise OutOfTimeError
                if allowed[first, first + k]:
                    found = finish(labels, costs.exits[k], c + 1, first, first + k)
                    rows.append(best_columns(found))
        columns: Ints = best_columns(np.concatenate(rows))
        return columns

    found = [columns for _, columns in in_parallel(from_layer, count, progress, workers)]
    table = np.concatenate(found)
    places = table[:, 3] * (count + 1) + table[:, 4]
    wanted = np.arange(count)[:, None] * (count + 1) + np.arange(count + 1)
    return Columns(table, np.searchsorted(places, wanted))


def cluster_of(tables: CostTables, column: Ints) -> Cluster:
    """The cluster that a column stands for, by growing its labels once more."""
    chiplets, time, energy, first, last = column.tolist()
    nothing = np.empty(0, dtype=np.int64)
    own = Horizon(time, energy, math.inf, nothing, nothing)
    rest = Rest(own, 1, 0, 0, np.zeros(last - first + 1, dtype=np.int64))
    costs = list(costs_from(tables, first, last))[chiplets - 1]
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


def costs_from(tables: CostTables, first: int, last: int | None = None) -> Iterator[Costs]:
    """Costs of the clusters from `first` on, up to `last`, for 1..C chiplets."""
    rows = slice(first, None if last is None else last + 1)
    energy = tables.energy
    enter, leave = np.zeros((*tables.shape, 2), np.int64), np.zeros((*tables.shape, 2), np.int64)
    for skip in tables.skips:
        use = skip.first_use_from(first)
        if skip.producer < first and use is not None:
            which = skip.consumers.index(use)
            enter[use, ..., 0] += skip.enter[which]
            enter[use, ..., 1] += skip.enter_energy[which]
        elif skip.producer >= first:
            end = len(tables.layers) if skip.leaves else skip.consumers[-1]
            leave[skip.producer + 1 : end, ..., 0] += skip.leave
            leave[skip.producer + 1 : end, ..., 1] += skip.leave_energy
    entry = np.stack([tables.entry[first], energy.entry[first]], axis=-1) + enter[first]
    step = np.stack([tables.step[rows], energy.step[rows]], axis=-1) + enter[rows, None]
    exits = np.stack([tables.exit[rows], energy.exit[rows]], axis=-1) + leave[rows]
    momentary = (tables.working + tables.held(first)[:, None, :])[rows]
    for c in range(tables.chiplets):
        yield Costs(
            entry=np.ascontiguousarray(entry[:, c]),
            step=np.ascontiguousarray(step[..., c, :]),
            exits=np.ascontiguousarray(exits[..., c, :]),
            resident=np.ascontiguousarray(tables.resident[rows, :, c]),
            momentary=np.ascontiguousarray(momentary[..., c]),
            capacity=tables.capacity,
        )


def least_energies(tables: CostTables) -> Ints:
    """[L] a lower bound on the picojoules of each layer a sample; 0 if it can run in no way."""
    energy = tables.energy
    fits = tables.resident + tables.working <= tables.capacity
    inside = np.minimum(energy.entry, energy.step.min(axis=1))
    inside[0] = energy.entry[0]
    least = np.where(fits, inside, LIMIT).min(axis=(1, 2))
    least = np.minimum(least, np.where(tables.alone >= 0, energy.alone, LIMIT))
    return np.where(least < LIMIT, least, 0)


def _rest(instance: Instance, horizon: Horizon, own_energies: Ints, first: int) -> Rest:
    """Lower bounds on all that is outside of clusters from `first` on."""
    tables, batch = instance.tables, instance.batch
    others = own_energies.sum() - np.cumsum(own_energies[first:])
    return Rest(
        horizon=horizon,
        batch=batch,
        leakage=tables.energy.leakage,
        time=int(tables.load.sum()),
        energies=int(tables.energy.load.sum()) + batch * others,
    )
