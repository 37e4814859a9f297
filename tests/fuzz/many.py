"""Thousands of mutated files through the command line, and what came of them.

    python -m tests.fuzz.many --files 10000 --seed 0

Each mutant must be used, or refused in plain words, within MOST_SECONDS and with less than
MOST_BYTES of further memory; the last of them run as processes of their own, too. What fails is
kept in the folder of --keep. Exit code 1 if anything does.
"""

from __future__ import annotations

import argparse
import ctypes
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tests.fuzz.cases import Case, case, numbered, usable
from tests.fuzz.trial import MOST_SECONDS, attempt, hurry, judge

PATIENCE = 60.0
"""Wall seconds after which a worker that says nothing is ended."""

WARMING = -1
"""Stands for a mutant while a worker is not ready."""

BAD_SEED = 3
"""Exit code of a worker for which a valid file is none."""

MOST_BYTES = 2**30
"""Of memory that a command takes beyond what the process had."""


@dataclass(frozen=True)
class Told:
    """What a worker says of a mutant.

    Attributes:
        number: of the mutant.
        reader: its name.
        verdict: used, refused or failed, the worst of its commands.
        why: empty if nothing is wrong.
        seconds: of the longest command.
        bytes: of memory that the mutant took.
        whole: seconds of all commands.
    """

    number: int
    reader: str
    verdict: str
    why: str
    seconds: float
    bytes: int
    whole: float = 0.0


@dataclass
class Tally:
    """What came of all mutants of a reader."""

    verdicts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    bytes: int = 0
    whole: float = 0.0


def main() -> int:
    """Run the mutants that the arguments ask for; print a table; return the exit code."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        seeds = Path(folder) / "seeds"
        _in_a_child(_write_seeds, seeds)
        numbers = range(asked.start, asked.start + asked.files)
        if asked.only:
            readers = [own.name for own in usable(seeds)]
            numbers = range(readers.index(asked.only), asked.files * len(readers), len(readers))
        told = _run(numbers, asked, Path(folder))
        alone = numbers[: asked.processes]
        told += [_process(number, asked, Path(folder)) for number in alone]
    _print(told)
    return int(any(own.verdict == "failed" for own in told))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=100, help="of them alone, too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--only", help="a reader's name")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    return parser.parse_args()


def _write_seeds(seeds: Path) -> None:
    from tests.fuzz.seeds import write_seeds

    seeds.mkdir()
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    write_seeds(seeds)


def _in_a_child(work: Any, *arguments: Any) -> None:
    """Run something in a process of its own, so that this one stays small for forks."""
    child = multiprocessing.get_context("fork").Process(target=work, args=arguments)
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit(f"{work.__name__} ended with {child.exitcode}")


# Workers


def _run(numbers: range, asked: argparse.Namespace, folder: Path) -> list[Told]:
    """All mutants, on several workers; a worker that hangs or dies is replaced."""
    left = list(numbers)[::-1]
    told: list[Told] = []
    workers = [_Worker(asked, folder, k) for k in range(asked.workers)]
    while left or any(worker.busy is not None for worker in workers):
        for worker in workers:
            if worker.busy is None and left:
                worker.begin(left.pop())
        wait([worker.pipe for worker in workers], timeout=1)
        for worker in workers:
            found = worker.heard()
            if found is not None:
                told.append(found)
                if found.verdict == "failed":
                    _keep(found, asked, folder)
    for worker in workers:
        worker.end()
    return told


class _Worker:
    """A process that tries mutants, one after the other."""

    def __init__(self, asked: argparse.Namespace, folder: Path, place: int) -> None:
        self._asked, self._folder, self._place = asked, folder, place
        self.busy: int | None
        self._start()

    def _start(self) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(
            target=_work, args=(theirs, self._asked.seed, self._folder, self._place), daemon=True
        )
        self._process.start()
        theirs.close()
        self.busy, self._since = WARMING, time.monotonic()

    def begin(self, number: int) -> None:
        """Hand over a mutant's number."""
        self.busy, self._since = number, time.monotonic()
        self.pipe.send(number)

    def heard(self) -> Told | None:
        """What came of the mutant, if anything did."""
        if self.busy is None:
            return None
        if self.pipe.poll():
            try:
                told: Told | None = self.pipe.recv()
                self.busy = None
                return told
            except (EOFError, ConnectionResetError):
                self._process.join()
                if self._process.exitcode == BAD_SEED:
                    raise SystemExit(BAD_SEED) from None
                return self._lost(f"the process died: exit code {self._process.exitcode}")
        if self.busy == WARMING or time.monotonic() - self._since < PATIENCE:
            return None
        os.kill(self._process.pid or 0, signal.SIGKILL)
        self._process.join()
        trace = self._folder / f"trace-{self._place}"
        return self._lost(f"hangs for {PATIENCE:.0f} s:\n{trace.read_text()}")

    def _lost(self, why: str) -> Told:
        number, seconds = self.busy or 0, time.monotonic() - self._since
        reader, _ = numbered(number, self._asked.seed, self._folder / "seeds")
        self.pipe.close()
        self._start()
        return Told(number, reader.name, "failed", why, seconds, 0)

    def end(self) -> None:
        """Let the process go; that its pipe is closed it would not see, others hold copies."""
        self.pipe.send(None)
        self._process.join()


