"""Cycles of computing from elsewhere, everything else from the cost model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from instances.cost.build import build_tables
from instances.cost.facts import ISP, gather_facts
from instances.instance import Instance
from instances.network import Network
from instances.package import Package
from instances.tables import Ints


def with_compute(instance: Instance, compute: Ints) -> Instance:
    """An instance whose chiplets compute in other cycles than those of the cost model.

    `entry`, `step` and `exit` are those of docs/problem.md, 'Entry, step, exit, and overlap', with
    these cycles. A tiled layer computes no faster than untiled on the whole package; otherwise its
    beat stays. So do energy, memory, loads and DRAM traffic. The result is a table instance.

    Args:
        instance: of a network on a package.
        compute: [L,O,C] cycles of the slowest chiplet, for one sample.

    Raises:
        ValueError: the instance has no network or no package, or the shapes differ.
    """
    network, package = source_of(instance)
    tables = instance.tables
    if compute.shape != tables.shape:
        raise ValueError(f"found cycles of shape {compute.shape}, expected {tables.shape}")
    # Without overlap, entry is the sum of computing and receiving, and exit is all of sending.
    apart = build_tables(network, replace(package, overlap=False))
    assert apart.compute is not None
    arriving = apart.entry - apart.compute
    moving = apart.step - apart.compute[:, None]
    if package.overlap:
        entry, step = np.maximum(compute, arriving), np.maximum(compute[:, None], moving)
        exit_ = np.maximum(0, apart.exit - compute)
    else:
        entry, step, exit_ = compute + arriving, compute[:, None] + moving, apart.exit
    step[0] = 0
    fastest = compute[:, :, -1].min(axis=1)
    alone = np.where(tables.alone < 0, -1, np.maximum(tables.alone, fastest))
    given = replace(tables, entry=entry, step=step, exit=exit_, compute=compute.copy(), alone=alone)
    return Instance(f"{instance.name}, given cycles", instance.batch, given)


def source_of(instance: Instance) -> tuple[Network, Package]:
    """The network and the package of an instance.

    Raises:
        ValueError: it has none.
    """
    if instance.network is None or instance.package is None:
        raise ValueError(
            f"instance {instance.name!r} has costs of its own; cycles of computing are those of a"
            " network on a package: name these"
        )
    return instance.network, instance.package


@dataclass(frozen=True)
class Share:
    """What the slowest chiplet of a region computes of a layer.

    Attributes:
        layer: index.
        option: index; WSP-sharded computes what WSP does.
        chiplets: of the region.
        channels: output channels, K', over all groups.
        depth: input channels of a group, D/g.
        positions: P' and Q'.
    """

    layer: int
    option: int
    chiplets: int
    channels: int
    depth: int
    positions: tuple[int, int]


def shares(network: Network, package: Package, options: tuple[int, ...]) -> list[Share]:
    """The shares of all layers with these options on 1 to C chiplets."""
    facts = gather_facts(network, package)
    found = []
    for at, layer in enumerate(network.layers):
        own = facts.layers[at]
        cuts = facts.cuts[own["cut"] : own["cut_end"]]
        for option in options:
            for n in range(1, package.chiplets + 1):
                channels, positions = layer.channels, layer.positions
                if option == ISP:
                    channels = -(-channels // n)
                else:
                    cut = cuts[np.searchsorted(cuts["chiplets"], n, side="right") - 1]
                    positions = int(cut["rows"]), int(cut["columns"])
                depth = layer.depth // layer.groups
                found.append(Share(at, option, n, channels, depth, positions))
    return found
