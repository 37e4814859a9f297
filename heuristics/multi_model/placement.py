"""SCAR's fourth step: chiplets for the stages of a window's models.

The stages of a model lie on a path over the mesh, found by a depth-first search over neighbours;
models come one after another, each on what is free *(SCAR)*. Which paths, cuts and mini-batches
are taken is decided with the real costs: of all, or by an evolutionary search on larger meshes
*(SCAR)*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from heuristics.multi_model.problem import Choice, Problem
from heuristics.multi_model.segmentation import Cuts
from heuristics.multi_model.tables import JobTables, price
from instances.jit import compiled
from instances.tables import Ints

LARGEST = 9
"""Chiplets of a mesh on which all placements are tried *(SCAR: 3 x 3)*."""

POPULATION, GENERATIONS, KEPT, MUTATED = 24, 40, 8, 0.15
"""Of the evolutionary search: individuals, generations, how many live on, odds that a gene changes
(ours)."""

STEPS = 300
"""Most chiplets that a depth-first search looks at before a path counts as not there (ours)."""


@dataclass(frozen=True)
class Part:
    """A model in a window.

    Attributes:
        job: its number.
        ways: cuts of its units that are worth placing; the first ones are the most promising.
    """

    job: int
    ways: tuple[Cuts, ...]


Place = Callable[[Problem, Sequence[Part], int], list[Choice] | None]
"""(problem, a window's models, seed) -> a run of each; None if they do not fit."""


def worth(problem: Problem, time: int, energy: int) -> float:
    """What a window is judged by: the objective, as if it were all (ours)."""
    total = energy + problem.costs.package.leakage * time
    if problem.goal.objective == "energy":
        return float(total)
    return float(time) * total if problem.goal.objective == "edp" else float(time)


def fitting(problem: Problem, parts: Sequence[Part], seed: int) -> list[Choice] | None:
    """`brute_force` on meshes up to 3 x 3, `evolve` on larger ones *(SCAR)*."""
    small = problem.chiplets <= LARGEST
    return (brute_force if small else evolve)(problem, parts, seed)


def brute_force(problem: Problem, parts: Sequence[Part], seed: int) -> list[Choice] | None:
    """The best of all combinations of cuts, paths and mini-batches.

    Of a model's runs on the same chiplets only the one with the best worth by itself is combined
    (ours). What is worse than the best already cannot become better with more models.
    """
    options = [_by_tiles(problem, part) for part in parts]
    least = [min((own.energy for _, own in each), default=0) for each in options]
    rest = [sum(least[k:]) for k in range(len(least) + 1)]
    best, best_value = None, inf
    chosen: list[Choice] = []

    def extend(at: int, used: int, time: int, energy: int) -> None:
        nonlocal best, best_value
        if worth(problem, time, energy + rest[at]) >= best_value:
            return
        if at == len(options):
            best, best_value = list(chosen), worth(problem, time, energy)
            return
        for mask, own in options[at]:
            if not mask & used:
                chosen.append(own)
                extend(at + 1, used | mask, max(time, own.time), energy + own.energy)
                chosen.pop()

    extend(0, 0, 0, 0)
    return best


def _by_tiles(problem: Problem, part: Part) -> list[tuple[int, Choice]]:
    """Each set of chiplets, as bits, on which a path lies, and the best run there, best first."""
    best: dict[int, tuple[float, Choice]] = {}
    for cuts in part.ways:
        found = paths(problem, len(cuts) - 1)
        if not len(found):
            continue
        pipelined = problem.goal.pipelined
        costs = _price_all(problem.tables[part.job], found, np.array(cuts), pipelined)
        for path, each in zip(found.tolist(), costs.tolist(), strict=True):
            mask = sum(1 << tile for tile in path)
            for n, (latency, busy, energy) in enumerate(each):
                time = busy if problem.period else latency
                value = worth(problem, time, energy)
                if mask not in best or value < best[mask][0]:
                    best[mask] = value, Choice(time, energy, n, tuple(path), cuts)
    ranked = sorted(best.items(), key=lambda item: (item[1][0], item[0]))
    return [(mask, own) for mask, (_, own) in ranked]


@compiled
def _price_all(tables: JobTables, paths: Ints, cuts: Ints, pipelined: bool) -> Ints:
    """[P,N,3] `price` of each path and mini-batch."""
    found = np.empty((len(paths), len(tables.rounds), 3), np.int64)
    for k in range(len(paths)):
        for n in range(len(tables.rounds)):
            found[k, n, 0], found[k, n, 1], found[k, n, 2] = price(
                tables, n, paths[k], cuts, pipelined
            )
    return found


def paths(problem: Problem, length: int) -> Ints:
    """[P,length] all paths over neighbours, in both directions."""
    near = neighbours(problem)

    def grow(path: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(path) == length:
            yield path
            return
        for tile in near[path[-1]]:
            if tile not in path:
                yield from grow((*path, tile))

    found = [path for tile in range(problem.chiplets) for path in grow((tile,))]
    return np.array(found, np.int64).reshape(-1, length)


def neighbours(problem: Problem) -> list[list[int]]:
    """Of each chiplet, those beside it on the mesh."""
    number = problem.costs.package.number
    return [
        [number[t] for t in ((x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)) if t in number]
        for x, y in problem.costs.package.tiles
    ]


Genes = tuple[NDArray[np.float64], NDArray[np.int64]]
"""[M,C] how much a model's path likes each chiplet; [M] the first way to cut that is tried."""


def evolve(problem: Problem, parts: Sequence[Part], seed: int) -> list[Choice] | None:
    """An evolutionary search over what paths prefer and which cuts are taken (ours in its details).

    The genes say how much each model likes each chiplet. A model's path begins at the free chiplet
    that it likes best, and goes on to neighbours in the order of its liking; if there is no path
    for a way to cut, the next way is tried. The best individuals live on; the others are crossings
    of two of them, by model, with some genes drawn anew.
    """
    rng = np.random.default_rng(seed)
    near = neighbours(problem)
    shape = len(parts), problem.chiplets
    ways = np.array([len(part.ways) for part in parts])

    def drawn() -> Genes:
        return rng.random(shape), rng.integers(0, ways)

    def child(a: Genes, b: Genes) -> Genes:
        ours = rng.random(len(parts)) < 0.5
        likes, first = np.where(ours[:, None], a[0], b[0]), np.where(ours, a[1], b[1])
        fresh = drawn()
        likes = np.where(rng.random(shape) < MUTATED, fresh[0], likes)
        return likes, np.where(rng.random(len(parts)) < MUTATED, fresh[1], first)

    def judged(genes: Genes) -> tuple[float, list[Choice] | None, Genes]:
        found = _decode(problem, parts, near, genes)
        if found is None:
            return inf, None, genes
        time, energy = max(own.time for own in found), sum(own.energy for own in found)
        return worth(problem, time, energy), found, genes

    alive = [judged(drawn()) for _ in range(POPULATION)]
    for _ in range(GENERATIONS):
        alive = sorted(alive, key=lambda own: own[0])[:KEPT]
        pairs = rng.integers(0, KEPT, (POPULATION - KEPT, 2)).tolist()
        alive += [judged(child(alive[a][2], alive[b][2])) for a, b in pairs]
    return min(alive, key=lambda own: own[0])[1]


def _decode(
    problem: Problem, parts: Sequence[Part], near: list[list[int]], genes: Genes
) -> list[Choice] | None:
    """The runs that genes stand for; None if a model finds no chiplet."""
    free = set(range(problem.chiplets))
    found = []
    for part, likes, first in zip(parts, genes[0], genes[1], strict=True):
        # Later ways are tried after the first; the one without a cut needs but one chiplet.
        for cuts in (*part.ways[first:], *part.ways[:first]):
            path = _path(near, free, likes, len(cuts) - 1)
            if path is not None:
                break
        else:
            return None
        costs = _price_all(
            problem.tables[part.job], np.array([path]), np.array(cuts), problem.goal.pipelined
        )
        runs = [
            Choice(busy if problem.period else latency, energy, n, path, cuts)
            for n, (latency, busy, energy) in enumerate(costs[0].tolist())
        ]
        found.append(min(runs, key=lambda own: worth(problem, own.time, own.energy)))
        free -= set(path)
    return found


def _path(
    near: list[list[int]], free: set[int], likes: NDArray[np.float64], length: int
) -> tuple[int, ...] | None:
    """The first path of free chiplets that a depth-first search finds; best liked ones first."""
    steps = 0

    def grow(path: tuple[int, ...]) -> tuple[int, ...] | None:
        nonlocal steps
        steps += 1
        if len(path) == length:
            return path
        onward = near[path[-1]] if path else free
        for tile in sorted(onward, key=lambda own: -likes[own]):
            if steps > STEPS:
                break
            if tile in free and tile not in path:
                found = grow((*path, tile))
                if found is not None:
                    return found
        return None

    return grow(())
