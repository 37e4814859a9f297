"""The page of results: what compression at the cuts gains in our cost model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import geometric_mean, median

from experiments.compression.runs import (
    BANDWIDTHS,
    BATCH,
    METHODS,
    NETWORKS,
    PACKAGE,
    RATIOS,
    SECONDS,
    SINGLE_BANDWIDTHS,
    SINGLE_PACKAGE,
    SLOWER,
    Pair,
    Watch,
    instance_at,
    over_bandwidths,
    over_single_chiplets,
    over_slowness,
)
from experiments.tables.parts import Cell, Column, Figure, Heading, Page, Panel, Part, Table
from instances.cost.coders import ANY, compress
from instances.losses import LossTable
from solvers.solve import solve

NAME = "compression"
TITLE = "Compression at the cuts: what it gains, and where it stops paying"

PAPER = "30.5 % more performance and 28.4 % better energy efficiency"
"""QuiltNet's most, over the same pipeline without autoencoders: its abstract."""

FRONT = ("resnet50", 64)
"""Network, and how much slower links are, where losses count."""

BUDGETS = (0.0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8)

NAMES = {"segmented": "one layer a stage (`segmented`)", "exact": "merged stages (`exact`)"}


def compression_page(
    measured: LossTable, networks: Sequence[str] = NETWORKS, watch: Watch | None = None
) -> Page:
    """The page.

    Args:
        measured: losses that `chipweave calibrate` measured, for the last part.
        networks: that are scheduled.
        watch: called with what is solved.
    """
    by_bandwidth = list(over_bandwidths(networks, watch))
    by_slowness = list(over_slowness(networks, watch))
    single = list(over_single_chiplets(watch))
    parts: list[Part] = [
        INTRODUCTION,
        Heading("NoP bandwidth"),
        "Gain in throughput (with compression over without, minus 1), by bandwidth of a chiplet's"
        f" port in GB/s; DRAM as the package says. {_proofs(by_bandwidth)}",
        *_tables(by_bandwidth, BANDWIDTHS, "{} GB/s", _gain),
        "The same for energy (1 minus energy with compression over that without), of the schedules"
        " with these throughputs: nobody asked for little energy.",
        *_tables(by_bandwidth, BANDWIDTHS, "{} GB/s", _saving),
        Heading("All links slower"),
        "The package's bandwidths of NoP and DRAM, divided by 1 to 64: gain in throughput, then"
        f" energy. {_proofs(by_slowness)}",
        *_tables(by_slowness, SLOWER, "1/{}", _gain),
        *_tables(by_slowness, SLOWER, "1/{}", _saving),
        _picture(by_slowness),
        Heading("A stage a chiplet"),
        f"As in the paper's pipelines, as we read them: on `{SINGLE_PACKAGE}`, whose chiplets are"
        " large, every stage runs on one chiplet, so that nothing is exchanged but at cuts. Gain in"
        f" throughput, then energy, of `exact`, which still merges layers. {_proofs(single)}",
        _table(single, "exact", SINGLE_BANDWIDTHS, "{} GB/s", _gain),
        _table(single, "exact", SINGLE_BANDWIDTHS, "{} GB/s", _saving),
        Heading("With losses"),
        *_with_losses(measured, watch),
        Heading("Beside the paper"),
        _summary(by_bandwidth, by_slowness),
        *DIFFERENCES,
    ]
    return Page(NAME, TITLE, parts)


INTRODUCTION = (
    f"Eight networks on `{PACKAGE}`, batch {BATCH}, scheduled without and with autoencoders at the"
    " cuts ([the problem and its costs](../compression.md)), ratios"
    f" {', '.join(map(str, RATIOS))}. In all parts but one, compression is taken to lose nothing:"
    " the numbers are the most that it can gain in this cost model, whatever the losses are. Two"
    " pipelines are compared with themselves: the classic one of one layer a stage, optimised by"
    " `segmented` (with ratios by a heuristic), and that of merged stages, optimised by `exact`,"
    " which chooses segments, stages, chiplets and ratios together and proves the optimum."
)

DIFFERENCES = (
    "What decides is how much crosses at all. A pipeline of one layer a stage sends every tensor"
    " over the NoP, and over DRAM between segments; slow links then bind, and compression gains"
    " much. Where stages may be merged, the optimum avoids to send what is costly to send: few"
    " tensors cross, those that do are small, and transfers hide behind compute. What compression"
    " could save is saved before it. Part of the advantage of merged stages over the classic"
    " pipeline and the gain by compression are the same bytes, saved once.",
    "An autoencoder is no small thing here: it is computed by the same chiplets, as a layer of"
    " 1 x 1, and for 256 channels at ratio 4 it has as many multiply-accumulates as the first layer"
    " of a bottleneck block. A stage that is bound by compute gets slower by it.",
    "The paper's accelerators, links and networks are not ours, its text beyond the abstract was"
    " not at hand, and its autoencoders are trained. Where a stage runs on several chiplets, there"
    " is traffic inside of it, too, which is not compressed.",
)

