"""Random compression for random table instances."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from instances.compression import Coders, Compression, SkipCodes
from instances.instance import Instance
from instances.tables import Ints

Budget = Literal["zero", "tight", "loose"]

RATIOS = (1, 2, 4, 8, 16)


def random_ratios(
    instance: Instance, seed: int, *, ratios: int | None = None, budget: Budget | None = None
) -> Instance:
    """The instance with random compression, the same for the same arguments.

    What crosses costs about as much less as the ratio says, and its coders some cycles, bytes and
    loads in turn, so that compression pays here and not there. One output in four cannot be
    compressed at all, and single ratios are missing for others.

    Args:
        ratios: above 1; drawn from 1 to 3 if None.
        budget: "zero" allows nothing, "tight" 10 to 60 % of what the hardest ratios of all outputs
            lose together, "loose" all of it. Drawn evenly if None.

    Raises:
        ValueError: a number of ratios below 1, or more than there are.
    """
    rng = np.random.default_rng([seed, 1])
    drawn, kind = int(rng.integers(1, 4)), str(rng.choice(["zero", "tight", "loose"]))
    share = rng.uniform(0.1, 0.6)
    number = drawn if ratios is None else ratios
    if not 1 <= number < len(RATIOS):
        raise ValueError(f"{number} ratios above 1, expected 1 to {len(RATIOS) - 1}")
    given = _Draw(rng, instance, RATIOS[: number + 1]).compression()
    most = given.largest_loss
    budgets = {"zero": 0, "tight": int(share * most), "loose": most}
    compression = given.within(budgets[budget or kind])
    return replace(instance, tables=instance.costs, compression=compression)


class _Draw:
    """Draws the tables of one compression."""

    def __init__(
        self, rng: np.random.Generator, instance: Instance, ratios: tuple[int, ...]
    ) -> None:
        self.rng, self.ratios = rng, ratios
        self.tables = instance.tables
        self.count, _, self.chiplets = self.tables.shape

    def compression(self) -> Compression:
        tables, energy = self.tables, self.tables.energy
        losses = self._losses()
        return Compression(
            ratios=self.ratios,
            readers=self._readers(),
            losses=losses,
            budget=0,
            entry=self._coded(tables.entry),
            exit=self._coded(tables.exit),
            entry_energy=self._coded(energy.entry),
            exit_energy=self._coded(energy.exit),
            skips=tuple(
                SkipCodes(
                    skip.producer,
                    skip.consumers,
                    enter=self._coded(skip.enter) * (skip.enter > 0),
                    leave=self._coded(skip.leave),
                    enter_energy=self._coded(skip.enter_energy) * (skip.enter > 0),
                    leave_energy=self._coded(skip.leave_energy),
                )
                for skip in tables.skips
            ),
            encoders=self._coders(),
            decoders=self._coders(),
            traffic=3 * tables.io,
            saved=self._saved(),
            rate=(1, 3),
            saved_energy=self._per_layer(0, 20),
        )

    def _readers(self) -> tuple[tuple[int, ...], ...]:
        found = [{layer + 1} if layer + 1 < self.count else set() for layer in range(self.count)]
        for skip in self.tables.skips:
            if skip.producer >= 0:
                found[skip.producer].update(skip.consumers)
        return tuple(tuple(sorted(own)) for own in found)

    def _losses(self) -> Ints:
        """[L,R]: rising with the ratio, above 0; -1 for what is not compressed."""
        steps = self.rng.integers(1, 1000, (self.count, len(self.ratios)))
        losses = np.cumsum(steps, axis=1) - steps[:, :1]
        losses[self.rng.random(losses.shape) < 0.15] = -1
        never = self.rng.random(self.count) < 0.25
        leaving = [skip.producer for skip in self.tables.skips if skip.leaves]
        never[[self.count - 1, *leaving]] = True
        losses[never] = -1
        losses[:, 0] = 0
        return losses.astype(np.int64)

    def _coded(self, table: Ints) -> Ints:
        """[R,...]: a share that falls with the ratio, or more, as coders take time."""
        found = [table]
        for ratio in self.ratios[1:]:
            share = self.rng.uniform(0.5 / ratio, 1.1, table.shape[:-1])[..., None]
            found.append(np.rint(table * share).astype(np.int64) + int(self.rng.integers(0, 3)))
        return np.stack(found)

    def _per_layer(self, low: int, high: int) -> Ints:
        """[R,L]; 0 for ratio 1."""
        found = self.rng.integers(low, high, (len(self.ratios), self.count))
        found[0] = 0
        return found

    def _saved(self) -> Ints:
        """[R,L]: no more than what every segment's traffic allows."""
        crossing = 2 * (1 + len(self.tables.skips))
        io = self.tables.io[np.triu_indices(self.count)]
        return self._per_layer(0, max(1, 3 * int(io.min()) // crossing) + 1)

    def _coders(self) -> Coders:
        weights = self._per_layer(0, max(2, self.tables.capacity // 30))
        n = np.arange(1, self.chiplets + 1)
        return Coders(-(-weights[..., None] // n), self._per_layer(0, 4), self._per_layer(0, 30))
