"""What a shell may complete. Nothing heavy is imported: an answer must come while one types.

Names whose own modules are slow to import are repeated here; a test holds them against those.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

PACKAGES = (
    *("datacentre-2x2", "datacentre-4x4", "datacentre-6x6"),
    *("simba-4x4", "simba-6x6", "simba-8x8", "simba-8x16", "simba-16x16"),
)
MIXED_PACKAGES = tuple(
    f"het-{mesh}{pattern}"
    for mesh, patterns in (
        ("2x2", ("",)),
        ("3x3", ("-checkerboard", "-sides", "-cross")),
        ("6x6", ("-checkerboard", "-sides", "-cross")),
    )
    for pattern in (*patterns, "-ws", "-os", "-mono-ws", "-mono-os")
)
METHODS = (
    *("sequential", "pipeline", "segmented", "tangram", "scope", "scope+", "annealing"),
    *("exact", "cpsat", "milp", "decompose", "enumerate"),
)
WINDOW_METHODS = ("scar", "search", "exact", "cpsat", "milp", "enumerate")
ARRAY_METHODS = (
    *("unpipelined", "pairs", "tangram-like", "simba-like", "pipeorgan", "pipeorgan+"),
    *("exact", "cpsat", "milp", "enumerate"),
)
ENGINES = (
    *("cp-sat", "highs", "cbc", "scip", "gurobi", "cplex", "xpress", "mosek", "copt"),
    *("mathopt-highs", "mathopt-scip", "mathopt-cpsat"),
)
FORMULATIONS = ("segment", "interval", "compact")
OBJECTIVES = ("latency", "energy", "edp")

FILES = (".yaml", ".yml", ".json", ".csv", ".onnx")
"""What a network or a package may be read from."""


def network(incomplete: str) -> list[str]:
    """Built-in networks, and files beside them."""
    from instances.networks import NETWORKS

    return [*_beginning(NETWORKS, incomplete), *_files(incomplete)]


def networks(incomplete: str) -> list[str]:
    """The last of several networks with commas between."""
    from instances.networks import NETWORKS

    return _last(NETWORKS, incomplete)


def package(incomplete: str) -> list[str]:
    """Built-in packages, and files beside them."""
    return [*_beginning((*PACKAGES, *MIXED_PACKAGES), incomplete), *_files(incomplete)]


def packages(incomplete: str) -> list[str]:
    """The last of several packages with commas between."""
    return _last(PACKAGES, incomplete)


def method(ctx: typer.Context, incomplete: str) -> list[str]:
    """The methods for what the line so far asks for."""
    if ctx.params.get("models"):
        return _beginning(WINDOW_METHODS, incomplete)
    return _beginning(ARRAY_METHODS if ctx.params.get("array") else METHODS, incomplete)


def methods(incomplete: str) -> list[str]:
    """The last of several methods with commas between."""
    return _last(METHODS, incomplete)


def engine(incomplete: str) -> list[str]:
    """Engines, installed or not."""
    return _beginning(ENGINES, incomplete)


def formulation(incomplete: str) -> list[str]:
    """The mathematical models."""
    return _beginning(FORMULATIONS, incomplete)


def objective(incomplete: str) -> list[str]:
    """What is minimised."""
    return _beginning(OBJECTIVES, incomplete)


def kind(incomplete: str) -> list[str]:
    """Kinds of files that have a schema."""
    from chipweave.schemas import KINDS

    return _beginning(KINDS, incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _last(names: Iterable[str], incomplete: str) -> list[str]:
    before, comma, last = incomplete.rpartition(",")
    taken = before.split(",")
    return [before + comma + name for name in _beginning(names, last) if name not in taken]


def _files(incomplete: str) -> list[str]:
    """Files of the kinds that are read, and folders; only where their names have begun."""
    if not incomplete:
        return []
    folder = Path(incomplete if incomplete.endswith("/") else Path(incomplete).parent)
    try:
        inside = sorted(folder.iterdir())
    except OSError:
        return []
    shown = [f"{path}/" for path in inside if path.is_dir()]
    shown += [str(path) for path in inside if path.suffix.lower() in FILES]
    return _beginning(shown, incomplete)
