"""Fused attention of ONNX and of ONNX Runtime, of which a shared module makes layers."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from instances.files.errors import fail
from instances.importers.onnx.facts import Dims, Operation
from instances.importers.onnx.walk import Walk
from instances.importers.products import Factor, Heads, Sizes, attention, product
from instances.networks.builder import Values


class Asked(NamedTuple):
    """Queries, keys and values: each samples, heads, tokens and size of a head."""

    q: Dims
    k: Dims
    v: Dims


def standard(walk: Walk, operation: Operation) -> None:
    """Attention of ONNX: queries, keys and values, of three or four axes."""
    q, k, v = (walk.shape(operation.input(place), operation) for place in (0, 1, 2))
    heads, groups = operation.number("q_num_heads"), operation.number("kv_num_heads")
    own = Asked(_four(q, heads), _four(k, groups), _four(v, groups))
    _attend(walk, operation, own, operation.inputs[:3], (4, 5), operation.input(3))


def multi_head(walk: Walk, operation: Operation) -> None:
    """MultiHeadAttention and GroupQueryAttention of ONNX Runtime."""
    grouped = operation.kind.endswith("GroupQueryAttention")
    cache, mask = ((3, 4), "") if grouped else ((6, 7), operation.input(5))
    q = walk.shape(operation.input(0), operation)
    heads = operation.number("num_heads")
    groups = operation.number("kv_num_heads", heads)
    if operation.input(1) and operation.input(2):
        k, v = (walk.shape(operation.input(place), operation) for place in (1, 2))
        own = Asked(_four(q, heads), _four(k, groups), _four(v, groups))
        _attend(walk, operation, own, operation.inputs[:3], cache, mask)
    elif operation.input(1) or min(heads, groups) < 1 or len(q) not in (3, 5):
        fail(walk.source, f"{operation.shown}: keys and values in one tensor are not supported")
    else:
        size = q[4] if len(q) == 5 else q[2] // (heads + 2 * groups)
        keys = (q[0], groups, q[1], size)
        own = Asked((q[0], heads, q[1], size), keys, keys)
        parts = _split(walk, operation, operation.input(0), own)
        _attend(walk, operation, own, parts, cache, mask)


def with_weights(walk: Walk, operation: Operation) -> None:
    """Attention and QAttention of ONNX Runtime, which project their input themselves."""
    x, weight = (walk.shape(operation.input(place), operation) for place in (0, 1))
    widths = operation.attributes.get("qkv_hidden_sizes") or (weight[-1] // 3,) * 3
    heads = operation.number("num_heads")
    fit = len(x) == 3 and len(weight) == 2 and x[2] == weight[0] and sum(widths) == weight[1]
    if not fit or len(widths) != 3 or heads < 1 or any(width % heads for width in widths):
        fail(
            walk.source,
            f"{operation.shown}: found data of {x}, weights of {weight} and {heads} heads, which do"
            " not fit",
        )
    fused = f"{operation.name}:qkv"
    walk.values[fused] = product(
        walk.graph,
        walk.claim(f"{operation.name}.qkv"),
        Factor(walk.of(operation.input(0))),
        Factor(walk.of(operation.input(1)), walk.weight(operation.input(1)), True),
        Sizes(1, x[0] * x[1], *weight),
    )
    walk.charge(fused, walk.learned(operation.input(2)))
    own = Asked(*((x[0], heads, x[1], width // heads) for width in widths))
    parts = _split(walk, operation, fused, own)
    quantised = operation.kind.endswith("QAttention")
    past = _halves(walk, operation, operation.input(8 if quantised else 4))
    longer = Operation(
        operation.name,
        operation.kind,
        (*operation.inputs, *past),
        operation.outputs[:1],
    )
    last = len(longer.inputs)
    mask = "" if quantised else operation.input(5)
    _attend(walk, longer, own, parts, (last - 2, last - 1) if past else (-1, -1), mask)
    for name in operation.outputs[1:]:
        walk.values[name] = walk.of(parts[1]) + walk.of(parts[2])


def _split(walk: Walk, operation: Operation, whole: str, own: Asked) -> list[str]:
    """Queries, keys and values as parts of one tensor."""
    parts = [f"{operation.name}:{label}" for label in "qkv"]
    for part, (samples, heads, tokens, size) in zip(parts, own, strict=True):
        walk.join(part, [whole], (samples * tokens, heads * size))
    return parts


def _halves(walk: Walk, operation: Operation, past: str) -> list[str]:
    """Earlier keys and values that are one tensor of two halves."""
    shape = walk.facts.shapes.get(past, ())
    if len(shape) != 5 or not prod(shape):
        return []
    halves = [f"{operation.name}:past {label}" for label in "kv"]
    for half in halves:
        walk.facts.shapes[half] = shape[1:]
        walk.join(half, [past])
    return halves


def _attend(
    walk: Walk,
    operation: Operation,
    own: Asked,
    names: Sequence[str],
    cache: tuple[int, int],
    mask: str,
) -> None:
    """Attention to keys and values of which some may have been computed before.

    Queries of several heads that share keys and values count as more queries of one head.

    Args:
        walk: where it belongs.
        operation: whose layers these are.
        own: sizes, without what was computed before.
        names: of queries, keys and values.
        cache: which inputs are earlier keys and values.
        mask: that is added, '' for none.
    """
    q, k, v = own
    fit = min(q + k + v) > 0 and q[1] % k[1] == 0 and q[3] == k[3] and k[1:3] == v[1:3]
    if not fit or not q[0] == k[0] == v[0]:
        fail(walk.source, f"{operation.shown}: found heads of {q}, {k} and {v}, which do not fit")
    tokens = k[2]
    made: list[Values] = [walk.of(name) for name in names]
    before = [operation.input(place) for place in cache]
    if all(walk.facts.shapes.get(name, ())[-2:-1] > (0,) for name in before):
        tokens += walk.facts.shapes[before[0]][-2]
        made[1:] = [walk.of(old) + new for old, new in zip(before, made[1:], strict=True)]
    heads = Heads(k[0] * k[1], q[1] // k[1] * q[2], tokens, q[3], v[3])
    factors = [Factor(values, name) for values, name in zip(made, names, strict=True)]
    name = walk.claim(operation.name, ".qk", ".softmax", ".av")
    output, *caches = operation.outputs
    walk.values[output] = attention(walk.graph, name, factors, heads, walk.of(mask))
    for place, values in zip(caches[:2], made[1:], strict=False):
        walk.values[place] = values


def _four(shape: Dims, heads: int) -> Dims:
    """Samples, heads, tokens and size of a head, of a tensor of three axes or of these four."""
    if len(shape) == 4:
        return shape
    if len(shape) != 3 or heads < 1 or shape[2] % heads:
        return (0, 1, 0, 0)  # what does not fit is refused with the others
    return (shape[0], heads, shape[1], shape[2] // heads)
