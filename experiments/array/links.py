"""Whether the formulas of link loads say what is counted link by link, on random layouts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from experiments.bars import Measure
from instances.array import ORGANISATIONS, Array, Organisation
from instances.arrays import load_array
from instances.cost.array import Flow
from schedules.array.links import busiest, hop_bytes
from schedules.array.patterns import Pattern, patterns
from schedules.array.routed import link_loads
from schedules.array.schedule import Layout

LAYOUTS = 1_000
"""Of each organisation and topology."""

SIDE = 16
"""Columns and rows, at most."""

DEPTH = 8
"""Layers, at most."""


@dataclass(frozen=True)
class LinkCase:
    """Layers laid out on an array, and what they hand on.

    Attributes:
        array: where.
        layout, depth: of a segment with so many layers.
        flows: random ones, bytes of a tile.
    """

    array: Array
    layout: Layout
    depth: int
    flows: tuple[Flow, ...]


@dataclass(frozen=True)
class LinkCount:
    """Layouts of an organisation on a topology.

    Attributes:
        organisation: of all.
        augmented: whether tensors travel over express links; no layer by itself sends any.
        layouts: how many were compared.
        wrong: how many have another busiest link, or other bytes times hops, than is counted.
    """

    organisation: Organisation
    augmented: bool
    layouts: int
    wrong: int


def link_counts(
    layouts: int = LAYOUTS,
    side: int = SIDE,
    seed: int = 0,
    watch: Callable[[str], object] | None = None,
) -> Iterator[LinkCount]:
    """Compare the formulas with the count, by organisation and topology.

    Args:
        layouts: of each organisation and topology.
        side: columns and rows, at most.
        seed: of the layouts.
        watch: called with what is compared.

    Raises:
        ValueError: a side of less than 8.
    """
    for organisation in ORGANISATIONS:
        for augmented in (False, True):
            if watch is not None:
                watch(f"links: {organisation}, {'augmented' if augmented else 'plain'} mesh")
            rng = np.random.default_rng([seed, ORGANISATIONS.index(organisation), augmented])
            cases = (random_case(rng, organisation, augmented, side) for _ in range(layouts))
            wrong = sum(not agrees(case) for case in cases)
            yield LinkCount(organisation, augmented, layouts, wrong)


def agrees(case: LinkCase) -> bool:
    """Whether the busiest link and the bytes times hops are as counted."""
    loads = link_loads(case.array, case.flows, case.layout, case.depth)
    told = (case.flows, case.layout, case.depth, case.array.express)
    most, total = max(loads.values(), default=0), sum(loads.values())
    return busiest(*told) == most and hop_bytes(*told) == total


def random_case(
    rng: np.random.Generator, organisation: Organisation, augmented: bool, side: int = SIDE
) -> LinkCase:
    """A random array with a random layout of an organisation.

    Args:
        rng: draws.
        organisation: of the layout.
        augmented: whether there are express links, and they are used where they can be.
        side: columns and rows, at most.

    Raises:
        ValueError: a side of less than 8: two stripes of two blocks have no room for express links.
    """
    if side < 8:
        raise ValueError(f"arrays of up to {side} x {side} PEs: expected at least 8 x 8")
    while True:
        columns, rows = (int(n) for n in rng.integers(2, side + 1, 2))
        express = int(rng.integers(2, max(3, max(columns, rows) // 2 + 1))) if augmented else 0
        if express >= max(columns, rows):
            continue
        depth = 1 if organisation == "sequential" else int(rng.integers(2, DEPTH + 1))
        array = replace(
            load_array(f"{columns}x{rows}"),
            express=express,
            organisations=(organisation, "sequential"),
        )
        used = augmented and depth > 1
        fitting = [own for own in patterns(array, depth) if any(own.express) == used]
        if fitting:
            pattern = fitting[int(rng.integers(len(fitting)))]
            layout = _random_layout(rng, pattern, depth)
            return LinkCase(array, layout, depth, _random_flows(rng, depth))


def _random_layout(rng: np.random.Generator, pattern: Pattern, depth: int) -> Layout:
    if depth == 1:
        return pattern.layout((pattern.cell[1],), (pattern.cell[0],))
    (bands, columns), (wide, high), (unit, tall) = pattern.grid, pattern.cell, pattern.units
    return pattern.layout(_sizes(rng, bands, tall, high), _sizes(rng, columns, unit, wide))


def _sizes(rng: np.random.Generator, parts: int, unit: int, room: int) -> tuple[int, ...]:
    """Random multiples of a unit that together have room."""
    cuts = np.sort(rng.choice(room // unit, size=parts, replace=False)) + 1
    return tuple(int(n) * unit for n in np.diff(cuts, prepend=0))


def _random_flows(rng: np.random.Generator, depth: int) -> tuple[Flow, ...]:
    """From each layer to the next one, mostly, and some past others."""
    flows = []
    for producer in range(depth - 1):
        for consumer in range(producer + 1, depth):
            if rng.random() < (0.8 if consumer == producer + 1 else 0.25):
                flows.append(Flow(producer, consumer, int(rng.integers(1, 10_000))))
    return tuple(flows)


def link_measures(
    layouts: int = LAYOUTS, watch: Callable[[str], object] | None = None
) -> list[Measure]:
    """How many random layouts are wrong, by organisation and topology.

    Args:
        layouts: of each.
        watch: called with what is compared.
    """
    return [
        Measure(
            f"link loads, {own.organisation} on {'an augmented' if own.augmented else 'a plain'}"
            " mesh: not as counted",
            own.wrong,
            0,
            "",
            f"{own.layouts} layouts",
        )
        for own in link_counts(layouts, watch=watch)
    ]
