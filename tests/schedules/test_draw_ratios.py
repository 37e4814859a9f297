"""Pictures of compressed schedules: marks where compressed tensors cross, times with coders."""

from __future__ import annotations

import pytest
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from instances.cost import make_instance
from instances.cost.coders import compress
from instances.losses import LossTable
from instances.networks import build_network
from instances.packages import load_package
from schedules.draw import draw_pipeline, schedule_figure
from schedules.draw_ratios import mark_regions
from schedules.evaluate import evaluate, segment_cost
from schedules.place import with_places
from schedules.schedule import Cluster, Schedule, Segment

ALEXNET = compress(
    make_instance(build_network("alexnet"), load_package("simba-4x4"), 4),
    LossTable({"*": {2: 0.01, 4: 0.01}}),
    1,
)
THREE = Segment(tuple(Cluster(k, k, 5, ("WSP",)) for k in range(3)))
REST = Segment((Cluster(3, 6, 8, ("WSP",) * 4), Cluster(7, 7, 8, ("ISP",))))
RATIOS = (4, 1, 2, 4, 1, 1, 4, 1)
"""Those of layers 0, 2 and 6 cross; that of layer 3 stays inside a cluster."""


def marks(ax: Axes) -> list[tuple[str, float]]:
    """Marks and their heights."""
    found = [(text.get_text(), text.get_position()[1]) for text in ax.texts]
    return [(text, height) for text, height in found if "/" in text]


def test_the_stage_that_a_compressed_tensor_enters_is_marked_at_its_upper_border() -> None:
    first, second = (Figure().add_subplot() for _ in range(2))
    draw_pipeline(ALEXNET, THREE, ax=first, ratios=RATIOS)
    draw_pipeline(ALEXNET, REST, ax=second, ratios=RATIOS)
    assert marks(first) == [("/4", 0.5)]
    assert marks(second) == [("/2", -0.5), ("/4", 0.5)]


def test_stages_are_as_long_as_with_their_coders() -> None:
    ax = Figure().add_subplot()
    draw_pipeline(ALEXNET, THREE, ax=ax, ratios=RATIOS)
    groups = [group for group in ax.containers if isinstance(group, BarContainer)]
    drawn = [bar.get_width() * 500 for bar in groups[1].patches]
    expected = [cluster.time for cluster in segment_cost(ALEXNET, THREE, RATIOS).clusters]
    assert drawn == pytest.approx(expected)
    assert drawn != pytest.approx([c.time for c in segment_cost(ALEXNET, THREE).clusters])


def test_maps_are_marked_between_the_regions_and_the_legend_says_what_it_means() -> None:
    schedule = Schedule((THREE, REST), RATIOS)
    figure = schedule_figure(ALEXNET, schedule)
    chips, _, others, _ = figure.subfigs[0].get_axes()
    assert [text for text, _ in marks(chips)] == ["/4"]
    assert [text for text, _ in marks(others)] == ["/4"]  # what comes from DRAM has no border
    (legend,) = figure.subfigs[0].legends
    assert "/4: compressed 4 to 1" in [text.get_text() for text in legend.get_texts()]
    assert f"{evaluate(ALEXNET, schedule).latency:,} cycles" in figure.get_suptitle()


def test_a_schedule_that_compresses_nothing_has_no_marks() -> None:
    figure = schedule_figure(ALEXNET, Schedule((THREE, REST)))
    assert all(marks(ax) == [] for ax in figure.get_axes())
    (legend,) = figure.subfigs[0].legends
    assert not any("compressed" in text.get_text() for text in legend.get_texts())


def test_several_tensors_between_two_regions_share_a_mark_at_the_nearest_chiplets() -> None:
    one = Cluster(0, 2, 2, ("ISP",) * 3, tiles=((0, 0), (1, 0)))
    far = Cluster(3, 4, 2, ("ISP",) * 2, tiles=((3, 0), (3, 1)))
    ax = Figure().add_subplot()
    ratios = (4, 2, 4, 1, 1)
    mark_regions(Segment((one, far)), {1: [0, 1, 2]}, ratios, ax=ax)
    (text,) = ax.texts
    assert (text.get_text(), text.get_position()) == ("/2, 2 x /4", (2.0, 0.0))


def test_links_are_not_drawn_where_something_is_compressed() -> None:
    placed = with_places(Schedule((THREE, REST)), (4, 4))
    with_links = schedule_figure(ALEXNET, placed)
    without = schedule_figure(ALEXNET, Schedule(placed.segments, RATIOS))
    assert any("busiest link" in ax.get_title() for ax in with_links.get_axes())
    assert not any("busiest link" in ax.get_title() for ax in without.get_axes())
