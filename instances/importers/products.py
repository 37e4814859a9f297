"""Matrix products, attention and recurrences as layers of an imported network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from instances.importers.graph import ImportedGraph, Parameters, Reading
from instances.network import Layer, LayerKind, Shape
from instances.networks.builder import Values


class Sizes(NamedTuple):
    """Of a product: `batch` times [rows, depth] x [depth, columns]."""

    batch: int
    rows: int
    depth: int
    columns: int


@dataclass(frozen=True)
class Factor:
    """One side of a product.

    Attributes:
        values: the tensor; () if it is made of constants only, which makes it a weight.
        key: of the weight.
        shared: it is the same for the whole batch, only repeated.
        parameters: all that a weight is computed from.
        view: shape of an activation on the right; by default depth is channels, columns are rows.
    """

    values: Values
    key: str | None = None
    shared: bool = False
    parameters: Parameters | None = None
    view: Shape | None = None


def product(
    graph: ImportedGraph, name: str, left: Factor, right: Factor, sizes: Sizes, width: int = 1
) -> Values:
    """A matrix product: fully connected if one side is a weight, otherwise a matmul.

    A weight on the left is the same as one on the right with all transposed. A weight of its own
    for each member of the batch makes groups, as the heads of a matmul do.

    Args:
        graph: to which the layer is appended.
        name: of the layer.
        left: [batch, rows, depth].
        right: [batch, depth, columns].
        sizes: of the two.
        width: how many of the rows are one row of positions, where rows are the pixels of an image.
    """
    batch, rows, depth, columns = sizes
    if not left.values and not right.values:
        return ()
    if not left.values:
        return product(graph, name, right, left, Sizes(batch, columns, depth, rows))
    groups = 1 if not right.values and right.shared else batch
    positions = (batch * rows // (groups * width), width)
    channels, depth = groups * columns, groups * depth
    reads, made = Reading(left.values, (depth, *positions)), (channels, *positions)
    kind: LayerKind = "matmul" if right.values else "fc"
    layer = Layer(name, kind, channels, depth, positions, groups=groups)
    if not right.values:
        weight = right.key or name
        return graph.layer(layer, reads, made, weight=weight, parameters=right.parameters)
    operands = Reading(right.values, right.view or (depth, sizes.columns, 1))
    return graph.layer(layer, reads, made, operands=operands)


class Heads(NamedTuple):
    """Sizes of attention: samples times heads; tokens that ask and that are asked; features."""

    batch: int
    queries: int
    keys: int
    features: int
    value_features: int


def attention(
    graph: ImportedGraph, name: str, factors: Sequence[Factor], heads: Heads, mask: Values = ()
) -> Values:
    """Scaled dot-product attention: `qk`, every query times every key, and `av`, times the values.

    Args:
        graph: to which the layers are appended.
        name: of both, with a suffix.
        factors: queries [batch, queries, features], keys [batch, keys, features] and values
            [batch, keys, value features].
        heads: sizes of the three.
        mask: added to the scores; () if it is constant.
    """
    asked, key, value = factors
    batch, queries, keys, features, width = heads
    scores = product(graph, f"{name}.qk", asked, key, Sizes(batch, queries, features, keys))
    shape = (batch * keys, queries, 1)
    weighted = Factor(graph.join(f"{name}.softmax", [scores, mask], shape), f"{name}.softmax")
    tokens = replace(value, view=(batch * width, keys, 1))
    return product(graph, f"{name}.av", weighted, tokens, Sizes(batch, queries, keys, width))


class Recurrence(NamedTuple):
    """Sizes of one direction of one recurrent layer: gates are 4 in an LSTM, 3 in a GRU."""

    gates: int
    hidden: int
    features: int
    steps: int


def recurrent(
    graph: ImportedGraph,
    name: str,
    x: Values,
    sizes: Recurrence,
    keys: tuple[str, str],
    parameters: Parameters,
) -> Values:
    """A recurrent layer: `ih`, all gates of all steps from the input, then `hh`, from the state.

    Weights and multiply-accumulates are exact: `hh` has a group a gate, each of hidden x hidden.
    That a step has to wait for the one before cannot be said of a layer: steps count as positions.

    Args:
        graph: to which both layers are appended.
        name: of both, with a suffix.
        x: [steps, features].
        sizes: of the layer; steps include those of all samples.
        keys: of the weights of the input and of the state.
        parameters: biases.
    """
    gates, hidden, features, steps = sizes
    wide = gates * hidden
    first = Layer(f"{name}.ih", "fc", wide, features, (steps, 1))
    made = graph.layer(
        first,
        Reading(x, (features, steps, 1)),
        (wide, steps, 1),
        weight=keys[0],
        parameters=parameters,
    )
    second = Layer(f"{name}.hh", "fc", wide, wide, (steps, 1), groups=gates)
    return graph.layer(second, Reading(made, (wide, steps, 1)), (hidden, steps, 1), weight=keys[1])
