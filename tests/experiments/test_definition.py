"""Experiments are the runs that their files say."""

from pathlib import Path
from typing import Any

import pytest

from experiments.cases import Case
from experiments.definition import Experiment, read_experiment
from instances.files import FileError
from instances.networks import network_names

SHORT = """\
kind: experiment
networks: [resnet18, alexnet]
packages: [simba-4x4, "simba-4x4?dram.ports=4"]
methods: [scope, annealing, {method: exact, objective: energy, time_limit: 5}]
seeds: [0, 7]
time_limits: [null, 2]
batches: [8, 16]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "short.yaml"
    path.write_text(text)
    return path


def test_all_combinations_are_run_once(tmp_path: Path) -> None:
    experiment = read_experiment(written(tmp_path, SHORT))
    tasks = [task for _, task in experiment.tasks()]
    instances = 2 * 2 * 2
    # scope: a run a time limit; annealing: a run a limit and seed; exact: its own limit only
    assert len(tasks) == instances * (2 + 2 * 2 + 1)
    assert len({task.key for task in tasks}) == len(tasks)
    assert {task.options.get("seed") for task in tasks if task.method == "scope"} == {0}
    assert {task.options.get("seed") for task in tasks if task.method == "annealing"} == {0, 7}
    exact = [task.options for task in tasks if task.method == "exact"]
    assert all(
        o == {"seed": 0, "objective": "energy", "time_limit": 5, "workers": 1} for o in exact
    )


def test_small_instances_come_first() -> None:
    experiment = Experiment(["vgg16", "alexnet"], ["simba-6x6", "simba-4x4"], ["scope"])
    sizes = [case.size for case, _ in experiment.tasks()]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 4


def test_names_of_one_instance_make_one_run() -> None:
    packages = ["simba-4x4", "simba-4x4?nop.hop_ns=35"]
    assert len(Experiment(["alexnet"], packages, ["scope"]).tasks()) == 1


def test_a_file_says_the_same_as_python(tmp_path: Path) -> None:
    python = Experiment(
        networks=("resnet18", "alexnet"),
        packages=("simba-4x4", "simba-4x4?dram.ports=4"),
        methods=("scope", "annealing", {"method": "exact", "objective": "energy", "time_limit": 5}),
        seeds=(0, 7),
        time_limits=(None, 2),
        batches=(8, 16),
        name="short",
    )
    assert read_experiment(written(tmp_path, SHORT)) == python


def test_the_word_all_names_all_built_in_networks(tmp_path: Path) -> None:
    text = "kind: experiment\nnetworks: all\npackages: [simba-4x4]\nmethods: [scope]\n"
    assert read_experiment(written(tmp_path, text)).networks == network_names()


def test_what_is_limited_otherwise_is_another_run() -> None:
    plain, limited = (
        Experiment(["alexnet"], ["simba-4x4"], ["scope"], memory_limit_mb=most)
        for most in (None, 900)
    )
    assert plain.tasks()[0][1].key != limited.tasks()[0][1].key


def test_the_default_objective_leaves_the_name_of_a_run_as_it_is() -> None:
    ((_, task),) = Experiment(["alexnet"], ["simba-4x4"], ["scope"]).tasks()
    assert task == Case("alexnet", "simba-4x4", 64).task("scope", seed=0, workers=1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("networks: [alexnett]", "networks[0]: there is no built-in network 'alexnett'."),
        ("networks: []", "networks: found 0 entries, expected 1"),
        ("packages: [het-2x2]", "packages[0]: package 'het-2x2' has unlike chiplets"),
        ("packages: [simba-4x4?x=1]", "packages[0]: simba-4x4?x=1: a package has no value 'x'"),
        ("methods: [scope, best]", "methods[1]: found 'best', expected one of sequential, "),
        ("methods: [{methods: scope}]", "methods[0]: found unknown key 'methods', expected one of"),
        ("methods: [{method: exact, seed: a}]", "methods[0].seed: found 'a', expected a whole"),
        ("methods: [{method: exact, steps: any}]", "methods[0]: steps are for the method scope"),
        ("batches: [0]", "batches[0]: found 0, expected at least 1"),
        ("seeds: [-1]", "seeds[0]: found -1, expected at least 0"),
        ("objective: power", "objective: found 'power', expected 'latency', 'energy' or 'edp'"),
        ("objective: energy", "methods[0]: method 'scope' minimises the latency"),
        ("network: alexnet", "found unknown key 'network', expected one of"),
        ("kind: instance", "kind: found 'instance', expected experiment"),
    ],
)
def test_a_file_that_is_no_experiment_is_refused_at_its_place(
    tmp_path: Path, line: str, said: str
) -> None:
    lines = {
        "kind": "kind: experiment",
        "networks": "networks: [alexnet]",
        "packages": "packages: [simba-4x4]",
        "methods": "methods: [scope]",
    }
    lines[line.split(":")[0]] = line
    path = written(tmp_path, "\n".join(lines.values()))
    with pytest.raises(FileError) as error:
        read_experiment(path)
    assert str(error.value).startswith(f"{path}: {said}")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time_limits": [0]}, "time_limits[0]: found 0, expected at least 0.001"),
        ({"methods": ["worst"]}, "methods[0]: found 'worst', expected one of"),
        ({"workers": 0}, "workers: found 0, expected at least 1"),
    ],
)
def test_an_experiment_of_python_is_checked_too(given: dict[str, Any], said: str) -> None:
    right: dict[str, Any] = {
        "networks": ["alexnet"],
        "packages": ["simba-4x4"],
        "methods": ["scope"],
        "name": "mine",
    }
    with pytest.raises(FileError) as error:
        Experiment(**{**right, **given})
    assert str(error.value).startswith(f"mine: {said}")
