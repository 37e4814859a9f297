"""Pages of results: what they compute of the runs of a store, and the command that writes them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from chipweave.cli import app
from chipweave.results import markdown, table_grid
from experiments.cases import Case, run
from experiments.definition import Experiment, read_experiment
from experiments.store import Record, Store, label
from experiments.tables import PAGES, page_of
from experiments.tables.llm import tokens
from experiments.tables.parts import Figure, Heading, Page, Panel, Table
from experiments.tables.pictures import draw_figure
from experiments.tables.runs import Runs, mean, ratio
from experiments.tables.segments import split
from experiments.tables.sensitivity import variants
from schedules.evaluate import evaluate
from solvers.solve import solve

FILES = sorted((Path(__file__).parents[2] / "experiments" / "files").glob("*.yaml"))

CLI = CliRunner()

Made = Callable[[Case, str, Mapping[str, Any]], dict[str, Any] | None]


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store(tmp_path / "runs.db") as runs:
        yield runs


def filled(store: Store, experiment: Experiment, made: Made) -> Page:
    """The page of an experiment whose runs have made-up results; None is a run that failed."""
    for case, task in experiment.tasks():
        own = made(case, task.method, task.options)
        result = None if own is None else {"stop": "finished", "runtime_s": 0.5, **own}
        store.add(Record(task, result, "no memory" if own is None else None))
    return page_of(experiment, store)


def tables(page: Page) -> dict[str, list[dict[str, str]]]:
    """Rows of the tables, as text by column, by the heading above each."""
    found, heading = {}, ""
    for part in page.parts:
        if isinstance(part, Heading):
            heading = part.text
        if isinstance(part, Table):
            grid = table_grid(part)
            found[heading] = [dict(zip(grid.headings, row, strict=True)) for row in grid.rows]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_ready_made_experiment_has_a_page_even_of_an_empty_store(
    path: Path, store: Store
) -> None:
    experiment = read_experiment(path)
    assert experiment.name == path.stem
    page = page_of(experiment, store)
    text = markdown(page, "command")
    assert text.startswith(f"# {PAGES[path.stem].title}\n\n```sh\ncommand\n```\n")
    assert f"**{len(experiment.tasks()):,} of the runs are missing.**" in text
    assert any(isinstance(part, Figure) for part in page.parts)
    assert any(isinstance(part, Table) for part in page.parts)


def test_every_page_has_its_file() -> None:
    assert {path.stem for path in FILES} == set(PAGES)


def test_an_experiment_of_another_name_has_no_page(store: Store) -> None:
    other = Experiment(["alexnet"], ["simba-4x4"], ["scope"], name="mine")
    with pytest.raises(ValueError, match=r"mine: no page of results .* comparison, segments"):
        page_of(other, store)


LATENCY = {"segmented": 1000, "scope": 800, "exact": 500, "tangram": 1250}
ENERGY = {"segmented": 10, "scope": 5, "exact": 20, "tangram": 10}


def plain(case: Case, method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    stop = "optimal" if method == "exact" else "finished"
    more = {"bound": LATENCY[method], "gap": 0.0} if method == "exact" else {}
    return {"latency": LATENCY[method], "energy": ENERGY[method], "stop": stop, **more}


def test_the_comparison_is_over_segmented_and_its_distance_over_the_optimum(store: Store) -> None:
    networks = ["resnet152", "alexnet"]
    experiment = Experiment(networks, ["simba-4x4"], list(LATENCY), name="comparison")
    found = tables(filled(store, experiment, plain))
    scale = found["16 chiplets (simba-4x4)"]
    assert [row["network"] for row in scale] == ["resnet152"] * 2 + ["alexnet"] * 2 + ["mean"] * 2
    for row in scale:
        expected = {"throughput": "1.250", "energy": "0.500"}[row[""]]
        assert row[">scope"] == expected
    assert [row[">tangram"] for row in scale if row[""] == "throughput"] == ["0.800"] * 3
    (deep,) = found["resnet152 at each scale"]
    assert deep[">chiplets"] == "16"
    assert deep[">exact"] == "2.000"
    assert deep[">segmented, cycles"] == "1,000"
    assert deep["proof"] == "proved"
    by_method = {row["method"]: row for row in found["Distance to the optimum"]}
    assert by_method["scope"][">mean"] == by_method["scope"][">worst"] == "0.6250"
    assert by_method["exact"][">optimal"] == "2"
    assert by_method["scope"][">optimal"] == "0"


def test_a_run_that_failed_or_found_nothing_is_a_dash_and_is_told(store: Store) -> None:
    def some(case: Case, method: str, options: Mapping[str, Any]) -> dict[str, Any] | None:
        if method == "scope":
            return None
        if method == "tangram":
            return {"latency": None, "energy": None}
        return plain(case, method, options)

    experiment = Experiment(["alexnet"], ["simba-4x4"], list(LATENCY), name="comparison")
    page = filled(store, experiment, some)
    found = tables(page)
    assert {row[">scope"] for row in found["16 chiplets (simba-4x4)"]} == {"–"}
    by_method = {row["method"]: row for row in found["Distance to the optimum"]}
    assert by_method["tangram"][">no schedule"] == "1"
    assert by_method["scope"][">no schedule"] == "0"
    text = markdown(page, "")
    assert "1 run ended with an error. The first: scope on alexnet on simba-4x4" in text
    assert "no memory" in text
    assert "missing" not in text


def test_without_a_proof_the_gap_is_to_the_highest_bound(store: Store) -> None:
    def some(case: Case, method: str, options: Mapping[str, Any]) -> dict[str, Any]:
        proved = case.network == "chain-8"
        if method == "exact":
            stop = "optimal" if proved else "time-limit"
            return {"latency": 900, "bound": 900 if proved else 600, "stop": stop}
        return {"latency": 1000, "bound": 800}

    experiment = Experiment(
        ["chain-16", "chain-8"], ["simba-4x4"], ["scope+", "exact"], name="size"
    )
    small, large = tables(filled(store, experiment, some))["16 chiplets (simba-4x4)"]
    assert (small["network"], small[">reference"], small[""]) == ("chain-8", "900", "optimum")
    assert (large["network"], large[">reference"], large[""]) == ("chain-16", "800", "bound")
    assert (small[">scope+, gap"], large[">scope+, gap"]) == ("10.00%", "20.00%")
    assert large[">exact, gap"] == "11.11%"


def test_sensitivity_groups_changes_by_value_and_measures_from_the_package_as_it_is(
    store: Store,
) -> None:
    names = [
        "simba-4x4",
        "simba-4x4?nop.bandwidth=200000000000",
        "simba-4x4?nop.bandwidth=50000000000",
        "simba-4x4?dram.bandwidth=16000000000",
    ]

    def some(case: Case, method: str, options: Mapping[str, Any]) -> dict[str, Any]:
        return {"latency": 100 * (1 + names.index(case.package)), "energy": 1, "stop": "optimal"}

    experiment = Experiment(["alexnet"], names, ["scope", "exact"], name="sensitivity")
    page = filled(store, experiment, some)
    found = tables(page)
    assert [row[">factor"] for row in found["nop.bandwidth"]] == ["0.50", "1.00", "2.00"]
    assert [row[">scope"] for row in found["nop.bandwidth"]] == ["0.333", "1.000", "0.500"]
    assert [row[">value"] for row in found["dram.bandwidth"]] == [
        "16,000,000,000",
        "64,000,000,000",
    ]


def test_steps_are_compared_where_both_have_a_schedule(store: Store) -> None:
    def some(case: Case, method: str, options: Mapping[str, Any]) -> dict[str, Any]:
        if method == "exact":
            return {"latency": 100, "stop": "optimal"}
        if options.get("steps") is None:
            return {"latency": 200 if case.network == "alexnet" else 100}
        return {"latency": 300 if case.network == "alexnet" else None}

    methods: list[str | Mapping[str, Any]] = [
        "scope",
        {"method": "scope", "steps": "segments=one"},
        "exact",
    ]
    experiment = Experiment(["alexnet", "vgg16"], ["simba-4x4"], methods, name="steps")
    whole, one = tables(filled(store, experiment, some))["All packages"]
    assert (whole["steps"], whole[">mean gap"], whole[">optimal"]) == ("all four", "25.00%", "1")
    assert (one["steps"], one[">no schedule"]) == ("segments=one", "1")
    assert (one[">latency / scope"], one[">worst gap"]) == ("1.5000", "66.67%")


def test_throughput_by_batch_is_over_that_of_the_largest(store: Store) -> None:
    def some(case: Case, method: str, options: Mapping[str, Any]) -> dict[str, Any]:
        clusters = [{"first": 0, "last": 0}, {"first": 1, "last": 7}]
        return {
            "latency": 1000 + 100 * case.batch,
            "energy": 10**9 * case.batch,
            "stop": "optimal",
            "schedule": {"segments": [{"clusters": clusters}]},
        }

    experiment = Experiment(["alexnet"], ["simba-4x4"], ["exact"], batches=[90, 10], name="batch")
    small, large = tables(filled(store, experiment, some))["simba-4x4"]
    assert (small[">exact"], large[">exact"]) == (f"{(10 / 2000) / (90 / 10000):.3f}", "1.000")
    assert small[">samples/s"] == f"{10 * 500_000_000 / 2000:,.0f}"
    assert (small[">energy (mJ)"], small[">segments"], small[">clusters"]) == ("1.000", "1", "2")


@pytest.mark.parametrize("method", ["sequential", "segmented", "exact"])
def test_the_parts_of_a_latency_add_up(method: str) -> None:
    instance = Case("resnet18", "simba-4x4", 16).instance()
    result = solve(instance, method, workers=1)
    assert result.schedule is not None
    found = split(instance, result.schedule)
    assert found.latency == evaluate(instance, result.schedule).latency
    assert (found.bubbles == 0) == (found.clusters == found.segments)
    assert found.clusters >= found.segments


def test_dram_traffic_has_the_weights_and_the_tensors_between_segments() -> None:
    instance = Case("alexnet", "simba-4x4", 4).instance()
    result = solve(instance, "sequential", workers=1)
    network = instance.network
    assert network is not None
    assert result.schedule is not None
    # A chain, one layer a segment: each tensor but the first and the last leaves and comes again.
    tensors = [tensor.elements for tensor in network.tensors]
    crossing = 2 * sum(tensors) - tensors[0] - tensors[-1]
    weights = sum(layer.weights for layer in network.layers)
    assert split(instance, result.schedule).dram == weights + 4 * crossing


def test_tokens_of_a_sample() -> None:
    assert tokens("gpt2-xl") == 1024
    assert tokens("gpt2-xl?sequence=256") == 256
    assert tokens("gpt2-xl-decode?sequence=256") == 1


def test_labels_tell_methods_apart_and_nothing_else() -> None:
    assert label("exact", {"segments": 2, "time_limit": 60, "seed": 0}) == "exact, segments 2"
    assert label("scope", {"steps": "clusters=single"}) == "scope, clusters=single"
    assert label("cpsat", {"formulation": "interval"}) == "cpsat, interval"


def test_what_is_not_known_has_no_ratio_and_no_part_in_a_mean() -> None:
    assert ratio(None, 1) is ratio(1, None) is ratio(1, 0) is None
    assert mean([None, 2.0, 8.0]) == pytest.approx(4)
    assert mean([None]) is None


def test_variants_of_a_value_begin_with_the_smallest() -> None:
    names = ["simba-4x4?dram.ports=4", "simba-4x4", "simba-4x4?dram.ports=1"]
    experiment = Experiment(["alexnet"], names, ["scope"], name="sensitivity")
    found = variants(Runs(experiment, ()), "dram.ports")
    assert [name for _, name in found] == [names[2], names[1], names[0]]


@pytest.mark.parametrize("kind", ["lines", "bars"])
def test_a_figure_is_the_same_file_each_time_and_names_what_it_shows(
    kind: Any, tmp_path: Path
) -> None:
    panels = [
        Panel("one", [16, 256], {"scope": [1.0, 2.0], "never": [None, None]}),
        Panel("two", [16, 256], {"scope": [1.0, None], "exact": [3.0, 4.0]}),
    ]
    figure = Figure("f", "caption", panels, "chiplets", "ratio", kind, log_x=True, log_y=True)
    for name in ("a.svg", "b.svg"):
        draw_figure(figure, tmp_path / name)
    text = (tmp_path / "a.svg").read_text("utf-8")
    assert text == (tmp_path / "b.svg").read_text("utf-8")
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert "<!-- exact -->" in text
    assert ("<!-- never -->" in text) == (kind == "bars")


def experiment_file(folder: Path, name: str = "comparison") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(
        f"kind: experiment\nname: {name}\nnetworks: [alexnet]\npackages: [simba-4x4]\n"
        "methods: [sequential, segmented, exact]\n"
    )
    return path


def test_the_command_writes_the_page_its_figures_and_how_to_make_them(tmp_path: Path) -> None:
    file, base, out = experiment_file(tmp_path), tmp_path / "runs.db", tmp_path / "new" / "pages"
    with Store(base) as runs:
        for case, task in read_experiment(file).tasks():
            runs.add(run(task, case.instance()))
    done = CLI.invoke(
        app, ["experiment", "results", str(file), "--store", str(base), "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.iterdir()) == [
        "comparison-energy.svg",
        "comparison-throughput.svg",
        "comparison.md",
    ]
    text = (out / "comparison.md").read_text("utf-8")
    assert "chipweave experiment results experiments/files/comparison.yaml" in text
    assert "missing" not in text
    assert all(f"({path.name})" in text for path in out.glob("*.svg"))
    assert max(map(len, re.sub(r"^[|!].*$", "", text, flags=re.M).splitlines())) <= 120


@pytest.mark.parametrize(
    ("name", "store_name", "out", "message"),
    [
        ("comparison", "none.db", "new", "there is no such store"),
        ("mine", "runs.db", "new", "no page of results"),
        ("comparison", "runs.db", "comparison.yaml", "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    name: str, store_name: str, out: str, message: str, tmp_path: Path
) -> None:
    experiment_file(tmp_path)
    file = experiment_file(tmp_path, name)
    Store(tmp_path / "runs.db").close()
    command = [sys.executable, "-m", "chipweave", "experiment", "results", str(file)]
    command += ["--store", str(tmp_path / store_name), "--out", str(tmp_path / out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
