"""What a person reads of compressed tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chipweave.grid import Grid, number, shortened
from schedules.compressed import compressed, crossings
from schedules.schedule import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiments.loss_front import LossFront
    from instances.instance import Instance
    from schedules.compressed import Compressed, CompressedTensor
    from schedules.schedule import Schedule


def compression_rows(found: Compressed | None) -> list[tuple[str, str]]:
    """What a summary says of compression: how many tensors, what they lose, of which budget."""
    if found is None or found.tensors is None:
        return []
    many = counted(len(found.tensors), "tensor") if found.tensors else "nothing"
    return [("compressed", many), ("loss", f"{found.loss:g} (budget {found.budget:g})")]


def compression_tables(instance: Instance, schedule: Schedule) -> Iterator[Grid]:
    """A line for each compressed tensor; no table at all where nothing is compressed."""
    found = compressed(instance, schedule)
    if found is None or not found.tensors:
        return
    headings = ("compressed tensor", "made by", ">ratio", ">bytes", ">code", ">crosses", ">loss")
    enters = _enters(instance, schedule)
    rows: list[tuple[str, ...]] = [
        (
            tensor.name,
            f"{tensor.layer} {instance.layers[tensor.layer]}",
            str(tensor.ratio),
            *_sizes(instance, tensor),
            f"{enters.get(tensor.layer, 0)}",
            f"{tensor.loss:g}",
        )
        for tensor in found.tensors
    ]
    yield Grid(headings, shortened(rows), "bytes a sample; into how many clusters it crosses")


def loss_front_table(front: LossFront) -> Grid:
    """A line for each point of a front of throughput and loss."""
    headings = (
        ">point",
        ">loss",
        ">latency (cycles)",
        ">samples/cycle",
        ">energy (pJ)",
        ">segments",
        ">clusters",
        ">compressed",
        "proved",
    )
    rows = [
        (
            str(place),
            f"{point.loss:g}",
            number(point.evaluation.latency),
            f"{point.evaluation.throughput:.4g}",
            number(point.evaluation.energy),
            str(len(point.schedule.segments)),
            str(sum(len(segment.clusters) for segment in point.schedule.segments)),
            str(point.compressed),
            "yes" if point.proved else "no",
        )
        for place, point in enumerate(front.points, start=1)
    ]
    instance = front.instance
    return Grid(headings, rows, f"{instance.name}, batch {instance.batch}, method {front.method}")


def _sizes(instance: Instance, tensor: CompressedTensor) -> tuple[str, str]:
    """Bytes of the tensor and of its code; a table instance does not tell them."""
    if instance.network is None or instance.package is None:
        return number(None), number(None)
    channels, *positions = instance.network.shape(tensor.name)
    element = instance.package.element_bytes
    for extent in positions:
        element *= extent
    return number(channels * element), number(-(-channels // tensor.ratio) * element)


def _enters(instance: Instance, schedule: Schedule) -> dict[int, int]:
    """Layer -> clusters that its compressed output enters."""
    found: dict[int, int] = {}
    for segment in schedule.segments:
        for layers in crossings(instance, segment, schedule.ratios).values():
            for layer in layers:
                found[layer] = found.get(layer, 0) + 1
    return found
