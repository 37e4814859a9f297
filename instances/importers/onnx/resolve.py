"""Every shape of a model, in one pass over its nodes.

Nodes come in an order in which each finds what it reads, so one pass reaches the fixpoint: what a
node makes is inferred from the shapes and the known numbers of what it reads; if it is small and
made of known numbers, it is computed and known itself; an `If` whose condition is known gives way
to the branch taken.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, MutableMapping
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from instances.files.errors import fail, quoted
from instances.importers.onnx import foreign
from instances.importers.onnx.binding import Bound
from instances.importers.onnx.facts import Array, Dims, Facts, Operation
from instances.importers.onnx.fold import FOLDED, STRING, UNSIZED, Folder
from instances.importers.onnx.foreign import FLOATS
from instances.importers.onnx.inference import Inference
from instances.importers.onnx.model_file import MAX_ELEMENTS, SMALL
from instances.importers.onnx.order import captured, in_order, shown
from instances.importers.onnx.protos import (
    LISTS,
    measured,
    number,
    operation_of,
    renamed,
    shape_of,
    tensor_type,
    type_of,
    value_of,
)

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, TypeProto

Scope = MutableMapping[str, str]
"""From names in a graph to names that are unique in the model."""

HELD = frozenset({"Loop", "Scan", "SequenceMap"})
"""Operators that run a graph inside them as often as the data say."""


MAX_SOURCES = 4
"""Learned tensors that are traced to what is computed from them."""

MAX_KEPT = 2**22
"""Numbers that are known at once, in all tensors together."""


class Resolver:
    """Walks through a model and gathers the facts.

    Attributes:
        facts: found so far.
    """

    def __init__(self, model: ModelProto, bound: Bound, source: str) -> None:
        self.facts = Facts()
        self._model, self._bound, self._source = model, bound, source
        self._inference, self._folder = Inference(model, source), Folder(model)
        self._types: dict[str, TypeProto] = {}
        self._taken: set[str] = set()
        self._kept = 0

    def run(self) -> Facts:
        """All facts of the model.

        Raises:
            FileError: shapes that contradict each other, or an `If` that cannot be decided.
        """
        scope: Scope = {}
        graph = self._model.graph
        self._hold(graph, scope)
        kinds = {own.name: own.type.tensor_type.elem_type for own in graph.input}
        for name, shape in self._bound.shapes.items():
            scope[name] = self._claim(name)
            self._set_shape(name, kinds[name], shape)
        for name, value in self._bound.values.items():
            shape, kind = self._bound.shapes[name], self._types[name].tensor_type.elem_type
            self._know(name, number(value, kind, shape))
        for own in graph.input:
            if own.name not in scope:
                scope[own.name] = self._claim(own.name)
                self._types[own.name] = own.type
        self.facts.inputs = [
            scope[own.name]
            for own in graph.input
            if scope[own.name] not in self.facts.constants and own.name not in self._bound.values
        ]
        self._walk(graph, scope)
        self.facts.results = [scope[own.name] for own in graph.output]
        return self.facts

    def _walk(self, graph: GraphProto, scope: Scope) -> None:
        declared = {own.name: own.type for own in (*graph.value_info, *graph.output)}
        for node in in_order(graph, scope, self._source):
            if not any(node.output):
                continue
            for name in node.output:
                if name:
                    scope[name] = self._claim(name)
            self._node(node, scope)
            for name in node.output:
                if name in declared and scope[name] not in self.facts.shapes:
                    self._declare(scope[name], declared[name])

    def _claim(self, name: str) -> str:
        """A name that nothing else in the model has."""
        own, number = name, 2
        while own in self._taken:
            own, number = f"{name}#{number}", number + 1
        self._taken.add(own)
        return own

    def _hold(self, graph: GraphProto, scope: Scope) -> None:
        """The initializers of a graph."""
        for tensor in graph.initializer:
            scope[tensor.name] = self._claim(tensor.name)
            self._constant(scope[tensor.name], tensor)
        for sparse in graph.sparse_initializer:
            name = scope[sparse.values.name] = self._claim(sparse.values.name)
            self._set_shape(name, sparse.values.data_type, tuple(sparse.dims))
            self.facts.constants.add(name)

    def _constant(self, name: str, tensor: TensorProto) -> None:
        """A tensor of the file; its numbers are known if they are few and there."""
        from onnx import numpy_helper

        self._set_shape(name, tensor.data_type, tuple(tensor.dims))
        self.facts.constants.add(name)
        if tensor.data_type in FLOATS:
            self.facts.sources[name] = (name,)
        if prod(tensor.dims) <= SMALL and tensor.data_type != STRING:
            try:
                self._know(name, numpy_helper.to_array(tensor))
            except Exception:  # its data are elsewhere, or not in the file
                return

    def _know(self, name: str, value: Array) -> None:
        """Keep the numbers of a tensor, unless that would become too much in the end."""
        self._kept += value.size
        if self._kept <= MAX_KEPT:
            self.facts.known[name] = value
        self.facts.constants.add(name)

    def _set_shape(self, name: str, kind: int, shape: Dims) -> None:
        self._types[name] = tensor_type(kind, shape)
        self._shape_known(name, shape)

    def _shape_known(self, name: str, shape: Dims) -> None:
        if min(shape, default=0) < 0 or prod(shape) > MAX_ELEMENTS:
            sizes = " x ".join(map(str, shape[:8]))
            fail(self._source, f"tensor {quoted(name)}: found a shape of {sizes}")
        self.facts.shapes[name] = shape

    def _declare(self, name: str, kind: TypeProto) -> None:
        """What the file says of a tensor whose shape could not be inferred."""
        sizes = [
            self._bound.sizes.get(dim.dim_param, dim.dim_value) if dim.dim_param else dim.dim_value
            for dim in kind.tensor_type.shape.dim
        ]
        if kind.tensor_type.HasField("shape") and all(size > 0 for size in sizes):
            self._set_shape(name, kind.tensor_type.elem_type, tuple(sizes))

    def _node(self, node: NodeProto, scope: Scope) -> None:
        if node.op_type == "Constant" and node.output[0]:
            self._constant_node(node, scope[node.output[0]])
        elif node.op_type == "If":
            self._if(node, scope)
        elif node.op_type in HELD:
            self._held(node, scope)
        else:
            self._plain(renamed(node, scope))

    def _constant_node(self, node: NodeProto, name: str) -> None:
        for attribute in node.attribute:
            if attribute.name == "value":
                self._constant(name, attribute.t)
            elif attribute.name == "sparse_value":
                self._set_shape(
                    name, attribute.sparse_tensor.values.data_type, attribute.sparse_tensor.dims
                )
            elif attribute.name in LISTS:
                value: Array = np.array(value_of(attribute), LISTS[attribute.name])
                self._know(name, value)
                self._types[name] = type_of(value)
                self._shape_known(name, value.shape)
        self.facts.constants.add(name)

    def _plain(self, node: NodeProto) -> None:
        """A node without a graph inside, under the names of the model."""
        facts = self.facts
        given = [name for name in node.input if name]
        constant = all(name in facts.constants for name in given)
        found = self._infer(node)
        for name, kind in found.items():
            self._types[name] = kind
            shape = shape_of(kind)
            if shape is not None:
                self._shape_known(name, shape)
        for name, value in self._computed(node).items():
            self._know(name, value)
            if name not in facts.shapes:
                self._types[name] = type_of(value)
                self._shape_known(name, value.shape)
        made = [name for name in node.output if name]
        if constant:
            facts.constants.update(made)
            self._trace(node, made)
        elif not all(name in facts.known for name in made):
            facts.operations.append(operation_of(node))

    def _trace(self, node: NodeProto, made: list[str]) -> None:
        """From which learned tensors a constant is computed."""
        known = self.facts.sources
        if node.op_type == "DequantizeLinear":
            given = [node.input[0]]  # the scale is not learned, but the whole numbers are
            found = {own: None for name in given for own in known.get(name, (name,))}
        else:
            found = {own: None for name in node.input for own in known.get(name, ())}
        for name in made:
            kind = self._types.get(name)
            if kind is not None and kind.tensor_type.elem_type in FLOATS:
                known[name] = tuple(found)[:MAX_SOURCES] or (name,)

    def _infer(self, node: NodeProto) -> Mapping[str, TypeProto]:
        found = self._inference.node(node, self._types, self.facts.known)
        if found is not None:
            return found
        own = operation_of(node)
        shapes, warning = foreign.shapes(own, self.facts)
        if warning:
            self.facts.warnings.setdefault(warning, []).append(own.name)
        kind = foreign.element_type(
            own,
            [self._types[name].tensor_type.elem_type for name in own.inputs if name in self._types],
        )
        return {
            name: tensor_type(kind, shape)
            for name, shape in zip(node.output, shapes, strict=False)
            if name and shape is not None
        }

    def _computed(self, node: NodeProto) -> Mapping[str, Array]:
        """What a node makes, if all of it is small and can be told."""
        facts, kind = self.facts, node.op_type
        if kind in ("Shape", "Size") and node.input and node.input[0] in facts.shapes:
            return {node.output[0]: measured(node, facts.shapes[node.input[0]])}
        if kind not in FOLDED or node.domain not in ("", "ai.onnx"):
            return {}
        given = [facts.known.get(name) for name in node.input]
        if any(name and value is None for name, value in zip(node.input, given, strict=True)):
            return {}
        made = [facts.shapes.get(name) for name in node.output if name]
        if kind not in UNSIZED and any(shape is None or prod(shape) > SMALL for shape in made):
            return {}
        if sum(0 if value is None else value.size for value in given) > 4 * SMALL:
            return {}
        found = self._folder.fold(node, given)
        if found is None or any(value.size > SMALL for value in found):
            return {}
        return dict(zip(node.output, found, strict=False))

    def _if(self, node: NodeProto, scope: Scope) -> None:
        """Put the branch that is taken in the place of an `If`."""
        if not any(node.input):
            fail(self._source, f"{shown(node)}: it has no condition")
        condition = self.facts.known.get(scope[node.input[0]])
        branches = {own.name: own.g for own in node.attribute if own.HasField("g")}
        if condition is None and not foreign.compute_inside(node):
            self._held(node, scope)
            return
        if condition is None or condition.size != 1 or len(branches) != 2:
            fail(
                self._source,
                f"{shown(node)}: its condition {quoted(node.input[0])} depends on data, so that it"
                f" is not known which branch runs{self._hint()}",
            )
        branch = branches.get("then_branch" if condition.item() else "else_branch")
        if branch is None or len(branch.output) != len(node.output):
            fail(self._source, f"{shown(node)}: its branches do not fit its outputs")
        inside: Scope = ChainMap({}, scope)
        self._hold(branch, inside)
        self._walk(branch, inside)
        for name, own in zip(node.output, branch.output, strict=True):
            if name:
                scope[name] = inside[own.name]

    def _hint(self) -> str:
        """How to say the value of an input on which a condition may depend."""
        from instances.importers.onnx.binding import numbers

        names = [name for name in numbers(self._model) if name not in self._bound.values]
        return f": give the value of input {quoted(names[0])}, --dim {names[0]}=N" if names else ""

    def _held(self, node: NodeProto, scope: Scope) -> None:
        """What runs as the data say: fused, with the shapes that the file declares, if any."""
        inner = foreign.compute_inside(node)
        if inner:
            fail(
                self._source,
                f"{shown(node)} holds a layer ({inner}), which runs as often as the data say:"
                " export the model with this loop unrolled",
            )
        names = dict.fromkeys(scope[name] for name in node.input if name)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                names |= {scope[own]: None for own in captured(attribute.g) if own in scope}
        made = tuple(scope[name] if name else "" for name in node.output)
        name = node.name or next((own for own in made if own), "")
        self.facts.operations.append(Operation(name, node.op_type, tuple(names), made))
