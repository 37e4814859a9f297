"""All engines: what they can do, whether they are here, and how to get them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from solvers.engines import cbc
from solvers.engines.engine import FEATURES, Engine, Feature, Found, Kind

ALL: frozenset[Feature] = frozenset(FEATURES)


def _package(name: str, below: tuple[int, ...] | None = None) -> Found | None:
    """An installed package, unless its version is too new; it is not imported."""
    try:
        found = version(name)
    except PackageNotFoundError:
        return None
    numbers = tuple(int(part) for part in found.split(".")[:2] if part.isdigit())
    return None if below is not None and numbers >= below else Found(found)


def _any_package(*names: str) -> Found | None:
    return next((found for name in names if (found := _package(name)) is not None), None)


def _milp(
    name: str,
    place: str,
    probe: Callable[[], Found | None],
    packages: tuple[str, ...],
    install: str,
    without: Iterable[Feature],
    note: str,
) -> Engine:
    features = ALL - frozenset(without)
    return Engine(
        name, "milp", f"solvers.engines.{place}:run", probe, packages, install, features, note
    )


def _api(name: str, package: str, without: Iterable[Feature], note: str, *others: str) -> Engine:
    """A solver that a user may have, through PuLP."""
    return _milp(
        name,
        "pulp_apis",
        partial(_any_package, package, *others),
        ("pulp",),
        f"install the package {package}",
        {"incumbents", "memory-limit", *without},
        note,
    )


def _mathopt(name: str, without: Iterable[Feature], note: str) -> Engine:
    return _milp(
        f"mathopt-{name}",
        "mathopt",
        partial(_package, "ortools"),
        ("ortools", "pulp"),
        "install the package ortools",
        {"incumbents", *without},
        note,
    )


_LIST = (
    Engine(
        "cp-sat",
        "cpsat",
        "solvers.engines.cpsat:run",
        partial(_package, "ortools"),
        ("ortools",),
        "install the package ortools",
        ALL,
        "the only engine of method cpsat",
    ),
    _milp(
        "highs",
        "highs",
        partial(_package, "highspy", below=(1, 14)),
        ("pulp", "highspy"),
        "install the package highspy, 1.13 (1.14 clashes with ortools)",
        (),
        "the default of method milp",
    ),
    _milp(
        "cbc",
        "cbc",
        cbc.find,
        ("pulp",),
        "PuLP 3.3 brings it for Linux, macOS and Windows",
        {"incumbents"},
        "comes with PuLP",
    ),
    _api("scip", "pyscipopt", {"threads"}, "through pyscipopt"),
    _api("gurobi", "gurobipy", (), "needs a licence"),
    _api("cplex", "cplex", {"interrupt"}, "needs a licence"),
    _api("xpress", "xpress", {"log"}, "needs a licence"),
    _api("mosek", "mosek", {"interrupt", "log", "warm-start"}, "needs a licence", "Mosek"),
    _api("copt", "coptpy", {"seed"}, "needs a licence"),
    _mathopt("highs", {"threads", "interrupt"}, "HiGHS in the ortools wheel"),
    _mathopt("scip", {"threads"}, "SCIP in the ortools wheel"),
    _mathopt("cpsat", (), "CP-SAT on the MILP"),
)

ENGINES: dict[str, Engine] = {engine.name: engine for engine in _LIST}
"""Engine's name -> engine."""

DEFAULTS: dict[Kind, tuple[str, ...]] = {
    "cpsat": ("cp-sat",),
    "milp": ("highs", "mathopt-highs", "cbc"),
}
"""Method -> engines in the order of preference."""


@dataclass(frozen=True)
class EngineInfo:
    """What a list of engines tells.

    Attributes:
        name: as in `--engine`.
        method: the one that uses the engine.
        version: None if the engine is not here.
        features: what it can do; the keys of FEATURES.
        note: how to get an engine that is not here, else what it is.
    """

    name: str
    method: str
    version: str | None
    features: frozenset[Feature]
    note: str


def engines() -> list[EngineInfo]:
    """Every engine, here or not; none is imported and no licence is taken."""
    return [_info(engine, engine.find()) for engine in ENGINES.values()]


def _info(engine: Engine, found: Found | None) -> EngineInfo:
    version = None if found is None else found.version
    note = engine.note if found is not None else engine.install
    return EngineInfo(engine.name, engine.kind, version, engine.features, note)


def choose(kind: Kind, name: str | None = None) -> tuple[Engine, Found]:
    """The engine asked for, or the best one that is here.

    Raises:
        ValueError: it is unknown, solves another kind of model, or is not here.
    """
    if name is not None:
        engine = _named(kind, name)
        found = engine.find()
        if found is None:
            raise ValueError(f"engine {name!r} is not here: {engine.install}")
        return engine, found
    for default in DEFAULTS[kind]:
        found = ENGINES[default].find()
        if found is not None:
            return ENGINES[default], found
    raise ValueError(f"no engine for method {kind!r} is here: {ENGINES[DEFAULTS[kind][0]].install}")


def _named(kind: Kind, name: str) -> Engine:
    usable = [engine.name for engine in ENGINES.values() if engine.kind == kind]
    if name not in ENGINES:
        raise ValueError(f"unknown engine {name!r}: method {kind!r} runs {', '.join(usable)}")
    if ENGINES[name].kind != kind:
        raise ValueError(
            f"engine {name!r} solves the models of method {ENGINES[name].kind!r}:"
            f" method {kind!r} runs {', '.join(usable)}"
        )
    return ENGINES[name]
