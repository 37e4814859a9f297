"""Random networks and arrays: small ones, in which all that an array has may be scarce."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from instances.array import Array
from instances.arrays import load_array
from instances.cost.array import ArrayCosts
from instances.network import Layer, Network


def random_array_costs(
    seed: int, *, layers: int = 6, side: int = 4, chain: bool = False
) -> ArrayCosts:
    """A network on an array.

    Args:
        seed: of everything.
        layers: the most.
        side: the most columns and rows.
        chain: every layer reads the one before it, and nothing else.
    """
    rng = np.random.default_rng(seed)
    network = _network(rng, int(rng.integers(1, layers + 1)), chain)
    return ArrayCosts(network, _array(rng, side), int(rng.integers(1, 4)))


def _array(rng: np.random.Generator, side: int) -> Array:
    columns, rows = (int(n) for n in rng.choice(range(1, side + 1), size=2, p=_odds(side)))
    express = int(rng.choice([0, 2, 3]))
    return replace(
        load_array(f"{columns}x{rows}"),
        name="random",
        element_bytes=int(rng.choice([1, 8])),
        macs=int(rng.choice([8, 64])),
        register_bytes=int(rng.choice([64, 512, 8_192])),
        buffer_bytes=int(rng.choice([4_000, 100_000])),
        bus_bytes=int(rng.choice([8, 32])),
        link_bytes=int(rng.choice([1, 2])),
        dram_bytes=int(rng.choice([1, 16, 64])),
        express=express if express < max(columns, rows) else 0,
        depth=int(rng.integers(2, 7)),
        bands=int(rng.integers(1, 4)),
    )


def _odds(side: int) -> list[float]:
    """Of sides from 1 up: the longer the likelier."""
    return [2 * n / (side * (side + 1)) for n in range(1, side + 1)]


def _network(rng: np.random.Generator, count: int, chain: bool) -> Network:
    """Convolutions: full, depthwise, with strides; residuals and concatenations if no chain."""
    side = int(rng.choice([1, 4, 6, 8]))
    shape = (int(rng.integers(1, 9)), side, side)
    inputs = (("image", shape),)
    shapes, layers = {"image": shape}, list[Layer]()
    for k in range(count):
        names = list(shapes)
        before = names[-1] if chain or rng.random() < 0.9 else str(rng.choice(names))
        depth, height, width = shapes[before]
        reads = [before]
        if not chain and rng.random() < 0.25:
            like = [n for n in names if shapes[n][1:] == (height, width) and n != before]
            reads += [str(rng.choice(like))] if like else []
            depth = sum(shapes[name][0] for name in reads)
        depthwise = rng.random() < 0.25
        channels = depth if depthwise else int(rng.integers(1, 17))
        kernel = int(rng.choice([1, 3])) if height > 1 else 1
        stride = int(rng.choice([1, 1, 2])) if height > 1 else 1
        positions = (-(-height // stride), -(-width // stride))
        name, out = f"layer{k}", (channels, *positions)
        like = [n for n in names if shapes[n] == out and n not in reads]
        addend = [str(rng.choice(like))] if like and not chain and rng.random() < 0.5 else []
        layers.append(
            Layer(
                name,
                "conv",
                channels,
                depth,
                positions,
                (kernel, kernel),
                (stride, stride),
                groups=channels if depthwise else 1,
                inputs=tuple(reads),
                addends=tuple(addend),
                outputs=((name, out),),
            )
        )
        shapes[name] = out
    return Network("random", inputs, tuple(layers))
