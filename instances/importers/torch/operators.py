"""The operators of ATen that are compute layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from instances.importers.graph import Reading
from instances.importers.products import Heads, Recurrence, Sizes, attention, product, recurrent
from instances.importers.torch.tensors import Model, shape_of, sizes
from instances.network import Layer, Shape
from instances.networks.builder import Values

if TYPE_CHECKING:
    from torch.fx import Node

Handler = Callable[[Model, "Node"], Values]
"""Appends the layers of a node; its values stand for what it makes, or all that it makes."""


def named_arguments(node: Node) -> dict[str, Any]:
    """An operator's arguments by name, defaults included."""
    schema = node.target._schema.arguments
    found = {a.name: a.default_value for a in schema if a.has_default_value()}
    found.update(zip((a.name for a in schema), node.args, strict=False))
    return found | node.kwargs


def _convolution(model: Model, node: Node) -> Values:
    """Convolutions of one to three dimensions; samples, and frames of three, add to the rows."""
    given = named_arguments(node)
    source, kernel, made = sizes(given["input"]), sizes(given["weight"]), sizes(node)
    reads = model.of(given["input"]).values
    if not reads:
        return ()
    name, transposed = model.layer_name(node), given["transposed"]
    weight = model.factor(given["weight"], prod(kernel))
    if weight.values:
        raise ValueError(
            f"{name}: found a convolution whose kernel the model computes, expected a parameter or"
            " a buffer: import the parts before and after it"
        )
    layer = Layer(
        name,
        "deconv" if transposed else "conv",
        channels=made[1],
        depth=source[1],
        positions=_plane(source if transposed else made)[1:],
        kernel=_plane((1, 1, *kernel[2:]))[1:],
        stride=_plane((1, 1, *given["stride"]))[1:],
        groups=given["groups"],
    )
    result = model.graph.layer(
        layer,
        Reading(reads, _plane(source)),
        _plane(made),
        weight=weight.key,
        parameters=weight.parameters,
    )
    return _add(model, node, result, given["bias"])


def _plane(shape: Sequence[int]) -> Shape:
    """Channels, rows and columns of samples, channels and one to three axes.

    One axis is rows; of three the first two are, one after the other.
    """
    samples, channels, *axes = shape
    if len(axes) == 1:
        return channels, samples * axes[0], 1
    return channels, samples * prod(axes[:-1]), axes[-1]


def _linear(model: Model, node: Node) -> Values:
    given = named_arguments(node)
    *lead, depth = sizes(given["input"])
    columns = prod(sizes(given["weight"])) // depth
    shape, width = Sizes(1, prod(lead), depth, columns), lead[-1] if len(lead) > 2 else 1
    left = model.factor(given["input"], shape.rows * depth)
    right = model.factor(given["weight"], depth * columns)
    made = product(model.graph, model.layer_name(node), left, right, shape, width)
    return _add(model, node, made, given["bias"])


def _product(left: str, right: str, added: str | None = None) -> Handler:
    """The product of the arguments of these names, with or without something added to it."""

    def convert(model: Model, node: Node) -> Values:
        given = named_arguments(node)
        first, second = sizes(given[left]), sizes(given[right])
        rows, depth = first[-2] if len(first) > 1 else 1, first[-1]
        columns = second[-1] if len(second) > 1 else 1
        shape = Sizes(first[0] if len(first) == 3 else 1, rows, depth, columns)
        made = product(
            model.graph,
            model.layer_name(node),
            model.factor(given[left], rows * depth),
            model.factor(given[right], depth * columns),
            shape,
        )
        return _add(model, node, made, given[added] if added else None)

    return convert


def _add(model: Model, node: Node, made: Values, bias: Any) -> Values:
    """A bias, which the layer holds, or a tensor that is added as a bias would be."""
    known = model.of(bias)
    if not known.values and not known.parameters:
        return made
    name = model.unique(node.name)
    return model.graph.join(name, [made, known.values], shape_of(node), known.parameters)


