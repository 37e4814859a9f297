"""Connected regions of given sizes, on a mesh that may have faults."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from instances.jit import compiled
from instances.mesh import Mesh
from instances.package import Tile
from instances.tables import Ints

TRIES = 200
"""Orders of the regions and of the places that are tried before regions are called impossible."""


def runs(order: Sequence[Tile], sizes: Sequence[int]) -> list[tuple[Tile, ...]]:
    """The places along an order, cut into regions."""
    rest = iter(order)
    return [tuple(islice(rest, size)) for size in sizes]


def connected_regions(
    mesh: Mesh, order: Sequence[Tile], sizes: Sequence[int]
) -> list[tuple[Tile, ...]] | None:
    """Disjoint connected regions, each early along an order of the places that it may take.

    The runs of the order if they are connected. Otherwise the regions grow one after the other,
    and leave what is free in as few pieces as they can; if the last ones then find no room, they
    grow anew in another order, TRIES times. None means that no try fits: there may be regions all
    the same, for the question is a hard one (NP-complete) on a mesh with many faults.

    Args:
        mesh: tells which places are joined.
        order: places without repetition.
        sizes: [K] of the regions, together at most the places.
    """
    first = runs(order, sizes)
    if all(mesh.connected(region) for region in first):
        return first
    beside = joined_places(order, mesh)
    wanted, ranks = np.array(sizes, dtype=np.int64), np.arange(len(order))
    draw = np.random.default_rng(0)
    for attempt in range(TRIES):
        sequence = np.arange(len(sizes))
        if attempt:
            sequence = draw.permutation(len(sizes))
            ranks = np.argsort(np.argsort(np.arange(len(order)) + draw.normal(0, attempt / 8)))
        owner = np.full(len(order), -1)
        if grow(owner, ranks, wanted, sequence, beside):
            taken = owner.tolist()
            return [
                tuple(tile for tile, k in zip(order, taken, strict=True) if k == region)
                for region in range(len(sizes))
            ]
    return None


def joined_places(order: Sequence[Tile], mesh: Mesh) -> Ints:
    """[T,4] numbers, along an order, of the places to which working links lead; -1 for none."""
    number = {tile: k for k, tile in enumerate(order)}
    beside = np.full((len(order), 4), -1)
    for k, tile in enumerate(order):
        others = [number[other] for other in mesh.joined(tile) if other in number]
        beside[k, : len(others)] = others
    return beside


@compiled
def grow(owner: Ints, ranks: Ints, sizes: Ints, sequence: Ints, beside: Ints) -> bool:
    """Let regions grow, one after the other; False if there is no room for one.

    Args:
        owner: [T] region of each place, -1 where it is free; changed in place.
        ranks: [T] a lower one is taken before, where nothing else matters.
        sizes: [K] of the regions.
        sequence: [K] in which they grow.
        beside: [T,4] places joined to each, -1 for none.
    """
    pieces = np.empty(len(owner), dtype=np.int64)
    for region in sequence:
        here = _start(owner, ranks, sizes[region], beside, pieces)
        if here < 0:
            return False
        owner[here] = region
        for _ in range(sizes[region] - 1):
            here = _next(owner, ranks, region, beside, pieces)
            if here < 0:
                return False
            owner[here] = region
    return True


@compiled
def _start(owner: Ints, ranks: Ints, size: int, beside: Ints, pieces: Ints) -> int:
    """The free place of the lowest rank in a piece that is large enough; -1 if there is none."""
    _pieces(owner, beside, pieces)
    best = -1
    for place in range(len(owner)):
        fits = owner[place] < 0 and pieces[place] >= size
        if fits and (best < 0 or ranks[place] < ranks[best]):
            best = place
    return best


@compiled
def _next(owner: Ints, ranks: Ints, region: int, beside: Ints, pieces: Ints) -> int:
    """The free place beside a region that leaves the largest piece free, then of lowest rank."""
    best, most = -1, -1
    for place in range(len(owner)):
        if owner[place] >= 0 or not _touches(owner, region, place, beside):
            continue
        owner[place] = region
        left = _pieces(owner, beside, pieces)
        owner[place] = -1
        if left > most or (left == most and ranks[place] < ranks[best]):
            best, most = place, left
    return best


@compiled
def _touches(owner: Ints, region: int, place: int, beside: Ints) -> bool:
    found = False
    for other in beside[place]:
        found |= other >= 0 and owner[other] == region
    return found


@compiled
def _pieces(owner: Ints, beside: Ints, pieces: Ints) -> int:
    """Write the size of the free piece that each free place is in; return the largest."""
    pieces[:] = 0
    found = np.empty(len(owner), dtype=np.int64)
    largest = 0
    for start in range(len(owner)):
        if owner[start] >= 0 or pieces[start] > 0:
            continue
        found[0], count, head = start, 1, 0
        pieces[start] = 1
        while head < count:
            for other in beside[found[head]]:
                if other >= 0 and owner[other] < 0 and pieces[other] == 0:
                    pieces[other] = 1
                    found[count] = other
                    count += 1
            head += 1
        for k in range(count):
            pieces[found[k]] = count
        largest = max(largest, count)
    return largest
