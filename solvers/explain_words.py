"""An explanation's sentences."""

from __future__ import annotations

from collections.abc import Sequence

from instances.instance import Instance
from schedules.goal import Goal, Pin
from solvers.explain_conditions import Condition, Kind, facts

SHOWN = 6
"""Layers that a sentence names before it only counts them."""

PHRASES: dict[Kind, str] = {
    "buffer": "a buffer of {} bytes a chiplet",
    "latency_cap": "a latency of at most {} cycles",
    "energy_cap": "an energy of at most {} pJ",
    "segments": "at most {} segments",
    "clusters": "at most {} clusters a segment",
    "chiplets": "at most {} chiplets a segment",
}


def phrase(kind: Kind, limit: int) -> str:
    """A condition, to be continued."""
    words = PHRASES[kind].format(limit)
    return words.replace("segments", "segment").replace("clusters", "cluster") if limit == 1 else words


def names(layers: Sequence[str]) -> str:
    """Layer a; layers a, b and c; or the first ones and a count."""
    if len(layers) == 1:
        return f"layer {layers[0]}"
    shown, rest = list(layers), []
    if len(layers) > SHOWN:
        shown, rest = list(layers[: SHOWN - 1]), [f"{len(layers) - SHOWN + 1} more"]
    *first, last = [*shown, *rest]
    return f"layers {', '.join(first)} and {last}"


def pinned(instance: Instance, pin: Pin) -> str:
    """What a pin of one thing says."""
    layer = f"layer {instance.tables.layers[pin.layer]}"
    ((what, value),) = facts(pin)
    if what in ("segment", "cluster"):
        return f"{layer} pinned to begin {'a' if value else 'no'} {what}"
    if what == "tiled":
        return f"{layer} pinned to be {'' if value else 'not '}tiled"
    return f"{layer} pinned to {what} {value}"
