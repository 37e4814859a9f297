"""Why there is no schedule: which conditions contradict each other, and what would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from instances.instance import Instance
from schedules.goal import Goal, Pin
from solvers import explain_words as words
from solvers.explain_conditions import Condition, Kind, conditions_of, single, under
from solvers.explain_core import core_of, smallest
from solvers.explain_trials import Budget, Trials, UnsettledError

TIME_LIMIT = 60.0
"""Seconds."""

CORE_SHARE = 0.2
"""Share of the time limit for CP-SAT's search for a core."""

UNCONFIRMED = "the time did not suffice to prove that these contradict each other"


@dataclass(frozen=True)
class Reason:
    """One condition that contradicts the others.

    Attributes:
        kind: what it is.
        pin: the one thing held, of a pin.
        layers: names of the layers concerned; none for a condition on the whole schedule.
        limit: the buffer in bytes a chiplet, the cap or the limit; None for a pin.
        helps: whether there is a schedule if this gives way and all else is held; None if the time
            did not suffice for a proof.
        needed: the least limit with which there is a schedule, all else held; None for a pin,
            unless it helps, and unless it is proved to be the least.
        text: the condition in words.
        remedy: what would help, in words.
    """

    kind: Kind
    pin: Pin | None
    layers: tuple[str, ...]
    limit: int | None
    helps: bool | None
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
        besides: why there is still no schedule if all of these conditions are left out; None if
            there is one, or if giving way in a single one helps.
    """

    headline: str
    reasons: tuple[Reason, ...]
    confirmed: bool
    besides: Explanation | None = None

    def lines(self) -> list[str]:
        """The explanation as text."""
        lines = [self.headline, *(f"- {reason.text}: {reason.remedy}" for reason in self.reasons)]
        if self.reasons and not self.confirmed:
            lines.append(UNCONFIRMED)
        if self.besides is not None:
            lines += ["and with all of that left out:", *self.besides.lines()]
        return lines


def explain(
    instance: Instance,
    goal: Goal | None = None,
    time_limit: float = TIME_LIMIT,
    workers: int | None = None,
) -> Explanation | None:
    """Why no schedule of an instance meets a goal; None if one does.

    Where tensors may be compressed, it is told why there is none that compresses nothing.

    The conditions that contradict each other come from a core of the compact model, and are reduced
    and confirmed by the exact program (by the compact model where that refuses). What
    would make it fit is found by solves with all else held, and only told if it is proved.

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
    if instance.compression is not None:
        instance = replace(instance, tables=instance.costs, compression=None)
    try:
        return _why(instance, goal, Budget(time_limit, workers))
    except UnsettledError:
        headline = f"whether a schedule exists was not settled within {time_limit:g} seconds"
        return Explanation(headline, (), confirmed=False)


def _why(instance: Instance, goal: Goal, budget: Budget) -> Explanation | None:
    """The explanation.

    Raises:
        UnsettledError: the time did not suffice to see that there is no schedule.
    """
    trials = Trials(instance, goal, budget)
    account = _Account(instance, goal, trials)
    conditions = conditions_of(instance, goal)
    misfits = _misfits(instance)
    if misfits:
        core = [Condition("buffer", layer) for layer in misfits]
        found = account.of_misfits(misfits)
    elif trials.possible():
        return None
    else:
        core = _core(instance, goal, trials, budget)
        found = account.of_core(core)
    if any(reason.helps is not False for reason in found.reasons):
        return found
    rest = [condition for condition in conditions if condition not in core]
    try:
        return replace(found, besides=_why(*under(instance, goal, rest), budget))
    except UnsettledError:
        return found


def _core(instance: Instance, goal: Goal, trials: Trials, budget: Budget) -> list[Condition]:
    """Conditions that contradict each other, none of them for nothing."""
    conditions = conditions_of(instance, goal)
    core = core_of(instance, goal, conditions, CORE_SHARE * budget.left)
    if len(core) < len(conditions) and not trials.impossible(core):
        core = conditions  # CP-SAT's core was none, or the proof takes too long
    return smallest(core, trials.impossible)


def _misfits(instance: Instance) -> list[int]:
    """Layers that do not fit the buffer even when they have the whole package to themselves."""
    tables = instance.tables
    least = (tables.resident + tables.working).min(axis=(1, 2))
    return np.flatnonzero((least > tables.capacity) & (tables.alone < 0)).tolist()


class _Account:
    """Puts conditions that contradict each other into words, with what would help."""

    def __init__(self, instance: Instance, goal: Goal, trials: Trials) -> None:
        self._instance, self._goal, self._trials = instance, goal, trials

    def of_misfits(self, layers: Sequence[int]) -> Explanation:
        """Of layers that fit nowhere."""
        buffers = [Condition("buffer", layer) for layer in layers]
        confirmed = self._trials.impossible(buffers)
        limit = self._instance.tables.capacity
        helps, needed, remedy = self._least(buffers[0])
        reasons = []
        for layer in layers:
            text, names = words.misfit(self._instance, layer), self._names([layer])
            reasons.append(Reason("buffer", None, names, limit, helps, needed, text, remedy))
        verb = "fits" if len(layers) == 1 else "fit"
        headline = f"{words.names(self._names(layers))} {verb} nowhere, not even alone"
        return Explanation(f"no schedule exists: {headline}", tuple(reasons), confirmed)

    def of_core(self, core: Sequence[Condition]) -> Explanation:
        """Of conditions that are impossible together."""
        confirmed = self._trials.impossible(core)
        reasons = [self._of_condition(what) for what in core if what.kind != "buffer"]
        phrases = [reason.text for reason in reasons]
        layers = [what.layer for what in core if what.layer is not None]
        if layers:
            phrases.append(words.phrase("buffer", self._instance.tables.capacity))
            reasons.append(self._of_buffer(layers))
        headline = f"no schedule exists with {words.listed(phrases)}"
        return Explanation(headline, tuple(reasons), confirmed)

    def _of_condition(self, what: Condition) -> Reason:
        if what.pin is not None:
            return self._of_pin(what.pin)
        limit: int = getattr(self._goal, what.kind)
        helps, needed, remedy = self._least(what)
        text = words.phrase(what.kind, limit)
        return Reason(what.kind, None, (), limit, helps, needed, text, remedy)

    def _of_pin(self, pin: Pin) -> Reason:
        try:
            helps = self._trials.does_without(pin)
            remedy = words.WITHOUT if helps else words.NOT_ENOUGH
        except UnsettledError:
            helps, remedy = None, words.IN_VAIN
        text = words.pinned(self._instance, pin)
        return Reason("pin", pin, self._names([pin.layer]), None, helps, None, text, remedy)

    def _of_buffer(self, layers: Sequence[int]) -> Reason:
        limit, names = self._instance.tables.capacity, self._names(layers)
        helps, needed, remedy = self._least(Condition("buffer", layers[0]))
        text = f"{words.phrase('buffer', limit)} for {words.names(names)}"
        return Reason("buffer", None, names, limit, helps, needed, text, remedy)

    def _least(self, what: Condition) -> tuple[bool | None, int | None, str]:
        """Whether it helps, the least limit that would do, and what to say about it."""
        try:
            needed = self._trials.least(what)
        except UnsettledError as error:
            if error.enough is None:
                return None, None, words.IN_VAIN
            return True, None, words.perhaps(what.kind, error.enough)
        return needed is not None, needed, words.remedy(what.kind, needed)

    def _names(self, layers: Sequence[int]) -> tuple[str, ...]:
        return tuple(self._instance.tables.layers[layer] for layer in layers)
