"""Work on threads keeps its order, its errors and its time limit."""

import time

import pytest

from instances.generate import random_instance
from schedules.parallel import OutOfTimeError, in_parallel
from schedules.progress import Progress


def progress(time_limit: float | None = None) -> Progress:
    return Progress(random_instance(0), time_limit=time_limit)


def test_results_come_in_order_though_later_tasks_end_first() -> None:
    def task(index: int) -> int:
        time.sleep(0.02 * (3 - index))
        return index * index

    assert list(in_parallel(task, 4, progress(), 4)) == [(0, 0), (1, 1), (2, 4), (3, 9)]


def test_an_error_of_a_task_reaches_the_caller() -> None:
    def task(index: int) -> int:
        return 1 // (2 - index)

    with pytest.raises(ZeroDivisionError):
        list(in_parallel(task, 4, progress(), 2))


def test_past_the_time_limit_no_further_task_begins() -> None:
    begun = []

    def task(index: int) -> None:
        begun.append(index)
        time.sleep(0.05)

    with pytest.raises(OutOfTimeError):
        list(in_parallel(task, 100, progress(0.02), 1))
    assert len(begun) < 10
