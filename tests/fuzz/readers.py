"""Every reader of files and of texts with a grammar, and what is tried with each.

A new reader is one more line in READERS, and its seeds in `seeds.write_seeds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ON_PACKAGE = "--package datacentre-2x2 --batch 2"
IN_FILES = f"{{seeds}}/network.yaml {ON_PACKAGE}"


@dataclass(frozen=True)
class Reader:
    """A reader.

    Attributes:
        name: what it reads.
        seeds: names of valid files; for a reader of texts, the texts.
        commands: words of the command line after 'chipweave'. `{it}` stands for the mutant's file
            or the mutated text, `{seeds}` for the folder of the seeds, `{out}` for one to write to.
        text: whether it reads an argument of the command line instead of a file.
    """

    name: str
    seeds: tuple[str, ...]
    commands: tuple[str, ...]
    text: bool = False

    def words(self, command: str, it: str, seeds: Path, out: Path) -> list[str]:
        """The arguments of one command for one mutant."""
        places = {"{it}": it, "{seeds}": str(seeds), "{out}": str(out)}
        words = command.split()
        for name, value in places.items():
            words = [word.replace(name, value) for word in words]
        return words


READERS = (
    Reader(
        "network",
        ("network.yaml", "network.json"),
        (
            f"solve {{it}} {ON_PACKAGE} --method sequential --json -",
            "solve {it} --array 4x4 --method unpipelined",
            "show {it}",
        ),
    ),
    Reader(
        "package",
        ("datacentre-2x2.yaml",),
        ("solve {seeds}/network.yaml --package {it} --method sequential",),
    ),
    Reader(
        "mixed package",
        ("het-2x2.yaml",),
        ("solve {seeds}/workload.yaml --package {it} --method scar --time-limit 2",),
    ),
    Reader(
        "instance",
        ("instance.yaml",),
        ("solve {it} --method sequential --json -", "show {it}"),
    ),
    Reader(
        "tables",
        ("tables.yaml", "tables.json"),
        ("solve {it} --method sequential --out {out}/s.json", "solve {it} --method scope"),
    ),
    Reader("costs in CSV", ("costs.csv",), ("solve {it} --batch 2 --method sequential",)),
    Reader(
        "cycles in CSV",
        ("cycles.csv",),
        (f"solve {IN_FILES} --costs {{it}} --method sequential",),
    ),
    Reader("workload", ("workload.yaml",), ("solve {it} --method scar --time-limit 2",)),
    Reader(
        "array",
        ("array.yaml",),
        ("solve {seeds}/network.yaml --array {it} --method unpipelined",),
    ),
    Reader(
        "losses",
        ("losses.csv",),
        (f"solve {IN_FILES} --compress {{it}} --accuracy-budget 0.01 --method scope",),
    ),
    Reader(
        "schedule",
        ("schedule.yaml", "result.json", "ratios.yaml"),
        (
            f"verify {IN_FILES} {{it}}",
            f"place {IN_FILES} {{it}} --method snake",
            f"simulate {IN_FILES} {{it}}",
            f"solve {IN_FILES} --hold {{it}}:0-1",
        ),
    ),
    Reader("windows", ("windows.yaml",), ("verify {seeds}/workload.yaml {it}",)),
    Reader(
        "array schedule",
        ("on-array.yaml",),
        ("verify {seeds}/network.yaml {it} --array 4x4",),
    ),
    Reader("graph", ("graph.json",), ("solve {it}", "solve {it} --order convex", "show {it}")),
    Reader("partition", ("partition.yaml",), ("verify {seeds}/graph.json {it}",)),
    Reader(
        "experiment",
        ("experiment.yaml",),
        ("experiment status {it} --store {seeds}/runs.db",),
    ),
    Reader("store", ("runs.db",), ("experiment export {it} --csv {out}/runs.csv",)),
    Reader("report", ("runs.db",), ("experiment report {it} --out {out}",)),
    Reader(
        "samples",
        ("samples.npz", "samples.npy"),
        ("calibrate {seeds}/model.onnx --samples {it} --ratios 2 --workers 1",),
    ),
    Reader(
        "model",
        ("model.onnx",),
        ("calibrate {it} --samples {seeds}/samples.npz --ratios 2 --workers 1",),
    ),
    Reader(
        "imported model",
        ("layers.onnx",),
        (f"solve {{it}} --dim N=1 {ON_PACKAGE} --method sequential", "show {it} --dim N=1"),
    ),
    Reader("dimension", ("N=1",), ("show {seeds}/layers.onnx --dim={it}",), text=True),
    Reader("shape", ("x=1,2,4,4",), ("show {seeds}/layers.onnx --shape={it}",), text=True),
    Reader(
        "name of a package",
        ("simba-2x2?nop.bandwidth=50000000000&dram.ports=4", "datacentre-2x2?dram.latency_ns=0"),
        ("solve {seeds}/network.yaml --package={it} --batch 2 --method sequential",),
        text=True,
    ),
    Reader(
        "name of a network",
        ("chain-3", "gpt-stack-2", "resnet18"),
        ("show -- {it}",),
        text=True,
    ),
    Reader(
        "models",
        ("chain-2:2,chain-3@layer:1", "gpt-stack-1?sequence=8:2"),
        ("solve --models={it} --package het-2x2 --method scar --time-limit 2",),
        text=True,
    ),
    Reader(
        "pin",
        ("a:segment,chiplets=2", "1:option=ISP,no-cluster"),
        (f"solve {IN_FILES} --pin={{it}}",),
        text=True,
    ),
    Reader(
        "hold",
        ("schedule.yaml:0-1", "schedule.yaml:a-b", "result.json"),
        (f"solve {IN_FILES} --hold={{seeds}}/{{it}}",),
        text=True,
    ),
    Reader(
        "steps",
        ("segments=one,clusters=single", "regions=even,partitions=WSP"),
        (f"solve {IN_FILES} --method scope --steps={{it}}",),
        text=True,
    ),
    Reader(
        "number",
        ("12000", "1.5e9", "3/4", "1%", "12,000"),
        tuple(
            f"solve {IN_FILES} {option}={{it}}"
            for option in ("--latency-cap", "--throughput-floor", "--energy-cap")
        ),
        text=True,
    ),
    Reader(
        "ratios",
        ("1,2,4",),
        ("calibrate {seeds}/model.onnx --samples {seeds}/samples.npz --workers 1 --ratios={it}",),
        text=True,
    ),
)
