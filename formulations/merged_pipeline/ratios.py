"""What the formulations share about compression: which choices there are, and least costs.

The choice k of a layer is an index of the ratios that its output may have; see
`instances.compression`. A choice that another makes useless is ruled out by a loss of -1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from instances.compression import Compression
from instances.instance import Instance
from instances.tables import CostTables, Ints
from schedules.goal import Flags
from schedules.schedule import Schedule

MOST_CHOICES = 100_000
"""Combinations of ratios at one border of a cluster."""


PRICES = (1, 4), (1, 1), (4, 1)
"""What a loss is worth, as shares of what the whole budget may gain."""

FINE = 1024
"""The scale of sums of cycles and losses, so that the price of a loss can be a fraction."""


def crossing(given: Compression, first: int, last: int) -> list[int]:
    """Layers whose outputs a cluster, or segment, first..last receives, and those that it sends."""
    return [*given.entering(first, last), *given.leaving(first, last)]


def choices_of(
    given: Compression | None, ratios: tuple[int, ...], first: int, last: int
) -> tuple[int, ...]:
    """The choices of what a cluster first..last receives and sends; none without compression."""
    if given is None:
        return ()
    chosen = given.choices(ratios)
    return tuple(chosen[layer] for layer in crossing(given, first, last))


def allowed(given: Compression, layer: int) -> list[int]:
    """The choices that a layer has, 0 first."""
    losses = given.losses[layer]
    return np.flatnonzero((losses >= 0) & (losses <= given.budget)).tolist()


def combinations(given: Compression, layers: list[int]) -> Iterator[tuple[int, ...]]:
    """The choices that some layers may have together.

    Raises:
        ValueError: there are too many.
    """
    own = [allowed(given, layer) for layer in layers]
    number = np.prod([float(len(choices)) for choices in own])
    if number > MOST_CHOICES:
        raise ValueError(
            f"{len(layers)} tensors cross at the same place, in {number:.1e} combinations of"
            f" ratios, the limit is {MOST_CHOICES:.1e}: allow fewer ratios, or compress fewer"
            " tensors"
        )
    for choices in product(*own):
        if lost(given, layers, choices) <= given.budget:
            yield choices


def lost(given: Compression, layers: list[int], choices: tuple[int, ...]) -> int:
    """Millionths that the choices of some layers lose."""
    return sum(int(given.losses[layer, k]) for layer, k in zip(layers, choices, strict=True))


def loss_share(given: Compression, first: int, last: int, choices: Sequence[int]) -> int:
    """A cluster's share of the losses of what it receives and sends, in millionths.

    The sender has one half, and the cluster with the last reader the other; so the shares of a
    schedule's clusters are together what it loses.
    """
    share = 0
    for layer, k in zip(crossing(given, first, last), choices, strict=True):
        loss = int(given.losses[layer, k])
        if layer >= first:
            share += loss - loss // 2
        elif given.readers[layer][-1] <= last:
            share += loss // 2
    return share


def loss_prices(gain: int, given: Compression, batch: int) -> list[int]:
    """Prices of a millionth, a sample, where `FINE` is that of the objective's unit.

    Args:
        gain: what the whole budget may gain of the objective.
    """
    spent = batch * max(1, given.budget)
    prices = (FINE * gain * times // (spent * parts) for times, parts in PRICES)
    return [price for price in prices if price > 0]


def without_energy(instance: Instance) -> Instance:
    """The instance whose segments and tiled layers need no energy."""
    tables = instance.tables
    io, alone = np.zeros_like(tables.energy.io), np.zeros_like(tables.energy.alone)
    return replace(
        instance, tables=replace(tables, energy=replace(tables.energy, io=io, alone=alone))
    )


def ratios_sent(
    given: Compression | None, clusters: Iterable[tuple[int, int, tuple[int, ...]]]
) -> tuple[int, ...]:
    """The ratios of a schedule whose clusters have these first and last layers and choices."""
    if given is None:
        return ()
    sent = dict.fromkeys(range(len(given.readers)), 0)
    for first, last, choices in clusters:
        crossed = zip(crossing(given, first, last), choices, strict=True)
        sent |= {layer: k for layer, k in crossed if layer >= first}
    return given.ratios_of(list(sent.values()))


def ratios_that_cross(
    given: Compression, schedule: Schedule, choices: Sequence[int]
) -> tuple[int, ...]:
    """The ratios of a schedule with these choices, of what its clusters send."""
    clusters = [cluster for segment in schedule.segments for cluster in segment.clusters]
    sent = {layer for own in clusters for layer in given.leaving(own.first, own.last)}
    return given.ratios_of([k if layer in sent else 0 for layer, k in enumerate(choices)])


def segments_crossed(given: Compression, layer: int) -> Flags:
    """[L,L] whether segment s..e receives or sends a layer's output."""
    count, readers = len(given.readers), np.array(given.readers[layer], dtype=np.int64)
    crossed = np.zeros((count, count), dtype=np.bool_)
    if len(readers) == 0:
        return crossed
    crossed[: layer + 1, layer : readers[-1]] = True
    for first in range(layer + 1, readers[-1] + 1):
        crossed[first, readers[np.searchsorted(readers, first)] :] = True
    return crossed


def relaxed(instance: Instance) -> Instance:
    """The instance with plain tables that no allowed choice of ratios undercuts.

    Each cost by itself is the least of all choices, and coders need neither bytes nor loads.
    """
    given = instance.compression
    if given is None:
        return instance
    tables = _extreme(instance.tables, given, np.min)
    units, joules = _most_spared(given)
    io = np.where(units > 0, _cycles(given, given.traffic - units), tables.io)
    energy = replace(tables.energy, io=tables.energy.io - joules)
    return replace(instance, tables=replace(tables, io=io, energy=energy), compression=None)


