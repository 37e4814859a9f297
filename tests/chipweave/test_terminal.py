"""The command as a process: start-up, pipes, terminals and Ctrl-C."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.store import Store

pty = pytest.importorskip("pty")

HEAVY = {"torch", "numpy", "matplotlib", "ortools", "pulp", "pydantic", "numba", "rich"}

LATER = r"(0\.[3-9]|[1-9])"
"""Seconds that a run has certainly taken when it is past its beginning."""

SLOW_METHODS = """
import signal
import sys
import time

import solvers.solve
from chipweave.cli import main
from heuristics.baselines import sequential

# What is started in the background may have been told to ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
from solvers.arguments import Method


def sleep(instance, progress, seed, workers):
    while True:
        time.sleep(0.01)


def offer_and_sleep(instance, progress, seed, workers):
    sequential(instance, progress, seed, workers)
    sleep(instance, progress, seed, workers)


solvers.solve.METHODS["silent"] = Method("__main__:sleep")
solvers.solve.METHODS["slow"] = Method("__main__:offer_and_sleep")
sys.exit(main())
"""


def start_on_a_terminal(*command: str) -> tuple["subprocess.Popen[str]", int]:
    """A process with a pipe for standard output and a terminal for standard error."""
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(terminal)
    return process, screen


def wait_for(pattern: str, screen: int, seconds: float = 60) -> str:
    """What the terminal shows until the pattern appears."""
    seen, deadline = "", time.monotonic() + seconds
    while not re.search(pattern, seen) and time.monotonic() < deadline:
        if select.select([screen], [], [], 0.1)[0]:
            try:
                seen += os.read(screen, 4096).decode(errors="replace")
            except OSError:  # the process has ended
                break
    assert re.search(pattern, seen)
    return seen


@pytest.fixture
def slow_methods(tmp_path: Path) -> str:
    """A program: the command line with two methods that never end."""
    path = tmp_path / "slow_methods.py"
    path.write_text(SLOW_METHODS)
    return str(path)


def test_ctrl_c_returns_the_incumbent_and_a_terminal_shows_progress(
    slow_methods: str, tiny: Path
) -> None:
    command = ("solve", str(tiny), "--method", "slow", "--json", "-")
    process, screen = start_on_a_terminal(slow_methods, *command)
    shown = wait_for("incumbent", screen)
    shown += wait_for(f"slow on tiny: {LATER}", screen)  # drawn again though nothing happened
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    os.close(screen)
    result = json.loads(out)
    assert process.returncode == 0
    assert result["stop"] == "interrupted"
    assert result["objective"] is not None
    assert result["schedule"]["segments"]
    assert f"incumbent {result['objective']}" in shown
    assert "slow on tiny" in shown


def test_ctrl_c_before_there_is_a_schedule_is_exit_4(slow_methods: str, tiny: Path) -> None:
    command = ("solve", str(tiny), "--method", "silent", "--json", "-")
    process, screen = start_on_a_terminal(slow_methods, *command)
    wait_for(f"silent on tiny: {LATER}", screen)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    os.close(screen)
    assert process.returncode == 4
    assert json.loads(out)["stop"] == "interrupted"
    assert json.loads(out)["schedule"] is None


def test_ctrl_c_in_a_comparison_keeps_what_there_is(slow_methods: str, tiny: Path) -> None:
    command = ("compare", str(tiny), "--methods", "pipeline,slow,enumerate", "--markdown", "-")
    process, screen = start_on_a_terminal(slow_methods, *command)
    wait_for(f"slow on tiny: {LATER}", screen)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    os.close(screen)
    assert process.returncode == 0
    _, _, *rows = out.splitlines()
    last_cells = [row.split("|")[-2].strip() for row in rows]
    assert last_cells == ["finished", "interrupted", "not run: interrupted"]


def test_ctrl_c_in_a_benchmark_keeps_the_runs_that_are_done(
    slow_methods: str, tmp_path: Path
) -> None:
    path = tmp_path / "runs.db"
    command = (
        *("bench", "gap", "--networks", "alexnet", "--packages", "datacentre-2x2"),
        *("--batches", "16", "--methods", "silent", "--only", "gap", "--store", str(path)),
    )
    process, screen = start_on_a_terminal(slow_methods, *command)
    wait_for(f"0 of 1 done: silent on alexnet on datacentre-2x2, batch 16: {LATER}", screen)
    process.send_signal(signal.SIGINT)
    told = wait_for("goes on", screen)
    out, _ = process.communicate(timeout=60)
    os.close(screen)
    assert (process.returncode, out) == (4, "")
    assert f"interrupted: {path} has what is done" in told.replace("\r\n", "")
    with Store(path) as store:
        assert [record.task.method for record in store] == ["exact"]


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "chipweave", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "chipweave.cli" in imported
    assert not imported & HEAVY


@pytest.mark.parametrize("command", ["solve", "pareto", "export", "strength", "engines", "bench"])
def test_the_help_of_a_command_imports_no_solver(command: str) -> None:
    code = (
        f"import sys; from chipweave.cli import main; main(['{command}', '--help']);"
        " print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.splitlines()[-1].split())
    assert "typer" in imported
    assert not imported & (HEAVY - {"pydantic"})  # typer needs that one to read options


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, chipweave; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & HEAVY


def test_a_reader_that_leaves_early_causes_no_noise() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "chipweave", "networks"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.wait(timeout=60)
    process.stderr.close()
    assert err == ""


def test_a_terminal_without_unicode_still_gets_its_table(tiny: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chipweave", "solve", str(tiny), "--method", "pipeline"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
    )
    assert b"318 cycles" in done.stdout
    assert done.stderr == b""


def test_a_closed_standard_output_causes_no_traceback(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    command = f"exec {sys.executable} -m chipweave solve {tiny} --method pipeline --json {path} >&-"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, check=True)
    assert done.stderr == ""
    assert json.loads(path.read_text())["objective"] == 318
