"""Pictures: what is drawn is what the schedule says, in the units that the axes name."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from instances.cost import make_instance
from instances.generate import random_instance
from instances.instance import Instance
from instances.networks import build_network
from instances.packages import load_package
from schedules.draw import (
    DETAILED,
    SMALL,
    draw_pipeline,
    draw_schedule,
    schedule_figure,
)
from schedules.draw_mesh import draw_regions
from schedules.evaluate import segment_cost
from schedules.place import mesh_of, with_places
from schedules.schedule import Cluster, Schedule, Segment

ALEXNET = make_instance(build_network("alexnet"), load_package("simba-4x4"), 64)
TABLE = replace(random_instance(1, layers=3, chiplets=7, options=2), batch=4)


def segment(*chiplets: int, first: int = 0) -> Segment:
    """One layer a cluster, from `first` on."""
    clusters = (Cluster(first + k, first + k, c, ("ISP",)) for k, c in enumerate(chiplets))
    return Segment(tuple(clusters))


THREE = segment(5, 4, 6)
TILED = Segment((Cluster(3, 3, 16, ("ISP",)),), tiled=True)


def new_axes() -> Axes:
    return Figure().add_subplot()


def bars(ax: Axes) -> list[list[Rectangle]]:
    """The rectangles of each call of barh: the weight load, then sample by sample."""
    groups = [group for group in ax.containers if isinstance(group, BarContainer)]
    return [list(group.patches) for group in groups]


def placed(instance: Instance, part: Segment) -> Segment:
    return with_places(Schedule((part,)), mesh_of(instance)).segments[0]


@pytest.mark.parametrize("label_cells", [True, False])
def test_as_many_cells_are_coloured_as_the_clusters_have_chiplets(label_cells: bool) -> None:
    ax = new_axes()
    draw_regions(placed(ALEXNET, THREE), (4, 4), ax=ax, label_cells=label_cells)
    (mesh,) = [item for item in ax.collections if isinstance(item, QuadMesh)]
    colours = mesh.get_array()
    assert colours is not None
    assert Counter(np.ma.compressed(colours).tolist()) == {0: 5, 1: 4, 2: 6}
    written = sorted(text.get_text() for text in ax.texts)
    assert written == sorted("000001111222222" if label_cells else "012")


@pytest.mark.parametrize(
    ("instance", "part", "per_unit"),
    [(ALEXNET, THREE, 500.0), (ALEXNET, TILED, 500.0), (TABLE, segment(3, 2, 2), 1.0)],
    ids=["microseconds", "tiled", "cycles"],
)
def test_sample_k_enters_stage_s_k_plus_s_beats_after_the_load(
    instance: Instance, part: Segment, per_unit: float
) -> None:
    ax = new_axes()
    draw_pipeline(instance, part, ax=ax, start=1000, samples=4)
    cost = segment_cost(instance, part)
    load, *samples = bars(ax)
    assert [load[0].get_x(), load[0].get_width()] == pytest.approx(
        [1000 / per_unit, cost.load / per_unit]
    )
    assert load[0].get_hatch()
    assert len(samples) == 4
    for k, stages in enumerate(samples):
        for s, bar in enumerate(stages):
            entered = 1000 + cost.load + (k + s) * cost.beat
            assert bar.get_x() * per_unit == pytest.approx(entered)
            assert bar.get_width() * per_unit == pytest.approx(cost.clusters[s].time)


def test_no_more_samples_are_drawn_than_the_batch_has() -> None:
    ax = new_axes()
    draw_pipeline(TABLE, segment(3, 2, 2), ax=ax, samples=100)
    assert len(bars(ax)) == 1 + TABLE.batch


def test_a_pipeline_of_many_stages_names_few_enough_to_be_read() -> None:
    instance = make_instance(build_network("resnet50"), load_package("simba-8x8"), 2)
    ax = new_axes()
    draw_pipeline(instance, segment(*[1] * 54), ax=ax)
    assert 10 < len(ax.get_yticklabels()) < 30


@pytest.mark.parametrize(
    ("instance", "schedule", "unit"),
    [
        (ALEXNET, Schedule((THREE, TILED, segment(4, 4, 4, 4, first=4))), "µs"),
        (TABLE, Schedule((segment(3, 2, 2),)), "cycles"),
    ],
    ids=["package", "tables"],
)
def test_every_part_has_a_title_and_every_axis_a_name(
    instance: Instance, schedule: Schedule, unit: str
) -> None:
    figure = schedule_figure(instance, schedule)
    assert f"batch {instance.batch}: latency" in figure.get_suptitle()
    charts = figure.get_axes()
    assert len(charts) == 2 * len(schedule.segments)
    for ax in charts:
        assert ax.get_title()
        assert ax.get_xlabel()
        assert ax.get_ylabel()
    times = [ax.get_xlabel() for ax in charts if "time" in ax.get_xlabel()]
    assert len(times) == len(schedule.segments)
    assert all(f"({unit})" in label for label in times)


def test_the_segments_with_the_most_clusters_get_the_gantt_charts() -> None:
    parts = [Segment((Cluster(k, k, 16, ("ISP",)),)) for k in range(5)]
    figure = schedule_figure(ALEXNET, Schedule((*parts, segment(4, 4, 4, first=5))))
    upper, lower = figure.subfigs
    detailed = [ax.get_title() for ax in upper.get_axes()[::2]]
    small = [ax.get_title().split("\n")[0] for ax in lower.get_axes()]
    assert detailed[-1] == "segment 5"
    assert sorted(detailed + small) == [f"segment {k}" for k in range(6)]


def test_segments_beyond_the_cap_are_counted_in_a_note() -> None:
    parts = [Segment((Cluster(0, 0, 16, ("ISP",)),))] * (DETAILED + SMALL + 7)
    figure = schedule_figure(ALEXNET, Schedule(tuple(parts)))
    upper, lower = figure.subfigs
    assert len(upper.get_axes()) == 2 * DETAILED
    assert len(lower.get_axes()) == SMALL
    assert lower.get_supxlabel() == "7 further segments not shown"


@pytest.mark.parametrize(
    ("chiplets", "mesh"), [(1, (1, 1)), (7, (7, 1)), (12, (4, 3)), (16, (4, 4)), (18, (6, 3))]
)
def test_a_table_instance_is_drawn_on_a_mesh_of_just_its_chiplets(
    chiplets: int, mesh: tuple[int, int]
) -> None:
    assert mesh_of(random_instance(0, layers=1, chiplets=chiplets)).size == mesh


def test_a_png_is_written(tmp_path: Path) -> None:
    draw_schedule(TABLE, Schedule((segment(3, 2, 2),)), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_schedule_gives_the_same_svg(tmp_path: Path) -> None:
    for name in ("a.svg", "b.SVG"):
        draw_schedule(ALEXNET, Schedule((THREE,)), tmp_path / name)
    drawn = (tmp_path / "a.svg").read_bytes()
    assert b"<svg" in drawn
    assert drawn == (tmp_path / "b.SVG").read_bytes()


@pytest.mark.parametrize("name", ["a.gif", "a"])
def test_another_format_is_refused_before_anything_is_drawn(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.png or \.svg"):
        draw_schedule(TABLE, Schedule((segment(3, 2, 2),)), tmp_path / name)
    assert not (tmp_path / name).exists()
