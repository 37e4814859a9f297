"""Why there is no schedule: which conditions contradict each other, and what would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from instances.instance import Instance
from schedules.goal import Goal, Pin
from solvers import explain_words as words
from solvers.explain_conditions import Condition, Kind, conditions_of, single
from solvers.explain_core import core_of, smallest
from solvers.explain_trials import Trials, UnsettledError

TIME_LIMIT = 60.0
"""Seconds."""

CORE_SHARE = 0.2
"""Share of the time limit for CP-SAT's search for a core."""


@dataclass(frozen=True)
class Reason:
    """One condition that contradicts the others.

    Attributes:
        kind: what it is.
        pin: the one thing held, of a pin.
        layers: names of the layers concerned; none for a condition on the whole schedule.
        limit: the buffer in bytes a chiplet, the cap or the limit; None for a pin.
        needed: the least limit with which there is a schedule, all else held; proved. None for a
            pin, where no limit would do, or where the time did not suffice.
        text: the condition in words.
        remedy: what would help, in words.
    """

    kind: Kind
    pin: Pin | None
    layers: tuple[str, ...]
    limit: int | None
    needed: int | None
    text: str
    remedy: str


@dataclass(frozen=True)
class Explanation:
    """Why there is no schedule.

    Attributes:
        headline: in a sentence.
        reasons: conditions that contradict each other, none of them for nothing.
        confirmed: a proof of their own says so: without any other condition there is no schedule.
    """

    headline: str
    reasons: tuple[Reason, ...]
    confirmed: bool

    def lines(self) -> list[str]:
        """The explanation as text."""
        return [self.headline, *(f"- {reason.text}: {reason.remedy}" for reason in self.reasons)]


def explain(
    instance: Instance,
    goal: Goal | None = None,
    time_limit: float = TIME_LIMIT,
    workers: int | None = None,
) -> Explanation | None:
    """Why no schedule of an instance meets a goal; None if one does.

    The conditions that contradict each other come from a core of the compact model, and are reduced
    and confirmed by the exact program. What would make it fit is found by solves with all else
    held, and only told if it is proved.

    Args:
        time_limit: seconds for everything; without a proof in time the explanation says so.
        workers: threads; all cores by default.

    Raises:
        ValueError: a goal without meaning for the instance, or a time limit that is not positive.
    """
    goal = Goal() if goal is None else goal
    goal.check(instance)
    if not time_limit > 0:
        raise ValueError(f"time limit {time_limit} is not a positive number of seconds")
    goal = replace(goal, objective="latency", pins=single(goal.pins))
    trials = Trials(instance, goal, time_limit, workers)
    misfits = [Condition("buffer", layer) for layer in _misfits(instance)]
    account = _Account(instance, goal, trials)
    if misfits:
        return account.of_misfits(misfits)
    try:
        if trials.possible():
            return None
    except UnsettledError:
        headline = f"whether a schedule exists was not settled within {time_limit:g} seconds"
        return Explanation(headline, (), confirmed=False)
    conditions = conditions_of(instance, goal)
    core = core_of(instance, goal, conditions, CORE_SHARE * time_limit)
    if len(core) < len(conditions) and not trials.impossible(core):
        core = conditions
    return account.of_core(smallest(core, trials.impossible))


def _misfits(instance: Instance) -> list[int]:
    """Layers that do not fit the buffer even when they have the whole package to themselves."""
    tables = instance.tables
    least = (tables.resident + tables.working).min(axis=(1, 2))
    return np.flatnonzero((least > tables.capacity) & (tables.alone < 0)).tolist()


class _Account:
    """Puts conditions that contradict each other into words, with what would help."""

    def __init__(self, instance: Instance, goal: Goal, trials: Trials) -> None:
        self._instance, self._goal, self._trials = instance, goal, trials

    def of_misfits(self, misfits: Sequence[Condition]) -> Explanation:
        """Of layers that fit nowhere."""
        confirmed = self._trials.impossible(misfits)
        needed, remedy = self._least(misfits[0])
        reasons = []
        for what in misfits:
            name, text = self._names([what]), words.misfit(self._instance, what.layer or 0)
            reasons.append(Reason("buffer", None, name, self._limit(what), needed, text, remedy))
        layers = words.names(self._names(misfits))
        verb = "fits" if len(misfits) == 1 else "fit"
        headline = f"no schedule exists: {layers} {verb} nowhere, not even alone"
        return Explanation(headline, tuple(reasons), confirmed)

    def of_core(self, core: Sequence[Condition]) -> Explanation:
        """Of conditions that are impossible together."""
        confirmed = self._trials.impossible(core)
        reasons = [self._of_condition(what) for what in core if what.kind != "buffer"]
        phrases = [reason.text for reason in reasons]
        buffer = [what for what in core if what.kind == "buffer"]
        if buffer:
            phrases.append(words.phrase("buffer", self._limit(buffer[0])))
            reasons.append(self._of_buffer(buffer))
        headline = f"no schedule exists with {words.listed(phrases)}"
        return Explanation(headline, tuple(reasons), confirmed)

    def _of_condition(self, what: Condition) -> Reason:
        if what.pin is None:
            limit = self._limit(what)
            needed, remedy = self._least(what)
            return Reason(
                what.kind, None, (), limit, needed, words.phrase(what.kind, limit), remedy
            )
        layer = self._instance.tables.layers[what.pin.layer]
        try:
            remedy = words.WITHOUT if self._trials.does_without(what) else words.NOT_ENOUGH
        except UnsettledError:
            remedy = words.IN_VAIN
        text = words.pinned(self._instance, what.pin)
        return Reason("pin", what.pin, (layer,), None, None, text, remedy)

    def _of_buffer(self, layers: Sequence[Condition]) -> Reason:
        limit, own = self._limit(layers[0]), self._names(layers)
        needed, remedy = self._least(layers[0])
        text = f"{words.phrase('buffer', limit)} for {words.names(own)}"
        return Reason("buffer", None, own, limit, needed, text, remedy)

    def _least(self, what: Condition) -> tuple[int | None, str]:
        """The least limit that would do, and what to say about it."""
        try:
            needed = self._trials.least(what)
        except UnsettledError:
            return None, words.IN_VAIN
        return needed, words.remedy(what.kind, needed)

    def _limit(self, what: Condition) -> int:
        if what.kind == "buffer":
            return self._instance.tables.capacity
        limit: int = getattr(self._goal, what.kind)
        return limit

    def _names(self, layers: Sequence[Condition]) -> tuple[str, ...]:
        return tuple(self._instance.tables.layers[what.layer or 0] for what in layers)
