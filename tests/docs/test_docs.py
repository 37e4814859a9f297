"""README.md and docs/: what they show runs, loads, exists and agrees with the code."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import chipweave as cw
from chipweave.cli import app, main
from experiments.definition import ExperimentFile
from experiments.rows import COLUMNS
from instances.array import ORGANISATIONS
from instances.arrays import is_array_name, load_array
from instances.files import schema
from instances.files.package_file import package_to_data
from instances.networks import is_network_name
from instances.packages import is_package_name
from instances.packages.mixed import MONOLITHS, PATTERNS
from instances.tables import LIMIT, MAX_ENTRIES
from schedules.evaluate import cluster_cost, segment_cost
from schedules.schedule import Cluster, Segment
from schedules.windows.goal import DEFAULT_WINDOWS, OBJECTIVES
from solvers.placing import PLACE_METHODS

ROOT = Path(__file__).parents[2]
README, PROBLEM = ROOT / "README.md", ROOT / "docs" / "problem.md"
FORMULATIONS = ROOT / "docs" / "formulations.md"
BENCHMARKS = ROOT / "docs" / "benchmarks.md"
EXPERIMENTS = ROOT / "docs" / "experiments.md"
MESH = ROOT / "docs" / "mesh.md"
MULTI_MODEL = ROOT / "docs" / "multi_model.md"
ARRAY = ROOT / "docs" / "array.md"
COMPRESSION = ROOT / "docs" / "compression.md"
DOCUMENTS = [
    README,
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "howto").glob("*.md")),
]
MADE = ("model.onnx", "alexnet.json", "mine.yaml", "graph.json", "costs.csv")
"""Files that commands name and other blocks make, or the reader has."""

ROOMS = (
    "instances",
    "schedules",
    "heuristics",
    "formulations",
    "solvers",
    "experiments",
    "chipweave",
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    document: str
    line: int
    language: str
    text: str


def blocks(*languages: str) -> list[Block]:
    """All fenced blocks in these languages, in all documents."""
    fence = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [
        Block(path.name, path.read_text("utf-8").count("\n", 0, found.start()) + 1, *found.groups())
        for path in DOCUMENTS
        for found in fence.finditer(path.read_text("utf-8"))
        if found[1] in languages
    ]


def named(block: Block) -> str:
    return f"{block.document}:{block.line}"


def section(heading: str, document: Path = PROBLEM) -> str:
    """The text of a document's section, without its subsections' end."""
    text = document.read_text("utf-8")
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.M | re.S)
    assert found is not None, f"no section {heading!r}"
    return found[2]


def rows(text: str) -> list[list[str]]:
    """The cells of all Markdown table rows that are neither headings nor rules."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    rules = [place for place, line in enumerate(lines) if re.fullmatch(r"[|\s:-]+", line)]
    return [row for place, row in enumerate(cells) if {place, place + 1}.isdisjoint(rules)]


