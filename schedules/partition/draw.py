"""A picture of a division: the loads of its devices, and where its nodes are."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from instances.graph import OperatorGraph
from schedules.draw import save_picture
from schedules.draw_mesh import PALETTE
from schedules.partition.evaluate import PartitionEvaluation, evaluate_partition
from schedules.partition.labels import device_labels
from schedules.partition.partition import Partition

MOST_EDGES = 4_000
"""Edges between devices that are drawn; of more, none."""


def draw_partition(graph: OperatorGraph, partition: Partition, path: str | Path) -> None:
    """Write a picture of a division.

    The same division gives the same SVG, byte for byte.

    Args:
        graph: what is divided.
        partition: one that `partition_violations` accepts.
        path: ends in .png or .svg.

    Raises:
        ValueError: another suffix, or the file system refuses.
    """
    save_picture(lambda: _figure(graph, partition), path)


def _figure(graph: OperatorGraph, partition: Partition) -> Figure:
    figure = Figure(figsize=(11, 1.6 + 0.5 * len(partition.devices)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1, 2))
    draw_loads(evaluate_partition(graph, partition), graph, left)
    draw_nodes(graph, partition, right)
    return figure


def draw_loads(evaluation: PartitionEvaluation, graph: OperatorGraph, ax: Axes) -> None:
    """A bar for each device: its nodes' time, and that of tensors it sends and receives."""
    rows = range(len(evaluation.loads))
    start = [0.0 for _ in rows]
    for color, what in zip(PALETTE, ("work", "sent", "received"), strict=False):
        widths = [graph.time(getattr(own, what)) for own in evaluation.loads]
        ax.barh(rows, widths, left=start, color=color, label=what)
        start = [a + b for a, b in zip(start, widths, strict=True)]
    ax.set_yticks(rows, device_labels(evaluation.loads))
    ax.invert_yaxis()
    ax.set_xlabel("time of a sample")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.25), ncols=3, frameon=False)


def draw_nodes(graph: OperatorGraph, partition: Partition, ax: Axes) -> None:
    """A dot for each node, in topological order, and the edges between devices."""
    across = {place: number for number, place in enumerate(graph.topological)}
    ids = {node.id: place for place, node in enumerate(graph.nodes)}
    row = {
        ids[own]: number for number, device in enumerate(partition.devices) for own in device.nodes
    }
    crossing = [edge for edge in graph.edges if row[edge[0]] != row[edge[1]]]
    for u, v in crossing if len(crossing) <= MOST_EDGES else ():
        ax.plot([across[u], across[v]], [row[u], row[v]], color="0.7", linewidth=0.5, zorder=1)
    for backward, marker, label in ((False, "o", "forward"), (True, "<", "backward")):
        own = [p for p, node in enumerate(graph.nodes) if node.backward is backward]
        if own:
            colors = [PALETTE[row[p] % len(PALETTE)] for p in own]
            places = [across[p] for p in own], [row[p] for p in own]
            ax.scatter(*places, c=colors, s=9, marker=marker, label=label, zorder=2)
    ax.set_xlabel(f"{len(graph.nodes)} nodes in topological order")
