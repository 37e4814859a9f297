"""The built-in networks against the operator traces and totals in facts/ (see facts/derive.py)."""

from __future__ import annotations

import csv
import json
from math import prod
from pathlib import Path
from typing import Any

import pytest

from instances.network import Layer, Network
from instances.networks import NETWORKS, build_network, is_network_name, network_names
from instances.networks.chain import random_chain

FACTS = Path(__file__).parent / "facts"
TRACED = sorted(path.stem for path in FACTS.glob("*.json"))
DECODE = {"gpt2-decode": "gpt2", "gpt2-xl-decode": "gpt2-xl"}
SIZED = {"gpt2-large"}
"""Other sizes of traced networks; test_networks_transformers.py has their facts."""


def totals() -> dict[str, tuple[int, str]]:
    with (FACTS / "totals.csv").open() as file:
        rows = csv.DictReader(file)
        return {row["name"]: (int(row["parameters"]), row["macs_millions"]) for row in rows}


def traced(name: str, *columns: str) -> list[list[Any]]:
    """The named columns of the traced compute operators, in order."""
    facts = json.loads((FACTS / f"{name}.json").read_text())
    chosen = [facts["columns"].index(column) for column in columns]
    return [[row[column] for column in chosen] for row in facts["layers"]]


def operator(layer: Layer) -> list[Any]:
    """A layer in the words of the traces."""
    weight = [layer.channels, layer.depth // layer.groups, *layer.kernel]
    scale = layer.stride if layer.kind == "deconv" else (1, 1)
    output = [layer.positions[0] * scale[0], layer.positions[1] * scale[1]]
    return [layer.kind, weight, output, layer.groups, layer.macs]


def layer_named(network: Network, name: str) -> Layer:
    return next(layer for layer in network.layers if layer.name == name)


def test_every_built_in_network_but_decoding_and_other_sizes_has_facts() -> None:
    assert set(network_names()) - set(DECODE) - SIZED == set(totals())
    assert {name for name in totals() if not name.endswith("-v1")} == set(TRACED)


@pytest.mark.parametrize("name", totals())
def test_parameters_and_macs_are_the_published_ones(name: str) -> None:
    network = build_network(name)
    assert (network.parameters, f"{network.macs / 1e6:.2f}") == totals()[name]


@pytest.mark.parametrize("name", TRACED)
def test_layers_are_the_traced_compute_operators_in_order(name: str) -> None:
    rows = [operator(layer) for layer in build_network(name).layers]
    assert rows == traced(name, "kind", "weight", "output", "groups", "macs")


@pytest.mark.parametrize("name", TRACED)
def test_edges_are_those_of_the_trace_under_the_fusion_rule(name: str) -> None:
    reads = [row[0] for row in traced(name, "reads")]
    expected = {(before, after) for after, reads_of in enumerate(reads) for before in reads_of}
    assert set(build_network(name).edges) == expected


@pytest.mark.parametrize("name", TRACED)
def test_tensors_between_layers_have_the_traced_size_after_fused_pooling(name: str) -> None:
    network = build_network(name)
    sizes = [sum(prod(network.shape(t)) for t in layer.inputs) for layer in network.layers]
    assert sizes == [row[0] for row in traced(name, "input_elements")]


@pytest.mark.parametrize("name", NETWORKS)
def test_network_is_named_as_asked_and_ordered_and_has_no_idle_tensor(name: str) -> None:
    network = build_network(name)
    assert network.name == name
    assert network.edges
    assert all(before < after for before, after in network.edges)
    assert all(tensor.elements > 0 for tensor in network.tensors)
    made = sum(len(layer.outputs) for layer in network.layers) + len(network.inputs)
    assert made == len(network.tensors), "a tensor is neither read nor a result"


@pytest.mark.parametrize("name", NETWORKS)
def test_deconvolutions_and_matmuls_keep_their_sizes_consistent(name: str) -> None:
    network = build_network(name)
    for layer in network.layers:
        if layer.kind == "deconv":
            rows, columns = operator(layer)[2]
            assert layer.outputs == ((layer.name, (layer.channels, rows, columns)),)
        elif layer.kind == "matmul":
            supplied = sum(prod(network.shape(tensor)) for tensor in layer.operands)
            assert supplied == layer.channels * layer.depth // layer.groups


@pytest.mark.parametrize("name", [name for name in network_names() if name.endswith("-v1")])
def test_first_version_of_a_resnet_differs_only_in_where_it_strides(name: str) -> None:
    first, later = build_network(name), build_network(name.removesuffix("-v1"))
    assert first.edges == later.edges
    assert [layer.weights for layer in first.layers] == [layer.weights for layer in later.layers]
    strides = [
        [network.layers[index].stride for index, layer in enumerate(later.layers)]
        for network in (first, later)
    ]
    moved = [i for i, (a, b) in enumerate(zip(*strides, strict=True)) if a != b]
    assert len(moved) == 6, "three strided bottlenecks, two convolutions each"
    assert {first.layers[i].kernel for i in moved if first.layers[i].stride == (2, 2)} == {(1, 1)}
    assert {later.layers[i].kernel for i in moved if later.layers[i].stride == (2, 2)} == {(3, 3)}


def test_residual_addition_is_fused_into_the_downsample_convolution() -> None:
    network = build_network("resnet50")
    assert layer_named(network, "layer2.0.downsample").addends == ("layer2.0.conv3",)
    assert layer_named(network, "layer2.1.conv3").addends == ("layer2.0.downsample",)
    assert layer_named(network, "layer2.0.conv3").addends == ()


def test_gate_multiplies_the_depthwise_map_in_the_second_gate_convolution() -> None:
    network = build_network("efficientnet_b0")
    depthwise = layer_named(network, "stage2.0.depthwise")
    excite = layer_named(network, "stage2.0.excite")
    assert dict(depthwise.outputs) == {
        "stage2.0.depthwise": (96, 56, 56),
        "stage2.0.depthwise:mean": (96, 1, 1),
    }
    assert (excite.positions, excite.addends) == ((1, 1), ("stage2.0.depthwise",))
    assert excite.outputs == (("stage2.0.excite", (96, 56, 56)),)


def test_grid_reduction_takes_a_pooled_copy_of_every_concatenated_tensor() -> None:
    network = build_network("inception_v3")
    copied = [layer for layer in network.layers if len(layer.outputs) == 2]
    assert {layer.name.split(".")[0] for layer in copied} == {"mixed5d", "mixed6e"}
    assert len(copied) == 8
    assert dict(copied[0].outputs) == {
        "mixed5d.1x1": (64, 35, 35),
        "mixed5d.1x1:pooled": (64, 17, 17),
    }


def test_u_net_keeps_the_map_for_the_skip_beside_its_pooled_copy() -> None:
    network = build_network("unet")
    assert dict(layer_named(network, "down0.conv2").outputs) == {
        "down0.conv2": (64, 256, 256),
        "down0.conv2:pooled": (64, 128, 128),
    }
    assert layer_named(network, "up0.conv1").inputs == ("down0.conv2", "up0.deconv")


def test_darknet_classifier_is_averaged_to_one_position() -> None:
    network = build_network("darknet19")
    assert network.layers[-1].positions == (7, 7)
    assert network.layers[-1].outputs == (("classifier", (1000, 1, 1)),)


def test_vision_transformer_head_reads_the_class_token_alone() -> None:
    network = build_network("vit_b_16")
    assert network.layers[0].outputs == (("conv_proj", (768, 197, 1)),)
    assert network.shape(network.layers[-1].inputs[0]) == (768, 1, 1)


@pytest.mark.parametrize("name", ["gpt2", "bert-large"])
def test_an_unknown_argument_of_a_known_network_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name} has no argument 'tokens'; it takes sequence$"):
        build_network(name, tokens=128)


