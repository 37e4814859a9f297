"""What a person reads about a division of a graph: a summary and a table of devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chipweave.grid import Grid, number, percent, scaled
from schedules.partition.labels import device_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instances.graph import OperatorGraph
    from schedules.partition.evaluate import PartitionEvaluation
    from solvers.graph_partition import PartitionResult


def graph_rows(graph: OperatorGraph) -> list[tuple[str, str]]:
    """What a graph is."""
    nodes = graph.nodes
    backward = sum(node.backward for node in nodes)
    parts = f", {backward:,} of them backward" if backward else ""
    classes = f"{len(graph.classes):,} class{'es' if len(graph.classes) != 1 else ''}"
    devices = f"{graph.accelerators} accelerators of {scaled(graph.memory, 'B', 1024)}"
    return [
        ("graph", graph.name),
        ("nodes", f"{len(nodes):,}{parts}, in {classes}"),
        ("edges", f"{len(graph.edges):,}"),
        ("devices", f"{devices}, {graph.cpus} CPU{'s' if graph.cpus != 1 else ''}"),
        ("accelerators' time", _time(graph, sum(node.accelerator or 0 for node in nodes))),
        ("size", scaled(sum(node.size for node in nodes), "B", 1024)),
    ]


def result_summary(result: PartitionResult) -> Grid:
    """How a run ended, and what the division costs."""
    graph = result.graph
    rows = [
        *graph_rows(graph)[:4],
        ("order", result.order),
        ("method", ", ".join(filter(None, (result.method, result.engine)))),
        ("stop", result.stop),
        ("objective", "–" if result.objective is None else _time(graph, result.objective)),
        ("bound", "–" if result.bound is None else _time(graph, result.bound)),
        ("gap", percent(result.gap)),
        ("runtime", f"{result.runtime_s:.3f} s"),
    ]
    counts = (f"{what} {count:,}" for what, count in result.counts.items())
    return Grid(("", ""), [*rows, ("counted", ", ".join(counts))])


def devices_table(graph: OperatorGraph, evaluation: PartitionEvaluation) -> Grid:
    """A line for each device."""
    headings = ("device", ">nodes", ">work", ">sent", ">received", ">load", ">share", ">memory")
    most = evaluation.objective
    rows: Sequence[tuple[str, ...]] = [
        (
            name,
            number(len(own.device.nodes)),
            *(f"{graph.time(ticks):,.6g}" for ticks in (own.work, own.sent, own.received)),
            f"{graph.time(own.load):,.6g}",
            percent(own.load / most if most else 0.0),
            scaled(own.size, "B", 1024),
        )
        for name, own in zip(device_labels(evaluation.loads), evaluation.loads, strict=True)
    ]
    return Grid(headings, rows, "times in the file's unit; share of the largest load")


def _time(graph: OperatorGraph, ticks: float) -> str:
    return f"{graph.time(ticks):,.12g}"
