"""What a user asks of a schedule: an objective, limits, and parts that are held fixed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from instances.instance import Instance
from instances.tables import CostTables, Ints, Skip
from schedules.evaluate import Evaluation, evaluate
from schedules.schedule import Cluster, Schedule, counted

Objective = Literal["latency", "energy", "edp"]
OBJECTIVES: tuple[Objective, ...] = ("latency", "energy", "edp")
UNITS: dict[Objective, str] = {"latency": "cycles", "energy": "pJ", "edp": "pJ cycles"}

Flags = NDArray[np.bool_]


class Costed(Protocol):
    """The evaluation of any kind of schedule."""

    @property
    def latency(self) -> int:
        """Cycles."""
        ...

    @property
    def energy(self) -> int:
        """Picojoules."""
        ...


class Weights(NamedTuple):
    """A linear objective: `latency` times cycles plus `energy` times picojoules."""

    latency: int
    energy: int

    def cost(self, evaluation: Costed) -> int:
        """The weighted sum."""
        return self.latency * evaluation.latency + self.energy * evaluation.energy


@dataclass(frozen=True)
class Pin:
    """What is held fixed at one layer; None where the method is free.

    Attributes:
        layer: index.
        segment, cluster: whether one begins at the layer.
        tiled: whether the layer is a tiled segment.
        chiplets: of the layer's region; a tiled layer has all of the package's.
        option: the layer's partition; a tiled layer has none.
    """

    layer: int
    segment: bool | None = None
    cluster: bool | None = None
    tiled: bool | None = None
    chiplets: int | None = None
    option: str | None = None


@dataclass(frozen=True)
class Goal:
    """What is minimised, and under which conditions beside those of the problem itself.

    Attributes:
        objective: 'latency' in cycles, 'energy' in picojoules, or their product 'edp'.
        latency_cap: most cycles.
        energy_cap: most picojoules.
        segments: most segments of the schedule.
        clusters: most clusters of a segment, the depth of its pipeline.
        chiplets: most chiplets of a segment. A tiled segment takes the whole package.
        pins: parts held fixed.
    """

    objective: Objective = "latency"
    latency_cap: int | None = None
    energy_cap: int | None = None
    segments: int | None = None
    clusters: int | None = None
    chiplets: int | None = None
    pins: tuple[Pin, ...] = ()

    @property
    def constrained(self) -> bool:
        """Whether there is any condition."""
        return replace(self, objective="latency") != Goal()

    @property
    def needs_energy(self) -> bool:
        """Whether energy decides anything."""
        return self.objective != "latency" or self.energy_cap is not None

    @cached_property
    def weights(self) -> Weights:
        """The objective as a weighted sum.

        Raises:
            ValueError: the objective is a product.
        """
        if self.objective == "edp":
            raise ValueError("the energy-delay product is no weighted sum of energy and latency")
        return Weights(1, 0) if self.objective == "latency" else Weights(0, 1)

    def value(self, evaluation: Evaluation) -> int:
        """The objective of an evaluated schedule."""
        return {
            "latency": evaluation.latency,
            "energy": evaluation.energy,
            "edp": evaluation.edp,
        }[self.objective]

    def check(self, instance: Instance) -> None:
        """Refuse what has no meaning for the instance.

        Raises:
            ValueError: an unknown objective, a limit below 1, a cap below 0, or a pin on
                something that is not there.
        """
        if self.objective not in OBJECTIVES:
            raise ValueError(
                f"unknown objective {self.objective!r}: choose one of {', '.join(OBJECTIVES)}"
            )
        for name in ("segments", "clusters", "chiplets"):
            most = getattr(self, name)
            if most is not None and most < 1:
                raise ValueError(f"a limit of {most} {name}: at least 1 is needed")
        for name, cap in (("latency", self.latency_cap), ("energy", self.energy_cap)):
            if cap is not None and cap < 0:
                raise ValueError(f"{name} cap {cap} is negative: expected at least 0")
        for pin in self.pins:
            _check_pin(instance, pin)

    def allowed_clusters(self, layers: int) -> Flags:
        """[L,L] whether the pins allow a cluster first..last."""
        return _intervals(layers, [(pin.layer, pin.cluster) for pin in self.pins])

    def allowed_segments(self, layers: int) -> Flags:
        """[L,L] whether the pins allow a segment first..last, tiled or not."""
        return _intervals(layers, [(pin.layer, pin.segment) for pin in self.pins])


def latency_cap_for(instance: Instance, throughput: float | Fraction) -> int:
    """The most cycles with which the batch reaches a throughput in samples a cycle.

    Raises:
        ValueError: the throughput is not positive and finite.
    """
    if not 0 < throughput < math.inf:
        raise ValueError(f"throughput floor {throughput} is not a positive number")
    return int(instance.batch / Fraction(throughput))


def hold(schedule: Schedule, first: int, last: int) -> tuple[Pin, ...]:
    """Pins that keep layers first..last as a schedule has them, borders of the part included."""
    pins = []
    for segment in schedule.segments:
        for cluster in segment.clusters:
            for layer, option in enumerate(cluster.options, start=cluster.first):
                begins = layer == cluster.first
                pin = Pin(layer, begins and layer == segment.first, begins)
                if first <= layer <= last:
                    pin = replace(
                        pin,
                        tiled=segment.tiled,
                        chiplets=cluster.chiplets,
                        option=None if segment.tiled else option,
                    )
                if first <= layer <= last + 1:
                    pins.append(pin)
    return tuple(pins)


def breaches(instance: Instance, schedule: Schedule, goal: Goal) -> list[str]:
    """Every condition of the goal that a schedule breaks, a sentence each.

    The schedule must pass `schedules.verify` first.
    """
    return [
        *_over_caps(instance, schedule, goal),
        *_over_limits(schedule, goal),
        *(text for pin in goal.pins for text in _broken(instance, schedule, pin)),
    ]


def restricted(instance: Instance, goal: Goal) -> Instance:
    """The instance without the choices that `chiplets` and the pins on modes rule out.

    What is ruled out does not fit the buffer any more. A schedule that may run on the restricted
    instance may run on the original, at the same cost. Caps, limits on segments and clusters, and
    pins on where segments and clusters begin are not in it.
    """
    whole = instance.chiplets
    if goal.chiplets is not None and goal.chiplets < whole:
        instance = replace(instance, tables=_on_fewer_chiplets(instance.tables, goal.chiplets))
    if any((pin.tiled, pin.chiplets, pin.option) != (None, None, None) for pin in goal.pins):
        instance = replace(instance, tables=_pinned(instance.tables, goal.pins, whole))
    return instance


def _check_pin(instance: Instance, pin: Pin) -> None:
    count, chiplets = len(instance.layers), instance.chiplets
    if not 0 <= pin.layer < count:
        raise ValueError(f"a pin on layer {pin.layer}: there are layers 0 to {count - 1}")
    name = instance.layers[pin.layer]
    if pin.chiplets is not None and not 1 <= pin.chiplets <= chiplets:
        raise ValueError(
            f"layer {name} is pinned to {counted(pin.chiplets, 'chiplet')}: the package has"
            f" {chiplets}, expected 1 to {chiplets}"
        )
    if pin.option is not None and pin.option not in instance.options:
        known = ", ".join(instance.options)
        raise ValueError(f"layer {name} is pinned to option {pin.option!r}: there are {known}")


def _intervals(layers: int, begins: list[tuple[int, bool | None]]) -> Flags:
    allowed = np.triu(np.ones((layers, layers), dtype=np.bool_))
    for layer, wanted in begins:
        if wanted is True:
            allowed[:layer, layer:] = False
        elif wanted is False:
            allowed[layer, :] = False
            if layer > 0:
                allowed[:, layer - 1] = False
    return allowed


def _over_caps(instance: Instance, schedule: Schedule, goal: Goal) -> Iterator[str]:
    if goal.latency_cap is None and goal.energy_cap is None:
        return
    costs = evaluate(instance, schedule)
    if goal.latency_cap is not None and costs.latency > goal.latency_cap:
        yield f"the latency of {costs.latency:,} cycles exceeds the cap of {goal.latency_cap:,}"
    if goal.energy_cap is not None and costs.energy > goal.energy_cap:
        yield f"the energy of {costs.energy:,} pJ exceeds the cap of {goal.energy_cap:,}"


def _over_limits(schedule: Schedule, goal: Goal) -> Iterator[str]:
    if goal.segments is not None and len(schedule.segments) > goal.segments:
        found = counted(len(schedule.segments), "segment")
        yield f"the schedule has {found}, at most {goal.segments} may be"
    for s, segment in enumerate(schedule.segments):
        if goal.clusters is not None and len(segment.clusters) > goal.clusters:
            found = counted(len(segment.clusters), "cluster")
            yield f"segment {s} has {found}, at most {goal.clusters} may be"
        used = sum(cluster.chiplets for cluster in segment.clusters)
        if goal.chiplets is not None and used > goal.chiplets:
            found = counted(used, "chiplet")
            yield f"segment {s} uses {found}, at most {goal.chiplets} may be used"


def _broken(instance: Instance, schedule: Schedule, pin: Pin) -> Iterator[str]:
    tiled, begins, cluster = _place(schedule, pin.layer)
    found = {
        "segment": begins,
        "cluster": pin.layer == cluster.first,
        "tiled": tiled,
        "chiplets": cluster.chiplets,
        "option": None if tiled else cluster.options[pin.layer - cluster.first],
    }
    for what, is_so in found.items():
        wanted = getattr(pin, what)
        if wanted is not None and wanted != is_so:
            name = instance.layers[pin.layer]
            yield f"layer {name} is pinned {_pinned_to(what, wanted)}, but {_in_fact(what, is_so)}"


def _pinned_to(what: str, wanted: Any) -> str:
    """What a pin asks for, after 'is pinned'."""
    if what == "chiplets":
        return f"to {counted(wanted, 'chiplet')}"
    if what == "option":
        return f"to option {wanted}"
    if what == "tiled":
        return "to be tiled" if wanted else "not to be tiled"
    return f"to start a {what}" if wanted else f"not to start a {what}"


def _in_fact(what: str, is_so: Any) -> str:
    """What the schedule does instead, after 'but'."""
    if what == "chiplets":
        return f"runs on {is_so}"
    if what == "option":
        return "is tiled, which has no option" if is_so is None else f"runs with {is_so}"
    if what == "tiled":
        return "is" if is_so else "is not"
    return "does" if is_so else "does not"


def _place(schedule: Schedule, layer: int) -> tuple[bool, bool, Cluster]:
    """Whether the layer is tiled, whether a segment begins with it, and its cluster."""
    for segment in schedule.segments:
        for cluster in segment.clusters:
            if cluster.first <= layer <= cluster.last:
                return segment.tiled, layer == segment.first, cluster
    raise ValueError(f"layer {layer} is in no cluster: verify the schedule first")


def _on_fewer_chiplets(tables: CostTables, chiplets: int) -> CostTables:
    def cut(table: Ints) -> Ints:
        return table[..., :chiplets]

    def cut_skip(skip: Skip) -> Skip:
        return replace(
            skip,
            enter=cut(skip.enter),
            leave=cut(skip.leave),
            hold=cut(skip.hold),
            enter_energy=cut(skip.enter_energy),
            leave_energy=cut(skip.leave_energy),
        )

    energy = tables.energy
    return replace(
        tables,
        entry=cut(tables.entry),
        step=cut(tables.step),
        exit=cut(tables.exit),
        compute=None if tables.compute is None else cut(tables.compute),
        resident=cut(tables.resident),
        working=cut(tables.working),
        alone=np.full_like(tables.alone, -1),
        skips=tuple(cut_skip(skip) for skip in tables.skips),
        energy=replace(
            energy, entry=cut(energy.entry), step=cut(energy.step), exit=cut(energy.exit)
        ),
    )


def _pinned(tables: CostTables, pins: tuple[Pin, ...], package: int) -> CostTables:
    """Modes against a pin made too large for the buffer; `package` chiplets make a tiled layer."""
    resident, alone = tables.resident.copy(), tables.alone.copy()
    too_large = tables.capacity + 1
    for pin in pins:
        own = resident[pin.layer]
        if pin.chiplets is not None:
            own[:, np.arange(tables.chiplets) != pin.chiplets - 1] = too_large
        if pin.option is not None:
            own[np.array(tables.options) != pin.option] = too_large
        if pin.tiled:
            own[:] = too_large
        untiled = pin.tiled is False or pin.option is not None
        if untiled or pin.chiplets not in (None, package):
            alone[pin.layer] = -1
    return replace(tables, resident=resident, alone=alone)
