"""The segment model of one segment alone."""

from __future__ import annotations

from formulations.merged_pipeline.segment import Segments
from formulations.merged_pipeline.segment_bounds import Bounds
from formulations.merged_pipeline.segment_pricing import Pricing
from formulations.modellers import Modeller


class OneSegment(Segments):
    """The model of one segment alone, in any number of clusters and as cheap as possible.

    Args:
        pricing: of the instance.
        bounds: for the schedules that cost at most some limit; the segment's own limit is the room
            that they leave for it.
        part: first and last layer of the segment.
    """

    def __init__(
        self, modeller: Modeller, pricing: Pricing, bounds: Bounds, part: tuple[int, int]
    ) -> None:
        self._state(pricing.instance, modeller, pricing.goal, pricing.weights)
        self._pricing = pricing
        self._room = bounds.room(*part)
        self.bound = None
        inner = ("cover", "count", "package", "beat", "area")
        self._build(pricing.columns_of(bounds, part), ("one", *inner, "room"))

    def one(self) -> None:
        """sum_q y[q] = 1: the segment has some number of clusters, or is tiled."""
        self.modeller.require("one", self.modeller.sum(self.variables.segment) == 1)

    def room(self) -> None:
        """The objective is at most what the other segments leave."""
        self.modeller.require("room", self._total(*self._weigh()) <= self._room)
