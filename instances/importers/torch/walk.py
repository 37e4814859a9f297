"""Through the nodes of an exported graph, in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from instances.importers.graph import ImportedGraph
from instances.importers.torch.operators import LAYERS, REFUSED
from instances.importers.torch.tensors import Known, Model, shape_of, sizes
from instances.network import Network

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import Node

MOVES = frozenset(
    {
        "_to_copy",
        "_unsafe_view",
        "alias",
        "clone",
        "contiguous",
        "detach",
        "expand",
        "flip",
        "permute",
        "repeat",
        "reshape",
        "squeeze",
        "t",
        "transpose",
        "unsqueeze",
        "view",
    }
)
"""Operators that only move, repeat or convert data: the tensor stays the same."""

CONCATENATIONS = frozenset({"cat", "stack"})


def walk(program: ExportedProgram, name: str) -> Network:
    """The network of an exported program.

    Raises:
        ValueError: it has an operator that cannot be stated as layers, or no compute layer.
    """
    model = Model(ImportedGraph(name))
    results: list[Any] = []
    constants = _constants(program)
    for node in program.graph.nodes:
        if node.op == "placeholder":
            model.known[node] = _placeholder(model, node, constants)
        elif node.op == "get_attr":
            model.known[node] = Known(key=str(node.target))
        elif node.op == "call_function":
            model.known[node] = _call(model, node)
        else:
            (results,) = node.args
    if not model.graph.has_layers:
        raise ValueError(f"{name}: found no convolution and no matrix product with an input")
    left = _results(program, results)
    return model.graph.network(*(model.of(node).values for node in left))


def _constants(program: ExportedProgram) -> Mapping[str, tuple[str, bool]]:
    """Placeholders that stand for tensors of the module: their names there, whether learned."""
    return {
        spec.arg.name: (str(spec.target), spec.kind.name == "PARAMETER")
        for spec in program.graph_signature.input_specs
        if spec.kind.name != "USER_INPUT" and hasattr(spec.arg, "name")
    }


def _results(program: ExportedProgram, results: Iterable[Any]) -> list[Any]:
    """Of what the graph returns, that which the module does; buffers are updated, too."""
    specs = program.graph_signature.output_specs
    kinds = [spec.kind.name for spec in specs]
    return [node for node, kind in zip(results, kinds, strict=True) if kind == "USER_OUTPUT"]


def _placeholder(model: Model, node: Node, constants: Mapping[str, tuple[str, bool]]) -> Known:
    if node.name in constants:
        key, learned = constants[node.name]
        elements = prod(sizes(node)) if "val" in node.meta else 0
        return Known((), key, elements, {key: elements} if learned else {})
    if not hasattr(node.meta.get("val"), "shape") or not prod(sizes(node)):
        return Known()
    return Known(model.graph.input(model.unique(node.name), shape_of(node)))


def _call(model: Model, node: Node) -> Known:
    """What a node makes, if it is several tensors all of them."""
    operator = _name(node)
    if operator in REFUSED or getattr(node.target, "namespace", "") == "higher_order":
        raise ValueError(
            f"{node.name}: found the operator {node.target}, which cannot be stated as layers:"
            " import the parts before and after it"
        )
    if operator in MOVES:
        return model.of(node.args[0])
    made = LAYERS[operator](model, node) if operator in LAYERS else ()
    if made:
        return Known(made)
    source: Any = node
    if operator == "getitem" and _name(node.args[0]) not in LAYERS:
        source = node.args[0]  # an operator of several results, each of which is fused by itself
    known = [model.of(argument) for argument in source.all_input_nodes]
    parameters = {key: n for one in known for key, n in one.parameters.items()}
    if not any(one.values for one in known):
        return Known(parameters=parameters)
    if not hasattr(node.meta.get("val"), "shape") or not prod(sizes(node)):
        return Known()
    name, shape = model.unique(node.name), shape_of(node)
    if operator in CONCATENATIONS and all(one.values for one in known):
        pieces = [model.of(piece).values for piece in node.args[0]]
        return Known(model.graph.concat(name, pieces, shape))
    return Known(model.graph.join(name, [one.values for one in known], shape, parameters))


def _name(node: Any) -> str:
    """Of a node's operator, without its overload."""
    return str(getattr(node.target, "_opname", None) or getattr(node.target, "__name__", ""))
