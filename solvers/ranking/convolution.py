"""Exact products of polynomials with large whole coefficients, in almost linear time.

Python's decimal arithmetic multiplies long numbers by number-theoretic transforms, exactly. A
polynomial is one decimal number, with as many digits for each coefficient as none needs.
"""

from __future__ import annotations

from decimal import MAX_EMAX, Context, Decimal


def product(one: list[int], other: list[int], size: int) -> list[int]:
    """The first `size` coefficients of a product, fewer if the rest is 0.

    Args:
        one, other: coefficients from the lowest power on, none negative, at least one.
    """
    digits = len(str(sum(one) * sum(other)))
    context = Context(prec=digits * (len(one) + len(other)), Emax=MAX_EMAX)
    whole = context.multiply(_packed(one, digits), _packed(other, digits))
    return _unpacked(whole, digits)[:size]


def _packed(coefficients: list[int], digits: int) -> Decimal:
    return Decimal("".join(f"{value:0{digits}d}" for value in reversed(coefficients)))


def _unpacked(number: Decimal, digits: int) -> list[int]:
    text = format(number, "f")
    ends = range(len(text), 0, -digits)
    return [int(text[max(0, end - digits) : end]) for end in ends]
