"""`chipweave bench`: tables, files and refusals."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from statistics import geometric_mean

import pytest

from chipweave.bench_report import (
    GAP_COLUMNS,
    STEPS_COLUMNS,
    gap_table,
    measure_table,
    steps_table,
)
from experiments.ablation import PACKAGES, VARIANTS, Variant
from experiments.bars import Measure
from experiments.cases import Case
from experiments.gap import Gap, Summary
from experiments.store import Record, Store, Task
from instances.networks import network_names
from instances.packages import package_names
from solvers.solve import solve

Run = Callable[..., tuple[int, str, str]]
"""Arguments -> exit code, standard output, standard error."""

GAP = (
    *("bench", "gap", "--networks", "alexnet,vgg16", "--packages", "datacentre-2x2"),
    *("--batches", "16", "--methods", "scope,segmented", "--only", "gap", "--workers", "1"),
)
STEPS = (
    *("bench", "steps", "--networks", "alexnet", "--packages", "datacentre-4x4,simba-4x4"),
    *("--batches", "16", "--workers", "1"),
)
CASES = [Case("alexnet", "datacentre-2x2", 16), Case("vgg16", "datacentre-2x2", 16)]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


def gap_of(case: Case, method: str) -> float:
    found, best = (solve(case.instance(), name).objective for name in (method, "exact"))
    assert found is not None
    assert best is not None
    return (found - best) / found


def test_the_gap_on_two_networks_is_printed_with_its_bars(run: Run, store: Path) -> None:
    code, out, err = run(*GAP, "--store", store)
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    for method in ("scope", "segmented"):
        (row,) = (line for line in lines if line[:2] == [method, "2"])
        gaps = [gap_of(case, method) for case in CASES]
        worst = CASES[gaps.index(max(gaps))]
        assert row[2:5] == [f"{x:.3%}" for x in (sum(gaps) / 2, sum(gaps) / 2, max(gaps))]
        assert " ".join(row[5:10]) == str(worst)
        assert row[10] == str(gaps.count(0))
    assert any("worst gap" in line and "5.000%" in line for line in out.splitlines())
    with Store(store) as kept:
        assert len(kept) == 6


def test_stored_runs_are_shown_without_running_and_in_every_form(
    run: Run, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(*GAP, "--store", store)
    monkeypatch.setattr("experiments.cases.solve", None)
    text = tmp_path / "gaps.md"
    code, out, err = run(*GAP, "--store", store, "--stored", "--csv", "-", "--markdown", text)
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == list(GAP_COLUMNS)
    assert [(row["network"], row["method"]) for row in rows] == [
        (network, method) for method in ("scope", "segmented") for network in ("alexnet", "vgg16")
    ]
    assert float(rows[0]["gap"]) == pytest.approx(gap_of(CASES[0], "scope"))
    assert "| scope | 2 |" in text.read_text()
    code, out, _ = run(*GAP, "--store", store, "--stored", "--json", "-")
    data = json.loads(out)
    assert [row["method"] for row in data["methods"]] == ["scope", "segmented"]
    assert [row["measure"] for row in data["measures"]] == ["scope: mean gap", "scope: worst gap"]
    assert [row["bar"] for row in data["measures"]] == [0.01, 0.05]


def test_nothing_stored_is_shown_as_nothing_known(run: Run, store: Path) -> None:
    code, out, err = run("bench", "gap", "--methods", "scope", "--stored", "--store", store)
    assert (code, err) == (0, "")
    assert f"{len(network_names()) * len(package_names()) * 3} without a gap" in out
    assert "not measured" in out
    assert "scope: resnet152 on simba-16x16, time" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods", "scop"], "unknown method 'scop'. Did you mean scope"),
        (["--networks", "alex"], "there is no built-in network 'alex'"),
        (["--packages", "simba"], "there is no built-in package 'simba'"),
        (["--batches", "16,x"], "--batches: 'x' is no whole number"),
        (["--batches", "0"], "batch 0 is not at least 1"),
        (["--only", "gaps"], "--only: unknown part 'gaps', expected some of gap, growth"),
        (["--methods", "scope,scope"], "--methods: scope is named twice"),
        (["--csv", "-", "--json", "-"], "only one can go to standard output"),
        (["--csv", "missing/gaps.csv"], "there is no folder"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(
    run: Run, store: Path, arguments: list[str], message: str
) -> None:
    code, out, err = run(*GAP, "--store", store, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_file_that_is_no_store_is_refused_and_not_written_over(run: Run, store: Path) -> None:
    store.write_text("my thesis")
    code, out, err = run(*GAP, "--store", store)
    assert (code, out) == (2, "")
    assert err == f"error: {store}: is no store of runs: name another file\n"
    assert store.read_text() == "my thesis"
    code, _, err = run(*GAP, "--store", store, "--json", store)
    assert code == 2
    assert "would overwrite what is read" in err


def test_the_group_alone_shows_its_commands(run: Run) -> None:
    code, out, err = run("bench")
    assert (code, err) == (2, "")
    assert "gap" in out
    assert "steps" in out


def test_the_worth_of_each_step_is_printed(run: Run, store: Path) -> None:
    code, out, err = run(*STEPS, "--store", store)
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    cases = [Case("alexnet", package, 16) for package in ("datacentre-4x4", "simba-4x4")]
    whole = [solve(case.instance(), "scope").objective for case in cases]
    for steps in VARIANTS[1:]:
        (row,) = (line for line in lines if line[:2] == [steps, "2"])
        found = [solve(case.instance(), "scope", steps=steps).objective for case in cases]
        ratios = [own / best for own, best in zip(found, whole, strict=True) if own and best]
        assert row[2] == str(found.count(None))
        assert row[3] == f"{geometric_mean(ratios):.4f}"
    (row,) = (line for line in lines if line[:2] == ["all", "four"])
    assert row[2:5] == ["2", "0", "1.0000"]
    with Store(store) as kept:
        assert len(kept) == 2 * (1 + len(VARIANTS))


def test_stored_variants_are_shown_without_running_and_in_every_form(
    run: Run, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(*STEPS, "--store", store)
    monkeypatch.setattr("experiments.cases.solve", None)
    text = tmp_path / "steps.md"
    code, out, err = run(*STEPS, "--store", store, "--stored", "--csv", "-", "--markdown", text)
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == list(STEPS_COLUMNS)
    assert [row["steps"] for row in rows[::2]] == [steps or "" for steps in VARIANTS]
    assert "| all four | 2 | 0 | 1.0000 |" in text.read_text()
    _, out, _ = run(*STEPS, "--store", store, "--stored", "--json", "-")
    variants = json.loads(out)["variants"]
    assert [variant["steps"] for variant in variants] == list(VARIANTS)
    assert variants[1]["unscheduled"] == variants[1]["compared"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--networks", "alex"], "there is no built-in network 'alex'"),
        (["--batches", "0"], "batch 0 is not at least 1"),
        (["--csv", "-", "--markdown", "-"], "only one can go to standard output"),
        (["--methods", "scope"], "No such option: --methods"),
    ],
)
def test_variants_that_cannot_be_meant_are_refused_in_one_line(
    run: Run, store: Path, arguments: list[str], message: str
) -> None:
    code, out, err = run(*STEPS, "--store", store, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_without_options_the_steps_are_measured_on_three_packages(run: Run, store: Path) -> None:
    code, out, err = run("bench", "steps", "--stored", "--store", store, "--csv", "-")
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["package"] for row in rows} == set(PACKAGES)
    assert {row["batch"] for row in rows} == {"64"}
    assert {row["network"] for row in rows} == set(network_names())


def test_a_variant_shows_where_it_found_no_schedule_and_where_nothing_is_known() -> None:
    task = Task("c", 16, "scope", "1")
    records = [Record(task, {"objective": value, "runtime_s": 0.5}) for value in (300, 200, None)]
    whole = Summary("scope", tuple(Gap(CASES[0], "scope", records[1], 150, True) for _ in "abcd"))
    gaps = tuple(Gap(CASES[0], "scope", record, 150, True) for record in [*records, None])
    variant = Variant(Summary("scope", gaps, "segments=one"), whole)
    (row,) = steps_table([variant]).rows
    assert row == [
        *("segments=one", "4", "1", "1.2247", "37.500%", "37.500%", "50.000%", str(CASES[0])),
        *("0", "0.500", "1 without a gap"),
    ]


def test_a_gap_without_a_proof_is_marked_as_an_upper_bound() -> None:
    task = Task("c", 16, "scope", "1")
    record = Record(task, {"objective": 200, "runtime_s": 0.5})
    gaps = (
        Gap(CASES[0], "scope", record, 190, True),
        Gap(CASES[1], "scope", record, 150, False),
        Gap(CASES[1], "scope", Record(task, None, "failed"), 150, True),
    )
    (row,) = gap_table([Summary("scope", gaps)]).rows
    assert row == [
        *("scope", "3", "≤ 15.000%", "≤ 15.000%", "≤ 25.000%", str(CASES[1]), "0"),
        *("0.500", "0.500", "1 against a bound, for want of a proof, 1 without a gap"),
    ]
    (row,) = gap_table([Summary("scope", gaps[2:])]).rows
    assert row[2:6] == ["–", "–", "–", ""]


def test_measures_are_shown_in_their_units() -> None:
    measures = [
        Measure("gap", 0.0123, 0.01, "share"),
        Measure("slope", 1.02, 1.15, "", "from here to there"),
        Measure("time", 0.2512, 0.3, "s"),
        Measure("memory", 812_345_678, 1e9, "bytes"),
        Measure("unknown", None, 10, "s"),
    ]
    assert measure_table(measures).rows == [
        ("gap", "1.230%", "1.000%", "no", ""),
        ("slope", "1.020", "1.150", "yes", "from here to there"),
        ("time", "0.251 s", "0.3 s", "yes", ""),
        ("memory", "812 MB", "1,000 MB", "yes", ""),
        ("unknown", "–", "10 s", "–", ""),
    ]
