"""A linear program's bound on time and energy together, by prices of chiplets (ours).

Let time be T = sum of W_w over windows, and e the runs' picojoules without leakage. A run of
latency L with k_q chiplets of kind q holds them for L cycles of its window, be it alone or in turn
with others. So in each window W_w >= L_jw for each model j, and for each kind C_q W_w >= sum over j
of k_qjw L_jw. Take weights mu_j >= 0 and rents r_q >= 0 with sum of mu_j + sum of C_q r_q = 1. The
sum of these inequalities with the weights is

    T + alpha e >= sum over j of sum over runs of (mu_j + sum over q of r_q k_q) L + alpha e_run

and for each model the inner sum is at least the least over all ways to divide its units into runs:
a shortest path over units. Any weights give a valid bound; good ones are found by ascent, and the
bound is then computed with whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heuristics.multi_model.kinds import KindRuns
from instances.cost.jobs import Floats
from instances.jit import compiled
from instances.stages import FAR
from instances.tables import Ints

ROUNDS = 250
"""Steps of the ascent."""

SCALE = 2**40
"""Weights are whole multiples of one part in so many."""


@dataclass(frozen=True)
class Entries:
    """A model's runs that no other one beats in all that counts; R of them.

    Attributes:
        units: U.
        windows: the most runs into which the units may be divided.
        begin, end: [R] first unit, and the one after the last.
        many: [R,K] chiplets of each kind.
        latency, energy: [R] cycles and picojoules.
    """

    units: int
    windows: int
    begin: Ints
    end: Ints
    many: Ints
    latency: Ints
    energy: Ints


def entries_of(runs: KindRuns, windows: int, *, energy: bool) -> Entries:
    """The runs of a model.

    Args:
        runs: all.
        windows: the most into which the model may be divided.
        energy: whether energy counts; if not, it is left out.
    """
    latency = runs.latency if energy else runs.latency.min(axis=0, keepdims=True)
    other = runs.energy if energy else np.zeros_like(latency)
    latency, other = latency.copy(), np.where(latency < FAR, other, FAR)
    kept = worth_keeping(latency, other, *runs.counts)
    units = latency.shape[1]
    if windows == 1:
        kept[:, 1:] = kept[:, :, :units] = False
    n, a, b, state = np.nonzero(kept)
    own = n, a, b, state
    return Entries(
        units, min(windows, units), a, b, runs.counts.many[state], latency[own], other[own]
    )


@compiled
def worth_keeping(latency: Ints, energy: Ints, many: Ints, stride: Ints) -> NDArray[np.bool_]:
    """Which runs have less time or energy than with a chiplet less.

    First, [N,U,U+1,S] latency and energy become the least with those chiplets or fewer.
    """
    kept = latency < FAR
    for n in range(latency.shape[0]):
        for a in range(latency.shape[1]):
            for b in range(a + 1, latency.shape[2]):
                for state in range(latency.shape[3]):
                    at = n, a, b, state
                    for kind in range(len(stride)):
                        if many[state, kind]:
                            less = n, a, b, state - stride[kind]
                            latency[at] = min(latency[at], latency[less])
                            energy[at] = min(energy[at], energy[less])
                    for kind in range(len(stride)):
                        if many[state, kind]:
                            less = n, a, b, state - stride[kind]
                            if latency[less] <= latency[at] and energy[less] <= energy[at]:
                                kept[at] = False
    return kept


@compiled
def _cheapest(
    own: tuple[int, int], begin: Ints, end: Ints, costs: Floats
) -> tuple[float, Ints, int]:
    """The cheapest division of a model's units into runs.

    Args:
        own: units, and the most runs.
        begin, end, costs: [R] of each run.

    Returns:
        The sum of its costs, [windows] its runs, last one first, and how many these are.
    """
    units, windows = own
    best = np.full((windows + 1, units + 1), np.inf)
    last = np.zeros((windows + 1, units + 1), np.int64)
    best[0, 0] = 0.0
    for window in range(windows):
        for run in range(len(costs)):
            done = best[window, begin[run]] + costs[run]
            if done < best[window + 1, end[run]]:
                best[window + 1, end[run]] = done
                last[window + 1, end[run]] = run
    count = int(np.argmin(best[:, units]))
    runs, at = np.empty(windows, np.int64), units
    for number in range(count):
        runs[number] = last[count - number, at]
        at = begin[runs[number]]
    return best[count, units], runs, count


class Prices:
    """The bounds of a workload for one limit on windows.

    Args:
        models: the runs of each.
        chiplets: [K] of each kind.
    """

    def __init__(self, models: Sequence[Entries], chiplets: Ints) -> None:
        self._models, self._chiplets = models, chiplets
        self._weights = np.full(len(models) + len(chiplets), 1 / (len(models) + len(chiplets)))

    def bound(self, alpha: Fraction) -> tuple[Fraction, Fraction]:
        """A bound on T + alpha e, and the alpha for which it holds, rounded down.

        The ascent is that of exponentiated gradients: the gradient of a weight is by how much its
        inequality is broken, at the cheapest divisions of all models.
        """
        weights, best, found = self._weights, -np.inf, self._weights
        for step in range(ROUNDS):
            value, slope = self._value(weights, float(alpha))
            if value > best:
                best, found = value, weights
            rate = 1.0 / (1 + step / 10)
            weights = weights * np.exp(rate * slope / (np.abs(slope).max() or 1.0))
            weights = weights / weights.sum()
        self._weights = np.maximum(found, 1e-6)
        return self._proved(found, alpha)

    def least_energy(self) -> int:
        """Of all models' picojoules, each for itself."""
        return sum(_whole_path(own, own.energy.tolist()) for own in self._models)

    def _value(self, weights: Floats, alpha: float) -> tuple[float, Floats]:
        """The bound by weights, and its slope in each."""
        models = len(self._models)
        rents = weights[models:] / self._chiplets
        total, slope = 0.0, np.zeros(len(weights))
        for job, own in enumerate(self._models):
            costs = (weights[job] + own.many @ rents) * own.latency + alpha * own.energy
            least, runs, count = _cheapest((own.units, own.windows), own.begin, own.end, costs)
            used = runs[:count]
            total += least
            slope[job] += own.latency[used].sum()
            slope[models:] += own.latency[used] @ own.many[used] / self._chiplets
        return total, slope

    def _proved(self, weights: Floats, alpha: Fraction) -> tuple[Fraction, Fraction]:
        """The bound by weights rounded down to multiples of 1 / SCALE, in whole numbers."""
        models = len(self._models)
        whole = [int(weight * SCALE) for weight in weights / weights.sum() * (1 - 1e-9)]
        rents = [int(w) // int(c) for w, c in zip(whole[models:], self._chiplets, strict=True)]
        assert sum(whole) <= SCALE
        price, total = int(alpha * SCALE), 0
        for job, own in enumerate(self._models):
            rate = own.many.astype(object) @ np.array(rents, object) + whole[job]
            costs = rate * own.latency.astype(object) + price * own.energy.astype(object)
            total += _whole_path(own, costs.tolist())
        return Fraction(total, SCALE), Fraction(price, SCALE)


def _whole_path(own: Entries, costs: list[int]) -> int:
    """`_cheapest` with Python's whole numbers, which have no largest one."""
    best: list[dict[int, int]] = [{0: 0}]
    runs = list(zip(own.begin.tolist(), own.end.tolist(), costs, strict=True))
    for _ in range(own.windows):
        after: dict[int, int] = {}
        for begin, end, cost in runs:
            if begin in best[-1]:
                done = best[-1][begin] + cost
                if end not in after or done < after[end]:
                    after[end] = done
        best.append(after)
    return min(reached[own.units] for reached in best if own.units in reached)
