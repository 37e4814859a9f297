"""What windows, runs and stages cost, worked out by hand for the workload of `make_workload`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from instances.cost.jobs import WorkloadCosts
from instances.workload import Workload
from schedules.windows.evaluate import evaluate_run, evaluate_windows, handover
from schedules.windows.goal import WindowGoal
from schedules.windows.schedule import Run, Stage, Window, WindowSchedule

MakeWorkload = Callable[..., Workload]

LEFT, MIDDLE, RIGHT = (0, 0), (1, 0), (2, 0)

HANDOVER = 2 * 10 + 2 * 2
"""Cycles for the 10 live bytes of 2 samples over 2 hops."""

FIRST, SECOND = 2 * 12 + (2 * 8 + 10) + HANDOVER, 2 * 6 + (2 * 4 + 10) + HANDOVER
"""Cycles of layer a on the left and of layer b on the right for 2 samples."""

LOADS = (2 * 6 + 10, 2 * 3 + 10)

WHOLE = (2 * 9 + 10) + 2 * (2 * 18 + (2 * 8 + 10) + (2 * 4 + 10))
"""Cycles of both layers on one chiplet at a port, two mini-batches of 2 samples."""


def run(job: int = 0, *tiles: tuple[int, int], start: int = 0) -> Run:
    """All of a model, on one chiplet or a layer on each of two, in mini-batches of 2."""
    bounds = [(0, 1)] if len(tiles) == 1 else [(0, 0), (1, 1)]
    stages = (Stage(a, b, tile) for (a, b), tile in zip(bounds, tiles, strict=True))
    return Run(job, 2, tuple(stages), start)


def schedule(*windows: tuple[Run, ...]) -> WindowSchedule:
    return WindowSchedule(tuple(Window(runs) for runs in windows))


@pytest.fixture
def costs(make_workload: MakeWorkload) -> WorkloadCosts:
    return WorkloadCosts(make_workload(jobs=2))


def test_both_chiplets_of_a_handover_are_busy_and_stages_overlap(costs: WorkloadCosts) -> None:
    found = evaluate_run(costs, run(0, LEFT, RIGHT))
    assert (found.times, found.loads, found.rounds) == ((FIRST, SECOND), LOADS, 2)
    assert found.beat == FIRST
    assert found.latency == found.end == sum(LOADS) + FIRST + SECOND + FIRST


def test_without_pipelining_mini_batches_follow_one_another(costs: WorkloadCosts) -> None:
    found = evaluate_run(costs, run(0, LEFT, RIGHT), pipelined=False)
    assert found.latency == sum(LOADS) + 2 * (FIRST + SECOND)


def test_a_run_on_one_chiplet_hands_nothing_over(costs: WorkloadCosts) -> None:
    found = evaluate_run(costs, run(0, LEFT))
    assert found.latency == WHOLE
    assert found.latency == evaluate_run(costs, run(0, LEFT), pipelined=False).latency


def test_energy_counts_a_hop_once_and_leakage_over_the_latency(costs: WorkloadCosts) -> None:
    bits = 8 * 2  # over DRAM's two picojoules
    alone = 4 * 18 + bits * (9 + 4 * (4 + 2))
    hop = 8 * 2 * 4 * 10  # two hops, 10 bytes, 4 samples
    assert evaluate_run(costs, run(0, LEFT, RIGHT)).energy == alone + hop
    found = evaluate_windows(costs, schedule((run(0, LEFT, RIGHT),)))
    assert found.energy == alone + hop + 3 * found.latency
    assert found.edp == found.energy * found.latency


def test_windows_hand_over_through_dram(costs: WorkloadCosts) -> None:
    parts = [Run(0, 2, (Stage(k, k, LEFT),)) for k in (0, 1)]
    found = evaluate_windows(costs, schedule((parts[0],), (parts[1],)))
    dram = 2 * (2 * 10) + 10
    first = LOADS[0] + 2 * (2 * 12 + (2 * 8 + 10) + dram)
    second = LOADS[1] + 2 * (2 * 6 + (2 * 4 + 10) + dram)
    assert found.ends == (first, first + second)
    assert found.latency == first + second
    written_and_read = 2 * 8 * 2 * 4 * 10
    plain = 4 * 18 + 8 * 2 * (9 + 4 * (4 + 2))
    assert found.energy == plain + written_and_read + 3 * found.latency


def test_a_window_takes_as_long_as_its_slowest_run(costs: WorkloadCosts) -> None:
    fast, slow = run(0, LEFT, RIGHT), run(1, MIDDLE)
    found = evaluate_windows(costs, schedule((fast, slow)))
    lengths = [evaluate_run(costs, own).latency for own in (fast, slow)]
    assert found.latency == max(lengths)
    late = evaluate_windows(costs, schedule((run(0, LEFT), run(1, LEFT, start=WHOLE))))
    assert late.latency == 2 * WHOLE


def test_rounds_follow_at_the_pace_of_the_busiest_chiplet(costs: WorkloadCosts) -> None:
    found = evaluate_windows(costs, schedule((run(0, LEFT, RIGHT), run(1, MIDDLE))))
    (first, second) = found.windows[0]
    assert found.period == 2 * max(first.beat, second.beat)
    assert WindowGoal("throughput").value(found) == found.period < found.latency


def test_the_next_round_waits_for_the_last_where_chiplets_change_hands(
    costs: WorkloadCosts,
) -> None:
    turns = schedule((run(0, LEFT), run(1, LEFT, start=WHOLE)))
    windows = schedule((run(0, LEFT),), (run(1, RIGHT),))
    for own in (turns, windows):
        found = evaluate_windows(costs, own)
        assert found.period == found.latency == 2 * WHOLE
    side_by_side = schedule((run(0, LEFT), run(1, RIGHT)))
    assert evaluate_windows(costs, side_by_side).period == WHOLE - (2 * 9 + 10)
    assert evaluate_windows(costs, side_by_side, pipelined=False).period == WHOLE


def test_handovers_are_from_dram_or_from_another_chiplet(costs: WorkloadCosts) -> None:
    tables = costs.jobs[0].stages(2)
    assert handover(tables, 0, None, 1) == (2 * 20 + 10, 8 * 2 * 40)
    assert handover(tables, 0, 2, 1) == (HANDOVER, 8 * 2 * 40)
    assert handover(tables, 0, None, 0) == handover(tables, 0, 1, 2) == (0, 0)


def test_a_goal_has_the_value_of_its_objective(costs: WorkloadCosts) -> None:
    found = evaluate_windows(costs, schedule((run(0, LEFT), run(1, RIGHT))))
    values = [WindowGoal(o).value(found) for o in ("latency", "energy", "edp", "throughput")]
    assert values == [found.latency, found.energy, found.latency * found.energy, found.period]


def test_a_goal_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown objective 'speed': choose one of latency, "):
        WindowGoal("speed")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="0 windows: expected at least 1"):
        WindowGoal(windows=0)
