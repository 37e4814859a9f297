"""Graphs of operators, and the devices that they are to be divided among.

The problem is the device placement of Tarnawski et al., "Efficient Algorithms for Device Placement
of DNN Graph Operators" (NeurIPS 2020), as their public package states it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal, get_args

Order = Literal["ordered", "convex", "free"]
"""What divisions of a graph are allowed.

ordered: the devices can be put in an order in which every forward edge goes forward.
convex: no path of forward edges leaves a device and comes back to it.
free: any.
"""

ORDERS: tuple[Order, ...] = get_args(Order)

Kind = Literal["accelerator", "cpu"]

LIMIT = 2**53
"""All times of a graph together are below this, in ticks; so are all sizes, in bytes."""


@dataclass(frozen=True)
class Node:
    """An operator.

    Attributes:
        id: by which edges and files name it.
        name: for people.
        accelerator: its time on an accelerator, in ticks; None where it does not run there.
        cpu: its time on a CPU, in ticks.
        transfer: the time to move its output between an accelerator and host memory, in ticks.
        size: what it takes of an accelerator's memory, bytes.
        backward: whether it belongs to the backward part of training.
        color: nodes of one class share a device; None for a node by itself.
    """

    id: int
    name: str
    accelerator: int | None
    cpu: int
    transfer: int = 0
    size: int = 0
    backward: bool = False
    color: int | None = None


@dataclass(frozen=True)
class OperatorGraph:
    """Operators, what they read, and the devices.

    Attributes:
        name: for tables and files.
        nodes: in any order.
        edges: (source, destination), places in `nodes`, none twice; no cycle among all.
        accelerators, cpus: devices of each kind, at most; all of a kind are alike.
        memory: of an accelerator, bytes.
        digits: a tick is 10^-digits of the file's unit of time.

    Raises:
        ValueError: no node, no device, an edge to no node, two edges of the same nodes, a cycle,
            two nodes of one id, or numbers that are negative or together reach LIMIT.
    """

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]
    accelerators: int
    cpus: int
    memory: int
    digits: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no graph."""
        if not self.nodes:
            raise ValueError(f"graph {self.name!r}: no node")
        if self.accelerators < 0 or self.cpus < 0 or not self.accelerators + self.cpus:
            raise ValueError(f"graph {self.name!r}: no device to run on")
        if len({node.id for node in self.nodes}) < len(self.nodes):
            raise ValueError(f"graph {self.name!r}: two nodes have the same id")
        if len(set(self.edges)) < len(self.edges):
            raise ValueError(f"graph {self.name!r}: two edges join the same nodes")
        for edge in self.edges:
            if not all(0 <= end < len(self.nodes) for end in edge):
                raise ValueError(f"graph {self.name!r}: edge {edge} joins no two nodes")
        self._check_numbers()
        if len(self.topological) < len(self.nodes):
            raise ValueError(f"graph {self.name!r}: a cycle of edges: {self._cycle()}")

    def _check_numbers(self) -> None:
        times, sizes = 0, self.memory
        for node in self.nodes:
            own = (node.accelerator or 0, node.cpu, node.transfer, node.size)
            if min(own) < 0:
                raise ValueError(f"graph {self.name!r}: node {node.id}: a negative number")
            times += max(own[:2]) + 2 * own[2]
            sizes += own[3]
        if max(times, sizes) >= LIMIT or self.memory < 0:
            raise ValueError(
                f"graph {self.name!r}: its times or sizes together are beyond {LIMIT:.1e}, or a"
                " memory is negative"
            )

    @property
    def devices(self) -> int:
        """Of both kinds."""
        return self.accelerators + self.cpus

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Of each device, accelerators first."""
        fast, slow = get_args(Kind)
        return (fast,) * self.accelerators + (slow,) * self.cpus

    def time(self, ticks: float) -> float:
        """Ticks in the file's unit of time."""
        return float(Fraction(ticks) / Fraction(10) ** self.digits)

    @cached_property
    def successors(self) -> tuple[tuple[int, ...], ...]:
        """Of each node, those that read its output."""
        return grouped(self.edges, len(self.nodes))

    @cached_property
    def predecessors(self) -> tuple[tuple[int, ...], ...]:
        """Of each node, those whose output it reads."""
        return grouped(((v, u) for u, v in self.edges), len(self.nodes))

    @cached_property
    def topological(self) -> tuple[int, ...]:
        """Places of nodes, each behind all that it reads; shorter where there is a cycle."""
        missing = [len(before) for before in self.predecessors]
        order = [place for place, count in enumerate(missing) if not count]
        for place in order:
            for reader in self.successors[place]:
                missing[reader] -= 1
                if not missing[reader]:
                    order.append(reader)
        return tuple(order)

    @cached_property
    def forward_edges(self) -> tuple[tuple[int, int], ...]:
        """Those between two nodes of the forward part: they bind the order of devices."""
        backward = [node.backward for node in self.nodes]
        return tuple((u, v) for u, v in self.edges if not backward[u] and not backward[v])

    @cached_property
    def classes(self) -> tuple[tuple[int, ...], ...]:
        """Places of nodes that share a device: each color's, and each node's without one."""
        found: dict[object, list[int]] = {}
        for place, node in enumerate(self.nodes):
            key = ("node", place) if node.color is None else ("color", node.color)
            found.setdefault(key, []).append(place)
        return tuple(map(tuple, found.values()))

    def _cycle(self) -> str:
        """Ids of nodes around a cycle."""
        import networkx as nx

        around = [u for u, _ in nx.find_cycle(nx.DiGraph(self.edges))]
        return shown_path([self.nodes[place].id for place in (*around, around[0])])


def grouped(pairs: Iterable[tuple[int, int]], count: int) -> tuple[tuple[int, ...], ...]:
    """Of each number below `count`, those that stand behind it in pairs, in their order."""
    found: list[list[int]] = [[] for _ in range(count)]
    for key, value in pairs:
        found[key].append(value)
    return tuple(map(tuple, found))


def shown_path(ids: Sequence[int]) -> str:
    """Ids of nodes along a path, the middle left out where there are many."""
    texts = list(map(str, ids))
    if len(texts) > 8:
        texts = [*texts[:4], "...", *texts[-3:]]
    return " -> ".join(texts)
