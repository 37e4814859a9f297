"""Traffic of a segment: who sends how much to whom, and that nothing is lost on the way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances.cost import make_instance
from instances.cost.work import WEIGHTS, receipts, shares, tiling
from instances.generate import random_instance
from instances.instance import Instance
from instances.network import Layer, Network
from instances.networks import build_network
from instances.packages import load_package
from schedules.schedule import Cluster, Segment
from schedules.traffic import DRAM, Flow, flows, model_of

I, W, S = "ISP", "WSP", "WSP-sharded"  # noqa: E741

HAND = make_instance(
    Network(
        "two convolutions",
        inputs=(("image", (3, 8, 8)),),
        layers=(
            Layer(
                "a", "conv", 4, 3, (8, 8), (3, 3), inputs=("image",), outputs=(("a", (4, 8, 8)),)
            ),
            Layer("b", "conv", 4, 4, (8, 8), inputs=("a",), outputs=(("b", (4, 8, 8)),)),
        ),
    ),
    load_package("simba-2x2"),
    batch=8,
)
"""The image has 192 bytes, a and b 256 each; their weights have 108 and 16. There are two ports."""

IMAGE, A, B = 0, 1, 2


def one_each(*options: str) -> Segment:
    return Segment(tuple(Cluster(k, k, 2, (option,)) for k, option in enumerate(options)))


def test_of_two_stages_worked_by_hand() -> None:
    assert flows(HAND, one_each(I, I)) == [
        Flow(DRAM, 0, 96, True, 0, IMAGE),
        Flow(DRAM, 0, 27, False, 0, WEIGHTS, once=True),
        Flow(0, 1, 128, True, 1, A),
        Flow(1, DRAM, 64, False, 1, B),
        Flow(DRAM, 1, 4, False, 1, WEIGHTS, once=True),
    ]


def test_what_is_split_by_position_is_sent_in_parts_and_its_weights_to_all() -> None:
    found = flows(HAND, one_each(I, W))
    assert Flow(0, 1, 64, False, 1, A) in found
    assert Flow(DRAM, 1, 8, True, 1, WEIGHTS, once=True) in found


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((I, I), [Flow(0, 0, 128, True, 1, A)]),
        ((I, W), [Flow(0, 0, 64, False, 1, A)]),
        ((I, S), [Flow(0, 0, 64, False, 1, A), Flow(0, 0, 8, True, 1, WEIGHTS)]),
    ],
)
def test_inside_a_region_each_gets_what_it_misses(
    options: tuple[str, str], expected: list[Flow]
) -> None:
    found = flows(HAND, Segment((Cluster(0, 1, 2, options),)))
    assert [flow for flow in found if flow.sender == flow.receiver] == expected


def test_a_segment_reads_from_dram_what_an_earlier_one_made() -> None:
    first, second = (Segment((Cluster(k, k, 2, (I,)),)) for k in (0, 1))
    assert Flow(0, DRAM, 64, False, 0, A) in flows(HAND, first)
    assert Flow(DRAM, 0, 128, True, 1, A) in flows(HAND, second)


NETWORKS = [
    make_instance(build_network(name), load_package("simba-4x4"), 4)
    for name in ("resnet18", "googlenet", "gpt2")
]


@st.composite
def segments(draw: st.DrawFn) -> tuple[Instance, Segment]:
    """Some layers of a network in clusters on 1 to 6 chiplets each."""
    instance = draw(st.sampled_from(NETWORKS))
    layer = draw(st.integers(0, len(instance.layers) - 1))
    clusters = []
    for length in draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)):
        last = min(layer + length, len(instance.layers)) - 1
        if last >= layer:
            options = [draw(st.sampled_from(instance.options)) for _ in range(layer, last + 1)]
            clusters.append(Cluster(layer, last, draw(st.integers(1, 6)), tuple(options)))
        layer = last + 1
    return instance, Segment(tuple(clusters))


def comes(segment: Segment, flow: Flow, ports: int) -> int:
    """Bytes that one chiplet of the receiver gets."""
    if flow.sender == DRAM:
        return flow.bytes * ports
    senders = segment.clusters[flow.sender].chiplets - (flow.sender == flow.receiver)
    return flow.bytes * senders


@settings(max_examples=80)
@given(segments())
def test_each_chiplet_gets_what_the_cost_model_says_that_it_takes_in(
    case: tuple[Instance, Segment],
) -> None:
    instance, segment = case
    costs, found = model_of(instance), flows(instance, segment)
    ports = costs.package.dram.ports
    for k, own in enumerate(segment.clusters):
        wanted = receipts(costs, own.first, own.last, own.options, own.chiplets)
        coming = [flow for flow in found if flow.receiver == k and not flow.once]
        assert [(flow.layer, flow.tensor) for flow in coming] == [
            (receipt.layer, receipt.tensor) for receipt in wanted
        ]
        for flow, receipt in zip(coming, wanted, strict=True):
            rounding = comes(segment, flow, ports) - receipt.bytes
            assert 0 <= rounding < max(own.chiplets, ports, 6)
            assert (flow.sender == k) == (not receipt.outside)
        held = shares(costs, own.first, own.last, own.options, own.chiplets)
        loaded = {flow.layer: flow for flow in found if flow.receiver == k and flow.once}
        for layer, share in enumerate(held, own.first):
            got = comes(segment, loaded[layer], ports) if layer in loaded else 0
            assert 0 <= got - share.weights < ports


@settings(max_examples=80)
@given(segments())
def test_results_go_to_dram_once_and_nothing_else_does(case: tuple[Instance, Segment]) -> None:
    instance, segment = case
    costs = model_of(instance)
    ports, element = costs.package.dram.ports, costs.package.element_bytes
    sent = {f.tensor: f for f in flows(instance, segment) if f.receiver == DRAM}
    for number, tensor in enumerate(costs.network.tensors):
        made = segment.first <= tensor.producer <= segment.last
        later = any(reader > segment.last for reader in tensor.consumers)
        assert (number in sent) == (made and (tensor.leaves or later))
        if number in sent:
            chiplets = segment.clusters[sent[number].sender].chiplets
            rest = sent[number].bytes * chiplets * ports - tensor.elements * element
            assert 0 <= rest < chiplets * ports
            assert not sent[number].multicast


def test_a_tiled_layer_streams_its_plan_through_all_chiplets() -> None:
    instance = make_instance(build_network("vgg16"), load_package("simba-4x4"), 4)
    costs = model_of(instance)
    for layer, own in enumerate(costs.network.layers):
        plan = tiling(costs, layer)
        assert plan is not None
        segment = Segment((Cluster(layer, layer, 16, (I,)),), tiled=True)
        found = flows(instance, segment)
        inputs = [f for f in found if f.tensor not in (WEIGHTS,) and f.sender == DRAM]
        assert sum(f.bytes for f in inputs) == -(-plan.inputs // 2)
        assert [f.multicast for f in inputs] == [plan.by_channel]
        (results,) = [f for f in found if f.receiver == DRAM]
        assert 0 <= results.bytes * 16 * 2 - plan.made < 32
        (weights,) = [f for f in found if f.once]
        copies = 1 if plan.by_channel else 16
        reach = 16 if plan.by_channel else 1
        assert weights.multicast == (copies == 16)
        assert 0 <= weights.bytes * 2 * reach - own.weights < 32


def test_tables_do_not_say_who_sends_what() -> None:
    instance = random_instance(3, layers=2, chiplets=3)
    with pytest.raises(ValueError, match="places and traffic need a network on a package"):
        flows(instance, one_each(I, I))
