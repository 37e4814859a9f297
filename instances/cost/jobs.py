"""What stages of several models cost, each on one chiplet (docs/multi_model.md, 'Costs').

A stage is a run of units of one model on one chiplet; SCAR calls it a segment. A model's units in
one time window are divided into stages, through which mini-batches pass one after the other.
Communication and computation add up, as in SCAR (arXiv 2405.00790); what the paper leaves open is
decided here (ours).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from instances.cost.energy import compute_energy, rounded
from instances.cost.facts import ISP, Facts, gather_facts, way_cycles
from instances.cost.layers import compute
from instances.jit import compiled
from instances.mesh import Mesh
from instances.network import OUTSIDE
from instances.package import Chiplet, Faults, Package, Tile
from instances.tables import Ints
from instances.workload import Job, Workload

Floats = NDArray[np.floating[Any]]


class MiniBatchCosts(NamedTuple):
    """The cost tables of one model's stages, for one mini-batch; stages are units i to j.

    Handovers are beside the stages' own costs: what is live across the cut before unit i is read
    from DRAM, or comes from another chiplet, and likewise at its end.

    Attributes:
        rounds: n, mini-batches that pass.
        time: [C,U,U] cycles of a stage for a mini-batch.
        load: [C,U,U] cycles to bring the weights that a stage keeps for all mini-batches.
        energy: [C,U,U] picojoules for all samples.
        dram: [C,U+1] cycles between a chiplet and DRAM for a mini-batch's live tensors.
        dram_energy: [C,U+1] picojoules of the same for all samples.
        hop: [C,C,U+1] cycles between two chiplets; each of the two is busy so long.
        hop_energy: [C,C,U+1] picojoules of the same for all samples.
    """

    rounds: int
    time: Ints
    load: Ints
    energy: Ints
    dram: Ints
    dram_energy: Ints
    hop: Ints
    hop_energy: Ints


class PackageCosts:
    """What transfers cost on a package.

    Attributes:
        package: whose costs.
        tiles: [x, y] of the chiplets, by number.
        kinds: the kinds of chiplets.
        kind: [C] number of each chiplet's kind.
        hops: [C,C] links between two chiplets.
        port_hops: [C] links to the nearest DRAM port.
        leakage: picojoules a cycle, of all chiplets.
    """

    def __init__(self, package: Package) -> None:
        mesh = Mesh.of(package)
        self.package, self.tiles = package, mesh.tiles
        chiplets = [package.chiplet_at(tile) for tile in mesh.tiles]
        self.kinds: tuple[Chiplet, ...] = tuple(dict.fromkeys(chiplets))
        self.kind = np.array([self.kinds.index(own) for own in chiplets])
        self.hops = mesh.all_hops()
        self.port_hops = np.array([min(mesh.hops(t, p) for p in mesh.ports) for t in mesh.tiles])
        clock, dram = package.chiplet.clock_hz, package.dram
        self._port_rate = Fraction(clock, package.nop.bandwidth)
        self._dram_rate = Fraction(clock * len(chiplets), dram.bandwidth * dram.ports)
        self._wait = ceil(Fraction(str(dram.latency_ns)) * clock / 10**9)
        self.leakage = round(sum(own.leakage_w for own in chiplets) / clock * 1e12)

    @cached_property
    def number(self) -> dict[Tile, int]:
        """[x, y] -> number of the chiplet."""
        return {tile: k for k, tile in enumerate(self.tiles)}

    def hop_cycles(self, amount: Ints, hops: Ints) -> Ints:
        """Bytes / BW_nop + hops * Lat_hop; none for no bytes."""
        return _timed(amount, self._port_rate, self._ways(hops))

    def dram_cycles(self, amount: Ints, hops: Ints) -> Ints:
        """Bytes / BW_mem + hops * Lat_hop + Lat_mem; BW_mem is an equal share of all ports."""
        return _timed(amount, self._dram_rate, self._ways(hops) + self._wait)

    def hop_energy(self, amount: Ints, hops: Ints) -> Ints:
        """Bits times hops, picojoules."""
        return _rint(8 * self.package.nop.pj_per_bit * (amount * hops))

    def dram_energy(self, amount: Ints, hops: Ints) -> Ints:
        """Bits read or written and their hops, picojoules."""
        each = self.package.dram.pj_per_bit + self.package.nop.pj_per_bit * hops
        return _rint(8 * each * amount)

    def check(self, amount: int, moved: int) -> None:
        """Refuse what does not fit in 64 bits.

        Args:
            amount: the most bytes of one transfer.
            moved: bytes of all transfers together.
        """
        rates = (self._port_rate, self._dram_rate)
        far = int(self.hops.max(initial=0)) + int(self.port_hops.max(initial=0))
        energy = 8 * (self.package.dram.pj_per_bit + self.package.nop.pj_per_bit * far)
        most = max(amount * rate.numerator for rate in rates)
        if max(most, moved * ceil(max(rates)), moved * ceil(energy)) >= 2**62:
            raise ValueError(
                f"what moves on package {self.package.name!r} has costs that do not fit in 64 bits:"
                " lower the batch or take rounder bandwidths"
            )

    def _ways(self, hops: Ints) -> Ints:
        most = int(hops.max(initial=0))
        return np.array([way_cycles(self.package, n) for n in range(most + 1)])[hops]


def _timed(amount: Ints, rate: Fraction, way: Ints) -> Ints:
    """Bytes at a rate, rounded up, and a way; nothing for no bytes."""
    cycles = -(-amount * rate.numerator // rate.denominator)
    return np.where(amount > 0, cycles + way, 0)


def _rint(picojoules: Floats) -> Ints:
    return np.rint(picojoules).astype(np.int64)


class JobCosts:
    """What the units of one model take and move.

    Raises:
        ValueError: costs that do not fit in 64 bits.

    Attributes:
        compute: [K,U] cycles of a sample, by kind of chiplet.
        energy: [K,U] picojoules of a sample: arrays and their buffers.
        weights: [U] bytes.
        arrives, leaves: [U] bytes of a sample from outside the network, and to it, through DRAM.
        live: [U+1] bytes of a sample that units before a cut made or got and units after it read;
            none before the first unit and after the last.
        need: [L] bytes of a sample that wait in the chiplet while a layer runs, its own included.
        held: [L] bytes of a sample that a layer reads and makes.
    """

    def __init__(self, job: Job, costs: PackageCosts) -> None:
        self.job, self._costs = job, costs
        network, element = job.network, costs.package.element_bytes
        count = len(network.layers)
        first = [  # of the layers at which a tensor is there
            t.consumers[0] if t.producer == OUTSIDE else t.producer for t in network.tensors
        ]
        last = [max(t.consumers, default=t.producer) for t in network.tensors]
        sizes = [t.elements * element for t in network.tensors]
        self.need, self.held = np.zeros(count, np.int64), np.zeros(count, np.int64)
        arrives, leaves = np.zeros(count, np.int64), np.zeros(count, np.int64)
        across = np.zeros(count + 1, np.int64)
        for tensor, begin, end, size in zip(network.tensors, first, last, sizes, strict=True):
            self.need[begin : end + 1] += size
            across[begin + 1 : end + 1] += size
            self.held[list({*tensor.consumers, max(tensor.producer, begin)})] += size
            if tensor.producer == OUTSIDE:
                arrives[begin] += size
            if tensor.leaves:
                leaves[begin] += size
        cuts = np.array(job.cuts)
        self.live = across[[*job.cuts, count]]
        self.arrives, self.leaves = (np.add.reduceat(own, cuts) for own in (arrives, leaves))
        weights = np.array([layer.weights * element for layer in network.layers])
        self.weights = np.add.reduceat(weights, cuts)
        alone = [_alone(gather_facts(network, _one(costs.package, kind))) for kind in costs.kinds]
        self.compute = np.array([np.add.reduceat(cycles, cuts) for cycles, _ in alone])
        self.energy = np.array([np.add.reduceat(energy, cuts) for _, energy in alone])
        self._check()
        self._known: dict[int, MiniBatchCosts] = {}

    def _check(self) -> None:
        batch = self.job.batch
        kinds = (self.arrives, self.leaves, self.held)
        sample = [sum(map(int, own)) for own in kinds] + [int(self.live.max())]
        weights = sum(map(int, self.weights))
        self._costs.check(max(weights, batch * max(sample)), batch * (weights + sum(sample)))
        own = (sum(map(int, row)) for table in (self.compute, self.energy) for row in table)
        if batch * max(own) >= 2**62:
            raise ValueError(
                f"{self.job.name} has costs that do not fit in 64 bits: lower the batch"
            )

    def stages(self, mini_batch: int) -> MiniBatchCosts:
        """The cost tables for a mini-batch, one of the job's."""
        if mini_batch not in self._known:
            self._known[mini_batch] = self._stages(mini_batch)
        return self._known[mini_batch]

    def _stages(self, mini_batch: int) -> MiniBatchCosts:
        costs, job = self._costs, self.job
        rounds = job.batch // mini_batch
        hops = costs.port_hops[:, None, None]
        kept = self._kept()
        weights = np.broadcast_to(_between(self.weights), kept.shape)
        outside = [_between(own)[None] for own in (self.arrives, self.leaves)]
        spilled = np.array([_between(own) for own in self._spilled(mini_batch)])[costs.kind]
        spilled = np.where(kept, 0, spilled)  # kept weights leave room for all that a sample needs
        loading = costs.dram_cycles(weights, hops)
        time = mini_batch * np.array([_between(own) for own in self.compute])[costs.kind]
        time = time + np.where(kept, 0, loading)
        time = time + sum(costs.dram_cycles(mini_batch * own, hops) for own in outside)
        time = time + costs.dram_cycles(mini_batch * spilled, hops)
        energy = job.batch * np.array([_between(own) for own in self.energy])[costs.kind]
        energy = energy + costs.dram_energy(weights, hops) * np.where(kept, 1, rounds)
        for own in (*outside, spilled):
            energy = energy + costs.dram_energy(job.batch * own, hops)
        port, live = costs.port_hops[:, None], self.live[None]
        between, passed = costs.hops[:, :, None], self.live[None, None]
        arrays = (
            time,
            np.where(kept, loading, 0),
            energy,
            costs.dram_cycles(mini_batch * live, port),
            costs.dram_energy(job.batch * live, port),
            costs.hop_cycles(mini_batch * passed, between),
            costs.hop_energy(job.batch * passed, between),
        )
        return MiniBatchCosts(rounds, *map(np.ascontiguousarray, arrays))

    def _kept(self) -> NDArray[np.bool_]:
        """[C,U,U] whether weights, and what a sample needs, fit the buffer together."""
        weights = _between(self.weights)
        need = np.maximum.reduceat(self.need, np.array(self.job.cuts))
        most = np.array([np.maximum.accumulate(need[i:]) for i in range(len(need))], object)
        room = np.zeros_like(weights)
        for i, own in enumerate(most):
            room[i, i:] = own
        buffers = np.array([own.buffer_bytes for own in self._costs.kinds])[self._costs.kind]
        return weights + room <= buffers[:, None, None]

    def _spilled(self, mini_batch: int) -> Ints:
        """[K,U] bytes of a sample that layers read and make in DRAM, as they do not fit."""
        buffers = np.array([own.buffer_bytes for own in self._costs.kinds])
        over = mini_batch * self.need[None] > buffers[:, None]
        return np.add.reduceat(np.where(over, self.held, 0), np.array(self.job.cuts), axis=1)


