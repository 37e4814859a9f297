"""Einsum of two tensors as a product of stacks of matrices."""

from __future__ import annotations

from math import prod

from instances.files.errors import fail, quoted
from instances.importers.onnx.facts import Operation
from instances.importers.onnx.walk import Walk
from instances.importers.products import Factor, Sizes, product


def einsum(walk: Walk, operation: Operation) -> None:
    """Einsum: axes of both and of the result are the batch, of both alone are summed over."""
    equation = str(operation.attributes.get("equation", "")).replace(" ", "")
    shapes = [walk.shape(name, operation) for name in operation.inputs]
    given, _, made = equation.partition("->")
    terms = given.split(",")
    if "." in given:
        terms, made = _without_dots(terms, made, [len(shape) for shape in shapes])
    if "->" not in equation:
        letters = "".join(terms)
        made = "".join(sorted(own for own in set(letters) if letters.count(own) == 1))
    fit = len(terms) == len(shapes) and all(map(_fits, terms, shapes))
    if not fit or len(terms) > 2:
        fail(
            walk.source,
            f"{operation.shown}: found the equation {quoted(equation)}, expected one of one or two"
            " tensors without repeated axes",
        )
    if len(terms) == 1:
        walk.join(operation.outputs[0], operation.inputs)
        return
    left, right = (
        dict(zip(own, shape, strict=True)) for own, shape in zip(terms, shapes, strict=True)
    )
    sizes = Sizes(
        prod(left[own] for own in left if own in right and own in made),
        prod(left[own] for own in left if own not in right and own in made),
        prod(left[own] for own in left if own in right and own not in made),
        prod(right[own] for own in right if own not in left and own in made),
    )
    factors = [Factor(walk.of(name), walk.weight(name)) for name in operation.inputs]
    name = walk.claim(operation.name)
    values = product(walk.graph, name, factors[0], factors[1], sizes) if prod(sizes) else ()
    walk.values[operation.outputs[0]] = values


def _fits(term: str, shape: tuple[int, ...]) -> bool:
    return len(term) == len(shape) == len(set(term))


def _without_dots(terms: list[str], made: str, ranks: list[int]) -> tuple[list[str], str]:
    """Axes that '...' stands for, with letters of their own; the last ones match."""
    spare = "".join(chr(own) for own in range(0x3B1, 0x3B1 + 25))
    most, found = 0, []
    for term, rank in zip(terms, ranks, strict=False):
        count = max(0, rank - len(term) + 3) if "..." in term else 0
        most = max(most, count)
        found.append(term.replace("...", spare[len(spare) - count :] if count else ""))
    return found, made.replace("...", spare[len(spare) - most :] if most else "")
