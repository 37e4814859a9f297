"""Transformers: ViT-B/16, BERT, GPT-2 and Emformer. A tensor of tokens is (features, tokens, 1).

Attention is two matmuls, group = head. `qk`: every query times every key, whose softmax is a
tensor of (heads * keys, queries, 1); `av`: these times the values. The embedded tokens enter from
outside; the embedding tables are look-ups, not layers. A layer norm belongs to the layer that
makes its input, and a tensor is kept once for its normalised and its residual use.
"""

from __future__ import annotations

from typing import NamedTuple

from instances.network import Network
from instances.networks.builder import Graph, Values


class Size(NamedTuple):
    """What distinguishes the networks of one family."""

    name: str
    blocks: int
    hidden: int
    heads: int


BERT_BASE = Size("bert-base", 12, 768, 12)
BERT_LARGE = Size("bert-large", 24, 1024, 16)
"""Devlin et al. 2019, section 3."""

GPT2 = Size("gpt2", 12, 768, 12)
GPT2_LARGE = Size("gpt2-large", 36, 1280, 20)
GPT2_XL = Size("gpt2-xl", 48, 1600, 25)
"""Radford et al. 2019, table 2, the smallest and the two largest."""

VIT_B_16 = Size("vit_b_16", 12, 768, 12)
"""Dosovitskiy et al. 2021, table 1."""

BLOCK_LAYERS = 6
"""Of a block of GPT-2: c_attn, qk, av, c_proj, fc1, fc2."""

EMFORMER = Size("emformer", 20, 512, 8)
"""Shi et al. 2021, arXiv 2010.10759, as `emformer_rnnt_base` of github.com/pytorch/audio."""

SEGMENT, RIGHT_CONTEXT, LEFT_CONTEXT = 16, 4, 30
"""Of Emformer: new frames, frames ahead, and cached tokens of four frames each."""

FILTER_BANKS, REDUCED, STRIDE, ENCODED = 80, 128, 4, 1024
"""Features of a frame, the same before `STRIDE` frames become a token, those of a result."""

BERT_WORDS, BERT_POSITIONS, BERT_TYPES = 30522, 512, 2
GPT2_WORDS, GPT2_POSITIONS = 50257, 1024


def vit_b_16() -> Network:
    """ViT-B/16, 224x224: 196 patches and a class token, which alone reaches the head."""
    size = VIT_B_16
    graph = Graph(size.name)
    x = graph.input("image", (3, 224, 224))
    x = graph.conv("conv_proj", x, size.hidden, 16, stride=16, padding=0, extra="bias")
    _, rows, columns = x[0].shape
    tokens = rows * columns + 1
    x = graph.part(x, "tokens", (size.hidden, tokens, 1))
    graph.table("class_token", size.hidden)
    graph.table("position_embedding", tokens * size.hidden)
    for block in range(size.blocks):
        x, _ = _pre_norm_block(graph, f"block{block}", x, size.heads)
    class_token = graph.part(graph.norm(x), "class", (size.hidden, 1, 1))
    return graph.network(graph.fc("head", class_token, 1000))


def bert(size: Size, sequence: int) -> Network:
    """BERT with its pooler, for `sequence` tokens.

    Results: the tokens of the last block, and the pooler's output on the first of them.

    Raises:
        ValueError: more tokens than the network has learned positions (512).
    """
    _check_sequence(size.name, sequence, 1, BERT_POSITIONS)
    graph = Graph(size.name)
    x = graph.input("embeddings", (size.hidden, sequence, 1))
    graph.table("word_embedding", BERT_WORDS * size.hidden)
    graph.table("position_embedding", BERT_POSITIONS * size.hidden)
    graph.table("type_embedding", BERT_TYPES * size.hidden)
    x = graph.norm(x)
    for block in range(size.blocks):
        x = _post_norm_block(graph, f"block{block}", x, size.heads)
    first_token = graph.part(x, "first", (size.hidden, 1, 1))
    return graph.network(x, graph.fc("pooler", first_token, size.hidden))


def gpt2(size: Size, sequence: int) -> Network:
    """GPT-2's prefill: `sequence` tokens at once, logits for each of them.

    Results: the logits, then each block's keys and values, which fill the cache for decoding.

    Raises:
        ValueError: more tokens than the network has learned positions (1024).
    """
    _check_sequence(size.name, sequence, 1, GPT2_POSITIONS)
    return _gpt2(size, size.name, new=sequence, cached=0)


def gpt2_decode(size: Size, sequence: int) -> Network:
    """GPT-2's decoding of one token; `sequence` counts the new token and all before it.

    The keys and values of the `sequence` - 1 earlier tokens enter from outside, two tensors a
    block. Results: the new token's logits, then its keys and values of each block.

    Raises:
        ValueError: no earlier token, or more tokens than learned positions (1024).
    """
    name = f"{size.name}-decode"
    _check_sequence(name, sequence, 2, GPT2_POSITIONS)
    return _gpt2(size, name, new=1, cached=sequence - 1)


