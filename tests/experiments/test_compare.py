"""Comparisons: one row a method, honest ratios, no method brings the others down."""

from collections.abc import Callable
from typing import Any

import pytest

import solvers.solve
from experiments.compare import Comparison, compare
from instances.generate import random_instance
from instances.instance import Instance
from schedules.goal import Goal
from schedules.progress import Progress, Stop, TracePoint
from schedules.schedule import Cluster, Schedule, Segment
from solvers.arguments import Method
from solvers.solve import METHODS

INSTANCE = random_instance(3, layers=2, chiplets=2, options=1, memory="loose")
MERGED = Schedule((Segment((Cluster(0, 1, 2, ("ISP", "ISP")),)),))
SPLIT = Schedule((Segment((Cluster(0, 0, 1, ("ISP",)), Cluster(1, 1, 1, ("ISP",)))),))

Run = Callable[[Instance, Progress, int, int], Stop]


def offering(*schedules: Schedule, stop: Stop = "finished") -> Run:
    def run(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
        for schedule in schedules:
            progress.offer(schedule)
        return stop

    return run


def refusing(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    raise ValueError("too big for this method")


def pressing_ctrl_c(instance: Instance, progress: Progress, seed: int, workers: int) -> Stop:
    progress.offer(SPLIT)
    raise KeyboardInterrupt


@pytest.fixture
def with_methods(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Comparison]:
    """Compare made-up methods, given by name."""

    def run(options: dict[str, Any] | None = None, /, **methods: Run) -> Comparison:
        for name in methods:
            monkeypatch.setitem(
                METHODS, name, Method(name, goals="any" if name.startswith("any") else "latency")
            )
        monkeypatch.setattr(solvers.solve, "_load", lambda method: methods[method.place])
        return compare(INSTANCE, list(methods), **(options or {}))

    return run


def test_ratios_are_objectives_over_the_best_and_over_segmented(
    with_methods: Callable[..., Comparison],
) -> None:
    comparison = with_methods(segmented=offering(SPLIT), other=offering(MERGED))
    split, merged = comparison.rows
    assert split.objective
    assert merged.objective
    assert split.objective != merged.objective
    best = min(split.objective, merged.objective)
    assert comparison.to_best(split) == split.objective / best
    assert comparison.to_best(merged) == merged.objective / best
    assert comparison.to_baseline(merged) == merged.objective / split.objective
    assert comparison.to_baseline(split) == 1.0
    assert comparison.best is not None
    assert comparison.best.objective == best


def test_without_the_baseline_nothing_is_compared_to_it(
    with_methods: Callable[..., Comparison],
) -> None:
    comparison = with_methods(a=offering(MERGED))
    assert comparison.to_baseline(comparison.rows[0]) is None


def test_a_method_that_refuses_is_a_row_and_the_rest_goes_on(
    with_methods: Callable[..., Comparison],
) -> None:
    comparison = with_methods(a=refusing, b=offering(MERGED))
    refused, solved = comparison.rows
    assert refused.result is None
    assert refused.reason == "too big for this method"
    assert comparison.to_best(refused) is None
    assert solved.objective is not None


def test_after_ctrl_c_the_incumbent_counts_and_the_rest_is_not_run(
    with_methods: Callable[..., Comparison],
) -> None:
    comparison = with_methods(a=pressing_ctrl_c, b=offering(MERGED), c=offering(MERGED))
    first, *others = comparison.rows
    assert first.result is not None
    assert first.result.stop == "interrupted"
    assert first.objective is not None
    assert [row.reason for row in others] == ["not run: interrupted"] * 2


def test_a_proof_of_infeasibility_is_seen(with_methods: Callable[..., Comparison]) -> None:
    assert with_methods(a=offering(), b=offering(stop="infeasible")).infeasible
    assert not with_methods(a=offering()).infeasible


def test_every_method_has_a_listener_of_its_own(with_methods: Callable[..., Comparison]) -> None:
    heard: list[tuple[str, float | None]] = []

    def watch(method: str) -> Callable[[TracePoint], None]:
        return lambda point: heard.append((method, point.objective))

    comparison = with_methods({"watch": watch}, a=offering(SPLIT), b=offering(MERGED))
    assert heard == [(row.method, row.objective) for row in comparison.rows]


def test_data_hold_a_result_or_a_reason_for_each_method(
    with_methods: Callable[..., Comparison],
) -> None:
    data = with_methods(a=offering(MERGED), b=refusing).to_data()
    assert data["best"] == "a"
    assert data["batch"] == INSTANCE.batch
    solved, refused = data["rows"]
    assert solved["objective"] > 0
    assert solved["ratio_to_best"] == 1.0
    assert "objective" not in refused
    assert refused["reason"] == "too big for this method"


def test_methods_that_cannot_heed_the_goal_are_rows_with_a_reason(
    with_methods: Callable[..., Comparison],
) -> None:
    goal = Goal(clusters=1)
    comparison = with_methods({"goal": goal}, any_goal=offering(MERGED), other=offering(MERGED))
    heeding, refused = comparison.rows
    assert heeding.result is not None
    assert heeding.result.goal == comparison.goal == goal
    assert comparison.to_data()["goal"]["clusters"] == 1
    assert "takes no conditions" in (refused.reason or "")


def test_arguments_for_models_do_not_bring_down_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, dict[str, Any]] = {}

    def note(instance: Instance, method: str, **arguments: Any) -> None:
        given[method] = arguments
        raise ValueError("not today")

    monkeypatch.setattr("experiments.compare.solve", note)
    compare(INSTANCE, ["scope", "milp"], gap_limit=0.1, start=False, memory_limit=9, seed=3)
    assert given["scope"].keys() == {"goal", "listener", "seed"}
    assert given["milp"].keys() - given["scope"].keys() == {"gap_limit", "start", "memory_limit"}


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ([], "no method to compare"),
        (["exact", "nope"], "unknown method 'nope'"),
        (["exact", "scope", "exact"], "'exact' is named twice"),
    ],
)
def test_wrong_lists_of_methods_are_refused(methods: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare(INSTANCE, methods)
