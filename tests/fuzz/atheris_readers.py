"""Coverage-guided: atheris changes a reader's input as long as that reaches new lines.

    python -m tests.fuzz.atheris_readers network --seconds 60 --corpus fuzz-corpus

Here the readers are called themselves; whatever else than a FileError they raise ends the run and
is kept as a file, as is an input that takes longer than 5 seconds or more than 1 GB.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

WATCHED = (
    *(
        "instances.importers.onnx",
        "instances.files",
        "instances.graph",
        "instances.network",
        "instances.workload",
    ),
    *("schedules.files", "schedules.array.files", "schedules.partition.files"),
    *("schedules.windows.files", "experiments.definition", "experiments.store"),
    *("experiments.stored", "experiments.calibrate.model", "experiments.calibrate.samples"),
)
"""Modules whose lines guide the search: those that read, and that check what was read."""

Read = Callable[[Path], object]


def readers() -> dict[str, tuple[str, Read]]:
    """Suffix and function of each reader of files."""
    import numpy as np

    from experiments.calibrate.model import Input, read_model
    from experiments.calibrate.samples import read_samples
    from experiments.definition import read_experiment
    from experiments.store import Store
    from instances.files import read_instance, read_network, read_package, read_workload
    from instances.files.array_file import read_array
    from instances.files.cost_csv import read_csv_costs
    from instances.files.graph_file import read_graph
    from instances.files.loss_file import read_losses
    from instances.importers.onnx import from_onnx
    from instances.packages import load_package
    from schedules.array.files import read_array_schedule
    from schedules.files import read_schedule
    from schedules.partition.files import read_partition
    from schedules.windows.files import read_windows

    package, mixed = load_package("datacentre-2x2"), load_package("het-2x2")
    inputs = (Input("x", np.dtype(np.float32), (None, 4)),)

    def store(path: Path) -> None:
        with Store(path) as opened:
            list(opened)

    return {
        "network": (".yaml", read_network),
        "network.json": (".json", read_network),
        "package": (".yaml", read_package),
        "instance": (
            ".yaml",
            lambda path: read_instance(path, default_package=package, default_batch=2).costs,
        ),
        "tables": (".json", read_instance),
        "workload": (".yaml", lambda path: read_workload(path, default_package=mixed)),
        "array": (".yaml", read_array),
        "costs in CSV": (".csv", read_csv_costs),
        "losses": (".csv", read_losses),
        "schedule": (".yaml", read_schedule),
        "windows": (".yaml", read_windows),
        "array schedule": (".yaml", read_array_schedule),
        "graph": (".json", read_graph),
        "partition": (".yaml", read_partition),
        "experiment": (".yaml", read_experiment),
        "store": (".db", store),
        "samples": (".npz", lambda path: read_samples(path, inputs)),
        "model": (".onnx", read_model),
        "imported model": (".onnx", from_onnx),
    }


def main() -> None:
    """Fuzz one reader for some time, or all, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reader", help="a reader's name, or all")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, default=Path("fuzz-corpus"))
    asked = parser.parse_args()
    try:
        import atheris
    except ImportError:
        print("not run: atheris is not installed (pip install atheris)")
        return
    with atheris.instrument_imports(include=list(WATCHED)):
        known = readers()
    if asked.reader == "all":
        sys.exit(_all(known, asked))
    if asked.reader not in known:
        sys.exit(f"no reader {asked.reader!r}: choose one of {', '.join(known)}")
    suffix, read = known[asked.reader]
    corpus = asked.corpus / asked.reader.replace(" ", "-")
    _copy_seeds(corpus, suffix)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"mutant{suffix}"
        atheris.Setup(
            [
                sys.argv[0],
                str(corpus),
                f"-max_total_time={asked.seconds}",
                "-timeout=5",
                "-rss_limit_mb=2048",
                "-max_len=20000",
                "-print_final_stats=1",
                f"-artifact_prefix={asked.corpus}/failed-{asked.reader.replace(' ', '-')}-",
            ],
            lambda content: _once(content, path, read),
        )
        atheris.Fuzz()


def _all(names: Iterable[str], asked: argparse.Namespace) -> int:
    """Each reader in a process of its own; how many of them failed."""
    command = [sys.executable, "-m", "tests.fuzz.atheris_readers"]
    options = ["--seconds", str(asked.seconds), "--corpus", str(asked.corpus)]
    failed = [n for n in names if subprocess.run([*command, n, *options], check=False).returncode]
    print(f"failed: {', '.join(failed) or 'none'}")
    return len(failed)


def _copy_seeds(corpus: Path, suffix: str) -> None:
    """Begin from the seeds of all readers of the same format."""
    from tests.fuzz.seeds import write_seeds

    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        write_seeds(Path(folder))
        for seed in Path(folder).glob(f"*{suffix}"):
            (corpus / seed.name).write_bytes(seed.read_bytes())


def _once(content: bytes, path: Path, read: Callable[[Path], Any]) -> None:
    """Read one input."""
    from experiments.store import StoreError
    from instances.files import FileError

    path.write_bytes(content)
    try:
        read(path)
    except (FileError, StoreError) as error:
        for line in str(error).splitlines():
            if str(path) not in line:
                raise AssertionError(f"a line that does not name the file: {line}") from error


if __name__ == "__main__":
    main()
