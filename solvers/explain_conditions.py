"""The conditions that an explanation may name, and the instance that is left without some."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from instances.instance import Instance
from schedules.goal import Goal, Pin

Kind = Literal["pin", "segments", "clusters", "chiplets", "latency_cap", "energy_cap", "buffer"]
LIMITS: tuple[Kind, ...] = ("segments", "clusters", "chiplets", "latency_cap", "energy_cap")


@dataclass(frozen=True)
class Condition:
    """Something that a user can give way in.

    Attributes:
        kind: 'buffer' means that the bytes of one layer count against the buffer.
        layer: index, of a buffer condition.
        pin: a pin that holds one thing.
    """

    kind: Kind
    layer: int | None = None
    pin: Pin | None = None


def conditions_of(instance: Instance, goal: Goal) -> list[Condition]:
    """All conditions, those first that an explanation should rather name."""
    limits = [Condition(kind) for kind in LIMITS if getattr(goal, kind) is not None]
    layers = range(len(instance.tables.layers))
    buffer = [Condition("buffer", layer) for layer in layers]
    return [*(Condition("pin", pin=pin) for pin in single(goal.pins)), *limits, *buffer]


def single(pins: Collection[Pin]) -> tuple[Pin, ...]:
    """The pins, each taken apart until it holds one thing, none twice."""
    parts = (Pin(pin.layer, **{what: value}) for pin in pins for what, value in facts(pin))
    return tuple(dict.fromkeys(parts))


def facts(pin: Pin) -> list[tuple[str, Any]]:
    """(what, value) of all that a pin holds."""
    values = ((field.name, getattr(pin, field.name)) for field in fields(pin))
    return [(what, value) for what, value in values if what != "layer" and value is not None]


def under(
    instance: Instance, goal: Goal, conditions: Collection[Condition]
) -> tuple[Instance, Goal]:
    """The instance and the goal with no other conditions than these."""
    kinds = {condition.kind for condition in conditions}
    kept = {kind: getattr(goal, kind) if kind in kinds else None for kind in LIMITS}
    pins = tuple(condition.pin for condition in conditions if condition.pin is not None)
    counted = {condition.layer for condition in conditions if condition.kind == "buffer"}
    return _weightless(instance, counted), Goal(goal.objective, pins=pins, **kept)


def _weightless(instance: Instance, counted: Collection[int | None]) -> Instance:
    """The instance in which only these layers need bytes; tensors that wait always do."""
    tables = instance.tables
    free = [layer for layer in range(len(tables.layers)) if layer not in counted]
    if not free:
        return instance
    resident, working = tables.resident.copy(), tables.working.copy()
    resident[free] = working[free] = 0
    return replace(instance, tables=replace(tables, resident=resident, working=working))
