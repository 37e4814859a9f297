"""Tables of losses, and the CSV files that hold them."""

from math import inf, nan
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instances.files import FileError
from instances.files.loss_file import read_losses, write_losses
from instances.losses import LossTable, is_line

TABLE = """\
# a table of my own
# measure: top1
# samples: 64

tensor,ratio,loss
conv1,4,0.03125
conv1,2,0
"fc, the last",2,1e-3
"""

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(is_line)
LOSSES = st.floats(0, 1e6, allow_subnormal=False)
TABLES = st.dictionaries(NAMES, st.dictionaries(st.integers(2, 64), LOSSES), max_size=5)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "losses.csv"


def test_a_table_by_hand_is_read(file: Path) -> None:
    file.write_text(TABLE)
    table = read_losses(file)
    assert (table.measure, table.samples) == ("top1", 64)
    assert table.tensors == ("conv1", "fc, the last")
    assert table.ratios("conv1") == (1, 2, 4)
    assert [table.loss("conv1", ratio) for ratio in (1, 2, 4)] == [0, 0, 0.03125]
    assert table.loss("fc, the last", 2) == 0.001


def test_columns_may_stand_in_any_order_beside_others(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfloss,why,tensor, ratio\r\n0.5,so,a,2\r\n\r\n")
    assert read_losses(file) == LossTable({"a": {2: 0.5}})


def test_a_tensor_that_is_not_in_the_table_may_not_be_compressed() -> None:
    table = LossTable({"a": {2: 0.5}})
    assert table.ratios("b") == (1,)
    assert table.loss("b", 1) == 0
    with pytest.raises(KeyError):
        table.loss("b", 2)


@given(TABLES, st.sampled_from(["", "top1", "relative"]), st.integers(0, 1000))
def test_what_is_written_is_read_again(
    losses: dict[str, dict[int, float]], measure: str, samples: int
) -> None:
    table = LossTable(losses, measure, samples)
    with TemporaryDirectory() as folder:
        write_losses(table, Path(folder, "losses.csv"))
        assert read_losses(Path(folder, "losses.csv")) == table


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ({"a": {0: 0.5}}, "tensor 'a': ratio 0, expected 1 or more"),
        ({"a": {2: -0.1}}, "ratio 2: loss -0.1, expected 0 or more"),
        ({"a": {2: nan}}, "loss nan"),
        ({"a": {2: inf}}, "loss inf"),
        ({"a": {1: 0.5}}, "loss 0.5 at ratio 1, expected 0"),
        ({"": {2: 0.5}}, "expected a name of one line"),
    ],
)
def test_a_table_that_cannot_be_is_refused(
    losses: dict[str, dict[int, float]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        LossTable(losses)


HEAD = "tensor,ratio,loss\n"

BROKEN = {
    "": "no table, expected a line tensor,ratio,loss",
    "# only words\n": "no table",
    "tensor,ratios,loss\n": "line 1: found the column ratio not at all, expected it once (did you",
    "\n" + "tensor,loss,loss,ratio\n": "line 2: found the column loss twice or more",
    HEAD + "a,2\n": "line 2: found 2 entries, expected 3, as in the headings",
    HEAD + "a,2,x\n": "line 2: loss: found 'x', expected a number of 0 or more",
    HEAD + "a,2,-1\n": "line 2: loss: found '-1'",
    HEAD + "a,2,nan\n": "line 2: loss: found 'nan'",
    HEAD + "a,2,1e999\n": "line 2: loss: found '1e999'",
    HEAD + "a,1,0.5\n": "line 2: loss: found '0.5', expected 0, as ratio 1 is no compression",
    HEAD + "a,2,\n": "line 2: loss: found nothing",
    HEAD + "a,0,1\n": "line 2: ratio: found '0', expected a whole number from 1 to 1,048,576",
    HEAD + "a,2.5,1\n": "line 2: ratio: found '2.5'",
    HEAD + "a," + "9" * 5000 + ",1\n": "line 2: ratio: found '9999",
    HEAD + ",2,1\n": "line 2: tensor: found nothing, expected a name of one line",
    HEAD + '"a\nb",2,1\n': "line 3: tensor: found 'a\\nb', expected a name of one line",
    HEAD + "a,2,1\nb,2,1\na,2,1\n": "line 4: 'a', ratio 2: line 2 has this tensor and ratio, too",
    HEAD + 'a,2,"1\n': "line 2: not CSV: unexpected end of data",
    "# samples: some\n" + HEAD: "line 1: samples: found 'some', expected a whole number from 0",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_table_is_told_with_its_line(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(FileError) as caught:
        read_losses(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: {BROKEN[text]}")
    assert max(map(len, message.splitlines())) < 400


def test_all_that_is_wrong_is_told_at_once(file: Path) -> None:
    file.write_text(HEAD + "a,0,x\n" * 4)
    with pytest.raises(FileError, match="and 3 more problems"):
        read_losses(file)


def test_what_cannot_be_read_or_written_is_told(tmp_path: Path, file: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        read_losses(file)
    with pytest.raises(FileError, match="is a directory"):
        read_losses(tmp_path)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(FileError, match="not UTF-8 text"):
        read_losses(file)
    with pytest.raises(FileError, match="cannot be written"):
        write_losses(LossTable({}), tmp_path / "none" / "losses.csv")
    with pytest.raises(FileError, match="expected one line"):
        write_losses(LossTable({}, "top1\nor so"), file)
    assert file.read_bytes() == b"\xff\xfe"
