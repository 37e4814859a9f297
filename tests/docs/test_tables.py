"""The measured tables of README.md and docs/ show what their commands would print now."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import chipweave as cw
from experiments.strength import model_of
from formulations.export import size
from schedules.goal import Goal

ROOT = Path(__file__).parents[2]
TABLE = re.compile(r"<!-- ((compare|strength|rank)\b.*?) -->\n(.*?)<!-- end -->", re.DOTALL)
SLOW = ("cpsat", "milp")
"""Methods that are left out here; the agreement of all methods is tested elsewhere."""


def rows(text: str) -> Iterator[dict[str, str]]:
    """The rows of a Markdown table, by its headings."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    for row in cells[2:]:
        yield dict(zip(cells[0], row, strict=True))


def shown(kind: str) -> list[tuple[list[str], dict[str, str]]]:
    """(words of the command, row) of every table that a command of this kind has made."""
    return [
        (shlex.split(command)[1:], row)
        for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
        for command, name, text in TABLE.findall(path.read_text("utf-8"))
        if name == kind
        for row in rows(text)
    ]


def number(text: str) -> int | None:
    return None if text == "–" else int(text.replace(",", ""))


def test_the_documents_have_tables_of_all_kinds() -> None:
    assert len(shown("compare")) >= 10
    assert len(shown("strength")) == 2 * 3 * 6
    assert len(shown("rank")) == 3 + 4


@pytest.mark.parametrize(
    ("words", "row"), [found for found in shown("compare") if found[1]["method"] not in SLOW]
)
def test_a_comparison_has_the_objectives_of_today(words: list[str], row: dict[str, str]) -> None:
    instance = cw.instance(words[0], words[words.index("--package") + 1], batch=64)
    result = cw.solve(instance, row["method"])
    assert result.objective == number(row["objective (cycles)"])
    assert result.bound == number(row["bound"])


@pytest.mark.parametrize(
    "row", [row for _, row in shown("strength") if "resnet50" not in row["instance"]]
)
def test_the_strength_table_has_the_sizes_and_bounds_of_today(row: dict[str, str]) -> None:
    network, package = row["instance"].split(" on ")
    instance = cw.instance(network, package, batch=64)
    model = model_of(instance, Goal(), row["formulation"], row["engine"])
    assert size(model) == (number(row["variables"]), number(row["constraints"]))
    optimum = cw.solve(instance, "exact").objective
    assert optimum is not None
    if model.bound is not None:
        assert 100 * model.bound / optimum <= float(row["root bound / optimum"].rstrip("%")) + 0.01


@pytest.mark.parametrize(("words", "row"), shown("rank"))
def test_a_rank_has_the_counts_of_today(words: list[str], row: dict[str, str]) -> None:
    instance = cw.instance(words[0], words[words.index("--package") + 1])
    space = cw.Space("any" if "any" in words else "one")
    found = cw.rank(instance, row["schedule of"], space)
    assert found.latency == number(row["latency (cycles)"])
    assert found.better == number(row["faster"])
    assert found.equal == number(row["as fast"])
    assert found.feasible == number(row["schedules that fit"])
    assert found.schedules == number(row["all schedules"])


def test_the_numbers_of_one_segment_are_those_of_the_text() -> None:
    space = cw.Space(options=("ISP", "WSP"), all_chiplets=True)
    found = cw.rank(cw.instance("alexnet", "datacentre-4x4"), "scope", space)
    text = (ROOT / "docs" / "problem.md").read_text("utf-8")
    assert f"these are {found.schedules:,}, of which {found.feasible:,} fit" in text


def test_the_table_of_ar_vr_networks_has_the_sizes_of_today() -> None:
    text = (ROOT / "docs" / "problem.md").read_text("utf-8")
    (part,) = re.findall(r"^### AR/VR networks\n(.*?)^#", text, re.M | re.S)
    found = list(rows(part))
    assert tuple(row["network"].strip("`") for row in found) == cw.ar_vr_names()
    for row in found:
        network = cw.build_network(row["network"].strip("`"))
        sizes = [len(network.layers), network.parameters, network.macs]
        assert [number(row[key]) for key in ("layers", "parameters", "MACs")] == sizes
