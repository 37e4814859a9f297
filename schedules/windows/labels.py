"""What tables and pictures call units and chiplets."""

from __future__ import annotations

from instances.cost.jobs import PackageCosts
from instances.package import Tile
from instances.workload import Job

SHORT = {"weight-stationary": "ws", "output-stationary": "os"}
"""Dataflow -> how it is called where there is little room."""


def kind_labels(package: PackageCosts) -> dict[Tile, str]:
    """Dataflow of the chiplet at each place, with a number where kinds share one: ws, os1, os2."""
    flows = [SHORT[kind.dataflow] for kind in package.kinds]
    labels = [
        flow if flows.count(flow) == 1 else f"{flow}{flows[: k + 1].count(flow)}"
        for k, flow in enumerate(flows)
    ]
    return {tile: labels[package.kind[k]] for k, tile in enumerate(package.tiles)}


def units_label(job: Job, first: int, last: int) -> str:
    """Units of a stage by name, the first and the last of them."""
    names = job.unit_names
    return names[first] if first == last else f"{names[first]} … {names[last]}"
