"""Ports, links and DRAM: transfers as fluid flows that share what they use.

A flow has bytes for each resource that it uses, and moves all of them at once. Of a resource that
is too narrow for the flows that use it, each gets an equal share of its bytes a cycle, and what one
cannot use goes to the others (max-min fairness). Everything ends with a whole cycle.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np
import simpy
from numpy.typing import NDArray

from instances.package import Package
from schedules.simulate.clock import Clock
from schedules.simulate.plan import Cargo

Floats = NDArray[np.float64]

TINY = 1e-9
"""The share of a flow, or of a cycle, that rounding may leave over."""


@dataclass(eq=False)
class Flow:
    """A transfer under way.

    Attributes:
        use: [resources] bytes on each, over those on the one with the most.
        limit: bytes a cycle, on that resource, that the receiver's port lets through.
        left: bytes that are still to pass there.
        rate: bytes a cycle at which they do.
        whole: bytes that there were.
        done: succeeds when all have passed.
    """

    use: Floats
    limit: float
    left: float
    whole: float
    done: simpy.Event
    rate: float = 0.0


def cycles_of(package: Package, nanoseconds: float, times: int = 1) -> int:
    """Whole cycles of so many nanoseconds, so many times."""
    return ceil(Fraction(str(nanoseconds)) * times * package.chiplet.clock_hz / 10**9)


class Fabric:
    """The resources of a package that transfers share.

    Attributes:
        contention: whether links are among them.
        hop: cycles of one hop.
        access: cycles of a first access to DRAM.
    """

    def __init__(self, clock: Clock, package: Package, links: int) -> None:
        hertz = package.chiplet.clock_hz
        self._port = Fraction(package.nop.bandwidth, hertz)
        dram = Fraction(package.dram.bandwidth * package.dram.ports, hertz)
        self._capacity = np.array([float(dram), *[float(self._port)] * links])
        self.contention = links > 0
        self.hop = cycles_of(package, package.nop.hop_ns)
        self.access = cycles_of(package, package.dram.latency_ns)
        self._clock = clock
        self._flows: list[Flow] = []
        self._since, self._plans = 0, 0

    def port_cycles(self, amount: int) -> int:
        """Whole cycles that a port needs for some bytes."""
        return ceil(amount / self._port)

    def read(self, amount: int) -> simpy.Event:
        """Bring bytes from DRAM to its ports."""
        return self._carry(amount, 0, None)

    def write(self, cargo: Cargo) -> simpy.Event:
        """Bring bytes to DRAM."""
        return self._carry(cargo.dram, 0, cargo)

    def deliver(self, cargo: Cargo) -> simpy.Event:
        """Bring bytes through the ports of their receivers."""
        if not self.contention:
            return self._clock.timeout(self.port_cycles(cargo.port))
        return self._carry(0, cargo.port, cargo)

    def _carry(self, dram: int, port: int, cargo: Cargo | None) -> simpy.Event:
        amounts = np.zeros(len(self._capacity))
        amounts[0] = dram
        if self.contention and cargo is not None:
            amounts[1:] = cargo.links
        most = float(max(port, amounts.max()))
        if most == 0:
            return self._clock.timeout(0)
        limit = float(self._port) * most / port if port else np.inf
        flow = Flow(amounts / most, limit, most, most, self._clock.event())
        self._advance()
        self._flows.append(flow)
        self._plan(0)
        return flow.done

    def _plan(self, delay: int) -> None:
        """Look again after some cycles; whatever was planned before is off."""
        self._plans += 1
        number = self._plans
        timer = self._clock.timeout(delay)
        timer.callbacks.append(lambda _: self._look() if number == self._plans else None)

    def _look(self) -> None:
        """End what has passed, share anew, and foresee when the next flow ends."""
        self._advance()
        ended = [flow for flow in self._flows if flow.left <= TINY * flow.whole]
        for flow in ended:
            flow.done.succeed()
        self._flows = [flow for flow in self._flows if flow not in ended]
        if not self._flows:
            return
        use = np.array([flow.use for flow in self._flows])
        rates = shared(use, np.array([flow.limit for flow in self._flows]), self._capacity)
        for flow, rate in zip(self._flows, rates.tolist(), strict=True):
            flow.rate = rate
        self._plan(max(1, ceil(min(flow.left / flow.rate for flow in self._flows) - TINY)))

    def _advance(self) -> None:
        passed, self._since = self._clock.cycle - self._since, self._clock.cycle
        if passed:
            for flow in self._flows:
                flow.left -= flow.rate * passed


def shared(use: Floats, limits: Floats, capacity: Floats) -> Floats:
    """[flows] rates by progressive filling: all rise alike until a resource or a limit is reached.

    Args:
        use: [flows, resources] what a flow needs of a resource at rate 1.
        limits: [flows] most rate of each.
        capacity: [resources] all that there is.
    """
    rates, open_ = np.zeros(len(limits)), np.ones(len(limits), dtype=bool)
    used = use.any(axis=0)
    use, slack = use[:, used], capacity[used]
    while open_.any():
        wanted = use[open_].sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            levels = np.where(wanted > TINY, slack / wanted, np.inf)
        level = min(levels.min(initial=np.inf), limits[open_].min())
        full = levels <= level * (1 + TINY)
        stopped = open_ & ((limits <= level * (1 + TINY)) | use[:, full].any(axis=1))
        rates[stopped] = level
        slack = np.maximum(slack - level * use[stopped].sum(axis=0), 0.0)
        open_ &= ~stopped
    return rates
