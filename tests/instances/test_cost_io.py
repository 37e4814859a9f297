"""DRAM traffic and skip tensors of whole networks, against plain counts over their layers."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.cost import build_tables
from instances.network import Layer, Network, Shape
from instances.package import Package
from instances.packages import load_package
from schedules.evaluate import cluster_cost
from schedules.schedule import Cluster

ISP, WSP, SHARDED = range(3)


def package(
    chiplets: int = 3, *, overlap: bool = False, dram: int = 10**9, hop_ns: float = 0
) -> Package:
    """A byte a cycle between chiplets and, unless told otherwise, from and to DRAM."""
    simba = load_package("simba-4x4")
    return replace(
        simba,
        mesh=(chiplets, 1),
        overlap=overlap,
        chiplet=replace(simba.chiplet, array=(1000, 1000), clock_hz=10**9),
        nop=replace(simba.nop, bandwidth=10**9, hop_ns=hop_ns),
        dram=replace(simba.dram, ports=1, bandwidth=dram),
    )


Tensors = dict[str, Shape]


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A random DAG: several tensors a layer, tensors from outside, results that leave early."""
    shapes = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
    inputs: Tensors = {f"in{k}": draw(shapes) for k in range(draw(st.integers(1, 3)))}
    known = dict(inputs)
    layers: list[Layer] = []
    for index in range(draw(st.integers(1, 7))):
        names = st.sampled_from(sorted(known))
        read = draw(st.lists(names, min_size=1, max_size=4, unique=True))
        matmul = len(read) > 1 and draw(st.booleans())
        cut = draw(st.integers(1, len(read) - 1 if matmul else len(read)))
        made = {f"t{index}.{k}": draw(shapes) for k in range(draw(st.integers(1, 2)))}
        layers.append(
            Layer(
                name=f"layer{index}",
                kind="matmul" if matmul else "conv",
                channels=draw(st.integers(1, 5)),
                depth=sum(known[name][0] for name in read[:cut]),
                positions=(draw(st.integers(1, 3)), draw(st.integers(1, 3))),
                inputs=tuple(read[:cut]),
                operands=tuple(read[cut : cut + 1] if matmul else ()),
                addends=tuple(read[cut + matmul :]),
                outputs=tuple(made.items()),
            )
        )
        known |= made
    made_names = sorted(set(known) - set(inputs))
    results = draw(st.lists(st.sampled_from(made_names), unique=True, max_size=3))
    return Network("random", tuple(inputs.items()), tuple(layers), tuple(results))


def crossing(network: Network, first: int, last: int) -> list[str]:
    """Tensors that come into layers first..last or leave them, each named once a direction."""
    layers = network.layers
    made_here = {name for layer in layers[first : last + 1] for name, _ in layer.outputs}
    read_here = {name for layer in layers[first : last + 1] for name in reads(layer)}
    read_later = {name for layer in layers[last + 1 :] for name in reads(layer)}
    anywhere = {name for layer in layers for name in reads(layer)}
    kept = set(network.results) or made_here - anywhere
    return [*(read_here - made_here), *(made_here & (read_later | kept))]


def reads(layer: Layer) -> set[str]:
    return {*layer.inputs, *layer.operands, *layer.addends}


def size(network: Network, names: list[str]) -> int:
    shapes = dict(network.inputs)
    for layer in network.layers:
        shapes |= dict(layer.outputs)
    return sum(prod(shapes[name]) for name in names)


@settings(max_examples=150)
@given(network=networks(), element_bytes=st.integers(1, 3))
def test_io_is_what_comes_in_and_what_leaves(network: Network, element_bytes: int) -> None:
    count = len(network.layers)
    tables = build_tables(network, replace(package(1, dram=2 * 10**9), element_bytes=element_bytes))
    for first in range(count):
        for last in range(count):
            moved = element_bytes * size(network, crossing(network, first, last))
            expected = ceil(moved / 2) if first <= last else 0
            assert tables.io[first, last] == expected, (first, last)


@settings(max_examples=150)
@given(network=networks(), data=st.data())
def test_a_cluster_pays_once_for_every_tensor_that_crosses_its_border(
    network: Network, data: st.DataObject
) -> None:
    """On one chiplet, a byte a cycle and no overlap, the exchange is the bytes that cross."""
    first = data.draw(st.integers(0, len(network.layers) - 1))
    last = data.draw(st.integers(first, len(network.layers) - 1))
    options = data.draw(
        st.tuples(*[st.sampled_from(["ISP", "WSP", "WSP-sharded"])] * (last - first + 1))
    )
    cost = cluster_cost(build_tables(network, package(1)), Cluster(first, last, 1, options))
    assert cost.exchange == size(network, crossing(network, first, last))


@settings(max_examples=100)
@given(network=networks())
def test_skips_are_the_tensors_that_a_chain_does_not_carry(network: Network) -> None:
    count = len(network.layers)
    expected = []
    for producer in range(-1, count):
        made = network.inputs if producer < 0 else network.layers[producer].outputs
        for name, _ in made:
            used = tuple(v for v in range(count) if name in reads(network.layers[v]))
            leaves = name in network.results
            if not network.results and producer >= 0:
                leaves = not used
            if any(v != producer + 1 for v in used) or (leaves and producer < count - 1):
                expected.append((name, producer, used, leaves))
    skips = build_tables(network, package()).skips
    assert [(s.name, s.producer, s.consumers, s.leaves) for s in skips] == expected


