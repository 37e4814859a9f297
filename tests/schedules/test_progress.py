"""A run's incumbent, bound, trace and clock."""

from __future__ import annotations

from itertools import pairwise

import pytest

from instances.instance import Instance
from schedules.progress import Progress, TracePoint, WrongBoundError, WrongScheduleError
from schedules.schedule import Cluster, Schedule, Segment


def merged(chiplets: int) -> Schedule:
    """Both layers of the example in one cluster, all WSP: 229 cycles on three chiplets."""
    return Schedule((Segment((Cluster(0, 1, chiplets, ("WSP", "WSP")),)),))


CYCLES = {1: 21 + 8 * (40 + 28 + 3), 2: 21 + 8 * (21 + 14 + 2), 3: 229}


def test_nothing_is_known_at_the_start(example: Instance) -> None:
    progress = Progress(example)
    assert progress.best is None
    assert progress.objective is None
    assert progress.bound is None
    assert progress.trace == []


def test_offer_returns_the_latency_and_keeps_the_best(example: Instance) -> None:
    progress = Progress(example)
    for chiplets, best in [(2, 2), (1, 2), (3, 3), (2, 3)]:
        assert progress.offer(merged(chiplets)) == CYCLES[chiplets]
        assert progress.best == merged(best)
        assert progress.objective == CYCLES[best]


def test_an_equal_schedule_does_not_replace_the_incumbent(example: Instance) -> None:
    progress = Progress(example)
    first = merged(3)
    progress.offer(first)
    progress.offer(merged(3))
    assert progress.best is first
    assert len(progress.trace) == 1


def test_a_wrong_schedule_is_refused_with_every_violation(example: Instance) -> None:
    progress = Progress(example)
    progress.offer(merged(2))
    wrong = Schedule((Segment((Cluster(0, 0, 4, ("ISP", "WSP")),)),))
    with pytest.raises(WrongScheduleError) as caught:
        progress.offer(wrong)
    for part in ("2 options for 1 layer", "uses 4 chiplets", "layers 1 to 1 are in no cluster"):
        assert part in str(caught.value)
    assert progress.best == merged(2)
    assert len(progress.trace) == 1


def test_a_bound_above_a_schedule_is_a_defect_whichever_comes_first(example: Instance) -> None:
    bound_first, schedule_first = Progress(example), Progress(example)
    bound_first.raise_bound(CYCLES[3] + 1)
    schedule_first.offer(merged(3))
    schedule_first.raise_bound(CYCLES[3])
    with pytest.raises(WrongBoundError, match="no schedule costs less than 230, but one costs 229"):
        bound_first.offer(merged(3))
    with pytest.raises(WrongBoundError):
        schedule_first.raise_bound(CYCLES[3] + 1)


def test_the_bound_only_rises(example: Instance) -> None:
    progress = Progress(example)
    for offered, kept in [(100.0, 100.0), (90.0, 100.0), (100.0, 100.0), (150.5, 150.5)]:
        progress.raise_bound(offered)
        assert progress.bound == kept
    assert [point.bound for point in progress.trace] == [100.0, 150.5]


def test_the_trace_has_a_point_for_each_improvement_and_never_turns_back(
    example: Instance,
) -> None:
    progress = Progress(example)
    progress.offer(merged(1))
    progress.raise_bound(10)
    progress.offer(merged(3))
    progress.offer(merged(2))
    progress.raise_bound(5)
    progress.raise_bound(229)
    states = [(point.objective, point.bound) for point in progress.trace]
    assert states == [(CYCLES[1], None), (CYCLES[1], 10), (229, 10), (229, 229)]
    times = [point.seconds for point in progress.trace]
    assert all(earlier <= later for earlier, later in pairwise([0.0, *times, progress.seconds]))


def test_counts_of_one_name_add_up(example: Instance) -> None:
    progress = Progress(example)
    assert progress.counts == {}
    progress.count("moves", 3)
    progress.count("stages")
    progress.count("moves", 4)
    assert progress.counts == {"moves": 7, "stages": 1}


def test_the_listener_hears_of_every_point(example: Instance) -> None:
    heard: list[TracePoint] = []
    progress = Progress(example, listener=heard.append)
    progress.offer(merged(2))
    progress.offer(merged(1))
    progress.raise_bound(7)
    assert len(heard) == 2
    assert heard == progress.trace


@pytest.mark.parametrize(
    ("limit", "expired"), [(None, False), (0.0, True), (-1.0, True), (1e6, False)]
)
def test_the_time_limit_expires(example: Instance, limit: float | None, expired: bool) -> None:
    progress = Progress(example, time_limit=limit)
    assert progress.expired is expired


def test_the_remaining_time_falls_to_zero_and_not_below(
    example: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("schedules.progress.time.perf_counter", lambda: now)
    progress = Progress(example, time_limit=5.0)
    unlimited = Progress(example)
    for now, remaining, expired in [(103.5, 1.5, False), (105.0, 0.0, True), (200.0, 0.0, True)]:
        assert progress.seconds == now - 100
        assert progress.remaining == remaining
        assert progress.expired is expired
        assert unlimited.remaining is None
        assert unlimited.expired is False


def test_an_expired_run_still_takes_its_best_schedule(example: Instance) -> None:
    progress = Progress(example, time_limit=0.0)
    assert progress.offer(merged(3)) == 229
    assert progress.best == merged(3)
