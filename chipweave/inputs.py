"""From what a user names, a built-in thing or a file, to an instance, a workload or an array."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from instances.array import Array
from instances.arrays import FORM, is_array_name, load_array
from instances.cost import make_instance
from instances.cost.array import ArrayCosts
from instances.files import FileError, read_instance, read_network, read_package, read_workload
from instances.files.array_file import read_array
from instances.files.instance_file import instance_of_network
from instances.files.names import jobs_of, models_of, package_of
from instances.files.schema import MAX_BATCH
from instances.files.text import MAX_BYTES, SUFFIXES, read_data
from instances.files.workload_file import workload_name
from instances.importers.onnx import SUFFIX, from_onnx
from instances.instance import Instance
from instances.network import Network
from instances.networks import NETWORKS, build_network, is_network_name
from instances.package import Package
from instances.packages import is_package_name, load_package, package_names
from instances.packages.mixed import MIXED_NAMES
from instances.workload import Grain, Job, Workload, job

DEFAULT_PACKAGE = "simba-4x4"
DEFAULT_BATCH = 64
DEFAULT_MIX = "het-2x2"
"""The package of several models where nobody names one."""
DEFAULT_ARRAY = "32x32"


def instance(
    what: str | Path | Network,
    package: str | Path | Package | None = None,
    *,
    batch: int | None = None,
    sequence: int | None = None,
    dims: Mapping[str, int] | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> Instance:
    """The instance that a built-in network or a file stands for.

    Args:
        what: a built-in network's name, a network, or a file: instance, table instance, network,
            ONNX model.
        package: a built-in package's name, a package, or a package file; overrides the file's.
            DEFAULT_PACKAGE where nobody names one; a table instance takes none.
        batch: overrides the file's; DEFAULT_BATCH where nobody gives one.
        sequence: tokens, for a built-in network that has a sequence length.
        dims, shapes: sizes that an ONNX model leaves open, as `from_onnx` takes them.

    Raises:
        ValueError: an unknown name, a file that cannot be used (FileError), or an argument that
            does not fit.
        ImportError: an ONNX model, but onnx is not installed.
    """
    if batch is not None and batch > MAX_BATCH:
        raise ValueError(f"batch {batch} is more than {MAX_BATCH:,} samples, the most of a run")
    chosen = None if package is None else find_package(package)
    if _is_onnx(what, sequence, dims, shapes):
        network = from_onnx(_file(str(what), "network", ()), dims=dims, shapes=shapes)
        samples = DEFAULT_BATCH if batch is None else batch
        where = chosen or load_package(DEFAULT_PACKAGE)
        return instance_of_network(network, where, samples, source=str(what))
    if isinstance(what, Network) or is_network_name(what):
        network = _known_network(what, sequence)
        samples = DEFAULT_BATCH if batch is None else batch
        return make_instance(network, chosen or load_package(DEFAULT_PACKAGE), samples)
    return read_instance(
        _network_file(what, sequence),
        package=chosen,
        batch=batch,
        default_package=load_package(DEFAULT_PACKAGE),
        default_batch=DEFAULT_BATCH,
    )


def _is_onnx(
    what: object,
    sequence: int | None,
    dims: Mapping[str, int] | None,
    shapes: Mapping[str, Sequence[int]] | None,
) -> bool:
    """Whether an ONNX model is meant.

    Raises:
        ValueError: an argument that only such a model takes, or that it does not take.
    """
    if isinstance(what, Network) or not str(what).lower().endswith(SUFFIX):
        if dims or shapes:
            name = what.name if isinstance(what, Network) else what
            raise ValueError(f"{name}: dims and shapes (--dim, --shape) are for ONNX models only")
        return False
    if sequence is not None:
        raise ValueError(
            f"{what}: a sequence length is for built-in networks; an ONNX model has dimensions"
            " (--dim NAME=N)"
        )
    return True


def _known_network(what: str | Path | Network, sequence: int | None) -> Network:
    arguments = {} if sequence is None else {"sequence": sequence}
    return what if isinstance(what, Network) else build_network(str(what), **arguments)


def _network_file(what: object, sequence: int | None) -> Path:
    """The file that is meant where no built-in network is.

    Raises:
        ValueError: there is none, or it is of a kind that takes no sequence or is not read.
    """
    path = _file(str(what), "network", tuple(NETWORKS))
    if is_graph(path):
        raise ValueError(
            f"{path}: a graph of operators, not a network: solve, verify and show take graphs"
        )
    if sequence is not None:
        raise ValueError(f"{path}: a sequence length is for built-in networks, not for files")
    return path


def array_costs(
    network: str | Path | Network,
    where: str | Path | Array = DEFAULT_ARRAY,
    batch: int = 1,
    *,
    sequence: int | None = None,
    dims: Mapping[str, int] | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> ArrayCosts:
    """What a network costs on an array.

    Args:
        network: a built-in network's name, a network, a network file or an ONNX model.
        where: an array, a name such as 32x32 or 32x32+4, or an array file.
        batch: samples of one run.
        sequence: tokens, for a built-in network that has a sequence length.
        dims, shapes: sizes that an ONNX model leaves open, as `from_onnx` takes them.

    Raises:
        ValueError: an unknown name, a file that cannot be used (FileError), or an argument that
            does not fit.
        ImportError: an ONNX model, but onnx is not installed.
    """
    if batch > MAX_BATCH:
        raise ValueError(f"batch {batch} is more than {MAX_BATCH:,} samples, the most of a run")
    chosen = array(where)
    if _is_onnx(network, sequence, dims, shapes):
        path = _file(str(network), "network", ())
        return ArrayCosts(from_onnx(path, dims=dims, shapes=shapes), chosen, batch)
    if isinstance(network, Network) or is_network_name(network):
        return ArrayCosts(_known_network(network, sequence), chosen, batch)
    return ArrayCosts(read_network(_network_file(network, sequence)), chosen, batch)


def array(where: str | Path | Array) -> Array:
    """An array as it is, a built-in one by name, or one from a file.

    Raises:
        ValueError: an unknown name, or a file that cannot be used (FileError).
    """
    if isinstance(where, Array):
        return where
    if is_array_name(where):
        return load_array(str(where))
    if not Path(where).exists():
        raise ValueError(
            f"{str(where)!r} is neither an array nor a file.{_array_meant(str(where))}"
            f" Arrays are {FORM}, such as 32x32 or 32x32+4"
        )
    return read_array(where)


def _array_meant(name: str) -> str:
    """' Did you mean ...?' for one to three numbers with something else between."""
    numbers = re.findall("[0-9]+", name)
    if re.search(r"[a-wyz]|\.", name.lower()) or not 1 <= len(numbers) <= 3:
        return ""
    columns, rows = numbers[0], numbers[min(1, len(numbers) - 1)]
    express = f"+{numbers[2]}" if len(numbers) == 3 else ""
    return f" Did you mean {columns}x{rows}{express}?"


def workload(
    models: str | Path | Sequence[Job | tuple[str | Network, int]],
    package: str | Path | Package | None = None,
    *,
    sequence: int | None = None,
    units: Grain | None = None,
) -> Workload:
    """Several models on one package.

    Args:
        models: names and batches such as 'gpt2:8,resnet50@stage:32', as `instances.files.names`
            reads them; a workload file; or a list of names or networks with their batches, or of
            jobs.
        package: as for `instance`, or a built-in one with changes such as
            'het-2x2?dram.latency_ns=0'; overrides the file's. DEFAULT_MIX where nobody names one.
        sequence: tokens, for those networks that have a sequence length and do not name one.
        units: layer, block or stage, for those that do not name theirs; blocks by default.

    Raises:
        ValueError: an unknown name, a file that cannot be used (FileError), or an argument that
            does not fit.
    """
    chosen = None if package is None else find_package(package)
    if isinstance(models, Path) or (isinstance(models, str) and _is_file(models)):
        if sequence is not None or units is not None:
            raise ValueError(f"{models}: a workload file says itself which sequences and units")
        return read_workload(models, package=chosen, default_package=load_package(DEFAULT_MIX))
    if isinstance(models, str):
        jobs = jobs_of(models_of(models), sequence=sequence, grain=units)
    else:
        jobs = _jobs(models, sequence, units)
    where = chosen or load_package(DEFAULT_MIX)
    return Workload(workload_name(jobs, where), where, jobs)


def _jobs(
    models: Sequence[Job | tuple[str | Network, int]], sequence: int | None, units: Grain | None
) -> tuple[Job, ...]:
    """Models as they are, or made of names and networks."""
    named = [own for own in models if not isinstance(own, Job) and isinstance(own[0], str)]
    by_name = iter(jobs_of([(str(n), b) for n, b in named], sequence=sequence, grain=units))
    found = []
    for own in models:
        if isinstance(own, Job):
            found.append(own)
        elif isinstance(own[0], Network):
            found.append(job(own[0], own[1], units or "block"))
        else:
            found.append(next(by_name))
    return tuple(found)


def _is_file(models: str) -> bool:
    """Whether a text names a file and not models, of which each has a batch."""
    return Path(models).suffix.lower() in SUFFIXES and (":" not in models or Path(models).exists())


def is_workload(what: str | Path | None) -> bool:
    """Whether something is a workload file, or begins as one and is broken further on."""
    content = _content(what)
    # Only a file that may be one is read with care: others may be large.
    if not re.search(rb"kind\W+workload\b", content):
        return False
    try:
        return read_data(str(what)).get("kind") == "workload"
    except FileError:  # told once more where the file is read as what it means to be
        return re.match(rb"\W*kind\W+workload\b", content) is not None


def is_graph(what: str | Path | None) -> bool:
    """Whether something is a file of a graph of operators, or looks like one and is broken."""
    content = _content(what)
    if b"nodes" not in content or b"edges" not in content:
        return False
    try:
        return {"nodes", "edges"} <= read_data(str(what)).keys()
    except FileError:  # as above
        return b'"nodes"' in content and b'"edges"' in content


def _content(what: str | Path | None) -> bytes:
    """What a YAML or JSON file holds; nothing of what is no such file, or cannot be read."""
    path = Path(what or "")
    try:
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError:
        return b""


def find_package(package: str | Path | Package) -> Package:
    """A package as it is, a built-in one by name, perhaps with changes, or one from a file.

    Raises:
        ValueError: an unknown name, or a file that cannot be used (FileError).
    """
    if isinstance(package, Package):
        return package
    if is_package_name(package):
        return load_package(str(package))
    if "?" in str(package):
        return package_of(str(package))
    known = (*package_names(), *MIXED_NAMES)
    return read_package(_file(package, "package", known))


def suggestion(name: str, known: Iterable[str]) -> str:
    """' Did you mean ...?' if known names are near, otherwise nothing."""
    near = get_close_matches(name.lower(), list(known))
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _file(what: str | Path, kind: str, known: Iterable[str]) -> Path:
    path = Path(what)
    if not path.exists():
        raise ValueError(
            f"{str(what)!r} is neither a built-in {kind} nor a file.{suggestion(str(what), known)}"
            f" `chipweave {kind}s` lists the built-in ones."
        )
    return path
