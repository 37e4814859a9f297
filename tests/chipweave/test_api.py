"""The public names: what Python users get, and what type checkers are told."""

import ast
import importlib
from pathlib import Path

import pytest

import chipweave as cw
from instances.network import Network


def declared() -> dict[str, tuple[str, str]]:
    """Public name -> (module, name there), from the imports written for type checkers."""
    (block,) = [
        node for node in ast.parse(Path(cw.__file__).read_text()).body if isinstance(node, ast.If)
    ]
    found = {
        alias.asname or alias.name: (str(node.module), alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in block.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            (target,) = node.targets
            assert isinstance(target, ast.Name)
            found[target.id] = found.pop(node.value.id)
    return found


@pytest.mark.parametrize("name", sorted(set(cw.__all__) - {"__version__"}))
def test_a_public_name_is_what_type_checkers_are_told(name: str) -> None:
    module, original = declared()[name]
    assert getattr(cw, name) is getattr(importlib.import_module(module), original)


def test_every_declared_name_is_public() -> None:
    assert set(declared()) | {"__version__"} == set(cw.__all__)
    assert set(cw.__all__) <= set(dir(cw))


def test_the_version_is_the_installed_one() -> None:
    assert cw.__version__ == importlib.import_module("importlib.metadata").version("chipweave")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="slove"):
        _ = cw.slove  # type: ignore[attr-defined]


def test_versions_are_shown_for_bug_reports(capsys: pytest.CaptureFixture[str]) -> None:
    cw.show_versions()
    lines = capsys.readouterr().out.splitlines()
    assert f"chipweave {cw.__version__}" in lines
    assert any(line.startswith("ortools 9.") for line in lines)


def test_a_network_and_a_package_may_be_objects() -> None:
    network, package = cw.build_network("alexnet"), cw.load_package("datacentre-2x2")
    instance = cw.instance(network, package, batch=3)
    assert isinstance(instance.network, Network)
    assert (instance.network, instance.package, instance.batch) == (network, package, 3)


def test_an_array_may_be_an_object_a_name_or_a_file(tmp_path: Path) -> None:
    array = cw.array("8x4+2")
    assert (array.mesh, array.express) == ((8, 4), 2)
    assert cw.array(array) is array
    cw.write_array(array, tmp_path / "array.json")
    assert cw.array(tmp_path / "array.json") == array
    network = cw.build_network("res8-narrow")
    for what, where in (("res8-narrow", "8x4+2"), (network, array)):
        costs = cw.array_costs(what, where, 2)
        assert (costs.network, costs.array, costs.batch) == (network, array, 2)
    assert cw.array_costs("res8-narrow").array == cw.array("32x32")


def test_a_network_is_scheduled_inside_an_array(tmp_path: Path) -> None:
    costs = cw.random_array_costs(5, layers=4, side=3)
    result = cw.solve_array(costs, "enumerate")
    assert result.schedule is not None
    assert cw.array_violations(costs, result.schedule) == []
    assert cw.evaluate_array(costs, result.schedule) == result.evaluation
    cw.write_array_schedule(result.schedule, tmp_path / "schedule.yaml")
    assert cw.read_array_schedule(tmp_path / "schedule.yaml") == result.schedule
    cw.draw_array(costs, result.schedule, tmp_path / "array.svg")
    assert (tmp_path / "array.svg").read_text().startswith("<?xml")
    again = cw.ArraySchedule(
        tuple(
            cw.ArraySegment(own.first, own.last, own.tiling, own.tiles, cw.Layout(
                own.layout.heights, own.layout.widths, own.layout.repeats, own.layout.express
            ))
            for own in result.schedule.segments
        )
    )  # fmt: skip
    assert again == result.schedule