class WorkloadCosts:
    """All costs of a workload: one object that every method reads.

    Attributes:
        workload: whose costs.
        package: those of transfers.
        jobs: those of each model.
    """

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.package = PackageCosts(workload.package)
        self.jobs = tuple(JobCosts(job, self.package) for job in workload.jobs)


def _between(amounts: Ints) -> Ints:
    """[U,U] the sum of units i to j; 0 for j < i."""
    ends = np.concatenate([[0], np.cumsum(amounts)])
    return np.triu(ends[None, 1:] - ends[:-1, None])


def _one(package: Package, kind: Chiplet) -> Package:
    """A package of one chiplet."""
    return replace(package, mesh=(1, 1), chiplet=kind, faults=Faults(), unlike=())


def _alone(facts: Facts) -> tuple[Ints, Ints]:
    """[L] cycles and picojoules of a sample of each layer on one chiplet."""
    found = _layers_alone(facts)
    return found[0], found[1]


@compiled
def _layers_alone(facts: Facts) -> Ints:
    count = len(facts.layers) - 1
    found = np.empty((2, count), dtype=np.int64)
    for layer in range(count):
        found[0, layer] = compute(facts, layer, ISP, 1)
        found[1, layer] = rounded(compute_energy(facts, layer, ISP, 1))
    return found
