"""What the nodes of an exported graph stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from instances.importers.graph import ImportedGraph
from instances.importers.products import Factor
from instances.network import Shape
from instances.networks.builder import Values

if TYPE_CHECKING:
    from torch.fx import Node


@dataclass(frozen=True)
class Known:
    """One tensor of the model.

    Attributes:
        values: what the network's graph knows of it; () for a constant.
        key: of a constant that is a parameter or a buffer, whole, however it is turned.
        elements: of that parameter or buffer.
        parameters: learned tensors that a constant is computed from, with their elements.
    """

    values: Values = ()
    key: str | None = None
    elements: int = 0
    parameters: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Model:
    """A network under construction and what is known of the tensors so far.

    Attributes:
        graph: the network.
        known: by node; a node with several results stands for each of them.
        names: given to layers so far.
    """

    graph: ImportedGraph
    known: dict[Node, Known] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def of(self, argument: Any) -> Known:
        """What is known of an argument; numbers and None are constants."""
        try:
            return self.known.get(argument, Known())
        except TypeError:  # a list is no node
            return Known()

    def factor(self, argument: Any, elements: int) -> Factor:
        """An argument as a side of a product, of which one member of a batch has `elements`."""
        known = self.of(argument)
        if known.values:
            return Factor(known.values)
        if known.key is not None:
            return Factor((), known.key, shared=known.elements == elements)
        # Computed from parameters: the largest of them is what becomes the weight.
        if known.parameters:
            largest = max(known.parameters, key=lambda key: known.parameters[key])
            self.graph.draw(argument.name, largest)
        return Factor((), argument.name, parameters=known.parameters)

    def layer_name(self, node: Node, *suffixes: str) -> str:
        """A name for a node's layer, or with suffixes its layers: its module's path, or its own."""
        stack = node.meta.get("nn_module_stack") or {}
        path = next((str(path) for path, _ in reversed(stack.values())), "")
        return self.unique(path.split("@")[0] or node.name, *suffixes)

    def unique(self, wanted: str, *suffixes: str) -> str:
        """A name that no layer or tensor has, neither by itself nor with a suffix."""
        name, number = wanted, 1
        while not self.names.isdisjoint(claimed := {name, *(name + end for end in suffixes)}):
            number += 1
            name = f"{wanted}.{number}"
        self.names |= claimed
        return name


def sizes(node: Any) -> tuple[int, ...]:
    """The sizes of a node's tensor.

    Raises:
        ValueError: one of them depends on data.
    """
    shape = node.meta["val"].shape
    if not all(isinstance(size, int) for size in shape):
        raise ValueError(
            f"{node.name} has the shape {list(map(str, shape))}, which depends on data: import the"
            " part of the module before it"
        )
    return tuple(shape)


def shape_of(node: Any) -> Shape:
    """Channels, rows and columns: a guess by the number of axes, which a reader may correct."""
    match sizes(node):
        case ():
            return 1, 1, 1
        case (features,):
            return features, 1, 1
        case (samples, features):
            return features, samples, 1
        case (samples, tokens, features):
            return features, samples * tokens, 1
        case (samples, channels, *middle, last):
            rows = samples
            for size in middle:
                rows *= size
            return channels, rows, last
    raise AssertionError("every shape is one of these")
