"""Matrix products of ONNX, of which a shared module makes layers."""

from __future__ import annotations

from math import prod

from instances.files.errors import fail
from instances.importers.onnx.facts import Dims, Operation
from instances.importers.onnx.foreign import swapped
from instances.importers.onnx.walk import Walk
from instances.importers.products import Factor, Sizes, product


def sizes_of(left: Dims, right: Dims) -> Sizes:
    """The sizes of numpy's `matmul` of two shapes.

    Axes that both stacks of matrices have are the batch. Matrices that only one side has all meet
    the same ones of the other: they are further rows on the left, further columns on the right.

    Raises:
        ValueError: the shapes do not fit.
    """
    one = left if len(left) > 1 else (1, *left)
    other = right if len(right) > 1 else (*right, 1)
    rank = max(len(one), len(other))
    above = [(1,) * (rank - len(own)) + own[:-2] for own in (one, other)]
    batch, rows, columns = 1, one[-2], other[-1]
    for a, b in zip(*above, strict=True):
        if a == b:
            batch *= a
        elif b == 1:
            rows *= a
        elif a == 1:
            columns *= b
        else:
            raise ValueError
    if one[-1] != other[-2]:
        raise ValueError
    return Sizes(batch, rows, one[-1], columns)


def matmul(walk: Walk, operation: Operation) -> None:
    """MatMul and Gemm, also with axes swapped before, and with a bias as third input."""
    left, right = (walk.shape(operation.input(place), operation) for place in (0, 1))
    left = swapped(left, operation.number("transA"))
    right = swapped(right, operation.number("transB"))
    multiply(walk, operation, left, right)


def n_bits(walk: Walk, operation: Operation) -> None:
    """MatMulNBits and MatMulBnb4, whose weights are packed."""
    left = walk.shape(operation.input(0), operation)
    multiply(walk, operation, left, (left[-1], operation.number("N")))


def multiply(walk: Walk, operation: Operation, left: Dims, right: Dims) -> None:
    """The layer of a product of the first two inputs, whose shapes are these."""
    try:
        sizes = sizes_of(left, right)
    except (ValueError, IndexError):
        shown = " and ".join("x".join(map(str, own)) or "a number" for own in (left, right))
        fail(walk.source, f"{operation.shown}: a product of {shown} is not possible")
    output, bias = operation.outputs[0], operation.input(2)
    learned = walk.learned(bias)
    if prod(sizes):
        factors = [Factor(walk.of(name), walk.weight(name)) for name in operation.inputs[:2]]
        width = left[-2] if len(left) == 4 and sizes.batch == 1 else 1
        name = walk.claim(operation.name)
        made = product(walk.graph, name, factors[0], factors[1], sizes, width)
        walk.finish(operation, made, (bias,), learned)
    else:
        walk.values[output] = ()
