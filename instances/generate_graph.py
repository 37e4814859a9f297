"""Random graphs of operators: small ones, in which all that a graph has may be scarce."""

from __future__ import annotations

import numpy as np

from instances.graph import Node, OperatorGraph


def random_graph(seed: int, *, classes: int = 7, devices: int = 4) -> OperatorGraph:
    """A graph with the devices that it is to be divided among.

    It may be one of training: then most nodes have a backward node in their class, some backward
    nodes have a class of their own, and edges run backward, too. Classes may also join nodes of the
    forward part, memory may be tight, nodes may run on CPUs only, devices may be too few.

    Args:
        seed: of everything.
        classes: the most that are placed by themselves.
        devices: the most of both kinds.
    """
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, classes + 1))
    colors = _colors(rng, count)
    training = bool(rng.random() < 0.4)
    nodes = [_node(rng, place, color) for place, color in enumerate(colors)]
    edges = _edges(rng, len(nodes))
    if training:
        more, back = _backward(rng, nodes, edges)
        nodes, edges = nodes + more, edges | back
    accelerators = int(rng.integers(0, devices + 1))
    cpus = int(rng.integers(0 if accelerators else 1, devices - accelerators + 1))
    sizes = sum(node.size for node in nodes)
    memory = int(sizes * rng.choice([0.25, 0.4, 0.6, 1.0]))
    return OperatorGraph(
        f"random-{seed}", tuple(nodes), tuple(sorted(edges)), accelerators, cpus, memory
    )


def _colors(rng: np.random.Generator, count: int) -> list[int | None]:
    """Classes of forward nodes: up to `count`, of which some have several nodes."""
    colors: list[int | None] = [None if rng.random() < 0.5 else k for k in range(count)]
    for color in [own for own in colors if own is not None]:
        if rng.random() < 0.3:
            colors.insert(int(rng.integers(len(colors) + 1)), color)
    return colors


def _node(rng: np.random.Generator, place: int, color: int | None) -> Node:
    fast = int(rng.integers(0, 10))
    return Node(
        id=10 * place + int(rng.integers(10)),
        name=f"op{place}",
        accelerator=None if rng.random() < 0.1 else fast,
        cpu=int(fast * rng.integers(1, 5) + rng.integers(0, 2)),
        transfer=int(rng.choice([0, 1, 3, 8])),
        size=int(rng.integers(0, 6)),
        color=color,
    )


def _edges(rng: np.random.Generator, count: int) -> set[tuple[int, int]]:
    dense = rng.choice([0.15, 0.35, 0.7])
    return {(u, v) for v in range(count) for u in range(v) if rng.random() < dense}


def _backward(
    rng: np.random.Generator, nodes: list[Node], edges: set[tuple[int, int]]
) -> tuple[list[Node], set[tuple[int, int]]]:
    """Backward nodes, and the edges that they add; nodes that get one get a class, too."""
    found: list[Node] = []
    partner: dict[int, int] = {}
    for place in reversed(range(len(nodes))):
        if rng.random() < 0.8:
            own, color = nodes[place], nodes[place].color
            if color is None:
                color = 100 + place
                nodes[place] = Node(**{**vars(own), "color": color})
            node = _node(rng, len(nodes) + len(found), color if rng.random() < 0.8 else None)
            partner[place] = len(nodes) + len(found)
            found.append(Node(**{**vars(node), "backward": True}))
    back = {(partner[v], partner[u]) for u, v in edges if u in partner and v in partner}
    return found, back | {(place, own) for place, own in partner.items() if rng.random() < 0.7}
