"""Costs as CSV: what is written is read again, what is left out follows, what is wrong is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweave.inputs import instance
from instances.files import FileError, read_csv_costs, read_instance, write_csv_costs
from instances.generate import random_instance
from instances.instance import Instance
from solvers.solve import solve

HEAD = "layer,option,chiplets,cycles\n"
TINY = """\
# batch: 8
# capacity: 100
# leakage: 3
layer,option,chiplets,from,to,tensor,cycles,exit,resident,working,energy,load,fetch,store,alone
a,ISP,1,,,,40,4,60,8,5,12,5,3,55
a,ISP,2,,,,22,2,30,8,5,,,,
a,WSP,1,,,,40,4,60,8,5,12,,,
b,ISP,1,,,,30,3,40,6,5,9,2,4,
b,WSP,1,,,,30,3,40,6,5,,,,
b,WSP,3,,,,11,3,40,2,5,,,,
b,ISP,1,ISP,,,28,,,,4,,,,
a,,,,b,,7,,,,1,,,,
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "costs.csv"


def assert_same(found: object, expected: object) -> None:
    """All fields of two tables, those of tables in them included."""
    for name, value in vars(expected).items():
        other = getattr(found, name)
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(other, value, err_msg=name)
        elif hasattr(value, "__dataclass_fields__"):
            assert_same(other, value)
        elif name == "skips":
            for own, one in zip(other, value, strict=True):
                assert_same(own, one)
        else:
            assert other == value, name


def assert_round_trip(given: Instance, file: Path) -> None:
    write_csv_costs(given, file)
    found = read_csv_costs(file)
    assert (found.name, found.batch) == (given.name, given.batch)
    assert_same(found.tables, given.tables)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30)
