"""Pictures of a schedule on an array: what colours, numbers and lines they have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.figure import Figure

from instances.arrays import load_array
from instances.cost.array import ArrayCosts
from instances.networks import build_network
from schedules.array.draw import (
    MOST_PANELS,
    array_figure,
    draw_array,
    draw_blocks,
    draw_loads,
    main_segments,
)
from schedules.array.evaluate import evaluate_array, evaluate_segment
from schedules.array.schedule import ArraySchedule, ArraySegment, Layout

MakeArrayCosts = Callable[..., ArrayCosts]

STRIPED = ArraySegment(0, 1, "positions", 4, Layout((2,), (1, 1), (2, 1)))


@pytest.fixture
def costs(make_array_costs: MakeArrayCosts) -> ArrayCosts:
    return make_array_costs(mesh=(6, 2), express=2)


def deep() -> tuple[ArrayCosts, ArraySchedule]:
    """MobileNetV2 on 32 x 32 PEs: pipelined in pairs, the last layers by themselves."""
    costs = ArrayCosts(build_network("mobilenet_v2"), load_array("32x32"))
    pairs = [
        ArraySegment(k, k + 1, "positions", costs.tile_counts(k, k + 1)[1][1], own)
        for k in range(0, costs.layers - 3, 2)
        for own in [Layout((4, 4), (8,), (4, 4)) if k % 4 else Layout((32,), (12, 19))]
    ]
    last = range(pairs[-1].last + 1, costs.layers)
    alone = [ArraySegment(k, k, "positions", 1, Layout((32,), (32,))) for k in last]
    return costs, ArraySchedule((*pairs, *alone))


def test_pes_have_the_colour_of_their_layer_and_idle_ones_none(costs: ArrayCosts) -> None:
    ax = Figure().subplots()
    draw_blocks(costs.array, evaluate_segment(costs, STRIPED), ax=ax)
    (mesh,) = (own for own in ax.collections if isinstance(own, QuadMesh))
    owner: Any = mesh.get_array()
    colours = np.ma.filled(np.ma.asarray(owner), -1).reshape(2, 6)
    assert colours.tolist() == [[0, 1, -1, 0, 1, -1]] * 2
    assert [own.get_text() for own in ax.texts] == ["0", "1", "0", "1"]


def test_a_line_for_each_link_with_the_busiest_on_top(costs: ArrayCosts) -> None:
    busy = {((0, 0), (1, 0)): 0.75, ((1, 0), (0, 0)): 0.25, ((2, 1), (2, 0)): 0.5}
    ax = Figure().subplots()
    draw_loads(busy, ax=ax, side=4, most=1.0)
    (lines,) = ax.collections
    assert isinstance(lines, LineCollection)
    paths = [path.vertices for path in lines.get_paths()]
    assert len(paths) == 3
    widths = list(np.asarray(lines.get_linewidth()))
    assert widths == sorted(widths)
    right, left = np.asarray(paths[2]), np.asarray(paths[0])
    assert (right[:, 1] > 0).all()
    assert (left[:, 1] < 0).all()


def test_express_links_bow_out() -> None:
    ax = Figure().subplots()
    draw_loads({((0, 0), (4, 0)): 1.0}, ax=ax, side=8, most=1.0)
    (lines,) = ax.collections
    assert isinstance(lines, LineCollection)
    points = np.asarray(lines.get_paths()[0].vertices)
    assert points[:, 0].tolist() == sorted(points[:, 0])
    assert points[:, 1].argmax() in (5, 6)
    assert points[:, 1].max() > 2 * points[0, 1]


def test_a_panel_says_what_the_segment_is(costs: ArrayCosts) -> None:
    figure = array_figure(costs, ArraySchedule((STRIPED,)))
    title = figure.axes[0].get_title()
    for text in ("segment 0: a to b, depth 2", "striped, 2 x 1 cells", "4 by positions"):
        assert text in title
    assert "beat 18 (compute of b), 100% of all cycles" in title
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["0 a", "1 b"]
    assert "two on by-hand, batch 3: 252 cycles" in figure.get_suptitle()
    express = replace(STRIPED, layout=Layout((2,), (2, 4), express=(True, False)))
    again = array_figure(costs, ArraySchedule((express,)))
    assert "blocked-1d, express links" in again.axes[0].get_title()


def test_pipelined_segments_with_most_cycles_are_drawn_in_order() -> None:
    costs, schedule = deep()
    found = evaluate_array(costs, schedule)
    shown = main_segments(found)
    assert len(shown) == MOST_PANELS
    assert shown == sorted(shown)
    least = min(found.segments[k].cycles for k in shown)
    rest = [own for k, own in enumerate(found.segments) if k not in shown]
    assert all(own.cycles <= least for own in rest if own.segment.depth > 1)
    figure = array_figure(costs, schedule)
    titles = [ax.get_title().split(":")[0] for ax in figure.axes[:MOST_PANELS]]
    assert titles == [f"segment {k}" for k in shown]
    assert f"{MOST_PANELS} of {len(schedule.segments)} segments" in figure.get_suptitle()


def test_segments_may_be_chosen() -> None:
    costs, schedule = deep()
    figure = array_figure(costs, schedule, [3, 1])
    assert [ax.get_title()[:10] for ax in figure.axes[:2]] == ["segment 3:", "segment 1:"]
    last = len(schedule.segments) - 1
    alone = array_figure(costs, schedule, [last])
    assert len(alone.axes) == 1
    for wrong, said in (([last + 1], f"segment {last + 1}"), ([], "no segment")):
        with pytest.raises(ValueError, match=f"{said} to draw, expected some of 0 to {last}"):
            array_figure(costs, schedule, wrong)


def test_a_picture_is_written_the_same_each_time(costs: ArrayCosts, tmp_path: Path) -> None:
    schedule = ArraySchedule((STRIPED,))
    for name in ("one.svg", "two.svg", "three.png"):
        draw_array(costs, schedule, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "three.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"ends in \.png or \.svg"):
        draw_array(costs, schedule, tmp_path / "four.gif")


def test_a_picture_of_32_x_32_pes_takes_a_few_seconds(tmp_path: Path) -> None:
    costs, schedule = deep()
    start = perf_counter()
    draw_array(costs, schedule, tmp_path / "large.png")
    assert perf_counter() - start < 20
