"""SCAR's first two steps: units into time windows, and chiplets to the models of a window.

Both are led by expected values of units: means over the package's chiplets *(SCAR)*, of the
mini-batch for which they are least *(ours)*.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from heuristics.multi_model.tables import JobTables
from instances.cost.jobs import Floats

Spans = list[tuple[int, int]]
"""Of each model, first unit and the one after the last; a model with an empty span does not run."""

Pack = Callable[[Sequence[Floats], int], list[Spans]]
"""(expected cycles of each model's units, splits) -> the spans of each window."""

Provide = Callable[[Sequence[float], int], list[int]]
"""(what is expected of each model of a window, chiplets) -> chiplets of each model."""


def expected(tables: JobTables, *, energy: bool = False) -> Floats:
    """[U] cycles, or picojoules, for all samples of each unit as a stage by itself."""
    each = tables.energy if energy else tables.rounds[:, None, None, None] * tables.time
    each = each if energy else each + tables.load
    alone = np.diagonal(each, axis1=2, axis2=3)
    return alone.mean(axis=1).min(axis=0)


def first_fit(units: Sequence[Floats], splits: int) -> list[Spans]:
    """First-fit packing of units into windows by their expected latency *(SCAR)*.

    A window has room for an equal part of the slowest model's expected latency, of each model, as
    they run side by side (ours). Each unit goes into the first window, from that of the unit before
    it on, with room for it; where there is none, into the last one. A unit that is larger than a
    window fits into an empty one.
    """
    room = max(float(own.sum()) for own in units) / (splits + 1)
    cuts = []
    for own in units:
        at, used = 0, 0.0
        ends = [0] * (splits + 1)
        for unit, time in enumerate(own):
            if used and used + time > room * (1 + 1e-9) and at < splits:
                at, used = at + 1, 0.0
            used += time
            ends[at:] = [unit + 1] * (splits + 1 - at)
        cuts.append([0, *ends])
    return _spans(cuts)


def even(units: Sequence[Floats], splits: int) -> list[Spans]:
    """Each model cut into parts of about the same expected latency, one for each window (ours)."""
    cuts = []
    for own in units:
        until = np.cumsum(own)
        targets = until[-1] * np.arange(1, splits + 1) / (splits + 1)
        inner = [int(np.abs(until - target).argmin()) + 1 for target in targets]
        cuts.append([0, *inner, len(own)])
    return _spans(cuts)


def _spans(cuts: list[list[int]]) -> list[Spans]:
    """Spans by window of each model's cuts; windows in which nothing runs are left out."""
    windows = [list(own) for own in zip(*(pairwise(own) for own in cuts), strict=True)]
    return [own for own in windows if any(a < b for a, b in own)]


def spread(
    windows: list[Spans], units: Sequence[Floats], chiplets: int, most: int
) -> list[Spans] | None:
    """Windows that have no more models than chiplets (ours).

    The models of which a full window expects least wait for the next window, where they run what
    they have there, too. None if that takes more than `most` windows.
    """
    found, waiting = [], [list(own) for own in windows]
    while waiting:
        spans = waiting.pop(0)
        jobs = [job for job, (a, b) in enumerate(spans) if a < b]
        jobs.sort(key=lambda job: -float(units[job][slice(*spans[job])].sum()))
        late = jobs[chiplets:]
        if late and not waiting:
            waiting.append([(b, b) for _, b in spans])
        for job in late:
            begin = spans[job][0]
            waiting[0][job] = (begin, waiting[0][job][1])
            spans[job] = (begin, begin)
        found.append(spans)
    return found if len(found) <= most else None


def shares(values: Sequence[float], chiplets: int) -> list[int]:
    """N_i = round(E_i / sum E * C), at least 1 *(SCAR)*.

    While that is more than there are, the model with the most above its share gives one (ours).
    """
    total = sum(values) or 1.0
    exact = [value / total * chiplets for value in values]
    found = [max(1, int(share + 0.5)) for share in exact]
    while sum(found) > chiplets:
        giving = [k for k, n in enumerate(found) if n > 1]
        found[max(giving, key=lambda k: found[k] - exact[k])] -= 1
    return found


def one_by_one(values: Sequence[float], chiplets: int) -> list[int]:
    """One chiplet each; every other one to the model that has the most to do for each (ours)."""
    found = [1] * len(values)
    for _ in range(chiplets - len(values)):
        found[max(range(len(values)), key=lambda k: values[k] / found[k])] += 1
    return found
