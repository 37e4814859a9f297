"""Graphs of operators in JSON files, in the format of Tarnawski et al.'s public package.

    {"maxSizePerFPGA": 17e9, "maxFPGAs": 3, "maxCPUs": 1,
     "nodes": [{"id": 0, "supportedOnFpga": true, "cpuLatency": 12.5, "fpgaLatency": 1.25,
                "isBackwardNode": false, "colorClass": 3, "size": 4096.0}, ...],
     "edges": [{"sourceId": 0, "destId": 1, "cost": 0.5}, ...]}

`colorClass` may be absent or null; true and false may be 1 and 0. A node's `name`, and other keys,
are debug information; `name` is kept. `fpgaLatency` may be absent or null where
`supportedOnFpga` is false. All edges out of one node have the same cost. Where several
edges join the same nodes, one counts. Times become whole ticks, as fine as their sum allows: with
12 digits behind the point at most, or where the sum is below 1, with 12 digits of it. Sizes become
whole bytes, rounded up, and the memory, rounded down.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from math import ceil, floor, isclose, log10
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from instances.files.errors import Problems, fail
from instances.files.schema import Items, validate
from instances.files.text import read_data, write_data
from instances.graph import LIMIT, Node, OperatorGraph

KEYS = frozenset({"nodes", "edges"})
"""What tells a graph's file from others."""

MAX_NODES = 20_000
MAX_EDGES = 200_000
MAX_DEVICES = 1_000
DIGITS = 12
"""Of a tick behind the point, at most, where the sum of all times is 1 or more."""

MOST_SMALLER = 250
"""Powers of ten by which the sum may be below 1 and its times still have as many digits."""

SAME = 1e-9
"""Costs of two edges differ by no more, relatively, where they are meant to be the same."""

Amount = Annotated[float, Field(ge=0, lt=1e15, allow_inf_nan=False, strict=True)]
Id = Annotated[int, Field(ge=-(2**63), lt=2**63, strict=True)]
Devices = Annotated[int, Field(ge=0, le=MAX_DEVICES, strict=True)]
Flag = Literal[True, False, 1, 0]


class _Open(BaseModel):
    """A mapping with keys that are not read."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class NodeModel(_Open):
    """One entry of `nodes`."""

    id: Id
    name: Any = None
    supported: Flag = Field(alias="supportedOnFpga")
    cpu: Amount = Field(alias="cpuLatency")
    accelerator: Amount | None = Field(default=None, alias="fpgaLatency")
    backward: Flag = Field(default=False, alias="isBackwardNode")
    color: Id | None = Field(default=None, alias="colorClass")
    size: Amount = 0.0


class EdgeModel(_Open):
    """One entry of `edges`."""

    source: Id = Field(alias="sourceId")
    destination: Id = Field(alias="destId")
    cost: Amount


class GraphModel(_Open):
    """A graph's file."""

    memory: Amount = Field(alias="maxSizePerFPGA")
    accelerators: Devices = Field(alias="maxFPGAs")
    cpus: Devices = Field(alias="maxCPUs")
    nodes: Annotated[Items[NodeModel], Field(min_length=1, max_length=MAX_NODES)]
    edges: Annotated[Items[EdgeModel], Field(max_length=MAX_EDGES)]


def read_graph(path: str | Path) -> OperatorGraph:
    """Read a graph.

    Raises:
        FileError: the file holds none.
    """
    return graph_from_data(read_data(path), str(path), Path(path).stem)