def gpt_stack(layers: int, sequence: int) -> Network:
    """Blocks of GPT-2 one after the other, `layers` layers in all, for `sequence` tokens at once.

    What the last block of six layers leaves over are projections. Results: the last tensor, then
    each block's keys and values.

    Raises:
        ValueError: more tokens than GPT-2 has learned positions (1024).
    """
    name = f"gpt-stack-{layers}"
    _check_sequence(name, sequence, 1, GPT2_POSITIONS)
    graph = Graph(name)
    x = graph.input("embeddings", (GPT2.hidden, sequence, 1))
    cache: list[Values] = []
    for block in range(layers // BLOCK_LAYERS):
        x, keys_values = _pre_norm_block(graph, f"block{block}", x, GPT2.heads)
        cache += keys_values
    for rest in range(layers % BLOCK_LAYERS):
        x = graph.project(f"project{rest}", x, GPT2.hidden)
    return graph.network(x, *cache)


def emformer() -> Network:
    """Emformer's encoder of an RNN-T on one segment of speech, with keys and values cached.

    20 frames come in, of which four are ahead of the segment; four tokens go out. Each block keeps
    the keys and values of the 30 tokens before. `emformer_rnnt_base` has no memory bank, and
    neither has this. The predictor and the joiner of the RNN-T are not here.

    Results: the encoded segment, then each block's new keys and values.
    """
    size = EMFORMER
    graph = Graph(size.name)
    frames = graph.input("frames", (FILTER_BANKS, SEGMENT + RIGHT_CONTEXT, 1))
    x = graph.project("input_linear", frames, REDUCED, "none")
    tokens = (SEGMENT + RIGHT_CONTEXT) // STRIDE
    x = graph.part(x, "tokens", (size.hidden, tokens, 1))
    cache: list[Values] = []
    for block in range(size.blocks):
        x, keys_values = _emformer_block(graph, f"block{block}", x, size.heads)
        cache += keys_values
    segment = graph.part(x, "segment", (size.hidden, SEGMENT // STRIDE, 1))
    return graph.network(graph.norm(graph.project("output_linear", segment, ENCODED)), *cache)


def _emformer_block(
    graph: Graph, name: str, x: Values, heads: int
) -> tuple[Values, tuple[Values, Values]]:
    """Norms before attention, before the feed-forward part and at the end."""
    hidden, tokens, _ = x[0].shape
    x = graph.norm(x)
    q = graph.project(f"{name}.q", x, hidden)
    fused = graph.project(f"{name}.kv", x, 2 * hidden)
    k, v = (graph.part(fused, label, (hidden, tokens, 1)) for label in "kv")
    keys = graph.input(f"{name}.k_cache", (hidden, LEFT_CONTEXT, 1)) + k
    values = graph.input(f"{name}.v_cache", (hidden, LEFT_CONTEXT, 1)) + v
    y = _attention(graph, name, q, keys, values, heads)
    x = graph.combine(graph.project(f"{name}.out_proj", y, hidden), x)
    y = graph.project(f"{name}.fc1", graph.norm(x), 4 * hidden)
    return graph.norm(graph.combine(graph.project(f"{name}.fc2", y, hidden), x)), (k, v)


def _gpt2(size: Size, name: str, new: int, cached: int) -> Network:
    graph = Graph(name)
    x = graph.input("embeddings", (size.hidden, new, 1))
    # The word embedding is the matrix of lm_head, which holds and counts it.
    graph.table("position_embedding", GPT2_POSITIONS * size.hidden)
    cache: list[Values] = []
    for block in range(size.blocks):
        x, keys_values = _pre_norm_block(graph, f"block{block}", x, size.heads, cached)
        cache += keys_values
    logits = graph.project("lm_head", graph.norm(x), GPT2_WORDS, "none")
    return graph.network(logits, *cache)


def _pre_norm_block(
    graph: Graph, name: str, x: Values, heads: int, cached: int = 0
) -> tuple[Values, tuple[Values, Values]]:
    """The block of GPT-2 and ViT; also returns the keys and values that it computed."""
    hidden, tokens, _ = x[0].shape
    fused = graph.project(f"{name}.c_attn", graph.norm(x), 3 * hidden)
    q, k, v = (graph.part(fused, label, (hidden, tokens, 1)) for label in "qkv")
    keys, values = k, v
    if cached:
        keys = graph.input(f"{name}.k_cache", (hidden, cached, 1)) + k
        values = graph.input(f"{name}.v_cache", (hidden, cached, 1)) + v
    y = _attention(graph, name, q, keys, values, heads)
    x = graph.combine(graph.project(f"{name}.c_proj", y, hidden), x)
    y = graph.project(f"{name}.fc1", graph.norm(x), 4 * hidden)
    return graph.combine(graph.project(f"{name}.fc2", y, hidden), x), (k, v)


def _post_norm_block(graph: Graph, name: str, x: Values, heads: int) -> Values:
    """The block of BERT."""
    hidden = x[0].shape[0]
    q, k, v = (graph.project(f"{name}.{label}", x, hidden) for label in "qkv")
    y = _attention(graph, name, q, k, v, heads)
    x = graph.norm(graph.combine(graph.project(f"{name}.attention_out", y, hidden), x))
    y = graph.project(f"{name}.fc1", x, 4 * hidden)
    return graph.norm(graph.combine(graph.project(f"{name}.fc2", y, hidden), x))


def _attention(
    graph: Graph, name: str, q: Values, keys: Values, values: Values, heads: int
) -> Values:
    tokens = sum(value.shape[1] for value in keys)
    probabilities = graph.matmul(f"{name}.qk", q, keys, heads * tokens, heads)
    return graph.matmul(f"{name}.av", probabilities, values, q[0].shape[0], heads)


def _check_sequence(name: str, sequence: int, shortest: int, longest: int) -> None:
    if not isinstance(sequence, int) or not shortest <= sequence <= longest:
        raise ValueError(
            f"{name}: sequence is {sequence!r}, expected a whole number from {shortest} to"
            f" {longest}, the positions that the network has learned"
        )
