"""Runs with and without compression, over bandwidths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from experiments.bars import Measure
from instances.cost import make_instance
from instances.cost.coders import ANY, compress
from instances.instance import Instance
from instances.losses import LossTable
from instances.networks import build_network
from instances.packages import load_package
from schedules.evaluate import Evaluation
from solvers.result import Result
from solvers.solve import solve

PACKAGE, BATCH = "simba-4x4", 64

NETWORKS = (
    "alexnet",
    "vgg16",
    "darknet19",
    "resnet18",
    "resnet50",
    "mobilenet_v2",
    "vit_b_16",
    "gpt2",
)

BANDWIDTHS = (5, 10, 20, 50, 100, 200)
"""Of a chiplet's port on the NoP, GB/s."""

SLOWER = (1, 4, 16, 64)
"""All links, NoP and DRAM, are so many times slower than the package says."""

METHODS = ("segmented", "exact")
"""The classic pipeline, and the proved optimum of merged ones."""

SINGLE_PACKAGE = "datacentre-4x4"

SINGLE_NETWORKS = ("resnet18", "resnet34", "resnet50", "mobilenet_v2", "vit_b_16")
"""Those of which every layer fits on one of its chiplets."""

SINGLE_BANDWIDTHS = (1, *BANDWIDTHS)

RATIOS = (2, 4, 8, 16)

LOSSLESS = LossTable({ANY: dict.fromkeys(RATIOS, 0.0)}, measure="none")
"""As if compression lost nothing: no accuracy bounds what it gains."""

SECONDS = 300.0
"""For one run."""

PROOF, PROOF_SECONDS = ("resnet50", PACKAGE), 10.0
"""The case that `exact` has to prove in so many seconds."""

PROOF_LOSSES = LossTable({ANY: {2: 0.001, 4: 0.004, 8: 0.01, 16: 0.03}})

PROOF_BUDGETS = (0.01, 0.02, 0.1, 1.0)

Watch = Callable[[str], object]


@dataclass(frozen=True)
class Pair:
    """One method on one network, without and with compression.

    Attributes:
        network, method: their names.
        place: where in the sweep: a bandwidth, or how much slower.
        plain, compressed: results.
    """

    network: str
    method: str
    place: int
    plain: Result
    compressed: Result

    @property
    def gain(self) -> float:
        """Throughput with compression over that without, minus 1."""
        return _cost(self.plain).latency / _cost(self.compressed).latency - 1

    @property
    def saving(self) -> float:
        """1 minus energy with compression over that without; of the fastest schedules."""
        return 1 - _cost(self.compressed).energy / _cost(self.plain).energy

    @property
    def proved(self) -> bool:
        """Whether both are proved optima."""
        return self.plain.stop == self.compressed.stop == "optimal"


def _cost(result: Result) -> Evaluation:
    assert result.evaluation is not None, "every method finds a schedule here"
    return result.evaluation


def instance_at(
    network: str, *, nop: float | None = None, slower: float = 1, on: str = PACKAGE
) -> Instance:
    """A network on a package with other bandwidths.

    Args:
        nop: GB/s of a chiplet's port; as the package says if None.
        slower: the bandwidths of NoP and DRAM are divided by it.
        on: the package's name.
    """
    package = load_package(on)
    own = package.nop.bandwidth if nop is None else nop * 10**9
    package = replace(
        package,
        nop=replace(package.nop, bandwidth=round(own / slower)),
        dram=replace(package.dram, bandwidth=round(package.dram.bandwidth / slower)),
    )
    return make_instance(build_network(network), package, BATCH)


def pair(instance: Instance, network: str, method: str, place: int) -> Pair:
    """A method without and with lossless compression."""
    plain = solve(instance, method, time_limit=SECONDS, workers=1)
    squeezed = solve(compress(instance, LOSSLESS, 0), method, time_limit=SECONDS, workers=1)
    return Pair(network, method, place, plain, squeezed)


def over_bandwidths(networks: Sequence[str], watch: Watch | None = None) -> Iterator[Pair]:
    """Each network and method at each of BANDWIDTHS."""
    for network in networks:
        for bandwidth in BANDWIDTHS:
            for method in METHODS:
                if watch is not None:
                    watch(f"{network}, NoP {bandwidth} GB/s: {method}")
                yield pair(instance_at(network, nop=bandwidth), network, method, bandwidth)


def over_slowness(networks: Sequence[str], watch: Watch | None = None) -> Iterator[Pair]:
    """Each network and method with all links slower, by each of SLOWER."""
    for network in networks:
        for slower in SLOWER:
            for method in METHODS:
                if watch is not None:
                    watch(f"{network}, links {slower} times slower: {method}")
                yield pair(instance_at(network, slower=slower), network, method, slower)


def on_single_chiplets(instance: Instance) -> Instance:
    """The same with regions of one chiplet only, and no tiled layers: a stage a chiplet."""
    tables = instance.tables
    resident = tables.resident.copy()
    resident[:, :, 1:] = tables.capacity + 1
    none = np.full_like(tables.alone, -1)
    return replace(instance, tables=replace(tables, resident=resident, alone=none))


def over_single_chiplets(watch: Watch | None = None) -> Iterator[Pair]:
    """`exact` for each of SINGLE_NETWORKS, a stage a chiplet, at each of SINGLE_BANDWIDTHS."""
    for network in SINGLE_NETWORKS:
        for bandwidth in SINGLE_BANDWIDTHS:
            if watch is not None:
                watch(f"{network}, a stage a chiplet, NoP {bandwidth} GB/s: exact")
            instance = instance_at(network, nop=bandwidth, on=SINGLE_PACKAGE)
            yield pair(on_single_chiplets(instance), network, "exact", bandwidth)


def proof_measures(
    watch: Watch | None = None, methods: Sequence[str] = ("cpsat",)
) -> list[Measure]:
    """How long `exact` takes for PROOF with four ratios, and whether others agree.

    Each bandwidth of 5 and 100 GB/s, and each of PROOF_BUDGETS.
    """
    longest, where, unproved, apart = 0.0, "", 0, dict.fromkeys(methods, 0)
    open_ = dict.fromkeys(methods, 0)
    cases = [(nop, budget) for nop in (100, 5) for budget in PROOF_BUDGETS]
    for nop, budget in cases:
        instance = compress(instance_at(PROOF[0], nop=nop), PROOF_LOSSES, budget)
        text = f"NoP {nop} GB/s, budget {budget:g}"
        if watch is not None:
            watch(f"{PROOF[0]}, {text}: exact")
        own = solve(instance, "exact", time_limit=SECONDS)
        unproved += own.stop != "optimal"
        if own.runtime_s >= longest:
            longest, where = own.runtime_s, text
        for method in methods:
            if watch is not None:
                watch(f"{PROOF[0]}, {text}: {method}")
            other = solve(instance, method, time_limit=2 * SECONDS)
            open_[method] += other.stop != "optimal"
            apart[method] += other.stop == "optimal" and other.objective != own.objective
    note = f"{PROOF[0]} on {PROOF[1]}, {len(cases)} cases"
    measures = [
        Measure("exact: longest proof", longest, PROOF_SECONDS, "s", f"{note}; {where}"),
        Measure("exact: not proved", unproved, 0, "", note),
    ]
    for method in methods:
        measures.append(Measure(f"{method}: not as exact says", apart[method], 0, "", note))
        measures.append(Measure(f"{method}: not proved", open_[method], 0, "", note))
    return measures