def costliest(instance: Instance) -> CostTables:
    """Plain tables that no allowed choice of ratios exceeds, coders' loads apart."""
    given = instance.compression
    if given is None:
        return instance.tables
    tables = _extreme(instance.tables, given, np.max)
    resident = tables.resident.copy()
    for layer in given.open:
        ks, size = allowed(given, layer), np.s_[..., : tables.chiplets]
        resident[layer] += given.encoders.resident[ks, layer].max(axis=0)[size]
        for reader in given.readers[layer]:
            resident[reader] += given.decoders.resident[ks, layer].max(axis=0)[size]
    return replace(tables, resident=resident)


def tables_of(instance: Instance, choices: Sequence[int]) -> CostTables:
    """Tables with the entries, exits and DRAM energy of certain choices; skips and coders apart."""
    tables, given = instance.tables, instance.compression
    if given is None:
        return tables
    at, k = np.arange(len(choices)), np.array(choices)
    before = np.concatenate([[0], k[:-1]])
    io = tables.energy.io.copy()
    for layer in np.flatnonzero(k).tolist():
        io -= segments_crossed(given, layer) * given.saved_energy[k[layer], layer]
    energy = replace(
        tables.energy, entry=given.entry_energy[before, at], exit=given.exit_energy[k, at], io=io
    )
    return replace(tables, entry=given.entry[before, at], exit=given.exit[k, at], energy=energy)


def _extreme(tables: CostTables, given: Compression, pick: Callable[..., Any]) -> CostTables:
    """Each cost that depends on a choice is the one that `pick` takes of all choices."""
    options = [allowed(given, layer) for layer in range(len(tables.layers))]
    size = np.s_[..., : tables.chiplets]

    def picked(table: Ints, choices: list[list[int]]) -> Ints:
        own = [pick(table[ks, layer], axis=0) for layer, ks in enumerate(choices)]
        return np.array(own)[size]

    before, skips = [[0], *options[:-1]], []
    for skip, code in zip(tables.skips, given.skips, strict=True):
        ks = options[code.producer] if code.producer >= 0 else [0]
        skips.append(
            replace(
                skip,
                enter=pick(code.enter[ks], axis=0)[size],
                leave=pick(code.leave[ks], axis=0)[size],
                enter_energy=pick(code.enter_energy[ks], axis=0)[size],
                leave_energy=pick(code.leave_energy[ks], axis=0)[size],
            )
        )
    return replace(
        tables,
        entry=picked(given.entry, before),
        exit=picked(given.exit, options),
        skips=tuple(skips),
        energy=replace(
            tables.energy,
            entry=picked(given.entry_energy, before),
            exit=picked(given.exit_energy, options),
        ),
    )


def _most_spared(given: Compression) -> tuple[Ints, Ints]:
    """[L,L] units of traffic and picojoules that a segment can be spared at most."""
    units = np.zeros_like(given.traffic)
    joules = np.zeros_like(given.traffic)
    for layer in given.open:
        crossed = segments_crossed(given, layer)
        units += crossed * given.saved[allowed(given, layer), layer].max()
        joules += crossed * given.saved_energy[allowed(given, layer), layer].max()
    return units, joules


def _cycles(given: Compression, units: Ints) -> Ints:
    """What units of DRAM traffic take, as `Compression.cycles`."""
    numerator, denominator = given.rate
    exact = -(-units.astype(object) * numerator // denominator)  # beyond 64 bits on the way
    return exact.astype(np.int64)


def replacements(instance: Instance, least: Ints, priced: bool) -> Ints:
    """[L,R] the choice to take in place of each one: itself, or another that is never worse.

    Args:
        least: [L,L] a lower bound on the beat of each segment that matters; huge for the others.
        priced: whether energy counts.
    """
    given = instance.compression
    assert given is not None
    instead = np.tile(np.arange(len(given.ratios)), (len(given.readers), 1))
    for layer in given.open:
        hidden = bool((instance.tables.io <= least)[segments_crossed(given, layer)].all())
        costs = _costs_by_choice(given, layer, hidden, priced)
        left = allowed(given, layer)
        # Of two that are alike the first stays.
        for k in reversed(left):
            better = [b for b in left if b != k and bool((costs[b] <= costs[k]).all())]
            if better:
                instead[layer, instead[layer] == k] = better[0]
                left.remove(k)
    return instead


def without(given: Compression, instead: Ints) -> Compression | None:
    """The compression without the choices that are replaced or too lossy; None if none is left."""
    gone = (instead != np.arange(len(given.ratios))) | (given.losses > given.budget)
    losses = np.where(gone, -1, given.losses)
    return replace(given, losses=losses) if (losses[:, 1:] >= 0).any() else None


def _costs_by_choice(given: Compression, layer: int, hidden: bool, priced: bool) -> Ints:
    """[R,.] everything that a layer's choice decides, the less the better.

    Args:
        hidden: whether what DRAM traffic takes is nowhere more than a segment takes anyway.
    """
    parts = [given.losses[layer][:, None], given.exit[:, layer]]
    joules = [given.exit_energy[:, layer], -given.saved_energy[:, layer, None]]
    for coders in (given.encoders, given.decoders):
        parts += [coders.resident[:, layer], coders.load[:, layer, None]]
        joules.append(coders.load_energy[:, layer, None])
    if layer + 1 < len(given.readers):
        parts.append(given.entry[:, layer + 1])
        joules.append(given.entry_energy[:, layer + 1])
    for code in given.skips:
        if code.producer == layer:
            parts += [code.enter, code.leave]
            joules += [code.enter_energy, code.leave_energy]
    if not hidden:
        parts.append(-given.saved[:, layer, None])
    if priced:
        parts += joules
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)
