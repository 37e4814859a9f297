"""Functions that a model defines itself: put in place of their calls, if that is not too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instances.files.errors import fail, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onnx import FunctionProto, ModelProto, NodeProto

MAX_DEPTH = 50
"""How deep functions may call each other."""

Key = tuple[str, str, str]
"""Domain, name and overload of a function."""


def inline_functions(model: ModelProto, source: str, most: int) -> None:
    """Put the functions of a model in place of their calls.

    Raises:
        FileError: functions call themselves, too deep, or become more than `most` nodes.
    """
    if not model.functions:
        return
    from onnx import inliner

    functions = {_key(own.domain, own.name, own.overload): own for own in model.functions}
    sizes: dict[Key, int] = {}
    nodes = 0
    for node in model.graph.node:
        nodes += _size(node, functions, sizes, source, ())
        if nodes > most:
            fail(source, f"its functions become more than {most:,} nodes, the most that is read")
    try:
        inlined = inliner.inline_local_functions(model)
    except Exception:  # of onnx: wrong numbers of inputs, missing opsets
        fail(source, "its functions do not fit their calls")
    model.CopyFrom(inlined)


def _key(domain: str, name: str, overload: str) -> Key:
    return ("" if domain == "ai.onnx" else domain, name, overload)


def _size(
    node: NodeProto,
    functions: dict[Key, FunctionProto],
    sizes: dict[Key, int],
    source: str,
    above: tuple[Key, ...],
) -> int:
    """Nodes that a node becomes."""
    key = _key(node.domain, node.op_type, node.overload)
    inside: Iterable[NodeProto] = [
        own
        for attribute in node.attribute
        for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else ()))
        for own in graph.node
    ]
    total = 1 + sum(_size(own, functions, sizes, source, above) for own in inside)
    if key not in functions:
        return total
    if key in above:
        fail(source, f"function {quoted(node.op_type)} calls itself")
    if len(above) >= MAX_DEPTH:
        fail(source, f"functions call each other more than {MAX_DEPTH} deep")
    if key not in sizes:
        body = functions[key].node
        sizes[key] = sum(_size(own, functions, sizes, source, (*above, key)) for own in body)
    return total + sizes[key]
