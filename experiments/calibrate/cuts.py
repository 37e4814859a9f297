"""Which tensors of an ONNX model could cross between chiplets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

CONVOLUTIONS = ("Conv", "ConvTranspose")
"""What sums over axis 1."""

PRODUCTS = ("Gemm", "MatMul", "LSTM", "GRU", "RNN")
"""What sums over the last axis of its first input."""

COMPUTE = (*CONVOLUTIONS, *PRODUCTS)

SIZES = ("Shape", "Size")
"""What makes no activation of one."""


@dataclass(frozen=True)
class Cut:
    """A tensor that one compute node, with what is fused behind it, hands on to another.

    Attributes:
        tensor: its name.
        operator: of the first node that reads it.
        axis: of its channels: what that node sums over. -1 is the last.
    """

    tensor: str
    operator: str
    axis: int


def find_cuts(graph: GraphProto) -> tuple[Cut, ...]:
    """The tensors, in the order in which they are first read *(ours)*.

    A tensor is taken if a compute node with constant weights reads it as its input, and if it comes
    from a compute node, directly or through others such as normalisation, activation, pooling or an
    addition. So neither inputs of the model are taken, nor what is made of them before the first
    compute node, nor what only products of two activations read. Nodes inside of loops and
    branches are left alone.
    """
    constant = {tensor.name for tensor in graph.initializer}
    computed: set[str] = set()
    cuts: dict[str, Cut] = {}
    for node in graph.node:
        inputs = {name for name in node.input if name}
        if inputs <= constant and not _random(node):
            constant.update(node.output)
            continue
        cut = _cut(node, constant, computed)
        if cut is not None:
            cuts.setdefault(cut.tensor, cut)
        if node.op_type in COMPUTE or (inputs & computed and node.op_type not in SIZES):
            computed.update(name for name in node.output if name)
    return tuple(cuts.values())


def _cut(node: NodeProto, constant: set[str], computed: set[str]) -> Cut | None:
    """What this node reads, if it is taken."""
    if node.op_type not in COMPUTE or node.domain not in ("", "ai.onnx") or len(node.input) < 2:
        return None
    tensor, weights = node.input[:2]
    if weights not in constant or tensor not in computed:
        return None
    if any(own.name == "transA" and own.i for own in node.attribute):
        return None  # the samples would be summed over
    return Cut(tensor, node.op_type, 1 if node.op_type in CONVOLUTIONS else -1)


def _random(node: NodeProto) -> bool:
    """Whether a node without inputs makes something else each time."""
    return node.op_type.startswith("Random")
