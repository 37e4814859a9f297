"""Fingerprints change with what may change a result, and with nothing else."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chipweave as cw
from experiments import fingerprint
from experiments.fingerprint import content, content_of, cost_model, version_of
from instances.cost import make_instance
from instances.generate import random_instance
from instances.instance import Instance
from instances.networks import build_network
from instances.packages import load_package
from solvers.solve import METHODS

ALEXNET, SIMBA = build_network("alexnet"), load_package("simba-4x4")
TABLES = random_instance(1, layers=4, chiplets=3, options=2, shape="dag")


# Content


def test_the_content_of_an_instance_is_that_of_its_network_package_and_batch() -> None:
    assert content_of(make_instance(ALEXNET, SIMBA, 8, "mine")) == content(ALEXNET, SIMBA, 8)


def test_whatever_a_network_a_package_or_a_batch_says_is_in_the_content() -> None:
    layer = replace(ALEXNET.layers[0], extra_parameters=7)
    other = replace(ALEXNET, layers=(layer, *ALEXNET.layers[1:]))
    slower = replace(SIMBA, nop=replace(SIMBA.nop, hop_ns=SIMBA.nop.hop_ns + 1))
    found = {
        content(ALEXNET, SIMBA, 8),
        content(ALEXNET, SIMBA, 16),
        content(other, SIMBA, 8),
        content(ALEXNET, slower, 8),
    }
    assert len(found) == 4


def test_content_is_the_same_in_every_process() -> None:
    program = (
        "from experiments.fingerprint import *;"
        "print(content(build_network('alexnet'), load_package('simba-4x4'), 8))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == content(ALEXNET, SIMBA, 8)


def test_the_content_of_a_table_instance_is_that_of_its_tables() -> None:
    same = Instance(TABLES.name, TABLES.batch, replace(TABLES.tables))
    assert content_of(same) == content_of(TABLES)
    assert content_of(replace(TABLES, batch=TABLES.batch + 1)) != content_of(TABLES)


def test_tables_that_were_changed_are_no_longer_those_of_the_network() -> None:
    instance = make_instance(ALEXNET, SIMBA, 8)
    changed = replace(instance, tables=replace(instance.tables, capacity=1))
    assert content_of(changed) != content_of(instance)


def test_every_number_of_a_table_instance_is_in_its_content() -> None:
    tables = TABLES.tables
    skip, *rest = tables.skips
    others = [
        replace(tables, capacity=tables.capacity + 1),
        replace(tables, skips=()),
        replace(tables, skips=(replace(skip, leave=raised(skip.leave)), *rest)),
        replace(tables, energy=replace(tables.energy, load=raised(tables.energy.load))),
    ]
    for name in ("entry", "step", "exit", "resident", "working", "load", "io", "alone"):
        changes: dict[str, Any] = {name: raised(getattr(tables, name))}
        others.append(replace(tables, **changes))
    found = {content_of(replace(TABLES, tables=other)) for other in (tables, *others)}
    assert len(found) == len(others) + 1


def raised(values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """The same with one number larger by one."""
    changed = values.copy()
    changed.flat[-1] += 1
    return changed


def test_another_cost_model_is_another_content(monkeypatch: pytest.MonkeyPatch) -> None:
    before, model = content(ALEXNET, SIMBA, 8), cost_model()
    build = cw.build_tables

    def dearer(*source: Any) -> Any:
        tables = build(*source)
        return replace(tables, load=tables.load + 1)

    cost_model.cache_clear()
    monkeypatch.setattr(fingerprint, "build_tables", dearer)
    assert cost_model() != model
    assert content(ALEXNET, SIMBA, 8) != before
    cost_model.cache_clear()


# Versions

SOURCES = {
    "heuristics/fast.py": "from instances.tables import A\nimport heuristics.tool\n",
    "heuristics/tool.py": "x = 1\n",
    "heuristics/other.py": "y = 1\n",
    "heuristics/__init__.py": "",
    "instances/tables.py": "A = 1\n",
    "instances/__init__.py": "",
    "solvers/table.py": "PLACE = 'heuristics.fast:run'\n",
    "solvers/__init__.py": "",
}


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rooms of a few lines, with the method `scope` in heuristics/fast.py."""
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    monkeypatch.setitem(METHODS, "scope", replace(METHODS["scope"], place="heuristics.fast:run"))
    return tmp_path


def version(method: str = "scope") -> str:
    for function in (version_of, fingerprint._tree, fingerprint._code, fingerprint._imports):
        function.cache_clear()
    return version_of(method)


@pytest.fixture(autouse=True)
def forget() -> Any:
    """No test sees sources that another one has read."""
    yield
    for function in (version_of, fingerprint._tree, fingerprint._code, fingerprint._imports):
        function.cache_clear()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("heuristics/fast.py", SOURCES["heuristics/fast.py"] + "z = 2\n"),
        ("heuristics/tool.py", "x = 2\n"),
        ("heuristics/__init__.py", "import sys\n"),
        ("instances/tables.py", "A = 2\n"),
    ],
)
def test_code_that_a_method_leads_to_is_in_its_version(rooms: Path, name: str, text: str) -> None:
    before = version()
    (rooms / name).write_text(text)
    assert version() != before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("heuristics/other.py", "y = 2\n"),
        ("heuristics/tool.py", '"""What it does."""\n\n# why\nx = 1  # so\n'),
    ],
)
def test_other_code_and_words_are_not(rooms: Path, name: str, text: str) -> None:
    before = version()
    (rooms / name).write_text(text)
    assert version() == before


def test_a_module_that_is_named_in_a_table_is_followed(
    rooms: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METHODS, "exact", replace(METHODS["exact"], place="solvers.table:run"))
    before = version("exact")
    (rooms / "heuristics/tool.py").write_text("x = 2\n")
    assert version("exact") != before


def test_every_method_has_a_version_and_leads_to_the_kernels_that_it_runs() -> None:
    assert all(version_of(name) for name in METHODS)
    homes = {name: METHODS[name].place.split(":")[0] for name in METHODS}
    assert "heuristics.scope.search" in fingerprint._reached(homes["scope"])
    assert "instances.stages" in fingerprint._reached(homes["scope"])
    assert "solvers.exact.search" in fingerprint._reached(homes["exact"])
    assert not any(name.startswith("solvers.") for name in fingerprint._reached(homes["scope"]))
