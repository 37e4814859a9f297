"""What a schedule of several models costs (docs/multi_model.md, 'The schedule's cost').

This is the specification in code; it knows no solver. It believes that the schedule may run: ask
`schedules.windows.verify` first.
"""

from __future__ import annotations

from dataclasses import dataclass

from instances.cost.jobs import MiniBatchCosts, WorkloadCosts
from schedules.windows.schedule import Run, Window, WindowSchedule


@dataclass(frozen=True)
class RunEvaluation:
    """What a run costs.

    Attributes:
        run: whose costs.
        loads: cycles in which each stage brings the weights that it keeps.
        times: cycles of each stage for a mini-batch.
        rounds: mini-batches.
        latency: cycles from its start to its end.
        energy: picojoules without leakage.
    """

    run: Run
    loads: tuple[int, ...]
    times: tuple[int, ...]
    rounds: int
    latency: int
    energy: int

    @property
    def beat(self) -> int:
        """Cycles of the slowest stage for a mini-batch."""
        return max(self.times)

    @property
    def end(self) -> int:
        """Cycles after the window's begin."""
        return self.run.start + self.latency


@dataclass(frozen=True)
class WindowEvaluation:
    """What a schedule costs.

    Attributes:
        windows: of each window, its runs.
        latency: cycles of all windows.
        period: cycles between two rounds' ends, if rounds follow each other.
        energy: picojoules, leakage included.
    """

    windows: tuple[tuple[RunEvaluation, ...], ...]
    latency: int
    period: int
    energy: int

    @property
    def edp(self) -> int:
        """Energy times latency."""
        return self.energy * self.latency

    @property
    def ends(self) -> tuple[int, ...]:
        """Cycles at which each window ends."""
        total, found = 0, []
        for runs in self.windows:
            total += length(runs)
            found.append(total)
        return tuple(found)


def evaluate_windows(
    costs: WorkloadCosts, schedule: WindowSchedule, pipelined: bool = True
) -> WindowEvaluation:
    """Recompute what a schedule costs.

    Args:
        costs: those of the workload.
        schedule: one that may run.
        pipelined: as `WindowGoal.pipelined`.
    """
    windows = tuple(
        tuple(evaluate_run(costs, run, pipelined) for run in window.runs)
        for window in schedule.windows
    )
    latency = sum(length(runs) for runs in windows)
    energy = sum(run.energy for runs in windows for run in runs)
    return WindowEvaluation(
        windows=windows,
        latency=latency,
        period=_period(schedule.windows, windows, latency, pipelined),
        energy=energy + costs.package.leakage * latency,
    )


def evaluate_run(costs: WorkloadCosts, run: Run, pipelined: bool = True) -> RunEvaluation:
    """What one run costs."""
    tables = costs.jobs[run.job].stages(run.mini_batch)
    chiplets = [costs.package.number[stage.tile] for stage in run.stages]
    times, loads, energy = [], [], 0
    for n, (stage, own) in enumerate(zip(run.stages, chiplets, strict=True)):
        before = chiplets[n - 1] if n else None
        after = chiplets[n + 1] if n + 1 < len(chiplets) else None
        got, got_energy = handover(tables, own, before, stage.first)
        given, given_energy = handover(tables, own, after, stage.last + 1)
        times.append(int(tables.time[own, stage.first, stage.last]) + got + given)
        loads.append(int(tables.load[own, stage.first, stage.last]))
        energy += int(tables.energy[own, stage.first, stage.last]) + got_energy
        energy += 0 if after is not None else given_energy  # a hop's energy is its receiver's
    rounds = tables.rounds
    if pipelined:
        latency = sum(loads) + sum(times) + (rounds - 1) * max(times)
    else:
        latency = sum(loads) + rounds * sum(times)
    return RunEvaluation(run, tuple(loads), tuple(times), rounds, latency, energy)


def handover(tables: MiniBatchCosts, own: int, other: int | None, cut: int) -> tuple[int, int]:
    """Cycles for a mini-batch, and picojoules, at one end of a stage: the cut before a unit.

    Args:
        tables: of the model.
        own: chiplet of the stage.
        other: chiplet on the other side; None for DRAM.
        cut: number of the first unit after it.
    """
    if other is None:
        return int(tables.dram[own, cut]), int(tables.dram_energy[own, cut])
    return int(tables.hop[own, other, cut]), int(tables.hop_energy[own, other, cut])


def length(runs: tuple[RunEvaluation, ...]) -> int:
    """Cycles of a window."""
    return max((run.end for run in runs), default=0)


def _period(
    windows: tuple[Window, ...],
    runs: tuple[tuple[RunEvaluation, ...], ...],
    latency: int,
    pipelined: bool,
) -> int:
    """Cycles between two rounds' ends.

    In a single window whose chiplets have one stage each, the next round's mini-batches follow the
    last ones of this round, and all weights stay. Otherwise a round begins when the last has ended.
    """
    if not pipelined or len(windows) != 1:
        return latency
    tiles = [stage.tile for run in windows[0].runs for stage in run.stages]
    if len(set(tiles)) < len(tiles):
        return latency
    return max(run.rounds * run.beat for run in runs[0])
