"""GPT-2 and ResNet-50 on four chiplets against one chiplet of the same size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from experiments.multi_model.cases import seconds, workload
from experiments.tables.parts import Cell, Column, Heading, Page, Part, Table
from instances.cost.jobs import WorkloadCosts
from schedules.windows.goal import Objective, WindowGoal
from solvers.multi_model import WindowResult, solve_workload

NAME = "monolith"
TITLE = "Two models on four chiplets, and on one"

REFERENCE = "het-2x2-mono-os"

BATCHES = ((1, 1), (1, 8), (4, 16), (8, 32), (32, 32), (64, 256))
"""Of GPT-2 and of ResNet-50."""

WAYS: tuple[tuple[str, bool, bool], ...] = (
    ("het-2x2", True, False),
    ("het-2x2", False, False),
    ("het-2x2", True, True),
    ("het-2x2-ws", True, False),
    ("het-2x2-os", True, False),
    ("het-2x2-mono-ws", True, False),
    ("het-2x2-mono-os", True, False),
)
"""Package, whether stages are pipelined, whether chiplets are shared in time."""

OBJECTIVES: tuple[Objective, ...] = ("throughput", "edp")

Watch = Callable[[str], object]

Way = tuple[str, bool, bool]
Batches = tuple[int, int]


@dataclass(frozen=True)
class Ratio:
    """One way to run the two models, over the output-stationary monolith.

    Attributes:
        throughput: rounds a second, over the monolith's.
        efficiency: the monolith's energy of a round over this one's.
        result: what was found.
    """

    throughput: float
    efficiency: float
    result: WindowResult


def ratios(
    objective: Objective, batches: tuple[int, int], watch: Watch | None = None
) -> dict[Way, Ratio]:
    """All ways, each at its proved optimum.

    Raises:
        RuntimeError: an optimum is not proved.
    """
    found = {way: _solved(objective, batches, way, watch) for way in WAYS}
    base = found[REFERENCE, True, False].evaluation
    assert base is not None
    ratios = {}
    for way, result in found.items():
        own = result.evaluation
        assert own is not None
        ratios[way] = Ratio(base.period / own.period, base.energy / own.energy, result)
    return ratios


def _solved(
    objective: Objective,
    batches: tuple[int, int],
    way: Way,
    watch: Watch | None,
) -> WindowResult:
    package, pipelined, shared = way
    models = dict(zip(("gpt2", "resnet50"), batches, strict=True))
    if watch is not None:
        watch(f"{objective}, batches {batches}: {label(way)}")
    goal = WindowGoal(objective, pipelined=pipelined, shared=shared)
    result = solve_workload(workload("two models", models, package), "exact", goal=goal)
    if result.stop != "optimal":
        raise RuntimeError(f"{package}, batches {batches}: ended with {result.stop}")
    return result


def label(way: Way) -> str:
    """A way in words."""
    package, pipelined, shared = way
    extra = "" if pipelined else ", not pipelined"
    return f"{package}{extra}{', chiplets shared' if shared else ''}"


def monolith_page(batches: Sequence[tuple[int, int]] = BATCHES, watch: Watch | None = None) -> Page:
    """The page of results; solves everything."""
    parts: list[Part] = [INTRODUCTION, Heading("What the ratios rest on"), REASONS, _alone()]
    for objective in OBJECTIVES:
        found = {pair: ratios(objective, pair, watch) for pair in batches}
        parts.append(Heading(f"Schedules with the best {WORDS[objective]}"))
        parts += [TIES] if objective == "throughput" else []
        parts += ["Throughput over the monolith's:", _table(found, "throughput")]
        parts += ["Energy of the monolith over theirs:", _table(found, "efficiency")]
        parts += ["Period in milliseconds, energy of a round in millijoules:", _absolute(found)]
    return Page(NAME, TITLE, parts)


WORDS: Mapping[Objective, str] = {"throughput": "throughput", "edp": "energy-delay product"}

INTRODUCTION = (
    "GPT-2 (124 M, 128 tokens, by block) and ResNet-50 (by stage) on `het-2x2`, two"
    " weight-stationary and two output-stationary chiplets, beside four equal ones and one"
    " chiplet with the MACs, the buffers and the DRAM bandwidth of all four ([the"
    " problem](../multi_model.md)). A round is one batch of either model; the heading of a column"
    " is their batches. Every number is a proved optimum. The paper (arXiv 2312.09401) reports up"
    " to 2.2 times the throughput and 1.9 times the energy efficiency of a monolith with an"
    " output-stationary dataflow."
)

REASONS = (
    "In the cost model an output-stationary array unrolls output rows and columns only. A matrix"
    " product of 128 tokens has 128 rows and one column: of an array of 128 x 128 one column"
    " works, and on the small maps of ResNet-50's last stages few of its MACs do. That makes such"
    " a monolith tens of times slower than a weight-stationary array, more than the paper, whose"
    " model of the dataflow is not known to us, can have found: the direction is the paper's, the"
    " size is the cost model's. The lines of the weight-stationary packages show what is left"
    " when the dataflow fits: the gain over the output-stationary monolith is that of the"
    " dataflow first, and of several chiplets second. One sample's computation, milliseconds:"
)


TIES = (
    "Of schedules with the same throughput one is shown, whatever its energy; the schedules of the"
    " next section weigh both."
)


def _alone() -> Table:
    """Milliseconds that one chiplet of each kind computes for a sample of each model."""
    rows: list[list[Cell]] = []
    for package in ("het-2x2", "het-2x2-mono-ws", "het-2x2-mono-os"):
        costs = WorkloadCosts(workload("alone", {"gpt2": 1, "resnet50": 1}, package))
        for number, kind in enumerate(costs.package.kinds):
            times = [int(own.compute[number].sum()) for own in costs.jobs]
            array = "{} x {}".format(*kind.array)
            rows.append([package, kind.dataflow, array, *(1e3 * t / kind.clock_hz for t in times)])
    headings = [Column("package"), Column("dataflow"), Column("array")]
    return Table([*headings, Column("GPT-2", 3), Column("ResNet-50", 3)], rows)


def _table(found: Mapping[Batches, Mapping[Way, Ratio]], what: str) -> Table:
    columns = [Column("package"), *(Column(f"{a}, {b}", 2) for a, b in found)]
    rows: list[list[Cell]] = [
        [label(way), *(getattr(own[way], what) for own in found.values())] for way in WAYS
    ]
    return Table(columns, rows)


def _absolute(found: Mapping[Batches, Mapping[Way, Ratio]]) -> Table:
    columns = [Column("package"), *(Column(f"{a}, {b}") for a, b in found)]
    rows: list[list[Cell]] = [
        [label(way), *(_numbers(pair, way, own[way].result) for pair, own in found.items())]
        for way in WAYS
    ]
    return Table(columns, rows)


def _numbers(pair: tuple[int, int], way: Way, result: WindowResult) -> str:
    own = result.evaluation
    assert own is not None
    models = dict(zip(("gpt2", "resnet50"), pair, strict=True))
    time = seconds(own.period, workload("two models", models, way[0]))
    return f"{1e3 * time:.2f} ms, {1e-9 * own.energy:.1f} mJ"
