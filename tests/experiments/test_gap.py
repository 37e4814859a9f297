"""The gap table: its arithmetic, what it is compared to, and that nothing is run twice."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import experiments.cases
import experiments.gap
from experiments.cases import Case, cases
from experiments.gap import Gap, Summary, best_known, gaps, stored_gaps
from experiments.store import Record, Store, Task
from instances.networks import network_names
from instances.packages import package_names
from schedules.goal import Goal
from solvers.result import goal_to_data
from solvers.solve import solve

SMALL = Case("alexnet", "datacentre-2x2", 16)
TWO = [SMALL, Case("alexnet", "simba-4x4", 16)]
LATENCY = goal_to_data(Goal())

Solve = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "runs.db") as opened:
        yield opened


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """(method, options) of all runs, as they happen."""
    seen = []

    def listen(instance: Any, method: str, **options: Any) -> Any:
        options.pop("listener")
        seen.append((method, options))
        return solve(instance, method, **options)

    monkeypatch.setattr(experiments.cases, "solve", listen)
    return seen


def record(
    objective: int | None,
    stop: str = "finished",
    bound: float | None = None,
    method: str = "scope",
    goal: dict[str, Any] = LATENCY,
    **options: Any,
) -> Record:
    task = Task(SMALL.content, 16, method, "1", options, SMALL.network, SMALL.package)
    result = {"objective": objective, "stop": stop, "bound": bound, "runtime_s": 0.5, "goal": goal}
    return Record(task, result)


def gap(objective: int | None, reference: float | None, proved: bool = True) -> Gap:
    return Gap(SMALL, "scope", record(objective), reference, proved)


# Arithmetic


def test_a_gap_is_the_share_of_the_objective_that_an_optimum_would_save() -> None:
    assert gap(200, 150).gap == 0.25
    assert gap(150, 150).gap == 0
    assert gap(0, 0).gap == 0
    assert gap(None, 150).gap is None
    assert gap(150, None).gap is None


def test_a_summary_has_mean_median_worst_and_the_instance_that_is_worst() -> None:
    found = tuple(
        Gap(Case("alexnet", "simba-4x4", batch), "scope", record(objective), 100, proved)
        for batch, objective, proved in [(1, 100, True), (2, 200, False), (4, 125, True)]
    )
    summary = Summary("scope", (*found, gap(None, 100), gap(100, None)))
    assert summary.mean == pytest.approx((0 + 0.5 + 0.2) / 3)
    assert summary.median == 0.2
    assert summary.worst is found[1]
    assert (summary.optimal, summary.unproved, summary.missing) == (1, 1, 2)
    assert (summary.mean_seconds, summary.worst_seconds) == (0.5, 0.5)


def test_a_summary_of_nothing_has_no_numbers() -> None:
    summary = Summary("scope", (Gap(SMALL, "scope", None, 100, True),))
    assert (summary.mean, summary.median, summary.worst) == (None, None, None)
    assert (summary.mean_seconds, summary.worst_seconds, summary.missing) == (None, None, 1)


# What schedules are compared to


def test_a_proof_by_any_method_is_what_schedules_are_compared_to() -> None:
    known = [record(120, bound=110.0), record(115, "optimal", 115, method="cpsat")]
    assert best_known(known) == (115, True)


def test_without_a_proof_the_best_bound_is_the_reference_and_rounded_up() -> None:
    known = [record(120, "time-limit", 110.2), record(130, "time-limit", 104.0)]
    assert best_known(known) == (111, False)
    assert best_known([record(120, "time-limit", 110.0000000001)]) == (110, False)


def test_proofs_of_other_goals_and_failures_say_nothing() -> None:
    energy = goal_to_data(Goal("energy"))
    known = [record(9, "optimal", 9, goal=energy), Record(record(1).task, None, "failed")]
    assert best_known(known) == (None, False)


@pytest.mark.parametrize(("stop", "words"), [("optimal", "optimum"), ("time-limit", "lower bound")])
def test_a_schedule_that_beats_a_proof_is_reported(store: Store, stop: str, words: str) -> None:
    store.add(record(1_000_000, stop, 1_000_000, method="exact"))
    store.add(record(999_999))
    with pytest.raises(RuntimeError, match=f"999,999 cycles, but 1,000,000 is .*{words}"):
        stored_gaps([SMALL], ["scope"], store)


# Runs


def test_gaps_are_those_of_solve_and_nothing_is_run_twice(
    store: Store, solved: list[tuple[str, dict[str, Any]]]
) -> None:
    methods = ["scope", "segmented"]
    found = gaps(TWO, methods, store, workers=1)
    assert sorted(method for method, _ in solved) == sorted(["exact", *methods] * 2)
    for summary, method in zip(found, methods, strict=True):
        assert summary.method == method
        assert [each.case for each in summary.gaps] == TWO
        for each in summary.gaps:
            assert each.proved
            assert each.objective == solve(each.case.instance(), method).objective
            assert each.reference == solve(each.case.instance(), "exact").objective
    solved.clear()
    assert gaps(TWO, methods, store, workers=1) == found
    assert stored_gaps(TWO, methods, store) == found
    assert solved == []


def test_a_proof_of_another_version_is_kept_and_a_schedule_is_not(
    store: Store, solved: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = gaps([SMALL], ["scope"], store)
    solved.clear()
    monkeypatch.setattr(experiments.cases, "version_of", lambda method: "another")
    assert stored_gaps([SMALL], ["scope"], store) == before
    gaps([SMALL], ["scope"], store, time_limit=1)
    assert [method for method, _ in solved] == ["scope"]


def test_a_method_is_given_ten_times_what_another_one_took(
    store: Store, solved: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiments.gap, "TIMES", {"segmented": ("scope", 10)})
    (summary,) = gaps([SMALL], ["segmented"], store)
    assert [method for method, _ in solved] == ["exact", "scope", "segmented"]
    (other,) = store.of(SMALL.content, "scope")
    assert other.runtime_s is not None
    assert solved[2][1]["time_limit"] == pytest.approx(10 * other.runtime_s, abs=1e-3)
    assert summary.gaps[0].objective is not None


def test_a_run_that_fails_is_kept_with_its_reason_and_the_others_go_on(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(instance: Any, method: str, **options: Any) -> Any:
        if method == "segmented":
            raise MemoryError
        return solve(instance, method, **options)

    monkeypatch.setattr(experiments.cases, "solve", fail)
    with caplog.at_level(logging.WARNING):
        failed, found = gaps([SMALL], ["segmented", "scope"], store)
    assert failed.missing == 1
    assert failed.gaps[0].record is not None
    assert failed.gaps[0].record.error == "MemoryError"
    assert "segmented on alexnet on datacentre-2x2, batch 16: MemoryError" in caplog.text
    assert found.missing == 0


def test_without_a_proof_in_time_gaps_are_upper_bounds(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(instance: Any, method: str, **options: Any) -> Any:
        result = solve(instance, method, **options)
        return Stopped(result.to_data()) if method == "exact" else result

    monkeypatch.setattr(experiments.cases, "solve", stopped)
    (summary,) = gaps([SMALL], ["scope"], store)
    assert (summary.unproved, summary.missing) == (1, 0)
    proved = solve(SMALL.instance(), "exact").objective
    assert proved is not None
    assert summary.gaps[0].reference == proved - 1000


class Stopped:
    """A result of the exact method that is stopped shortly before its proof."""

    stop = "time-limit"

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = {**data, "stop": self.stop, "bound": data["bound"] - 1000}

    def to_data(self) -> dict[str, Any]:
        return self._data


def test_a_run_that_is_interrupted_is_not_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted:
        stop = "interrupted"

    monkeypatch.setattr(experiments.cases, "solve", lambda *_, **__: Interrupted())
    with pytest.raises(KeyboardInterrupt):
        gaps([SMALL], ["scope"], store)
    assert len(store) == 0


def test_unknown_names_are_refused_before_anything_is_run(store: Store) -> None:
    with pytest.raises(ValueError, match="unknown method 'best'"):
        gaps([SMALL], ["best"], store)
    with pytest.raises(ValueError, match="no built-in network 'alex'"):
        cases(["alex"])
    with pytest.raises(ValueError, match="no built-in package 'simba'"):
        cases(["alexnet"], ["simba"])
    with pytest.raises(ValueError, match="batch 0"):
        cases(batches=[0])


def test_all_cases_are_all_networks_packages_and_batches() -> None:
    assert len(set(cases(batches=(16, 64)))) == len(network_names()) * len(package_names()) * 2
