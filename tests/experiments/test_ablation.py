"""The ablation of Scope's search: its arithmetic, and that its runs are told from others."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import experiments.cases
from experiments.ablation import VARIANTS, Variant, ablation, stored_ablation
from experiments.cases import Case
from experiments.gap import Gap, Summary, gaps, stored_gaps
from experiments.store import Record, Store, Task
from solvers.solve import solve

CASES = [Case("alexnet", "datacentre-4x4", 16), Case("alexnet", "simba-4x4", 16)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "runs.db") as opened:
        yield opened


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """(method, steps) of all runs, as they happen."""
    seen = []

    def listen(instance: Any, method: str, **options: Any) -> Any:
        seen.append((method, options.get("steps")))
        return solve(instance, method, **options)

    monkeypatch.setattr(experiments.cases, "solve", listen)
    return seen


def summary(*objectives: int | None) -> Summary:
    """Of runs with these objectives; None for one that found no schedule."""
    task = Task("c", 16, "scope", "1")
    records = [Record(task, {"objective": value, "runtime_s": 0.5}) for value in objectives]
    return Summary("scope", tuple(Gap(CASES[0], "scope", each, 100, True) for each in records))


# Arithmetic


def test_the_ratio_is_the_geometric_mean_where_both_have_a_schedule() -> None:
    variant = Variant(summary(200, 800, None, 300), summary(100, 100, 100, None))
    assert variant.ratios == [2, 8]
    assert variant.ratio == pytest.approx(4)
    assert variant.to_data()["compared"] == 2
    assert Variant(summary(None), summary(100)).ratio is None


def test_a_run_without_a_schedule_is_told_from_one_that_failed_and_from_none() -> None:
    (none,) = summary(None).gaps
    failed = Gap(CASES[0], "scope", Record(Task("c", 16, "scope", "1"), None, "failed"), 100, True)
    found = Summary("scope", (none, failed, Gap(CASES[0], "scope", None, 100, True)))
    assert (found.unscheduled, found.missing) == (1, 3)


# Runs


def test_every_variant_is_run_once_and_is_what_solve_finds(
    store: Store, solved: list[tuple[str, str | None]]
) -> None:
    found = ablation(CASES, store, workers=1)
    runs = [("exact", None), *(("scope", steps) for steps in VARIANTS)]
    assert sorted(solved, key=str) == sorted(runs * len(CASES), key=str)
    assert [variant.summary.steps for variant in found] == list(VARIANTS)
    for variant in found:
        for gap in variant.summary.gaps:
            steps = variant.summary.steps
            assert gap.objective == solve(gap.case.instance(), "scope", steps=steps).objective
            assert gap.proved
    whole, one_segment = found[:2]
    assert whole.ratios == [1, 1]
    assert one_segment.summary.unscheduled == len(CASES) - len(one_segment.ratios) == 1
    solved.clear()
    assert ablation(CASES, store, workers=1) == found
    assert stored_ablation(CASES, store) == found
    assert solved == []


def test_the_gap_of_scope_is_not_that_of_its_latest_variant(
    store: Store, solved: list[tuple[str, str | None]]
) -> None:
    whole, *_ = ablation(CASES[:1], store, workers=1)
    solved.clear()
    assert gaps(CASES[:1], ["scope"], store, workers=1) == [whole.summary]
    assert stored_gaps(CASES[:1], ["scope"], store) == [whole.summary]
    assert solved == []


def test_a_variant_is_named_where_its_run_is_told_of(store: Store) -> None:
    told: list[str] = []

    def watch(name: str) -> Callable[[object], None]:
        told.append(name)
        return lambda _: None

    ablation(CASES[:1], store, watch=watch)
    assert [name.split(": ")[1] for name in told[:3]] == [
        f"{method} on alexnet on datacentre-4x4, batch 16"
        for method in ("exact", "scope", "scope with segments=one")
    ]
