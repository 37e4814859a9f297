"""SCAR's scenarios on 3 x 3 chiplets: our energy-delay products beside the paper's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from experiments.bars import Measure
from experiments.multi_model.cases import SCENARIOS, joule_seconds, workload
from experiments.tables.parts import Cell, Column, Heading, Page, Part, Table
from instances.cost.jobs import WorkloadCosts
from instances.workload import Workload
from schedules.progress import gap_of
from schedules.windows.evaluate import evaluate_run, evaluate_windows
from schedules.windows.goal import WindowGoal
from schedules.windows.schedule import Run, Stage, Window, WindowSchedule
from solvers.multi_model import WindowResult, solve_workload

NAME = "scenarios"
TITLE = "SCAR's scenarios on 3 x 3 chiplets"

PAPER: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "het-3x3-ws": (0.006, 0.008, 0.238, 6.165, 8.162),
        "het-3x3-os": (0.024, 0.024, 1.097, 8.706, 13.75),
        "het-3x3-sides": (0.008, 0.01, 0.35, 3.328, 6.107),
        "stand-alone": (0.007, 0.01, 0.786, 5.707, 7.608),
    }
)
"""Energy-delay products in J s for scenarios 1 to 5 (arXiv 2405.00790)."""

ALONE = "stand-alone"
"""Each model whole on a weight-stationary chiplet of its own, all at once (our reading)."""

PACKAGES = ("het-3x3-ws", "het-3x3-os", "het-3x3-sides", "het-3x3-checkerboard", "het-3x3-cross")

METHODS = ("scar", "search")

SECONDS = 30.0
"""For a search."""

Watch = Callable[[str], object]


@dataclass(frozen=True)
class Scenario:
    """One scenario on one package.

    Attributes:
        number: of the scenario.
        package: its name, or ALONE.
        method: what found the schedule; none for ALONE.
        edp: joule-seconds.
        bound: joule-seconds, None if there is none.
        seconds: wall time of the method.
    """

    number: int
    package: str
    method: str
    edp: float
    bound: float | None
    seconds: float

    @property
    def gap(self) -> float | None:
        """(edp - bound) / edp, None without a bound."""
        return gap_of(self.edp, self.bound)


def scenario(
    number: int, package: str, method: str, seconds: float = SECONDS, seed: int = 0
) -> tuple[Scenario, WindowResult]:
    """Solve a scenario for its energy-delay product.

    Raises:
        RuntimeError: the method finds no schedule.
    """
    work = workload(f"scenario {number}", SCENARIOS[number], package)
    result = solve_workload(work, method, goal=WindowGoal("edp"), time_limit=seconds, seed=seed)
    if result.objective is None:
        raise RuntimeError(f"{work.name}: {method} finds no schedule")
    bound = None if result.bound is None else joule_seconds(result.bound, work)
    edp = joule_seconds(result.objective, work)
    return Scenario(number, package, method, edp, bound, result.runtime_s), result


def alone(number: int) -> Scenario:
    """Each model on a chiplet of its own, in one window, with its best mini-batch."""
    work = workload(f"scenario {number}", SCENARIOS[number], "het-3x3-ws")
    costs = WorkloadCosts(work)
    near = sorted(
        costs.package.tiles, key=lambda t: costs.package.port_hops[costs.package.number[t]]
    )
    runs = tuple(_whole(costs, work, k, near[k]) for k in range(len(work.jobs)))
    found = evaluate_windows(costs, WindowSchedule((Window(runs),)))
    return Scenario(number, ALONE, "", joule_seconds(found.edp, work), None, 0.0)


def _whole(costs: WorkloadCosts, work: Workload, number: int, tile: tuple[int, int]) -> Run:
    job = work.jobs[number]
    stages = (Stage(0, job.units - 1, tile),)
    runs = [Run(number, mini_batch, stages) for mini_batch in job.mini_batches]
    found = [evaluate_run(costs, run) for run in runs]
    return min(found, key=lambda run: run.latency * run.energy).run


def scenarios(
    numbers: Sequence[int] = tuple(SCENARIOS),
    packages: Sequence[str] = PACKAGES,
    seconds: float = SECONDS,
    watch: Watch | None = None,
) -> list[Scenario]:
    """All scenarios on all packages by all methods, and stand-alone."""
    found = []
    for number in numbers:
        found.append(alone(number))
        for package in packages:
            for method in METHODS:
                if watch is not None:
                    watch(f"scenario {number} on {package}: {method}")
                found.append(scenario(number, package, method, seconds)[0])
    return found


def scenario_measures(found: Sequence[Scenario], seconds: float = SECONDS) -> list[Measure]:
    """The longest search of scenario 4, and its gap."""
    own = [s for s in found if s.number == 4 and s.method == "search"]
    if not own:
        return []
    slowest = max(own, key=lambda s: s.seconds)
    return [Measure("search, scenario 4", slowest.seconds, seconds + 0.5, "s", slowest.package)]


def scenarios_page(found: Sequence[Scenario]) -> Page:
    """The page of results."""
    numbers = sorted({s.number for s in found})
    heads = [Column(f"{n}", 4) for n in numbers]
    best = {
        (s.number, s.package): min(
            o.edp for o in found if (o.number, o.package) == (s.number, s.package)
        )
        for s in found
    }
    names = [*dict.fromkeys(s.package for s in found)]
    rows: list[list[Cell]] = [[name, *(best.get((n, name)) for n in numbers)] for name in names]
    paper: list[list[Cell]] = [
        [name, *(values[n - 1] for n in numbers)] for name, values in PAPER.items()
    ]
    parts: list[Part] = [INTRODUCTION, Heading("Ours"), "Best of all methods, J s."]
    parts.append(Table([Column("package"), *heads], rows))
    parts += [Heading("SCAR's"), "As the paper reports them, J s."]
    parts.append(Table([Column("package"), *(Column(f"{n}", 3) for n in numbers)], paper))
    parts += [Heading("Over all weight-stationary"), RELATIVE, _relative(best, numbers)]
    parts += [Heading("What searches find"), SEARCHES, _searches(found)]
    parts += [Heading("Where they agree and where not"), *_verdicts(best, numbers), REASONS]
    return Page(NAME, TITLE, parts)


INTRODUCTION = (
    "Energy-delay products of SCAR's five scenarios (arXiv 2405.00790) on packages of 3 x 3"
    " chiplets, in our cost model ([the problem](../multi_model.md)), beside the paper's. Models"
    " are cut by block, ResNet-50 by stage; transformers have 128 tokens; there are at most 5"
    " windows. Networks that the paper names without a source are our reading: GPT-L is GPT-2"
    " large, U-Net has inputs of 256 x 256. `stand-alone` is each model whole on one"
    " weight-stationary chiplet, all at once (our reading)."
)
REASONS = (
    "Why, as far as our side is concerned. An output-stationary array unrolls output rows and"
    " columns in our cost model, and a matrix product has a single column: transformers run some"
    " sixty times slower on such chiplets than on weight-stationary ones. So a package of them"
    " alone falls behind by far more than in the paper, and in mixed packages the models that"
    " fill the chiplets, all but the two networks of convolutions, share the weight-stationary"
    " ones. Nor does our model give ResNet-50 an advantage on output-stationary chiplets but in"
    " its first layer. The paper's products grow much more from scenario 2 to 3 and from 3 to 4:"
    " the larger batches cost more there. In ours weights come from DRAM once for a whole batch"
    " where they can, which scenarios 1 and 2 mostly wait for. Neither the paper's model of the"
    " arrays nor when it loads weights is known to us, so this neither confirms its numbers nor"
    " refutes them."
)
RELATIVE = "Energy-delay product over that of `het-3x3-ws`, ours and, in brackets, the paper's."
SEARCHES = (
    "SCAR's search as we read it (`scar`) and ours (`search`, with a time limit), and the gap to"
    " a lower bound that is not tight: it knows each unit's best chiplet, but no handovers."
)


def _relative(best: Mapping[tuple[int, str], float], numbers: Sequence[int]) -> Table:
    rows: list[list[Cell]] = []
    for name in dict.fromkeys(name for _, name in best):
        cells: list[Cell] = [name]
        for n in numbers:
            base = best.get((n, "het-3x3-ws"))
            own = best.get((n, name))
            text = "–" if base is None or own is None else f"{own / base:.2f}"
            if name in PAPER:
                text += f" ({PAPER[name][n - 1] / PAPER['het-3x3-ws'][n - 1]:.2f})"
            cells.append(text)
        rows.append(cells)
    return Table([Column("package"), *(Column(f"{n}") for n in numbers)], rows)


def _searches(found: Sequence[Scenario]) -> Table:
    rows: list[list[Cell]] = [
        [s.number, s.package, s.method, s.edp, s.bound, s.gap, s.seconds] for s in found if s.method
    ]
    return Table(
        [
            Column("scenario", 0),
            Column("package"),
            Column("method"),
            Column("EDP (J s)", 4),
            Column("bound (J s)", 4),
            Column("gap", 2, percent=True),
            Column("time (s)", 1),
        ],
        rows,
    )


def _verdicts(best: Mapping[tuple[int, str], float], numbers: Sequence[int]) -> list[str]:
    """A sentence a scenario: who wins, here and there."""
    sentences = []
    for n in numbers:
        ours = {name: best[n, name] for name in PAPER if (n, name) in best}
        if len(ours) < len(PAPER):
            continue
        theirs = {name: values[n - 1] for name, values in PAPER.items()}
        here, there = min(ours, key=ours.__getitem__), min(theirs, key=theirs.__getitem__)
        same = "the same winner" if here == there else f"in the paper it is `{there}`"
        sentences.append(f"Scenario {n}: of the paper's four, `{here}` wins here; {same}.")
    return sentences
