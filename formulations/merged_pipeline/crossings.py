"""Skip tensors in terms of boundaries: which of their costs a cluster boundary causes.

The tables charge a skip tensor to clusters; a model with a boolean a[l], 'a cluster begins at layer
l', needs the same charges as functions of those booleans. All are windows: 'some cluster begins at
one of the layers i..j'. A window that holds layer 0 or L is always crossed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from instances.tables import CostTables, Ints, Skip

Window = tuple[int, int]
"""Layers i..j, inclusive; L stands for the end of the network."""


@dataclass(frozen=True)
class Crossings:
    """Costs of all skip tensors, summed over those that share a window.

    Attributes:
        enter: (i, v) -> [O,C] cycles at layer v if a cluster begins within i..v: the tensor was
            made, or last read, before i.
        leave: (l, j) -> [C] cycles at layer l if no cluster begins at l, but one within l+1..j: the
            tensor was made at l-1, and its cluster ends after l-1 and before the last use, j.
        hold: (i, l) -> [C] bytes at layer l if no cluster begins within i..l: the tensor was made,
            or last read, at i-1 and is needed after l.
        enter_energy, leave_energy: like `enter` and `leave`, in picojoules.
    """

    enter: dict[Window, Ints] = field(default_factory=dict)
    leave: dict[Window, Ints] = field(default_factory=dict)
    hold: dict[Window, Ints] = field(default_factory=dict)
    enter_energy: dict[Window, Ints] = field(default_factory=dict)
    leave_energy: dict[Window, Ints] = field(default_factory=dict)


def crossings(tables: CostTables, energy: bool = False) -> Crossings:
    """The skip tensors of an instance as charges on windows; their energy only on demand."""
    count = len(tables.layers)
    found = Crossings()
    for skip in tables.skips:
        for which, window in enumerate(_enter_windows(skip)):
            _add(found.enter, window, skip.enter[which])
            if energy:
                _add(found.enter_energy, window, skip.enter_energy[which])
        for window in _leave_windows(skip, count):
            _add(found.leave, window, skip.leave)
            if energy:
                _add(found.leave_energy, window, skip.leave_energy)
        for window in _hold_windows(skip, count):
            _add(found.hold, window, skip.hold)
    return found


def _add(charges: dict[Window, Ints], window: Window, cost: Ints) -> None:
    if np.any(cost):
        charges[window] = charges.get(window, 0) + cost


def _enter_windows(skip: Skip) -> Iterator[Window]:
    """A consumer pays unless the cluster made the tensor or read it before."""
    before = skip.producer
    for consumer in skip.consumers:
        yield before + 1, consumer
        before = consumer


def _leave_windows(skip: Skip, count: int) -> Iterator[Window]:
    """The producer's cluster pays if it goes on after the producer and ends before the last use."""
    last = _last_use(skip, count)
    if skip.producer >= 0 and last >= skip.producer + 2:
        yield skip.producer + 1, last


def _hold_windows(skip: Skip, count: int) -> Iterator[Window]:
    """A layer between two uses holds the tensor if the cluster had it at the use before."""
    touched = skip.producer
    for layer in range(skip.producer + 1, min(_last_use(skip, count), count)):
        if layer in skip.consumers:
            touched = layer
        elif touched >= 0:
            yield touched + 1, layer


def _last_use(skip: Skip, count: int) -> int:
    """The last layer that needs the tensor; `count` if it leaves the network."""
    return count if skip.leaves else skip.consumers[-1]
