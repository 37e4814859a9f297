"""The page of results: what PipeOrgan's freedoms are worth in our cost model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import geometric_mean

from experiments.array.runs import (
    ARRAY,
    EXPRESS,
    FIXED,
    METHODS,
    OURS,
    Runs,
    Watch,
    runs,
    variants,
)
from experiments.tables.parts import Cell, Column, Heading, Page, Part, Table
from instances.array import ORGANISATIONS
from instances.arrays import load_array
from schedules.array.evaluate import RESOURCES, Resource, SegmentEvaluation

NAME = "array"
TITLE = "Inside the array: what depth, granularity and organisation are worth"

PAPER = 1.95
"""PipeOrgan's speed-up over the best fixed pipelined dataflow: its abstract."""

OTHERS = tuple(method for method in METHODS if method not in FIXED)

FIXED_ONES = ("unpipelined", *FIXED)


def array_page(watch: Watch | None = None, networks: Sequence[str] = ()) -> Page:
    """The page; by default of all networks of the AR/VR kind."""
    plain = list(runs(load_array(ARRAY), networks, watch=watch))
    express = list(runs(load_array(EXPRESS), networks, OURS, watch))
    parts: list[Part] = [
        INTRODUCTION,
        Heading("Speed-up"),
        f"Latency of the best of {_names(FIXED)} over that of the others; on the augmented mesh"
        f" ({EXPRESS}) over the same baseline without it.",
        _ratios(plain, express, Runs.speedup),
        _summary(plain),
        Heading("Energy"),
        "The same for energy, of the schedules with these latencies: nobody asked for little.",
        _ratios(plain, express, Runs.saving),
        Heading("What was chosen"),
        "Segments of the optimum, and the share of its time in which the compute of a layer, a"
        " bus, a link or the DRAM is what the others wait for.",
        _chosen(plain),
        Heading("The heuristic and the proof"),
        "Gap: latency over the optimum, minus 1. Times in seconds, on one thread.",
        _proofs(plain),
        Heading("What it rests on"),
        "Geometric means over the networks. The first line is the array of the tables above, each"
        " other line changes one thing of it. First how much faster the optimum is on the array"
        " than on that of the first line; then against the best of the baselines on the same"
        f" array: those that pipeline in a fixed way, and {_names(FIXED_ONES)} together.",
        _sensitivity(networks, watch),
        Heading("What differs from the paper"),
        *DIFFERENCES,
    ]
    return Page(NAME, TITLE, parts)


INTRODUCTION = (
    "Networks of the kind that PipeOrgan has in mind, batch 1, on an array of 32 x 32 PEs"
    " ([the problem and the cost model](../array.md), which is ours). `pairs`, `tangram-like` and"
    " `simba-like` pipeline in a fixed way; `unpipelined` does not; `pipeorgan` follows the"
    " paper's rules in our reading; `exact` proves the best of all depths, tile counts,"
    " organisations and allocations."
)

DIFFERENCES = (
    f"The paper reports {PAPER} times the performance of the best fixed pipelined dataflow. The"
    " numbers above neither confirm nor refute that: array, bandwidths and energies are ours (the"
    " paper's are not known to us in full), the baselines are our readings of their names, and the"
    " networks are public definitions of the same kind, not its own. Where a single sample's"
    " weights are most of the traffic (`emformer`), or compute binds everywhere (`ed-tcn`,"
    " `res8-narrow`), nothing is gained over layers one by one; where large activations would"
    " travel to DRAM and back (`ritnet`), pipelining gains most, but a fixed pipeline that is deep"
    " enough does, too.",
    "In our model a layer by itself spreads its outputs evenly over all PEs, whatever its shape,"
    " so a pipeline gains by traffic alone, never by utilisation. With dataflows that unroll fixed"
    " dimensions, PEs are idle in layers of few channels, and a pipeline gains there, too. And our"
    " fixed pipelines have allocations that are solved, the better of two tile counts for each"
    " segment, and `tangram-like` the best depth for each network. Both make the baselines"
    " stronger, and the ratios smaller.",
    "Upsampled tensors are enlarged where they are made, so they weigh on links and buffer in"
    " full. What belongs to a PE's neighbours inside a block (operands that several PEs need) is"
    " not on our links; it costs registers and, through repeated weights, the buses.",
    "Repeated cells shorten ways where links would bind, so that there is little left to gain for"
    " express links; the table above has their worth with and without repeated cells, that of what"
    " was chosen the share of time in which links bind at all.",
)


