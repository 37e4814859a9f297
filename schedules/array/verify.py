"""Whether a schedule may run on an array; it knows no solver."""

from __future__ import annotations

from collections.abc import Iterator

from instances.cost.array import ArrayCosts
from schedules.array.schedule import ArraySchedule, ArraySegment

AXES = (("columns", "widths"), ("rows", "heights"))


def array_violations(costs: ArrayCosts, schedule: ArraySchedule) -> list[str]:
    """All that is wrong with a schedule, a sentence each; empty if it may run.

    Args:
        costs: those of the network on the array.
        schedule: what is checked.
    """
    wrong, reached = [], 0
    for number, segment in enumerate(schedule.segments):
        if segment.first != reached:
            wrong.append(f"segment {number} begins at layer {segment.first}, expected {reached}")
        if not 0 <= segment.first <= segment.last < costs.layers:
            layers = f"layers {segment.first} to {segment.last}"
            wrong.append(f"segment {number}: {layers}, expected some of 0 to {costs.layers - 1}")
            return wrong
        reached = segment.last + 1
        wrong += [f"segment {number}: {text}" for text in _segment_violations(costs, segment)]
    if reached != costs.layers:
        wrong.append(f"the schedule ends after {reached} layers of {costs.layers}")
    return wrong


def _segment_violations(costs: ArrayCosts, segment: ArraySegment) -> Iterator[str]:
    if segment.depth > costs.array.depth:
        yield f"{segment.depth} layers at once, expected at most {costs.array.depth}"
    if (segment.tiling, segment.tiles) not in costs.tile_counts(segment.first, segment.last):
        yield f"{segment.tiles} tiles by {segment.tiling} are no way to cut these layers"
    else:
        work = costs.segment(segment.first, segment.last, segment.tiling, segment.tiles)
        if not work.fits:
            room = costs.array.buffer_bytes // 2
            yield f"weights and data on their way take {work.held:,} bytes of {room:,}"
    yield from _layout_violations(costs, segment)


def _layout_violations(costs: ArrayCosts, segment: ArraySegment) -> Iterator[str]:
    array, layout = costs.array, segment.layout
    if min((*layout.heights, *layout.widths, *layout.repeats), default=0) < 1:
        yield "a block or the number of cells is empty"
        return
    bands, columns = len(layout.heights), len(layout.widths)
    grid = bands * columns
    if not grid - columns < segment.depth <= grid:
        yield f"{segment.depth} layers do not fill a grid of {grid} blocks up to its last band"
    elif columns > (needed := -(-segment.depth // bands)):
        yield (
            f"{segment.depth} layers in {bands} bands need {needed} columns of blocks, found"
            f" {columns}"
        )
    if segment.organisation not in array.organisations:
        yield f"{segment.organisation}: the array has {', '.join(array.organisations)} only"
    if bands > array.bands:
        yield f"{bands} bands, expected at most {array.bands}"
    yield from _shape_violations(costs, segment)
    for axis, (name, sizes) in enumerate(AXES):
        used, side = sum(getattr(layout, sizes)), array.mesh[axis]
        if side % layout.repeats[axis]:
            yield f"{side} {name} are not divided evenly into {layout.repeats[axis]} cells"
        elif used > side // layout.repeats[axis]:
            room = side // layout.repeats[axis]
            yield f"blocks take {used} {name} of a cell, expected at most {room}"
        if layout.express[axis]:
            yield from _express_violations(costs, segment, axis)


def _shape_violations(costs: ArrayCosts, segment: ArraySegment) -> Iterator[str]:
    array, layout = costs.array, segment.layout
    if segment.depth == 1:
        if layout.heights != array.mesh[1:] or layout.widths != array.mesh[:1]:
            yield "a layer by itself has the whole array"
        if layout.cells != 1:
            yield "a layer by itself is laid out once"
    elif len(layout.heights) == 1 and layout.repeats[1] != 1:
        yield "stripes are columns: one band, not several cells above each other"


def _express_violations(costs: ArrayCosts, segment: ArraySegment, axis: int) -> Iterator[str]:
    name, sizes = AXES[axis]
    express = costs.array.express
    if not express:
        yield "express links are used, but the array has none"
    elif any(size % express for size in getattr(segment.layout, sizes)):
        yield f"blocks of {sizes} that are no multiples of {express} have no express links"
    if len(getattr(segment.layout, sizes)) == 1:
        yield f"nothing is handed on between {name}, where express links are used"
