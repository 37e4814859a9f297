"""How much the busiest link of an array carries: formulas *(ours)*.

Blocks of a grid are aligned, so a tensor from one block to another moves along the rows of its
producer's band and then along the columns of its consumer (XY routing). Its bytes are spread
evenly over these rows and columns: of a tile of A bytes in n cells, a row of a band of height h
carries A / (h n), a column of width w carries A / (w n). Inside a block the load rises or falls
linearly, so the busiest link lies between two blocks, and the load there is the sum over the
tensors that cross. Express links of length k divide it by k: bytes stay on links of their own
place modulo k. `schedules.array.routed` counts the same link by link.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from instances.cost.array import Flow
from instances.cost.rates import over
from schedules.array.schedule import Layout


class Crossings(NamedTuple):
    """Bytes of a tile, of all cells together, over the fullest boundary between blocks.

    Attributes:
        bands: along the rows of each band.
        columns: along the columns of each column of the grid.
    """

    bands: tuple[int, ...]
    columns: tuple[int, ...]


def crossings(flows: Sequence[Flow], layout: Layout, depth: int) -> Crossings:
    """What crosses boundaries, for each band and each column of a grid.

    Only the shape of the grid matters, not the sizes of its blocks.
    """
    place = list(layout.places(depth))
    along: Counter[tuple[int, int, bool]] = Counter()  # band, boundary, to the right
    down: Counter[tuple[int, int, bool]] = Counter()  # column, boundary, downwards
    for flow in flows:
        (band, column), (other, into) = place[flow.producer], place[flow.consumer]
        for boundary in range(min(column, into), max(column, into)):
            along[band, boundary, column < into] += flow.size
        for boundary in range(min(band, other), max(band, other)):
            down[into, boundary, band < other] += flow.size
    bands, columns = [0] * len(layout.heights), [0] * len(layout.widths)
    for (band, _, _), size in along.items():
        bands[band] = max(bands[band], size)
    for (column, _, _), size in down.items():
        columns[column] = max(columns[column], size)
    return Crossings(tuple(bands), tuple(columns))


def busiest(flows: Sequence[Flow], layout: Layout, depth: int, express: int) -> Fraction:
    """Bytes of a tile on the busiest link.

    Args:
        flows: what is handed on, bytes of all cells together.
        layout: where the blocks are.
        depth: how many blocks there are.
        express: length of the express links, 0 without.
    """
    return max(Fraction(size, links) for size, links in _spread(flows, layout, depth, express))


def link_cycles(
    flows: Sequence[Flow], layout: Layout, depth: int, express: int, link_bytes: int
) -> int:
    """Cycles of a tile on the busiest link, which carries `link_bytes` a cycle."""
    spread = _spread(flows, layout, depth, express)
    return max(over(size, links * link_bytes) for size, links in spread)


def _spread(
    flows: Sequence[Flow], layout: Layout, depth: int, express: int
) -> Iterator[tuple[int, int]]:
    """Bytes of a tile over each band's and column's fullest boundary; links that share them."""
    across = crossings(flows, layout, depth)
    lanes = [express if used else 1 for used in layout.express]
    for size, height in zip(across.bands, layout.heights, strict=True):
        yield size, height * layout.cells * lanes[0]
    for size, width in zip(across.columns, layout.widths, strict=True):
        yield size, width * layout.cells * lanes[1]


def hop_bytes(flows: Sequence[Flow], layout: Layout, depth: int, express: int) -> Fraction:
    """Bytes of a tile times the links that they pass, over all cells.

    A byte's mean way is from the middle of one block to the middle of another.
    """
    lanes = [express if used else 1 for used in layout.express]
    place = list(layout.places(depth))
    total = Fraction(0)
    for flow in flows:
        (band, column), (other, into) = place[flow.producer], place[flow.consumer]
        links = Fraction(_apart(layout.widths, column, into), 2 * lanes[0])
        links += Fraction(_apart(layout.heights, band, other), 2 * lanes[1])
        total += flow.size * links
    return total


def _apart(sizes: Sequence[int], one: int, other: int) -> int:
    """Twice the distance between the middles of two blocks."""
    low, high = min(one, other), max(one, other)
    return 0 if low == high else sizes[low] + sizes[high] + 2 * sum(sizes[low + 1 : high])
