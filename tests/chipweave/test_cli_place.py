"""`chipweave place`: its tables, its files and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import chipweave as cw
from instances.package import Faults

Run = Callable[..., tuple[int, str, str]]
WHAT = ("alexnet", "--package", "datacentre-2x2", "--batch", "8")


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """AlexNet on 2 x 2 chiplets: three regions, then all layers but the first ones in tiles."""
    instance = cw.instance("alexnet", "datacentre-2x2", batch=8)
    options = [("ISP",), ("ISP",), ("WSP",)]
    stages = [cw.Cluster(k, k, size, options[k]) for k, size in enumerate((1, 1, 2))]
    rest = [cw.Cluster(k, k, 4, ("ISP",)) for k in range(3, len(instance.layers))]
    segments = (cw.Segment(tuple(stages)), *(cw.Segment((own,), tiled=True) for own in rest))
    cw.write_schedule(cw.Schedule(segments), tmp_path / "plan.yaml")
    return tmp_path / "plan.yaml"


@pytest.mark.parametrize("method", ["snake", "fast", "enumerate"])
def test_every_region_gets_a_place_that_the_checker_accepts(
    run: Run, plan: Path, method: str
) -> None:
    out = plan.with_name("placed.yaml")
    code, text, err = run("place", WHAT[0], plan, *WHAT[1:], "--method", method, "--out", out)
    assert (code, err) == (0, "")
    assert "0 (0–2)" in text
    assert "busiest link" in text
    placed = cw.read_schedule(out)
    assert all(c.tiles is not None for s in placed.segments if not s.tiled for c in s.clusters)
    assert cw.violations(cw.instance("alexnet", "datacentre-2x2", batch=8), placed) == []
    assert run("verify", WHAT[0], out, *WHAT[1:])[0] == 0


def test_json_tells_costs_links_and_what_is_proved(run: Run, plan: Path) -> None:
    found = {}
    for method in ("snake", "fast", "enumerate"):
        asked = ("--method", method, "--family", "free", "--objective", "hops")
        code, out, err = run("place", WHAT[0], plan, *WHAT[1:], *asked, "--json", "-")
        assert (code, err) == (0, "")
        data = json.loads(out)
        assert (data["method"], data["objective"], data["batch"]) == (method, "hops", 8)
        found[method] = data["segments"][0]
        instance = cw.instance("alexnet", "datacentre-2x2", batch=8)
        schedule = cw.read_schedule(plan)
        problem = cw.placement_problem(instance, schedule.segments[0])
        clusters = data["schedule"]["segments"][0]["clusters"]
        places = [[(x, y) for x, y in cluster["tiles"]] for cluster in clusters]
        cost = cw.placement_cost(problem, places)
        assert (found[method]["byte_hops"], found[method]["busiest"]) == (
            cost.byte_hops,
            cost.busiest,
        )
        assert found[method]["links"]["beat"] == cw.evaluate(instance, schedule).segments[0].beat
    assert found["enumerate"]["stop"] == "optimal"
    assert found["enumerate"]["steps"][0]["gap"] == 0
    assert found["snake"]["stop"] == found["fast"]["stop"] == "finished"
    assert found["snake"]["steps"][0]["bound"] is None
    assert found["snake"]["byte_hops"] >= found["fast"]["byte_hops"]
    assert found["fast"]["byte_hops"] == found["enumerate"]["byte_hops"]


def test_places_that_the_schedule_names_are_given_up(run: Run, plan: Path, tmp_path: Path) -> None:
    faulty = tmp_path / "faulty.yaml"
    package = cw.load_package("datacentre-3x2")
    cw.write_package(_with_faults(package, Faults(chiplets=((1, 0), (2, 1)))), faulty)
    text = plan.read_text().replace("tiles: null", "tiles: [[1, 0]]", 1)
    named = tmp_path / "named.yaml"
    named.write_text(text)
    options = ("--package", faulty, "--batch", "8", "--method", "fast")
    code, out, _ = run("place", "alexnet", named, *options, "--json", "-")
    assert code == 0
    clusters = json.loads(out)["schedule"]["segments"][0]["clusters"]
    tiles = [tuple(tile) for cluster in clusters for tile in cluster["tiles"]]
    assert sorted(tiles) == [(0, 0), (0, 1), (1, 1), (2, 0)]


def _with_faults(package: cw.Package, faults: Faults) -> cw.Package:
    from dataclasses import replace

    return replace(package, faults=faults)


def test_a_mesh_without_such_places_is_proved_or_given_up(run: Run, tmp_path: Path) -> None:
    """Chiplets that compute are not neighbours: a region of two cannot be connected."""
    faulty, plan = tmp_path / "faulty.yaml", tmp_path / "plan.yaml"
    apart = Faults(chiplets=((0, 0), (1, 1)))
    cw.write_package(_with_faults(cw.load_package("datacentre-2x2"), apart), faulty)
    instance = cw.instance("alexnet", str(faulty), batch=8)
    layers = range(len(instance.layers))
    first = cw.Cluster(0, 0, 2, ("ISP",))
    rest = (cw.Segment((cw.Cluster(k, k, 2, ("ISP",)),), tiled=True) for k in layers[1:])
    cw.write_schedule(cw.Schedule((cw.Segment((first,)), *rest)), plan)
    options = ("--package", faulty, "--batch", "8", "--family", "free", "--method")
    assert run("place", "alexnet", plan, *options, "enumerate")[0] == 3
    assert run("place", "alexnet", plan, *options, "fast")[0] == 4


def test_a_picture_is_drawn(run: Run, plan: Path, tmp_path: Path) -> None:
    picture = tmp_path / "mesh.svg"
    code, _, err = run("place", WHAT[0], plan, *WHAT[1:], "--method", "snake", "--plot", picture)
    assert (code, err) == (0, "")
    assert "busiest link" in picture.read_text()


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (("--method", "magic"), "unknown method 'magic': choose one of snake, fast, exact, cpsat"),
        (("--family", "stars"), "unknown family of places 'stars'"),
        (("--objective", "speed"), "--objective speed: expected one of hops, load, both"),
        (("--time-limit", "-1"), "--time-limit -1.0: expected seconds, at least 0"),
        (("--out", "-"), "--out -: a schedule's file ends in"),
    ],
)
def test_wrong_options_are_one_clear_line(
    run: Run, plan: Path, option: tuple[str, str], sentence: str
) -> None:
    code, out, err = run("place", WHAT[0], plan, *WHAT[1:], *option)
    assert (code, out) == (2, "")
    assert sentence in err


def test_tables_have_no_traffic_to_place(run: Run, tiny: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    own = cw.Cluster(0, 1, 3, ("WSP", "WSP"))
    cw.write_schedule(cw.Schedule((cw.Segment((own,)),)), plan)
    code, _, err = run("place", tiny, plan)
    assert code == 2
    assert "places and traffic need a network on a package" in err


def test_a_schedule_that_breaks_a_constraint_is_told_and_not_placed(run: Run, plan: Path) -> None:
    wrong = plan.with_name("wrong.yaml")
    wrong.write_text(plan.read_text().replace("chiplets: 2", "chiplets: 3", 1))
    code, _, err = run("place", WHAT[0], wrong, *WHAT[1:])
    assert code == 1
    assert "segment 0 uses 5 chiplets, the package has 4" in err
