"""Names from files on the terminal, in tables, pages and pictures: they have no effect."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from chipweave.cli import main
from chipweave.grid import Grid, console
from chipweave.output import visible
from chipweave.status import Status
from experiments.store import Record, Store, Task
from instances.files import write_instance
from instances.generate import random_instance
from instances.instance import Instance
from schedules.draw import draw_schedule
from schedules.printed import printed
from solvers.solve import solve
from tests.fuzz.trial import CONTROL

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><b>",
    '"><img src=x onerror=alert(1)>',
    "${alert(1)} {{data}}",
    "[red]x[/red]",
    "[/]",
    "\x1b[31mred\x1b]0;title\x07",
    "\u202eback",
    "a|b\n| c |",
    "$\\frac{$ $x$",
    "--> <!-- ]]>",
)


def named(name: str, *layers: str) -> Instance:
    """A small instance of this name, with layers of these names."""
    drawn = random_instance(
        1, layers=len(layers), options=2, chiplets=3, shape="chain", memory="loose"
    )
    return Instance(name, drawn.batch, replace(drawn.tables, layers=layers))


@pytest.fixture(params=HOSTILE, ids=ascii)
def name(request: pytest.FixtureRequest) -> str:
    """A name that would have an effect where it is not taken as a text."""
    return str(request.param)


# The terminal


@pytest.mark.parametrize("command", ["solve", "show"])
def test_a_layers_name_is_printed_literally(
    command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "named.json"
    write_instance(named(name, *HOSTILE[:2], f"{name}1"), path)
    assert main([command, str(path), *(["--method", "scope"] if command == "solve" else [])]) == 0
    out, err = capsys.readouterr()
    assert not CONTROL.search(out + err)
    for line in visible(name).splitlines():
        assert line.rstrip() in out


def test_an_error_shows_no_control_character_of_a_name(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "named.json"
    write_instance(named(name, *HOSTILE[:2], f"{name}1"), path)
    assert main(["solve", str(path), "--pin", f"{name}:nonsense"]) == 2
    assert not CONTROL.search(capsys.readouterr().err)
    assert main(["solve", str(path), "--package", name]) == 2
    assert not CONTROL.search(capsys.readouterr().err)


def test_a_status_line_shows_no_control_character_of_a_name(name: str) -> None:
    assert not CONTROL.search(Status(name).__rich__().plain)


def test_headings_and_titles_are_no_markup(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Grid((name, "n"), [(name, "1")], name).show(console())
    shown = visible(name).splitlines()[0].rstrip()
    assert capsys.readouterr().out.count(shown) >= 3


def test_an_error_of_any_length_is_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "long.yaml"
    path.write_text(f"kind: instance\nbatch: 1\nnetwork: {'x' * 100_000}\n")
    assert main(["solve", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(path) in line
    assert len(line) < 4000


# Markdown


def test_a_name_stays_in_its_cell_of_a_markdown_table(name: str) -> None:
    lines = Grid(("layer", "n"), [(name, "1")]).markdown().splitlines()
    assert len(lines) == 3
    assert len(re.split(r"(?<!\\)\|", lines[2])) == 4
    assert "<" not in lines[2]
    assert not CONTROL.search(lines[2])


# Pictures


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_picture_takes_any_name(kind: str, tmp_path: Path) -> None:
    instance = named("$x$", *HOSTILE)
    schedule = solve(instance, "scope").schedule
    assert schedule is not None
    path = tmp_path / f"named.{kind}"
    draw_schedule(instance, schedule, path)
    if kind == "svg":
        found = {element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter()}
        assert not found & {"script", "img", "b", "a", "foreignObject"}


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_figure_takes_any_text_in_any_place(name: str) -> None:
    figure = Figure(layout="constrained")
    ax = figure.subplots()
    ax.plot([1, 2], [10, 1000], label=name)
    ax.set(title=name, xlabel=name, yscale="log")
    ax.set_xticks([1, 2], [name, "b"])
    ax.legend()
    content = printed(figure)
    ElementTree.fromstring(content)
    assert printed(figure, "png")
    assert b"mathdefault" in content, "numbers at axes are still powers of ten"


# The report


class _Elements(HTMLParser):
    """Names of all elements, and of attributes that run something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element."""
        self.found.append(tag)
        self.found += [own for own, _ in attrs if own.startswith("on")]


def elements(names: Iterable[str], place: Path) -> list[str]:
    """Of the page of a store with runs that have these names."""
    from experiments.report import write_report

    place.mkdir()
    with Store(place / "runs.db") as store:
        for name in names:
            for number in range(2):
                store.add(record(name, number))
            store.add(replace(record(name, 9), result=None, error=name))
        report = write_report(store, place)
    for picture in report.pictures:
        ElementTree.parse(picture)
    parser = _Elements()
    parser.feed(report.page.read_text("utf-8"))
    return parser.found


def record(name: str, number: int) -> Record:
    """A run in which everything that is a text has the name."""
    options = {"seed": number, "steps": name, "objective": name}
    goal = {"objective": name, "pins": [{"layer": 0, "option": name}]}
    result = {
        **dict.fromkeys(("stop", "instance", "unit", "formulation", "engine"), name),
        **{"objective": 2 + number, "bound": 1.5, "runtime_s": 0.5, "latency": 2 + number},
        "goal": goal,
        "energy": 3,
    }
    task = Task(f"{name}{number % 2}", 2, name, "1", options, name, name)
    return Record(task, result, None, {name: 1.0}, "2020-01-01T00:00:00")


def test_a_report_has_the_same_elements_whatever_the_names(tmp_path: Path) -> None:
    pytest.importorskip("plotly", reason="the extra experiments is not installed")
    plain = [f"plain{number}" for number in range(len(HOSTILE))]
    assert elements(HOSTILE, tmp_path / "a") == elements(plain, tmp_path / "b")
