"""Networks and packages by names, with changes; models by names and batches."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.cases import Case
from instances.files import write_network, write_package
from instances.files.names import jobs_of, models_of, network_of, package_of
from instances.networks import build_network
from instances.packages import load_package
from instances.workload import job


def test_a_change_of_a_package_changes_that_value_only() -> None:
    plain = load_package("simba-4x4")
    name = "simba-4x4?nop.bandwidth=50000000000&overlap=false&mesh=[2,8]"
    nop = replace(plain.nop, bandwidth=50_000_000_000)
    assert package_of(name) == replace(plain, name=name, nop=nop, overlap=False, mesh=(2, 8))


def test_a_text_is_a_value_of_a_package_too() -> None:
    changed = package_of("simba-4x4?chiplet.dataflow=output-stationary")
    assert changed.chiplet.dataflow == "output-stationary"


def test_an_argument_of_a_network_is_a_change() -> None:
    name = "gpt2?sequence=64"
    assert network_of(name) == replace(build_network("gpt2", sequence=64), name=name)


def test_a_change_to_what_is_there_anyway_makes_no_other_instance() -> None:
    changed = Case("gpt2?sequence=1024", "simba-4x4?nop.hop_ns=35", 8)
    assert changed.content == Case("gpt2", "simba-4x4", 8).content


def test_another_value_makes_another_instance() -> None:
    changed = Case("alexnet", "simba-4x4?nop.hop_ns=36", 8)
    assert changed.content != Case("alexnet", "simba-4x4", 8).content


def test_a_file_is_a_name(tmp_path: Path) -> None:
    network, package = tmp_path / "net.yaml", tmp_path / "pack.json"
    write_network(build_network("alexnet"), network)
    write_package(load_package("simba-4x4"), package)
    assert network_of(str(network)) == build_network("alexnet")
    assert package_of(str(package)) == load_package("simba-4x4")
    assert package_of(f"{package}?dram.ports=6").dram.ports == 6
    with pytest.raises(ValueError, match="takes no changes: edit the file"):
        network_of(f"{network}?sequence=4")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("simba-4x4?", "found '' behind '\\?', expected key=value"),
        ("simba-4x4?nop.bandwidth", "found 'nop.bandwidth' behind '\\?', expected key=value"),
        ("simba-4x4?overlap=true&overlap=false", "overlap is changed twice"),
        ("simba-4x4?nop=3", "a package has no value 'nop' to change, it has mesh, "),
        ("simba-4x4?nop.latency=3", "a package has no value 'nop.latency' to change"),
        ("simba-4x4?mesh.columns=3", "a package has no value 'mesh.columns' to change"),
        ("simba-4x4?name=mine", "name cannot be changed"),
        ("simba-4x4?nop.bandwidth=1e11", "nop.bandwidth: found 1.*, expected a whole number"),
        ("simba-4x4?mesh=[999,999]", "mesh: found .*, expected at most 65536 chiplets"),
        ("simba-4?overlap=true", "there is no built-in package 'simba-4'"),
        ("nowhere.yaml", "nowhere.yaml: no such file"),
    ],
)
def test_a_package_that_cannot_be_is_refused_in_one_line(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        package_of(name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gpt2?sequence=long", "sequence is 'long', expected a whole number"),
        ("gpt2?sequence=true", "sequence is True, expected a whole number"),
        ("gpt2?tokens=3", "gpt2 has no argument 'tokens'; it takes sequence"),
        ("alexnet?sequence=3", "alexnet has no argument 'sequence'; it takes none"),
    ],
)
def test_a_network_that_cannot_be_is_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        network_of(name)


def test_models_are_names_with_batches() -> None:
    assert models_of("gpt2:8, resnet50@stage:32") == [("gpt2", 8), ("resnet50@stage", 32)]
    first, second = jobs_of(models_of("gpt2?sequence=64@layer:8,resnet50@stage:32"))
    assert first == job(network_of("gpt2?sequence=64"), 8, "layer")
    assert second == job(build_network("resnet50"), 32, "stage")


def test_a_sequence_and_a_grain_are_for_models_that_name_none() -> None:
    models = models_of("gpt2:1,gpt2?sequence=32@layer:1,resnet50:1")
    found = jobs_of(models, sequence=16, grain="stage")
    assert [own.network.name for own in found] == [
        "gpt2?sequence=16",
        models[1][0][:16],
        "resnet50",
    ]
    assert [own.units for own in found] == [13, 12 * 6 + 1, 6]


def test_a_file_is_a_model_too(tmp_path: Path) -> None:
    path = tmp_path / "a@layer.yaml"
    write_network(build_network("alexnet"), path)
    (plain,), (cut,) = (jobs_of([(f"{path}{units}", 3)]) for units in ("", "@stage"))
    assert plain.network == cut.network == build_network("alexnet")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gpt2", "'gpt2' has no batch: expected network[?sequence=N][@units]:batch, such as"),
        ("gpt2:8,,resnet50:1", "'' has no batch"),
        (":8", "':8' has no batch"),
        ("gpt2:", "'gpt2:': batch '' is no whole number"),
        ("gpt2:8@layer", "batch '8@layer' is no whole number: expected network[?sequence=N]"),
        ("gpt2:-3", "batch '-3' is no whole number"),
        ("gpt2:٣", "is no whole number"),
        ("gpt2:1000000001", "expected a batch of at most 1,000,000,000"),
        (f"gpt2:{'9' * 5000}", "expected a batch of at most 1,000,000,000"),
        ("gpt2:0", "gpt2: batch 0 is not at least 1"),
        ("gpt3:8", "there is no built-in network 'gpt3'. Did you mean gpt2"),
        (
            "gpt2@blok:8",
            "found units 'blok', expected one of layer, block, stage (did you mean 'bl",
        ),
        ("gpt2@layer?sequence=8:1", "found units 'layer?sequence=8', expected one of"),
        ("resnet50?sequence=4:1", "resnet50 has no argument 'sequence'"),
    ],
)
def test_a_model_that_is_not_written_so_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        jobs_of(models_of(text))


def test_a_sequence_that_no_model_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="for networks that have one: none of the models has"):
        jobs_of(models_of("resnet50:1,alexnet:2"), sequence=4)


def test_a_value_nested_without_end_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match="simba-2x2") as caught:
        package_of("simba-2x2?mesh=" + "[" * 100_000)
    assert "\n" not in str(caught.value)
