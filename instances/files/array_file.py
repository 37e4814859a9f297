"""Arrays in files.

    kind: array
    name: eyes                # by default the file's name
    mesh: [32, 32]            # columns, rows of PEs
    element_bytes: 1
    macs: 8                   # a PE, a cycle
    register_bytes: 512       # a PE
    buffer_bytes: 1048576
    bus_bytes: 16             # a cycle, a column
    link_bytes: 8             # a cycle, each direction
    dram_bytes: 128           # a cycle
    express: 0                # length of express links; 0: a plain mesh
    depth: 32                 # layers in a pipeline, at most
    bands: 3                  # rows of blocks, at most
    organisations: [sequential, blocked-1d, blocked-2d, striped, checkerboard]   # by default all
    clock_hz: 500000000
    mac_pj: 0.23
    register_pj: 0.23         # a byte
    hop_pj: 0.46
    buffer_pj: 1.38
    dram_pj: 46.0

Every key but `name`, `express` and `organisations` is required; the meaning is that of the
attribute of the same name in `instances.array`.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from instances.array import ORGANISATIONS, Array, Organisation
from instances.files.errors import Place, Problems
from instances.files.schema import (
    MAX_CHIPLETS,
    Constant,
    FileModel,
    Items,
    Name,
    Pair,
    Rate,
    validate,
)
from instances.files.text import kind_of, read_data, write_data

Bytes = Annotated[int, Field(ge=1, le=2**20)]
Small = Annotated[int, Field(ge=1, le=64)]


class ArrayModel(FileModel):
    """An array file."""

    kind: Literal["array"] = "array"
    name: Name | None = None
    mesh: Pair
    element_bytes: Small
    macs: Annotated[int, Field(ge=1, le=2**20)]
    register_bytes: Rate
    buffer_bytes: Rate
    bus_bytes: Bytes
    link_bytes: Bytes
    dram_bytes: Bytes
    express: Annotated[int, Field(ge=0, le=MAX_CHIPLETS)] = 0
    depth: Annotated[int, Field(ge=1, le=MAX_CHIPLETS)]
    bands: Small
    organisations: Items[Organisation] = Field(default=list(ORGANISATIONS))
    clock_hz: Rate
    mac_pj: Constant
    register_pj: Constant
    hop_pj: Constant
    buffer_pj: Constant
    dram_pj: Constant


def read_array(path: str | Path) -> Array:
    """Read an array file (kind: array).

    Raises:
        FileError: the file is not one.
    """
    data = read_data(path)
    kind_of(data, str(path), ("array",))
    return array_from_data(data, Problems(str(path), data), default_name=Path(path).stem)


def write_array(array: Array, path: str | Path) -> None:
    """Write an array file, YAML or JSON by suffix.

    Raises:
        FileError: unknown suffix, or the file system refuses.
    """
    write_data(array_to_data(array), path)


def array_from_data(
    data: object, problems: Problems, *, default_name: str, place: Place = ()
) -> Array:
    """An array from plain data; `place` is where in the file the data stand.

    Raises:
        FileError: the data are not an array.
    """
    model = validate(ArrayModel, data, problems, place)
    columns, rows = model.mesh
    if columns * rows > MAX_CHIPLETS:
        found = f"{model.mesh} ({columns * rows} PEs)"
        problems.mismatch((*place, "mesh"), found, f"at most {MAX_CHIPLETS} PEs")
    if model.express == 1 or model.express >= max(2, columns, rows):
        expected = f"0 (no express links), or a length of 2 to {max(columns, rows) - 1}"
        problems.mismatch((*place, "express"), str(model.express), expected)
    if "sequential" not in model.organisations:
        found = ", ".join(model.organisations) or "none"
        problems.mismatch((*place, "organisations"), found, "'sequential' among them")
    problems.stop_if_any()
    own = model.model_dump(exclude={"kind", "name", "mesh", "organisations"})
    name, organisations = model.name or default_name, tuple(model.organisations)
    return Array(name=name, mesh=(columns, rows), organisations=organisations, **own)


def array_to_data(array: Array) -> dict[str, object]:
    """The array as plain data."""
    data: dict[str, Any] = {"kind": "array", **asdict(array)}
    return {**data, "mesh": list(array.mesh), "organisations": list(array.organisations)}