def test_what_is_written_is_read_again(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert_round_trip(random_instance(seed), tmp_path_factory.mktemp("csv") / "costs.csv")


@pytest.mark.parametrize("network", ["resnet18", "gpt2-decode", "googlenet"])
def test_tables_of_a_network_with_skips_are_read_again(network: str, file: Path) -> None:
    sequence = 64 if "gpt2" in network else None
    assert_round_trip(instance(network, "datacentre-2x2", batch=4, sequence=sequence), file)


def test_the_reader_of_instances_takes_it_and_its_optimum_is_the_same(file: Path) -> None:
    given = random_instance(7)
    write_csv_costs(given, file)
    found = read_instance(file, batch=given.batch + 1)
    assert found.batch == given.batch + 1
    assert solve(read_instance(file), "exact").objective == solve(given, "exact").objective


def test_four_columns_are_enough(file: Path) -> None:
    file.write_text("# batch: 2\n" + HEAD + "a,any,1,10\nb,any,1,20.0\n")
    tables = read_csv_costs(file).tables
    assert tables.entry[:, 0, 0].tolist() == [10, 20]
    assert tables.step[1, 0, 0, 0] == 20
    assert solve(read_csv_costs(file), "exact").objective == 2 * 30


def test_what_is_left_out_follows_from_what_is_said(file: Path) -> None:
    file.write_text(TINY)
    found = read_csv_costs(file)
    tables = found.tables
    assert (found.name, found.batch, tables.capacity, tables.leakage) == ("costs", 8, 100, 3)
    assert tables.entry[0].tolist() == [[40, 22, 22], [40, 40, 40]]
    assert tables.working[1].tolist() == [[6, 6, 6], [6, 6, 2]]
    assert tables.step[1, 0].tolist() == [[28, 28, 28], [30, 30, 11]]
    assert tables.step[1, 1].tolist() == [[30, 30, 30], [30, 30, 11]]
    assert tables.energy.step[1].tolist() == [[[4] * 3, [5] * 3], [[5] * 3, [5] * 3]]
    assert tables.load.tolist() == [12, 9]
    assert tables.alone.tolist() == [55, -1]
    assert tables.io.tolist() == [[5 + 3, 7], [0, 2 + 4]]
    assert tables.energy.io.tolist() == [[0, 1], [0, 0]]
    assert tables.compute is None


def test_a_skip_tensor_has_a_row_for_each_end(file: Path) -> None:
    file.write_text(
        "# batch: 2\n# capacity: 9\n"
        "layer,option,chiplets,tensor,to,cycles,working\n"
        "a,any,1,,,10,1\nb,any,1,,,10,1\nc,any,1,,,10,1\n"
        "a,,1,shortcut,outside,2,8\nc,any,1,shortcut,,3,\n"
    )
    (skip,) = read_csv_costs(file).tables.skips
    assert (skip.name, skip.producer, skip.consumers, skip.leaves) == ("shortcut", 0, (2,), True)
    assert (skip.enter.tolist(), skip.leave.tolist(), skip.hold.tolist()) == ([[[3]]], [2], [8])


BROKEN = {
    HEAD: "no row of a layer, expected at least one",
    HEAD.replace("cycles", "cycle"): "line 1: found the column cycles not at all, expected it once"
    " (did you mean 'cycle'?)",
    HEAD.strip() + ",residents\n": "line 1: found the column 'residents', expected layer, option,",
    HEAD + "a,any,1,ten\n": "line 2: cycles: found 'ten', expected a whole number from 0 to",
    HEAD + "a,any,1,10.5\n": "line 2: cycles: found '10.5'",
    HEAD + "a,any,1,-1\n": "line 2: cycles: found '-1'",
    HEAD + "a,any,1,\n": "line 2: cycles: found nothing",
    HEAD + "a,any,0,1\n": "line 2: chiplets: found '0', expected a whole number from 1 to 65,536",
    HEAD + "a,any,,1\n": "line 2: chiplets: found nothing",
    HEAD + ",any,1,1\n": "line 2: layer: found nothing, expected a name",
    HEAD + "a,,1,1\n": "line 2: option: found nothing, expected a name",
    HEAD + "a,any,1,1\n\na,any,1,2\n": "line 4: line 2 says this already",
    HEAD + "a,any,1\n": "line 2: found 3 entries, expected 4, as in the headings",
    HEAD + 'a,any,1,"1\n': "line 2: not CSV",
    HEAD + "a,any,1,1\n": "no batch: give one, or write a line '# batch: 64' above the headings",
    "# batch: none\n"
    + HEAD
    + "a,any,1,1\n": "line 1: batch: found 'none', expected a whole number",
    "# batch: 1\n# chiplets: 1\n" + HEAD + "a,any,1,1\na,any,2,1\n": "line 2: chiplets: found '1',"
    " expected a whole number from 2 to 65,536",
    "# batch: 1\n" + HEAD + "a,any,2,1\n": "layer 'a', option 'any': no row for 1 chiplet",
    "# batch: 1\n" + HEAD.rstrip() + ",compute\na,any,2,1,1\n": "layer 'a', option 'any': no"
    " row for 1 chiplet",
    "# batch: 1\n" + HEAD + "a,x,1,1\na,y,1,1\nb,x,1,1\n": "no row of layer 'b' with option 'y'",
    "# batch: 1\n" + HEAD.strip() + ",resident\na,x,1,1,5\n": "no capacity: write a line",
    "# batch: 1\n" + HEAD.strip() + ",from\na,x,1,1,\na,x,1,1,x\n": "layer 'a' is the first: found",
    "# batch: 1\n" + HEAD.strip() + ",from\na,x,1,1,\nb,x,1,1,\nb,x,1,1,y\n": "a step of layer 'b':"
    " unknown option 'y'",
    "# batch: 1\n" + HEAD.strip() + ",to\na,x,1,1,\na,,,1,b\n": "unknown layer 'b'",
    "# batch: 1\n" + HEAD.strip() + ",to\na,x,1,1,\nb,x,1,1,\nb,,,1,a\n": "segment 'b' to 'a' ends",
    "# batch: 1\n" + HEAD.strip() + ",to\na,x,1,1,\na,x,,1,a\n": "line 4: option: found 'x',"
    " expected nothing in the row of a segment",
    "# batch: 1\n" + HEAD.strip() + ",load\na,x,1,1,5\na,x,2,1,6\n": "line 4: load: found '6',"
    " expected 5, as in another row of layer 'a'",
    "# batch: 1\n" + HEAD.strip() + ",tensor\na,x,1,1,\na,x,1,1,t\nq,,1,1,t\n": "skips[0].producer:"
    " found 'q', expected the name of a layer",
    "# batch: 1\n# chiplets: 65536\n" + HEAD + "".join(f"l{k},x,1,1\n" for k in range(1000)): "1000"
    " layers, 1 options and 65536 chiplets make cost tables of",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_told_with_its_line(text: str, file: Path) -> None:
    file.write_text(text)
    with pytest.raises(FileError) as caught:
        read_csv_costs(file)
    assert str(caught.value).startswith(f"{file}: {BROKEN[text]}")
    assert len(str(caught.value).splitlines()) == 1


def test_no_package_can_be_put_on_it(file: Path) -> None:
    file.write_text("# batch: 2\n" + HEAD + "a,any,1,10\n")
    with pytest.raises(FileError, match="a table instance has its own costs: package 'simba-4x4'"):
        instance(file, "simba-4x4")


@given(
    rows=st.lists(
        st.tuples(*(st.sampled_from(["", "a", "b", "1", "2", "x", "-1"]) for _ in range(7))),
        max_size=6,
    )
)
def test_whatever_stands_in_a_file_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "any.csv"
    lines = ["layer,option,chiplets,cycles,from,to,tensor", *(",".join(row) for row in rows)]
    path.write_text("# batch: 2\n" + "\n".join(lines))
    try:
        found = read_csv_costs(path)
    except FileError:
        return
    assert solve(found, "sequential").stop
