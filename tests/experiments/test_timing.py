"""Times are measured in a process of its own, once, and compared to their bars."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from experiments import bars
from experiments.bars import Measure, gap_measures, slope
from experiments.cases import Case
from experiments.gap import Gap, Summary
from experiments.store import Record, Store
from experiments.timing import MARK, middle, peak_bytes, stored_timings, timings
from solvers.ranking import rank
from solvers.solve import solve

SMALL, LARGER = Case("alexnet", "datacentre-2x2", 16), Case("alexnet", "simba-4x4", 16)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "runs.db") as opened:
        yield opened


# The process that measures


def test_every_case_is_measured_as_often_as_asked_and_never_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = timings([SMALL, LARGER], "scope", store, warm=SMALL, repeats=2)
    assert len(store) == 4
    for case, records in zip([SMALL, LARGER], found, strict=True):
        assert [record.task.options["repeat"] for record in records] == [0, 1]
        for record in records:
            assert record.objective == solve(case.instance(), "scope").objective
            assert record.runtime_s is not None
            assert 0 < record.runtime_s < record.measures["total_s"] < 10
            assert 0 < record.measures["cpu_s"] < 10
            assert record.measures["peak_bytes"] > 50e6, "NumPy and Numba are loaded"
    monkeypatch.setattr(subprocess, "Popen", None)
    assert timings([SMALL, LARGER], "scope", store, warm=SMALL, repeats=2) == found
    assert stored_timings([SMALL, LARGER], "scope", store) == found


def test_a_process_that_ends_too_early_is_a_failure(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="ended too early, with exit code 1"):
        timings([SMALL], "scope", store, warm=SMALL, repeats=1)
    assert len(store) == 0


def test_runs_that_fail_have_their_reason(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told = MARK + b'{"result": null, "error": "no costs: MemoryError", "measures": {}}\n'
    program = f"import sys; sys.stdout.buffer.write({told!r})"
    start = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, **pipes: start([*command[:2], program], **pipes)
    )
    ((record,),) = timings([SMALL], "scope", store, warm=SMALL, repeats=1)
    assert (record.error, middle([record], "cpu_s")) == ("no costs: MemoryError", None)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="tells of Linux processes")
def test_the_memory_of_a_process_is_not_that_of_its_parent() -> None:
    held = bytearray(b"x") * 300_000_000
    program = "from experiments.timing import peak_bytes; print(peak_bytes())"
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    own = peak_bytes()
    assert own is not None
    assert int(told) < len(held) < own


# Bars


def test_a_slope_is_the_power_of_a_power_law() -> None:
    assert slope([(x, 3 * x**1.5) for x in (64, 128, 256)]) == pytest.approx(1.5)
    assert slope([(1, 1), (2, 2), (4, 2)]) == pytest.approx(0.5)


def test_a_value_holds_up_to_its_bar() -> None:
    assert Measure("x", 1.15, 1.15, "").holds is True
    assert Measure("x", 1.16, 1.15, "").holds is False
    assert Measure("x", None, 1.15, "").holds is None


def test_gaps_have_the_bars_of_their_methods() -> None:
    record = Record(SMALL.task("scope"), {"objective": 200, "runtime_s": 1.0})
    gaps = (Gap(SMALL, "scope", record, 199, True), Gap(LARGER, "scope", record, 180, False))
    mean, worst = gap_measures([Summary("scope", gaps), Summary("segmented", gaps)])
    assert mean.value == pytest.approx(0.0525)
    assert (mean.bar, mean.holds) == (0.01, False)
    assert mean.note == "2 of 2 instances, 1 without a proved optimum"
    assert worst.value == pytest.approx(0.1)
    assert (worst.bar, worst.holds) == (0.05, False)
    assert worst.note == str(LARGER)


def timed(seconds: dict[str, float]) -> Any:
    """Timings that take the time that is told for a network."""

    def find(cases: Sequence[Case], method: str, **_: Any) -> list[list[Record]]:
        return [
            [
                Record(SMALL.task(method), {"runtime_s": s / 2}, None, {"cpu_s": s, "total_s": s})
                for s in (9.0, seconds[case.package], 0.1)
            ]
            if case.package in seconds
            else [Record(SMALL.task(method), None, "no memory")]
            for case in cases
        ]

    return find


def test_growth_is_the_slope_of_medians(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bars, "LAYERS", (64, 128))
    monkeypatch.setattr(
        bars, "DEEP", [Case("alexnet", "simba-4x4", 1), Case("alexnet", "simba-6x6", 1)]
    )
    monkeypatch.setattr(bars, "MESHES", ((4, 4), (8, 8)))
    monkeypatch.setattr(
        bars, "WIDE", [Case("alexnet", "simba-4x4", 1), Case("alexnet", "simba-8x8", 1)]
    )
    deep, wide = bars.growth("scope", timed({"simba-4x4": 1.0, "simba-6x6": 2.0}))
    assert deep.value == pytest.approx(1)
    assert deep.holds
    assert deep.note == "1 s at 64 to 2 s at 128"
    assert (wide.value, wide.holds, wide.note) == (None, None, "no memory")


def test_the_large_instance_is_timed_for_methods_with_a_bar() -> None:
    (found,) = bars.large("scope", timed({"simba-16x16": 0.25}))
    assert (found.value, found.bar, found.holds) == (0.25, 0.3, True)
    assert bars.large("segmented", timed({"simba-16x16": 0.25})) == []


def test_each_huge_instance_has_a_bar_for_time_and_one_for_memory() -> None:
    time, memory, *others = bars.huge("scope", timed({"simba-64x64": 9.5}))
    assert [measure.name for measure in others] == [
        "scope: gpt-stack-10000 on simba-64x64, time",
        "scope: gpt-stack-10000 on simba-64x64, memory",
    ]
    assert (time.value, time.bar, time.unit, time.holds) == (9.0, 10.0, "s", True)
    assert (memory.value, memory.bar, memory.unit, memory.holds) == (None, 1e9, "bytes", None)


def test_a_place_is_counted_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    (nothing,) = bars.place("scope", store, run=False)
    assert (nothing.value, nothing.note) == (None, "not counted")
    (found,) = bars.place("scope", store)
    counted = rank(bars.RANKED.instance(), "scope")
    assert (found.value, found.bar) == (counted.share, 0.0005)
    assert found.note == f"{counted.better:,} of {counted.feasible:,}"
    monkeypatch.setattr(bars, "rank", None)
    assert bars.place("scope", store) == bars.place("scope", store, run=False) == [found]


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_a_process_that_measures_ends_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import sys; from experiments.timing import _process\n"
        "from experiments.cases import Case; case = Case('alexnet', 'simba-4x4', 16)\n"
        "runs = [(case, case.task('scope', repeat=k)) for k in range(10**5)]\n"
        "with _process((case, case.task('scope')), runs) as lines:\n"
        "    next(lines); print('begun', flush=True); next(line for line in lines if not line)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"begun\n"
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert children
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)