Value = Callable[[Pair], float]


def _gain(pair: Pair) -> float:
    return pair.gain


def _saving(pair: Pair) -> float:
    return pair.saving


def _proofs(pairs: Sequence[Pair]) -> str:
    own = [pair for pair in pairs if pair.method == "exact"]
    proved = sum(pair.proved for pair in own)
    if proved == len(own):
        return "All optima are proved."
    open_ = ", ".join(f"{p.network} at {p.place}" for p in own if not p.proved)
    return (
        f"{proved} of {len(own)} pairs of optima are proved; the others ({open_}) are the best"
        f" found in {SECONDS:.0f} s."
    )


def _tables(pairs: Sequence[Pair], places: Sequence[int], heading: str, value: Value) -> list[Part]:
    """A table for each method."""
    found: list[Part] = []
    for method in METHODS:
        title = f"{NAMES[method]}:"
        found += [title[0].upper() + title[1:], _table(pairs, method, places, heading, value)]
    return found


def _table(
    pairs: Sequence[Pair], method: str, places: Sequence[int], heading: str, value: Value
) -> Table:
    """Networks by places."""
    rows: list[list[Cell]] = []
    for network in dict.fromkeys(pair.network for pair in pairs):
        own = {p.place: p for p in pairs if (p.network, p.method) == (network, method)}
        rows.append([network, *(value(own[place]) for place in places)])
    columns = [Column("network"), *(Column(heading.format(at), 1, True) for at in places)]
    return Table(columns, rows)


def _picture(pairs: Sequence[Pair]) -> Figure:
    panels = []
    for method in METHODS:
        series: dict[str, list[float | None]] = {}
        for pair in pairs:
            if pair.method == method:
                series.setdefault(pair.network, []).append(100 * pair.gain)
        panels.append(Panel(NAMES[method].replace("`", ""), [float(at) for at in SLOWER], series))
    return Figure(
        "slower",
        "Gain in throughput by lossless compression, over how much slower all links are",
        panels,
        "links slower by",
        "gain (%)",
        log_x=True,
    )


def _with_losses(measured: LossTable, watch: Watch | None) -> list[Part]:
    network, slower = FRONT
    losses = {
        ratio: median(measured.loss(tensor, ratio) for tensor in measured.tensors)
        for ratio in RATIOS
    }
    instance = instance_at(network, slower=slower)
    rows: list[list[Cell]] = []
    first: dict[str, int] = {}
    for budget in BUDGETS:
        row: list[Cell] = [budget]
        for method in METHODS:
            if watch is not None:
                watch(f"{network}, budget {budget:g}: {method}")
            asked = compress(instance, LossTable({ANY: losses}), budget)
            result = solve(asked, method, time_limit=SECONDS)
            if result.evaluation is None:
                raise RuntimeError(f"{network}: {method} found no schedule")
            latency = result.evaluation.latency
            first.setdefault(method, latency)
            ratios = () if result.schedule is None else result.schedule.ratios
            row += [first[method] / latency - 1, sum(ratio > 1 for ratio in ratios)]
        rows.append([*row, result.stop])
    columns = [Column("budget", 3)]
    for method in METHODS:
        columns += [Column(f"gain of {method}", 1, True), Column("compressed tensors", 0)]
    columns.append(Column("exact ended"))
    text = ", ".join(f"{loss:.4g} at ratio {ratio}" for ratio, loss in losses.items())
    return [
        f"`{network}` with links {slower} times slower, where compression pays. Losses of its"
        " tensors are not known: no weights of it are at hand. Each is taken to lose what the"
        " median tensor of a real model lost, PaddleOCR's classifier of text lines"
        f" ([measured](../compression.md#measured-losses)): {text}, as a share of answers that"
        " change. Losses add up; gain over no compression:",
        Table(columns, rows),
    ]


def _summary(by_bandwidth: Sequence[Pair], by_slowness: Sequence[Pair]) -> str:
    pairs = [*by_bandwidth, *by_slowness]
    texts = []
    for method in METHODS:
        own = [pair for pair in pairs if pair.method == method]
        best = max(own, key=_gain)
        frugal = max(own, key=_saving)
        usual = [p.gain + 1 for p in by_bandwidth if p.method == method]
        texts.append(
            f"With {NAMES[method]}, compression gains {geometric_mean(usual) - 1:.1%} in the mean"
            f" over networks and NoP bandwidths of {BANDWIDTHS[0]} to {BANDWIDTHS[-1]} GB/s. At"
            f" most it gains {best.gain:.1%} ({best.network}), and {frugal.saving:.1%} of the"
            f" energy ({frugal.network}), where all links are slower."
        )
    return f"The paper reports up to {PAPER} at a small loss of accuracy. {' '.join(texts)}"
