"""The inputs of a model with all their sizes: those of the file, and those that the user says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instances.files.errors import closest, fail, listed, quoted
from instances.files.schema import MAX_SIZE

if TYPE_CHECKING:
    from onnx import ModelProto, TypeProto, ValueInfoProto

INTEGERS_AND_TRUTHS = {2, 3, 4, 5, 6, 7, 9, 12, 13}
"""Types of tensors whose value may be bound (TensorProto's numbers of them)."""


@dataclass(frozen=True)
class Bound:
    """A model's inputs as they are to be.

    Attributes:
        shapes: of every input that is a tensor and enters from outside.
        values: of inputs that are a single number and were given one.
        sizes: dimensions by name.
    """

    shapes: Mapping[str, tuple[int, ...]]
    values: Mapping[str, int]
    sizes: Mapping[str, int]


def bind(
    model: ModelProto,
    source: str,
    dims: Mapping[str, int],
    shapes: Mapping[str, Sequence[int]],
) -> Bound:
    """Every input's shape.

    Args:
        model: the file.
        source: in messages.
        dims: sizes of dimensions by name, and values of inputs that are a single whole number.
        shapes: of inputs by name.

    Raises:
        FileError: a name that the model does not know, a size that contradicts the file's, or a
            dimension that nobody bound.
    """
    held = {own.name for own in model.graph.initializer}
    inputs = {own.name: own for own in model.graph.input if own.name not in held}
    _check_given(inputs, dims, shapes, source)
    sizes = dict(dims)
    for name, shape in shapes.items():
        _learn(inputs[name], shape, sizes, source)
    values = {name: dims[name] for name in inputs if _is_number(inputs[name]) and name in dims}
    found, open_ = {}, []
    for name, own in inputs.items():
        if own.type.HasField("tensor_type"):
            shape, missing = _shape(own, shapes.get(name), sizes)
            found[name] = tuple(shape)
            open_ += missing
    if open_:
        more = f" (and {len(open_) - 1} more)" if len(open_) > 1 else ""
        fail(source, f"{open_[0]}{more}")
    return Bound(found, values, sizes)


def _check_given(
    inputs: Mapping[str, ValueInfoProto],
    dims: Mapping[str, int],
    shapes: Mapping[str, Sequence[int]],
    source: str,
) -> None:
    """Refuse names that are not in the file, and sizes that none can have."""
    for name in shapes:
        if name not in inputs:
            known = f"it has {listed(map(quoted, inputs))}{closest(name, inputs)}"
            fail(source, f"--shape {name}: the model has no such input, {known}")
    named = [d.dim_param for own in inputs.values() for d in _dims(own.type) if d.dim_param]
    numbers = [name for name, own in inputs.items() if _is_number(own)]
    known_names = list(dict.fromkeys([*named, *numbers]))
    for name, size in dims.items():
        if name not in known_names:
            there = f"it has {listed(map(quoted, known_names))}" if known_names else "it has none"
            near = closest(name, known_names)
            fail(source, f"--dim {name}: the model has no dimension of this name, {there}{near}")
        if not (0 if name in numbers else 1) <= size <= MAX_SIZE:
            fail(source, f"--dim {name}={size}: expected a size from 1 to {MAX_SIZE}")
    for name, shape in shapes.items():
        for size in shape:
            if not 0 <= size <= MAX_SIZE:
                fail(source, f"--shape {name}: found {size}, expected sizes from 0 to {MAX_SIZE}")


def _dims(kind: TypeProto):  # type: ignore[no-untyped-def]
    return kind.tensor_type.shape.dim


def numbers(model: ModelProto) -> list[str]:
    """Inputs whose value can be bound: a single whole number or truth value each."""
    held = {own.name for own in model.graph.initializer}
    return [own.name for own in model.graph.input if own.name not in held and _is_number(own)]


def _is_number(own: ValueInfoProto) -> bool:
    """Whether an input is one whole number or truth value, which may decide on branches."""
    kind = own.type.tensor_type
    return (
        own.type.HasField("tensor_type")
        and kind.elem_type in INTEGERS_AND_TRUTHS
        and kind.HasField("shape")
        and all(d.dim_value == 1 for d in kind.shape.dim)
    )


def _learn(own: ValueInfoProto, shape: Sequence[int], sizes: dict[str, int], source: str) -> None:
    """Check a given shape against the file's, and take over the sizes of its named dimensions."""
    if not own.type.tensor_type.HasField("shape"):
        return
    name, dims = own.name, _dims(own.type)
    if len(dims) != len(shape):
        found = f"found {len(shape)} sizes, expected {len(dims)}, as in {_form(own)}"
        fail(source, f"--shape {name}: {found}")
    for axis, (dim, size) in enumerate(zip(dims, shape, strict=True)):
        if dim.dim_value > 0 and dim.dim_value != size:
            fail(source, f"--shape {name}: axis {axis} is {dim.dim_value} in the file, not {size}")
        if dim.dim_param:
            sizes.setdefault(dim.dim_param, size)


def _shape(
    own: ValueInfoProto, given: Sequence[int] | None, sizes: Mapping[str, int]
) -> tuple[list[int], list[str]]:
    """The shape of an input, and what is missing in it, in words."""
    if given is not None:
        return list(given), []
    kind = own.type.tensor_type
    if not kind.HasField("shape"):
        return [], [
            f"input {quoted(own.name)} has no shape: give one, --shape {_plain(own.name)}=1,..."
        ]
    shape, missing = [], []
    for axis, dim in enumerate(kind.shape.dim):
        if dim.dim_param in sizes and dim.dim_param:
            shape.append(sizes[dim.dim_param])
        elif dim.dim_value > 0 and not dim.dim_param:
            shape.append(dim.dim_value)
        else:
            missing.append(_unbound(own, axis, dim.dim_param))
    return shape, missing


def _unbound(own: ValueInfoProto, axis: int, name: str) -> str:
    """What to do about a dimension without a size."""
    which = f"input {quoted(own.name)}: its dimension {quoted(name) if name else axis} is not bound"
    same = sum(dim.dim_param == name for dim in _dims(own.type))
    if not name or same > 1 or "=" in name or not name.isprintable():
        return f"{which}, give its shape: --shape {_form(own)}"
    return f"{which}, say how large it is: --dim {name}={1 if axis == 0 else 'N'}"


def _form(own: ValueInfoProto) -> str:
    """An input's shape as it is to be given, with 1 for samples and N for what is open."""
    sizes = [
        str(dim.dim_value) if dim.dim_value > 0 else "N" if axis else "1"
        for axis, dim in enumerate(_dims(own.type))
    ]
    return f"{_plain(own.name)}={','.join(sizes)}"


def _plain(name: str) -> str:
    """A name without quotes, if it can be shown so."""
    return name if name.isprintable() and len(name) < 100 else quoted(name)
