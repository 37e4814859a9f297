"""How long a run takes, as a formula of its stages that is the same for all objectives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """loads * (sum of loads) + times * (sum of stage times) + slowest * (slowest stage time).

    Attributes:
        loads, times, slowest: the factors.
    """

    loads: int
    times: int
    slowest: int

    @classmethod
    def of(cls, rounds: int, pipelined: bool, period: bool) -> Timing:
        """The formula of a run.

        Args:
            rounds: mini-batches that pass.
            pipelined: stages work on different mini-batches at once.
            period: the run's part in the period is asked for, not its latency.
        """
        if period:
            return cls(0, 0, rounds)
        return cls(1, 1, rounds - 1) if pipelined else cls(1, rounds, 0)

    def alone(self, load: int, time: int) -> int:
        """Cycles of a run of one stage."""
        return self.loads * load + (self.times + self.slowest) * time
