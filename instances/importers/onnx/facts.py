"""What is known of a model once its inputs have sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from instances.files.errors import quoted

Dims = tuple[int, ...]
"""A shape as ONNX has it, axis by axis."""

Array = NDArray[Any]


def words(text: str) -> frozenset[str]:
    """Names with spaces between."""
    return frozenset(text.split())


@dataclass(frozen=True)
class Operation:
    """A node whose branches are decided, and whose tensors have names unique in the model.

    Attributes:
        name: of the node, or of what it makes.
        kind: the operator, with its domain in front unless it is one of ONNX itself.
        inputs: tensors read, '' where one is left out.
        outputs: tensors made, '' where one is left out.
        attributes: by name; texts as str.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def input(self, index: int) -> str:
        """The name of an input, '' if it is left out."""
        return self.inputs[index] if 0 <= index < len(self.inputs) else ""

    def number(self, name: str, default: int = 0) -> int:
        """An attribute that is a whole number."""
        value = self.attributes.get(name, default)
        return int(value) if isinstance(value, int | float) else default

    @property
    def shown(self) -> str:
        """The operation in words."""
        return f"node {quoted(self.name)} ({quoted(self.kind)[1:-1]})"


@dataclass
class Facts:
    """What is known of every tensor.

    Attributes:
        shapes: those that are known to the last axis.
        known: small tensors whose numbers are known.
        constants: tensors that depend on no input.
        sources: of each constant, the tensors of floats in the file from which it is computed,
            which training may have made.
        operations: all that depend on inputs, in an order of execution.
        inputs: tensors that enter the model.
        results: tensors that leave the model.
        warnings: what was assumed, and of which nodes.
    """

    shapes: dict[str, Dims] = field(default_factory=dict)
    known: dict[str, Array] = field(default_factory=dict)
    constants: set[str] = field(default_factory=set)
    sources: dict[str, tuple[str, ...]] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    warnings: dict[str, list[str]] = field(default_factory=dict)
