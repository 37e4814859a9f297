"""Random table instances, small enough to enumerate by default and rich in awkward cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from instances.cost import OPTIONS
from instances.instance import Instance
from instances.tables import CostTables, EnergyTables, Ints, Skip

Shape = Literal["chain", "dag"]
Memory = Literal["tight", "loose"]

MAX_DRAWN = {"layers": 5, "chiplets": 4, "options": 3, "batch": 16}
"""Sizes that are not given are drawn uniformly from 1 to these."""


def random_instance(
    seed: int,
    *,
    layers: int | None = None,
    chiplets: int | None = None,
    options: int | None = None,
    shape: Shape | None = None,
    memory: Memory | None = None,
    monotone: bool | None = None,
) -> Instance:
    """A random table instance, the same for the same arguments.

    Each layer draws its work (8 to 200 chiplet cycles, log-uniform), its weights (4 to 160 bytes,
    log-uniform) and the tensor it makes (2 to 40 bytes). Tables follow the analytic model in
    small: weights split by ISP and sharded WSP and whole in WSP, activations spread over the
    region, time = compute / c + exchange, the exchange growing with hops. DRAM traffic counts what
    enters and leaves a segment, with up to 3 cycles of noise. Half of the layers can run alone.

    Args:
        seed: of the generator.
        layers, chiplets, options: sizes; drawn up to MAX_DRAWN if None. At most as many options as
            the cost model has, and in its order.
        shape: "dag" has one to three skip tensors, made outside or inside, with one or more
            consumers, one in four of them a result too; "chain" has none. Drawn evenly if None.
        memory: "loose" holds every layer at once with any options; "tight" lies between 0.6 and
            1.7 times what the most demanding layer needs with its best option and region, so some
            layers may not fit anywhere. Tight for two in three if None.
        monotone: stage times never rise with chiplets; else a hop costs up to 6 cycles and
            single entries stray by up to 30 %. Drawn evenly if None.

    Raises:
        ValueError: a size below 1 or too many options.
    """
    rng = np.random.default_rng(seed)
    given = {"layers": layers, "chiplets": chiplets, "options": options, "batch": None}
    size = {key: _size(rng, key, value) for key, value in given.items()}
    if size["options"] > len(OPTIONS):
        raise ValueError(f"{size['options']} options, expected at most {len(OPTIONS)}")
    dag = rng.random() < 0.5
    tight = rng.random() < 2 / 3
    falls = rng.random() < 0.5
    draw = _Draw(
        rng,
        size["layers"],
        size["chiplets"],
        size["options"],
        falls if monotone is None else monotone,
    )
    skips = draw.skips() if (dag if shape is None else shape == "dag") else ()
    tables = draw.tables(skips, tight if memory is None else memory == "tight")
    return Instance(f"random-{seed}", size["batch"], tables)


def _size(rng: np.random.Generator, key: str, value: int | None) -> int:
    drawn = int(rng.integers(1, MAX_DRAWN[key] + 1))  # drawn always: the rest must not shift
    if value is None:
        return drawn
    if value < 1:
        raise ValueError(f"{key} {value} is not at least 1")
    return value


@dataclass(frozen=True, eq=False)
class _Load:
    """What each layer has to do, [L]: chiplet cycles, and bytes of weights and tensors."""

    work: Ints
    weights: Ints
    taken: Ints
    made: Ints


class _Draw:
    """Draws the tables of one instance."""

    def __init__(
        self, rng: np.random.Generator, layers: int, chiplets: int, options: int, monotone: bool
    ) -> None:
        self.rng = rng
        self.shape = (layers, options, chiplets)
        self.monotone = monotone
        self.n = np.arange(1, chiplets + 1)
        self.hop = 0 if monotone else int(rng.integers(1, 7))
        tensors = rng.integers(2, 41, layers + 1)
        self.load = _Load(
            work=self._log_uniform(8, 200),
            weights=self._log_uniform(4, 160),
            taken=tensors[:-1],
            made=tensors[1:],
        )

    def _log_uniform(self, low: int, high: int) -> Ints:
        exponents = self.rng.uniform(np.log(low), np.log(high), self.shape[0])
        return np.exp(exponents).astype(np.int64)

    def _spread(self, amounts: Ints) -> Ints:
        """[..., C]: amounts divided over the chiplets of a region, rounded up."""
        return -(-amounts[..., None] // self.n)

    def _whole(self, amounts: Ints) -> Ints:
        """[..., C]: the same amount on every chiplet."""
        return np.broadcast_to(amounts[..., None], (*amounts.shape, len(self.n)))

    def _by_option(self, isp: Ints, wsp: Ints, sharded: Ints) -> Ints:
        """[L,O,C] from the [L,C] of each option."""
        return np.stack([isp, wsp, sharded][: self.shape[1]], axis=1)

    def _times(self, cycles: Ints) -> Ints:
        """Cycles as the instance wants them: never rising with chiplets, or straying."""
        if self.monotone:
            return np.minimum.accumulate(cycles, axis=-1)
        return np.rint(cycles * self.rng.uniform(0.7, 1.3, cycles.shape)).astype(np.int64)

    def tables(self, skips: tuple[Skip, ...], tight: bool) -> CostTables:
        rng, load, (count, options, _) = self.rng, self.load, self.shape
        compute = self._compute()
        hops = self.hop * (self.n - 1)
        taken = self._by_option(*self._received(load.taken))
        moved = taken[:, None] * (self.n - 1) // (2 * self.n)
        step = self._times(compute[:, None] + moved + hops)
        step = np.broadcast_to(step, (count, options, options, len(self.n))).copy()
        step += rng.integers(0, 4, (count, options, options, 1))
        step[0] = 0
        exit_ = np.broadcast_to(self._spread(load.made)[:, None] + hops // 2, self.shape)
        resident, working = self._memory()
        io = self._io(skips)
        alone = self._alone()
        return CostTables(
            layers=tuple(f"layer{index}" for index in range(count)),
            options=OPTIONS[:options],
            capacity=self._capacity(resident, working, tight),
            entry=self._times(compute + taken + hops),
            step=step,
            exit=self._times(exit_),
            compute=None,
            resident=resident,
            working=working,
            load=-(-load.weights // 4) + rng.integers(0, 10, count),
            io=io,
            alone=alone,
            skips=skips,
            energy=self._energy(taken, step, io, alone),
        )

    def _compute(self) -> Ints:
        """[L,O,C]; one option is better here, another there."""
        favour = self.rng.uniform(0.8, 1.25, self.shape[:2])
        return np.ceil(self.load.work[:, None, None] * favour[:, :, None] / self.n).astype(np.int64)

    def _received(self, amounts: Ints) -> tuple[Ints, Ints, Ints]:
        """[L,C] bytes each chiplet receives, by option."""
        spread, weights = self._spread(amounts), self.load.weights[: len(amounts)]
        gathered = weights[:, None] * (self.n - 1) // (4 * self.n)
        return self._whole(amounts), spread, spread + gathered

    def _memory(self) -> tuple[Ints, Ints]:
        """`resident` and `working`."""
        load = self.load
        share, whole = self._spread(load.weights), self._whole(load.weights)
        tensors = self._spread(2 * (load.taken + load.made))
        tile = -(-load.taken // 4)[:, None]
        resident = self._by_option(share, whole, share)
        return resident, self._by_option(tensors + tile, tensors, tensors + whole - share)

    def _capacity(self, resident: Ints, working: Ints, tight: bool) -> int:
        """Bytes a chiplet; skip tensors that wait are left out, so they bind when it is tight."""
        need = resident + working
        factor = self.rng.uniform(0.6, 1.7)
        if not tight:
            return int(need.max(axis=(1, 2)).sum()) + 1000
        return int(factor * need.min(axis=(1, 2)).max())

    def _io(self, skips: tuple[Skip, ...]) -> Ints:
        """[L,L]: tensors that come in and leave, a quarter of a cycle a byte, and noise."""
        count, load = self.shape[0], self.load
        cycles = (load.taken[:, None] + load.made[None, :]) // 4
        cycles = cycles + self.rng.integers(0, 4, (count, count))
        first, last = np.indices((count, count))
        for skip in skips:
            cost = int(self.rng.integers(1, 9))
            end = count if skip.leaves else skip.consumers[-1]
            cycles += cost * ((first <= skip.producer) & (skip.producer <= last) & (last < end))
            for consumer in skip.consumers:
                cycles += (
                    cost
                    * ((first > skip.producer) & (first <= consumer) & (consumer <= last))
                    // len(skip.consumers)
                )
        return np.triu(cycles)

    def _alone(self) -> Ints:
        """[L]: slower than a pipeline stage, as inputs stream in once a weight tile."""
        load, count = self.load, self.shape[0]
        tiles = self.rng.integers(1, 5, count)
        beat = np.maximum(load.work // len(self.n), (tiles * load.taken + load.made) // 4) + 1
        return np.where(self.rng.random(count) < 0.5, beat, -1)

    def skips(self) -> tuple[Skip, ...]:
        """One to three skip tensors, where the number of layers allows any."""
        count = self.shape[0]
        wanted = int(self.rng.integers(1, 4))
        found = [self._skip(number) for number in range(wanted)] if count > 1 else []
        return tuple(skip for skip in found if skip is not None)

    def _skip(self, number: int) -> Skip | None:
        rng, (count, options, chiplets) = self.rng, self.shape
        producer = int(rng.integers(-1, count - 1))
        later = np.arange(producer + 1, count)
        chosen = later[rng.random(len(later)) < 0.6]
        leaves = bool(rng.random() < 0.25) and producer >= 0
        if len(chosen) == 0 or (chosen[-1] == producer + 1 and not leaves):
            chosen = np.union1d(chosen, later[-1:])
        if chosen[-1] == producer + 1 and not leaves:
            return None  # the chain carries it
        amount = rng.integers(2, 30, 1)
        enter = np.zeros((len(chosen), options, chiplets), dtype=np.int64)
        received = np.stack([self._whole(amount)[0], *[self._spread(amount)[0]] * 2][:options])
        enter[:] = self._times(received + self.hop * (self.n - 1))
        enter[chosen == producer + 1] = 0
        leave = self._times(self._spread(amount)[0] + self.hop)
        return Skip(
            name=f"skip{number}",
            producer=producer,
            consumers=tuple(map(int, chosen)),
            leaves=leaves,
            enter=enter,
            leave=leave,
            hold=self._spread(amount)[0],
            enter_energy=3 * received * self.n * (enter > 0),
            leave_energy=3 * np.broadcast_to(amount, leave.shape).copy(),
        )

    def _energy(self, taken: Ints, step: Ints, io: Ints, alone: Ints) -> EnergyTables:
        """Work, and bytes moved at 3 pJ on the package and 20 pJ at DRAM."""
        rng, load = self.rng, self.load
        arithmetic = load.work * 5
        moved = 3 * taken * self.n
        inside = moved[:, None] // 2 + arithmetic[:, None, None, None]
        inside = np.broadcast_to(inside, step.shape) + rng.integers(0, 9, step.shape)
        inside[0] = 0
        weights = 20 * load.weights
        return EnergyTables(
            entry=moved + arithmetic[:, None, None],
            step=inside,
            exit=np.broadcast_to((3 * load.made)[:, None, None], self.shape).copy(),
            load=weights,
            io=20 * 4 * io,
            alone=np.where(alone >= 0, arithmetic + 20 * (load.taken + load.made), 0),
            leakage=int(rng.integers(0, 20)) * len(self.n),
        )
