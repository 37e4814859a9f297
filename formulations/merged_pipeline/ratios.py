"""What the formulations share about compression: which choices there are, and least costs.

The choice k of a layer is an index of the ratios that its output may have; see
`instances.compression`. A choice that another makes useless is ruled out by a loss of -1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from instances.compression import Compression
from instances.instance import Instance
from instances.ratio_tables import costs_by_choice
from instances.tables import Ints
from schedules.schedule import Schedule

MOST_CHOICES = 100_000
"""Combinations of ratios at one border of a cluster."""


PRICES = (1, 4), (1, 1), (4, 1)
"""What a loss is worth, as shares of what the whole budget may gain."""

FINE = 1024
"""The scale of sums of cycles and losses, so that the price of a loss can be a fraction."""


def choices_of(
    given: Compression | None, ratios: tuple[int, ...], first: int, last: int
) -> tuple[int, ...]:
    """The choices of what a cluster first..last receives and sends; none without compression."""
    if given is None:
        return ()
    chosen = given.choices(ratios)
    return tuple(chosen[layer] for layer in given.crossing(first, last))


def combinations(given: Compression, layers: list[int]) -> Iterator[tuple[int, ...]]:
    """The choices that some layers may have together.

    Raises:
        ValueError: there are too many.
    """
    own = [given.allowed(layer) for layer in layers]
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
    for layer, k in zip(given.crossing(first, last), choices, strict=True):
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
        crossed = zip(given.crossing(first, last), choices, strict=True)
        sent |= {layer: k for layer, k in crossed if layer >= first}
    return given.ratios_of(list(sent.values()))


def ratios_that_cross(
    given: Compression, schedule: Schedule, choices: Sequence[int]
) -> tuple[int, ...]:
    """The ratios of a schedule with these choices, of what its clusters send."""
    clusters = [cluster for segment in schedule.segments for cluster in segment.clusters]
    sent = {layer for own in clusters for layer in given.leaving(own.first, own.last)}
    return given.ratios_of([k if layer in sent else 0 for layer, k in enumerate(choices)])


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
        hidden = bool((instance.tables.io <= least)[given.segments_crossed(layer)].all())
        costs = costs_by_choice(given, layer, hidden, priced)
        left = given.allowed(layer)
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