def _attention(model: Model, node: Node) -> Values:
    given = named_arguments(node)
    *lead, queries, features = sizes(given["query"])
    keys, width = sizes(given["key"])[-2], sizes(given["value"])[-1]
    factors = [
        model.factor(given["query"], queries * features),
        model.factor(given["key"], keys * features),
        model.factor(given["value"], keys * width),
    ]
    name = model.layer_name(node, ".qk", ".av", ".softmax")
    heads = Heads(prod(lead), queries, keys, features, width)
    made = attention(model.graph, name, factors, heads, model.of(given["attn_mask"]).values)
    return _add(model, node, made, None)


def _recurrent(gates: int) -> Handler:
    """Layers one after the other, each in one direction or in both."""

    def convert(model: Model, node: Node) -> Values:
        given = named_arguments(node)
        directions, stacked = 1 + given["bidirectional"], given["num_layers"]
        size = len(given["params"]) // (directions * stacked)
        ends = [
            f".l{k}d{d}{end}"
            for k in range(stacked)
            for d in range(directions)
            for end in (".ih", ".hh")
        ]
        name = model.layer_name(node, *ends)
        if size != (4 if given["has_biases"] else 2):
            raise ValueError(
                f"{name}: found a recurrent layer whose state is projected, expected proj_size=0"
            )
        x, tensors = model.of(given["input"]).values, iter(given["params"])
        steps = prod(sizes(given["input"])[:-1])
        for level in range(stacked):
            made: Values = ()
            for direction in range(directions):
                own = [next(tensors) for _ in range(size)]
                hidden = sizes(own[1])[1]
                made += recurrent(
                    model.graph,
                    f"{name}.l{level}d{direction}",
                    x,
                    Recurrence(gates, hidden, sizes(own[0])[1], steps),
                    (model.of(own[0]).key or own[0].name, model.of(own[1]).key or own[1].name),
                    _parameters(model, own[2:]),
                )
            x = made
        return _begun(model, node, x, (directions * hidden, steps, 1))

    return convert


def _begun(model: Model, node: Node, made: Values, shape: Shape) -> Values:
    """What a recurrent layer makes, which starts from states that the model may compute."""
    start = named_arguments(node)["hx"]
    states = start if isinstance(start, list | tuple) else (start,)
    known = [own for state in states if (own := model.of(state).values)]
    if not known:
        return made
    return model.graph.join(model.unique(node.name), [made, *known], shape)


def _parameters(model: Model, nodes: Sequence[Node]) -> Mapping[str, int]:
    return {key: n for node in nodes for key, n in model.of(node).parameters.items()}


LAYERS: Mapping[str, Handler] = {
    "addbmm": _product("batch1", "batch2", "self"),
    "addmm": _product("mat1", "mat2", "self"),
    "addmv": _product("mat", "vec", "self"),
    "baddbmm": _product("batch1", "batch2", "self"),
    "bmm": _product("self", "mat2"),
    "convolution": _convolution,
    "dot": _product("self", "tensor"),
    "gru": _recurrent(3),
    "linear": _linear,
    "lstm": _recurrent(4),
    "mm": _product("self", "mat2"),
    "mv": _product("self", "vec"),
    "rnn_relu": _recurrent(1),
    "rnn_tanh": _recurrent(1),
    "scaled_dot_product_attention": _attention,
}
"""By the operator's name without its overload."""

REFUSED = frozenset(
    {
        "_int_mm",
        "_scaled_mm",
        "_trilinear",
        "_scaled_grouped_mm",
        "_grouped_mm",
        "_weight_int4pack_mm",
        "_weight_int8pack_mm",
        "_native_multi_head_attention",
        "_transformer_encoder_layer_fwd",
        "_scaled_dot_product_flash_attention_for_cpu",
    }
)
"""Products of matrices that no layer is made of: to leave them out would be wrong."""
