"""Every schedule of a tiny instance with every choice of ratios that the budget allows.

As `solvers.enumeration`, and for the same purpose: stated once more, with its own loops, so that it
shares nothing with the evaluator and the other methods.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import ceil, prod

from instances.compression import Compression
from instances.instance import Instance
from schedules.progress import Progress
from schedules.schedule import Segment
from solvers.enumeration import WORKLOAD_LIMIT, Enumeration, Way


class RatioEnumeration(Enumeration):
    """Plain recursion for each choice of ratios in turn.

    Attributes:
        k: of each layer, the index of its output's ratio.

    Raises:
        ValueError: there are too many choices.
    """

    def __init__(self, instance: Instance, given: Compression, progress: Progress) -> None:
        super().__init__(instance, progress)
        self.given = given
        self.k: tuple[int, ...] = (0,) * self.layers
        own = [[k for k, loss in enumerate(row) if loss >= 0] for row in given.losses.tolist()]
        if prod(map(len, own)) > WORKLOAD_LIMIT // 1000:
            raise ValueError(
                f"method 'enumerate' is for tiny instances: {prod(map(len, own)):,} choices of"
                " ratios are too many; use 'exact'"
            )
        self.choices = own

    def run(self) -> None:
        """Try every choice of ratios; the best schedule is left in `best`."""
        best = None
        for k in product(*self.choices):
            lost = sum(int(self.given.losses[layer, own]) for layer, own in enumerate(k))
            if lost <= self.given.budget:
                self.k = k
                self.stages, self.segments, self.best = {}, {}, None
                super().run()
                if self.best is not None and (best is None or self.best[0] < best[0]):
                    value, schedule = self.best
                    ratios = tuple(self.given.ratios[own] for own in k)
                    best = value, replace(schedule, ratios=ratios if any(k) else ())
        self.best = best

    def _received(self, first: int, last: int) -> list[int]:
        """Layers before `first` with an output that first..last read."""
        return [u for u in range(first) if any(first <= v <= last for v in self.given.readers[u])]

    def _sent(self, first: int, last: int) -> list[int]:
        """Layers of first..last with an output that later layers read."""
        return [u for u in range(first, last + 1) if any(v > last for v in self.given.readers[u])]

    def _dram(self, first: int, last: int) -> tuple[int, int]:
        given = self.given
        units, energy = int(given.traffic[first, last]), self.io_energy[first][last]
        for u in (*self._received(first, last), *self._sent(first, last)):
            units -= int(given.saved[self.k[u], u])
            energy -= int(given.saved_energy[self.k[u], u])
        return ceil(units * Fraction(*given.rate)), energy

    def _coders_load(self, first: int, last: int) -> tuple[int, int]:
        cycles, energy = 0, 0
        for coders, layers in (
            (self.given.decoders, self._received(first, last)),
            (self.given.encoders, self._sent(first, last)),
        ):
            cycles += sum(int(coders.load[self.k[u], u]) for u in layers)
            energy += sum(int(coders.load_energy[self.k[u], u]) for u in layers)
        return cycles, energy

    def _tiled(self, first: int, last: int) -> Iterator[Way[Segment]]:
        if any(self.k[u] > 0 for u in (first, *self._received(first, first))):
            return iter(())
        return super()._tiled(first, last)

    def _ends(self, first: int, last: int) -> tuple[int, int]:
        """The ratios of what the first layer takes from the one before, and of the last output."""
        return (self.k[first - 1] if first > 0 else 0), self.k[last]

    def _time(self, first: int, size: int, choice: tuple[int, ...]) -> int:
        last, c, given = first + len(choice) - 1, size - 1, self.given
        before, after = self._ends(first, last)
        time = int(given.entry[before, first, choice[0], c])
        time += int(given.exit[after, last, choice[-1], c])
        for at in range(1, len(choice)):
            time += self.step[first + at][choice[at - 1]][choice[at]][c]
        for code in given.skips:
            k = self.k[code.producer] if code.producer >= 0 else 0
            inside = [n for n, v in enumerate(code.consumers) if first <= v <= last]
            if code.producer < first and inside:
                option = choice[code.consumers[inside[0]] - first]
                time += int(code.enter[k, inside[0], option, c])
        for skip, code in zip(self.skips, given.skips, strict=True):
            later = skip.leaves or any(v > last for v in skip.consumers)
            if first <= skip.producer < last and later:
                time += int(code.leave[self.k[skip.producer], c])
        return time

    def _energy(self, first: int, size: int, choice: tuple[int, ...]) -> int:
        last, c, given = first + len(choice) - 1, size - 1, self.given
        before, after = self._ends(first, last)
        energy = int(given.entry_energy[before, first, choice[0], c])
        energy += int(given.exit_energy[after, last, choice[-1], c])
        for at in range(1, len(choice)):
            energy += self.step_energy[first + at][choice[at - 1]][choice[at]][c]
        for skip, code in zip(self.skips, given.skips, strict=True):
            k = self.k[skip.producer] if skip.producer >= 0 else 0
            inside = [n for n, v in enumerate(skip.consumers) if first <= v <= last]
            later = skip.leaves or any(v > last for v in skip.consumers)
            if skip.producer < first and inside:
                option = choice[skip.consumers[inside[0]] - first]
                energy += int(code.enter_energy[k, inside[0], option, c])
            if first <= skip.producer < last and later:
                energy += int(code.leave_energy[k, c])
        return energy

    def _memory(self, first: int, size: int, choice: tuple[int, ...]) -> int:
        last, c = first + len(choice) - 1, size - 1
        coders = sum(
            int(self.given.decoders.resident[self.k[u], u, c]) for u in self._received(first, last)
        )
        coders += sum(
            int(self.given.encoders.resident[self.k[u], u, c]) for u in self._sent(first, last)
        )
        return super()._memory(first, size, choice) + coders
