"""Traces of simulations, for Perfetto and chrome://tracing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from instances.files.whole import write_whole
from schedules.simulate.run import Simulation


def write_trace(simulation: Simulation, path: str | Path) -> None:
    """Write a trace in the Trace Event Format: a process a segment, a thread a stage; whole.

    One cycle is shown as one microsecond.

    Raises:
        OSError: the file system refuses.
    """
    write_whole(path, json.dumps(trace(simulation)).encode())


def trace(simulation: Simulation) -> dict[str, Any]:
    """The trace as plain data."""
    events: list[dict[str, Any]] = []
    for number in range(len(simulation.segments)):
        events.append(_named("process_name", f"segment {number}", number))
    threads: dict[tuple[int, str], int] = {}
    for span in simulation.spans:
        key = span.segment, span.track
        if key not in threads:
            threads[key] = len(threads)
            events.append(_named("thread_name", span.track, span.segment, threads[key]))
        events.append(
            {
                "ph": "X",
                "name": f"{span.what} {span.name}",
                "cat": span.what,
                "pid": span.segment,
                "tid": threads[key],
                "ts": span.start,
                "dur": span.end - span.start,
            }
        )
    return {
        "traceEvents": events,
        "otherData": {
            "instance": simulation.name,
            "batch": simulation.batch,
            "makespan_cycles": simulation.makespan,
            "contention": simulation.contention,
        },
    }


def _named(what: str, name: str, process: int, thread: int | None = None) -> dict[str, Any]:
    where = {"pid": process} if thread is None else {"pid": process, "tid": thread}
    return {"ph": "M", "name": what, "args": {"name": name}, **where}
