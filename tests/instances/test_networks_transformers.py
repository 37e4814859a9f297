"""Sequence lengths, decoding with a cache, and what leaves a transformer."""

from __future__ import annotations

import pytest

from instances.network import Network
from instances.networks import build_network

HIDDEN, BLOCKS, WORDS = 768, 12, 50257
"""GPT-2, 124 M parameters."""


def gpt2_linear_macs(hidden: int, blocks: int) -> int:
    """MACs of one token in every layer but attention: 3 + 1 + 4 + 4 squares a block, the head."""
    return blocks * 12 * hidden * hidden + hidden * WORDS


@pytest.mark.parametrize(
    ("name", "hidden", "blocks"), [("gpt2-decode", 768, 12), ("gpt2-xl-decode", 1600, 48)]
)
@pytest.mark.parametrize("sequence", [2, 513, 1024])
def test_decoding_costs_one_token_and_two_passes_over_the_context(
    name: str, hidden: int, blocks: int, sequence: int
) -> None:
    network = build_network(name, sequence=sequence)
    attention = blocks * 2 * hidden * sequence
    assert network.macs == gpt2_linear_macs(hidden, blocks) + attention


@pytest.mark.parametrize(
    ("name", "hidden", "blocks", "heads", "parameters"),
    [
        ("gpt2", 768, 12, 12, 124_439_808),
        ("gpt2-large", 1280, 36, 20, 774_030_080),
        ("gpt2-xl", 1600, 48, 25, 1_557_611_200),
    ],
)
def test_a_size_of_gpt2_has_the_blocks_heads_and_parameters_of_its_checkpoint(
    name: str, hidden: int, blocks: int, heads: int, parameters: int
) -> None:
    """Sizes: Radford et al. 2019, table 2; parameters: the published checkpoints, head tied."""
    network = build_network(name)
    assert network.parameters == parameters
    attention = [layer for layer in network.layers if layer.kind == "matmul"]
    assert len(network.layers) == 6 * blocks + 1
    assert [layer.groups for layer in attention] == [heads] * 2 * blocks
    tokens = 1024
    assert sum(layer.macs for layer in attention) == 2 * blocks * hidden * tokens**2
    other = network.macs - sum(layer.macs for layer in attention)
    assert other == tokens * gpt2_linear_macs(hidden, blocks)


@pytest.mark.parametrize("name", ["gpt2", "gpt2-xl"])
def test_decoding_has_the_weights_of_the_prefill(name: str) -> None:
    prefill, decode = build_network(name), build_network(f"{name}-decode")
    assert decode.parameters == prefill.parameters
    assert [layer.name for layer in decode.layers] == [layer.name for layer in prefill.layers]
    assert [layer.weights for layer in decode.layers] == [la.weights for la in prefill.layers]


def test_decoding_reads_the_cache_from_outside_and_hands_back_the_new_keys_and_values() -> None:
    network = build_network("gpt2-decode", sequence=100)
    inputs = dict(network.inputs)
    assert inputs.pop("embeddings") == (HIDDEN, 1, 1)
    assert len(inputs) == 2 * BLOCKS
    assert set(inputs.values()) == {(HIDDEN, 99, 1)}
    layers = {layer.name: layer for layer in network.layers}
    assert layers["block3.qk"].operands == ("block3.k_cache", "block3.c_attn:k")
    assert layers["block3.av"].operands == ("block3.v_cache", "block3.c_attn:v")
    assert layers["block3.qk"].outputs == (("block3.qk", (12 * 100, 1, 1)),)
    new = {f"block{block}.c_attn:{label}" for block in range(BLOCKS) for label in "kv"}
    assert set(network.results) == {"lm_head", *new}


def test_prefill_hands_out_the_cache_that_decoding_reads() -> None:
    prefill = build_network("gpt2", sequence=99)
    decode = build_network("gpt2-decode", sequence=100)
    filled = [prefill.shape(name) for name in prefill.results if name != "lm_head"]
    assert filled == [shape for name, shape in decode.inputs if name != "embeddings"]


def test_embedded_tokens_are_the_first_input_and_the_first_residual_of_gpt2() -> None:
    network = build_network("gpt2", sequence=64)
    assert network.inputs == (("embeddings", (HIDDEN, 64, 1)),)
    readers = [layer for layer in network.layers if "embeddings" in layer.reads]
    assert [layer.name for layer in readers] == ["block0.c_attn", "block0.c_proj"]
    assert readers[0].inputs == ("embeddings",)
    assert readers[1].addends == ("embeddings",)


def test_word_embedding_of_gpt2_counts_once_and_sits_in_the_head() -> None:
    network = build_network("gpt2", sequence=64)
    assert network.layers[-1].parameters == WORDS * HIDDEN
    assert network.tables == (
        ("position_embedding", 1024 * HIDDEN),
        ("embeddings:norm", 2 * HIDDEN),
    )


def test_bert_returns_every_token_and_pools_the_first() -> None:
    network = build_network("bert-base", sequence=128)
    assert [network.shape(name) for name in network.results] == [(768, 128, 1), (768, 1, 1)]
    assert network.layers[-1].inputs == ("block11.fc2:first",)
    assert network.shape("block11.fc2:first") == (768, 1, 1)


def attention_and_other_macs(network: Network) -> tuple[int, int]:
    attention = sum(layer.macs for layer in network.layers if layer.kind == "matmul")
    return attention, network.macs - attention


@pytest.mark.parametrize("name", ["bert-base", "bert-large", "gpt2", "gpt2-xl"])
def test_twice_the_tokens_is_four_times_the_attention_and_twice_the_rest(name: str) -> None:
    short = build_network(name, sequence=256)
    long = build_network(name, sequence=512)
    # The pooler works on one token, whatever the length.
    once = short.layers[-1].macs if name.startswith("bert") else 0
    attention, other = attention_and_other_macs(short)
    assert attention_and_other_macs(long) == (4 * attention, 2 * (other - once) + once)
    assert long.parameters == short.parameters


@pytest.mark.parametrize(
    ("name", "sequence", "shortest", "longest"),
    [
        ("bert-base", 513, 1, 512),
        ("bert-large", 0, 1, 512),
        ("gpt2", 1025, 1, 1024),
        ("gpt2-decode", 1, 2, 1024),
        ("gpt2-xl-decode", -3, 2, 1024),
    ],
)
def test_a_sequence_beyond_the_learned_positions_is_refused(
    name: str, sequence: int, shortest: int, longest: int
) -> None:
    expected = f"{name}: sequence is {sequence}, expected a whole number from {shortest} to"
    with pytest.raises(ValueError, match=f"{expected} {longest}"):
        build_network(name, sequence=sequence)


def test_a_sequence_that_is_no_whole_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sequence is 1\.5, expected a whole number"):
        build_network("gpt2", sequence=1.5)  # type: ignore[arg-type]
