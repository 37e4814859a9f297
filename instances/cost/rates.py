"""Exact division in 64 bits."""

from __future__ import annotations

from instances.jit import lean

MOST = 2**63 - 1


@lean
def over(amount: int, divisor: int) -> int:
    """Quotient rounded up."""
    return -(-amount // divisor)


@lean
def at_rate(amount: int, numerator: int, denominator: int) -> int:
    """`amount` times a rate, rounded up, also where the product passes 64 bits.

    Args:
        amount: at least 0.
        numerator, denominator: at least 1; the denominator less than 2^61.
    """
    if amount <= MOST // numerator:
        return over(amount * numerator, denominator)
    # Long multiplication: bit by bit of the amount, quotient and remainder of what was read.
    quotient, rest = 0, 0
    whole, part = numerator // denominator, numerator % denominator
    for bit in range(62, -1, -1):
        quotient, rest = 2 * quotient, 2 * rest
        if (amount >> bit) & 1:
            quotient, rest = quotient + whole, rest + part
        quotient += rest // denominator
        rest %= denominator
    return quotient + (rest > 0)
