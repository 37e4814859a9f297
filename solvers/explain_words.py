"""An explanation's sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instances.instance import Instance
from schedules.goal import Pin
from solvers.explain_conditions import Kind, facts

SHOWN = 6
"""Layers that a sentence names before it only counts them."""

NOT_ENOUGH = "giving way here alone would not be enough, others contradict each other too"
IN_VAIN = "what would help was not found in time"
WITHOUT = "without it there is a schedule"

COUNTED = {"segments": "", "clusters": " a segment", "chiplets": " a segment"}
"""Limits on numbers of things -> where each number counts."""


def phrase(kind: Kind, limit: int) -> str:
    """A condition with a limit, to be continued."""
    if kind in COUNTED:
        return f"at most {_count(limit, kind[:-1])}{COUNTED[kind]}"
    if kind == "latency_cap":
        return f"a latency of at most {limit:,} cycles"
    if kind == "energy_cap":
        return f"an energy of at most {limit:,} pJ"
    return f"a buffer of {limit:,} bytes a chiplet"


def listed(parts: Sequence[str]) -> str:
    """A, b and c."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def names(layers: Sequence[str]) -> str:
    """Layer a; layers a, b and c; or the first ones and a count."""
    if len(layers) == 1:
        return f"layer {layers[0]}"
    if len(layers) > SHOWN:
        layers = [*layers[: SHOWN - 1], f"{len(layers) - SHOWN + 1} more"]
    return f"layers {listed(layers)}"


def pinned(instance: Instance, pin: Pin) -> str:
    """What a pin of one thing says."""
    layer = f"layer {instance.tables.layers[pin.layer]}"
    ((what, value),) = facts(pin)
    if what in ("segment", "cluster"):
        return f"{layer} pinned to begin {'a' if value else 'no'} {what}"
    if what == "tiled":
        fits = "" if instance.tables.alone[pin.layer] >= 0 else " (no weight tile of it fits)"
        return f"{layer} pinned to be tiled{fits}" if value else f"{layer} pinned not to be tiled"
    if what == "chiplets":
        return f"{layer} pinned to {_count(value, 'chiplet')}"
    return f"{layer} pinned to {what} {value}"


def misfit(instance: Instance, layer: int) -> str:
    """What a layer that fits nowhere needs at least."""
    tables = instance.tables
    need = tables.resident[layer] + tables.working[layer]
    option, chiplets = np.unravel_index(np.argmin(need), need.shape)
    return (
        f"layer {tables.layers[layer]} needs at least {need.min():,} bytes a chiplet"
        f" ({tables.options[option]}, {_count(int(chiplets) + 1, 'chiplet')}), the buffer holds"
        f" {tables.capacity:,}, and no weight tile of the layer fits"
    )


def remedy(kind: Kind, needed: int | None) -> str:
    """What would help; None where no limit would."""
    return NOT_ENOUGH if needed is None else f"{phrase(kind, needed)} would do, no less"


def perhaps(kind: Kind, enough: int) -> str:
    """What would help, if it is not known to be the least."""
    return f"{phrase(kind, enough)} would do, perhaps less"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
