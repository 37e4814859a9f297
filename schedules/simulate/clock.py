"""Time in whole cycles, and counts that processes wait for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator
from typing import Any

import simpy

Steps = Generator[simpy.Event, Any, None]
"""What a process does: it yields what it waits for."""


class Clock(simpy.Environment):
    """SimPy's environment; all delays are whole cycles."""

    @property
    def cycle(self) -> int:
        """Now."""
        return int(self.now)


class Count:
    """A number that rises, and those who wait until it has."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.value = clock, 0
        self._waiting: dict[int, list[simpy.Event]] = defaultdict(list)

    def add(self) -> None:
        """One more."""
        self.value += 1
        for event in self._waiting.pop(self.value, ()):
            event.succeed()

    def reached(self, value: int) -> simpy.Event:
        """Succeeds when there are so many."""
        event = self._clock.event()
        if self.value >= value:
            event.succeed()
        else:
            self._waiting[value].append(event)
        return event
