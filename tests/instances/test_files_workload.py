"""Workload files: what is written reads back the same, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from instances.files import FileError, read_instance, read_workload, write_workload
from instances.files.names import jobs_of, models_of
from instances.files.network_file import network_to_data
from instances.files.package_file import package_to_data
from instances.files.text import read_data, write_data
from instances.generate_workload import random_workload
from instances.networks import build_network
from instances.packages import load_package
from instances.workload import Job, Workload, job

PAIR: dict[str, Any] = {
    "kind": "workload",
    "package": "het-2x2",
    "models": [
        {"network": "gpt2", "batch": 8, "sequence": 128},
        {"network": "resnet50", "batch": 32, "units": "stage"},
    ],
}


def written(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "pair.yaml"
    write_data({**PAIR, **changes}, path)
    return path


def model(tmp_path: Path, **changes: Any) -> Path:
    """The file with one model, alexnet unless it is another."""
    return written(tmp_path, models=[{"network": "alexnet", "batch": 2, **changes}])


def test_names_batches_sequences_and_units_are_read(tmp_path: Path) -> None:
    found = read_workload(written(tmp_path))
    assert found.package == load_package("het-2x2")
    assert found.jobs == jobs_of(models_of("gpt2?sequence=128:8,resnet50@stage:32"))
    assert found.name == "gpt2?sequence=128:8 + resnet50:32 on het-2x2"


def test_units_may_be_named_by_their_first_layers(tmp_path: Path) -> None:
    (found,) = read_workload(model(tmp_path, units=["conv1", "conv3", "fc6"])).jobs
    assert found == Job(build_network("alexnet"), 2, (0, 2, 5))


def test_networks_and_packages_may_be_written_out(tmp_path: Path) -> None:
    network, package = build_network("alexnet"), load_package("het-3x3-sides")
    entry = {"network": network_to_data(network), "batch": 3, "units": "layer"}
    path = written(tmp_path, name="own", models=[entry], package=package_to_data(package))
    assert read_workload(path) == Workload("own", package, (job(network, 3, "layer"),))


def test_a_package_may_come_from_the_reader(tmp_path: Path) -> None:
    path, other = written(tmp_path), load_package("het-3x3")
    assert read_workload(path, package=other).package == other
    assert read_workload(path, default_package=other).package == load_package("het-2x2")
    without = written(tmp_path, package=None)
    assert read_workload(without, default_package=other).package == other
    with pytest.raises(FileError, match="a workload needs a package: name one, or write it into"):
        read_workload(without)


@pytest.mark.parametrize("suffix", ["yaml", "json"])
@pytest.mark.parametrize("seed", range(5))
def test_a_random_workload_reads_back_the_same(seed: int, suffix: str, tmp_path: Path) -> None:
    workload, path = random_workload(seed, models=3), tmp_path / f"other.{suffix}"
    write_workload(workload, path)
    assert read_workload(path) == workload


def test_what_is_built_in_is_written_by_its_name(tmp_path: Path) -> None:
    cut = Job(build_network("alexnet"), 4, (0, 3))
    jobs = (*jobs_of(models_of("gpt2?sequence=64@layer:6")), cut)
    workload = Workload("named", load_package("het-6x6-cross"), jobs)
    path = tmp_path / "named.yaml"
    write_workload(workload, path)
    assert read_data(path) == {
        "kind": "workload",
        "name": "named",
        "package": "het-6x6-cross",
        "models": [
            {"network": "gpt2", "sequence": 64, "batch": 6, "units": "layer"},
            {"network": "alexnet", "batch": 4, "units": ["conv1", "conv4"]},
        ],
    }
    assert read_workload(path) == workload


def test_what_only_has_the_name_of_something_built_in_is_written_out(tmp_path: Path) -> None:
    package = load_package("het-2x2")
    faster = replace(package, nop=replace(package.nop, hop_ns=1))
    network = replace(build_network("alexnet"), tables=(("words", 5),))
    workload = Workload("changed", faster, (job(network, 1),))
    path = tmp_path / "changed.json"
    write_workload(workload, path)
    assert read_workload(path) == workload


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"batch": 0}, "models[0].batch: found 0, expected at least 1"),
        ({"batch": "2"}, "models[0].batch: found '2', expected a whole number"),
        ({"netwrk": 1}, "models[0]: found unknown key 'netwrk', expected one of network,"),
        ({"network": "alexnt"}, "models[0].network: there is no built-in network 'alexnt'. Did"),
        ({"network": "alexnet@layer"}, "models[0].network: found 'alexnet@layer', expected a "),
        ({"network": 3}, "models[0].network: found 3, expected a mapping"),
        ({"network": "missing.yaml"}, "models[0].network: missing.yaml: no such file"),
        ({"sequence": 4}, "models[0].sequence: a sequence length is for networks that have one"),
        (
            {"network": "gpt2", "sequence": 2000},
            "models[0].sequence: ",
        ),
        (
            {"network": network_to_data(build_network("alexnet")), "sequence": 4},
            "models[0].sequence: a sequence length is for built-in networks",
        ),
        (
            {"units": "blocks"},
            "models[0].units: found 'blocks', expected one of layer, block, stage, or the first"
            " layer of each unit (did you mean 'block'?)",
        ),
        ({"units": 3}, "models[0].units: found 3, expected one of layer, block, stage, or"),
        ({"units": []}, "models[0].units[0]: found nothing, expected layer 'conv1'"),
        ({"units": ["conv2"]}, "models[0].units[0]: found conv2, expected layer 'conv1'"),
        (
            {"units": ["conv1", "conf2"]},
            "models[0].units[1]: found 'conf2', expected a layer of alexnet (did you mean 'conv2'",
        ),
        (
            {"units": ["conv1", 2]},
            "models[0].units[1]: found 2, expected a layer of alexnet",
        ),
        (
            {"units": ["conv1", "conv3", "conv3"]},
            "models[0].units[2]: found 'conv3', expected a layer after 'conv3'",
        ),
    ],
)
def test_a_wrong_model_is_one_clear_line(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = model(tmp_path, **changes)
    with pytest.raises(FileError) as caught:
        read_workload(path)
    assert str(caught.value).startswith(f"{path}: {said}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "instance"}, "kind: found 'instance', expected workload"),
        ({"models": []}, "models: found 0 entries, expected 1"),
        ({"models": 3}, "models: found 3, expected a list"),
        ({"package": "het-2x2-wrong"}, "package: there is no built-in package 'het-2x2-wrong'"),
        ({"package": "simba-4x4"}, "package: package 'simba-4x4' overlaps communication with"),
        ({"package": {"mesh": [1, 1]}}, "package.element_bytes: found nothing, expected a value"),
        ({"batch": 3}, "found unknown key 'batch', expected one of kind, name, package, models"),
    ],
)
def test_a_wrong_file_is_one_clear_line_a_problem(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(FileError) as caught:
        read_workload(path)
    assert str(caught.value).startswith(f"{path}: {said}")


def test_a_reader_of_instances_says_what_takes_a_workload(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="holds several models; only `chipweave solve` and"):
        read_instance(written(tmp_path))


def test_an_instance_on_unlike_chiplets_is_refused_with_the_files_name(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    data = {"kind": "instance", "network": "alexnet", "package": "het-2x2", "batch": 4}
    write_data(data, path)
    with pytest.raises(FileError, match=r"one.yaml: package 'het-2x2' has unlike .*alexnet:4"):
        read_instance(path)
