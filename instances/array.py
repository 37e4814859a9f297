"""Arrays: processing elements on a mesh inside one chip, their buffers and links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Organisation = Literal["sequential", "blocked-1d", "blocked-2d", "striped", "checkerboard"]
"""Where the PEs of pipelined layers are *(names as in PipeOrgan, bounds between them ours)*: a
layer by itself; a block of columns each; a grid of blocks; either of these repeated."""

ORGANISATIONS: tuple[Organisation, ...] = get_args(Organisation)


@dataclass(frozen=True)
class Array:
    """An array of processing elements (PEs) with a global buffer and DRAM.

    Every PE has links to its neighbours left and right, above and below. On an augmented mesh it
    has links to the PEs that are `express` places away in these directions, too. A bus from the
    global buffer serves each column of PEs.

    Attributes:
        name: for tables and files.
        mesh: (X, Y), columns and rows of PEs.
        element_bytes: width of a weight, an activation and a partial sum.
        macs: multiply-accumulates of a PE a cycle, along the depth of one output.
        register_bytes: what one PE can hold.
        buffer_bytes: what the global buffer can hold.
        bus_bytes: that a column's bus carries a cycle.
        link_bytes: that a link carries a cycle, in each direction.
        dram_bytes: that the DRAM delivers or takes a cycle.
        express: length of the express links; 0 on a plain mesh.
        depth: the most layers that may be pipelined.
        bands: the most rows of blocks that an organisation may have.
        organisations: that the array can have; 'sequential' is one of them.
        clock_hz: cycles a second.
        mac_pj: energy of a multiply-accumulate.
        register_pj, hop_pj, buffer_pj, dram_pj: energy of a byte read or written in a PE's
            registers, over a link, from or to the global buffer, and the DRAM.

    Raises:
        ValueError: express links of a length that no row or column has room for, or organisations
            without 'sequential'.
    """

    name: str
    mesh: tuple[int, int]
    element_bytes: int
    macs: int
    register_bytes: int
    buffer_bytes: int
    bus_bytes: int
    link_bytes: int
    dram_bytes: int
    express: int
    depth: int
    bands: int
    organisations: tuple[Organisation, ...]
    clock_hz: int
    mac_pj: float
    register_pj: float
    hop_pj: float
    buffer_pj: float
    dram_pj: float

    def __post_init__(self) -> None:
        if self.express == 1 or self.express >= max(2, *self.mesh):
            columns, rows = self.mesh
            raise ValueError(
                f"{self.name}: express links of length {self.express}: expected 0 (none), or 2 to"
                f" {max(self.mesh) - 1} on {columns} x {rows} PEs"
            )
        if "sequential" not in self.organisations:
            raise ValueError(f"{self.name}: organisations without 'sequential'")

    @property
    def pes(self) -> int:
        """How many PEs there are."""
        return self.mesh[0] * self.mesh[1]
