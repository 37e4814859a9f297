"""Choices for layers one by one: what is fastest where a loss has a price *(ours)*."""

from __future__ import annotations

import numpy as np

from instances.compression import Choices, Compression
from instances.tables import CostTables, Floats, Ints
from schedules.schedule import Schedule

HALVINGS = 40
"""Of a range of prices; more than a price needs that is as exact as a float."""


def crossing(tables: CostTables, given: Compression, schedule: Schedule) -> Floats:
    """[L,R] cycles to send each layer's output, receive it and keep it in DRAM, as if it crossed.

    Regions and options are those of a schedule.
    """
    clusters = [cluster for segment in schedule.segments for cluster in segment.clusters]
    c = np.array([one.chiplets - 1 for one in clusters for _ in one.options])
    o = np.array([tables.options.index(name) for one in clusters for name in one.options])
    at = np.arange(len(c))
    numerator, denominator = given.rate
    found: Floats = given.exit[:, at, o, c].T - 2 * given.saved.T * (numerator / denominator)
    found[:-1] += given.entry[:, at[1:], o[1:], c[1:]].T
    for code in given.skips:
        if code.producer >= 0:
            found[code.producer] += code.leave[:, c[code.producer]]
            for n, reader in enumerate(code.consumers):
                found[code.producer] += code.enter[:, n, o[reader], c[reader]]
    return found


def at_price(cycles: Floats, losses: Ints, price: float) -> Choices:
    """Of each layer the choice with the fewest cycles if a millionth lost counts as `price`.

    Args:
        cycles: [L,R] as `crossing` says.
        losses: [L,R] millionths, -1 for what is not allowed.
    """
    worth = np.where(losses < 0, np.inf, cycles + price * losses)
    return tuple(worth.argmin(axis=1).tolist())


def at_budget(cycles: Floats, losses: Ints, budget: int) -> Choices:
    """The choices at about the lowest price at which all together lose no more than a budget."""
    # At this price no choice is worth a millionth; those that lose nothing stay.
    low, high = 0.0, float(np.ptp(cycles)) + 1
    for _ in range(HALVINGS):
        price = (low + high) / 2
        k = at_price(cycles, losses, price)
        if losses[np.arange(len(k)), k].sum() > budget:
            low = price
        else:
            high = price
    return at_price(cycles, losses, high)
