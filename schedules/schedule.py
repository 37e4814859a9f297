"""Schedules: segments, their clusters, each cluster's region and options."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cluster:
    """One pipeline stage: layers first..last, merged on one region.

    Attributes:
        first, last: layer indices, inclusive.
        chiplets: size of the region.
        options: the name of each layer's partition, in layer order.
        tiles: [x, y] mesh coordinates of the region's chiplets; None while it has no place.
    """

    first: int
    last: int
    chiplets: int
    options: tuple[str, ...]
    tiles: tuple[tuple[int, int], ...] | None = None


@dataclass(frozen=True)
class Segment:
    """Clusters that share the package at the same time.

    Attributes:
        clusters: in layer order.
        tiled: the segment is one layer on the whole package, run in weight tiles.
    """

    clusters: tuple[Cluster, ...]
    tiled: bool = False

    @property
    def first(self) -> int:
        """Index of the first layer."""
        return self.clusters[0].first

    @property
    def last(self) -> int:
        """Index of the last layer."""
        return self.clusters[-1].last


@dataclass(frozen=True)
class Schedule:
    """Segments in execution order.

    Attributes:
        segments: of the whole network.
        ratios: by how much each layer's output is compressed where it crosses, 1 for not at all;
            empty if nothing is.
    """

    segments: tuple[Segment, ...]
    ratios: tuple[int, ...] = ()


def counted(number: int, what: str) -> str:
    """'1 chiplet', '2 chiplets'."""
    return f"{number} {what}{'' if number == 1 else 's'}"
