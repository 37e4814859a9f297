"""Cycles of computing from elsewhere: the rest of the costs stays the cost model's."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chipweave.inputs import find_package, instance
from instances.cost.given import with_compute
from instances.files import FileError, with_cycles, write_cycles
from instances.generate import random_instance
from instances.instance import Instance
from instances.tables import Ints
from schedules.evaluate import evaluate
from schedules.schedule import Cluster, Schedule, Segment

TABLES = ("entry", "step", "exit", "compute", "resident", "working", "load", "io", "alone")


def alexnet(package: str = "datacentre-2x2", *, overlap: bool = True) -> Instance:
    return instance("alexnet", replace(find_package(package), overlap=overlap), batch=4)


def compute_of(instance: Instance) -> Ints:
    assert instance.tables.compute is not None
    return instance.tables.compute


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cycles.csv"


@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize("network", ["alexnet", "mobilenet_v2", "gpt2", "unet"])
@pytest.mark.parametrize("package", ["datacentre-2x2", "simba-4x4"])
def test_with_its_own_cycles_a_network_costs_what_it_did(
    network: str, package: str, overlap: bool, file: Path
) -> None:
    given = instance(network, replace(find_package(package), overlap=overlap), batch=4)
    write_cycles(given, file)
    found = with_cycles(given, file)
    for table in TABLES:
        np.testing.assert_array_equal(
            getattr(found.tables, table), getattr(given.tables, table), err_msg=table
        )
    assert found.tables.energy is given.tables.energy


@pytest.mark.parametrize("overlap", [True, False])
def test_other_cycles_enter_as_the_model_states(overlap: bool) -> None:
    given = alexnet(overlap=overlap)
    apart = alexnet(overlap=False).tables
    compute = compute_of(given) * 3 + 1
    found = with_compute(given, compute).tables
    for layer in range(1, 8):
        for before in range(3):
            receive = int(apart.step[layer, before, 1, 3] - compute_of(given)[layer, 1, 3])
            own = int(compute[layer, 1, 3])
            expected = max(own, receive) if overlap else own + receive
            assert found.step[layer, before, 1, 3] == expected
        send, own = int(apart.exit[layer, 0, 1]), int(compute[layer, 0, 1])
        assert found.exit[layer, 0, 1] == (max(0, send - own) if overlap else send)
    assert (found.alone >= compute[:, :, -1].min(axis=1)).all()


def test_a_schedule_waits_for_the_given_cycles() -> None:
    given = alexnet()
    found = with_compute(given, np.full(given.tables.shape, 10**9))
    one = Schedule((Segment((Cluster(0, 7, 4, ("ISP",) * 8),)),))
    assert evaluate(found, one).latency >= 4 * 8 * 10**9


def test_shares_times_their_cycles_cover_the_network(file: Path) -> None:
    given = alexnet()
    write_cycles(given, file)
    layers = {layer.name: layer for layer in given.network.layers}  # type: ignore[union-attr]
    for row in csv.DictReader(file.read_text().splitlines()[1:]):
        size = {key: int(value) for key, value in row.items() if value.isdigit()}
        share = size["channels"] * size["depth"] * size["rows"] * size["columns"]
        share *= size["kernel_rows"] * size["kernel_columns"]
        assert share * size["chiplets"] >= layers[row["layer"]].macs
        if size["chiplets"] == 1:
            assert share == layers[row["layer"]].macs


def test_gaps_take_the_next_smaller_region_and_sharded_weights_those_of_wsp(file: Path) -> None:
    given = alexnet()
    rows = [
        f"{name},{option},{n},{100 // n}"
        for name in given.layers
        for option in ("ISP", "WSP")
        for n in (1, 3, 16)
    ]
    file.write_text("layer,option,chiplets,cycles\n" + "\n".join(rows))
    assert compute_of(with_cycles(given, file))[5].tolist() == [[100, 100, 33, 33]] * 3


HEAD = "layer,option,chiplets,cycles\n"

BROKEN = {
    HEAD + "conv9,ISP,1,5\n": "line 2: layer: found 'conv9', expected one of conv1, conv2, conv3,",
    HEAD + "conv1,isp,1,5\n": "line 2: option: found 'isp', expected one of ISP, WSP, WSP-sharded",
    HEAD + "conv1,ISP,1,5.5\n": "line 2: cycles: found '5.5', expected a whole number from 0",
    HEAD + "conv1,ISP,x,5\n": "line 2: chiplets: found 'x', expected a whole number from 1",
    HEAD + "conv1,ISP,1,5\nconv1,ISP,1,6\n": "line 3: cycles: found '6', expected 5, as another",
    HEAD + "conv1,ISP,2,5\n": "layer 'conv1', option 'ISP': no row for 1 chiplet, expected one",
    HEAD.strip() + ",exit\n": "line 1: found the column 'exit', expected layer, option, chiplets,",
    HEAD: "layer 'conv1', option 'ISP': no row, expected one",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_told_with_its_line(text: str, file: Path) -> None:
    file.write_text(text)
    with pytest.raises(FileError) as caught:
        with_cycles(alexnet(), file)
    assert str(caught.value).startswith(f"{file}: {BROKEN[text]}")


def test_cycles_that_no_sum_can_hold_are_refused(file: Path) -> None:
    rows = [f"{name},{option},1,{2**52}" for name in alexnet().layers for option in ("ISP", "WSP")]
    file.write_text(HEAD + "\n".join(rows))
    with pytest.raises(FileError, match="latency in cycles"):
        with_cycles(alexnet(), file)


def test_tables_without_a_network_have_no_cycles_of_computing(file: Path) -> None:
    with pytest.raises(ValueError, match="has costs of its own"):
        with_cycles(random_instance(1), file)
    with pytest.raises(ValueError, match="has costs of its own"):
        write_cycles(random_instance(1), file)


def test_cycles_of_another_shape_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"found cycles of shape \(8, 3, 3\), expected \(8, 3, 4\)"
    ):
        with_compute(alexnet(), np.ones((8, 3, 3), dtype=np.int64))
