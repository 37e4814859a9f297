"""What the cost model knows of a network and a package, as flat arrays for compiled kernels.

Everything here is linear in the layers, the tensors and the chiplets.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil, isqrt, prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from instances.network import OUTSIDE, Layer, Network, Tensor
from instances.package import Package
from instances.tables import Ints

OPTIONS = ("ISP", "WSP", "WSP-sharded")
"""Input shared, weights split by output channel; weights shared, positions split, with the weights
replicated; the same with the weights in shards that are gathered before use."""

ISP, WSP, WSP_SHARDED = range(3)

INPUT, OPERAND, ADDEND = 1, 2, 4
"""How a layer reads a tensor: activation input, second operand of a matmul, element-wise addend.
The roles of one use add up; the first one in this order is its main role."""

Records = NDArray[Any]
"""A structured array, one record a row."""

MAX_DENOMINATOR = 2**61
"""The kernels' exact division needs two bits to spare."""


def _record(*names: str, real: Sequence[str] = ()) -> np.dtype[np.void]:
    fields = [(name, np.float64 if name in real else np.int64) for name in names]
    return np.dtype(fields, align=True)


LAYER = _record(
    "channels",  # K
    "depth",  # D / g
    "taps",  # R * S
    "rows",  # P
    "columns",  # Q
    "row_slope",  # a tile of p rows reads slope * p + rest rows of input
    "column_slope",
    "row_rest",
    "column_rest",
    "weights",  # bytes; so are the following
    "inputs",  # of the tensors whose main role is input
    "addends",  # likewise
    "operands",  # likewise
    "stationed",  # of all tensors that are operands, whatever else they are
    "window",  # of the inputs that a row of outputs reads
    "made",
    "held",  # of all tensors read and made
    "cut",  # its cuts are cuts[cut] to cuts[cut_end]
    "cut_end",
    "macs",
    "uses",  # where its uses, tensors and waits begin; they end where the next layer's begin
    "makes",
    "waits",
    real=("macs",),
)

USE = _record(
    "layer",  # that reads it
    "tensor",
    "roles",
    "bytes",
    "position",  # bytes of all channels of one position
    "height",
    "width",
    "window",  # rows of it that a row of outputs reads
    "producer",
    "since",  # the use before it, or the producer
    "until",  # the last use anywhere, the number of layers if the tensor leaves
    "chain",  # whether the layer follows the producer: `entry` and `step` pay for it
)

TENSOR = _record(
    "producer",
    "until",  # the last use, the number of layers if it leaves
    "bytes",
    "skip",  # whether the chain tables do not say everything about it
)

WAIT = _record("until", "bytes")

CUT = _record("chiplets", "rows", "columns")

PACKAGE = _record(
    "chiplets",
    "element",
    "overlap",
    "stationary",  # whether weights are (or else outputs)
    "across",  # the extents of the array
    "down",
    "buffer",
    "hop",  # cycles
    "wait",  # cycles of a first access to DRAM
    "port_numerator",  # cycles of a byte
    "port_denominator",
    "dram_numerator",
    "dram_denominator",
    "mac_pj",
    "read_pj",  # of a bit, as the following
    "write_pj",
    "nop_pj",
    "dram_pj",
    real=("mac_pj", "read_pj", "write_pj", "nop_pj", "dram_pj"),
)


class Facts(NamedTuple):
    """A network on a package.

    Attributes:
        layers: [L+1] LAYER; the last one only says where the uses, tensors and waits end.
        uses: USE, by layer: every tensor that it reads.
        tensors: TENSOR, by producer; those from outside come first.
        waits: WAIT, by the layer that makes or reads a tensor which then waits.
        cuts: CUT, for each distinct shape of positions by rising number of chiplets.
        reach: [C+1] cycles from end to end of a region of c chiplets.
        package: [1] PACKAGE.
    """

    layers: Records
    uses: Records
    tensors: Records
    waits: Records
    cuts: Records
    reach: Ints
    package: Records