def examples() -> dict[str, str]:
    """Example files by the name in their first line."""
    found = {}
    for block in blocks("yaml"):
        name = re.match(r"# (\S+\.yaml)\n", block.text)
        assert name is not None, f"{named(block)}: the first line does not name the file"
        found[name[1]] = block.text
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: empty but for the example files."""
    for name, text in examples().items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Python and commands


def test_the_constraint_of_ones_own_has_the_optimum_of_tables_that_say_the_same() -> None:
    (shown,) = re.findall(r"^\[\] (6\d+)$", FORMULATIONS.read_text("utf-8"), re.M)
    instance = cw.instance("alexnet", "simba-4x4", batch=64)
    tables = instance.tables
    resident = tables.resident.copy()
    for chiplets in range(1, tables.chiplets + 1):
        if chiplets not in (1, 2, 4, 8, 16):
            resident[:, :, chiplets - 1] = tables.capacity + 1
    powers = replace(instance, tables=replace(tables, resident=resident))
    assert cw.solve(powers, "exact", workers=1).objective == int(shown)


def commands() -> Iterator[tuple[str, str]]:
    """(place, command line) of every `chipweave` command in a block, in code or in a marker."""
    for block in blocks("sh"):
        for line in block.text.splitlines():
            if line.startswith("chipweave "):
                yield named(block), line
    for path in DOCUMENTS:
        text = path.read_text("utf-8")
        for found in re.finditer(r"`(chipweave [^`]+)`", text):
            yield path.name, found[1]
        shown = r"<!-- ((?:compare|strength|pareto|rank|bench)\b.*?) -->"
        for found in re.finditer(shown, text):
            yield path.name, f"chipweave {found[1]}"


@pytest.mark.parametrize(("place", "line"), list(dict.fromkeys(commands())))
def test_every_command_line_is_one_that_chipweave_takes(
    place: str, line: str, folder: Path
) -> None:
    name, *arguments = shlex.split(line)
    if arguments and arguments[0].startswith("--"):  # of chipweave itself
        return
    command: Any = typer.main.get_command(app)
    while arguments and hasattr(command, "commands"):
        name = arguments.pop(0)
        assert name in command.commands, f"{place}: no command {name!r}"
        command = command.commands[name]
    if not arguments:
        return
    options = command.make_context(name, arguments).params
    what, package = options.get("what"), options.get("package")
    assert what in {None, *examples(), *MADE} or is_network_name(what)
    assert package in {None, *examples(), *MADE} or is_package_name(package)
    methods = options.get("methods") or options.get("method") or "exact"
    several = options.get("models") or "\nkind: workload\n" in examples().get(str(what), "")
    known: Any = cw.WINDOW_METHODS if several else cw.METHODS
    array = options.get("array")
    known = cw.ARRAY_METHODS if array else known
    assert array in {None, *examples()} or is_array_name(array)
    known = PLACE_METHODS if name == "place" else known
    for method in methods.split(",") if isinstance(methods, str) else methods:
        assert method in known


# Files


def test_every_example_file_loads_with_the_reader_of_its_kind(folder: Path) -> None:
    readers: dict[str, Any] = {
        "tables": cw.read_instance,
        "instance": lambda name: cw.instance(name),
        "network": cw.read_network,
        "package": cw.read_package,
        "schedule": cw.read_schedule,
        "experiment": cw.read_experiment,
        "workload": cw.read_workload,
        "windows": cw.read_windows,
        "array": cw.read_array,
        "array-schedule": cw.read_array_schedule,
        "partition": cw.read_partition,
    }
    seen = set()
    for name, text in examples().items():
        kind = re.search(r"^kind: ([\w-]+)", text, re.M)
        assert kind is not None, name
        readers[kind[1]](name)
        seen.add(kind[1])
    assert seen == set(readers)


def test_the_example_network_runs_on_the_example_package(folder: Path) -> None:
    instance = cw.instance("residual-net.yaml", "four-dies.yaml", batch=2)
    assert [skip.name for skip in instance.tables.skips] == ["stem", "mean", "tokens"]
    assert cw.solve(instance, "exact", workers=1).stop == "optimal"


def test_the_tiny_example_has_the_optimum_and_the_costs_that_are_worked_out_by_hand(
    folder: Path,
) -> None:
    tiny = cw.instance("tiny.yaml")
    assert cw.solve(tiny, "enumerate").objective == 229
    schedule = cw.read_schedule("tiny-schedule.yaml")
    assert cw.violations(tiny, schedule) == []
    cost = cw.evaluate(tiny, schedule)
    (stage,) = cost.segments[0].clusters
    assert (cost.latency, stage.time, stage.memory) == (229, 26, 93)
    split = Segment((Cluster(0, 0, 2, ("WSP",)), Cluster(1, 1, 1, ("WSP",))))
    assert [stage.time for stage in segment_cost(tiny, split).clusters] == [23, 33]
    assert segment_cost(tiny, split).time == 318
    for number in ("**229**", "318", "= 26", "= 93", "= 23", "= 33"):
        assert number in section("A segment")


def test_the_table_of_skip_tensor_costs_is_what_the_evaluator_says(folder: Path) -> None:
    tables = cw.instance("residual.yaml").tables
    table = rows(section("Skip tensors"))
    assert len(table) == 8
    for layers, _, _, _, time, resident, _, memory in table:
        first, last = tables.layers.index(layers[0]), tables.layers.index(layers[-1])
        size = last - first + 1
        cost = cluster_cost(tables, Cluster(first, last, 1, ("ISP",) * size))
        assert (cost.time, cost.memory) == (int(time.split("= ")[-1]), int(memory)), layers
        assert int(resident) == 20 * size


def test_the_documented_message_is_the_one_that_a_user_sees(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (message,) = (b.text for b in blocks("text") if b.document == "problem.md")
    broken = examples()["tiny.yaml"].replace("[40, 22, 16]", "[40, 22]", 1)
    Path("tiny.yaml").write_text(broken)
    assert main(["solve", "tiny.yaml"]) == 2
    assert capsys.readouterr().err == message


def test_the_documented_result_has_the_keys_and_values_of_a_real_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shown,) = (json.loads(b.text) for b in blocks("json") if b.document == "problem.md")
    assert main(["solve", "tiny.yaml", "--json", "-"]) == 0
    real = json.loads(capsys.readouterr().out)
    assert list(shown) == list(real)
    assert set(shown["versions"]) == set(real["versions"])
    for key in ("stop", "objective", "bound", "gap", "throughput", "energy", "schedule", "seed"):
        assert shown[key] == real[key], key


def test_the_documented_limits_are_those_of_the_readers() -> None:
    limits = section("Limits, and what is refused")
    for limit in (
        schema.MAX_LAYERS,
        schema.MAX_CHIPLETS,
        schema.MAX_BATCH,
        MAX_ENTRIES,
    ):
        assert f"| {limit:,} |" in limits
    assert schema.MAX_SIZE == 2**31
    assert LIMIT == 2**53
    assert (schema.MAX_RATE, schema.MAX_CONSTANT) == (10**15, 10**9)


@pytest.mark.parametrize("package", cw.package_names())
def test_the_documented_constants_are_those_of_the_package_files(package: str) -> None:
    column = {"simba": 1, "datacentre": 2}[package.split("-")[0]]
    data: Any = package_to_data(cw.load_package(package))
    table = rows(section("Constants and their sources"))
    assert len(table) == 16
    for row in table:
        *groups, key = row[0].strip("`").split(".")
        value = data[groups[0]][key] if groups else data[key]
        assert yaml.safe_load(row[column]) == value, row[0]


# Links, headings, tables


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", document.read_text("utf-8")))
    for link in links:
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize(
    ("document", "one"), [(PROBLEM, "The exact program"), (MULTI_MODEL, "Costs")]
)
def test_every_heading_that_the_code_refers_to_exists(document: Path, one: str) -> None:
    refers = re.compile(rf"docs/{document.name},\s+'(.+?)'[,).]")
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    headings = {name for path in files for name in refers.findall(path.read_text("utf-8"))}
    assert one in headings
    for heading in headings:
        section(heading, document)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_mathematics_survives_markdown(document: Path) -> None:
    """Markdown eats a backslash before punctuation; `}_` and `)_` may begin emphasis."""
    text = document.read_text("utf-8")
    text = re.sub(r"\$`.*?`\$", "", text, flags=re.S)  # what is in backquotes survives
    text = re.sub(r"^```.*?^```$|`[^`]*`", "", text, flags=re.M | re.S)
    assert text.count("$") % 2 == 0
    for formula in re.findall(r"\$\$.*?\$\$|\$[^$]+\$", text, re.S):
        assert not re.search(r"\\[^a-zA-Z\s]|[})]_|<|>", formula), formula


def test_the_comparisons_show_the_methods_of_their_commands_and_a_proof() -> None:
    marked = re.findall(
        r"<!-- compare .*?--methods (\S+) -->(.*?)<!-- end -->", README.read_text("utf-8"), re.S
    )
    assert len(marked) == 2
    for methods, table in marked:
        found = {row[0]: row for row in rows(table)}
        assert list(found) == methods.split(",")
        _, objective, to_best, *_, bound, gap, _, stop = found["exact"]
        assert (bound, to_best, gap, stop) == (objective, "1.0000", "0.00%", "optimal")


def test_the_picture_is_small_enough_for_a_readme() -> None:
    picture = ROOT / "docs" / "resnet50.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 300_000


def test_the_documented_keys_and_columns_of_experiments_are_those_of_the_code() -> None:
    text = EXPERIMENTS.read_text("utf-8")
    _, keys = text.split("| key | meaning | default |\n")
    found = [name for row in rows(keys.split("\n\n")[0]) for name in re.findall(r"`(\w+)`", row[0])]
    assert found == list(ExperimentFile.model_fields)
    _, columns = text.split("| columns | meaning |\n")
    found = [
        name for row in rows(columns.split("\n\n")[0]) for name in re.findall(r"`(\w+)`", row[0])
    ]
    assert found == list(COLUMNS)


def test_every_method_has_a_row_in_the_overview() -> None:
    assert [row[0].strip("`") for row in rows(section("Methods"))] == list(cw.METHODS)


def test_every_method_for_several_models_has_a_row() -> None:
    found = {
        name
        for row in rows(section("Methods", MULTI_MODEL))
        for name in re.findall(r"`(\w+)`", row[0])
    }
    assert found == set(cw.WINDOW_METHODS)


def test_the_documented_objectives_of_several_models_are_those_of_the_code() -> None:
    table = section("Objectives and what may be asked", MULTI_MODEL)
    found = [row[0].strip("`") for row in rows(table)]
    assert tuple(name for name in found if not name.startswith("--")) == OBJECTIVES
    assert f"most windows; {DEFAULT_WINDOWS} without" in table


def test_the_documented_patterns_of_packages_are_those_of_the_code() -> None:
    table = rows(section("Packages", MULTI_MODEL))
    found = [name for row in table for name in re.findall(r"`([\w-]+)`", row[0])]
    assert found == [*PATTERNS, *MONOLITHS]


def test_the_documented_schedule_of_two_models_is_the_best(folder: Path) -> None:
    workload, schedule = cw.read_workload("two-models.yaml"), cw.read_windows("two-windows.yaml")
    costs = cw.WorkloadCosts(workload)
    assert cw.window_violations(costs, schedule) == []
    best = cw.solve_workload(workload, "enumerate", goal=cw.WindowGoal(windows=2))
    assert cw.evaluate_windows(costs, schedule).latency == best.objective


def test_the_documented_numbers_of_units_are_those_of_the_networks() -> None:
    gpt2, resnet = cw.build_network("gpt2"), cw.build_network("resnet50")
    assert cw.job(gpt2, 1).units == 13
    assert (cw.job(resnet, 1).units, cw.job(resnet, 1, "stage").units) == (18, 6)
    words = section("Words", MULTI_MODEL)
    assert "13 blocks" in words
    assert "18 blocks and 6 stages" in words.replace("\n", " ")


def test_every_method_inside_an_array_has_a_row() -> None:
    table = rows(section("Methods", ARRAY))
    found = [name for row in table for name in re.findall(r"`([\w+-]+)`", row[0])]
    assert found == list(cw.ARRAY_METHODS)


def test_the_documented_organisations_are_those_of_the_code() -> None:
    assert [row[0].strip("`") for row in rows(section("Organisations", ARRAY))] == [*ORGANISATIONS]


def test_the_documented_constants_of_arrays_are_those_of_the_file() -> None:
    array = load_array("32x32")
    table = {row[0].strip("`"): row[1] for row in rows(section("Arrays", ARRAY))}
    assert len(table) == 14
    for key, value in table.items():
        assert yaml.safe_load(value) == getattr(array, key), key


def test_the_picture_of_organisations_has_them_all(folder: Path) -> None:
    (block,) = (b for b in blocks("python") if '"organisations.png"' in b.text)
    for name in ("organisations.png", "array.png"):
        assert (ROOT / "docs" / name).read_bytes().startswith(b"\x89PNG")
        assert (ROOT / "docs" / name).stat().st_size < 300_000
    (shown,) = (b.text for b in blocks("text") if b.document == "array.md" and "striped" in b.text)
    assert all(name in shown for name in ORGANISATIONS)
    assert "express=(True, False)" in block.text
