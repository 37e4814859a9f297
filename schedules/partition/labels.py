"""Names of a division's devices in tables and pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from schedules.partition.evaluate import DeviceLoad


def device_labels(loads: Iterable[DeviceLoad]) -> list[str]:
    """'accelerator 0', 'accelerator 1', 'cpu 0': numbered by kind, in the division's order."""
    seen: Counter[str] = Counter()
    found = []
    for own in loads:
        found.append(f"{own.device.kind} {seen[own.device.kind]}")
        seen[own.device.kind] += 1
    return found
