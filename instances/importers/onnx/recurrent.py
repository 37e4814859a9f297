"""LSTM, GRU and RNN of ONNX, of which a shared module makes layers."""

from __future__ import annotations

from math import prod

from instances.files.errors import fail
from instances.importers.onnx.facts import Operation
from instances.importers.onnx.walk import Walk
from instances.importers.products import Recurrence, recurrent
from instances.networks.builder import Values

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}

STEPS = "the steps of a recurrent layer count as positions, as if none had to wait for another"


def recurrence(walk: Walk, operation: Operation) -> None:
    """LSTM, GRU and RNN, and an LSTM with quantised weights."""
    quantised = operation.kind.endswith("DynamicQuantizeLSTM")
    gates = GATES["LSTM" if quantised else operation.kind]
    x, weights = (walk.shape(operation.input(place), operation) for place in (0, 2))
    if len(x) != 3 or len(weights) != 3:
        fail(walk.source, f"{operation.shown}: found {len(x)} axes of data, expected 3")
    directions, hidden = weights[0], weights[1 if quantised else 2]
    if not prod((*x, directions, hidden)):
        return
    walk.warn(STEPS, operation)
    sizes = Recurrence(gates, hidden, x[2], x[0] * x[1])
    bias, made = walk.learned(operation.input(3)), Values()
    keys = [walk.weight(operation.input(place)) for place in (1, 2)]
    for direction in range(directions):
        made += recurrent(
            walk.graph,
            walk.claim(f"{operation.name}.{direction}" if directions > 1 else operation.name),
            walk.of(operation.input(0)),
            sizes,
            (f"{keys[0]}[{direction}]", f"{keys[1]}[{direction}]"),
            {f"{key}[{direction}]": count // directions for key, count in bias.items()},
        )
    _finish(walk, operation, made, (directions, x[1], hidden))


def _finish(walk: Walk, operation: Operation, made: Values, last: tuple[int, ...]) -> None:
    """What is made, with the states it began with, and its last states."""
    names = [name for name in operation.outputs if name]
    if not names:
        return
    key = names[0] if operation.outputs[0] else f"{names[0]}:all"
    walk.values[key] = made
    states = [name for name in operation.inputs[5:7] if walk.of(name)]
    if states:
        walk.join(key, [key, *states])
    for name in names:
        if name != key:
            walk.join(name, [key], last)
