"""The segments that Scope's search considers, and what is known of their costs.

Candidates of up to `resolution` layers may begin anywhere, longer ones at every second, fourth, ..
layer: there are O(L log L) of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heuristics.scope.areas import Areas, guess_by_area
from heuristics.scope.needs import Needs, guess_by_needs
from instances.jit import compiled
from instances.stages import StageCosts, drams
from instances.tables import Ints

UNKNOWN = -1


class Candidates(NamedTuple):
    """Segments by first layer, shortest first; no cost holds the loading of weights.

    Attributes:
        begin: [L+1] those of layer l are begin[l] to begin[l+1].
        first, last: [N] layers.
        dram: [N] cycles of DRAM traffic a sample.
        guesses: [N] cycles that they will about cost, FAR if nothing fits.
        costs: [N] cycles; UNKNOWN, or FAR if there is nothing, or nothing of use.
        clusters, beats: [N] with which `cover` finds a known cost again; 0 clusters if it is tiled.
    """

    begin: Ints
    first: Ints
    last: Ints
    dram: Ints
    guesses: Ints
    costs: Ints
    clusters: Ints
    beats: Ints


@compiled
def candidates(costs: StageCosts, known: Areas, batch: int, resolution: int) -> Candidates:
    """All candidates, with guesses by their areas."""
    layers = costs.alone.shape[0]
    begin = np.zeros(layers + 1, dtype=np.int64)
    for first in range(layers):
        begin[first + 1] = begin[first] + ends_from(first, layers, resolution).shape[0]
    number = begin[layers]
    found = Candidates(
        begin,
        np.empty(number, dtype=np.int64),
        np.empty(number, dtype=np.int64),
        np.empty(number, dtype=np.int64),
        np.empty(number, dtype=np.int64),
        np.full(number, UNKNOWN),
        np.zeros(number, dtype=np.int64),
        np.zeros(number, dtype=np.int64),
    )
    for first in range(layers):
        ends = ends_from(first, layers, resolution)
        if ends.shape[0] == 0:
            continue
        traffic = drams(costs, first, ends[-1] - 1)
        for k in range(ends.shape[0]):
            at, last = begin[first] + k, ends[k] - 1
            found.first[at], found.last[at] = first, last
            found.dram[at] = traffic[last - first]
            found.guesses[at] = guess_by_area(
                known, first, last, costs.chiplets, batch, traffic[last - first]
            )
    return found


@compiled
def ends_from(first: int, layers: int, resolution: int) -> Ints:
    """Where candidates from a layer end (exclusive), ascending.

    Both borders of a candidate of more than resolution * 2^k layers are multiples of 2^(k+1); the
    end of the network may always be one. Resolution 0 leaves the whole network only.
    """
    if resolution == 0:
        return np.full(1 if first == 0 else 0, layers)
    ends = [first + 1]
    stride, length = 1, 2
    while first % stride == 0 and first + length <= layers:
        while length <= resolution * stride and first + length <= layers:
            ends.append(first + length)
            length += stride
        stride *= 2
        length = (length + stride - 1) // stride * stride
    if ends[-1] != layers:
        ends.append(layers)
    return np.array(ends, dtype=np.int64)


@compiled
def guess_again(found: Candidates, known: Needs, chiplets: int, batch: int) -> None:
    """Better guesses, from what the clusters need to keep a beat."""
    for at in range(found.last.shape[0]):
        found.guesses[at] = guess_by_needs(
            known, found.first[at], found.last[at], chiplets, batch, found.dram[at]
        )[0]
