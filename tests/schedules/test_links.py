"""The link report: what the busiest links need, beside the times of the plain formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from instances.cost import make_instance
from instances.generate import random_instance
from instances.mesh import Mesh
from instances.networks import build_network
from instances.packages import load_package
from schedules.evaluate import segment_cost
from schedules.links import link_report, segment_links
from schedules.place import mesh_of, with_places
from schedules.placed import placed_segment
from schedules.schedule import Cluster, Schedule, Segment
from schedules.traffic import flows, loads_of

RESNET = make_instance(build_network("resnet18"), load_package("simba-4x4"), 8)
STAGES = Segment(
    (
        Cluster(0, 3, 6, ("WSP",) * 4),
        Cluster(4, 6, 4, ("ISP",) * 3),
        Cluster(7, 9, 6, ("WSP", "ISP", "ISP")),
    )
)
PLACED = with_places(Schedule((STAGES,)), mesh_of(RESNET)).segments[0]
TILED = Segment((Cluster(20, 20, 16, ("ISP",)),), tiled=True)


def test_loads_are_the_sums_of_the_flows_of_a_sample() -> None:
    report = segment_links(RESNET, PLACED)
    places = [cluster.tiles or () for cluster in PLACED.clusters]
    mesh = mesh_of(RESNET)
    each = [flow for flow in flows(RESNET, PLACED) if not flow.once]
    total = np.sum([loads_of(flow, mesh, places) for flow in each], axis=0)
    assert report.loads.tolist() == total.tolist()
    assert report.busiest is not None
    assert report.loads[mesh.index[report.busiest]] == total.max()


def test_cycles_are_bytes_over_the_bandwidth_of_a_port() -> None:
    report = segment_links(RESNET, PLACED)
    package = RESNET.package
    assert package is not None
    clock, bandwidth = package.chiplet.clock_hz, package.nop.bandwidth
    assert report.link == -(-int(report.loads.max()) * clock // bandwidth)
    slow = replace(package, nop=replace(package.nop, bandwidth=bandwidth // 10))
    again = segment_links(make_instance(build_network("resnet18"), slow, 8), PLACED)
    assert again.link == -(-int(report.loads.max()) * clock * 10 // bandwidth)


def test_it_stands_beside_the_times_of_the_evaluator_and_agrees_with_the_placed_cost() -> None:
    report, cost = segment_links(RESNET, PLACED), segment_cost(RESNET, PLACED)
    assert (report.beat, report.load) == (cost.beat, cost.load)
    assert [stage.time for stage in report.stages] == [part.time for part in cost.clusters]
    placed = placed_segment(RESNET, PLACED)
    assert report.link == placed.link
    assert [stage.link for stage in report.stages] == [stage.link for stage in placed.stages]
    assert report.share == report.link / cost.beat
    assert all(0 < stage.link <= report.link for stage in report.stages)
    assert report.weights > 0


def test_a_tiled_segment_streams_through_all_chiplets_without_places() -> None:
    (report,) = link_report(RESNET, Schedule((TILED,)))
    assert report.link > 0
    assert report.beat == segment_cost(RESNET, TILED).beat


def test_a_single_chiplet_has_no_link() -> None:
    alone = make_instance(build_network("alexnet"), load_package("datacentre-1x1"), 2)
    (report,) = link_report(
        alone, Schedule((replace(TILED, clusters=(Cluster(0, 0, 1, ("ISP",)),)),))
    )
    assert (report.busiest, report.link, len(report.loads)) == (None, 0, 0)


def test_places_and_a_package_are_needed() -> None:
    with pytest.raises(ValueError, match="the cluster of layers 0 to 3 has no place"):
        segment_links(RESNET, STAGES)
    with pytest.raises(ValueError, match="a table instance"):
        segment_links(random_instance(1, layers=10, chiplets=16), PLACED)


def test_the_mesh_of_the_report_is_the_package_s() -> None:
    assert RESNET.package is not None
    assert len(segment_links(RESNET, PLACED).loads) == len(Mesh.of(RESNET.package).links)
