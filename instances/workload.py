"""Workloads: several networks with batches, to be run on one package of perhaps unlike chiplets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import isqrt
from typing import Literal, get_args

from instances.network import Network
from instances.package import Package

Grain = Literal["layer", "block", "stage"]
"""How finely a network is cut into units. Layers are named as in `layer3.0.conv1`: those in a row
with the same name up to the last dot are a block, up to the first dot a stage."""

GRAINS: tuple[Grain, ...] = get_args(Grain)

MOST_CHIPLETS = 1024
"""Of a package for several models: what pairs of chiplets cost is held for each tensor."""


@dataclass(frozen=True)
class Job:
    """One of several models: a network and how many samples of it are run.

    Attributes:
        network: what is run.
        batch: b, samples.
        cuts: the first layer of each unit; a unit is what is never divided between chiplets.
    """

    network: Network
    batch: int
    cuts: tuple[int, ...]

    def __post_init__(self) -> None:
        last = len(self.network.layers)
        if self.batch < 1:
            raise ValueError(f"{self.network.name}: batch {self.batch} is not at least 1")
        if not self.cuts or self.cuts[0] != 0:
            raise ValueError(f"{self.network.name}: the first unit begins at layer 0")
        if any(a >= b for a, b in pairwise((*self.cuts, last))):
            raise ValueError(
                f"{self.network.name}: units {list(self.cuts)} do not ascend to {last}"
            )

    @property
    def name(self) -> str:
        """For tables and files."""
        return f"{self.network.name}:{self.batch}"

    @property
    def units(self) -> int:
        """U, how many there are."""
        return len(self.cuts)

    @cached_property
    def unit_names(self) -> tuple[str, ...]:
        """What the names of a unit's layers begin with."""
        names = [layer.name for layer in self.network.layers]
        found = []
        for first, end in pairwise((*self.cuts, len(names))):
            own = names[first] if end == first + 1 else _shared(names[first:end])
            found.append(own or f"{names[first]}..{names[end - 1]}")
        return tuple(found)

    @cached_property
    def mini_batches(self) -> tuple[int, ...]:
        """Samples that may pass through a pipeline together: the divisors of the batch, rising."""
        small = [n for n in range(1, isqrt(self.batch) + 1) if self.batch % n == 0]
        return tuple(sorted({*small, *(self.batch // n for n in small)}))


@dataclass(frozen=True)
class Workload:
    """Several models on one package.

    Attributes:
        name: for tables and files.
        package: where they run.
        jobs: the models.

    Raises:
        ValueError: no jobs, or a package that adds up nothing (`overlap`).
    """

    name: str
    package: Package
    jobs: tuple[Job, ...]

    def __post_init__(self) -> None:
        if not self.jobs:
            raise ValueError(f"workload {self.name!r} has no models")
        if self.package.overlap:
            raise ValueError(
                f"package {self.package.name!r} overlaps communication with computation, but with"
                " several models they add up: set 'overlap: false' or take a het- package"
            )
        if self.package.chiplets > MOST_CHIPLETS:
            raise ValueError(
                f"package {self.package.name!r} has {self.package.chiplets:,} chiplets, expected"
                f" at most {MOST_CHIPLETS:,} for several models, whose costs are by pairs of them"
            )


def job(network: Network, batch: int, grain: Grain = "block") -> Job:
    """A model whose units are layers, blocks or stages.

    Raises:
        ValueError: the batch is not at least 1, or there is no such grain.
    """
    if grain not in GRAINS:
        raise ValueError(f"unknown grain {grain!r}: choose one of {', '.join(GRAINS)}")
    names = [layer.name for layer in network.layers]
    keys = [_key(name, grain) for name in names]
    cuts = [k for k in range(len(keys)) if k == 0 or keys[k] != keys[k - 1]]
    return Job(network, batch, tuple(cuts))


def _key(name: str, grain: Grain) -> str:
    """What layers of one unit have in common; a name without dots is a unit by itself."""
    if grain == "layer" or "." not in name:
        return name
    return name.rsplit(".", 1)[0] if grain == "block" else name.split(".", 1)[0]


def _shared(names: list[str]) -> str:
    """The parts between dots that all names begin with."""
    parts = [name.split(".") for name in names]
    shared = []
    for own in zip(*parts, strict=False):
        if len(set(own)) > 1:
            break
        shared.append(own[0])
    return ".".join(shared)
