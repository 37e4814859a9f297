"""Encoders and decoders in the analytic model: as real layers, by hand, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from instances.compressed_costs import costs_of
from instances.compression import Compression
from instances.cost import OPTIONS, make_instance
from instances.cost.coders import compress, compressible, split_of
from instances.instance import Instance
from instances.losses import LossTable
from instances.network import Layer, Network
from instances.networks import build_network
from instances.package import Dataflow, Package
from instances.packages import load_package
from schedules.evaluate import ClusterCost, evaluate
from schedules.schedule import Cluster, Schedule, Segment

ANY = LossTable({"*": {2: 0.001, 3: 0.002, 4: 0.0031, 16: 0.25}})


def package(draw: Random | None = None, chiplets: int = 4) -> Package:
    """One byte and one nanosecond a cycle, unless drawn; energies are whole picojoules a bit."""
    simba = load_package("simba-4x4")
    chiplet = replace(
        simba.chiplet,
        array=(4, 4),
        clock_hz=10**9,
        buffer_bytes=10**6,
        mac_pj=1,
        buffer_read_pj_per_bit=2,
        buffer_write_pj_per_bit=3,
    )
    nop = replace(simba.nop, bandwidth=10**9, hop_ns=3.0, pj_per_bit=5)
    dram = replace(simba.dram, ports=1, bandwidth=10**9, latency_ns=7, pj_per_bit=11)
    found = replace(simba, mesh=(chiplets, 1), overlap=False, chiplet=chiplet, nop=nop, dram=dram)
    if draw is None:
        return found
    dataflows: list[Dataflow] = ["weight-stationary", "output-stationary"]
    return replace(
        found,
        overlap=draw.random() < 0.5,
        chiplet=replace(found.chiplet, dataflow=draw.choice(dataflows)),
        nop=replace(nop, bandwidth=draw.choice([4, 10, 37]) * 10**8),
        dram=replace(dram, bandwidth=draw.choice([1, 3, 10, 21]) * 10**8),
    )


# --- as real layers -------------------------------------------------------------------------------


def chain(draw: Random) -> Network:
    """Two to five layers, each reads what the one before it makes."""
    shape = draw.randint(1, 8), draw.randint(1, 9), draw.randint(1, 9)
    read, inputs, layers = "image", ("image", shape), []
    for index in range(draw.randint(2, 5)):
        (depth, height, width), channels = shape, draw.randint(1, 40)
        fc = draw.random() < 0.25
        positions = (1, 1) if fc else (height, width)
        shape = channels, draw.randint(1, positions[0]), draw.randint(1, positions[1])
        kernel = (1, 1) if fc else (draw.randint(1, 3), draw.randint(1, 3))
        layers.append(
            Layer(
                f"l{index}",
                "fc" if fc else "conv",
                channels,
                depth * height * width if fc else depth,
                positions,
                kernel,
                inputs=(read,),
                outputs=((f"t{index}", shape),),
            )
        )
        read = f"t{index}"
    return Network("chain", (inputs,), tuple(layers))


def segments(draw: Random, layers: int) -> Schedule:
    """Any clusters of any regions of up to four chiplets, with any options, in any segments."""
    first, found = 0, []
    while first < layers:
        ends = sorted(draw.sample(range(first + 1, layers + 1), draw.randint(1, layers - first)))
        clusters = tuple(
            Cluster(start, end - 1, draw.randint(1, 4), tuple(draw.choices(OPTIONS, k=end - start)))
            for start, end in pairwise([first, *ends])
        )
        found.append(Segment(clusters))
        first = ends[-1]
    return Schedule(tuple(found))


def drawn_ratios(draw: Random, instance: Instance) -> tuple[int, ...]:
    """A ratio that each output may have."""
    own = instance.compression
    assert own is not None
    allowed = [np.flatnonzero(row >= 0).tolist() for row in own.losses]
    return tuple(own.ratios[draw.choice(choices)] for choices in allowed)


def with_coders(
    network: Network, schedule: Schedule, ratios: Sequence[int]
) -> tuple[Network, Schedule]:
    """The network with an encoder and a decoder wherever a compressed tensor crosses."""
    tensors, name = compressible(network), "image"
    layers: list[Layer] = []
    plan: list[Segment] = []
    for segment in schedule.segments:
        clusters = []
        for cluster in segment.clusters:
            first, options = len(layers), list(cluster.options)
            ends = cluster.first - 1, cluster.last
            squeezed = [layer for layer in ends if layer >= 0 and ratios[layer] > 1]
            for layer in squeezed:
                option = OPTIONS[split_of(tensors[layer], ratios[layer])]
                options.insert(0 if layer < cluster.first else len(options), option)
            if ends[0] in squeezed:
                layers.append(coder(tensors[ends[0]].shape, ratios[ends[0]], ends[0], decodes=True))
                name = layers[-1].name
            for layer in range(cluster.first, cluster.last + 1):
                layers.append(replace(network.layers[layer], inputs=(name,)))
                name = f"t{layer}"
            if ends[1] in squeezed:
                layers.append(coder(tensors[ends[1]].shape, ratios[ends[1]], ends[1]))
                name = layers[-1].name
            clusters.append(Cluster(first, len(layers) - 1, cluster.chiplets, tuple(options)))
        plan.append(Segment(tuple(clusters)))
    return Network("real", network.inputs, tuple(layers)), Schedule(tuple(plan))


def coder(shape: tuple[int, int, int], ratio: int, of: int, *, decodes: bool = False) -> Layer:
    """An encoder, or a decoder, of the tensor of a layer: a convolution of 1 x 1 without bias."""
    channels, *at = shape
    code, where = -(-channels // ratio), (at[0], at[1])
    if decodes:
        made = (f"decoder{of}", shape)
        reads = (f"encoder{of}",)
        return Layer(f"decoder{of}", "conv", channels, code, where, inputs=reads, outputs=(made,))
    made = (f"encoder{of}", (code, *where))
    return Layer(f"encoder{of}", "conv", code, channels, where, inputs=(f"t{of}",), outputs=(made,))


def stage(cost: ClusterCost) -> tuple[int, int]:
    return cost.time, cost.energy


@settings(max_examples=150)
@given(st.integers(0, 10**6))
def test_compression_costs_what_the_coders_cost_as_real_layers_of_the_network(seed: int) -> None:
    draw = Random(seed)
    network, where = chain(draw), package(draw)
    plain = make_instance(network, where, draw.randint(1, 5))
    assume(compressible(network))
    instance = compress(plain, ANY, 1)
    schedule = segments(draw, len(network.layers))
    squeezed = replace(schedule, ratios=drawn_ratios(draw, instance))

    real, plan = with_coders(network, schedule, squeezed.ratios)
    expected = evaluate(make_instance(real, where, instance.batch), plan)
    found = evaluate(instance, squeezed)

    for own, other in zip(found.segments, expected.segments, strict=True):
        assert list(map(stage, own.clusters)) == list(map(stage, other.clusters))
        assert (own.dram, own.load, own.beat, own.time, own.energy) == (
            *(other.dram, other.load, other.beat, other.time, other.energy),
        )
    assert (found.latency, found.energy) == (expected.latency, expected.energy)


@settings(max_examples=50)
@given(st.integers(0, 10**6))
def test_coders_hold_the_weights_that_real_layers_would(seed: int) -> None:
    draw = Random(seed)
    network, where = chain(draw), package(draw)
    assume(compressible(network))
    instance = compress(make_instance(network, where, 1), ANY, 1)
    schedule = segments(draw, len(network.layers))
    ratios = drawn_ratios(draw, instance)
    real, plan = with_coders(network, schedule, ratios)
    other = make_instance(real, where, 1)
    for own, inserted in zip(schedule.segments, plan.segments, strict=True):
        for mine, theirs in zip(own.clusters, inserted.clusters, strict=True):
            assert held(instance, mine, ratios) == held(other, theirs, ())


def held(instance: Instance, cluster: Cluster, ratios: tuple[int, ...]) -> int:
    """Resident bytes of a cluster."""
    found = costs_of(instance, ratios).stage(cluster.first, cluster.last, cluster.chiplets)
    options = [OPTIONS.index(name) for name in cluster.options]
    return found.coders_resident + sum(
        int(found.resident[k, option]) for k, option in enumerate(options)
    )


# --- by hand --------------------------------------------------------------------------------------

ISP, WSP = 0, 1
BY_HAND = Network(
    "two",
    (("x", (2, 2, 2)),),
    (
        Layer("a", "conv", 8, 2, (2, 2), inputs=("x",), outputs=(("t", (8, 2, 2)),)),
        Layer("b", "conv", 4, 8, (2, 2), inputs=("t",), outputs=(("y", (4, 2, 2)),)),
    ),
)
"""t has 8 channels of 4 positions, 32 bytes; at ratio 4 its code has 2 channels, 8 bytes."""


def by_hand() -> tuple[Instance, Compression]:
    instance = compress(
        make_instance(BY_HAND, package(chiplets=2), 1), LossTable({"t": {4: 0.01}}), 0.05
    )
    assert instance.compression is not None
    return instance, instance.compression


def test_what_crosses_is_encoded_and_sent_by_hand() -> None:
    instance, own = by_hand()
    # Plain: 32 bytes and a hop of 3; on two chiplets each sends half.
    assert instance.tables.exit[0, ISP].tolist() == [32 + 3, 16 + 3]
    # A 4 x 4 array makes 2 of 8 channels in 2 passes a position; weights are replicated.
    # Two chiplets have 2 positions each. After ISP, half of 2 positions' channels, 8 bytes, come
    # first, over a hop; after WSP they are there.
    assert own.exit[1, 0, ISP].tolist() == [8 + (8 + 3), 4 + (8 + 3) + (4 + 3)]
    assert own.exit[1, 0, WSP].tolist() == [8 + (8 + 3), 4 + (4 + 3)]
    # 64 MACs, 16 weights and 32 inputs read and 8 outputs written, 8 bytes sent: 2 + 5 pJ a bit.
    macs_and_buffers = 64 + 8 * (2 * (16 + 32) + 3 * 8)
    assert own.exit_energy[1, 0, WSP, 0] == macs_and_buffers + 8 * 8 * (2 + 5)


def test_what_arrives_is_decoded_by_hand() -> None:
    instance, own = by_hand()
    assert instance.tables.entry[1, ISP].tolist() == [8 + 32, 4 * 2 + 32 + 3]
    # On one chiplet: the code's 8 bytes; 2 passes a position to decode; 2 for layer b. On two: half
    # of the code each, 2 positions, and a hop from end to end of the region. Layer b as ISP gathers
    # the other half, 16 bytes.
    assert own.entry[1, 1, ISP].tolist() == [8 + 8 + 8, 4 + 3 + 4 + (16 + 3) + 4 * 2]
    assert own.entry[1, 1, WSP].tolist() == [8 + 8 + 8, 4 + 3 + 4 + 2 * 2]


def test_a_skip_tensor_is_encoded_as_it_waits_and_used_as_it_was_decoded_by_hand() -> None:
    last = Layer(
        "c", "conv", 8, 4, (2, 2), inputs=("y",), addends=("t",), outputs=(("z", (8, 2, 2)),)
    )
    network = Network("three", BY_HAND.inputs, (*BY_HAND.layers, last))
    instance = make_instance(network, package(chiplets=2), 1)
    own = compress(instance, LossTable({"t": {4: 0.01}}), 0.05).compression
    assert own is not None
    (skip,) = own.skips
    assert (skip.producer, skip.consumers) == (0, (1, 2))
    # By channels it waits, as after ISP.
    assert skip.leave[1].tolist() == [8 + (8 + 3), 4 + (8 + 3) + (4 + 3)]
    # Decoded by positions, it is where layer c wants it as WSP; as ISP, a quarter comes first.
    assert skip.enter[1, 1, WSP].tolist() == [8 + 8, 4 + 3 + 4]
    assert skip.enter[1, 1, ISP].tolist() == [8 + 8, 4 + 3 + 4 + (8 + 3)]
    assert not skip.enter[:, 0].any()  # layer b follows: its own entry pays


def test_weights_and_dram_traffic_of_coders_by_hand() -> None:
    _, own = by_hand()
    for coders in (own.encoders, own.decoders):
        assert coders.resident[1, 0].tolist() == [16, 16]  # 8 x 2, replicated
        assert coders.load[1].tolist() == [16 + 7, 0]  # a byte a cycle, after 7
        assert coders.load_energy[1, 0] == 16 * 8 * (11 + 5 + 3)
        assert not coders.resident[0].any()
        assert not coders.load[0].any()
    assert own.saved[1].tolist() == [32 - 8, 0]
    assert own.saved_energy[1, 0] == 24 * 8 * 11
    assert own.traffic.tolist() == [[8 + 32, 8 + 16], [0, 32 + 16]]
    assert own.rate == (1, 1)


def test_losses_round_up_and_the_budget_down_to_millionths() -> None:
    instance = make_instance(BY_HAND, package(chiplets=2), 1)
    own = compress(instance, LossTable({"t": {2: 1e-7, 4: 0.0100001}}), 0.0199999).compression
    assert own is not None
    assert own.losses.tolist() == [[0, 1, 10001], [0, -1, -1]]
    assert own.budget == 19999


def test_a_wide_tensor_of_one_position_is_split_by_channels() -> None:
    wide = replace(BY_HAND.layers[0], outputs=(("t", (8, 1, 1)),))
    network = Network("wide", BY_HAND.inputs, (wide, replace(BY_HAND.layers[1], depth=8)))
    own = compress(make_instance(network, package(chiplets=2), 1), ANY, 1).compression
    assert own is not None
    four = own.ratios.index(4)
    assert own.encoders.resident[four, 0].tolist() == [16, 8]


# --- what may be compressed -----------------------------------------------------------------------


def test_only_what_one_layer_makes_and_the_network_reads_may_be_compressed() -> None:
    first, last = BY_HAND.layers
    both = replace(first, outputs=(("t", (8, 2, 2)), ("u", (8, 2, 2))))
    two = Network("two", BY_HAND.inputs, (both, replace(last, addends=("u",))))
    leaving = Network("leaving", BY_HAND.inputs, (first, last), results=("t", "y"))
    thin = replace(first, channels=1, outputs=(("t", (1, 2, 2)),))
    one = Network("one", BY_HAND.inputs, (thin, replace(last, depth=1)))
    assert list(compressible(BY_HAND)) == [0]
    assert [compressible(network) for network in (two, leaving, one)] == [{}, {}, {}]


def test_a_ratio_that_makes_no_shorter_code_cannot_be_chosen() -> None:
    instance = compress(make_instance(BY_HAND, package(), 1), ANY, 1)
    assert instance.compression is not None
    assert instance.compression.losses[0].tolist() == [0, 1000, 2000, 3100, 250_000]
    thin = replace(BY_HAND.layers[0], channels=2, outputs=(("t", (2, 2, 2)),))
    network = Network("thin", BY_HAND.inputs, (thin, replace(BY_HAND.layers[1], depth=2)))
    own = compress(make_instance(network, package(), 1), LossTable({"*": {2: 0.0}}), 1).compression
    assert own is not None
    assert own.losses.tolist() == [[0, 0], [0, -1]]


def test_a_named_tensor_has_its_own_ratios_and_the_others_those_of_the_star() -> None:
    plain = make_instance(build_network("alexnet"), load_package("simba-2x2"), 1)
    own = compress(plain, LossTable({"*": {2: 0.5}, "conv2": {4: 0.25}}), 1).compression
    assert own is not None
    assert own.ratios == (1, 2, 4)
    assert own.losses[:3].tolist() == [[0, 500_000, -1], [0, -1, 250_000], [0, 500_000, -1]]


def test_a_table_instance_is_refused(example: Instance) -> None:
    with pytest.raises(ValueError, match=r"'small' is not a network on a package.*give a network"):
        compress(example, ANY, 1)


@pytest.mark.parametrize("budget", [-0.1, float("nan"), float("inf")])
def test_a_budget_that_is_none_is_refused(budget: float) -> None:
    with pytest.raises(ValueError, match=r"accuracy budget .*expected a number of at least 0"):
        compress(make_instance(BY_HAND, package(), 1), ANY, budget)


def test_a_table_of_another_network_is_refused_with_names_of_both() -> None:
    table = LossTable({"conv9": {2: 0.1}})
    with pytest.raises(ValueError, match=r"no tensor of two, whose tensors are t, x, y.*conv9"):
        compress(make_instance(BY_HAND, package(), 1), table, 1)


def test_names_that_the_network_has_not_are_told(caplog: pytest.LogCaptureFixture) -> None:
    table = LossTable({"t": {2: 0.1}, "v": {2: 0.1}, "w": {2: 0.1}})
    instance = compress(make_instance(BY_HAND, package(), 1), table, 1)
    assert instance.compression is not None
    assert instance.compression.open == (0,)
    assert "two has no tensor v, nor 1 others of the table" in caplog.text


# --- more bandwidth -------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(["nop", "dram", "both"]))
def test_more_bandwidth_never_makes_an_entry_larger(seed: int, of: str) -> None:
    draw = Random(seed)
    network, slow = residual(chain(draw)), package(draw)
    nop, dram = slow.nop, slow.dram
    factor = draw.choice([1.01, 1.5, 4])
    if of != "dram":
        nop = replace(nop, bandwidth=int(nop.bandwidth * factor))
    if of != "nop":
        dram = replace(dram, bandwidth=int(dram.bandwidth * factor))
    more = replace(slow, nop=nop, dram=dram)
    assume(compressible(network))
    before, after = (times(network, where) for where in (slow, more))
    assert before.keys() == after.keys()
    for name, table in before.items():
        assert (after[name] <= table).all(), name


def residual(network: Network) -> Network:
    """The chain whose first tensor is added to what the last layer makes."""
    *rest, last = network.layers
    return replace(network, layers=(*rest, replace(last, addends=("t0",))))


def times(network: Network, where: Package) -> dict[str, np.ndarray]:
    """Everything in cycles."""
    own = compress(make_instance(network, where, 1), ANY, 1).compression
    assert own is not None
    skips = {
        f"{what}{n}": getattr(skip, what)
        for n, skip in enumerate(own.skips)
        for what in ("enter", "leave")
    }
    numerator, denominator = own.rate
    return {
        "entry": own.entry,
        "exit": own.exit,
        "load": own.encoders.load,
        "dram": np.array([-(-units * numerator // denominator) for units in own.traffic.flat]),
        **skips,
    }
