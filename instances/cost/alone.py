"""One layer alone on the whole package, its weights in tiles that fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instances.cost.arithmetic import (
    LayerSizes,
    blocks_of_positions,
    ceil_div,
    compute_cycles,
    operand_reads,
)
from instances.cost.traffic import Clock, Traffic, Use, role_bytes
from instances.package import Package
from instances.tables import Ints


@dataclass(frozen=True, eq=False)
class _Tiling:
    """One way to run every layer in weight tiles, [L,1] columns.

    Attributes:
        fits: whether even one output channel at a time fits.
        tiles: how many weight tiles, one after the other.
        channels: output channels of a tile on one chiplet.
        rows, columns: output positions on one chiplet.
        weights: bytes of a tile's weights on one chiplet.
        received: bytes through one port, a sample.
    """

    fits: NDArray[np.bool_]
    tiles: Ints
    channels: Ints
    rows: Ints
    columns: Ints
    weights: Ints
    inputs: Ints
    received: Ints


def alone_costs(
    traffic: Traffic, sizes: LayerSizes, package: Package, uses: list[list[Use]]
) -> tuple[Ints, Ints]:
    """[L] beat in cycles, -1 where no tile fits, and [L] picojoules a sample.

    Tiles of output channels stay for the whole batch; activations stream from DRAM, the inputs
    once a tile, and back. Channels (as ISP) or positions (as WSP) are spread over all chiplets,
    whichever is faster.
    """
    model = _Alone(traffic, sizes, package, uses)
    ways = [model.cost(model.by_channel()), model.cost(model.by_position())]
    beats = np.stack([beat for beat, _ in ways])
    energies = np.stack([energy for _, energy in ways])
    fastest = beats.argmin(axis=0)
    layers = np.arange(beats.shape[1])
    beat, energy = beats[fastest, layers], energies[fastest, layers]
    never = beat == _NEVER
    return np.where(never, -1, beat), np.where(never, 0, energy)


_NEVER = np.iinfo(np.int64).max


class _Alone:
    def __init__(
        self, traffic: Traffic, sizes: LayerSizes, package: Package, uses: list[list[Use]]
    ) -> None:
        self.traffic, self.sizes, self.package = traffic, sizes, package
        self.clock = Clock(package)
        self.chiplets = package.chiplets
        self.uses = uses
        self.inputs = role_bytes(uses, "input")
        self.operands = role_bytes(uses, "operand")
        self.addends = role_bytes(uses, "addend")
        layers = traffic.network.layers
        made = [
            sum(t.elements for t in traffic.network.tensors if t.producer == index)
            for index in range(len(layers))
        ]
        self.made = self._column(made) * package.element_bytes
        stationary = sizes.weights * package.element_bytes + self._column(
            [sum(use.bytes for use in own if "operand" in use.roles) for own in uses]
        )
        self.channel_bytes = ceil_div(stationary, sizes.channels)
        self.width = package.element_bytes * np.where(self.addends > 0, 2, 1)

    @staticmethod
    def _column(values: list[int]) -> Ints:
        return np.array(values, dtype=np.int64)[:, None]

    def _row_bytes(self, columns: Sequence[int | None]) -> Ints:
        """Inputs that must be on one chiplet for a row of outputs that reads so many columns."""
        return self._column(
            [
                sum(self.traffic.input_row(use, width) for use in own if "input" in use.roles)
                for own, width in zip(self.uses, columns, strict=True)
            ]
        )

    def _channels_that_fit(self, row: Ints, columns: Ints) -> Ints:
        """Output channels whose weights fit beside double-buffered rows of input and output."""
        free = self.package.chiplet.buffer_bytes - 2 * row
        fit: Ints = free // (self.channel_bytes + 2 * columns * self.width)
        return fit

    def by_channel(self) -> _Tiling:
        """Every chiplet sees all inputs and makes some of the tile's channels."""
        sizes, chiplets = self.sizes, self.chiplets
        fit = self._channels_that_fit(self._row_bytes([None] * len(self.uses)), sizes.columns)
        share = ceil_div(sizes.channels, chiplets)
        tiles = ceil_div(share, np.clip(fit, 1, share))
        channels = ceil_div(share, tiles)
        own = ceil_div(self.operands, chiplets) + ceil_div(self.addends, chiplets)
        return _Tiling(
            fits=fit >= 1,
            tiles=tiles,
            channels=channels,
            rows=sizes.rows,
            columns=sizes.columns,
            weights=channels * self.channel_bytes,
            inputs=self.inputs,
            received=tiles * self.inputs + own,
        )

    def by_position(self) -> _Tiling:
        """Every chiplet holds the whole weight tile and makes some positions."""
        sizes, split = self.sizes, self.traffic.split
        rows, columns = split.rows[:, -1:], split.columns[:, -1:]
        row = self._row_bytes(split.input_columns[:, -1].tolist())
        fit = self._channels_that_fit(row, columns)
        tiles = ceil_div(sizes.channels, np.clip(fit, 1, sizes.channels))
        channels = ceil_div(sizes.channels, tiles)
        part = self._column(
            [
                sum(int(self.traffic.tile(u)[-1]) for u in own if "input" in u.roles)
                for own in self.uses
            ]
        )
        return _Tiling(
            fits=fit >= 1,
            tiles=tiles,
            channels=channels,
            rows=rows,
            columns=columns,
            weights=channels * self.channel_bytes,
            inputs=part,
            received=tiles * part + self.operands + ceil_div(self.addends, self.chiplets),
        )

    def cost(self, way: _Tiling) -> tuple[Ints, Ints]:
        """[L] beat (_NEVER where nothing fits) and [L] picojoules a sample."""
        package, chiplet = self.package, self.package.chiplet
        compute = way.tiles * compute_cycles(
            chiplet, self.sizes, way.channels, way.rows, way.columns
        )
        ports = self.clock.port(way.received) + self.clock.port(ceil_div(self.made, self.chiplets))
        on_chip = np.maximum(compute, ports) if package.overlap else compute + ports
        dram = way.tiles * self.inputs + self.operands + self.addends + self.made
        beat = np.maximum(on_chip, self.clock.dram(dram))

        passes = blocks_of_positions(chiplet, way.rows, way.columns)
        reads = way.tiles * operand_reads(chiplet, way.channels, way.weights, way.inputs, passes)
        macs = np.array([[layer.macs] for layer in self.traffic.network.layers], dtype=np.float64)
        bits = 8 * (
            chiplet.buffer_read_pj_per_bit * (reads * self.chiplets + self.made)
            + chiplet.buffer_write_pj_per_bit * (way.received * self.chiplets + self.made)
            + package.nop.pj_per_bit * (way.received * self.chiplets + self.made)
            + package.dram.pj_per_bit * dram
        )
        energy = np.rint(chiplet.mac_pj * macs + bits).astype(np.int64)
        return np.where(way.fits, beat, _NEVER)[:, 0], energy[:, 0]
