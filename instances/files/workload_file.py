"""Workloads, several models on one package, in files.

    kind: workload
    name: pair                      # by default the models and the package
    package: het-2x2                # a built-in package, or the keys of a package file
    models:
      - network: gpt2               # a built-in network, or the keys of a network file
        batch: 8
        sequence: 128               # by default the network's; for built-in ones that have it
        units: block                # default; or layer, or stage: what is never divided
      - network: resnet50
        batch: 32
        units: [conv1, layer1.0.conv1, layer3.0.conv1]   # or the first layer of each unit

Names are as `instances.files.names` reads them. `package` may be absent where the reader has a
default.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from instances.files.errors import Place, Problems, closest, fail, listed, quoted, show
from instances.files.names import jobs_of, network_of, package_of, split
from instances.files.network_file import network_from_data, network_to_data
from instances.files.package_file import package_from_data, package_to_data
from instances.files.schema import Batch, FileModel, Items, Name, Size, validate
from instances.files.text import kind_of, read_data, write_data
from instances.network import Network
from instances.package import Package
from instances.workload import GRAINS, Job, Workload, job

Found = TypeVar("Found")


class ModelModel(FileModel):
    """One entry of `models`; networks and units are read by hand."""

    network: Any
    batch: Batch
    sequence: Size | None = None
    units: Any = "block"


class WorkloadFile(FileModel):
    """A file of kind workload."""

    kind: Literal["workload"]
    name: Name | None = None
    package: Any = None
    models: Annotated[Items[ModelModel], Field(min_length=1)]


def read_workload(
    path: str | Path, *, package: Package | None = None, default_package: Package | None = None
) -> Workload:
    """Read a workload file.

    Args:
        path: YAML or JSON, by suffix.
        package: overrides what the file says.
        default_package: used where the file says nothing.

    Raises:
        FileError: the file cannot be used; one line a problem.
    """
    source, stem = str(path), Path(path).stem
    data = read_data(path)
    kind_of(data, source, ("workload",))
    problems = Problems(source, data)
    model = validate(WorkloadFile, data, problems)
    own = None if model.package is None else _package(model.package, problems, stem)
    chosen = package or own or default_package
    if chosen is None:
        fail(source, "a workload needs a package: name one, or write it into the file")
    jobs = tuple(_job(entry, k, problems, stem) for k, entry in enumerate(model.models))
    name = model.name or workload_name(jobs, chosen)
    return _said(lambda: Workload(name, chosen, jobs), source, ("package",))


def workload_name(jobs: tuple[Job, ...], package: Package) -> str:
    """What a workload is called that has no name of its own."""
    return f"{' + '.join(job.name for job in jobs)} on {package.name}"


def write_workload(workload: Workload, path: str | Path) -> None:
    """Write a workload, YAML or JSON by suffix; what is built in is written by its name.

    Raises:
        FileError: unknown suffix, or the file system refuses.
    """
    known = _built_in(package_of, workload.package)
    data: dict[str, object] = {
        "kind": "workload",
        "name": workload.name,
        "package": package_to_data(workload.package) if known is None else known,
        "models": [_job_to_data(own) for own in workload.jobs],
    }
    write_data(data, path)


def _package(data: object, problems: Problems, stem: str) -> Package:
    if not isinstance(data, str):
        return package_from_data(data, problems, default_name=stem, place=("package",))
    return _said(lambda: package_of(data), problems.source, ("package",))


def _job(model: ModelModel, number: int, problems: Problems, stem: str) -> Job:
    place: Place = ("models", number)
    network, given = model.network, model.sequence
    if isinstance(network, str):
        if "@" in network:
            found, expected = quoted(network), "a network alone; its units have a key of their own"
            problems.mismatch((*place, "network"), found, expected)
            problems.stop_if_any()
        here = "network" if given is None else "sequence"
        asked = [(network, model.batch)]
        (own,) = _said(lambda: jobs_of(asked, sequence=given), problems.source, (*place, here))
        found_network = own.network
    else:
        if given is not None:
            text = "a sequence length is for built-in networks, not for a network in a file"
            fail(problems.source, text, (*place, "sequence"))
        name, where = f"{stem}-{number}", (*place, "network")
        found_network = network_from_data(network, problems, default_name=name, place=where)
    return _units(found_network, model, (*place, "units"), problems)


def _units(network: Network, model: ModelModel, place: Place, problems: Problems) -> Job:
    """The model with the units that the file says."""
    units = model.units
    for grain in GRAINS:
        if units == grain:
            return job(network, model.batch, grain)
    if not isinstance(units, list):
        near = closest(units, GRAINS) if isinstance(units, str) else ""
        expected = f"one of {', '.join(GRAINS)}, or the first layer of each unit{near}"
        problems.mismatch(place, show(units), expected)
        problems.stop_if_any()
    names = [layer.name for layer in network.layers]
    places = {name: k for k, name in enumerate(names)}
    cuts: list[int] = []
    for k, name in enumerate(units):
        if not isinstance(name, str) or name not in places:
            near = closest(name, names) if isinstance(name, str) else ""
            problems.mismatch((*place, k), show(name), f"a layer of {network.name}{near}")
        elif cuts and places[name] <= cuts[-1]:
            problems.mismatch((*place, k), quoted(name), f"a layer after {names[cuts[-1]]!r}")
        else:
            cuts.append(places[name])
    if not problems.lines and cuts[:1] != [0]:
        problems.mismatch((*place, 0), listed(units[:1]) or "nothing", f"layer {names[0]!r}")
    problems.stop_if_any()
    return Job(network, model.batch, tuple(cuts))


def _job_to_data(own: Job) -> dict[str, Any]:
    known = _built_in(network_of, own.network)
    data: dict[str, Any] = {"network": known or network_to_data(own.network), "batch": own.batch}
    if known is not None:
        data["network"], changes = split(known)
        data.update(changes)
    layers = own.network.layers
    grains = [grain for grain in GRAINS if job(own.network, own.batch, grain) == own]
    data["units"] = grains[0] if grains else [layers[cut].name for cut in own.cuts]
    return data


def _built_in(read: Callable[[str], Any], thing: Network | Package) -> str | None:
    """The thing's name, if the same thing is built in under it."""
    try:
        return thing.name if read(thing.name) == thing else None
    except ValueError:
        return None


def _said(make: Callable[[], Found], source: str, place: Place) -> Found:
    """What is made; why it cannot be is a problem at a place of the file."""
    try:
        return make()
    except ValueError as error:
        fail(source, str(error).replace("\n", "; "), place)
