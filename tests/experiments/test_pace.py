"""The time that is left follows from what was done."""

import time

import pytest

from experiments.pace import Pace


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the test sets."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


def test_the_time_left_is_in_proportion_to_the_work_left(clock: list[float]) -> None:
    pace = Pace([1, 10, 40, 150])
    assert str(pace) == "0 of 4 done"
    clock[0] += 50  # the first step loads kernels
    pace.step(1)
    assert str(pace) == "1 of 4 done"
    clock[0] += 20
    pace.step(10)
    assert str(pace) == "2 of 4 done, some 6 min left"
    clock[0] += 30
    pace.step(40)
    assert str(pace) == "3 of 4 done, some 2 min left"
    assert pace.seconds_left == 150
    pace.step(150)
    assert str(pace) == "4 of 4 done, some 0 s left"


def test_long_times_are_told_in_hours(clock: list[float]) -> None:
    pace = Pace([1, 1, 7200])
    pace.step(1)
    clock[0] += 1
    pace.step(1)
    assert str(pace) == "2 of 3 done, some 2.0 h left"
