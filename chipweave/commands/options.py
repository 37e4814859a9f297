"""Options that several commands share, alone or as groups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chipweave import completion

if TYPE_CHECKING:
    from experiments.store import Store
    from instances.instance import Instance
    from schedules.goal import Goal

What = Annotated[
    str,
    typer.Argument(
        metavar="WHAT",
        help="A built-in network's name, or a file (YAML or JSON): an instance, a table instance"
        " (CSV, too), a network; or an ONNX model.",
        show_default=False,
        autocompletion=completion.network,
    ),
]
MaybeWhat = Annotated[
    str | None,
    typer.Argument(
        metavar="WHAT",
        help="A built-in network's name, or a file (YAML or JSON): an instance, a table instance"
        " (CSV, too), a network, a workload; or an ONNX model. None with --models.",
        show_default=False,
        autocompletion=completion.network,
    ),
]
PackageName = Annotated[
    str | None,
    typer.Option(
        "--package",
        metavar="P",
        help="A built-in package's name or a package file; overrides the file's. Without one:"
        " simba-4x4, for several models het-2x2.",
        autocompletion=completion.package,
    ),
]
ArrayName = Annotated[
    str | None,
    typer.Option(
        "--array",
        metavar="A",
        help="Inside one chip instead of on a package: PEs as 32x32, 32x32+4 with express links of"
        " length 4, or an array file.",
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(
        "--batch",
        metavar="M",
        help="Samples a run; overrides the file's. Without: 64, with --array 1.",
    ),
]
Sequence = Annotated[
    int | None,
    typer.Option(
        "--sequence", metavar="N", help="Tokens, for a built-in network that has a sequence length."
    ),
]
Dims = Annotated[
    list[str],
    typer.Option(
        "--dim",
        metavar="NAME=N",
        help="Of an ONNX model: the size of a dimension that the file leaves open, or the value of"
        " an input that is one whole number. May be repeated.",
    ),
]
Shapes = Annotated[
    list[str],
    typer.Option(
        "--shape",
        metavar="INPUT=D,D,...",
        help="Of an ONNX model: the whole shape of an input. May be repeated.",
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit", metavar="S", help="Wall seconds after which a method returns its best."
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", metavar="N", help="For methods that draw random numbers.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", metavar="N", help="Threads. Without: all cores.")
]
Json = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Write the result as JSON; '-' prints it, and nothing else, on standard output.",
    ),
]
Out = Annotated[
    str | None,
    typer.Option("--out", metavar="FILE", help="Write the schedule (.yaml or .json)."),
]
ScheduleFile = Annotated[
    str,
    typer.Argument(
        metavar="SCHEDULE",
        help="A schedule's file, or a result that `solve --json` wrote.",
        show_default=False,
    ),
]
Plot = Annotated[
    str | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        help="Draw the regions on the mesh and the pipeline's first samples (.png or .svg).",
    ),
]
Markdown = Annotated[
    str | None,
    typer.Option(
        "--markdown",
        metavar="FILE",
        help="Write the table as Markdown; '-' prints it, and nothing else, on standard output.",
    ),
]
Objective = Annotated[
    str,
    typer.Option(
        "--objective",
        metavar="NAME",
        help="latency, energy or edp, their product; for several models throughput, too.",
        autocompletion=completion.objective,
    ),
]
Method = Annotated[
    str,
    typer.Option(
        "--method",
        metavar="METHOD",
        help="One of `chipweave methods`.",
        autocompletion=completion.method,
    ),
]
FormulationName = Annotated[
    str | None,
    typer.Option(
        "--formulation",
        metavar="F",
        help="The model of cpsat and milp: segment (without: this), interval or compact.",
        autocompletion=completion.formulation,
    ),
]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="E",
        help="What solves the model: see `chipweave engines`.",
        autocompletion=completion.engine,
    ),
]
NoStart = Annotated[
    bool, typer.Option("--no-start", help="Begin from no schedule instead of that of `scope`.")
]


CostsFile = Annotated[
    str | None,
    typer.Option(
        "--costs",
        metavar="FILE",
        help="Cycles of computing from another simulator (CSV), for a network on a package; all"
        " else is the cost model's. `chipweave costs --cycles` writes such a file.",
    ),
]


@dataclass(frozen=True)
class Setting:
    """Where and how much a network runs, which overrides what a file says: a group of options."""

    package: PackageName = None
    batch: Batch = None
    sequence: Sequence = None
    costs: CostsFile = None
    dim: Dims = field(default_factory=list)
    shape: Shapes = field(default_factory=list)

    def sizes(self) -> dict[str, Any]:
        """What is said of an ONNX model's sizes, as keyword arguments of `chipweave.instance`.

        Raises:
            ValueError: it is not written as NAME=N or INPUT=D,D,...
        """
        return {
            "dims": {name: numbers[0] for name, numbers in _sizes("--dim", self.dim)},
            "shapes": dict(_sizes("--shape", self.shape)),
        }

    def instance_of(self, what: str) -> Instance:
        """The instance that a name or a file means.

        Raises:
            ValueError: as `chipweave.instance`.
        """
        import chipweave as cw

        found = cw.instance(
            what, self.package, batch=self.batch, sequence=self.sequence, **self.sizes()
        )
        return found if self.costs is None else cw.with_cycles(found, self.costs)


@dataclass(frozen=True, kw_only=True)
class Task(Setting):
    """What is to be scheduled: a group of options.

    Attributes:
        what: a name or a file.
    """

    what: What

    def instance(self) -> Instance:
        """The instance meant.

        Raises:
            ValueError: as `chipweave.instance`.
        """
        return self.instance_of(self.what)


@dataclass(frozen=True)
class Conditions:
    """Conditions on the schedule beside those of the problem: a group of options."""

    throughput_floor: Annotated[
        str | None,
        typer.Option("--throughput-floor", metavar="X", help="Samples a cycle, at least."),
    ] = None
    latency_cap: Annotated[
        str | None, typer.Option("--latency-cap", metavar="CYCLES", help="Latency, at most.")
    ] = None
    energy_cap: Annotated[
        str | None, typer.Option("--energy-cap", metavar="PJ", help="Picojoules, at most.")
    ] = None
    max_segments: Annotated[
        int | None, typer.Option("--max-segments", metavar="N", help="Segments, at most.")
    ] = None
    max_clusters: Annotated[
        int | None,
        typer.Option("--max-clusters", metavar="N", help="Clusters of one segment, at most."),
    ] = None
    max_chiplets: Annotated[
        int | None,
        typer.Option("--max-chiplets", metavar="N", help="Chiplets of one segment, at most."),
    ] = None
    pin: Annotated[
        list[str],
        typer.Option(
            "--pin",
            metavar="LAYER:FACT[,FACT]",
            help="Hold facts of a layer (name or index) fixed: segment, cluster (one begins there),"
            " tiled, no-segment, no-cluster, no-tiled, chiplets=4, option=ISP. May be repeated.",
        ),
    ] = field(default_factory=list)
    hold: Annotated[
        list[str],
        typer.Option(
            "--hold",
            metavar="FILE[:FIRST-LAST]",
            help="Hold the layers FIRST to LAST, or all, as the schedule in a file has them. May be"
            " repeated.",
        ),
    ] = field(default_factory=list)

    def goal(self, instance: Instance, objective: str = "latency") -> Goal:
        """The goal that the options say.

        Raises:
            ValueError: an option that is no number, or does not fit the instance.
        """
        from chipweave import goals
        from schedules.goal import Goal

        goal = Goal(
            objective=goals.objective(objective),
            latency_cap=goals.latency_cap(instance, self.latency_cap, self.throughput_floor),
            energy_cap=goals.cap("--energy-cap", self.energy_cap),
            segments=self.max_segments,
            clusters=self.max_clusters,
            chiplets=self.max_chiplets,
            pins=goals.pins(instance, self.pin, self.hold),
        )
        goal.check(instance)
        return goal

    def floor_in_cycles(self, goal: Goal) -> list[str]:
        """What a throughput floor means, for texts that speak of a latency; none without one."""
        if self.throughput_floor is None or goal.latency_cap is None:
            return []
        return [
            f"(--throughput-floor {self.throughput_floor} asks for a latency of at most"
            f" {goal.latency_cap:,} cycles: batch / latency is the throughput)"
        ]


@dataclass(frozen=True)
class Limits:
    """When a run ends, and what it may use: a group of options."""

    time_limit: TimeLimit = None
    gap_limit: Annotated[
        str | None,
        typer.Option(
            "--gap-limit",
            metavar="SHARE",
            help="End when (objective - bound) / objective is no more: 0.01 or 1%.",
        ),
    ] = None
    memory_limit: Annotated[
        int | None,
        typer.Option("--memory-limit", metavar="MIB", help="End when the run needs more memory."),
    ] = None
    seed: Seed = 0
    workers: Workers = None

    def arguments(self) -> dict[str, Any]:
        """The same as keyword arguments of `chipweave.solve`.

        Raises:
            ValueError: the gap limit is no share.
        """
        from chipweave.goals import share

        return {
            **{part.name: getattr(self, part.name) for part in fields(self)},
            "gap_limit": None if self.gap_limit is None else share("--gap-limit", self.gap_limit),
        }


def names(option: str, text: str) -> list[str]:
    """What stands between commas.

    Raises:
        ValueError: nothing, or something twice.
    """
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise ValueError(f"{option}: names nothing, expected names with commas between")
    for place, name in enumerate(found):
        if name in found[:place]:
            raise ValueError(f"{option}: {name} is named twice")
    return found


def counts(option: str, text: str) -> list[int]:
    """Numbers between commas.

    Raises:
        ValueError: one is no whole number, or there is none.
    """
    found = names(option, text)
    for word in found:
        if not word.isdecimal():
            raise ValueError(f"{option}: {word!r} is no whole number")
    return [int(word) for word in found]


def _sizes(option: str, texts: list[str]) -> list[tuple[str, list[int]]]:
    """Names and the numbers behind their '='.

    Raises:
        ValueError: a text of another form, or two for one name.
    """
    form = "NAME=N, such as batch=1" if option == "--dim" else "INPUT=D,D,..., such as x=1,3,64,64"
    found: dict[str, list[int]] = {}
    for text in texts:
        name, _, behind = text.rpartition("=")
        words = [word.strip() for word in behind.split(",")] if behind.strip() else []
        right = name and all(word.isdecimal() and len(word) < 20 for word in words)
        if not right or (option == "--dim" and len(words) != 1):
            raise ValueError(f"{option} {text}: expected {form}")
        if name in found:
            raise ValueError(f"{option} {name}: is given twice")
        found[name] = [int(word) for word in words]
    return list(found.items())


@contextmanager
def existing_store(path: str) -> Iterator[Store]:
    """A store that is there, open while the block runs.

    Raises:
        ValueError: there is none.
    """
    from experiments.store import Store

    if not Path(path).is_file():
        raise ValueError(f"{path}: there is no such store of runs")
    with Store(path) as store:
        yield store