def gather_facts(network: Network, package: Package) -> Facts:
    """All facts of a network on a package.

    Raises:
        ValueError: the bandwidth of the DRAM is beyond what the kernels can divide by.
    """
    tensors, count = network.tensors, len(network.layers)
    producers = [tensor.producer for tensor in tensors]
    last_uses = [count if tensor.leaves else tensor.consumers[-1] for tensor in tensors]
    sizes = [tensor.elements * package.element_bytes for tensor in tensors]
    skips = [is_skip(tensor, count) for tensor in tensors]
    uses = _uses(network, package.element_bytes, last_uses)
    waits = _waits(tensors, last_uses, sizes, count)
    made = [0] * count
    for producer, size in zip(producers, sizes, strict=True):
        if producer != OUTSIDE:
            made[producer] += size
    cuts, places = _cuts(network, package)
    layers = np.zeros(count + 1, dtype=LAYER)
    layers[:-1] = [
        (
            *_shape(layer),
            *_bytes(layer, own, amount, package.element_bytes),
            *place,
            layer.macs,
            *(0, 0, 0),  # where its uses, tensors and waits begin: below, for the last record too
        )
        for layer, own, amount, place in zip(network.layers, uses, made, places, strict=True)
    ]
    layers["uses"], layers["waits"] = _offsets(uses), _offsets(waits)
    layers["makes"] = np.searchsorted(producers, np.arange(count + 1))
    return Facts(
        layers=layers,
        uses=_flat(uses, USE),
        tensors=np.array(list(zip(producers, last_uses, sizes, skips, strict=True)), TENSOR),
        waits=_flat(waits, WAIT),
        cuts=cuts,
        reach=_reach(package),
        package=_constants(package),
    )


def no_facts() -> Facts:
    """Facts of nothing, for kernels that are given tables."""
    kinds: list[Any] = [LAYER, USE, TENSOR, WAIT, CUT, np.int64, PACKAGE]
    return Facts(*(np.zeros(0, dtype=kind) for kind in kinds))


def is_skip(tensor: Tensor, count: int) -> bool:
    """Whether the chain tables of so many layers do not say everything about the tensor."""
    leaves_early = tensor.leaves and tensor.producer < count - 1
    return leaves_early or any(v != tensor.producer + 1 for v in tensor.consumers)


def _shape(layer: Layer) -> tuple[int, ...]:
    """The first fields of LAYER."""
    return (
        layer.channels,
        layer.depth // layer.groups,
        prod(layer.kernel),
        *layer.positions,
        *_slopes(layer),
        *_rests(layer),
    )


def _slopes(layer: Layer) -> tuple[int, int]:
    """By axis: n neighbouring positions read slope * n + rest positions of the input."""
    return (1, 1) if layer.kind == "deconv" else layer.stride


def _rests(layer: Layer) -> tuple[int, int]:
    (r, s), (down, across) = layer.kernel, layer.stride
    if layer.kind == "deconv":
        return (r - 1) // down, (s - 1) // across
    return r - down, s - across


_Use = tuple[int, ...]


def _uses(network: Network, element_bytes: int, last_uses: list[int]) -> list[list[_Use]]:
    """Every tensor that each layer reads, once each, as USE."""
    tensors = network.tensors
    index = {tensor.name: which for which, tensor in enumerate(tensors)}
    since = [tensor.producer for tensor in tensors]
    found: list[list[_Use]] = []
    for at, layer in enumerate(network.layers):
        own: list[_Use] = []
        for name in layer.reads:
            which = index[name]
            producer, (channels, height, width) = tensors[which].producer, tensors[which].shape
            position = channels * element_bytes
            size, until = position * height * width, last_uses[which]
            window = height if layer.positions[0] == 1 else min(height, layer.kernel[0])
            extents = (size, position, height, width, window)
            place = (producer, since[which], until, int(producer + 1 == at))
            own.append((at, which, _roles(layer, name), *extents, *place))
            since[which] = at
        found.append(own)
    return found


def _roles(layer: Layer, name: str) -> int:
    readings = ((INPUT, layer.inputs), (OPERAND, layer.operands), (ADDEND, layer.addends))
    return sum(role for role, names in readings if name in names)


