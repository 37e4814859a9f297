"""Packages: a mesh of chiplets, its network-on-package and its DRAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Dataflow = Literal["weight-stationary", "output-stationary"]

Tile = tuple[int, int]
"""[x, y], column and row of a place on the mesh, from 0."""


@dataclass(frozen=True)
class Chiplet:
    """One die of the package.

    Attributes:
        dataflow: weight-stationary (NVDLA-like) unrolls output and input channels over the MAC
            array; output-stationary (ShiDianNao-like) unrolls output rows and columns.
        array: the two unrolled extents; their product is the number of MACs.
        clock_hz: cycles a second.
        buffer_bytes: M, what one chiplet can hold.
        mac_pj: energy of one multiply-accumulate.
        buffer_read_pj_per_bit, buffer_write_pj_per_bit: energy of the on-chip buffer.
        leakage_w: power drawn whether the chiplet works or not.
    """

    dataflow: Dataflow
    array: tuple[int, int]
    clock_hz: int
    buffer_bytes: int
    mac_pj: float
    buffer_read_pj_per_bit: float
    buffer_write_pj_per_bit: float
    leakage_w: float

    @property
    def macs(self) -> int:
        """Multiply-accumulates a cycle."""
        return self.array[0] * self.array[1]


@dataclass(frozen=True)
class NetworkOnPackage:
    """The mesh between chiplets.

    Attributes:
        bandwidth: bytes a second of one chiplet's port, in each direction.
        hop_ns: latency of one hop.
        pj_per_bit: energy of one bit over one hop.
    """

    bandwidth: int
    hop_ns: float
    pj_per_bit: float


@dataclass(frozen=True)
class Dram:
    """Off-package memory behind ports on the left and right columns.

    Attributes:
        ports: how many.
        bandwidth: bytes a second of one port.
        latency_ns: of a first access.
        pj_per_bit: energy of one bit read or written.
    """

    ports: int
    bandwidth: int
    latency_ns: float
    pj_per_bit: float


@dataclass(frozen=True)
class Faults:
    """What of a mesh is out of order.

    Attributes:
        chiplets: do not compute, but their routers pass traffic on.
        missing: places without a chiplet and without a router.
        links: pairs of neighbours between which nothing passes, in either direction.
    """

    chiplets: tuple[Tile, ...] = ()
    missing: tuple[Tile, ...] = ()
    links: tuple[tuple[Tile, Tile], ...] = ()


@dataclass(frozen=True)
class Package:
    """A multi-chip module.

    Attributes:
        name: for tables and files.
        mesh: (X, Y), columns and rows of chiplets.
        element_bytes: width of a weight and of an activation.
        overlap: a stage hides communication behind computation (max) instead of adding it.
        chiplet: that of all places but those in `unlike`.
        faults: what of the mesh is out of order.
        unlike: places with a chiplet of another kind, and that chiplet; all clocks are the same.
    """

    name: str
    mesh: tuple[int, int]
    element_bytes: int
    overlap: bool
    chiplet: Chiplet
    nop: NetworkOnPackage
    dram: Dram
    faults: Faults = Faults()
    unlike: tuple[tuple[Tile, Chiplet], ...] = ()

    def chiplet_at(self, tile: Tile) -> Chiplet:
        """The chiplet at a place."""
        return dict(self.unlike).get(tile, self.chiplet)

    def check_alike(self, model: str) -> None:
        """Refuse unlike chiplets: regions are numbers of equal ones.

        Args:
            model: what would be scheduled, as `network:batch`.

        Raises:
            ValueError: there are such.
        """
        if self.unlike:
            raise ValueError(
                f"package {self.name!r} has unlike chiplets: a region is a number of equal ones."
                f" Schedule it as a workload, with --models {model}"
            )

    @property
    def chiplets(self) -> int:
        """C, the number of chiplets that compute."""
        return self.mesh[0] * self.mesh[1] - len(self.unusable)

    @property
    def unusable(self) -> frozenset[Tile]:
        """Places without a chiplet that computes."""
        return frozenset((*self.faults.chiplets, *self.faults.missing))
