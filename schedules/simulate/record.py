"""What a simulation writes down while it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from instances.package import Tile
from instances.tables import Ints


class Span(NamedTuple):
    """Something that took time.

    Attributes:
        segment: in which.
        track: of whom: "cluster 0", "DRAM".
        what: what it was: "sample", "compute", "take in", "send", "load", "read", "write".
        name: of the layer or tensor, or the number of the sample.
        start, end: cycles.
    """

    segment: int
    track: str
    what: str
    name: str
    start: int
    end: int


class Record:
    """Counts and marks of a run.

    Attributes:
        links: [links] bytes that have passed.
        busy: place -> cycles of its array.
        high_water: place -> most bytes in its buffer.
        between: most bytes that were sent and not yet taken.
        spans: what took time.
    """

    def __init__(self, links: int) -> None:
        self.links: Ints = np.zeros(links, dtype=np.int64)
        self.busy: Counter[Tile] = Counter()
        self.high_water: dict[Tile, int] = {}
        self.between = 0
        self.spans: list[Span] = []
        self._under_way = 0

    def works(self, tiles: Sequence[Tile], cycles: int) -> None:
        """The arrays of a region have worked."""
        for tile in tiles:
            self.busy[tile] += cycles

    def holds(self, tiles: Sequence[Tile], amount: int) -> None:
        """The buffer of each chiplet of a region holds so many bytes."""
        if amount > self.high_water.get(tiles[0], 0):
            for tile in tiles:
                self.high_water[tile] = max(amount, self.high_water.get(tile, 0))

    def leaves(self, amount: int) -> None:
        """So many bytes have been sent."""
        self._under_way += amount
        self.between = max(self.between, self._under_way)

    def arrives(self, amount: int) -> None:
        """So many bytes have been taken by all who want them."""
        self._under_way -= amount
