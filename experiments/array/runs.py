"""Runs of all methods for arrays on the networks that PipeOrgan has in mind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from experiments.bars import Measure
from instances.array import Array
from instances.arrays import load_array
from instances.cost.array import ArrayCosts
from instances.networks import ar_vr_names, build_network
from schedules.array.evaluate import ArrayEvaluation
from solvers.array import ArrayResult, solve_array

ARRAY = "32x32"

EXPRESS = "32x32+4"
"""The same with express links."""

FIXED = ("pairs", "tangram-like", "simba-like")
"""Baselines that pipeline in a fixed way."""

OURS = ("pipeorgan", "pipeorgan+", "exact")

METHODS = ("unpipelined", *FIXED, *OURS)

SECONDS = {"exact": 30.0, "pipeorgan": 0.2, "pipeorgan+": 0.2}
"""Bars: method -> the most that it may take for a network on ARRAY."""

Watch = Callable[[str], object]


@dataclass(frozen=True)
class Runs:
    """All methods on one network and one array.

    Attributes:
        network: its name.
        layers: how many it has.
        results: by method.
    """

    network: str
    layers: int
    results: dict[str, ArrayResult]

    def found(self, method: str) -> ArrayEvaluation:
        """Costs of a method's schedule."""
        evaluation = self.results[method].evaluation
        assert evaluation is not None, "every method finds a schedule"
        return evaluation

    @property
    def best_fixed(self) -> str:
        """The baseline of FIXED with the lowest latency."""
        return min(FIXED, key=lambda method: self.found(method).latency)

    def speedup(self, method: str, on: Runs | None = None) -> float:
        """Of a method, perhaps on another array, over the best fixed baseline."""
        return self.found(self.best_fixed).latency / (on or self).found(method).latency

    def saving(self, method: str, on: Runs | None = None) -> float:
        """The same for energy."""
        return self.found(self.best_fixed).energy / (on or self).found(method).energy

    def gap(self, method: str) -> float:
        """(latency - optimum) / optimum."""
        return self.found(method).latency / self.found("exact").latency - 1


def runs(
    array: Array,
    networks: Sequence[str] = (),
    methods: Sequence[str] = METHODS,
    watch: Watch | None = None,
) -> Iterator[Runs]:
    """Each network on an array, batch 1.

    Args:
        array: where they run.
        networks: all of the AR/VR kind by default.
        methods: that solve them.
        watch: called with what is solved.

    Raises:
        RuntimeError: `exact` did not end with a proof.
    """
    for name in networks or ar_vr_names():
        costs = ArrayCosts(build_network(name), array)
        results = {}
        for method in methods:
            if watch is not None:
                watch(f"{name} on {array.name}: {method}")
            results[method] = solve_array(costs, method, workers=1)
            if method == "exact" and results[method].stop != "optimal":
                raise RuntimeError(f"{name}: exact ended with {results[method].stop}")
        yield Runs(name, costs.layers, results)


def variants() -> Iterator[tuple[str, Array]]:
    """Arrays that differ from ARRAY in one thing, with words for it."""
    base = load_array(ARRAY)
    yield "as it is", base
    yield "blocks of columns only", replace(base, organisations=("sequential", "blocked-1d"))
    yield (
        "no repeated cells",
        replace(base, organisations=("sequential", "blocked-1d", "blocked-2d")),
    )
    yield "express links of length 4", load_array(EXPRESS)
    yield (
        "express links, blocks of columns only",
        replace(load_array(EXPRESS), organisations=("sequential", "blocked-1d")),
    )
    for size in (8, 128):
        yield f"DRAM of {size} bytes a cycle, not {base.dram_bytes}", replace(base, dram_bytes=size)
    for size in (1, 16):
        yield f"buses of {size} bytes a cycle, not {base.bus_bytes}", replace(base, bus_bytes=size)
    for size in (256, 4_096):
        text = f"buffer of {size} kB, not {base.buffer_bytes // 1024}"
        yield text, replace(base, buffer_bytes=1024 * size)
    for size in (128, 2_048):
        text = f"registers of {size} bytes a PE, not {base.register_bytes}"
        yield text, replace(base, register_bytes=size)


def time_measures(found: Sequence[Runs]) -> list[Measure]:
    """Longest run of the methods that have a bar."""
    measures = []
    for method, bar in SECONDS.items():
        slowest = max(found, key=lambda own: own.results[method].runtime_s)
        seconds = slowest.results[method].runtime_s
        note = f"{slowest.network}; {len(found)} networks on {ARRAY}"
        measures.append(Measure(f"{method}: longest run", seconds, bar, "s", note))
    return measures
