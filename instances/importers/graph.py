"""From the operators of an imported model, in topological order, to a network.

An importer walks through its model and keeps the `Values` that stand for each of its tensors: `()`
for one that is made of constants only, several for tensors put side by side. Compute layers are
appended by `layer`; all else goes through `join`, `concat` and `lookup`, which fuse it into the
layers that make its inputs, by the rules of `instances.networks.builder`.

Data that merely moves (reshapes, transposes, permutations, broadcasts) needs no call at all: the
same values stand for it. How a tensor is laid out, its first reader says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from instances.network import OUTSIDE, Layer, Network, Shape
from instances.networks.builder import Draft, Graph, Value, Values

Parameters = Mapping[str, int]
"""Learned tensors by a key that says which, and how many elements each has."""


@dataclass(frozen=True)
class Reading:
    """Tensors that a layer reads side by side, and the shape that they have for it together."""

    values: Values
    view: Shape


@dataclass(frozen=True)
class _Use:
    """One tensor of a reading: the layer that reads it, and the shape that it sees.

    Operands may have any shape of as many elements, and so may what is read as one long vector.
    """

    draft: int
    view: Shape
    operand: bool

    @property
    def flat(self) -> bool:
        return self.view[1] * self.view[2] == 1

    def fits(self, shape: Shape) -> bool:
        return self.operand or self.flat or self.view[0] == shape[0]


class ImportedGraph(Graph):
    """A graph whose layers, tensors and parameters come from another program's file."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._uses: dict[Value, list[_Use]] = {}
        self._weights: dict[int, str] = {}
        self._sources: dict[str, str] = {}
        self._extras: list[tuple[int, str, int]] = []

    def layer(
        self,
        spec: Layer,
        reads: Reading,
        shape: Shape,
        *,
        operands: Reading | None = None,
        weight: str | None = None,
        parameters: Parameters | None = None,
    ) -> Values:
        """Append a compute layer.

        Args:
            spec: the layer, but for its tensors; its name is unique among layers and tensors.
            reads: its activation inputs.
            shape: of what it makes.
            operands: a matmul's second operand.
            weight: key of its weights; layers and tables of one key share them.
            parameters: biases and the like, and all that its weights are computed from.
        """
        index = len(self._drafts)
        first = self._read(f"{spec.name}:input", reads, index)
        second = self._read(f"{spec.name}:operand", operands, index, True) if operands else ()
        self._drafts.append(Draft(spec, first, second, 0))
        if weight is not None:
            self._weights[index] = weight
        made = self._make(spec.name, shape, index)
        self._charge(made, parameters)
        return made

    def draw(self, weight: str, parameter: str) -> None:
        """Say that weights are a part of a parameter, or computed from it: it counts once."""
        self._sources[weight] = parameter

    @property
    def has_layers(self) -> bool:
        """Whether there is a compute layer so far."""
        return bool(self._drafts)

    def lookup(self, name: str, shape: Shape, parameters: Parameters) -> Values:
        """A tensor that is looked up in tables by what enters from outside (an embedding)."""
        made = self.input(name, shape)
        self._charge(made, parameters)
        return made

    def concat(self, name: str, inputs: Sequence[Values], shape: Shape) -> Values:
        """Tensors side by side, along any axis; constants among them make it a `join`."""
        pieces = tuple(value for values in inputs for value in values)
        if _elements(pieces) == prod(shape) and all(inputs):
            return pieces
        return self.join(name, inputs, shape)

    def join(
        self,
        name: str,
        inputs: Sequence[Values],
        shape: Shape,
        parameters: Parameters | None = None,
    ) -> Values:
        """A fused operation: its result is made where the last of its inputs is made.

        Inputs that other layers make become addends of that layer. As many elements as before, of
        one tensor: the tensor itself. What is made of inputs of the network only is one of them.

        Args:
            name: unique among layers and tensors.
            inputs: what it reads.
            shape: of the result, as far as it is known; the elements count.
            parameters: normalisation and the like; they belong to the layers that make the result,
                or to a table where none does.
        """
        known = [values for values in inputs if values]
        made = self._joined(name, known, shape) if known else ()
        self._charge(made, parameters, name)
        return made

    def network(self, *results: Values) -> Network:
        """The finished network; results that no layer makes are left out."""
        final = self._settle_shapes()
        self._settle_parameters()
        leaving = (final.get(v, v) for group in results for v in group if v.producer != OUTSIDE)
        return super().network(tuple(dict.fromkeys(leaving)))

    def _joined(self, name: str, inputs: list[Values], shape: Shape) -> Values:
        size = prod(shape)
        whole = next((x for x in _latest_first(inputs) if _elements(x) == size), None)
        if whole is not None and all(x == whole or _reduced(x, whole, size) for x in inputs):
            return whole
        if len(set(inputs)) == 1:
            return self._resized(name, inputs[0], shape)
        values = dict.fromkeys(value for x in inputs for value in x)
        last = max(value.producer for value in values)
        if last != OUTSIDE:
            addends = self._drafts[last].addends
            addends += [v for v in values if v.producer != last and v not in addends]
        return self._make(name, shape, last)

    def _resized(self, name: str, x: Values, shape: Shape) -> Values:
        """Every tensor of `x` by itself, smaller or larger than before.

        Shares that do not come out even are rounded up: who reads them has them made as one.
        """
        if len(x) == 1:
            return self._make(name, shape, x[0].producer)
        channels, height, width = shape
        if sum(value.shape[0] for value in x) == channels:
            shapes = [(value.shape[0], height, width) for value in x]
        else:
            before = _elements(x)
            shares = [-(-prod(value.shape) * channels // before) for value in x]
            shapes = [(share, height, width) for share in shares]
        made = [
            self._make(f"{name}:{place}", own, value.producer)
            for place, (value, own) in enumerate(zip(x, shapes, strict=True))
        ]
        return tuple(value for group in made for value in group)

    def _read(self, name: str, reading: Reading, draft: int, operand: bool = False) -> Values:
        """The tensors of a reading, joined first if they are not what it sees."""
        depth, height, width = reading.view
        values = reading.values
        sizes = [prod(value.shape) for value in values]
        total, seen = sum(sizes), prod(reading.view)
        if operand and total < seen and seen % total == 0:
            return values  # repeated for the reader, which costs no transfer
        rows = not operand and len(values) > 1 and all(v.shape[0] == depth for v in values)
        if total != seen or rows or any(size % (height * width) for size in sizes):
            # Rows of several tensors, or lost count: the last of its makers makes it all.
            values = self._whole(name, values, reading.view)
            sizes = [seen]
        for value, size in zip(values, sizes, strict=True):
            view = (size // (height * width), height, width)
            self._uses.setdefault(value, []).append(_Use(draft, view, operand))
        return values

    def _whole(self, name: str, values: Values, view: Shape) -> Values:
        if len(values) == 1:
            return self._make(name, view, values[0].producer)
        return self._joined(name, [(value,) for value in values], view)

    def _charge(self, made: Values, parameters: Parameters | None, name: str = "") -> None:
        """Count parameters for the makers of a tensor, by their shares of its elements."""
        total = _elements(made)
        for key, count in (parameters or {}).items():
            if not made:
                self._extras.append((OUTSIDE, key, count))
            rest = count
            for place, value in enumerate(made[:-1]):
                share = count * prod(value.shape) // total
                self._extras.append((value.producer, f"{key}/{place}", share))
                rest -= share
            if made:
                self._extras.append((made[-1].producer, key, rest))

    def _settle_parameters(self) -> None:
        """Weights count for the first layer that has them, all else for the first that needs it."""
        seen: set[str] = set()
        drawn: Counter[str] = Counter()
        for index, weight in self._weights.items():
            draft = self._drafts[index]
            if weight in seen:
                draft.layer = replace(draft.layer, tied=True)
            elif weight in self._sources:
                drawn[self._sources[weight]] += draft.layer.weights
            seen.add(weight)
        for producer, key, count in self._extras:
            if key in seen:
                continue
            seen.add(key)
            if producer == OUTSIDE:
                self.table(key, count)
            else:
                self._drafts[producer].extra_parameters += max(0, count - drawn[key])

    def _settle_shapes(self) -> dict[Value, Value]:
        """Give every tensor the shape in which it is read; one that suits not all has copies."""
        final: dict[Value, Value] = {}
        copies: dict[tuple[int, Value], Value] = {}
        made: dict[tuple[Value, Shape], Value] = {}
        for value, uses in self._uses.items():
            wanted = [use.view for use in uses if not use.flat and not use.operand]
            shape = value.shape if not wanted or value.shape in wanted else wanted[0]
            final[value] = replace(value, shape=shape)
            for use in uses:
                if not use.fits(shape):
                    if (value, use.view) not in made:
                        name = f"{value.name}:{'x'.join(map(str, use.view))}"
                        made[value, use.view] = self._make(name, use.view, value.producer)[0]
                    copies[use.draft, value] = made[value, use.view]
        self._values = [final.get(value, value) for value in self._values]
        for index, draft in enumerate(self._drafts):
            draft.inputs = tuple(copies.get((index, v), final.get(v, v)) for v in draft.inputs)
            draft.operands = tuple(final.get(v, v) for v in draft.operands)
            draft.addends = [final.get(v, v) for v in draft.addends]
        return final


def _elements(values: Values) -> int:
    return sum(prod(value.shape) for value in values)


def _latest_first(inputs: list[Values]) -> list[Values]:
    return sorted(inputs, key=lambda x: -max(value.producer for value in x))


def _reduced(x: Values, whole: Values, size: int) -> bool:
    """Whether `x` adds no tensor to `whole`: made by the same layers, so it need not travel.

    A mean or a variance, the gate of a gated unit, a tensor's own sigmoid.
    """
    makers = {value.producer for value in whole}
    return {value.producer for value in x} <= makers and (_elements(x) < size or len(makers) == 1)