def graph_from_data(data: object, source: str, name: str) -> OperatorGraph:
    """A graph from plain data; `source` stands in messages, `name` becomes the graph's.

    Raises:
        FileError: the data hold no graph.
    """
    problems = Problems(source, data)
    model = validate(GraphModel, data, problems)
    _check_nodes(model.nodes, problems)
    places = {node.id: place for place, node in enumerate(model.nodes)}
    transfers = _transfers(model, places, problems)
    problems.stop_if_any()
    digits = _digits(model, transfers)
    nodes = tuple(
        Node(
            id=node.id,
            name=str(node.id) if node.name is None else str(node.name),
            accelerator=_ticks(node.accelerator or 0, digits) if node.supported else None,
            cpu=_ticks(node.cpu, digits),
            transfer=_ticks(transfers.get(place, 0.0), digits),
            size=ceil(node.size),
            backward=bool(node.backward),
            color=node.color,
        )
        for place, node in enumerate(model.nodes)
    )
    edges = dict.fromkeys((places[edge.source], places[edge.destination]) for edge in model.edges)
    memory = floor(model.memory)
    try:
        return OperatorGraph(
            name, nodes, tuple(edges), model.accelerators, model.cpus, memory, digits
        )
    except ValueError as error:
        fail(source, str(error).removeprefix(f"graph {name!r}: "))


def write_graph(graph: OperatorGraph, path: str | Path) -> None:
    """Write a graph's file.

    Raises:
        FileError: unknown suffix, or the file system refuses.
    """
    write_data(graph_to_data(graph), path)


def graph_to_data(graph: OperatorGraph) -> dict[str, Any]:
    """The graph as plain data, as its file has them."""
    ids = [node.id for node in graph.nodes]
    return {
        "maxSizePerFPGA": graph.memory,
        "maxFPGAs": graph.accelerators,
        "maxCPUs": graph.cpus,
        "nodes": [
            {
                "id": node.id,
                "name": node.name,
                "supportedOnFpga": node.accelerator is not None,
                "cpuLatency": graph.time(node.cpu),
                "fpgaLatency": graph.time(node.accelerator or 0),
                "isBackwardNode": node.backward,
                "colorClass": node.color,
                "size": node.size,
            }
            for node in graph.nodes
        ],
        "edges": [
            {"sourceId": ids[u], "destId": ids[v], "cost": graph.time(graph.nodes[u].transfer)}
            for u, v in graph.edges
        ],
    }


def _check_nodes(nodes: Iterable[NodeModel], problems: Problems) -> None:
    """Note ids that stand twice, and times that are missing."""
    first: dict[int, int] = {}
    for place, node in enumerate(nodes):
        if node.id in first:
            other = f"nodes[{first[node.id]}] has it, too"
            problems.mismatch(("nodes", place, "id"), str(node.id), f"an id of its own: {other}")
        first.setdefault(node.id, place)
        if node.supported and node.accelerator is None:
            expected = "a time, as supportedOnFpga is true"
            problems.mismatch(("nodes", place, "fpgaLatency"), "nothing", expected)


def _transfers(model: GraphModel, places: dict[int, int], problems: Problems) -> dict[int, float]:
    """The time to move the output of each node that is read, by its place."""
    found: dict[int, float] = {}
    for number, edge in enumerate(model.edges):
        for key, end in (("sourceId", edge.source), ("destId", edge.destination)):
            if end not in places:
                problems.mismatch(("edges", number, key), str(end), "the id of a node")
        source = places.get(edge.source)
        if source is None:
            continue
        before = found.setdefault(source, edge.cost)
        if not isclose(before, edge.cost, rel_tol=SAME):
            expected = f"{before:g}, as on another edge out of node {edge.source}"
            problems.mismatch(("edges", number, "cost"), f"{edge.cost:g}", expected)
        found[source] = max(before, edge.cost)
    return found


def _digits(model: GraphModel, transfers: dict[int, float]) -> int:
    """How fine a tick can be, so that no sum of times reaches LIMIT."""
    own = sum(max(node.cpu, node.accelerator or 0) for node in model.nodes)
    total = own + 2 * sum(transfers.values())
    rounding = 3 * len(model.nodes)
    # Times in a large unit, hours perhaps, are as fine as others.
    digits = DIGITS - max(-MOST_SMALLER, min(0, floor(log10(total)))) if total else DIGITS
    while digits > -DIGITS and total * 10.0**digits + rounding >= LIMIT / 2:
        digits -= 1
    return digits


def _ticks(time: float, digits: int) -> int:
    """A time in whole ticks; the decimal digits of the file count, not their binary double."""
    return int(Decimal(repr(time)).scaleb(digits).to_integral_value(ROUND_HALF_EVEN))
