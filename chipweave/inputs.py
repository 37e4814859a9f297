"""From what a user names, a built-in thing or a file, to an instance."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from instances.cost import make_instance
from instances.files import read_instance, read_package
from instances.files.schema import MAX_BATCH
from instances.instance import Instance
from instances.network import Network
from instances.networks import build_network, is_network_name, network_names
from instances.package import Package
from instances.packages import is_package_name, load_package, package_names

DEFAULT_PACKAGE = "simba-4x4"
DEFAULT_BATCH = 64


def instance(
    what: str | Path | Network,
    package: str | Path | Package | None = None,
    *,
    batch: int | None = None,
    sequence: int | None = None,
) -> Instance:
    """The instance that a built-in network or a file stands for.

    Args:
        what: a built-in network's name, a network, or a file: instance, table instance, network.
        package: a built-in package's name, a package, or a package file; overrides the file's.
            DEFAULT_PACKAGE where nobody names one; a table instance takes none.
        batch: overrides the file's; DEFAULT_BATCH where nobody gives one.
        sequence: tokens, for a built-in network that has a sequence length.

    Raises:
        ValueError: an unknown name, a file that cannot be used (FileError), or an argument that
            does not fit.
    """
    if batch is not None and batch > MAX_BATCH:
        raise ValueError(f"batch {batch} is more than {MAX_BATCH:,} samples, the most of a run")
    chosen = None if package is None else find_package(package)
    if isinstance(what, Network) or is_network_name(what):
        arguments = {} if sequence is None else {"sequence": sequence}
        network = what if isinstance(what, Network) else build_network(str(what), **arguments)
        samples = DEFAULT_BATCH if batch is None else batch
        return make_instance(network, chosen or load_package(DEFAULT_PACKAGE), samples)
    if str(what).lower().endswith(".onnx"):
        raise ValueError(
            f"{what}: ONNX models are not supported yet; describe the layers in a network file"
        )
    path = _file(what, "network", network_names())
    if sequence is not None:
        raise ValueError(f"{path}: a sequence length is for built-in networks, not for files")
    return read_instance(
        path,
        package=chosen,
        batch=batch,
        default_package=load_package(DEFAULT_PACKAGE),
        default_batch=DEFAULT_BATCH,
    )


def find_package(package: str | Path | Package) -> Package:
    """A package as it is, a built-in one by name, or one from a file.

    Raises:
        ValueError: an unknown name, or a file that cannot be used (FileError).
    """
    if isinstance(package, Package):
        return package
    if is_package_name(package):
        return load_package(str(package))
    return read_package(_file(package, "package", package_names()))


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
