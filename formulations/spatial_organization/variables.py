"""The variables of the model of an array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from formulations.modellers import Modeller, Variable, label
from formulations.spatial_organization.columns import Block, Column

Part = tuple[int, int]
"""Number of a column, and of a band or a column of its grid."""


@dataclass(frozen=True)
class Variables:
    """The variables of the model.

    Attributes:
        chosen: x, by column.
        height: h, by column and band: size -> variable.
        width: w, by column and column of the grid: size -> variable.
        block: y, by column and layer in it: height and width -> variable.
        excess: z, by column.
    """

    chosen: list[Variable]
    height: dict[Part, dict[int, Variable]]
    width: dict[Part, dict[int, Variable]]
    block: dict[Part, dict[Block, Variable]]
    excess: list[Variable]

    def binaries(self) -> Iterator[Variable]:
        """All but the excesses, some of them more than once."""
        yield from self.chosen
        for sizes in (*self.height.values(), *self.width.values()):
            yield from sizes.values()
        for blocks in self.block.values():
            yield from blocks.values()


def declare(modeller: Modeller, columns: Sequence[Column]) -> Variables:
    """Declare what the columns need."""
    v = Variables([], {}, {}, {}, [])
    for q, own in enumerate(columns):
        chosen = modeller.binary(label("column", *own.key))
        v.chosen.append(chosen)
        excess = modeller.quantity(0, own.most - own.bound, label("excess", *own.key))
        v.excess.append(excess)
        for b, sizes in enumerate(own.sizes.heights):
            place = ("height", *own.key, b)
            v.height[q, b] = _sizes(modeller, chosen, place, sizes.tolist())
        for c, sizes in enumerate(own.sizes.widths):
            place = ("width", *own.key, c)
            v.width[q, c] = _sizes(modeller, chosen, place, sizes.tolist())
        for k, (b, c) in enumerate(own.places):
            v.block[q, k] = _blocks(modeller, own, k, v.height[q, b], v.width[q, c])
    return v


def _sizes(
    modeller: Modeller, chosen: Variable, place: tuple[object, ...], sizes: list[int]
) -> dict[int, Variable]:
    """A variable for each size; that of the column for a single one."""
    if len(sizes) == 1:
        return {sizes[0]: chosen}
    what, *rest = place
    return {size: modeller.binary(label(str(what), *rest, size)) for size in sizes}


def _blocks(
    modeller: Modeller,
    own: Column,
    layer: int,
    heights: dict[int, Variable],
    widths: dict[int, Variable],
) -> dict[Block, Variable]:
    """A variable for each block of a layer that is fast enough."""
    found: dict[Block, Variable] = {}
    for (r, s), _ in own.fast(layer):
        if own.crossed(layer):
            found[r, s] = modeller.quantity(0, 1, label("block", *own.key, layer, r, s))
        else:
            found[r, s] = widths[s] if len(heights) == 1 else heights[r]
    return found
