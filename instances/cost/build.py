"""From a network and a package to cost tables (docs/problem.md, 'The cost model')."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instances.cost.alone import alone_costs
from instances.cost.arithmetic import (
    LayerSizes,
    blocks_of_positions,
    ceil_div,
    compute_cycles,
    operand_reads,
    split_positions,
)
from instances.cost.dram import io_bytes
from instances.cost.traffic import OPTIONS, Clock, Traffic, diameter, role_bytes, uses_of
from instances.instance import Instance
from instances.network import Network, Tensor
from instances.package import Package
from instances.tables import CostTables, EnergyTables, Ints, Skip

__all__ = ["OPTIONS", "build_tables", "make_instance"]


def make_instance(
    network: Network, package: Package, batch: int, name: str | None = None
) -> Instance:
    """An instance of a network on a package, with its cost tables."""
    label = name if name is not None else f"{network.name} on {package.name}"
    return Instance(label, batch, build_tables(network, package), network, package)


def build_tables(network: Network, package: Package) -> CostTables:
    """Cost tables of the analytic model, options ISP, WSP and WSP-sharded."""
    return _Model(network, package).tables()


@dataclass(frozen=True, eq=False)
class _Stage:
    """Time and energy of receiving or sending, [..., C]."""

    cycles: Ints
    energy: Ints


class _Model:
    """All intermediate arrays of one network on one package; [L,O,C] unless said otherwise."""

    def __init__(self, network: Network, package: Package) -> None:
        self.network = network
        self.package = package
        self.n = np.arange(1, package.chiplets + 1, dtype=np.int64)
        self.clock = Clock(package)
        self.sizes = LayerSizes.of(network)
        self.split = split_positions(network, package.chiplet, package.chiplets)
        self.traffic = Traffic(network, self.split, self.n, package.element_bytes)
        self.uses = [
            uses_of(network, index, package.element_bytes) for index in range(len(network.layers))
        ]
        self.reach = self.clock.hops(diameter(self.n))

    def tables(self) -> CostTables:
        compute, compute_energy = self._compute()
        entry, step = self._receive(compute, compute_energy)
        exit_ = self._send(compute)
        alone, alone_energy = alone_costs(self.traffic, self.sizes, self.package, self.uses)
        weights = self.sizes.weights[:, 0] * self.package.element_bytes
        io = io_bytes(self.network, self.package.element_bytes)
        return CostTables(
            layers=tuple(layer.name for layer in self.network.layers),
            options=OPTIONS,
            capacity=self.package.chiplet.buffer_bytes,
            entry=entry.cycles,
            step=step.cycles,
            exit=exit_.cycles,
            compute=compute,
            resident=self._resident(),
            working=self._working(),
            load=self._load(weights),
            io=self.clock.dram(io),
            alone=alone,
            skips=self._skips(),
            energy=EnergyTables(
                entry=entry.energy,
                step=step.energy,
                exit=exit_.energy,
                load=self._load_energy(weights),
                io=_picojoules(8 * self.package.dram.pj_per_bit * io),
                alone=alone_energy,
                leakage=self._leakage(),
            ),
        )

    def _compute(self) -> tuple[Ints, Ints]:
        """Cycles on the slowest chiplet, and energy of all of them."""
        chiplet, sizes, split, n = self.package.chiplet, self.sizes, self.split, self.n
        share = ceil_div(sizes.channels, n)
        whole = np.broadcast_to(sizes.channels, share.shape)
        isp = compute_cycles(chiplet, sizes, share, sizes.rows, sizes.columns)
        wsp = compute_cycles(chiplet, sizes, whole, split.rows, split.columns)
        cycles = np.stack([isp, wsp, wsp], axis=1)

        operands = role_bytes(self.uses, "operand")
        stationary = sizes.weights * self.package.element_bytes + operands
        inputs = role_bytes(self.uses, "input")
        blocks = blocks_of_positions(chiplet, sizes.rows, sizes.columns)
        reads_isp = operand_reads(chiplet, share, ceil_div(stationary, n), inputs, blocks)
        blocks = blocks_of_positions(chiplet, split.rows, split.columns)
        reads_wsp = operand_reads(chiplet, whole, stationary, self._tile_bytes(), blocks)
        reads = n * np.stack([reads_isp, reads_wsp, reads_wsp], axis=1)
        macs = np.array([layer.macs for layer in self.network.layers], dtype=np.float64)
        written = 8 * chiplet.buffer_write_pj_per_bit * self._made_bytes()
        fixed = (chiplet.mac_pj * macs + written)[:, None, None]
        return cycles, _picojoules(fixed + 8 * chiplet.buffer_read_pj_per_bit * reads)

    def _tile_bytes(self) -> Ints:
        """[L,C] bytes of the inputs that a WSP tile reads."""
        tiles = np.zeros((len(self.uses), len(self.n)), dtype=np.int64)
        for index, uses in enumerate(self.uses):
            for use in uses:
                if "input" in use.roles:
                    tiles[index] += self.traffic.tile(use)
        return tiles

    def _made_bytes(self) -> Ints:
        """[L] bytes of all tensors that each layer makes."""
        made = np.zeros(len(self.network.layers), dtype=np.int64)
        for tensor in self.network.tensors:
            if tensor.producer >= 0:
                made[tensor.producer] += tensor.elements * self.package.element_bytes
        return made

    def _receive(self, compute: Ints, compute_energy: Ints) -> tuple[_Stage, _Stage]:
        """`entry` [L,O,C] and `step` [L,O,O,C]: the chain tensors, the weight shards, compute."""
        count, options, chiplets = compute.shape
        outside = np.zeros((count, options, chiplets), dtype=np.int64)
        inside = np.zeros((count, options, options, chiplets), dtype=np.int64)
        chain = {(t.name, t.producer + 1) for t in self.network.tensors}
        for index, uses in enumerate(self.uses):
            shards = self.traffic.gathered_weights(index)
            outside[index] += shards
            inside[index] += shards
            for use in uses:
                if (use.tensor, index) in chain:
                    outside[index] += self.traffic.received(use)
                    inside[index] += self.traffic.redistributed(use)

        entry = self._fold(compute, self._transfer(outside))
        step = self._fold(compute[:, None], self._transfer(inside))
        step[0] = 0
        step_energy = compute_energy[:, None] + self._delivery_energy(inside)
        step_energy[0] = 0
        return (
            _Stage(entry, compute_energy + self._delivery_energy(outside)),
            _Stage(step, step_energy),
        )

    def _send(self, compute: Ints) -> _Stage:
        """`exit`: each chiplet sends its share; if overlapped, what outlasts the compute shows."""
        made = self._made_bytes()[:, None]
        cycles = self._send_cycles(made)[:, None]
        if self.package.overlap:
            cycles = np.maximum(0, cycles - compute)
        energy = np.broadcast_to(self._send_energy(made)[:, None], compute.shape)
        return _Stage(np.broadcast_to(cycles, compute.shape).copy(), energy.copy())

    def _send_cycles(self, amount: Ints) -> Ints:
        """Cycles in which every port of the region sends its share of `amount`, and one hop."""
        hop = self.clock.hops(np.ones_like(self.n))
        return np.where(amount > 0, self.clock.port(ceil_div(amount, self.n)) + hop, 0)

    def _send_energy(self, amount: Ints) -> Ints:
        """[..., C]: read once, over one hop."""
        bit = self.package.chiplet.buffer_read_pj_per_bit + self.package.nop.pj_per_bit
        return np.broadcast_to(_picojoules(8 * bit * amount), (*amount.shape[:-1], len(self.n)))

    def _transfer(self, amount: Ints) -> Ints:
        """Cycles until `amount` bytes have come through each port of the region."""
        return np.where(amount > 0, self.clock.port(amount) + self.reach, 0)

    def _delivery_energy(self, amount: Ints) -> Ints:
        """`amount` bytes to each of n chiplets, a hop and a buffer write a byte."""
        bit = self.package.nop.pj_per_bit + self.package.chiplet.buffer_write_pj_per_bit
        return _picojoules(8 * bit * amount * self.n)

    def _fold(self, compute: Ints, communication: Ints) -> Ints:
        """A stage hides communication behind compute (max), or does not (sum)."""
        if self.package.overlap:
            return np.maximum(compute, communication)
        return compute + communication

    def _resident(self) -> Ints:
        weights = self.sizes.weights * self.package.element_bytes
        share = ceil_div(weights, self.n)
        return np.stack([share, np.broadcast_to(weights, share.shape), share], axis=1)

    def _working(self) -> Ints:
        """Double-buffered inputs and outputs, spread; what the option has to gather."""
        made = self._made_bytes()
        working = np.zeros((len(self.uses), len(OPTIONS), len(self.n)), dtype=np.int64)
        for index, uses in enumerate(self.uses):
            held = int(made[index]) + sum(use.bytes for use in uses)
            working[index] = ceil_div(2 * held, self.n)
            rows = (self.traffic.input_row(use) for use in uses if "input" in use.roles)
            operands = sum(use.bytes for use in uses if "operand" in use.roles)
            weights = self.network.layers[index].weights * self.package.element_bytes
            gathered = [sum(rows), operands, operands + weights]
            working[index] += np.array(gathered, dtype=np.int64)[:, None]
        return working

    def _load(self, weights: Ints) -> Ints:
        wait = self.clock.nanoseconds(self.package.dram.latency_ns)
        return np.where(weights > 0, self.clock.dram(weights) + wait, 0)

    def _load_energy(self, weights: Ints) -> Ints:
        package = self.package
        bit = package.dram.pj_per_bit + package.nop.pj_per_bit
        return _picojoules(8 * (bit + package.chiplet.buffer_write_pj_per_bit) * weights)

    def _leakage(self) -> int:
        chiplet = self.package.chiplet
        return round(chiplet.leakage_w * self.package.chiplets / chiplet.clock_hz * 1e12)

    def _skips(self) -> tuple[Skip, ...]:
        return tuple(self._skip(t) for t in self.network.tensors if self._is_skip(t))

    def _is_skip(self, tensor: Tensor) -> bool:
        """Whether the chain tables do not say everything about the tensor."""
        last = len(self.network.layers) - 1
        leaves_early = tensor.leaves and tensor.producer < last
        return leaves_early or any(v != tensor.producer + 1 for v in tensor.consumers)

    def _skip(self, tensor: Tensor) -> Skip:
        amount = np.array([tensor.elements * self.package.element_bytes], dtype=np.int64)
        received = [self._skip_received(tensor, consumer) for consumer in tensor.consumers]
        shape = (len(received), len(OPTIONS), len(self.n))
        delivered = np.array(received, dtype=np.int64).reshape(shape)
        return Skip(
            name=tensor.name,
            producer=tensor.producer,
            consumers=tensor.consumers,
            leaves=tensor.leaves,
            enter=self._transfer(delivered),
            leave=self._send_cycles(amount),
            hold=ceil_div(amount, self.n),
            enter_energy=self._delivery_energy(delivered),
            leave_energy=self._send_energy(amount).copy(),
        )

    def _skip_received(self, tensor: Tensor, consumer: int) -> Ints:
        """[O,C] bytes; none where the consumer follows the producer: `entry` has them."""
        total = np.zeros((len(OPTIONS), len(self.n)), dtype=np.int64)
        if consumer == tensor.producer + 1:
            return total
        for use in self.uses[consumer]:
            if use.tensor == tensor.name:
                total += self.traffic.received(use)
        return total


def _picojoules(amount: NDArray[np.floating[Any]]) -> Ints:
    return np.rint(amount).astype(np.int64)
