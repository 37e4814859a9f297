"""Operators that onnx itself does not know: what they stand for, and the shapes they make.

Those of com.microsoft are what ONNX Runtime writes when it fuses or quantises a model. Which
input is what follows its documentation of contributed operators (docs/ContribOperators.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from instances.importers.onnx.facts import Dims, Facts, Operation, words

if TYPE_CHECKING:
    from onnx import NodeProto

FLOATS = frozenset({1, 10, 11, 16})
"""Types of tensors in which parameters are kept (TensorProto's numbers of them)."""

MICROSOFT = "com.microsoft."

STANDS_FOR: dict[str, tuple[str, tuple[int, ...]]] = {
    "ConvInteger": ("Conv", (0, 1)),
    "QLinearConv": ("Conv", (0, 3, 8)),
    "MatMulInteger": ("MatMul", (0, 1)),
    "QLinearMatMul": ("MatMul", (0, 3)),
    f"{MICROSOFT}FusedConv": ("Conv", (0, 1, 2, 3)),
    f"{MICROSOFT}FusedGemm": ("Gemm", (0, 1, 2)),
    f"{MICROSOFT}GemmFastGelu": ("MatMul", (0, 1, 2)),
    f"{MICROSOFT}QGemm": ("Gemm", (0, 3, 6)),
    f"{MICROSOFT}FusedMatMul": ("MatMul", (0, 1)),
    f"{MICROSOFT}TransposeMatMul": ("MatMul", (0, 1)),
    f"{MICROSOFT}MatMulIntegerToFloat": ("MatMul", (0, 1, 6)),
    f"{MICROSOFT}MatMulInteger16": ("MatMul", (0, 1)),
    f"{MICROSOFT}DynamicQuantizeMatMul": ("MatMul", (0, 1, 4)),
    f"{MICROSOFT}QLinearAdd": ("Add", (0, 3)),
    f"{MICROSOFT}QLinearAveragePool": ("AveragePool", (0,)),
    f"{MICROSOFT}QLinearMul": ("Mul", (0, 3)),
}
"""Operator -> the one of ONNX that it amounts to, and which of its inputs that one reads."""

AS_FIRST = words(
    """
    BiasAdd BiasDropout BiasGelu BiasSoftmax DequantizeLinear DynamicQuantizeLinear FastGelu
    FusedGelu Gelu GroupNorm Inverse LayerNormalization QLinearLeakyRelu
    QLinearSigmoid QLinearSoftmax QuantizeLinear QuickGelu RotaryEmbedding
    SimplifiedLayerNormalization SkipGroupNorm SkipLayerNormalization
    SkipSimplifiedLayerNormalization Trilu
    """
)
"""Operators of com.microsoft whose first output has the shape of their first input."""

LAYERS_INSIDE = words(
    """
    Attention Conv ConvInteger ConvTranspose DeformConv DynamicQuantizeLSTM
    DynamicQuantizeMatMul Einsum FusedConv FusedGemm FusedMatMul GRU Gemm GemmFastGelu
    GroupQueryAttention LSTM MatMul MatMulBnb4 MatMulInteger MatMulIntegerToFloat MatMulNBits
    MultiHeadAttention QAttention QGemm QLinearConv QLinearMatMul RNN
    """
)
"""Operators of any domain that are compute layers."""


def standard(operation: Operation) -> Operation:
    """The operation of ONNX that stands for another, or the operation itself."""
    found = STANDS_FOR.get(operation.kind) or STANDS_FOR.get(MICROSOFT + operation.kind)
    if found is None:
        return operation
    kind, places = found
    inputs = tuple(operation.input(place) for place in places)
    return replace(operation, kind=kind, inputs=inputs)


def compute_inside(node: NodeProto) -> str:
    """A compute layer's operator inside the graphs of a node, '' if there is none."""
    from instances.importers.onnx.model_file import graphs

    for attribute in node.attribute:
        if attribute.HasField("g"):
            for graph in graphs(attribute.g):
                for own in graph.node:
                    if own.op_type in LAYERS_INSIDE:
                        return str(own.op_type)
    return ""


def element_type(operation: Operation, given: Sequence[int]) -> int:
    """The likely type of what an operation makes that onnx does not know.

    Args:
        operation: whose operator is of another domain.
        given: types of what it reads.
    """
    name = operation.kind.rpartition(".")[2]
    if name == "QuantizeLinear" and given:
        return given[-1]
    if name.startswith("QLinear") and given:
        return given[0]
    return next((kind for kind in given if kind in FLOATS), given[0] if given else 1)


def shapes(operation: Operation, facts: Facts) -> tuple[Sequence[Dims | None], str]:
    """Shapes of what an operation makes that onnx does not know.

    Returns:
        a shape for each output, None where it is not known; and what was assumed, '' if nothing.
    """
    kind = operation.kind
    if MICROSOFT + kind in _RULES:
        # Older files name these operators without their domain.
        operation = replace(operation, kind=MICROSOFT + kind)
    given = [facts.shapes.get(name) for name in operation.inputs]
    rest = [None] * (len(operation.outputs) - 1)
    rule = _RULES.get(operation.kind)
    if rule is not None:
        try:
            return rule(operation, given), ""
        except (IndexError, TypeError, ValueError, ZeroDivisionError):
            return [None, *rest], ""
    own = standard(operation)
    if own.kind in ("AveragePool", "Conv", "Gemm") and not own.number("channels_last"):
        return [_inferred(own, facts), *rest], ""
    first = next((shape for shape in given if shape is not None), None)
    if kind.removeprefix(MICROSOFT) in AS_FIRST:
        return [given[0] if given else None, *rest], ""
    if len(operation.outputs) == 1:
        return [first], f"operators {kind} are taken to keep the shape of what they read"
    return [None, *rest], f"operators {kind} are not known: what they make has no known shape"


def _inferred(operation: Operation, facts: Facts) -> Dims | None:
    """What the operation of ONNX would make."""
    from onnx import defs, helper, shape_inference

    allowed = defs.get_schema(operation.kind).attributes
    attributes = {key: own for key, own in operation.attributes.items() if key in allowed}
    inputs = [name for name in operation.inputs[:2] if name]
    node = helper.make_node(operation.kind, inputs, ["made"], **attributes)
    types = {
        name: helper.make_tensor_type_proto(1, facts.shapes[name])
        for name in inputs
        if name in facts.shapes
    }
    if len(types) < len(set(inputs)):
        return None
    try:
        found = shape_inference.infer_node_outputs(defs.get_schema(operation.kind), node, types)
        return tuple(dim.dim_value for dim in found["made"].tensor_type.shape.dim)
    except Exception:  # of onnx: what it reads does not fit
        return None


Given = Sequence[Dims | None]


def _matmul(operation: Operation, given: Given) -> Given:
    """As numpy's `matmul`, where the last two axes may be swapped before."""
    own = standard(operation)
    places = STANDS_FOR[operation.kind][1]
    left, right = (given[place] for place in places[:2])
    if left is None or right is None:
        return [None]
    left, right = swapped(left, own.number("transA")), swapped(right, own.number("transB"))
    batch = np.broadcast_shapes(left[:-2], right[:-2])
    rows = left[-2:-1] if len(left) > 1 else ()
    columns = right[-1:] if len(right) > 1 else ()
    return [(*batch, *rows, *columns)]


def swapped(shape: Dims, wanted: int) -> Dims:
    """A shape with its last two axes swapped, if that is wanted."""
    return (*shape[:-2], shape[-1], shape[-2]) if wanted else shape


def _broadcast(operation: Operation, given: Given) -> Given:
    one, other = (given[place] for place in STANDS_FOR[operation.kind][1])
    shape = None if one is None or other is None else np.broadcast_shapes(one, other)
    return [shape]


def _n_bits(operation: Operation, given: Given) -> Given:
    return [None if given[0] is None else (*given[0][:-1], operation.number("N"))]


def _attention(operation: Operation, given: Given) -> Given:
    """Of one input and the weights of queries, keys and values together."""
    x, weight = given[:2]
    if x is None or weight is None:
        return [None] * len(operation.outputs)
    sizes = operation.attributes.get("qkv_hidden_sizes")
    hidden = sizes[2] if sizes else weight[1] // 3
    return [(*x[:2], hidden), *[None] * (len(operation.outputs) - 1)]


def _heads(operation: Operation, given: Given) -> Given:
    """Of queries, keys and values, of which the last may be one tensor."""
    query, key, value = (*given, None, None)[:3]
    rest: list[Dims | None] = [None] * (len(operation.outputs) - 1)
    if query is None:
        return [None, *rest]
    if len(query) == 5:  # batch, tokens, heads, three, size of a head
        return [(*query[:2], query[2] * query[4]), *rest]
    if value is None or key is None:
        return [query if value is None else None, *rest]
    hidden = value[-1] if len(value) == 3 else value[1] * value[3]
    if operation.kind.endswith("GroupQueryAttention"):
        hidden = query[-1]
    return [(*query[:2], hidden), *rest]


def _embedded(operation: Operation, given: Given) -> Given:
    ids, table = given[0], given[2]
    rest: list[Dims | None] = [None] * (len(operation.outputs) - 1)
    return [None if ids is None or table is None else (*ids, table[1]), *rest]


def _recurrent(operation: Operation, given: Given) -> Given:
    """LSTM whose weights are quantised, and stand the other way round."""
    x, recurrence = given[0], given[2]
    if x is None or recurrence is None:
        return [None] * len(operation.outputs)
    directions, hidden = recurrence[0], recurrence[1]
    last = (directions, x[1], hidden)
    return [(x[0], directions, x[1], hidden), last, last][: len(operation.outputs)]


def _pooled(operation: Operation, given: Given) -> Given:
    """Over all rows and columns."""
    x = given[0]
    if x is None:
        return [None]
    ones = (1,) * (len(x) - 2)
    return [(x[0], *ones, x[-1]) if operation.number("channels_last") else (*x[:2], *ones)]


def _beside(operation: Operation, given: Given) -> Given:
    """Of tensors put side by side, each with its scale and its zero point behind it."""
    parts = given[2::3]
    first = parts[0]
    if first is None or any(part is None for part in parts):
        return [None]
    axis = operation.number("axis") % len(first)
    total = sum(part[axis] for part in parts if part is not None)
    return [(*first[:axis], total, *first[axis + 1 :])]


_RULES: dict[str, Callable[[Operation, Given], Given]] = {
    f"{MICROSOFT}Attention": _attention,
    f"{MICROSOFT}DynamicQuantizeLSTM": _recurrent,
    f"{MICROSOFT}DynamicQuantizeMatMul": _matmul,
    f"{MICROSOFT}EmbedLayerNormalization": _embedded,
    f"{MICROSOFT}FusedMatMul": _matmul,
    f"{MICROSOFT}GemmFastGelu": _matmul,
    f"{MICROSOFT}GroupQueryAttention": _heads,
    f"{MICROSOFT}MatMulBnb4": _n_bits,
    f"{MICROSOFT}MatMulInteger16": _matmul,
    f"{MICROSOFT}MatMulIntegerToFloat": _matmul,
    f"{MICROSOFT}MatMulNBits": _n_bits,
    f"{MICROSOFT}MultiHeadAttention": _heads,
    f"{MICROSOFT}QAttention": _attention,
    f"{MICROSOFT}QLinearAdd": _broadcast,
    f"{MICROSOFT}QLinearConcat": _beside,
    f"{MICROSOFT}QLinearGlobalAveragePool": _pooled,
    f"{MICROSOFT}QLinearMul": _broadcast,
    f"{MICROSOFT}TransposeMatMul": _matmul,
}