def conv(name: str, reads: str, channels: int, depth: int, addends: tuple[str, ...] = ()) -> Layer:
    """A 3x3 convolution on 6x6 positions that makes one tensor of its own name."""
    made = ((name, (channels, 6, 6)),)
    inputs = tuple(reads.split())
    return Layer(
        name, "conv", channels, depth, (6, 6), (3, 3), (1, 1), 1, inputs, (), addends, made
    )


RESIDUAL = Network(
    "residual",
    (("image", (2, 6, 6)),),
    (
        conv("a", "image", 4, 2),
        conv("b", "a", 8, 4),
        conv("c", "b", 4, 8, addends=("a",)),
        conv("d", "image c", 5, 6),
    ),
    results=("b", "d"),
)
"""`a` (144 bytes) goes to b and is added by c, `image` (72) to a and d; `b` (288) is a result."""

HOP = 4
SIZES = [0, 1, 2, 2, 3, 3]
"""Hops through regions of 1 to 6 chiplets."""


def test_every_use_of_a_skip_tensor_by_hand() -> None:
    tables = build_tables(RESIDUAL, package(6, hop_ns=HOP))
    image, a, b = tables.skips
    assert (image.name, image.producer, image.consumers, image.leaves) == (
        "image",
        -1,
        (0, 3),
        False,
    )
    assert (a.name, a.producer, a.consumers, a.leaves) == ("a", 0, (1, 2), False)
    assert (b.name, b.producer, b.consumers, b.leaves) == ("b", 1, (2,), True)

    reach = [HOP * hops for hops in SIZES]
    # Input tiles of 6x6, 3x6, 2x6, 3x3, 3x3, 2x3 outputs under a 3x3 kernel.
    tile = [2 * positions for positions in (36, 5 * 6, 4 * 6, 5 * 5, 5 * 5, 4 * 5)]
    assert image.enter[1, ISP].tolist() == [72 + hops for hops in reach]
    for option in (WSP, SHARDED):
        assert image.enter[1, option].tolist() == [n + h for n, h in zip(tile, reach, strict=True)]
    share = [144, 72, 48, 36, 29, 24]
    for option in (ISP, WSP, SHARDED):
        assert a.enter[1, option].tolist() == [n + h for n, h in zip(share, reach, strict=True)]

    assert image.hold.tolist() == [72, 36, 24, 18, 15, 12]
    assert a.hold.tolist() == share
    assert b.hold.tolist() == [288, 144, 96, 72, 58, 48]
    assert a.leave.tolist() == [n + HOP for n in share]
    assert b.leave.tolist() == [n + HOP for n in (288, 144, 96, 72, 58, 48)]


def test_the_layer_after_the_producer_pays_in_entry_and_not_again_in_enter() -> None:
    tables = build_tables(RESIDUAL, package(6, hop_ns=HOP))
    assert tables.compute is not None
    image, a, b = tables.skips
    for skip, layer, amount in [(image, 0, 72), (a, 1, 144), (b, 2, 288)]:
        assert (skip.enter[0] == 0).all()
        assert (skip.enter_energy[0] == 0).all()
        assert (tables.entry - tables.compute)[layer, ISP, 0] == amount
    # d reads c from its predecessor; the image is not in its entry.
    assert (tables.entry - tables.compute)[3, ISP, 0] == 144
    # c adds a, made two layers before: neither its entry nor its step has it.
    assert (tables.step - tables.compute[:, None])[2, ISP, ISP, 1] == 288 // 2 + HOP


def test_overlap_does_not_hide_skip_tensors() -> None:
    plain, hidden = (build_tables(RESIDUAL, package(6, overlap=x)) for x in (False, True))
    for one, other in zip(plain.skips, hidden.skips, strict=True):
        assert np.array_equal(one.enter, other.enter)
        assert np.array_equal(one.leave, other.leave)


def test_a_result_that_nothing_reads_leaves_without_consumers() -> None:
    early = replace(RESIDUAL.layers[0], outputs=(("a", (4, 6, 6)), ("early", (3, 1, 1))))
    network = replace(RESIDUAL, layers=(early, *RESIDUAL.layers[1:]), results=("b", "d", "early"))
    (skip,) = [s for s in build_tables(network, package(2)).skips if s.name == "early"]
    assert (skip.producer, skip.consumers, skip.leaves) == (0, (), True)
    assert skip.enter.shape == skip.enter_energy.shape == (0, 3, 2)
    assert skip.leave.tolist() == skip.hold.tolist() == [3, 2]


@pytest.mark.parametrize("role", ["addends", "operands"])
def test_a_tensor_that_a_layer_reads_in_two_roles_comes_from_dram_once(role: str) -> None:
    """x + conv(x), or x times itself."""
    kind = "matmul" if role == "operands" else "conv"
    layer = Layer("l", "conv", 4, 4, (4, 1), inputs=("x",), outputs=(("y", (4, 4, 1)),))
    twice = replace(layer, kind=kind, **{role: ("x",)})  # type: ignore[arg-type]
    network = Network("square", (("x", (4, 4, 1)),), (twice,))
    assert build_tables(network, package()).io.tolist() == [[16 + 16]]