def _names(methods: Sequence[str]) -> str:
    *first, last = (f"`{method}`" for method in methods)
    return f"{', '.join(first)} and {last}"


def _ratios(
    plain: Sequence[Runs],
    express: Sequence[Runs],
    ratio: Callable[[Runs, str, Runs], float],
) -> Table:
    """Ratios to the best fixed baseline, by network, and their geometric means."""
    rows: list[list[Cell]] = []
    columns: list[list[float]] = []
    for own, other in zip(plain, express, strict=True):
        values = [ratio(own, method, own) for method in OTHERS]
        values += [ratio(own, method, other) for method in other.results]
        columns.append(values)
        rows.append([own.network, own.layers, own.best_fixed, *values])
    means = [geometric_mean(values) for values in zip(*columns, strict=True)]
    rows.append(["geometric mean", None, None, *means])
    headings = [Column("network"), Column("layers", 0), Column("best fixed baseline")]
    headings += [Column(method, 3) for method in OTHERS]
    headings += [Column(f"{method}, augmented mesh", 3) for method in express[0].results]
    return Table(headings, rows)


def _summary(plain: Sequence[Runs]) -> str:
    exact = geometric_mean([own.speedup("exact") for own in plain])
    rules = geometric_mean([own.speedup("pipeorgan") for own in plain])
    best = [
        min(own.found(method).latency for method in FIXED_ONES) / own.found("exact").latency
        for own in plain
    ]
    return (
        f"Geometric mean: {exact:.2f} for the optimum and {rules:.2f} for the paper's rules,"
        f" beside the paper's {PAPER}. Over the best of {_names(FIXED_ONES)}, the optimum gains"
        f" {geometric_mean(best):.2f}."
    )


def _chosen(plain: Sequence[Runs]) -> Table:
    rows: list[list[Cell]] = []
    for own in plain:
        segments = own.found("exact").segments
        kinds = Counter(found.segment.organisation for found in segments)
        depths = [found.segment.depth for found in segments]
        cycles = own.found("exact").latency
        rows.append(
            [
                own.network,
                len(segments),
                own.layers / len(segments),
                max(depths),
                *(kinds.get(name) for name in ORGANISATIONS),
                *(_waiting(segments, what) / cycles for what in RESOURCES),
            ]
        )
    headings = [Column("network"), Column("segments", 0), Column("mean depth", 2)]
    headings += [Column("deepest", 0), *(Column(name, 0) for name in ORGANISATIONS)]
    headings += [Column(what, 0, True) for what in RESOURCES]
    return Table(headings, rows)


def _waiting(segments: Sequence[SegmentEvaluation], what: Resource) -> int:
    """Cycles of the segments in which a resource is the first to need the whole beat."""
    return sum(found.cycles for found in segments if found.beat.limit == what)


def _proofs(plain: Sequence[Runs]) -> Table:
    methods = [method for method in METHODS if method != "exact"]
    rows: list[list[Cell]] = [
        [
            own.network,
            *(own.gap(method) for method in methods),
            own.results["pipeorgan"].runtime_s,
            own.results["exact"].runtime_s,
            own.results["exact"].stop,
        ]
        for own in plain
    ]
    headings = [Column("network"), *(Column(f"gap of {method}", 2, True) for method in methods)]
    headings += [Column("pipeorgan (s)", 3), Column("exact (s)", 2), Column("exact ended")]
    return Table(headings, rows)


def _sensitivity(networks: Sequence[str], watch: Watch | None) -> Table:
    rows: list[list[Cell]] = []
    usual: list[int] = []
    for text, array in variants():
        found = list(runs(array, networks, watch=watch))
        optima = [own.found("exact").latency for own in found]
        usual = usual or optima
        best = [
            min(own.found(method).latency for method in FIXED_ONES) / own.found("exact").latency
            for own in found
        ]
        rows.append(
            [
                text,
                geometric_mean([a / b for a, b in zip(usual, optima, strict=True)]),
                geometric_mean([own.speedup("exact") for own in found]),
                geometric_mean([own.speedup("pipeorgan") for own in found]),
                geometric_mean(best),
            ]
        )
    headings = [Column("array"), Column("optimum over that as it is", 3)]
    headings += [Column("exact over the best fixed", 3)]
    headings += [Column("pipeorgan over the best fixed", 3)]
    headings += [Column("exact over the best of all baselines", 3)]
    return Table(headings, rows)
