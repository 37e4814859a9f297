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

from instances.importers.onnx.facts import words

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

Array = NDArray[Any]

FOLDED = words(
    """
    Abs Add And Cast CastLike Ceil Clip Compress Concat ConstantOfShape CumSum Div Equal
    Expand Flatten Floor Gather GatherElements GatherND Greater GreaterOrEqual Identity Less
    LessOrEqual Max Min Mod Mul Neg NonZero Not Or Pad Pow Range Reciprocal ReduceMax
    ReduceMin ReduceProd ReduceSum Reshape Round ScatterElements ScatterND Sign Slice Split
    Sqrt Squeeze Sub Sum Tile Transpose Trilu Unsqueeze Where Xor
    """
)
"""Operators that are evaluated."""

UNSIZED = frozenset({"NonZero", "Compress"})
"""Those that make no more than their rank times what they read, though not known how much."""

STRING = 8
"""The type of texts (TensorProto.STRING)."""


class Folder:
    """Evaluates nodes of one model; like nodes share an evaluator."""

    def __init__(self, model: ModelProto) -> None:
        self._opsets = list(model.opset_import)
        self._evaluators: dict[tuple[object, ...], Any] = {}

    def fold(self, node: NodeProto, values: Sequence[Array | None]) -> list[Array] | None:
        """What a node makes of known values; None if it cannot be told.

        Args:
            node: whose operator is one of FOLDED.
            values: what it reads, None for what it leaves out.
        """
        given = {f"x{place}": own for place, own in enumerate(values) if own is not None}
        attributes = tuple(own.SerializeToString() for own in node.attribute)
        key = (node.op_type, attributes, tuple(given), len(values), len(node.output))
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                if key not in self._evaluators:
                    self._evaluators[key] = self._evaluator(node, values)
                found = self._evaluators[key].run(None, given)
        except Exception:  # whatever the evaluator makes of attributes that do not fit
            return None
        arrays = [np.asarray(array) for array in found]
        return arrays if all(array.dtype.kind in "biuf" for array in arrays) else None

    def _evaluator(self, node: NodeProto, values: Sequence[Array | None]) -> Any:
        """An evaluator of a node whose tensors are x0, x1, ... and y0, y1, ..."""
        from onnx import NodeProto, TensorProto, helper
        from onnx.reference import ReferenceEvaluator

        names = ["" if own is None else f"x{place}" for place, own in enumerate(values)]
        alone = NodeProto()
        alone.CopyFrom(node)
        alone.input[:] = names
        alone.output[:] = [f"y{place}" for place in range(len(node.output))]
        given, made = (
            [
                helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None)
                for name in own
                if name
            ]
            for own in (names, alone.output)
        )
        graph = helper.make_graph([alone], "fold", given, made)
        return ReferenceEvaluator(helper.make_model(graph, opset_imports=self._opsets))
