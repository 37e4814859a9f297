"""docs/costs.md and docs/torch.md: what they show runs, and their columns are those of the code."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from chipweave.cli import main
from instances.files import read_csv_costs, with_cycles
from instances.files.cost_rows import OUTSIDE, PER_LAYER, PER_ROW, REQUIRED, SELECTORS
from solvers.solve import solve

DOCS = Path(__file__).parents[2] / "docs"
COSTS, TORCH = (DOCS / f"{name}.md" for name in ("costs", "torch"))


def fenced(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text("utf-8"), re.M | re.S)


def test_all_commands_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (named,), (cycles, message) = fenced(COSTS, "csv"), fenced(COSTS, "text")
    costs = named.removeprefix("# costs.csv\n")
    Path("costs.csv").write_text(costs)
    for block in fenced(COSTS, "sh"):
        for line in block.splitlines():
            assert main(shlex.split(line)[1:]) == 0, line
    written = Path("cycles.csv").read_text().splitlines()[1:]
    heading, *rows = cycles.splitlines()
    assert written[0].startswith(heading.removesuffix("..."))
    assert written[1 : len(rows) + 1] == rows
    assert read_csv_costs("tables.csv").chiplets == 16
    capsys.readouterr()
    Path("costs.csv").write_text(costs.replace("2100", "2100.5", 1))
    assert main(["solve", "costs.csv"]) == 2
    assert capsys.readouterr().err == message


def test_the_short_example_has_the_schedule_that_its_numbers_say(tmp_path: Path) -> None:
    (tmp_path / "costs.csv").write_text(fenced(COSTS, "csv")[0])
    found = read_csv_costs(tmp_path / "costs.csv")
    # One stage on all chiplets: 64 beats of 1200 + 300; each pipeline of two waits for 2100.
    assert solve(found, "exact").objective == 64 * 1500


def test_the_tables_name_every_column() -> None:
    text = COSTS.read_text("utf-8")
    for column in (*REQUIRED, *SELECTORS, *PER_ROW, *PER_LAYER, OUTSIDE):
        assert f"`{column}`" in text, column
    assert with_cycles.__name__ in text


@pytest.mark.parametrize("document", [COSTS, TORCH], ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for name, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", document.read_text("utf-8")):
        target = document.parent / name if name else document
        headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.M)
        anchors = {
            re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings
        }
        assert not anchor or anchor in anchors, (name, anchor)


def test_the_import_of_a_module_runs_as_shown(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (code,) = fenced(TORCH, "python")
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert main(["show", str(tmp_path / "model.yaml")]) == 0
