"""The nodes of a graph in an order in which each finds what it reads."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

from instances.files.errors import closest, fail, quoted

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto


MEANT = 1000
"""Nodes and inputs among whose names one that was meant is looked for."""


def shown(node: NodeProto) -> str:
    """A node in words: its name, or what it makes, and its operator."""
    name = node.name or next((name for name in node.output if name), "")
    return f"node {quoted(name)} ({quoted(node.op_type)[1:-1]})"


def in_order(graph: GraphProto, outside: Container[str], source: str) -> list[NodeProto]:
    """The nodes of a graph, sorted if they are not.

    Args:
        graph: with inputs and initializers of its own.
        outside: names that are known where the graph stands.
        source: in messages.

    Raises:
        FileError: two nodes make one tensor, a node reads what nothing makes, or there is a cycle.
    """
    nodes, makers = list(graph.node), _makers(graph, source)
    _check_reads(graph, makers, outside, source)
    readers: list[list[int]] = [[] for _ in nodes]
    waits = [0] * len(nodes)
    for index, node in enumerate(nodes):
        for name in {name for name in reads(node) if name in makers}:
            readers[makers[name]].append(index)
            waits[index] += 1
    found = [index for index, number in enumerate(waits) if not number]
    for index in found:
        for reader in readers[index]:
            waits[reader] -= 1
            if not waits[reader]:
                found.append(reader)
    if len(found) < len(nodes):
        stuck = next(node for node, number in zip(nodes, waits, strict=True) if number)
        fail(source, f"{shown(stuck)} waits for itself: the graph has a cycle")
    in_file = all(i < reader for i, behind in enumerate(readers) for reader in behind)
    return nodes if in_file else [nodes[index] for index in found]


def _check_reads(
    graph: GraphProto, makers: Container[str], outside: Container[str], source: str
) -> None:
    """Refuse a name that a node or an output reads and that is not there."""
    given = {own.name for own in (*graph.input, *graph.initializer)}
    given |= {own.values.name for own in graph.sparse_initializer}

    def missing(name: str) -> bool:
        return name not in makers and name not in given and name not in outside

    for node in graph.node:
        for name in reads(node):
            if missing(name):
                made = [own for other in graph.node[:MEANT] for own in other.output]
                near = closest(name, [*made, *list(given)[:MEANT]])
                fail(
                    source, f"{shown(node)} reads tensor {quoted(name)}, which nothing makes{near}"
                )
    for own in graph.output:
        if missing(own.name):
            fail(source, f"output {quoted(own.name)} is a tensor that nothing makes")


def _makers(graph: GraphProto, source: str) -> dict[str, int]:
    """Which node makes a tensor."""
    makers: dict[str, int] = {}
    given = {own.name for own in (*graph.input, *graph.initializer)}
    for index, node in enumerate(graph.node):
        for name in node.output:
            if name in given or (name and makers.setdefault(name, index) != index):
                fail(source, f"tensor {quoted(name)} is made twice")
    return makers


def reads(node: NodeProto) -> Iterator[str]:
    """Names that a node reads, those that its branches take from around them included."""
    yield from (name for name in node.input if name)
    for attribute in node.attribute:
        for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else ())):
            yield from captured(graph)


def captured(graph: GraphProto) -> Iterator[str]:
    """Names that a graph inside a node takes from around it."""
    own = {name for node in graph.node for name in node.output}
    own |= {given.name for given in (*graph.input, *graph.initializer)}
    for node in graph.node:
        yield from (name for name in reads(node) if name not in own)
    yield from (given.name for given in graph.output if given.name not in own)
