"""How fast placements are proved, and how near the fast placer comes to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from experiments.bars import Measure
from experiments.cases import Case
from heuristics.placement import place_fast
from instances.mesh import Mesh
from instances.packages import load_package
from schedules.placement import PlacementProblem, misplaced, placement_cost, placement_problem
from schedules.traffic import DRAM, Stream
from solvers.placing import Objective, PlacedProblem, PlaceOptions, place_problem
from solvers.solve import solve

METHODS = ("scope", "segmented")
"""What makes the schedules whose regions are placed; the second has more of them a segment."""

SEEDS = range(2)
"""Of generated pipelines, for each number of regions."""

WANTED: tuple[tuple[str, str, Objective, int], ...] = (
    ("simba-4x4", "free", "both", 8),
    ("simba-4x4", "free", "hops", 8),
    ("simba-4x4", "intervals", "both", 8),
    ("simba-4x4", "rectangles", "both", 8),
    ("simba-6x6", "rectangles", "both", 10),
    ("simba-6x6", "rectangles", "hops", 10),
)
"""Package, family, objective, most regions of a segment."""

SECONDS = {"simba-4x4": 60.0, "simba-6x6": 120.0}
"""The most that a proof may take."""

RATIO = 1.10
"""The most that the bytes times hops of the fast placer may be, over the optimum."""

LARGE_MESH, LARGE_REGIONS, LARGE_SECONDS = "simba-16x16", 60, 2.0

Watch = Callable[[str], object]


@dataclass(frozen=True)
class Proof:
    """A problem, proved or not.

    Attributes:
        name: where it comes from.
        package: whose mesh it is.
        regions: their sizes.
        family, objective: of the places.
        found: by `exact`.
        fast: cost of the fast placer's places over the optimum's, in what is minimised last; None
            for a family other than free, without a proof, or if the first goal was missed.
    """

    name: str
    package: str
    regions: tuple[int, ...]
    family: str
    objective: Objective
    found: PlacedProblem
    fast: float | None

    @property
    def settled(self) -> bool:
        """Whether the optimum is proved, or that there are no such places."""
        return self.found.stop in ("optimal", "infeasible")

    def to_data(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "name": self.name,
            "package": self.package,
            "regions": list(self.regions),
            "family": self.family,
            "objective": self.objective,
            "stop": self.found.stop,
            "runtime_s": self.found.runtime_s,
            "fast": self.fast,
        }


def proofs(
    networks: Sequence[str],
    wanted: Sequence[tuple[str, str, Objective, int]] = WANTED,
    *,
    workers: int = 2,
    watch: Watch | None = None,
) -> list[Proof]:
    """Place every distinct segment of several regions of the networks' schedules, and pipelines.

    Args:
        wanted: package, family, objective and the most regions of a segment.
        workers: threads of the engines.
        watch: called with what is being proved.
    """
    found = []
    for package, family, objective, most in wanted:
        for problem, name in problems(networks, package, most).items():
            if watch is not None:
                watch(f"{name}: {family}, {objective}")
            options = PlaceOptions(family, objective, workers=workers)
            options = options.ending(2 * SECONDS.get(package, max(SECONDS.values())))
            own = place_problem(problem, "exact", options)
            fast = _fast_ratio(problem, objective, own) if family == "free" else None
            found.append(Proof(name, package, problem.sizes, family, objective, own, fast))
    return found


def problems(networks: Sequence[str], package: str, most: int) -> dict[PlacementProblem, str]:
    """Problems of 2 to `most` regions, each once, and where it comes from."""
    found: dict[PlacementProblem, str] = {}
    for network, method in product(networks, METHODS):
        instance = Case(network, package, 64).instance()
        schedule = solve(instance, method).schedule
        for number, segment in enumerate(() if schedule is None else schedule.segments):
            if 2 <= len(segment.clusters) <= most:
                name = f"{network} on {package}, {method}, segment {number}"
                found.setdefault(placement_problem(instance, segment), name)
    for regions, seed in product(range(2, most + 1), SEEDS):
        found[pipeline_problem(package, regions, seed)] = f"pipeline on {package}, seed {seed}"
    return found


def _fast_ratio(
    problem: PlacementProblem, objective: Objective, own: PlacedProblem
) -> float | None:
    if own.stop != "optimal" or own.cost is None:
        return None
    places = place_fast(problem, objective)
    if places is None:
        return float("inf")
    cost = placement_cost(problem, places)
    if objective == "hops":
        return cost.byte_hops / own.cost.byte_hops if own.cost.byte_hops else 1.0
    return cost.busiest / own.cost.busiest if own.cost.busiest else 1.0


def pipeline_problem(package: str, regions: int, seed: int = 0) -> PlacementProblem:
    """A pipeline of random regions that fill a mesh: each sends to the next, some further."""
    mesh = Mesh.of(load_package(package))
    draw = np.random.default_rng(seed)
    cuts = np.sort(draw.choice(np.arange(1, len(mesh.tiles)), regions - 1, replace=False))
    sizes = tuple(np.diff([0, *cuts, len(mesh.tiles)]).tolist())
    streams = [Stream(DRAM, 0, 10**6, True), Stream(regions - 1, DRAM, 10**5, False)]
    for k in range(regions - 1):
        streams.append(Stream(k, k + 1, int(draw.integers(10**4, 10**6)), bool(draw.integers(2))))
        streams.append(Stream(k, k, int(draw.integers(10**4, 10**5)), True))
        ahead = k + int(draw.integers(2, 5))
        if ahead < regions and draw.random() < 0.3:
            streams.append(Stream(k, ahead, int(draw.integers(10**3, 10**5)), False))
    return PlacementProblem(mesh, sizes, tuple(streams))


def large_seconds(repeats: int = 3) -> list[float]:
    """Wall seconds of the fast placer on the large problem, kernels loaded.

    Raises:
        RuntimeError: it found none, or wrong places.
    """
    problem = pipeline_problem(LARGE_MESH, LARGE_REGIONS)
    place_fast(problem, "hops", time_limit=0.0)
    found = []
    for seed in range(repeats):
        start = time.perf_counter()
        places = place_fast(problem, "hops", seed=seed)
        found.append(time.perf_counter() - start)
        if places is None or misplaced(problem, places):
            raise RuntimeError("the fast placer's places are wrong")
    return found


def placement_measures(found: Sequence[Proof], seconds: Sequence[float]) -> list[Measure]:
    """The longest proofs, the worst ratio, and the time on the large mesh."""
    measures = []
    for package, bar in SECONDS.items():
        own = [proof for proof in found if proof.package == package]
        open_ = sum(not proof.settled for proof in own)
        longest = max(own, key=lambda proof: proof.found.runtime_s, default=None)
        note = f"{len(own)} proofs, {open_} not finished"
        if longest is not None:
            note = f"{_where(longest)}; {note}"
        value = None if longest is None else longest.found.runtime_s
        measures.append(Measure(f"longest proof on {package}", value, bar, "s", note))
    for objective, what in (("hops", "bytes x hops"), ("both", "busiest link")):
        rated = [p for p in found if p.objective == objective and p.fast is not None]
        worst = max(rated, key=lambda proof: proof.fast or 0.0, default=None)
        value = None if worst is None else worst.fast
        note = "" if worst is None else f"{_where(worst)}; {len(rated)} problems"
        measures.append(
            Measure(f"fast placer, {what} over the optimum, worst", value, RATIO, "", note)
        )
    name = f"fast placer, {LARGE_REGIONS} regions on {LARGE_MESH}"
    measures.append(
        Measure(name, max(seconds, default=None), LARGE_SECONDS, "s", f"worst of {len(seconds)}")
    )
    return measures


def _where(proof: Proof) -> str:
    regions = len(proof.regions)
    return f"{proof.name}: {regions} regions, {proof.family}, {proof.objective}"
