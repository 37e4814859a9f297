"""A walk over the operations of a model that keeps the tensors of the network being built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Literal

from instances.files.errors import fail, quoted
from instances.importers.graph import ImportedGraph
from instances.importers.onnx.facts import Dims, Facts, Operation
from instances.network import Shape
from instances.networks.builder import Values

NAME_CHARACTERS = 200
"""Of a layer's name."""

Slot = Literal["scale", "shift"]
"""One of the two numbers of a channel that a chain of multiplications and additions folds into."""


@dataclass
class Walk:
    """Where a walk stands.

    Attributes:
        facts: of the model.
        source: the file, in messages.
        graph: the network so far.
        values: what stands for a tensor; nothing for one that depends on no input.
        folded: slots of a tensor for which its maker has parameters already.
        warnings: what the network does not say exactly, and of which operations.
    """

    facts: Facts
    source: str
    graph: ImportedGraph
    values: dict[str, Values] = field(default_factory=dict)
    folded: dict[str, frozenset[Slot]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def shape(self, name: str, operation: Operation) -> Dims:
        """The shape of a tensor that a layer reads or makes.

        Raises:
            FileError: it is not known.
        """
        if name not in self.facts.shapes:
            fail(
                self.source,
                f"{operation.shown}: the shape of {quoted(name)} depends on data or on an operator"
                " that is not known, so this layer has no known size",
            )
        return self.facts.shapes[name]

    def is_constant(self, name: str) -> bool:
        """Whether a tensor depends on no input."""
        return name in self.facts.constants

    def learned(self, name: str) -> dict[str, int]:
        """The learned tensors of a constant and their elements; single numbers are not learned."""
        if not self.is_constant(name):
            return {}
        sources = self.facts.sources.get(name, (name,))
        counts = {own: prod(self.facts.shapes.get(own, ())) for own in sources}
        return {own: count for own, count in counts.items() if count > 1}

    def weight(self, name: str) -> str:
        """A key that equal weights share: the tensor of the file, if it is just one."""
        sources, shapes = self.facts.sources.get(name, ()), self.facts.shapes
        if len(sources) == 1 and prod(shapes.get(sources[0], ())) == prod(shapes.get(name, ())):
            return sources[0]
        return name

    def of(self, name: str) -> Values:
        """What stands for a tensor."""
        return self.values.get(name, ()) if name else ()

    def warn(self, what: str, operation: Operation) -> None:
        """Note what the network does not say exactly."""
        self.warnings.setdefault(what, []).append(operation.name)

    def claim(self, name: str, *ends: str) -> str:
        """A name that no other layer or tensor has, not even with one of these ends."""
        plain = "".join(c if c.isprintable() else "?" for c in name)[:NAME_CHARACTERS] or "layer"
        own, number = plain, 2
        while self._taken & {own, *(own + end for end in ends)}:
            own, number = f"{plain}#{number}", number + 1
        self._taken |= {own, *(own + end for end in ends)}
        return own

    def charge(self, name: str, parameters: Mapping[str, int]) -> None:
        """Count parameters for the layers that make a tensor."""
        if parameters and self.of(name):
            own, shape = self.of(name), self.of(name)[0].shape
            view = (sum(elements((value,)) for value in own) // prod(shape[1:]), *shape[1:])
            self.graph.join(self.claim(name), [own], view, parameters)

    def finish(
        self,
        operation: Operation,
        made: Values,
        others: Iterable[str],
        parameters: Mapping[str, int],
    ) -> None:
        """What a layer makes: with its bias, and with other tensors that it reads or adds."""
        output = operation.outputs[0]
        self.values[output] = made
        self.charge(output, parameters)
        if parameters:
            self.folded[output] = frozenset({"shift"})
        more = [name for name in others if self.of(name)]
        if more:
            self.join(output, [output, *more])

    def join(self, name: str, inputs: Iterable[str], shape: Dims | None = None) -> None:
        """A fused operation: what it makes belongs to the makers of what it reads.

        Args:
            name: of what it makes.
            inputs: what it reads.
            shape: of what it makes, if the model has no tensor of that name.
        """
        names = [own for own in dict.fromkeys(inputs) if self.of(own)]
        given = [self.of(own) for own in names]
        known = self.facts.shapes.get(name, shape)
        if not given:
            self.values[name] = ()
        elif len(names) == 1 and known is not None and known == self.facts.shapes.get(names[0]):
            self.values[name] = given[0]
        elif known is None or not prod(known):
            self.values[name] = max(given, key=elements)
        else:
            channels = max(sum(value.shape[0] for value in own) for own in given)
            view = laid_out(known, channels)
            self.values[name] = self.graph.join(self.claim(name), given, view)


def elements(values: Values) -> int:
    """Numbers in the tensors that stand for one."""
    return sum(prod(value.shape) for value in values)


def laid_out(shape: Dims, channels: int) -> Shape:
    """A shape as channels, height and width of a sample, as far as that can be told.

    Args:
        shape: as ONNX has it.
        channels: of what the tensor is made of, which are looked for among the axes.
    """
    if len(shape) < 2:
        return (prod(shape), 1, 1)
    if len(shape) >= 4 or (len(shape) == 3 and shape[1] == channels != shape[2]):
        return channels_first(shape)
    return (shape[-1], prod(shape[:-1]), 1)


def channels_first(shape: Dims) -> Shape:
    """Channels, height and width of a tensor whose channels are the second axis.

    Several samples stand below each other, and so do the slices of a volume.
    """
    samples, channels, *spatial = shape
    if len(spatial) < 2:
        return (channels, samples * prod(spatial), 1)
    return (channels, samples * prod(spatial[:-1]), spatial[-1])
