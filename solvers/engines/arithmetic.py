"""What can be claimed of integers from an engine's floating-point numbers."""

from __future__ import annotations

from math import ceil, ulp

ABSOLUTE, RELATIVE = 1e-3, 1e-9
"""How far a MILP engine's bound may be off: feasibility and dual tolerances of 1e-6 to 1e-7 on
coefficients scaled to at most a million, and the rounding of sums of doubles."""

NOISE = 1e-6
"""A claim that is further off, relatively, is no rounding but a wrong model."""


def integer_bound(bound: float, exact: bool) -> int:
    """The largest integer that no integer objective above the bound can be below.

    Args:
        bound: as the engine reports it.
        exact: the engine computes with integers, and only its report is a double.
    """
    slack = 4 * ulp(bound) if exact else RELATIVE * abs(bound)
    return ceil(bound - max(ABSOLUTE, slack))


def same(claimed: float, cost: int, exact: bool) -> bool:
    """Whether the engine's objective is the integer that the evaluator finds."""
    return abs(claimed - cost) <= max(0.5, 4 * ulp(claimed) if exact else 0.0)


def close(claimed: float, cost: int) -> bool:
    """Whether the two differ by no more than rounding can explain."""
    return abs(claimed - cost) <= max(1.0, NOISE * abs(cost))
