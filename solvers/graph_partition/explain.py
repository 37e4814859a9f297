"""Why a graph has no division: a CPU takes everything, so there is none, and too little memory."""

from __future__ import annotations

from instances.graph import OperatorGraph, Order
from instances.graph_blocks import blocks_of

MOST_REASONS = 5
"""Sentences that are shown."""


def why_impossible(graph: OperatorGraph, order: Order) -> list[str]:
    """What stands in the way of every division, demand against limit, a sentence each.

    Args:
        graph: one without a division, so without CPUs.
        order: the class of divisions; nodes that have to be together in it count as one.
    """
    blocks, nodes, found = blocks_of(graph, order), graph.nodes, list[str]()
    for members, size in zip(blocks.members, blocks.size, strict=True):
        ids = ", ".join(str(nodes[place].id) for place in members[:3])
        named = f"node {ids}" if len(members) == 1 else f"nodes {ids}"
        if len(members) > 3:
            named += f" and {len(members) - 3} more, which share a device"
        slow = [nodes[place].id for place in members if nodes[place].accelerator is None]
        if slow:
            found.append(f"node {slow[0]} runs on CPUs only, and there is none")
        elif size > graph.memory:
            needs = f"{named}: {int(size):,} bytes, and an accelerator has {graph.memory:,}"
            found.append(needs)
    total, room = sum(node.size for node in nodes), graph.accelerators * graph.memory
    if not found and total > room:
        found.append(f"all nodes: {total:,} bytes, and all accelerators together have {room:,}")
    if not found:
        found.append(
            f"no way to put blocks of up to {int(blocks.size.max()):,} bytes on"
            f" {graph.accelerators} accelerators of {graph.memory:,} each"
        )
    return found
