"""Packages in files.

    kind: package
    name: four-dies                       # by default the file's name
    mesh: [2, 2]                          # columns, rows of chiplets
    element_bytes: 1                      # width of a weight and of an activation
    overlap: true                         # communication hides behind computation
    chiplet:
      dataflow: weight-stationary         # or output-stationary
      array: [32, 32]                     # unrolled extents of the MAC array
      clock_hz: 500000000
      buffer_bytes: 720896
      mac_pj: 0.018                       # energy of a multiply-accumulate
      buffer_read_pj_per_bit: 0.132
      buffer_write_pj_per_bit: 0.234
      leakage_w: 0.01                     # drawn at all times
    nop:                                  # network-on-package
      bandwidth: 100000000000             # bytes a second of a chiplet's port, each direction
      hop_ns: 35
      pj_per_bit: 2.04                    # a bit over one hop
    dram:
      ports: 2
      bandwidth: 64000000000              # bytes a second of one port
      latency_ns: 200
      pj_per_bit: 14.8
    faults:                               # what is out of order; by default nothing
      chiplets: [[1, 0]]                  # [column, row]: do not compute, but pass traffic on
      missing: []                         # neither
      links: [[[0, 0], [0, 1]]]           # pairs of neighbours
    unlike:                               # chiplets of other kinds; by default none
      - places: [[0, 1], [1, 1]]
        dataflow: output-stationary       # keys of `chiplet` that differ from it; not the clock

Every key but `name`, `faults` and `unlike` is required; the meaning is that of the attribute of the
same name in `instances.package`.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from instances.files.errors import Place, Problems
from instances.files.schema import (
    MAX_CHIPLETS,
    Chiplets,
    Constant,
    FileModel,
    Items,
    Name,
    Pair,
    Rate,
    Size,
    Spot,
    validate,
)
from instances.files.text import kind_of, read_data, write_data
from instances.mesh import Mesh, neighbours
from instances.package import Chiplet, Dataflow, Dram, Faults, NetworkOnPackage, Package, Tile


class ChipletModel(FileModel):
    """The mapping `chiplet`."""

    dataflow: Dataflow
    array: Pair
    clock_hz: Rate
    buffer_bytes: Rate
    mac_pj: Constant
    buffer_read_pj_per_bit: Constant
    buffer_write_pj_per_bit: Constant
    leakage_w: Constant


class NopModel(FileModel):
    """The mapping `nop`."""

    bandwidth: Rate
    hop_ns: Constant
    pj_per_bit: Constant


class DramModel(FileModel):
    """The mapping `dram`."""

    ports: Chiplets
    bandwidth: Rate
    latency_ns: Constant
    pj_per_bit: Constant


Ends = Annotated[list[Spot], Field(min_length=2, max_length=2, fail_fast=True)]


class FaultsModel(FileModel):
    """The mapping `faults`."""

    chiplets: Items[Spot] = Field(default=[])
    missing: Items[Spot] = Field(default=[])
    links: Items[Ends] = Field(default=[])


class UnlikeModel(FileModel):
    """An item of `unlike`: keys that are absent are as in `chiplet`."""

    places: Annotated[Items[Spot], Field(min_length=1)]
    dataflow: Dataflow | None = None
    array: Pair | None = None
    buffer_bytes: Rate | None = None
    mac_pj: Constant | None = None
    buffer_read_pj_per_bit: Constant | None = None
    buffer_write_pj_per_bit: Constant | None = None
    leakage_w: Constant | None = None


class PackageModel(FileModel):
    """A package file, or the package inside an instance file."""

    kind: Literal["package"] = "package"
    name: Name | None = None
    mesh: Pair
    element_bytes: Size
    overlap: bool
    chiplet: ChipletModel
    nop: NopModel
    dram: DramModel
    faults: FaultsModel = FaultsModel()
    unlike: Items[UnlikeModel] = Field(default=[])


def read_package(path: str | Path) -> Package:
    """Read a package file (kind: package).

    Raises:
        FileError: the file is not one.
    """
    data = read_data(path)
    kind_of(data, str(path), ("package",))
    return package_from_data(data, Problems(str(path), data), default_name=Path(path).stem)


def write_package(package: Package, path: str | Path) -> None:
    """Write a package file, YAML or JSON by suffix.

    Raises:
        FileError: unknown suffix, or the file system refuses.
    """
    write_data(package_to_data(package), path)


def package_from_data(
    data: object, problems: Problems, *, default_name: str, place: Place = ()
) -> Package:
    """A package from plain data; `place` is where in the file the data stand.

    Raises:
        FileError: the data are not a package.
    """
    model = validate(PackageModel, data, problems, place)
    columns, rows = model.mesh
    if columns * rows > MAX_CHIPLETS:
        found = f"{model.mesh} ({columns * rows} chiplets)"
        problems.mismatch((*place, "mesh"), found, f"at most {MAX_CHIPLETS} chiplets")
    faults = _faults(model, problems, place)
    chiplet = _chiplet(model.chiplet.model_dump())
    unlike = _unlike(model, chiplet, problems, place)
    problems.stop_if_any()
    package = Package(
        name=model.name or default_name,
        mesh=(columns, rows),
        element_bytes=model.element_bytes,
        overlap=model.overlap,
        chiplet=chiplet,
        nop=NetworkOnPackage(**model.nop.model_dump()),
        dram=Dram(**model.dram.model_dump()),
        faults=faults,
        unlike=unlike,
    )
    if faults != Faults():
        try:
            Mesh.of(package)
        except ValueError as error:
            problems.add((*place, "faults"), str(error))
            problems.stop_if_any()
    return package


def _chiplet(data: dict[str, Any]) -> Chiplet:
    return Chiplet(**{**data, "array": tuple(data["array"])})


def _unlike(
    model: PackageModel, usual: Chiplet, problems: Problems, place: Place
) -> tuple[tuple[Tile, Chiplet], ...]:
    """Places and their chiplets; places off the mesh or named twice are problems."""
    columns, rows = model.mesh
    found: dict[Tile, Chiplet] = {}
    for k, item in enumerate(model.unlike):
        changes = item.model_dump(exclude={"places"}, exclude_none=True)
        chiplet = _chiplet({**asdict(usual), **changes})
        for n, (x, y) in enumerate(item.places):
            where = (*place, "unlike", k, "places", n)
            if x >= columns or y >= rows:
                expected = f"a place on the {columns} x {rows} mesh"
                problems.mismatch(where, f"[{x}, {y}]", expected)
            elif (x, y) in found:
                problems.mismatch(where, f"[{x}, {y}]", "each place once")
            found[x, y] = chiplet
    return tuple((tile, found[tile]) for tile in sorted(found) if found[tile] != usual)


def _faults(model: PackageModel, problems: Problems, place: Place) -> Faults:
    """What is out of order; places off the mesh and links between strangers are problems."""
    columns, rows = model.mesh
    given = model.faults
    tiles: dict[str, list[Tile]] = {}
    for key, found in (("chiplets", given.chiplets), ("missing", given.missing)):
        tiles[key] = []
        for k, (x, y) in enumerate(found):
            if x >= columns or y >= rows:
                expected = f"a place on the {columns} x {rows} mesh"
                problems.mismatch((*place, "faults", key, k), f"[{x}, {y}]", expected)
            tiles[key].append((x, y))
    links = []
    for k, ((x, y), (u, v)) in enumerate(given.links):
        if (u, v) not in neighbours((x, y), (columns, rows)):
            expected = f"two neighbours on the {columns} x {rows} mesh"
            problems.mismatch((*place, "faults", "links", k), f"[{x}, {y}] to [{u}, {v}]", expected)
        links.append(((x, y), (u, v)))
    return Faults(tuple(tiles["chiplets"]), tuple(tiles["missing"]), tuple(links))


def package_to_data(package: Package) -> dict[str, object]:
    """The package as plain data."""
    data: dict[str, Any] = {"kind": "package", **asdict(package)}
    data["mesh"] = list(package.mesh)
    data["chiplet"]["array"] = list(package.chiplet.array)
    faults = data.pop("faults")
    if package.faults != Faults():
        data["faults"] = {key: _lists(found) for key, found in faults.items()}
    unlike = data.pop("unlike")
    if unlike:
        data["unlike"] = _unlike_to_data(package)
    return data


def _unlike_to_data(package: Package) -> list[dict[str, Any]]:
    """An item for each kind of chiplet, with what is different."""
    usual = asdict(package.chiplet)
    items = []
    for chiplet in dict.fromkeys(chiplet for _, chiplet in package.unlike):
        places = [list(tile) for tile, own in package.unlike if own == chiplet]
        changes = {key: value for key, value in asdict(chiplet).items() if value != usual[key]}
        items.append({"places": places, **{key: _lists(value) for key, value in changes.items()}})
    return items


def _lists(data: Any) -> Any:
    """Nested tuples as lists."""
    return [_lists(part) for part in data] if isinstance(data, tuple) else data
