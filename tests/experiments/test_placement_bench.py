"""Proofs of placements as they are measured: each problem once, held against the fast placer."""

from dataclasses import replace

import pytest

from experiments.placement import (
    LARGE_MESH,
    LARGE_REGIONS,
    Proof,
    pipeline_problem,
    placement_measures,
    problems,
    proofs,
)
from schedules.placement import placement_cost


@pytest.fixture(scope="module")
def found() -> list[Proof]:
    wanted = [("simba-4x4", "free", "hops", 2), ("simba-4x4", "rectangles", "both", 2)]
    return proofs(["resnet18"], wanted, workers=1)  # type: ignore[arg-type]


def test_every_problem_is_proved_once_and_costed(found: list[Proof]) -> None:
    wanted = problems(["resnet18", "resnet18"], "simba-4x4", 2)
    assert len(wanted) >= 3
    assert [(p.name, p.family, p.objective) for p in found] == [
        (name, *how)
        for how in (("free", "hops"), ("rectangles", "both"))
        for name in wanted.values()
    ]
    for proof, problem in zip(found, [*wanted, *wanted], strict=True):
        assert (proof.regions, proof.settled) == (problem.sizes, True)
        if proof.found.places is not None:
            assert proof.found.cost == placement_cost(problem, proof.found.places)
        assert (proof.fast is None) == (proof.family == "rectangles")
        assert proof.fast is None or 1.0 <= proof.fast <= 1.1


def test_a_proof_that_is_missing_or_slow_breaks_its_bar(found: list[Proof]) -> None:
    measures = {m.name: m for m in placement_measures(found, [0.5, 1.5])}
    assert measures["longest proof on simba-4x4"].holds
    assert measures["longest proof on simba-6x6"].value is None
    assert f"{len(found)} proofs, 0 not finished" in measures["longest proof on simba-4x4"].note
    assert measures["fast placer, 60 regions on simba-16x16"].value == 1.5
    step = replace(found[0].found.steps[-1], stop="time-limit", runtime_s=61.0)
    late = replace(found[0], found=replace(found[0].found, steps=(step,)), fast=1.2)
    measures = {m.name: m for m in placement_measures([late], [2.5])}
    assert not measures["longest proof on simba-4x4"].holds
    assert "1 proofs, 1 not finished" in measures["longest proof on simba-4x4"].note
    assert not measures["fast placer, bytes x hops over the optimum, worst"].holds
    assert not measures["fast placer, 60 regions on simba-16x16"].holds


def test_the_large_problem_fills_the_mesh() -> None:
    problem = pipeline_problem(LARGE_MESH, LARGE_REGIONS)
    assert len(problem.sizes) == LARGE_REGIONS
    assert sum(problem.sizes) == len(problem.mesh.tiles) == 256
    assert pipeline_problem(LARGE_MESH, LARGE_REGIONS) == problem
    assert pipeline_problem(LARGE_MESH, LARGE_REGIONS, seed=1) != problem
