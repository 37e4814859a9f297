"""SCAR's search (arXiv 2405.00790) in its four steps, each of which may be another function."""

from __future__ import annotations

from dataclasses import dataclass

from heuristics.multi_model.packing import Pack, Provide, Spans, expected, first_fit, shares, spread
from heuristics.multi_model.placement import Part, Place, fitting
from heuristics.multi_model.problem import Choice, Problem
from heuristics.multi_model.segmentation import Segment, balanced
from heuristics.multi_model.simple import Seeded, simple_schedule
from instances.cost.jobs import Floats
from schedules.progress import Stop
from schedules.windows.progress import WindowProgress

SPLITS = 4
"""The most places in which the time is split *(SCAR)*."""

WAYS = 4
"""k, ways to cut that are placed for each model (ours)."""


@dataclass(frozen=True)
class Steps:
    """The four steps; defaults are SCAR's.

    Attributes:
        pack: units into windows; `packing.first_fit` or `packing.even`.
        provide: chiplets to models; `packing.shares` or `packing.one_by_one`.
        segment: units into stages; `segmentation.balanced` or `segmentation.even_units`.
        place: stages onto chiplets; `placement.fitting`, `brute_force` or `evolve`.
        splits: the most cuts of the time.
        ways: how many ways to cut into stages are placed.
    """

    pack: Pack = first_fit
    provide: Provide = shares
    segment: Segment = balanced
    place: Place = fitting
    splits: int = SPLITS
    ways: int = WAYS


SCAR = Steps()


def scar(progress: WindowProgress, options: Seeded, steps: Steps = SCAR) -> Stop:
    """Windows, chiplets, stages and places, one after the other, as SCAR decides them.

    Every number of splits is tried, and each window is made the best by itself *(SCAR)*. Where the
    paper gives no detail, the step's function says what is ours: windows are judged by the
    objective as if each were all; for energy, chiplets are shared out by expected energy, otherwise
    by expected latency. Before all, each model runs as a single stage, so that there always is a
    schedule. Models do not take turns on chiplets, even if they may.

    Returns:
        'infeasible' if there are more models than chiplets in all windows, and none are shared.
    """
    goal = progress.goal
    simple = simple_schedule(progress.costs, goal)
    if simple is None:
        return "infeasible"
    progress.offer(simple)
    latency = Problem(progress.costs, goal)
    for splits in range(min(steps.splits, goal.windows - 1) + 1):
        if progress.expired:
            return "time-limit"
        by_period = goal.objective == "throughput" and goal.pipelined and splits == 0
        problem = Problem(progress.costs, goal, period=True) if by_period else latency
        found = compose(problem, splits, options.seed, steps)
        if found is not None:
            progress.offer(problem.schedule(found))
            progress.count("splits")
    return "time-limit" if progress.expired else "finished"


def compose(
    problem: Problem, splits: int, seed: int, steps: Steps = SCAR
) -> list[list[Choice | None]] | None:
    """The runs of each window, by model; None if the models do not fit the windows."""
    times = [expected(own) for own in problem.tables]
    asked = times
    if problem.goal.objective == "energy":
        asked = [expected(own, energy=True) for own in problem.tables]
    windows = spread(steps.pack(times, splits), times, problem.chiplets, problem.goal.windows)
    if windows is None:
        return None
    found = []
    for spans in windows:
        window = _window(problem, spans, (times, asked), seed, steps)
        if window is None:
            return None
        found.append(window)
    return found


def _window(
    problem: Problem,
    spans: Spans,
    expectations: tuple[list[Floats], list[Floats]],
    seed: int,
    steps: Steps,
) -> list[Choice | None] | None:
    """The runs of one window, by model; models with much to do are placed first (ours)."""
    times, asked = expectations
    jobs = [job for job, (a, b) in enumerate(spans) if a < b]
    values = {job: float(asked[job][slice(*spans[job])].sum()) for job in jobs}
    jobs.sort(key=lambda job: -values[job])
    given = steps.provide([values[job] for job in jobs], problem.chiplets)
    parts = []
    for job, most in zip(jobs, given, strict=True):
        begin, end = spans[job]
        ways = steps.segment(times[job][begin:end], most, steps.ways)
        parts.append(Part(job, tuple(tuple(begin + cut for cut in own) for own in ways)))
    runs = steps.place(problem, parts, seed)
    if runs is None:
        return None
    found: list[Choice | None] = [None] * len(spans)
    for job, run in zip(jobs, runs, strict=True):
        found[job] = run
    return found
