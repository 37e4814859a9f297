"""What sweeps cost and what they survive: overhead of a run, and rows after many kills."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from experiments.bars import Measure
from experiments.definition import Experiment
from experiments.store import Record, Store
from experiments.sweep import sweep

OVERHEAD_SECONDS = 0.02
"""The most that a run may cost beside its own run time."""

GONE_SECONDS = 10.0
"""After the main process of a sweep was killed, for all that it started to end."""

WORK_SECONDS, START_SECONDS = 0.5, 4.0
"""A kill comes up to so long after the rows that it waited for, or after a start that has them."""

LOOK_SECONDS = 0.05


def small(runs: int) -> Experiment:
    """An experiment of many runs of a few milliseconds."""
    batches = range(1, runs // 2 + 1)
    return Experiment(["chain-8"], ["simba-4x4"], ["sequential", "scope"], tuple(batches))


def middling(runs: int) -> Experiment:
    """An experiment whose runs take some tenths of a second."""
    batches = range(1, runs // 2 + 1)
    return Experiment(["resnet34"], ["simba-6x6"], ["scope+", "exact"], tuple(batches))


def overhead(runs: int, workers: int, folder: Path) -> Measure:
    """Scheduling overhead a run: (wall time x workers - sum of run times) / runs.

    The wall time is that of the whole sweep, with the start and the end of its processes.
    """
    experiment = small(runs)
    experiment.tasks()  # names of contents are computed once
    with Store(folder / "overhead.db") as store:
        start = time.perf_counter()
        records = sweep(experiment, store, workers=workers)
        wall = time.perf_counter() - start
    spent = sum(record.runtime_s or 0.0 for record in records)
    note = f"{len(records)} runs in {wall:.1f} s by {workers} processes, {spent:.1f} s of run time"
    value = (wall * workers - spent) / len(records)
    return Measure("overhead of a run in a sweep", value, OVERHEAD_SECONDS, "s", note)


def survival(kills: int, workers: int, folder: Path, *, runs: int, seed: int = 0) -> list[Measure]:
    """Rows that differ from those of an undisturbed sweep, times aside, after random kills.

    Once the main process of the sweep is killed so many times, and started again each time; once
    processes that do its runs.
    """
    experiment = middling(runs)
    file = folder / "endurance.yaml"
    file.write_text(yaml.safe_dump(_data(experiment)))
    with Store(folder / "whole.db") as store:
        whole = plain_rows(sweep(experiment, store, workers=workers))
    found = []
    for what, disturb in (("the main process", kill_sweeps), ("a worker", kill_workers)):
        path = folder / f"{what.split()[-1]}.db"
        done = disturb(file, path, kills, workers, random.Random(seed), len(whole))
        with Store(path) as store:
            rows = plain_rows(store)
        wrong = sum(whole.get(key) != rows.get(key) for key in {*whole, *rows})
        name = f"rows that differ after kills of {what}"
        found.append(Measure(name, wrong, 0, "", f"{done} kills, {len(rows)} rows"))
    return found


def plain_rows(records: Sequence[Record] | Store) -> dict[str, str]:
    """Key -> all that a row says, except times."""
    return {record.task.key: json.dumps(_timeless(record), sort_keys=True) for record in records}


def _timeless(record: Record) -> list[Any]:
    task, result = record.task, None
    if record.result is not None:
        result = {name: value for name, value in record.result.items() if name != "runtime_s"}
        result["trace"] = [point[1:] for point in record.result["trace"]]
    names = [task.content, task.network, task.package, task.batch, task.method, task.version]
    return [*names, dict(task.options), result, record.error]


def kill_sweeps(
    file: Path, store: Path, kills: int, workers: int, draw: random.Random, rows: int
) -> int:
    """Run an experiment to its end, killing the sweep at random; how often it was killed.

    Raises:
        RuntimeError: the sweep failed, or processes outlived it.
    """
    done = 0
    for target in _targets(kills, rows, draw):
        with _sweeping(file, store, workers) as process:
            moment = START_SECONDS if _rows(store) >= target else WORK_SECONDS
            _wait(process, store, target, draw.uniform(0, moment))
            started = _below(process.pid)
            if process.poll() is None:
                process.kill()
                done += 1
            process.wait()
            _expect_gone(started)
    with _sweeping(file, store, workers) as process:
        _finish(process)
    return done


def kill_workers(
    file: Path, store: Path, kills: int, workers: int, draw: random.Random, rows: int
) -> int:
    """Run an experiment, killing processes that do its runs at random; how many were killed.

    Raises:
        RuntimeError: the sweep failed.
    """
    done = 0
    with _sweeping(file, store, workers) as process:
        for target in _targets(kills, rows, draw):
            _wait(process, store, target, draw.uniform(0, WORK_SECONDS))
            done += _kill_one(process, draw)
        _finish(process)
    return done


def _targets(kills: int, rows: int, draw: random.Random) -> list[int]:
    """How many rows there are when a kill comes; not so late that the sweep may end before it."""
    return sorted(draw.randrange(2 * rows // 3) for _ in range(kills))


def _kill_one(process: subprocess.Popen[bytes], draw: random.Random) -> bool:
    """Kill a process that does runs, as soon as there is one; False if the sweep ends before."""
    while process.poll() is None:
        at_work = [child for child in _below(process.pid) if _does_runs(child)]
        if at_work:
            with _may_be_gone():
                draw.choice(at_work).kill()
                return True
        time.sleep(LOOK_SECONDS)
    return False


@contextmanager
def _sweeping(file: Path, store: Path, workers: int) -> Iterator[subprocess.Popen[bytes]]:
    """A sweep in a process of its own."""
    command = [sys.executable, "-m", "chipweave", "experiment", "run", str(file)]
    process = subprocess.Popen(
        [*command, "--store", str(store), "--workers", str(workers)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _finish(process: subprocess.Popen[bytes]) -> None:
    said = process.communicate()[1].decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"the sweep ended with exit code {process.returncode}: {said.strip()}")


def _wait(process: subprocess.Popen[bytes], store: Path, target: int, moment: float) -> None:
    """Wait until there are so many rows, and then for a moment; or for the sweep's end."""
    while _rows(store) < target and process.poll() is None:
        time.sleep(LOOK_SECONDS)
    time.sleep(moment)


def _rows(store: Path) -> int:
    if not store.exists():
        return 0
    with Store(store) as runs:
        return len(runs)


def _below(pid: int) -> list[Any]:
    """All processes that a process has started, and those that they have."""
    import psutil

    found: list[Any] = []
    with _may_be_gone():
        found = psutil.Process(pid).children(recursive=True)
    return found


def _does_runs(process: Any) -> bool:
    """Whether a process is a Dask worker or one that does its runs."""
    with _may_be_gone():
        command = " ".join(process.cmdline())
        return "spawn_main" in command or "home.serve" in command
    return False


def _expect_gone(processes: Sequence[Any]) -> None:
    import psutil

    _, alive = psutil.wait_procs(processes, timeout=GONE_SECONDS)
    if alive:
        raise RuntimeError(f"{len(alive)} processes outlived their sweep by {GONE_SECONDS} s")


@contextmanager
def _may_be_gone() -> Iterator[None]:
    import psutil

    try:
        yield
    except psutil.NoSuchProcess:
        return


def _data(experiment: Experiment) -> dict[str, Any]:
    """The experiment as its file has it."""
    return {
        "kind": "experiment",
        "networks": list(experiment.networks),
        "packages": list(experiment.packages),
        "methods": list(experiment.methods),
        "batches": list(experiment.batches),
    }
