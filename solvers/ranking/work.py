"""How long counting would take, told before it begins."""

from __future__ import annotations

MOST_SECONDS = 60.0
"""Of counting; longer work is refused. Measured on one core of a small server."""

DIGIT_BITS = 30
KARATSUBA_FROM = 70
"""Digits of Python's integers, and how many of them make it multiply by Karatsuba's method."""


class TooManyError(Exception):
    """Counting would take too long or too much memory; the text says why."""


def refuse_long(seconds: float, what: str) -> None:
    """Refuse what would take too long.

    Raises:
        TooManyError: it would.
    """
    if seconds > MOST_SECONDS:
        raise TooManyError(f"{what} would take about {seconds:.2g} s, at most {MOST_SECONDS:.0f} s")


def seconds_of_products(number: float, bits: int) -> float:
    """Of so many products of two integers of so many bits."""
    digits = bits / DIGIT_BITS
    if digits <= KARATSUBA_FROM:
        return number * 1e-9 * (50 + digits**2)
    return number * 1e-9 * KARATSUBA_FROM**2 * (digits / KARATSUBA_FROM) ** 1.585


def seconds_of_convolutions(number: float, coefficients: int, digits: int) -> float:
    """Of so many products of two polynomials, of coefficients of so many decimal digits."""
    return number * coefficients * 2 * digits * 1e-7
