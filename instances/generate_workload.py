"""Random workloads: several small networks on a package of unlike chiplets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from instances.network import Layer, Network
from instances.package import Package
from instances.packages import load_package
from instances.workload import Workload, job


def random_workload(
    seed: int, *, models: int = 2, layers: int = 4, mesh: tuple[int, int] = (2, 2), batch: int = 6
) -> Workload:
    """A workload in which compute, links, DRAM and buffers all may matter.

    Args:
        seed: of everything.
        models: how many.
        layers: the most of a model.
        mesh: columns and rows.
        batch: the largest of a model.
    """
    rng = np.random.default_rng(seed)
    jobs = tuple(
        job(_network(rng, f"net{k}", layers), int(rng.integers(1, batch + 1)), "layer")
        for k in range(models)
    )
    return Workload(f"random-{seed}", _package(rng, mesh), jobs)


def _network(rng: np.random.Generator, name: str, most: int) -> Network:
    """Convolutions one after the other, some with a second input from further back."""
    side, depth = int(rng.choice([1, 4, 8])), int(rng.integers(1, 64))
    inputs = (("image", (depth, side, side)),)
    layers: list[Layer] = []
    for k in range(int(rng.integers(1, most + 1))):
        channels = int(rng.integers(1, 128))
        before = "image" if k == 0 else f"layer{k - 1}"
        earlier = ["image", *(f"layer{n}" for n in range(k - 1))]
        skip = (str(rng.choice(earlier)),) if k and rng.random() < 0.3 else ()
        layers.append(
            Layer(
                f"layer{k}",
                "conv",
                channels,
                depth,
                (side, side),
                (1, 1) if side == 1 else (3, 3),
                inputs=(before,),
                addends=skip,
                outputs=((f"layer{k}", (channels, side, side)),),
            )
        )
        depth = channels
    last = layers[-1].name
    middle = [layer.name for layer in layers[:-1] if rng.random() < 0.1]
    return Network(name, inputs, tuple(layers), (*middle, last))


def _package(rng: np.random.Generator, mesh: tuple[int, int]) -> Package:
    """Chiplets of two kinds, buffers and bandwidths from scarce to ample."""
    base = load_package(f"het-{mesh[0]}x{mesh[1]}")
    usual = replace(
        base.chiplet,
        array=(int(rng.choice([4, 16])), int(rng.choice([4, 16]))),
        buffer_bytes=int(rng.choice([2_000, 20_000, 10**6])),
        leakage_w=float(rng.choice([0.0, 0.01, 1.0])),
    )
    other = replace(
        usual,
        dataflow="output-stationary",
        array=(int(rng.choice([1, 2, 8])), int(rng.choice([2, 8]))),
        buffer_bytes=int(rng.choice([2_000, 20_000, 10**6])),
    )
    places = [(x, y) for x in range(mesh[0]) for y in range(mesh[1])]
    return replace(
        base,
        name="random",
        chiplet=usual,
        unlike=tuple((tile, other) for tile in places if rng.random() < 0.5),
        nop=replace(
            base.nop,
            bandwidth=int(rng.choice([10**8, 10**9, 10**11])),
            hop_ns=float(rng.choice([0, 35, 2_000])),
        ),
        dram=replace(
            base.dram,
            bandwidth=int(rng.choice([10**8, 10**9, 64 * 10**9])),
            latency_ns=float(rng.choice([0, 200, 10_000])),
        ),
    )
