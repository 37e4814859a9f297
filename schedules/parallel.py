"""Work on threads, within a run's time limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from schedules.progress import Progress

T = TypeVar("T")


class OutOfTimeError(Exception):
    """The time limit passed before the work was done."""


def in_parallel(
    task: Callable[[int], T], count: int, progress: Progress, workers: int
) -> Iterator[tuple[int, T]]:
    """(index, task(index)) for 0..count-1, on threads, in order.

    Worth it for tasks that spend their time in kernels, which release the interpreter lock.

    Raises:
        OutOfTimeError: the time limit passed; tasks not yet begun are dropped.
    """
    pool = ThreadPoolExecutor(workers)
    try:
        futures = [pool.submit(task, index) for index in range(count)]
        for index, future in enumerate(futures):
            try:
                yield index, future.result(progress.remaining)
            except TimeoutError:
                raise OutOfTimeError from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