def _bytes(layer: Layer, uses: list[_Use], made: int, element_bytes: int) -> tuple[int, ...]:
    """The fields of LAYER that are bytes."""
    by_role = {INPUT: 0, ADDEND: 0, OPERAND: 0}
    stationed = window = held = 0
    for _, _, roles, size, position, _, width, rows, *_ in uses:
        by_role[roles & -roles] += size
        held += size
        if roles & OPERAND:
            stationed += size
        if roles & INPUT:
            window += position * rows * width
    weights = layer.weights * element_bytes
    return weights, *by_role.values(), stationed, window, made, made + held


def _cuts(network: Network, package: Package) -> tuple[Records, list[tuple[int, int]]]:
    """CUT of all distinct shapes, and where those of each layer begin and end."""
    from instances.cost.cuts import cut_positions

    chiplet = package.chiplet
    passes = (1, 1) if chiplet.dataflow == "weight-stationary" else chiplet.array
    places: dict[object, tuple[int, int]] = {}
    found, end = [], 0
    keys = [(layer.positions, _slopes(layer), _rests(layer)) for layer in network.layers]
    for key in keys:
        if key not in places:
            cuts = cut_positions(*key, passes, package.chiplets)
            places[key] = (end, end + len(cuts))
            end += len(cuts)
            found.append(cuts)
    return np.concatenate(found).view(CUT)[:, 0], [places[key] for key in keys]


def _waits(
    tensors: Sequence[Tensor], last_uses: list[int], sizes: list[int], count: int
) -> list[list[tuple[int, int]]]:
    """Tensors that wait after a layer, as WAIT: it makes or reads them, the next one does not."""
    waits: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for tensor, last_use, size in zip(tensors, last_uses, sizes, strict=True):
        uses = [tensor.producer, *tensor.consumers, last_use]
        for since, until in pairwise(uses):
            if since >= 0 and until > since + 1:
                waits[since].append((until, size))
    return waits


_Rows = Sequence[Sequence[tuple[int, ...]]]


def _offsets(rows: _Rows) -> Ints:
    return np.cumsum([0, *map(len, rows)]).astype(np.int64)


def _flat(rows: _Rows, kind: np.dtype[np.void]) -> Records:
    return np.array([record for row in rows for record in row], dtype=kind)


def _reach(package: Package) -> Ints:
    """[C+1] cycles of the hops between the farthest chiplets of a near-square region."""
    ways = (way_cycles(package, diameter(n)) for n in range(1, package.chiplets + 1))
    return np.array([0, *ways])


def way_cycles(package: Package, hops: int) -> int:
    """Cycles that the latency of so many hops takes."""
    return ceil(hops * _cycles(package, package.nop.hop_ns))


def diameter(n: int) -> int:
    """Hops between the farthest chiplets of a near-square region of n chiplets."""
    side = isqrt(n - 1) + 1
    return side - (-n // side) - 2


def _cycles(package: Package, nanoseconds: float) -> Fraction:
    return Fraction(str(nanoseconds)) * package.chiplet.clock_hz / 10**9


def _constants(package: Package) -> Records:
    """PACKAGE, all rates exact."""
    chiplet, nop, dram = package.chiplet, package.nop, package.dram
    port = Fraction(chiplet.clock_hz, nop.bandwidth)
    ports = Fraction(chiplet.clock_hz, dram.bandwidth * dram.ports)
    if max(port.denominator, ports.denominator) >= MAX_DENOMINATOR:
        raise ValueError(
            f"package {package.name!r}: {dram.ports} DRAM ports of {dram.bandwidth} bytes a second"
            f" against a clock of {chiplet.clock_hz} Hz are beyond exact arithmetic in 64 bits:"
            " make the bandwidth smaller or rounder"
        )
    record = (
        package.chiplets,
        package.element_bytes,
        package.overlap,
        chiplet.dataflow == "weight-stationary",
        *chiplet.array,
        chiplet.buffer_bytes,
        way_cycles(package, 1),
        ceil(_cycles(package, dram.latency_ns)),
        *port.as_integer_ratio(),
        *ports.as_integer_ratio(),
        chiplet.mac_pj,
        chiplet.buffer_read_pj_per_bit,
        chiplet.buffer_write_pj_per_bit,
        nop.pj_per_bit,
        dram.pj_per_bit,
    )
    return np.array([record], dtype=PACKAGE)