def _work(pipe: Connection, seed: int, folder: Path, place: int) -> None:
    """What a worker does: first the seeds, so that what is loaded once counts for no mutant."""
    import faulthandler

    seeds, own = folder / "seeds", folder / f"worker-{place}"
    _warm(seeds, own)
    limit = _status("VmSize") + MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with (folder / f"trace-{place}").open("a") as trace:
        pipe.send(None)  # ready
        while (number := pipe.recv()) is not None:
            trace.truncate(0)
            faulthandler.dump_traceback_later(MOST_SECONDS, file=trace)
            reader, draw = numbered(number, seed, seeds)
            with case(reader, draw, seeds, own) as found:
                pipe.send(_tried(number, found))
            faulthandler.cancel_dump_traceback_later()


def _warm(seeds: Path, own: Path) -> None:
    hurry()
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    os.chdir(own)
    for reader in usable(seeds):
        for seed in reader.seeds:
            for command in reader.commands:
                it = seed if reader.text else str(own / seed)
                if not reader.text:
                    shutil.copy(seeds / seed, it)
                found = attempt(reader.words(command, it, seeds, own), ())
                if found.verdict == "failed" or (found.verdict == "refused" and not reader.text):
                    print(f"the seed {it} of {reader.name}: {found.why or 'refused'}")
                    sys.exit(BAD_SEED)
    os.chdir(seeds)
    shutil.rmtree(own)


def _tried(number: int, found: Case) -> Told:
    """Try all commands of a mutant."""
    _forget_peak()
    before, start = _status("VmRSS"), time.process_time()
    trials = [attempt(words, found.files) for words in found.commands]
    taken = max(0, _status("VmHWM") - before)
    whys = [
        f"{' '.join(map(repr, words))}\n{own.why}"
        for words, own in zip(found.commands, trials, strict=True)
        if own.why
    ]
    seconds, whole = max(own.seconds for own in trials), time.process_time() - start
    if seconds > MOST_SECONDS:
        whys.append(f"takes {seconds:.1f} s")
    if taken > MOST_BYTES:
        whys.append(f"takes {taken / 2**20:.0f} MB")
    verdicts = [own.verdict for own in trials]
    verdict = "failed" if whys else "used" if "used" in verdicts else "refused"
    return Told(number, found.reader.name, verdict, "\n".join(whys), seconds, taken, whole)


def _status(name: str) -> int:
    """Bytes of this process: VmSize, VmRSS, or the peak VmHWM."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


def _forget_peak() -> None:
    """Let the peak of memory begin anew at what is held now."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


# Processes of their own


def _process(number: int, asked: argparse.Namespace, folder: Path) -> Told:
    """A mutant's first command, as a user runs it."""
    seeds = folder / "seeds"
    reader, draw = numbered(number, asked.seed, seeds)
    with case(reader, draw, seeds, folder / "alone") as found:
        start = time.perf_counter()
        command = [sys.executable, "-m", "chipweave", *found.commands[0]]
        environment = {**os.environ, "PYTHONPATH": os.getcwd()}
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=seeds,
            env=environment,
        )
        try:
            out, err = process.communicate(timeout=PATIENCE)
            why = judge(process.returncode, out, err, found.files)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            why = f"hangs for {PATIENCE:.0f} s: {command}"
    seconds = time.perf_counter() - start
    verdict = "failed" if why else "refused" if process.returncode == 2 else "used"
    return Told(number, "(as a process)", verdict, why, seconds, 0)


# Results


def _keep(told: Told, asked: argparse.Namespace, folder: Path) -> None:
    """Write a mutant that fails, and why."""
    place = asked.keep / f"{told.reader.replace(' ', '-')}-{asked.seed}-{told.number}"
    place.mkdir(parents=True, exist_ok=True)
    reader, draw = numbered(told.number, asked.seed, folder / "seeds")
    (place / "why.txt").write_text(told.why, errors="surrogateescape")
    with case(reader, draw, folder / "seeds", folder / "kept") as found:
        if not reader.text:
            shutil.copy(found.it, place)
    print(f"failed: {place}", file=sys.stderr)


def _print(told: list[Told]) -> None:
    """A line a reader, and one for all."""
    tallies: dict[str, Tally] = {}
    for own in sorted(told, key=lambda own: own.reader):
        for name in (own.reader, "all"):
            tally = tallies.setdefault(name, Tally())
            tally.verdicts[own.verdict] += 1
            tally.seconds = max(tally.seconds, own.seconds)
            tally.bytes = max(tally.bytes, own.bytes)
            tally.whole += own.whole
    tallies["all"] = tallies.pop("all", Tally())
    print(f"{'reader':<20}{'used':>8}{'refused':>9}{'failed':>8}", end="")
    print(f"{'longest s':>11}{'all s':>9}{'most MB':>9}")
    for name, tally in tallies.items():
        counts = tally.verdicts
        print(
            f"{name:<20}{counts['used']:>8,}{counts['refused']:>9,}{counts['failed']:>8,}"
            f"{tally.seconds:>11.2f}{tally.whole:>9.0f}{tally.bytes / 2**20:>9.0f}"
        )


if __name__ == "__main__":
    sys.exit(main())
