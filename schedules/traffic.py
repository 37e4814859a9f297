"""What a placed schedule sends over the mesh: who sends how much to whom.

The amounts are those of the cost model (`instances.cost.work`); what follows is our reading:

- A tensor comes from the region of its producer, or from DRAM if that is in an earlier segment or
  outside. Each chiplet of the sender has an equal share of it, as has each port of the DRAM.
- What all chiplets of a region need whole goes to them by multicast; of what each needs a part of
  its own, each sender sends it an equal share.
- Inside a region, too, each chiplet gets what it misses in equal shares from all others.
- Weights come from DRAM once a segment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from instances.cost.model import AnalyticCosts
from instances.cost.work import WEIGHTS, receipts, shares, tiling
from instances.instance import Instance
from instances.mesh import Mesh
from instances.network import OUTSIDE
from instances.package import Tile
from instances.tables import Ints
from schedules.schedule import Cluster, Segment

DRAM = -1
"""Stands for the ports of the DRAM where a cluster is named."""


@dataclass(frozen=True)
class Stream:
    """Bytes from each chiplet of a region to those of another one, or of the same.

    Attributes:
        sender, receiver: number of the cluster in the segment, or DRAM.
        bytes: from each sender: to all receivers alike if multicast, otherwise to each of them.
        multicast: whether all receivers get the same.
    """

    sender: int
    receiver: int
    bytes: int
    multicast: bool


@dataclass(frozen=True)
class Flow(Stream):
    """What is sent for one layer.

    Attributes:
        layer: that reads them; for results that go to DRAM, the one that made them.
        tensor: number in `network.tensors`, or WEIGHTS.
        once: for the whole segment, not for each sample.
    """

    layer: int
    tensor: int
    once: bool = False


def model_of(instance: Instance) -> AnalyticCosts:
    """The cost model of an instance.

    Raises:
        ValueError: a table instance, which does not tell bytes.
    """
    if not isinstance(instance.costs, AnalyticCosts):
        raise ValueError(
            f"{instance.name}: a table instance does not say what its layers send to one another:"
            " places and traffic need a network on a package"
        )
    return instance.costs


def flows(instance: Instance, segment: Segment) -> list[Flow]:
    """All traffic of a segment, by cluster: what it takes in, its results for DRAM, its weights.

    Raises:
        ValueError: a table instance.
    """
    costs = model_of(instance)
    if segment.tiled:
        return list(_tiled(costs, segment.clusters[0]))
    found: list[Flow] = []
    for k in range(len(segment.clusters)):
        found += _coming(costs, segment, k)
        found += _going(costs, segment, k)
        found += _weights(costs, segment, k)
    return found


def _coming(costs: AnalyticCosts, segment: Segment, k: int) -> Iterator[Flow]:
    own = segment.clusters[k]
    n = own.chiplets
    for receipt in receipts(costs, own.first, own.last, own.options, n):
        if receipt.outside:
            sender = _home(segment, costs.network.tensors[receipt.tensor].producer)
            senders = _ends(costs, segment, sender)
            whole = receipt.bytes == receipt.whole
            amount = _over(receipt.bytes, senders)
        else:
            sender = k
            whole = receipt.tensor == WEIGHTS or receipt.bytes == receipt.whole - receipt.whole // n
            amount = _over(receipt.whole, n) if whole else _over(receipt.bytes, n - 1)
        yield Flow(sender, k, amount, whole, receipt.layer, receipt.tensor)


def _home(segment: Segment, producer: int) -> int:
    """The cluster that has a tensor made by a layer; DRAM if none of the segment."""
    if producer == OUTSIDE or producer < segment.first:
        return DRAM
    return next(k for k, own in enumerate(segment.clusters) if own.last >= producer)


def _ends(costs: AnalyticCosts, segment: Segment, cluster: int) -> int:
    """How many chiplets, or ports, an end of a flow has."""
    if cluster == DRAM:
        return costs.package.dram.ports
    return segment.clusters[cluster].chiplets


def _going(costs: AnalyticCosts, segment: Segment, k: int) -> Iterator[Flow]:
    """Results that a later segment or the outside needs."""
    own, element = segment.clusters[k], costs.package.element_bytes
    for number, tensor in enumerate(costs.network.tensors):
        needed = tensor.leaves or (tensor.consumers and tensor.consumers[-1] > segment.last)
        if own.first <= tensor.producer <= own.last and needed:
            amount = _over(tensor.elements * element, own.chiplets * costs.package.dram.ports)
            yield Flow(k, DRAM, amount, False, tensor.producer, number)


def _weights(costs: AnalyticCosts, segment: Segment, k: int) -> Iterator[Flow]:
    own, ports = segment.clusters[k], costs.package.dram.ports
    held = shares(costs, own.first, own.last, own.options, own.chiplets)
    for layer, share in enumerate(held, own.first):
        whole = costs.network.layers[layer].weights * costs.package.element_bytes
        if whole:
            amount = _over(share.weights, ports)
            yield Flow(DRAM, k, amount, share.weights == whole, layer, WEIGHTS, once=True)


def _tiled(costs: AnalyticCosts, own: Cluster) -> Iterator[Flow]:
    """Inputs of all tiles, results and weights of a layer that runs alone."""
    plan, layer = tiling(costs, own.first), own.first
    if plan is None:
        return
    ports, reads = costs.package.dram.ports, costs.network.layers[layer].reads
    names = [tensor.name for tensor in costs.network.tensors]
    first = names.index(reads[0])
    for amount, whole in (
        (plan.inputs, plan.by_channel),
        (plan.operands, not plan.by_channel),
        (plan.addends, False),
    ):
        if amount:
            yield Flow(DRAM, 0, _over(amount, ports), whole, layer, first)
    made = next(k for k, tensor in enumerate(costs.network.tensors) if tensor.producer == layer)
    yield Flow(0, DRAM, _over(plan.made, own.chiplets * ports), False, layer, made)
    weights = costs.network.layers[layer].weights * costs.package.element_bytes
    if weights:
        amount = _over(weights, ports * own.chiplets) if plan.by_channel else _over(weights, ports)
        yield Flow(DRAM, 0, amount, not plan.by_channel, layer, WEIGHTS, once=True)


def _over(amount: int, divisor: int) -> int:
    """Quotient rounded up."""
    return -(-amount // divisor)


Places = Sequence[Sequence[Tile]]
"""Of each cluster of a segment, the chiplets of its region."""


def ends(stream: Stream, mesh: Mesh, places: Places) -> tuple[Sequence[Tile], Sequence[Tile]]:
    """Where a stream comes from and where it goes."""
    sender = mesh.ports if stream.sender == DRAM else places[stream.sender]
    receiver = mesh.ports if stream.receiver == DRAM else places[stream.receiver]
    return sender, receiver


def loads_of(stream: Stream, mesh: Mesh, places: Places) -> Ints:
    """[links] bytes of a stream on each link."""
    return stream.bytes * mesh.loads(*ends(stream, mesh, places), stream.multicast)
