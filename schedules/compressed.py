"""Which tensors a schedule compresses, where they cross, and what that loses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from instances.compression import MILLION
from instances.instance import Instance
from schedules.schedule import Schedule, Segment


@dataclass(frozen=True)
class CompressedTensor:
    """The output of a layer that has a ratio above 1.

    Attributes:
        name: of the tensor; of its layer in a table instance, which names no tensors.
        layer: index of the layer that makes it.
        ratio: channels over the length of the code.
        loss: in the measure of the table of losses.
    """

    name: str
    layer: int
    ratio: int
    loss: float


@dataclass(frozen=True)
class Compressed:
    """What a schedule compresses.

    Attributes:
        budget: what the losses may add up to.
        tensors: in layer order; None without a schedule.
    """

    budget: float
    tensors: tuple[CompressedTensor, ...] | None

    @property
    def loss(self) -> float | None:
        """The sum of all losses; None without a schedule."""
        if self.tensors is None:
            return None
        return sum(round(tensor.loss * MILLION) for tensor in self.tensors) / MILLION


def compressed_to_data(found: Compressed | None) -> dict[str, Any]:
    """What a result says of compression, as plain data; nulls where there is none."""
    if found is None:
        return {"loss": None, "accuracy_budget": None, "compressed": None}
    tensors = None
    if found.tensors is not None:
        tensors = [
            {"tensor": own.name, "layer": own.layer, "ratio": own.ratio, "loss": own.loss}
            for own in found.tensors
        ]
    return {"loss": found.loss, "accuracy_budget": found.budget, "compressed": tensors}


def compressed(instance: Instance, schedule: Schedule | None) -> Compressed | None:
    """What a schedule compresses; None where the instance allows no compression.

    Args:
        schedule: one that `verify` accepts; None where there is none.
    """
    given = instance.compression
    if given is None:
        return None
    budget = given.budget / MILLION
    if schedule is None:
        return Compressed(budget, None)
    choices = enumerate(given.choices(schedule.ratios))
    return Compressed(
        budget,
        tuple(
            CompressedTensor(
                tensor_name(instance, layer),
                layer,
                given.ratios[k],
                int(given.losses[layer, k]) / MILLION,
            )
            for layer, k in choices
            if k
        ),
    )


def tensor_name(instance: Instance, layer: int) -> str:
    """What the output of a layer is called; as the layer itself in a table instance."""
    if instance.network is None:
        return instance.layers[layer]
    name, _ = instance.network.layers[layer].outputs[0]
    return name


def crossings(
    instance: Instance, segment: Segment, ratios: tuple[int, ...]
) -> dict[int, list[int]]:
    """Compressed tensors that enter each cluster of a segment, by the layers that make them.

    Args:
        ratios: those of the schedule.

    Returns:
        Cluster -> layers; clusters that no compressed tensor enters are left out.
    """
    given = instance.compression
    if given is None or not ratios:
        return {}
    entering = {
        k: [layer for layer in given.entering(own.first, own.last) if ratios[layer] > 1]
        for k, own in enumerate(segment.clusters)
    }
    return {k: layers for k, layers in entering.items() if layers}


def refuse_compressed(schedule: Schedule, what: str) -> None:
    """Refuse a schedule with compressed tensors where coders are not known of.

    Args:
        what: what does not know of them, as the beginning of a sentence.

    Raises:
        ValueError: the schedule compresses.
    """
    if any(ratio > 1 for ratio in schedule.ratios):
        raise ValueError(
            f"{what} knows nothing of encoders and decoders, but the schedule compresses tensors"
            " where they cross: give a schedule without ratios"
        )


def refuse_compression(instance: Instance, what: str) -> None:
    """Refuse an instance with compression where only schedules without are known of.

    Args:
        what: what does not know of others, as the beginning of a sentence.

    Raises:
        ValueError: the instance allows compression.
    """
    if instance.compression is not None:
        raise ValueError(
            f"{what} knows only schedules without compression, but instance {instance.name!r}"
            " allows it: give the instance without, replace(instance, compression=None)"
        )
