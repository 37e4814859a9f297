"""Seeds, mutants and poison through the command line while Python reports what is executed.

    python -m tests.fuzz.watched SEEDS FOLDER MUTANTS

Prints a line for each event that no reader may cause; none is what is wanted. A process of its
own, as an audit hook cannot be taken away again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import CodeType
from typing import Any

from tests.fuzz.cases import case, usable
from tests.fuzz.trial import attempt, hurry

FORBIDDEN = (
    *("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.kill"),
    *("socket.connect", "socket.bind", "socket.getaddrinfo", "urllib.", "ftplib.", "smtplib."),
    *("pickle.find_class", "webbrowser.", "sqlite3.enable_load"),
)

SHELL = "touch {mark}"

POISON = {
    "tables.yaml": "!!python/object/apply:os.system ['touch {mark}']\n",
    "network.yaml": "kind: network\nname: !!python/object/apply:os.system ['touch {mark}']\n",
    "package.yaml": "kind: package\nname: !!python/name:os.system\n",
    "schedule.yaml": "kind: schedule\nsegments: !!python/object/new:os.system ['touch {mark}']\n",
    "experiment.yaml": 'kind: experiment\nnetworks: ["$(touch {mark})", "`touch {mark}`"]\n',
    "losses.csv": "tensor,ratio,loss\n=cmd|' /C touch {mark}'!A0,2,0.1\n",
}


class Watch:
    """What was executed so far."""

    def __init__(self) -> None:
        self.on = False
        self.found: list[str] = []
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event.startswith(FORBIDDEN) or self._is_foreign(event, arguments):
            self.found.append(f"{event} {arguments!r}"[:500])

    @staticmethod
    def _is_foreign(event: str, arguments: tuple[Any, ...]) -> bool:
        """Whether code is run that stands in no file of Python's or of ours."""
        if event != "exec" or not isinstance(arguments[0], CodeType):
            return False
        name = arguments[0].co_filename
        return not (name.startswith("<frozen") or name.endswith(".py"))


def main() -> None:
    """Run everything that the arguments say."""
    seeds, folder, mutants = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    mark = folder / "mark"
    hurry()
    watch = Watch()
    readers = usable(seeds)
    commands = list(_commands(seeds, folder, mark))
    for reader in readers:  # what is imported and compiled once runs here
        for seed in reader.seeds:
            it = seed if reader.text else str(seeds / seed)
            for command in reader.commands:
                attempt(reader.words(command, it, seeds, folder), ())
    watch.on = True
    for words in commands:
        attempt(words, ())
    for number in range(mutants):
        reader = readers[number % len(readers)]
        with case(reader, Random(f"watched-{number}"), seeds, folder / "own") as found:
            for words in found.commands:
                attempt(words, ())
    watch.on = False
    for line in watch.found:
        print(line)
    if mark.exists():
        print(f"{mark} was made")
    _prove(watch)


def _commands(seeds: Path, folder: Path, mark: Path) -> Iterator[list[str]]:
    """Commands on files that would make a mark, if anything in them were run."""
    import numpy as np

    for name, text in POISON.items():
        (folder / name).write_text(text.replace("{mark}", str(mark)))
    np.savez(folder / "samples.npz", x=np.array([_Pickled(mark)] * 4, dtype=object))
    network = str(seeds / "network.yaml")
    yield ["solve", str(folder / "tables.yaml"), "--method", "sequential"]
    yield ["solve", str(folder / "network.yaml"), "--method", "sequential"]
    yield ["solve", network, "--package", str(folder / "package.yaml")]
    yield ["verify", network, str(folder / "schedule.yaml")]
    yield ["experiment", "status", str(folder / "experiment.yaml")]
    yield ["solve", network, "--compress", str(folder / "losses.csv")]
    if (seeds / "model.onnx").exists():
        model = str(seeds / "model.onnx")
        yield ["calibrate", model, "--samples", str(folder / "samples.npz")]
    code = f"__import__('os').system('touch {mark}')"
    for option in ("--steps", "--pin", "--hold", "--latency-cap", "--package"):
        yield ["solve", network, f"{option}={code}"]


class _Pickled:
    """Unpickled, it makes the mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (SHELL.format(mark=self.mark),)


def _prove(watch: Watch) -> None:
    """That the watch sees what it should: a watch that is blind finds nothing, either."""
    watch.found.clear()
    watch.on = True
    exec(compile("1", "<foreign>", "exec"))
    os.system("true")
    watch.on = False
    if len(watch.found) != 2:
        print("the watch is blind")


if __name__ == "__main__":
    main()
