"""The fast placer: its costs are those of the link model, its places good and connected."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from heuristics.placement import place_fast
from heuristics.placement.board import board_of
from heuristics.placement.curves import curves
from heuristics.placement.search import energy
from heuristics.placement.traffic import new_state
from instances.mesh import Mesh, neighbours
from instances.package import Tile
from schedules.place import snake
from schedules.placement import (
    PlacementProblem,
    link_loads,
    misplaced,
    placement_cost,
)
from schedules.regions import connected_regions, runs
from schedules.traffic import DRAM, Stream


def chain(mesh: Mesh, sizes: Sequence[int], seed: int) -> PlacementProblem:
    """A pipeline with weights from DRAM, traffic inside regions and some skips."""
    draw, last, streams = Random(seed), len(sizes) - 1, []
    for k, size in enumerate(sizes):
        streams.append(
            Stream(k - 1 if k else DRAM, k, draw.randint(100, 9999), draw.random() < 0.6)
        )
        streams.append(Stream(DRAM, k, draw.randint(100, 9999), draw.random() < 0.3))
        if size > 1 and draw.random() < 0.5:
            streams.append(Stream(k, k, draw.randint(10, 999), draw.random() < 0.5))
        if k + 2 <= last and draw.random() < 0.3:
            streams.append(Stream(k, k + 2, draw.randint(100, 2999), draw.random() < 0.5))
    streams.append(Stream(last, DRAM, draw.randint(10, 999), False))
    return PlacementProblem(mesh, tuple(sizes), tuple(streams))


def cut(total: int, parts: int, seed: int) -> list[int]:
    """Sizes that sum to a total."""
    borders = sorted(Random(seed).sample(range(1, total), parts - 1))
    return [b - a for a, b in zip([0, *borders], [*borders, total], strict=True)]


@st.composite
def problems(draw: st.DrawFn) -> PlacementProblem:
    """On a mesh of at most 6 x 6, with faults in half of the cases."""
    size = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    spot = st.tuples(st.integers(0, size[0] - 1), st.integers(0, size[1] - 1))
    missing, broken = set[Tile](), []
    if draw(st.booleans()):
        missing = draw(st.sets(spot, max_size=3))
        tile = draw(spot)
        broken = [(tile, other) for other in neighbours(tile, size)[:1]]
    try:
        mesh = Mesh(size, draw(st.integers(1, 4)), draw(st.sets(spot, max_size=2)), missing, broken)
    except ValueError:  # cut off
        reject()
    count = len(mesh.tiles)
    used = draw(st.integers(1, count))
    parts = draw(st.integers(1, min(6, used)))
    return chain(mesh, cut(used, parts, draw(st.integers(0, 99))), draw(st.integers(0, 99)))


@settings(max_examples=60)
@given(problems())
def test_the_kernels_count_what_the_link_model_counts(problem: PlacementProblem) -> None:
    places = connected_regions(problem.mesh, problem.mesh.tiles, problem.sizes)
    assume(places is not None)
    assert places is not None
    board = board_of(problem)
    state, number = new_state(board), {tile: k for k, tile in enumerate(problem.mesh.tiles)}
    for region, tiles in enumerate(places):
        state.members[region, : len(tiles)] = [number[tile] for tile in tiles]
    total = energy(board, state, 0, True)
    assert state.loads.tolist() == link_loads(problem, places).tolist()
    cost = placement_cost(problem, places)
    assert total == cost.byte_hops
    assert energy(board, state, 3, True) == cost.byte_hops + 3 * cost.busiest
    if problem.mesh.whole:
        assert energy(board, state, 0, False) == cost.byte_hops


def every(
    problem: PlacementProblem, free: Sequence[Tile], k: int = 0
) -> Iterator[list[list[Tile]]]:
    """All places."""
    if k == len(problem.sizes):
        yield []
        return
    for tiles in combinations(free, problem.sizes[k]):
        if problem.mesh.connected(tiles):
            left = [tile for tile in free if tile not in tiles]
            for rest in every(problem, left, k + 1):
                yield [list(tiles), *rest]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("faulty", [False, True])
def test_on_small_meshes_the_places_are_the_best(seed: int, faulty: bool) -> None:
    mesh = Mesh((3, 3), 2, missing=[(1, 1)]) if faulty else Mesh((3, 2), 2)
    sizes = cut(len(mesh.tiles) - seed % 2, 3, seed)
    problem = chain(mesh, sizes, seed)
    costs = [placement_cost(problem, places) for places in every(problem, mesh.tiles)]
    found = place_fast(problem, "hops", seed=seed)
    assert found is not None
    assert placement_cost(problem, found).byte_hops == min(cost.byte_hops for cost in costs)
    found = place_fast(problem, "load", seed=seed)
    assert found is not None
    own = placement_cost(problem, found)
    assert (own.busiest, own.byte_hops) == min((cost.busiest, cost.byte_hops) for cost in costs)


@pytest.mark.parametrize("objective", ["hops", "load"])
def test_sixty_regions_on_256_chiplets_take_seconds_and_beat_the_snake(objective: str) -> None:
    mesh = Mesh((16, 16), 8)
    problem = chain(mesh, cut(256, 60, 1), 1)
    place_fast(chain(Mesh((2, 2), 2), (2, 2), 1), objective)  # type: ignore[arg-type]
    began = time.process_time()
    found = place_fast(problem, objective)  # type: ignore[arg-type]
    assert time.process_time() - began < 6  # a second or two on a machine that does nothing else
    assert found is not None
    assert misplaced(problem, found) == []
    own = placement_cost(problem, found)
    plain = placement_cost(problem, runs(snake((16, 16)), problem.sizes))
    if objective == "hops":
        assert own.byte_hops < 0.98 * plain.byte_hops
    else:
        assert own.busiest < 0.9 * plain.busiest


@settings(max_examples=12)
@given(problems())
def test_places_avoid_faults_and_are_connected(problem: PlacementProblem) -> None:
    found = place_fast(problem, time_limit=0.0)
    if found is not None:
        assert misplaced(problem, found) == []
    else:
        assert connected_regions(problem.mesh, problem.mesh.tiles, problem.sizes) is None


def test_the_same_seed_gives_the_same_places() -> None:
    problem = chain(Mesh((6, 6), 4), cut(34, 8, 5), 5)
    first, again = (place_fast(problem, seed=3) for _ in range(2))
    assert first == again


def test_regions_that_no_mesh_can_hold_are_none() -> None:
    cross = [(0, 0), (2, 0), (0, 2), (2, 2)]  # what is left is a plus: one chiplet and four arms
    mesh = Mesh((3, 3), 0, missing=cross)
    assert place_fast(PlacementProblem(mesh, (2, 2), (Stream(0, 1, 1, False),))) is None
    assert place_fast(PlacementProblem(mesh, (4, 1), (Stream(0, 1, 1, False),))) is not None


def test_amounts_beyond_what_kernels_can_add_are_scaled() -> None:
    mesh = Mesh((4, 4), 2)
    problem = PlacementProblem(mesh, (8, 8), (Stream(0, 1, 2**55, False), Stream(DRAM, 0, 1, True)))
    found = place_fast(problem, "load", time_limit=0.0)
    assert found is not None
    assert misplaced(problem, found) == []


def test_an_unknown_objective_is_refused() -> None:
    problem = chain(Mesh((2, 2), 2), (2, 2), 0)
    with pytest.raises(ValueError, match="unknown objective 'speed': choose one of hops, load, bo"):
        place_fast(problem, "speed")  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (4, 4), (5, 3), (16, 16)])
def test_curves_pass_every_place_once(size: tuple[int, int]) -> None:
    mesh = Mesh(size, 2)
    found = curves(mesh)
    assert all(sorted(curve) == sorted(mesh.tiles) for curve in found)
    assert len(set(found)) == len(found)
    assert snake(size) in found


def test_ways_around_faults_are_tabled_as_the_mesh_goes() -> None:
    mesh = Mesh((3, 3), 2, missing=[(1, 0)], broken=[((0, 1), (1, 1))])
    board = board_of(chain(mesh, (2, 2), 0))
    kinds = set(np.minimum(board.turn, 2).ravel().tolist())
    assert kinds == {0, 1, 2}
    assert len(board_of(chain(Mesh((3, 3), 2), (2, 2), 0)).turn) == 0