def test_a_network_without_arguments_refuses_a_sequence() -> None:
    with pytest.raises(ValueError, match=r"^resnet50 has no argument 'sequence'; it takes none$"):
        build_network("resnet50", sequence=128)


def test_an_unknown_network_is_named_with_close_matches_and_the_list() -> None:
    expected = r"no built-in network 'ResNet-50'\. Did you mean resnet50"
    with pytest.raises(ValueError, match=expected) as caught:
        build_network("ResNet-50")
    assert str(caught.value).endswith(", ".join(NETWORKS))


def test_an_unknown_network_like_no_other_gets_only_the_list() -> None:
    with pytest.raises(ValueError, match="no built-in network 'xyzzy'") as caught:
        build_network("xyzzy")
    assert "Did you mean" not in str(caught.value)


def test_every_network_has_a_one_line_description() -> None:
    descriptions = [entry.description for entry in NETWORKS.values()]
    assert all(text and "\n" not in text for text in descriptions)
    assert len(set(descriptions)) == len(descriptions)


@pytest.mark.parametrize("name", ["chain-1", "chain-4", "chain-37", "gpt-stack-1", "gpt-stack-20"])
def test_a_generated_network_has_as_many_layers_as_its_name_says(name: str) -> None:
    network = build_network(name)
    assert network.name == name
    assert len(network.layers) == int(name.rsplit("-", 1)[1])
    assert is_network_name(name)


def test_a_chain_is_a_chain_that_its_seed_decides() -> None:
    network = random_chain(60, seed=3)
    assert network.edges == tuple((layer, layer + 1) for layer in range(59))
    assert network == random_chain(60, seed=3) != random_chain(60, seed=4)
    assert {layer.kernel for layer in network.layers} == {(1, 1), (3, 3), (5, 5)}


def test_a_stack_of_blocks_begins_like_gpt2_and_hands_out_every_cache() -> None:
    stack, gpt2 = build_network("gpt-stack-14", sequence=64), build_network("gpt2", sequence=64)
    assert stack.layers[:11] == gpt2.layers[:11]
    leaving = [tensor.name for tensor in stack.tensors if tensor.leaves]
    caches = [f"block{block}.c_attn:{label}" for block in (0, 1) for label in "kv"]
    assert leaving == [*caches, "project1"]


@pytest.mark.parametrize("name", ["chain-0", "gpt-stack-10001"])
def test_a_generated_network_of_too_many_layers_or_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: expected 1 to 10,000 layers$"):
        build_network(name)


@pytest.mark.parametrize(
    "name", ["chain", "chain-", "chain-x", "chain-5-5", "gpt-stack", "stack-5"]
)
def test_a_name_that_only_resembles_a_generated_network_is_unknown(name: str) -> None:
    assert not is_network_name(name)
    with pytest.raises(ValueError, match="there is no built-in network"):
        build_network(name)
