"""Chiplets of a window dealt to its models from nothing, greedily, with the real costs."""

from __future__ import annotations

from random import Random

from heuristics.multi_model.state import Judge, Place

LOOKED_AT = 4
"""Free chiplets, drawn at random, that are compared for a model."""


def deal(judge: Judge, window: list[Place], rng: Random) -> bool:
    """Give a window's models new chiplets; whether there are enough.

    Each model, in a random order, takes the best of some free chiplets; then the slowest one, again
    and again, adds the best at either end of its pipeline, until that makes it no better.
    """
    jobs = [job for job, (begin, end, _) in enumerate(window) if begin < end]
    free = list(range(judge.problem.chiplets))
    if len(jobs) > len(free):
        return False
    rng.shuffle(jobs)
    costs: dict[int, tuple[float, int]] = {}
    for job in jobs:
        window[job] = (*window[job][:2], ())
        costs[job] = _extend(judge, window, job, free, rng)
    while free:
        job = max(jobs, key=lambda job: costs[job][1])
        begin, end, tiles = window[job]
        if len(tiles) == end - begin:
            break
        cost = _extend(judge, window, job, free, rng)
        if cost[0] >= costs[job][0]:
            free.append(next(tile for tile in window[job][2] if tile not in tiles))
            window[job] = begin, end, tiles
            break
        costs[job] = cost
    return True


def _extend(
    judge: Judge, window: list[Place], job: int, free: list[int], rng: Random
) -> tuple[float, int]:
    """Add a free chiplet to a model; returns the run's value by itself, and its cycles."""
    begin, end, tiles = window[job]
    found = []
    for tile in rng.sample(free, min(LOOKED_AT, len(free))):
        for order in {(tile, *tiles), (*tiles, tile)}:
            for own in judge.problem.runs(job, begin, end, order):
                found.append((judge.value(own.time, own.energy), own.time, order, tile))
    value, time, order, tile = min(found)
    window[job] = begin, end, order
    free.remove(tile)
    return value, time
