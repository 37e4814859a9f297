"""What a simulation writes down while it runs."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from instances.package import Tile
from instances.tables import Ints

Region = tuple[Tile, ...]
"""Places of its chiplets."""


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
        between: most bytes that were sent and not yet taken.
        spans: what took time.
    """

    def __init__(self, links: int) -> None:
        self.links: Ints = np.zeros(links, dtype=np.int64)
        self.between = 0
        self.spans: list[Span] = []
        self._under_way = 0
        self._busy: Counter[Region] = Counter()
        self._held: dict[Region, int] = {}

    def works(self, region: Region, cycles: int) -> None:
        """The arrays of a region have worked."""
        self._busy[region] += cycles

    def holds(self, region: Region, amount: int) -> None:
        """The buffer of each chiplet of a region holds so many bytes."""
        if amount > self._held.get(region, 0):
            self._held[region] = amount

    @property
    def busy(self) -> Counter[Tile]:
        """Place -> cycles of its array."""
        found: Counter[Tile] = Counter()
        for region, cycles in self._busy.items():
            found.update(dict.fromkeys(region, cycles))
        return found

    @property
    def high_water(self) -> Counter[Tile]:
        """Place -> most bytes in its buffer."""
        found: Counter[Tile] = Counter()
        for region, amount in self._held.items():
            for tile in region:
                found[tile] = max(found[tile], amount)
        return found

    def leaves(self, amount: int) -> None:
        """So many bytes have been sent."""
        self._under_way += amount
        self.between = max(self.between, self._under_way)

    def arrives(self, amount: int) -> None:
        """So many bytes have been taken by all who want them."""
        self._under_way -= amount
