"""Small tensors that can be computed before any input is there: shapes, and what is made of them.

Only operators that do arithmetic on shapes are evaluated, by the reference evaluator of onnx, and
only if what they read and what they make is small, which is known before they run.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

Array = NDArray[Any]

FOLDED = frozenset(
    """
    Abs Add And Cast CastLike Ceil Clip Compress Concat ConstantOfShape CumSum Div Equal Expand
    Flatten Floor Gather GatherElements GatherND Greater GreaterOrEqual Identity Less LessOrEqual
    Max Min Mod Mul Neg NonZero Not Or Pad Pow Range Reciprocal ReduceMax ReduceMin ReduceProd
    ReduceSum Reshape Round ScatterElements ScatterND Sign Slice Split Sqrt Squeeze Sub Sum Tile
    Transpose Trilu Unsqueeze Where Xor
    """.split()
)
"""Operators that are evaluated."""

UNSIZED = frozenset({"NonZero", "Compress"})
"""Those that make no more than their rank times what they read, though not known how much."""

STRING = 8
"""The type of texts (TensorProto.STRING)."""


def fold(node: NodeProto, values: Sequence[Array | None], model: ModelProto) -> list[Array] | None:
    """What a node makes of known values; None if it cannot be told.

    Args:
        node: whose operator is one of FOLDED.
        values: what it reads, None for what it leaves out.
        model: whose opsets hold.
    """
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    given = {
        name: value for name, value in zip(node.input, values, strict=True) if value is not None
    }
    graph = helper.make_graph(
        [node],
        "fold",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
            )
            for name, value in given.items()
        ],
        [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in node.output],
    )
    alone = helper.make_model(graph, opset_imports=model.opset_import)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = ReferenceEvaluator(alone).run(None, given)
    except Exception:  # whatever the evaluator makes of attributes that do not fit
        return None
    arrays = [np.asarray(array) for array in found]
    return arrays if all(array.dtype.kind in "biuf" for array in arrays) else None
