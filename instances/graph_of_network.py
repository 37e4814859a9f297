"""Graphs of operators from networks: per layer or finer, for inference or training *(ours)*.

They are for trying methods on graphs of every size. Times are a roofline: whatever takes longer,
multiply-accumulates or bytes. The machine's numbers are round ones, and no measurement.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod
from typing import Literal

from instances.graph import Node, OperatorGraph
from instances.network import OUTSIDE, Layer, Network

Detail = Literal["layers", "operators"]

ELEMENT = 4
"""Bytes of a number."""

DIGITS = 9
"""Of a tick behind the point of a millisecond."""


@dataclass(frozen=True)
class Machine:
    """What the devices can do.

    Attributes:
        macs: of an accelerator, a millisecond.
        bytes: that an accelerator's memory moves, a millisecond.
        link: bytes between an accelerator and host memory, a millisecond.
        slower: how many times a CPU takes longer.
    """

    macs: int = 5_000_000_000
    bytes: int = 600_000_000
    link: int = 12_000_000
    slower: int = 10


@dataclass
class _Making:
    """A graph while it is made; nodes are forward ones."""

    machine: Machine
    samples: int
    nodes: list[Node] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)

    def add(
        self,
        name: str,
        inputs: list[int],
        macs: int,
        elements: int,
        weights: int,
        color: int | None = None,
    ) -> int:
        """A node that makes `elements` numbers a sample from its inputs; its place."""
        machine = self.machine
        made = ELEMENT * self.samples * elements
        moved = made + ELEMENT * weights
        fast = max(Fraction(self.samples * macs, machine.macs), Fraction(moved, machine.bytes))
        ticks = round(fast * 10**DIGITS)
        self.nodes.append(
            Node(
                id=len(self.nodes),
                name=name,
                accelerator=ticks,
                cpu=machine.slower * ticks,
                transfer=round(Fraction(made or ELEMENT * weights, machine.link) * 10**DIGITS),
                size=made + ELEMENT * weights,
                color=color,
            )
        )
        place = len(self.nodes) - 1
        self.edges += [(before, place) for before in dict.fromkeys(inputs)]
        return place


def graph_of(  # noqa: PLR0913 - all that a graph is made of
    network: Network,
    *,
    detail: Detail = "operators",
    training: bool = False,
    accelerators: int = 4,
    cpus: int = 1,
    room: float = 2.0,
    samples: int = 1,
    machine: Machine | None = None,
) -> OperatorGraph:
    """A network as a graph of operators.

    Args:
        network: what runs.
        detail: a node for each layer; or also one for its weights, in its class, and one each for
            what joins its inputs, adds to its output, and normalises or activates it.
        training: with a backward node for each, in its class, which takes twice as long.
        accelerators, cpus: the devices.
        room: memory of all accelerators together, in multiples of what the graph takes.
        samples: of one run.
        machine: what the devices can do.
    """
    making = _Making(machine or Machine(), samples)
    maker: dict[int, int] = {}
    producers = {tensor.name: tensor.producer for tensor in network.tensors}
    for index, layer in enumerate(network.layers):
        maker[index] = _layer(making, layer, producers, maker, detail)
    nodes, edges = making.nodes, making.edges
    if training:
        nodes, edges = _trained(nodes, edges)
    size = sum(node.size for node in nodes)
    largest = max(sum(nodes[p].size for p in own) for own in _classes(nodes))
    memory = max(largest, round(room * size / max(1, accelerators)))
    kind = "training" if training else "inference"
    name = f"{network.name}-{detail}-{kind}"
    return OperatorGraph(name, tuple(nodes), tuple(edges), accelerators, cpus, memory, DIGITS)


def _layer(
    making: _Making,
    layer: Layer,
    producers: dict[str, int],
    maker: dict[int, int],
    detail: Detail,
) -> int:
    """The nodes of a layer; the place of the last one."""

    def places(tensors: tuple[str, ...]) -> list[int]:
        return [maker[producers[own]] for own in tensors if producers[own] != OUTSIDE]

    made = layer.channels * prod(layer.positions)
    kept = max((prod(shape) for _, shape in layer.outputs), default=made)
    if detail == "layers":
        return making.add(layer.name, places(layer.reads), layer.macs, kept, layer.weights)
    inputs = places((*layer.inputs, *layer.operands))
    if len(layer.inputs) > 1:
        joined = [*places(layer.operands)]
        inputs = [making.add(f"{layer.name}.join", places(layer.inputs), 0, made, 0), *joined]
    color = None
    if layer.weights:
        color = len(making.nodes)
        inputs.append(making.add(f"{layer.name}.weight", [], 0, 0, layer.weights, color))
    last = making.add(layer.name, inputs, layer.macs, made, 0, color)
    last = making.add(f"{layer.name}.norm", [last], 0, made, layer.extra_parameters)
    if layer.addends:
        last = making.add(f"{layer.name}.add", [last, *places(layer.addends)], 0, made, 0)
    return making.add(f"{layer.name}.act", [last], 0, kept, 0)


def _trained(
    nodes: list[Node], edges: list[tuple[int, int]]
) -> tuple[list[Node], list[tuple[int, int]]]:
    """Forward nodes and a backward one for each, the other way round; it reads what it needs."""
    count = len(nodes)
    colored = [
        node if node.color is not None else replace(node, color=count + place)
        for place, node in enumerate(nodes)
    ]
    back = [
        replace(
            node,
            id=count + place,
            name=f"{node.name}.grad",
            accelerator=2 * (node.accelerator or 0),
            cpu=2 * node.cpu,
            backward=True,
        )
        for place, node in enumerate(colored)
    ]
    reversed_edges = [(count + v, count + u) for u, v in edges]
    kept = [(place, count + place) for place in range(count)]
    return colored + back, edges + kept + reversed_edges


def _classes(nodes: list[Node]) -> list[list[int]]:
    found: dict[object, list[int]] = {}
    for place, node in enumerate(nodes):
        key = ("node", place) if node.color is None else node.color
        found.setdefault(key, []).append(place)
    return list(found.values())
