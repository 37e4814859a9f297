"""Why not: what is named is a contradiction, none of it for nothing, and each remedy is exact."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from ortools.sat.python.cp_model import UNKNOWN

from instances.generate import random_instance
from instances.instance import Instance
from schedules.goal import Goal, Pin
from solvers.explain import Explanation, Reason, explain
from solvers.explain_conditions import Condition, conditions_of, single, under
from solvers.explain_core import core_of, smallest
from solvers.explain_trials import Trials
from solvers.explain_words import NOT_ENOUGH
from solvers.result import Result
from solvers.solve import solve

MakeInstance = Callable[..., Instance]
RandomGoal = Callable[[Instance, int], Goal]

PAIRS = 60
"""Random instances with goals, about half of which no schedule meets."""


def why(instance: Instance, goal: Goal | None = None) -> Explanation:
    """The explanation, which must be there and be confirmed."""
    found = explain(instance, goal, workers=1)
    assert found is not None
    assert found.confirmed
    return found


def kinds(explanation: Explanation) -> list[str]:
    return [reason.kind for reason in explanation.reasons]


def possible(instance: Instance, goal: Goal) -> bool:
    return solve(instance, "enumerate", goal=goal).schedule is not None


def test_a_goal_that_can_be_met_needs_no_explanation(example: Instance) -> None:
    assert explain(example) is None
    assert explain(example, Goal("energy", latency_cap=229, segments=2)) is None


def test_a_layer_that_fits_nowhere_is_named_with_its_need(make_instance: MakeInstance) -> None:
    sizes = {"resident": [[[10, 10]] * 2, [[160, 140], [150, 120]]], "working": 5}
    found = why(make_instance([[[1, 1]] * 2] * 2, **sizes))
    assert found.headline == "no schedule exists: layer b fits nowhere, not even alone"
    assert [(r.layers, r.limit, r.needed) for r in found.reasons] == [(("b",), 100, 125)]
    assert found.lines() == [
        found.headline,
        "- layer b needs at least 125 bytes a chiplet (WSP, 2 chiplets), the buffer holds 100, and"
        " no weight tile of the layer fits: a buffer of 125 bytes a chiplet would do, no less",
    ]


def test_all_layers_that_fit_nowhere_are_named(make_instance: MakeInstance) -> None:
    instance = make_instance([[[1]]] * 3, resident=[[[300]], [[200]], [[400]]], alone=[-1, -1, 7])
    found = why(instance)
    assert found.headline == "no schedule exists: layers a and b fit nowhere, not even alone"
    assert [reason.layers for reason in found.reasons] == [("a",), ("b",)]
    assert [reason.needed for reason in found.reasons] == [300, 300]


def test_one_segment_and_a_small_buffer(make_instance: MakeInstance) -> None:
    instance = make_instance([[[1]]] * 3, resident=[[[60]], [[0]], [[70]]])
    found = why(instance, Goal(segments=1))
    assert found.lines() == [
        "no schedule exists with at most 1 segment and a buffer of 100 bytes a chiplet",
        "- at most 1 segment: at most 2 segments would do, no less",
        "- a buffer of 100 bytes a chiplet for layers a and c: a buffer of 130 bytes a chiplet"
        " would do, no less",
    ]


def test_a_latency_cap_below_the_optimum_can_rise_to_it(example: Instance) -> None:
    optimum = solve(example, "exact").objective
    assert optimum is not None
    (reason,) = (r for r in why(example, Goal(latency_cap=200)).reasons if r.kind != "buffer")
    assert (reason.kind, reason.limit, reason.needed) == ("latency_cap", 200, optimum)
    assert reason.text == "a latency of at most 200 cycles"


def test_an_energy_cap_below_the_optimum_can_rise_to_it() -> None:
    instance = random_instance(3, layers=3, chiplets=2, memory="loose")
    least = solve(instance, "enumerate", goal=Goal("energy")).objective
    assert least is not None
    found = why(instance, Goal(energy_cap=least - 1))
    assert found.lines() == [
        f"no schedule exists with an energy of at most {least - 1:,} pJ",
        f"- an energy of at most {least - 1:,} pJ: an energy of at most {least:,} pJ would do,"
        " no less",
    ]


def test_pins_that_contradict_each_other_are_named_and_nothing_else(example: Instance) -> None:
    chiplets, tiled = Pin(1, chiplets=2), Pin(1, cluster=False, option="ISP")
    pins = (Pin(0, option="ISP"), Pin(1, segment=True), tiled, chiplets)
    found = why(example, Goal(clusters=2, latency_cap=500, pins=pins))
    assert [reason.pin for reason in found.reasons] == [
        Pin(1, segment=True),
        Pin(1, cluster=False),
    ]
    assert found.headline == (
        "no schedule exists with layer b pinned to begin a segment and layer b pinned to begin no"
        " cluster"
    )
    assert {reason.remedy for reason in found.reasons} == {"without it there is a schedule"}


def test_the_same_layer_pinned_to_two_sizes(example: Instance) -> None:
    found = why(example, Goal(pins=(Pin(1, chiplets=2), Pin(1, chiplets=3))))
    assert [reason.text for reason in found.reasons] == [
        "layer b pinned to 2 chiplets",
        "layer b pinned to 3 chiplets",
    ]


def test_a_limit_on_chiplets_tells_the_fewest_that_do(make_instance: MakeInstance) -> None:
    instance = make_instance([[[1, 1, 1]]], resident=[[[250, 150, 90]]])
    found = why(instance, Goal(chiplets=1))
    assert kinds(found) == ["chiplets", "buffer"]
    assert [reason.needed for reason in found.reasons] == [3, 250]
    assert found.reasons[0].text == "at most 1 chiplet a segment"


def test_a_limit_on_clusters_tells_the_fewest_that_do(make_instance: MakeInstance) -> None:
    instance = make_instance([[[1, 1]]] * 2, resident=60)
    found = why(instance, Goal(segments=1, clusters=1))
    assert kinds(found) == ["segments", "clusters", "buffer"]
    assert [reason.needed for reason in found.reasons] == [2, 2, 120]


def test_where_no_single_remedy_is_enough_all_contradictions_are_told(
    make_instance: MakeInstance,
) -> None:
    pins = (Pin(0, tiled=True), Pin(1, segment=True), Pin(1, segment=False))
    found: Explanation | None = why(make_instance([[[5]]] * 2), Goal(latency_cap=4, pins=pins))
    assert found is not None
    lines, told = found.lines(), []
    while found is not None:
        told.append({reason.text for reason in found.reasons})
        if found.besides is not None:
            assert {reason.remedy for reason in found.reasons} == {NOT_ENOUGH}
        found = found.besides
    # Which comes first is up to CP-SAT.
    assert sorted(told, key=sorted) == [
        {"a latency of at most 4 cycles"},
        {"layer a pinned to be tiled (no weight tile of it fits)"},
        {"layer b pinned to begin a segment", "layer b pinned to begin no segment"},
    ]
    assert lines.count("and with all of that left out:") == 2


def test_without_the_time_for_a_proof_nothing_is_claimed(example: Instance) -> None:
    found = explain(example, Goal(latency_cap=200), time_limit=1e-6)
    assert found is not None
    assert not found.confirmed
    assert found.lines() == ["whether a schedule exists was not settled within 1e-06 seconds"]


@pytest.mark.parametrize("refused", [{"exact"}, {"exact", "cpsat"}])
def test_where_the_exact_program_refuses_a_model_takes_over(
    example: Instance, monkeypatch: pytest.MonkeyPatch, refused: set[str]
) -> None:
    def refuse(instance: Instance, method: str, **asked: Any) -> Result:
        if method in refused:
            raise ValueError("too large")
        return solve(instance, method, **asked)

    monkeypatch.setattr("solvers.explain_trials.solve", refuse)
    found = explain(example, Goal(latency_cap=228), workers=1)
    assert found is not None
    assert found.confirmed == (refused == {"exact"})
    assert [reason.needed for reason in found.reasons] == ([229] if found.confirmed else [])


def test_what_is_enough_is_told_where_the_least_is_not_proved(
    example: Instance, make_instance: MakeInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(instance: Instance, *_: Any, goal: Goal, **__: Any) -> Result:
        result = solve(instance, goal=goal)
        if 100 < instance.tables.capacity < 130:
            return replace(result, stop="time-limit", schedule=None, evaluation=None)
        return replace(result, stop="time-limit") if result.schedule is not None else result

    monkeypatch.setattr("solvers.explain_trials.solve", slow)
    small = make_instance([[[1]]] * 3, resident=[[[60]], [[0]], [[70]]])
    reasons = [*why(example, Goal(latency_cap=228)).reasons, *why(small, Goal(segments=1)).reasons]
    assert [(reason.helps, reason.needed, reason.remedy) for reason in reasons] == [
        (True, None, "a latency of at most 229 cycles would do, perhaps less"),
        (True, 2, "at most 2 segments would do, no less"),
        (True, None, "a buffer of 130 bytes a chiplet would do, perhaps less"),
    ]


def test_what_is_not_proved_is_called_so(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trials, "impossible", lambda *_: False)
    pins = (Pin(1, chiplets=2), Pin(1, chiplets=3))
    found = explain(example, Goal(pins=pins))
    assert found is not None
    assert not found.confirmed
    assert found.lines()[-1] == "the time did not suffice to prove that these contradict each other"


def test_ctrl_c_ends_it(example: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    goal = Goal(pins=(Pin(1, chiplets=2), Pin(1, chiplets=3)))
    with monkeypatch.context() as patch:
        patch.setattr("solvers.explain_core.in_thread", lambda *_: (UNKNOWN, "interrupted"))
        with pytest.raises(KeyboardInterrupt):
            explain(example, goal)
    interrupted = replace(solve(example), stop="interrupted", schedule=None)
    monkeypatch.setattr("solvers.explain_trials.solve", lambda *_, **__: interrupted)
    with pytest.raises(KeyboardInterrupt):
        explain(example, goal)


@pytest.mark.parametrize("time_limit", [0.0, -1.0, float("nan")])
def test_a_time_limit_without_meaning_is_refused(example: Instance, time_limit: float) -> None:
    with pytest.raises(ValueError, match="is not a positive number of seconds"):
        explain(example, time_limit=time_limit)


def test_a_goal_without_meaning_is_refused(example: Instance) -> None:
    with pytest.raises(ValueError, match="a limit of 0 segments"):
        explain(example, Goal(segments=0))


# Random instances and goals


@pytest.mark.parametrize("seed", range(PAIRS))
def test_reasons_contradict_each_other_and_remedies_are_exact(
    seed: int, random_goal: RandomGoal
) -> None:
    instance, goal = drawn(seed, random_goal)
    found = explained(seed, random_goal)
    assert (found is None) == possible(instance, goal)
    if found is None:
        return
    check(found, instance, goal)


def check(found: Explanation, instance: Instance, goal: Goal) -> None:
    assert found.confirmed
    reasons = found.reasons
    assert not possible(*only(instance, goal, reasons))
    if "nowhere" not in found.headline:  # there, one layer would do, but all are told
        for reason in reasons:
            rest = [other for other in reasons if other is not reason]
            assert possible(*only(instance, goal, rest))
    for reason in reasons:
        check_remedy(instance, goal, reason)
    if found.besides is not None:
        assert not any(reason.helps for reason in reasons)
        check(found.besides, *leaving_out(instance, goal, reasons))


def test_the_random_goals_hold_every_kind_of_condition(random_goal: RandomGoal) -> None:
    found = [explained(seed, random_goal) for seed in range(PAIRS)]
    seen = {kind for explanation in found if explanation for kind in kinds(explanation)}
    assert seen == {
        "pin", "segments", "clusters", "chiplets", "latency_cap", "energy_cap", "buffer"
    }  # fmt: skip
    assert None in found


@cache
def explained(seed: int, random_goal: RandomGoal) -> Explanation | None:
    return explain(*drawn(seed, random_goal), workers=1)


def drawn(seed: int, random_goal: RandomGoal) -> tuple[Instance, Goal]:
    """One in four: large regions are slow, and without pipelines the cap may be out of reach."""
    if seed % 4:
        instance = random_instance(seed, memory="loose" if seed % 2 else "tight")
        return instance, random_goal(instance, seed)
    instance = random_instance(seed, layers=4, chiplets=4)
    tables, hops = instance.tables, 40 * np.arange(4)
    tables = replace(tables, entry=tables.entry + hops, step=tables.step + hops)
    instance = replace(instance, tables=tables)
    optimum = solve(instance, "enumerate").objective
    return instance, replace(random_goal(instance, seed), latency_cap=optimum, clusters=1)


def leaving_out(instance: Instance, goal: Goal, reasons: Sequence[Reason]) -> tuple[Instance, Goal]:
    """The instance and goal without all that a reason names."""
    for reason in reasons:
        if reason.kind == "buffer":
            instance = weightless(instance, set(instance.tables.layers) - set(reason.layers))
        elif reason.pin is not None:
            goal = without(goal, reason.pin)
        else:
            _, goal = with_limit(instance, goal, reason.kind, None)
    return instance, goal


def only(instance: Instance, goal: Goal, reasons: Sequence[Reason]) -> tuple[Instance, Goal]:
    """The instance and goal without all that no reason names."""
    limits: dict[str, Any] = {
        reason.kind: reason.limit for reason in reasons if reason.kind not in ("pin", "buffer")
    }
    named = {layer for reason in reasons if reason.kind == "buffer" for layer in reason.layers}
    pins = tuple(reason.pin for reason in reasons if reason.pin is not None)
    return weightless(instance, named), Goal(pins=pins, **limits)


def weightless(instance: Instance, but: set[str]) -> Instance:
    """The instance in which only these layers need bytes."""
    tables = instance.tables
    counts = np.array([layer in but for layer in tables.layers])[:, None, None]
    tables = replace(tables, resident=tables.resident * counts, working=tables.working * counts)
    return replace(instance, tables=tables)


def check_remedy(instance: Instance, goal: Goal, reason: Reason) -> None:
    """The remedy alone makes it possible, a step less does not; without one, nothing does."""
    if reason.pin is not None:
        assert possible(instance, without(goal, reason.pin)) == reason.helps
    elif reason.needed is None:
        assert reason.helps is False
        assert not possible(*with_limit(instance, goal, reason.kind, None))
    else:
        assert possible(*with_limit(instance, goal, reason.kind, reason.needed))
        assert not possible(*with_limit(instance, goal, reason.kind, reason.needed - 1))


def with_limit(
    instance: Instance, goal: Goal, kind: str, limit: int | None
) -> tuple[Instance, Goal]:
    """With another limit, or none."""
    if kind != "buffer":
        changed: dict[str, Any] = {kind: limit}
        return instance, replace(goal, **changed)
    tables = instance.tables
    capacity = 10**9 if limit is None else limit
    return replace(instance, tables=replace(tables, capacity=capacity)), goal


def without(goal: Goal, pin: Pin) -> Goal:
    """The goal without the one thing that a pin holds."""
    return replace(goal, pins=tuple(other for other in single(goal.pins) if other != pin))


# The core


def test_a_core_is_narrower_than_all_conditions(example: Instance) -> None:
    # With an objective CP-SAT would name all of them.
    goal = Goal(latency_cap=1000, clusters=2, pins=(Pin(1, chiplets=2), Pin(1, chiplets=3)))
    core = core_of(example, goal, conditions_of(example, goal), seconds=10.0)
    assert core == [Condition("pin", pin=pin) for pin in goal.pins]


@pytest.mark.parametrize("seed", range(0, PAIRS, 2))
def test_a_core_is_a_contradiction(seed: int, random_goal: RandomGoal) -> None:
    instance, goal = drawn(seed, random_goal)
    goal = replace(goal, objective="latency")
    conditions = conditions_of(instance, goal)
    core = core_of(instance, goal, conditions, seconds=10.0)
    if core == conditions:
        return  # a schedule exists, or all are needed
    assert not possible(*under(instance, goal, core))


def test_a_core_that_is_none_is_found_out(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solvers.explain.core_of", lambda _, __, conditions, ___: conditions[:1])
    pins = (Pin(0, chiplets=3), Pin(1, chiplets=2), Pin(1, cluster=False))
    assert [reason.pin for reason in why(example, Goal(pins=pins)).reasons] == list(pins)


def test_costs_too_large_for_cp_sat_are_explained_all_the_same(
    make_instance: MakeInstance,
) -> None:
    instance = make_instance([[[2**40]]] * 2, batch=2**6, resident=[[[2**30]]] * 2, capacity=2**30)
    goal = Goal(segments=1)
    conditions = conditions_of(instance, goal)
    assert core_of(instance, goal, conditions, seconds=10.0) == conditions


@pytest.mark.parametrize("size", range(1, 7))
def test_the_smallest_of_conditions_is_found_whichever_they_are(size: int) -> None:
    every = [Condition("buffer", layer) for layer in range(6)]
    for wanted in combinations(every, size):

        def impossible(held: Sequence[Condition], wanted: Sequence[Condition] = wanted) -> bool:
            return set(wanted) <= set(held)

        assert smallest(every, impossible) == list(wanted)


def test_of_two_contradictions_the_first_conditions_are_named() -> None:
    every = [Condition("buffer", layer) for layer in range(6)]

    def impossible(held: Sequence[Condition]) -> bool:
        return {every[1], every[2]} <= set(held) or {every[3], every[5]} <= set(held)

    assert smallest(every, impossible) == every[1:3]
