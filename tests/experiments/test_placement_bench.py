"""Proofs of placements as they are measured: each problem once, held against the fast placer."""

from dataclasses import replace

import pytest

from experiments.placement import (
    LARGE_REGIONS,
    Proof,
    distinct,
    large_problem,
    placement_measures,
    proofs,
)
from schedules.placement import placement_cost


@pytest.fixture(scope="module")
def found() -> list[Proof]:
    wanted = [("simba-4x4", "free", "hops", 8), ("simba-4x4", "rectangles", "both", 8)]
    return proofs(["alexnet"], wanted, workers=1)  # type: ignore[arg-type]


def test_every_problem_is_proved_once_and_costed(found: list[Proof]) -> None:
    problems = distinct(["alexnet", "alexnet"], "simba-4x4", 8)
    assert len(problems) == len(set(problems.values())) == 1
    (problem,) = problems.values()
    assert [(proof.family, proof.objective) for proof in found] == [
        ("free", "hops"),
        ("rectangles", "both"),
    ]
    for proof in found:
        assert (proof.regions, proof.found.stop) == (problem.sizes, "optimal")
        assert proof.found.places is not None
        assert proof.found.cost == placement_cost(problem, proof.found.places)
    assert found[0].fast is not None
    assert 1.0 <= found[0].fast <= 1.1
    assert found[1].fast is None


def test_a_proof_that_is_missing_or_slow_breaks_its_bar(found: list[Proof]) -> None:
    measures = {m.name: m for m in placement_measures(found, [0.5, 1.5])}
    assert measures["longest proof on simba-4x4"].holds
    assert measures["longest proof on simba-6x6"].value is None
    assert "2 proofs, 0 not finished" in measures["longest proof on simba-4x4"].note
    assert measures["fast placer, 60 regions on simba-16x16"].value == 1.5
    step = replace(found[0].found.steps[-1], stop="time-limit", runtime_s=61.0)
    late = replace(found[0], found=replace(found[0].found, steps=(step,)), fast=1.2)
    measures = {m.name: m for m in placement_measures([late], [2.5])}
    assert not measures["longest proof on simba-4x4"].holds
    assert "1 proofs, 1 not finished" in measures["longest proof on simba-4x4"].note
    assert not measures["fast placer, bytes x hops over the optimum, worst"].holds
    assert not measures["fast placer, 60 regions on simba-16x16"].holds


def test_the_large_problem_fills_the_mesh() -> None:
    problem = large_problem()
    assert len(problem.sizes) == LARGE_REGIONS
    assert sum(problem.sizes) == len(problem.mesh.tiles) == 256
    assert large_problem() == problem
    assert large_problem(seed=1) != problem
