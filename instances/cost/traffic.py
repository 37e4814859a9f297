"""Traffic: the bytes that reach each chiplet of a region, and how long they take."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, prod
from typing import Literal

import numpy as np

from instances.cost.arithmetic import PositionSplit, ceil_div
from instances.network import Layer, Network, Shape
from instances.package import Package
from instances.tables import Ints

ISP, WSP, WSP_SHARDED = range(3)
OPTIONS = ("ISP", "WSP", "WSP-sharded")
"""Input shared, weights split by output channel; weights shared, positions split, with the weights
replicated; the same with the weights in shards that are gathered before use."""

Role = Literal["input", "operand", "addend"]


@dataclass(frozen=True)
class Use:
    """A tensor that a layer reads.

    Attributes:
        tensor: its name.
        shape: channels, height, width.
        bytes: of the whole tensor.
        layer: index of the reader.
        roles: activation input, second operand of a matmul, element-wise addend, in this order.
    """

    tensor: str
    shape: Shape
    bytes: int
    layer: int
    roles: tuple[Role, ...]


def uses_of(network: Network, index: int, element_bytes: int) -> list[Use]:
    """Every tensor that a layer reads, once each."""
    layer = network.layers[index]
    readings: list[tuple[Role, tuple[str, ...]]] = [
        ("input", layer.inputs),
        ("operand", layer.operands),
        ("addend", layer.addends),
    ]
    uses = []
    for name in layer.reads:
        shape = network.shape(name)
        roles = tuple(role for role, names in readings if name in names)
        uses.append(Use(name, shape, prod(shape) * element_bytes, index, roles))
    return uses


def role_bytes(uses: list[list[Use]], role: Role) -> Ints:
    """[L,1] bytes of the tensors of each layer whose first role this is."""
    sums = [sum(use.bytes for use in own if use.roles[0] == role) for own in uses]
    return np.array(sums, dtype=np.int64)[:, None]


@dataclass(frozen=True, eq=False)
class Traffic:
    """Byte counts for regions of 1..C chiplets.

    Attributes:
        network: whose layers read the tensors.
        split: the tiles of positions that WSP gives the chiplets.
        n: [C] region sizes.
        element_bytes: width of an element.
    """

    network: Network
    split: PositionSplit
    n: Ints
    element_bytes: int

    def tile(self, use: Use) -> Ints:
        """[C] bytes of an input tensor that the largest WSP tile reads, halo included."""
        channels, height, width = use.shape
        layer = self.network.layers[use.layer]
        rows = _needed(self.split.rows, self.split.input_rows, use.layer, layer, 0, height)
        columns = _needed(self.split.columns, self.split.input_columns, use.layer, layer, 1, width)
        return channels * rows * columns * self.element_bytes

    def received(self, use: Use) -> Ints:
        """[O,C] bytes each chiplet receives when the tensor comes from outside the region.

        A tensor of several roles comes once, in the largest amount that one of them asks for.
        """
        whole = np.full_like(self.n, use.bytes)
        share = ceil_div(whole, self.n)
        by_position = self.tile(use)
        amounts: dict[Role, list[Ints]] = {
            "input": [whole, by_position, by_position],
            "operand": [share, whole, whole],
            "addend": [share, share, share],
        }
        return np.max([amounts[role] for role in use.roles], axis=0)

    def redistributed(self, use: Use) -> Ints:
        """[O,O,C] bytes each chiplet receives when the previous layer left it in the region."""
        others = use.bytes * (self.n - 1)
        gather, transpose = ceil_div(others, self.n), ceil_div(others, self.n**2)
        nothing = np.zeros_like(self.n)
        halo = np.maximum(0, self.tile(use) - ceil_div(use.bytes, self.n))
        from_isp: dict[Role, list[Ints]] = {
            "input": [gather, transpose, transpose],
            "operand": [transpose, gather, gather],
            "addend": [nothing, transpose, transpose],
        }
        from_wsp: dict[Role, list[Ints]] = {
            "input": [gather, halo, halo],
            "operand": [transpose, gather, gather],
            "addend": [transpose, nothing, nothing],
        }
        rows = [
            np.max([amounts[role] for role in use.roles], axis=0)
            for amounts in (from_isp, from_wsp)
        ]
        return np.stack([rows[0], rows[1], rows[1]])

    def gathered_weights(self, index: int) -> Ints:
        """[O,C] bytes of weight shards each chiplet collects before the layer runs."""
        weights = self.network.layers[index].weights * self.element_bytes
        gather = ceil_div(weights * (self.n - 1), self.n)
        return np.stack([np.zeros_like(self.n), np.zeros_like(self.n), gather])

    def input_row(self, use: Use, columns: int | None = None) -> int:
        """Bytes of an input tensor that one row of outputs needs, `columns` of it or its width."""
        channels, height, width = use.shape
        layer = self.network.layers[use.layer]
        rows = height if layer.positions[0] == 1 else min(height, layer.kernel[0])
        if columns is not None and layer.positions[1] > 1:
            width = min(columns, width)
        return channels * rows * width * self.element_bytes


def _needed(outputs: Ints, inputs: Ints, index: int, layer: Layer, axis: int, extent: int) -> Ints:
    """Input positions that a tile reads; all when the axis is not cut (flattened inputs)."""
    whole = outputs[index] == layer.positions[axis]
    return np.where(whole, extent, np.minimum(extent, inputs[index]))


@dataclass(frozen=True)
class Clock:
    """Turns bytes and nanoseconds into cycles of the chiplets' clock, rounded up."""

    package: Package

    def port(self, amount: Ints) -> Ints:
        """Cycles that one network-on-package port needs for `amount` bytes."""
        return _at_rate(amount, self.package.chiplet.clock_hz, self.package.nop.bandwidth)

    def dram(self, amount: Ints) -> Ints:
        """Cycles that all DRAM ports together need for `amount` bytes."""
        dram = self.package.dram
        return _at_rate(amount, self.package.chiplet.clock_hz, dram.bandwidth * dram.ports)

    def nanoseconds(self, amount: float) -> int:
        """Cycles of a latency."""
        return ceil(Fraction(str(amount)) * self.package.chiplet.clock_hz / 10**9)

    def hops(self, count: Ints) -> Ints:
        """Cycles of `count` hops; part of a cycle counts as one."""
        hop = Fraction(str(self.package.nop.hop_ns)) * self.package.chiplet.clock_hz / 10**9
        return _times(count, hop)


def _at_rate(amount: Ints, clock_hz: int, bandwidth: int) -> Ints:
    return _times(amount, Fraction(clock_hz, bandwidth))


def _times(amount: Ints, rate: Fraction) -> Ints:
    """`amount` times an exact rate, rounded up; by Python's integers where 64 bits are too few."""
    if int(np.max(amount, initial=0)) * rate.numerator < 2**63 > rate.denominator:
        return ceil_div(amount * rate.numerator, rate.denominator)
    exact = -(-amount.astype(object) * rate.numerator // rate.denominator)
    return np.asarray(exact, dtype=np.int64)


def diameter(n: Ints) -> Ints:
    """[C] hops between the farthest chiplets of a near-square region of n chiplets."""
    side = np.ceil(np.sqrt(n)).astype(np.int64)
    return side + ceil_div(n, side) - 2
