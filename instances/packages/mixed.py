"""Packages of unlike chiplets, and what they are compared with: het-3x3-sides, het-2x2-mono-os.

All have the constants of the datacentre package (SCAR, arXiv 2405.00790, Table II) and add
communication to computation, as SCAR's formulas do. Each chiplet's share of the DRAM's bandwidth is
the 64 GB/s of one port of that table (ours: so no more is promised than all ports have), and each
row of chiplets has a port on either side (SCAR: memory interfaces on the left and right columns).

Patterns, by name; where the kinds lie is our reading of their names in SCAR:

- checkerboard, what `het-XxY` alone means: weight-stationary where column + row is even.
- sides: the left and the right column weight-stationary, what is between them output-stationary.
- cross: the middle rows and columns output-stationary, the corners weight-stationary.
- ws, os: all chiplets alike.
- mono-ws, mono-os: one chiplet with the MACs, buffers and DRAM bandwidth of all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from instances.package import Dataflow, Package

BASE = "datacentre-2x2"
"""The built-in package that has the constants."""

Lies = Callable[[int, int, int, int], bool]
"""(column, row, columns, rows) -> whether an output-stationary chiplet lies there."""


def _in_middle(at: int, count: int) -> bool:
    """The middle one of an odd number, the middle two of an even one, none of two."""
    return count > 2 and at in (count // 2, (count - 1) // 2)


PATTERNS: Mapping[str, Lies] = MappingProxyType(
    {
        "checkerboard": lambda x, y, columns, rows: (x + y) % 2 == 1,
        "sides": lambda x, y, columns, rows: 0 < x < columns - 1,
        "cross": lambda x, y, columns, rows: _in_middle(x, columns) or _in_middle(y, rows),
        "ws": lambda x, y, columns, rows: False,
        "os": lambda x, y, columns, rows: True,
    }
)

MONOLITHS: Mapping[str, Dataflow] = MappingProxyType(
    {"mono-ws": "weight-stationary", "mono-os": "output-stationary"}
)

MIXED_NAMES = (
    "het-2x2",
    "het-2x2-ws",
    "het-2x2-os",
    "het-2x2-mono-ws",
    "het-2x2-mono-os",
    *(
        f"het-{size}-{pattern}"
        for size in ("3x3", "6x6")
        for pattern in ("checkerboard", "sides", "cross", "ws", "os", "mono-ws", "mono-os")
    ),
)
"""Those that are listed; others have other meshes."""

_NAME = re.compile(rf"het-([0-9]+)x([0-9]+)(?:-({'|'.join((*PATTERNS, *MONOLITHS))}))?")


def mixed_size(name: str) -> tuple[int, int, str] | None:
    """Columns, rows and pattern of a name; None if it is none of these packages."""
    found = _NAME.fullmatch(name)
    return None if found is None else (int(found[1]), int(found[2]), found[3] or "checkerboard")


def mixed_package(name: str, base: Package) -> Package:
    """A package by its name.

    Args:
        name: one that `mixed_size` knows.
        base: the package with the constants.
    """
    size = mixed_size(name)
    assert size is not None, name
    columns, rows, pattern = size
    count, ports = columns * rows, 2 * rows
    share = base.dram.bandwidth * count
    package = replace(base, name=name, overlap=False)
    if pattern in MONOLITHS:
        across, down = base.chiplet.array
        whole = replace(
            base.chiplet,
            dataflow=MONOLITHS[pattern],
            array=(across * columns, down * rows),
            buffer_bytes=base.chiplet.buffer_bytes * count,
            leakage_w=base.chiplet.leakage_w * count,
        )
        dram = replace(base.dram, ports=2, bandwidth=share // 2)
        return replace(package, mesh=(1, 1), chiplet=whole, dram=dram)
    kinds = {
        flow: replace(base.chiplet, dataflow=flow)
        for flow in ("weight-stationary", "output-stationary")
    }
    lies = PATTERNS[pattern]
    places = [(x, y) for x in range(columns) for y in range(rows)]
    other = [tile for tile in places if lies(*tile, columns, rows)]
    usual = kinds["weight-stationary"]
    if len(other) == count:
        usual, other = kinds["output-stationary"], []
    return replace(
        package,
        mesh=(columns, rows),
        chiplet=usual,
        dram=replace(base.dram, ports=ports, bandwidth=share // ports),
        unlike=tuple((tile, kinds["output-stationary"]) for tile in other),
    )
