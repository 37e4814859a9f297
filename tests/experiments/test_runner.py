"""Runs in a process of their own: limits, deaths, and no life after the parent's."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from signal import SIGKILL
from typing import Any

import pytest

from experiments import runner as home
from experiments.cases import Case
from experiments.runner import Runner
from experiments.store import Task
from solvers.solve import solve

CASE = Case("alexnet", "datacentre-2x2", 8)
LONG = Case("vgg16", "simba-4x4", 64)


def endless(**options: Any) -> Task:
    """A run that takes longer than anybody waits."""
    given = {"formulation": "compact", "start": False, "workers": 1}
    return LONG.task("cpsat", **given, **options)


@pytest.fixture(scope="module")
def shared() -> Iterator[Runner]:
    with Runner() as runner:
        yield runner


def test_a_run_says_what_solve_says(shared: Runner) -> None:
    record = shared.run(CASE, CASE.task("scope", workers=1))
    expected = solve(CASE.instance(), "scope", workers=1)
    assert record.error is None
    assert record.objective == expected.objective
    assert record.result is not None
    assert record.result["schedule"] == expected.to_data()["schedule"]


def test_one_process_does_many_runs(shared: Runner) -> None:
    shared.run(CASE, CASE.task("scope", workers=1))
    process = shared.pid
    shared.run(CASE, CASE.task("sequential", workers=1))
    assert shared.pid == process is not None


def test_an_objective_is_a_goal_of_the_run(shared: Runner) -> None:
    record = shared.run(CASE, CASE.task("exact", objective="energy", workers=1))
    assert record.result is not None
    assert record.result["goal"]["objective"] == "energy"
    assert record.objective == record.result["energy"]


def test_a_run_that_fails_leaves_its_reason(shared: Runner) -> None:
    record = shared.run(CASE, CASE.task("scope", steps="segments=none"))
    assert record.result is None
    assert record.error is not None
    assert "segments" in record.error


def test_a_time_limit_is_heeded_by_the_run_itself(shared: Runner) -> None:
    record = shared.run(LONG, endless(time_limit=0.2))
    assert (record.error, record.stop) == (None, "time-limit")


def test_a_run_that_goes_on_after_its_time_limit_is_ended(
    shared: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "GRACE", 0)
    monkeypatch.setattr(home, "GRACE_SECONDS", 0.2)
    start = time.monotonic()
    record = shared.run(LONG, endless(time_limit=60.0))
    assert record.error == "the run went on long after its time limit of 60 s and was ended"
    assert time.monotonic() - start < 30
    assert shared.pid is None
    assert shared.run(CASE, CASE.task("scope")).error is None  # in a new process


def test_a_run_that_takes_too_much_memory_is_ended(shared: Runner) -> None:
    record = shared.run(LONG, endless(memory_limit_mb=20))
    assert record.error is not None
    assert record.error.endswith("MiB, its limit is 20 MiB, and was ended")


def dying(monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """Have the processes of runs killed once they have the run, so many times."""
    killed: list[int] = []
    begin = Runner._begin

    def begin_and_die(self: Runner, case: Case, task: Task) -> None:
        begin(self, case, task)
        if len(killed) < times:
            assert self.pid is not None
            killed.append(self.pid)
            os.kill(self.pid, SIGKILL)

    monkeypatch.setattr(Runner, "_begin", begin_and_die)
    return killed


def test_a_run_whose_process_dies_is_tried_again(
    shared: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = dying(monkeypatch, 2)
    record = shared.run(CASE, CASE.task("scope", workers=1))
    assert len(set(killed)) == 2
    assert record.objective == solve(CASE.instance(), "scope").objective


def test_a_run_whose_process_keeps_dying_is_an_error(
    shared: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying(monkeypatch, 3)
    record = shared.run(LONG, endless(time_limit=60.0))
    assert record.error == "the process of the run died 3 times, the last time with signal 9"


def test_an_engine_does_not_outlive_a_run_that_is_ended(
    shared: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    psutil = pytest.importorskip("psutil", reason="psutil is not installed")
    monkeypatch.setattr(home, "GRACE", 0)
    monkeypatch.setattr(home, "GRACE_SECONDS", 3)
    seen: set[Any] = set()
    look = Runner._exceeded

    def look_and_note(self: Runner, *limits: Any) -> str | None:
        seen.update(home._below(self.pid or 0))
        return look(self, *limits)

    monkeypatch.setattr(Runner, "_exceeded", look_and_note)
    options = {"formulation": "compact", "engine": "cbc", "start": False}
    case = Case("resnet50", "simba-6x6", 64)
    record = shared.run(case, case.task("milp", **options, time_limit=60.0))
    assert record.error is not None
    assert seen
    _, left = psutil.wait_procs(seen, timeout=5)
    assert all(process.status() == psutil.STATUS_ZOMBIE for process in left)


PARENT = """
from experiments.cases import Case
from experiments.runner import Runner
runner = Runner()
first, long = Case("alexnet", "datacentre-2x2", 8), Case("vgg16", "simba-4x4", 64)
runner.run(first, first.task("sequential"))
print(runner.pid, flush=True)
runner.run(long, long.task("cpsat", formulation="compact", start=False))
"""


def test_no_run_outlives_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.5)  # in the midst of the long run
    assert alive(child)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
