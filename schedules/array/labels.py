"""Words for schedules on an array, in tables and pictures."""

from __future__ import annotations

from instances.network import Network
from schedules.array.evaluate import SegmentEvaluation
from schedules.array.schedule import ArraySegment


def layers_label(network: Network, first: int, last: int) -> str:
    """Names of the first and the last layer, of one if they are the same."""
    names = [network.layers[k].name for k in sorted({first, last})]
    return " to ".join(names)


def tiles_label(segment: ArraySegment) -> str:
    """How a sample is cut: '28 by positions', or 'whole samples'."""
    return "whole samples" if segment.tiles == 1 else f"{segment.tiles:,} by {segment.tiling}"


def limit_label(network: Network, found: SegmentEvaluation) -> str:
    """What makes the beat: the first of PEs, buses, links and DRAM that takes as long."""
    beat = found.beat
    if beat.limit in ("links", "DRAM"):
        return beat.limit
    own = beat.compute if beat.limit == "compute" else beat.bus
    layer = network.layers[found.segment.first + own.index(beat.cycles)]
    return f"{beat.limit} of {layer.name}"


def shape_label(segment: ArraySegment) -> str:
    """The organisation, how often its cell is repeated, and whether express links are used."""
    layout = segment.layout
    repeats = "{} x {} cells".format(*layout.repeats) if layout.cells > 1 else ""
    express = "express links" if any(layout.express) else ""
    return ", ".join(filter(None, (segment.organisation, repeats, express)))
