"""What is no compute layer: fused into the layers that make what it reads."""

from __future__ import annotations

from math import prod

from instances.importers.onnx.facts import Operation, words
from instances.importers.onnx.foreign import MICROSOFT
from instances.importers.onnx.walk import Slot, Walk, laid_out

MAX_PARTS = 256
"""Tensors that stand side by side as one; more of them count as one tensor of the last maker."""

MOVES = words(
    """
    Cast CastLike DequantizeLinear Dropout Expand Flatten Identity QuantizeLinear Reshape
    Squeeze Transpose Unsqueeze
    """
)
"""Operators that move data, or write them otherwise: the tensor stays the same."""

FIRST_ONLY = words(
    """
    ArgMax ArgMin Clip Compress DepthToSpace Gather GatherElements GatherND GridSample Pad
    ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
    ReduceSum ReduceSumSquare Resize Slice SpaceToDepth Split Tile TopK Upsample
    """
)
"""Operators whose data are their first input; the others say how."""

SLOTS: dict[str, frozenset[Slot]] = {
    "Add": frozenset({"shift"}),
    "BatchNormalization": frozenset({"scale", "shift"}),
    "Div": frozenset({"scale"}),
    "Mul": frozenset({"scale"}),
    "Sub": frozenset({"shift"}),
    "Sum": frozenset({"shift"}),
}
"""Operators that multiply or add a number a channel; a chain of them has two numbers in the end."""

LEARNED: dict[str, tuple[int, ...]] = {
    "GroupNormalization": (1, 2),
    "InstanceNormalization": (1, 2),
    "LayerNormalization": (1, 2),
    "PRelu": (1,),
    "RMSNormalization": (1,),
    "SimplifiedLayerNormalization": (1,),
    f"{MICROSOFT}BiasAdd": (1,),
    f"{MICROSOFT}BiasGelu": (1,),
    f"{MICROSOFT}FastGelu": (1,),
    f"{MICROSOFT}SimplifiedLayerNormalization": (1,),
    f"{MICROSOFT}SkipLayerNormalization": (2, 3, 4),
    f"{MICROSOFT}SkipSimplifiedLayerNormalization": (2, 3),
}
"""Other operators with parameters, and which of their inputs these are."""


def fuse(walk: Walk, operation: Operation) -> None:
    """An operation that is no layer."""
    kind = operation.kind
    plain = kind.removeprefix(MICROSOFT)
    if plain in MOVES:
        _move(walk, operation)
    elif kind in ("Gather", f"{MICROSOFT}EmbedLayerNormalization") and _looks_up(walk, operation):
        _look_up(walk, operation)
    elif plain in ("Concat", "QLinearConcat"):
        _concatenate(walk, operation)
    elif kind in SLOTS:
        _scale_and_shift(walk, operation)
    else:
        given = operation.inputs[:1] if plain in FIRST_ONLY else operation.inputs
        for name in operation.outputs:
            if name:
                walk.join(name, given)
        for place in LEARNED.get(kind, ()):
            _charge(walk, operation.outputs[0], operation.input(place))


def _move(walk: Walk, operation: Operation) -> None:
    source, target = operation.input(0), operation.outputs[0]
    walk.values[target] = walk.of(source)
    walk.folded[target] = walk.folded.get(source, frozenset())
    for name in operation.outputs[1:]:
        walk.values[name] = ()


def _concatenate(walk: Walk, operation: Operation) -> None:
    """Tensors side by side; constants among them, such as a class token, are tables."""
    quantised = operation.kind.endswith("QLinearConcat")
    names = operation.inputs[2::3] if quantised else operation.inputs
    output = operation.outputs[0]
    # Those without elements, such as an empty cache, are not there.
    names = tuple(name for name in names if prod(walk.facts.shapes.get(name, (1,))))
    shape = walk.facts.shapes.get(output, ())
    given = [walk.of(name) for name in names]
    if prod(shape) and shape and sum(map(len, given)) <= MAX_PARTS:
        view = laid_out(shape, sum(own.shape[0] for name in names for own in walk.of(name)))
        walk.values[output] = walk.graph.concat(walk.claim(output), given, view)
    else:
        walk.join(output, names)
    for name in names:
        _hold(walk, name)


def _looks_up(walk: Walk, operation: Operation) -> bool:
    tables = operation.inputs[:1] if operation.kind == "Gather" else operation.inputs[2:5]
    return all(walk.is_constant(name) for name in tables if name)


def _look_up(walk: Walk, operation: Operation) -> None:
    """An embedding: what is looked up enters from outside, unless a layer says where to look."""
    tables = operation.inputs[:1] if operation.kind == "Gather" else operation.inputs[2:7]
    output = operation.outputs[0]
    walk.join(output, [name for name in operation.inputs if name not in tables])
    for name in tables:
        _hold(walk, name)


def _hold(walk: Walk, name: str) -> None:
    """A constant of floats that no layer holds."""
    if name in walk.facts.sources:
        walk.graph.join(name, [], (1, 1, 1), walk.learned(name))


def _scale_and_shift(walk: Walk, operation: Operation) -> None:
    """Sums and products; those with a number a channel are counted once if they fold."""
    output = operation.outputs[0]
    given = [name for name in operation.inputs if walk.of(name)]
    constants = [name for name in operation.inputs[:3] if walk.learned(name)]
    walk.join(output, given)
    before = walk.folded.get(given[0], frozenset()) if len(given) == 1 else frozenset()
    slots = SLOTS[operation.kind]
    folding = [name for name in constants if not _is_table(walk, name)]
    for name in constants:
        if name not in folding[len(slots - before) :]:
            _charge(walk, output, name)
    walk.folded[output] = before | (slots if folding else frozenset())


def _charge(walk: Walk, made: str, name: str) -> None:
    """Parameters of a fused operation: numbers of channels, or a table of more than that."""
    if _is_table(walk, name):
        _hold(walk, name)
    elif name in walk.facts.sources and prod(walk.facts.shapes.get(name, ())) > 1:
        walk.charge(made, walk.learned(name))


def _is_table(walk: Walk, name: str) -> bool:
    """Whether a constant has more than a number a channel, as embedded positions have."""
    return sum(size > 1 for size in walk.facts.shapes.get(name, ())) > 1
