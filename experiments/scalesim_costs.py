"""Our cycles of computing held against those of SCALE-Sim's systolic array.

SCALE-Sim v3 (`pip install 'chipweave[scalesim]'`) lays the products of a layer out as one product
of matrices, M positions times K inputs of a position times N output channels, and steps through the
array cycle by cycle. Only its array is run: its memories are not those of a chiplet, whose
communication the cost model has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil, prod
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from instances.cost.facts import ISP, WSP, WSP_SHARDED
from instances.cost.given import Share, shares, source_of
from instances.instance import Instance
from instances.network import Layer
from instances.package import Package
from instances.tables import Ints

LONGEST = 4_000_000
"""Cycles of a product that SCALE-Sim is asked to step through: it keeps a row for each."""


class Product(NamedTuple):
    """Positions, inputs of a position, output channels."""

    positions: int
    depth: int
    channels: int


@dataclass
class Systolic:
    """SCALE-Sim's weight-stationary array.

    Attributes:
        rows, columns: of the array; a row holds an input of a position, a column a channel.
        known: cycles of each product so far.
        seconds: that they have taken.
    """

    rows: int
    columns: int
    known: dict[Product, int] = field(default_factory=dict)
    seconds: float = 0.0

    def cycles(self, product: Product) -> int:
        """Cycles from the first weight to the last result.

        Raises:
            ImportError: SCALE-Sim is not installed.
            ValueError: it would take too long.
        """
        if self.by_formula(product) > LONGEST:
            raise ValueError(f"{product} would take more than {LONGEST:,} steps of SCALE-Sim")
        if product not in self.known:
            start = perf_counter()
            self.known[product] = self._simulated(product)
            self.seconds += perf_counter() - start
        return self.known[product]

    def folds(self, product: Product) -> int:
        """How often the array is filled with weights."""
        return ceil(product.depth / self.rows) * ceil(product.channels / self.columns)

    @property
    def fill(self) -> int:
        """Cycles of a fold beside one a position: weights in, inputs across, results out."""
        return 2 * self.rows + self.columns - 2

    def by_formula(self, product: Product) -> int:
        """What the simulation is found to come to."""
        return self.folds(product) * (product.positions + self.fill)

    def _simulated(self, product: Product) -> int:
        simulation = _layer_of(product, self.rows, self.columns)
        operands = simulation.op_mat_obj
        _, inputs = operands.get_ifmap_matrix()
        _, weights = operands.get_filter_matrix()
        _, outputs = operands.get_ofmap_matrix()
        array = simulation.compute_system
        array.set_params(
            config_obj=simulation.config,
            ifmap_op_mat=inputs,
            filter_op_mat=weights,
            ofmap_op_mat=outputs,
            sparsity_ratio_N=1,
            sparsity_ratio_M=1,
            ifmap_op_mat_original=operands.ifmap_addr_matrix_original,
            sparsity_filter_array=operands.sparse_filter_array,
        )
        _, _, written = array.get_demand_matrices()
        return len(written)


def _layer_of(product: Product, rows: int, columns: int) -> Any:
    """SCALE-Sim's simulation of one layer that is this product."""
    try:
        from scalesim.layout_utils import layouts
        from scalesim.scale_config import scale_config
        from scalesim.single_layer_sim import single_layer_sim
        from scalesim.topology_utils import topologies
    except ImportError as error:
        raise ImportError(
            f"SCALE-Sim cannot be loaded ({error}): pip install 'chipweave[scalesim]'"
        ) from None
    config = scale_config()
    config.array_rows, config.array_cols, config.df = rows, columns, "ws"
    config.valid_conf_flag = True  # as if read from a file
    # Name; height and width of the input and of the kernel; channels, filters, strides, sparsity.
    m, k, n = product
    topology = topologies()
    topology.load_layer_params_from_list("product", ["product", m, k, 1, k, 1, n, 1, 1, 1, 1])
    simulation = single_layer_sim()
    simulation.set_params(
        layer_id=0, config_obj=config, topology_obj=topology, layout_obj=layouts(), verbose=False
    )
    return simulation


def product_of(layer: Layer, share: Share) -> tuple[Product, int]:
    """What a chiplet computes as a product of matrices, and how often: once a group."""
    own = layer.channels // layer.groups
    taps, groups = prod(layer.kernel), ceil(share.channels / own)
    channels, depth = min(share.channels, own), share.depth
    if layer.kind == "deconv":  # every position makes all taps of its outputs
        channels *= taps
    else:
        depth *= taps
    return Product(prod(share.positions), depth, channels), groups


def systolic_of(package: Package) -> Systolic:
    """The array of a package's chiplets.

    Raises:
        ValueError: it is not weight-stationary.
    """
    chiplet = package.chiplet
    if chiplet.dataflow != "weight-stationary":
        raise ValueError(
            f"package {package.name!r}: found {chiplet.dataflow} chiplets, expected"
            " weight-stationary ones: SCALE-Sim's other arrays unroll other loops than ours do"
        )
    channels, depth = chiplet.array
    return Systolic(rows=depth, columns=channels)


@dataclass(frozen=True)
class Compared:
    """A network on a package, by both counts.

    Attributes:
        instance: with our cycles.
        array: the simulated array.
        sizes: of regions that were simulated; those between take as long as the next smaller one.
        compute: [L,O,C] SCALE-Sim's cycles.
    """

    instance: Instance
    array: Systolic
    sizes: Sequence[int]
    compute: Ints


def compared(
    instance: Instance, sizes: Iterable[int], watch: Callable[[str], object] | None = None
) -> Compared:
    """Run SCALE-Sim for every distinct product of a network's layers.

    Raises:
        ImportError: SCALE-Sim is not installed.
        ValueError: not a network on a weight-stationary package, or a layer is too large.
    """
    network, package = source_of(instance)
    array = systolic_of(package)
    wanted = sorted({1, *(n for n in sizes if n <= package.chiplets)})
    compute = np.zeros((len(instance.layers), len(instance.options), package.chiplets), np.int64)
    for share in shares(network, package, (ISP, WSP)):
        here = share.layer, share.option, share.chiplets - 1
        if share.chiplets not in wanted:
            compute[here] = compute[*here[:2], share.chiplets - 2]
            continue
        if watch is not None and share.chiplets == 1:
            watch(instance.layers[share.layer])
        product, groups = product_of(network.layers[share.layer], share)
        compute[here] = groups * array.cycles(product)
    compute[:, WSP_SHARDED] = compute[:, WSP]
    return Compared(instance, array, wanted, compute)
