"""How far a share among drawn things can be from the share among all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

HALVINGS = 60


def clopper_pearson(hits: int, drawn: int, confidence: float) -> tuple[float, float]:
    """The interval that holds the true share at least so often, whatever it is.

    Clopper and Pearson, Biometrika 26, 1934: the shares at which so many hits or more, and so many
    or fewer, have half of the remaining probability.
    """
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, drawn + 1)))])
    ways = logs[-1] - logs - logs[::-1]
    number = np.arange(drawn + 1)

    def probability(share: float, outcomes: slice) -> float:
        """Of a number of hits in a range."""
        terms = ways + number * np.log(share) + (drawn - number) * np.log1p(-share)
        return float(np.exp(terms[outcomes]).sum())

    half = (1 - confidence) / 2
    low, high = 0.0, 1.0
    if hits > 0:
        low = _crossing(lambda share: probability(share, slice(hits, None)) < half)[0]
    if hits < drawn:
        high = _crossing(lambda share: probability(share, slice(hits + 1)) >= half)[1]
    return low, high


def _crossing(holds: Callable[[float], bool]) -> tuple[float, float]:
    """Two shares close to each other, of which something holds for the smaller one only."""
    below, above = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (below + above) / 2
        if holds(middle):
            below = middle
        else:
            above = middle
    return below, above
