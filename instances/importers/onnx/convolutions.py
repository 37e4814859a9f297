"""Convolutions as layers: of one to three dimensions, transposed, grouped, of whole numbers."""

from __future__ import annotations

from math import prod

from instances.files.errors import fail
from instances.importers.graph import Reading
from instances.importers.onnx.facts import Dims, Operation
from instances.importers.onnx.walk import Walk, channels_first
from instances.network import Layer

VOLUME = "a convolution of volumes counts depth and height together as rows"
DILATED = "a dilated kernel counts as a dense one of as many weights, whose tiles share less"
MOVING = "a convolution whose kernel is computed counts it as a weight that is read as well"
SEVERAL = "convolutions read several samples at once: they count as rows of one sample"


def convolution(walk: Walk, operation: Operation) -> None:
    """Conv and ConvTranspose, also with an addend as fourth input, and DeformConv."""
    transposed = operation.kind == "ConvTranspose"
    x, w, groups = _sizes(walk, operation)
    made = walk.shape(operation.outputs[0], operation)
    if prod((*x, *w)) and not prod(made):
        fail(walk.source, f"{operation.shown}: its kernel is larger than what it reads")
    if not prod(made):
        walk.values[operation.outputs[0]] = ()
        return
    _note(walk, operation, x, w)
    points = groups * prod(w[2:]) == 1 and prod((x[0], *x[2:])) == prod((made[0], *made[2:])) == 1
    layer = Layer(
        walk.claim(operation.name),
        "deconv" if transposed else "fc" if points else "conv",
        made[1],
        x[1],
        channels_first(x if transposed else made)[1:],
        channels_first((1, 1, *w[2:]))[1:],
        channels_first((1, 1, *_list(operation, "strides", len(w) - 2)))[1:],
        groups,
    )
    reads = Reading(walk.of(operation.input(0)), channels_first(x))
    values = walk.graph.layer(
        layer, reads, channels_first(made), weight=walk.weight(operation.input(1))
    )
    bias = operation.input(3 if operation.kind == "DeformConv" else 2)
    others = [name for name in operation.inputs[1:] if not walk.is_constant(name)]
    walk.finish(operation, values, others, walk.learned(bias))


def _sizes(walk: Walk, operation: Operation) -> tuple[Dims, Dims, int]:
    """Shapes of the data and of the kernel, and the groups."""
    x, w = (walk.shape(operation.input(place), operation) for place in (0, 1))
    if not 3 <= len(x) <= 5 or len(x) != len(w):
        fail(
            walk.source,
            f"{operation.shown}: found {len(x)} axes of data and {len(w)} of its kernel, expected 3"
            " to 5 of both",
        )
    groups = operation.number("group", 1)
    depth = w[0] if operation.kind == "ConvTranspose" else w[1] * groups
    if groups < 1 or depth != x[1] or w[0] % groups:
        fail(
            walk.source,
            f"{operation.shown}: found {x[1]} channels of data, but {groups} groups of a kernel of"
            f" {'x'.join(map(str, w))}",
        )
    return x, w, groups


def _note(walk: Walk, operation: Operation, x: Dims, w: Dims) -> None:
    """Warn of what a layer cannot say."""
    if len(w) == 5:
        walk.warn(VOLUME, operation)
    if x[0] > 1:
        walk.warn(SEVERAL, operation)
    if max(_list(operation, "dilations", len(w) - 2)) > 1:
        walk.warn(DILATED, operation)
    if not walk.is_constant(operation.input(1)):
        walk.warn(MOVING, operation)


def _list(operation: Operation, name: str, count: int) -> Dims:
    """An attribute of one number a dimension, 1 by default."""
    found = operation.attributes.get(name)
    return tuple(found) if isinstance(found, tuple) and len(found) == count else (1,) * count
