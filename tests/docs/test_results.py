"""docs/results: complete pages of the ready-made experiments, each with its commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chipweave.commands.results import commands
from experiments.tables import PAGES

FOLDER = Path(__file__).parents[2] / "docs" / "results"
MEASURES = {
    "contention": "chipweave bench contention --out docs/results",
    "joint": "chipweave bench joint --slower 1,16,64 --markdown docs/results/joint.md",
    "monolith": "chipweave bench models --out docs/results --only monolith",
    "scenarios": "chipweave bench models --out docs/results --only scenarios",
    "scar": "chipweave bench models --out docs/results --only scar",
    "array": "chipweave bench array --out docs/results",
    "compression": "chipweave bench compression --losses docs/losses/text-lines.csv"
    " --out docs/results",
    "graphs": "chipweave bench graphs --out docs/results",
    "orders": "chipweave bench orders --out docs/results",
    "costs": "chipweave bench scalesim --out docs/results",
}
"""Pages that `chipweave bench` writes."""

MADE = sorted(p.stem for p in FOLDER.glob("*.md") if p.stem not in ("README", *MEASURES))


def test_every_experiment_has_its_page_and_the_overview_links_them_all() -> None:
    assert sorted(PAGES) == MADE
    overview = (FOLDER / "README.md").read_text("utf-8")
    assert re.findall(r"\((\w+)\.md\)", overview) == [*PAGES, *MEASURES]


@pytest.mark.parametrize("name", MEASURES)
def test_a_page_of_a_measure_begins_with_its_command(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text("utf-8")
    assert f"\n```sh\n{MEASURES[name]}\n```\n" in text
    assert "time-limit" not in text


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_complete_and_tells_how_it_was_made(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text("utf-8")
    assert text.startswith(f"# {PAGES[name].title}\n\n```sh\n{commands(name)}\n```\n")
    assert "runs are missing" not in text
    assert "ended with an error" not in text
    pictures = re.findall(r"\]\(([\w-]+\.svg)\)", text)
    assert sorted(pictures) == sorted(path.name for path in FOLDER.glob(f"{name}-*.svg"))
