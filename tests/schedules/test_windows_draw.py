"""Pictures of windows: the bars are what the evaluator says, on the rows that the axis names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from instances.cost.jobs import WorkloadCosts
from instances.generate_workload import random_workload
from instances.workload import Workload
from schedules.windows.draw import bars, draw_gantt, draw_windows, windows_figure
from schedules.windows.evaluate import evaluate_windows
from schedules.windows.goal import WindowGoal
from schedules.windows.labels import kind_labels, units_label
from schedules.windows.progress import WindowProgress
from schedules.windows.schedule import Run, Stage, Window, WindowSchedule
from solvers.multi_model.enumeration import enumerate_windows
from solvers.multi_model.solve import WindowOptions

MakeWorkload = Callable[..., Workload]

SCHEDULE = WindowSchedule(
    (
        Window((Run(0, 2, (Stage(0, 0, (0, 0)), Stage(1, 1, (1, 0)))),)),
        Window((Run(1, 1, (Stage(0, 1, (2, 0)),)),)),
    )
)


@pytest.fixture
def costs(make_workload: MakeWorkload) -> WorkloadCosts:
    return WorkloadCosts(make_workload(jobs=2))


def boxes(ax: Axes) -> list[tuple[float, float, int, bool]]:
    """Begin and end in milliseconds, row, and whether it is hatched, of each bar drawn."""
    patches = [p for group in ax.containers if isinstance(group, BarContainer) for p in group]
    return [
        (
            p.get_x(),
            p.get_x() + p.get_width(),
            round(p.get_y() + p.get_height() / 2),
            bool(p.get_hatch()),
        )
        for p in patches
    ]


@pytest.mark.parametrize("pipelined", [True, False])
def test_a_stage_lasts_from_its_load_to_its_last_mini_batch(
    costs: WorkloadCosts, pipelined: bool
) -> None:
    found = evaluate_windows(costs, SCHEDULE, pipelined)
    (first, second), (third,) = (runs.run.stages for window in found.windows for runs in window)
    own, other = found.windows[0][0], found.windows[1][0]
    a, b, c = bars(costs, found, pipelined)
    assert [bar.tile for bar in (a, b, c)] == [first.tile, second.tile, third.tile]
    assert [bar.label for bar in (a, b, c)] == ["a", "b", "a … b"]
    assert (a.load, a.begin) == (0, own.loads[0])
    pace = max(own.times) if pipelined else sum(own.times)
    assert a.end == a.begin + own.times[0] + pace
    assert b.load == own.loads[0] + own.times[0]
    assert b.end == own.latency
    assert (c.load, c.begin) == (own.latency, own.latency + other.loads[0])
    assert c.end == found.latency


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("shared", [False, True])
def test_bars_on_one_chiplet_never_overlap_and_end_with_their_runs(seed: int, shared: bool) -> None:
    costs = WorkloadCosts(random_workload(seed, layers=2, batch=4))
    progress = WindowProgress(costs, WindowGoal(windows=2, shared=shared))
    enumerate_windows(progress, WindowOptions())
    assert progress.best is not None
    found = evaluate_windows(costs, progress.best)
    drawn = bars(costs, found)
    assert max(bar.end for bar in drawn) == found.latency
    for tile in costs.package.tiles:
        own = sorted((bar.load, bar.end) for bar in drawn if bar.tile == tile)
        assert all(end <= begin for (_, end), (begin, _) in pairwise(own))


def test_the_axis_is_in_milliseconds_and_its_rows_are_chiplets(costs: WorkloadCosts) -> None:
    ax = Figure().add_subplot()
    draw_gantt(costs, SCHEDULE, ax=ax)
    found = evaluate_windows(costs, SCHEDULE)
    a_cycle = 1e-6  # at a gigahertz
    assert ax.get_xlim() == pytest.approx((0, found.latency * a_cycle))
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["[0, 0] ws", "[1, 0] os", "[2, 0] ws"]
    expected = [
        (begin * a_cycle, end * a_cycle, bar.tile[0], hatched)
        for bar in bars(costs, found)
        for begin, end, hatched in ((bar.load, bar.begin, True), (bar.begin, bar.end, False))
    ]
    drawn = boxes(ax)
    assert [box[2:] for box in drawn] == [box[2:] for box in expected]
    assert [box[:2] for box in drawn] == [pytest.approx(box[:2]) for box in expected]


def test_windows_are_parted_by_lines_and_named_where_there_is_room(costs: WorkloadCosts) -> None:
    ax = Figure().add_subplot()
    draw_gantt(costs, SCHEDULE, ax=ax)
    ends = [cycles * 1e-6 for cycles in evaluate_windows(costs, SCHEDULE).ends]
    assert [np.ravel(line.get_xdata())[0] for line in ax.lines] == pytest.approx(ends)
    names = [text.get_text() for text in ax.texts if isinstance(text, Annotation)]
    assert names == ["window 0", "window 1"]


def test_a_model_has_one_colour_and_a_name_in_the_legend(costs: WorkloadCosts) -> None:
    figure = windows_figure(costs, SCHEDULE)
    (legend,) = figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == ["two:4", "two:4", "weights from DRAM"]
    (ax,) = figure.axes
    solid = [p for group in ax.containers for p in group if not p.get_hatch()]
    colours = [patch.get_facecolor() for patch in solid]
    assert colours[0] == colours[1] != colours[2]


def test_a_label_is_cut_to_the_room_in_its_bar(make_workload: MakeWorkload) -> None:
    plain = make_workload(jobs=2)
    long = "a-layer-with-a-name-of-more-characters-than-any-bar-has-room-for" * 4
    layers = (replace(plain.jobs[0].network.layers[0], name=long), plain.jobs[0].network.layers[1])
    jobs = tuple(replace(own, network=replace(own.network, layers=layers)) for own in plain.jobs)
    ax = Figure().add_subplot()
    draw_gantt(WorkloadCosts(replace(plain, jobs=jobs)), SCHEDULE, ax=ax)
    texts = [text.get_text() for text in ax.texts if not isinstance(text, Annotation)]
    assert any("…" in text for text in texts)
    assert all(len(text) < 200 for text in texts)


def test_files_are_written_by_their_ending_and_the_same_each_time(
    costs: WorkloadCosts, tmp_path: Path
) -> None:
    png, svg, again = (tmp_path / name for name in ("a.png", "a.svg", "b.svg"))
    for path in (png, svg, again):
        draw_windows(costs, SCHEDULE, path)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.read_bytes() == again.read_bytes()
    with pytest.raises(ValueError, match=r"ends in \.png or \.svg"):
        draw_windows(costs, SCHEDULE, tmp_path / "a.pdf")


def test_kinds_that_share_a_dataflow_are_numbered(make_workload: MakeWorkload) -> None:
    plain = make_workload()
    bigger = replace(plain.package.chiplet, buffer_bytes=5)
    unlike = (*plain.package.unlike, ((2, 0), bigger))
    package = replace(plain.package, unlike=unlike)
    costs = WorkloadCosts(replace(plain, package=package))
    assert kind_labels(costs.package) == {(0, 0): "ws1", (1, 0): "os", (2, 0): "ws2"}


def test_units_of_a_stage_are_named_by_the_first_and_the_last(costs: WorkloadCosts) -> None:
    own = costs.workload.jobs[0]
    assert (units_label(own, 1, 1), units_label(own, 0, 1)) == ("b", "a … b")
