"""Run times and memory, measured in a process of its own."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from threading import Thread
from typing import IO

from experiments.cases import Case, Watch, run
from experiments.pace import Pace
from experiments.store import Record, Store, Task
from instances.cost import make_instance
from instances.files.names import network_of, package_of

MARK = b"run "
"""Begins the lines in which a process tells of a run; what it calls may print others."""

POLL_SECONDS = 0.2
"""Between two looks at what another process has measured."""


def timings(
    cases: Sequence[Case],
    method: str,
    store: Store,
    *,
    warm: Case,
    repeats: int,
    watch: Watch | None = None,
) -> list[list[Record]]:
    """Measure a method; only what the store does not have is run.

    One process does all that is missing, repeat by repeat. It first runs the method on a small
    instance, so that no measure has the loading of kernels in it. A record has the measures

    - `total_s`, `cpu_s`: wall and process time from network and package to the verified schedule,
      with all costs that are computed on the way;
    - `peak_bytes`: the most memory that the process has held so far, if the system tells.

    Args:
        warm: the small instance.
        repeats: runs of each instance.
        watch: called with the name of each run before it begins.

    Returns:
        The records of each instance.

    Raises:
        ValueError: an unknown name, or a store that cannot be used.
        RuntimeError: the process failed.
    """
    tasks = [[case.task(method, repeat=repeat) for repeat in range(repeats)] for case in cases]
    in_turn = [
        (case, row[k]) for k in range(repeats) for case, row in zip(cases, tasks, strict=True)
    ]
    while missing := [(case, task) for case, task in in_turn if store.get(task) is None]:
        with store.claim(missing[0][1]) as mine:
            if mine:
                _measure(missing, warm.task(method), warm, store, watch)
                break
        time.sleep(POLL_SECONDS)
    return [[record for task in row if (record := store.get(task)) is not None] for row in tasks]


def stored_timings(cases: Sequence[Case], method: str, store: Store) -> list[list[Record]]:
    """The latest measures that the store has, whatever their version: nothing is run."""
    found = []
    for case in cases:
        records = [r for r in store.of(case.content, method) if "repeat" in r.task.options]
        latest = records[-1].task.version if records else ""
        found.append([record for record in records if record.task.version == latest])
    return found


def middle(records: Sequence[Record], measure: str) -> float | None:
    """The median of a measure; None where nothing was measured."""
    found = [record.measures[measure] for record in records if measure in record.measures]
    return median(found) if found else None


def _measure(
    missing: Sequence[tuple[Case, Task]],
    warm_up: Task,
    warm: Case,
    store: Store,
    watch: Watch | None,
) -> None:
    """Have a process do the runs, and keep what it tells of each."""
    pace = Pace([case.size for case, _ in missing])
    with _process((warm, warm_up), missing) as lines:
        for case, task in missing:
            if watch is not None:
                watch(f"{pace}: {task.method} on {case}")
            told = json.loads(next(lines))
            store.add(Record(task, told["result"], told["error"], told["measures"]))
            pace.step(case.size)


@contextmanager
def _process(*runs: object) -> Iterator[Iterator[bytes]]:
    """A process that does runs; the lines in which it tells of them. It ends with the block.

    Ctrl-C reaches only this process, which ends the other.
    """
    command = [sys.executable, "-c", f"import {__name__} as home; home.measure()"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with suppress(BrokenPipeError):  # if it has ended, its exit code tells
            pickle.dump(runs, process.stdin)
            process.stdin.flush()
        yield _marked(process.stdout, process)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        with suppress(BrokenPipeError):
            process.stdin.close()


def _marked(lines: IO[bytes], process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line.startswith(MARK):
            yield line.removeprefix(MARK)
    code = process.wait()
    raise RuntimeError(f"the process that measures ended too early, with exit code {code}")


def measure() -> None:
    """Do the runs that standard input tells, and print what came of each."""
    (warm, warm_up), runs = pickle.load(sys.stdin.buffer)
    Thread(target=_end_with_the_parent, daemon=True).start()
    run(warm_up, warm.instance())
    for case, task in runs:
        record = _timed(case, task)
        told = {"result": record.result, "error": record.error, "measures": record.measures}
        sys.stdout.buffer.write(b"\n" + MARK + json.dumps(told).encode() + b"\n")
        sys.stdout.flush()


def _end_with_the_parent() -> None:
    """End this process when standard input ends, which the parent holds open while it lives."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _timed(case: Case, task: Task) -> Record:
    network, package = network_of(case.network), package_of(case.package)
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        instance = make_instance(network, package, case.batch)
    except (MemoryError, OverflowError) as error:
        return Record(task, None, f"no costs: {str(error) or type(error).__name__}")
    record = run(task, instance)
    measures = {"total_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    peak = peak_bytes()
    if peak is not None:
        measures["peak_bytes"] = peak
    return Record(task, record.result, record.error, measures)


def peak_bytes() -> int | None:
    """The most memory that this process has held; None where the system does not tell.

    Linux counts what the parent held towards `ru_maxrss`, but not towards VmHWM.
    """
    status = Path("/proc/self/status")
    if status.exists():
        words = status.read_text().split()
        return int(words[words.index("VmHWM:") + 1]) * 1024
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )
