"""The columns of the segment formulation: segments priced from below, with their stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from formulations.merged_pipeline.columns import FAR
from formulations.merged_pipeline.segment_bounds import Bounds
from formulations.merged_pipeline.segment_start import Kind, Start
from instances.tables import Ints


class Stage(NamedTuple):
    """A cluster column within a segment.

    Attributes:
        first, last: layers, inclusive.
        chiplets: exactly so many.
        time: cycles a sample.
        excess: cycles by which its time exceeds the segment's least beat, at least 0.
        energy: picojoules a sample; if energy does not count, its share of the losses.
        kind: its choices of ratios, and what they load.
    """

    first: int
    last: int
    chiplets: int
    time: int
    excess: int
    energy: int
    kind: Kind = Kind()


@dataclass(frozen=True)
class SegmentColumn:
    """A segment in a given number of clusters.

    Attributes:
        first, last: layers, inclusive.
        clusters: K; 0 if the segment is tiled.
        beats: how often its beat is paid, m+K-1; m if it is tiled.
        load: cycles.
        least: cycles, a lower bound on its beat; the beat itself if it is tiled.
        energy: picojoules but for its stages and leakage.
        stages: that may be among its clusters; none if it is tiled. Of those of one interval that
            do not exceed the least beat, just the undominated ones in chiplets and energy, for
            each combination of ratios.
    """

    first: int
    last: int
    clusters: int
    beats: int
    load: int
    least: int
    energy: int
    stages: tuple[Stage, ...] = ()

    @property
    def bound(self) -> int:
        """A lower bound on the segment's cycles, load included."""
        return self.load + self.beats * self.least


def segment_columns(
    known: Start,
    bounds: Bounds,
    part: tuple[int, int] | None = None,
    pause: Callable[[], object] = lambda: None,
) -> list[SegmentColumn]:
    """The segment columns that are not out of the question.

    Args:
        part: first and last layer, if only the columns of that segment are asked for.
        pause: called now and then; what it raises ends this.
    """
    tiled = [layer for layer in bounds.tiled() if part in (None, (layer, layer))]
    columns = list(_tiled(known, tiled))
    for column in _pipelines(known, bounds, bounds.open(part)):
        pause()
        columns.append(column)
    return columns


def _tiled(known: Start, layers: Sequence[int]) -> Iterator[SegmentColumn]:
    batch = int(known.beats[1])
    for layer in layers:
        load = int(known.load[layer, layer])
        beat = (int(known.tiled[layer]) - load) // batch
        yield SegmentColumn(layer, layer, 0, batch, load, beat, int(known.tiled_energy[layer]))


def _pipelines(
    known: Start, bounds: Bounds, places: Sequence[tuple[int, int, int]]
) -> Iterator[SegmentColumn]:
    for first, last, clusters in places:
        least, useful = bounds.useful(first, last, clusters)
        if least < FAR:
            yield SegmentColumn(
                first,
                last,
                clusters,
                beats=int(known.beats[clusters]),
                load=int(known.load[first, last]),
                least=least,
                energy=int(known.energy[first, last]),
                stages=_stages(known, np.argwhere(useful) + np.array([first, first, 0]), least),
            )


def _stages(known: Start, places: Ints, least: int) -> tuple[Stage, ...]:
    """Stages at places [.,3]: first layer, last layer, number."""
    where = tuple(places.T)
    times, chiplets, energies, kinds = (table[where].tolist() for table in known.stages)
    return tuple(
        Stage(i, j, size, time, max(0, time - least), energy, known.kind(i, j, kind))
        for (i, j, _), size, time, energy, kind in zip(
            places.tolist(), chiplets, times, energies, kinds, strict=True
        )
    )
