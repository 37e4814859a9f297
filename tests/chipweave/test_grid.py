"""Numbers and tables as people read them."""

import pytest

from chipweave.grid import PIPE_WIDTH, Grid, console, number, percent, scaled


@pytest.mark.parametrize(
    ("value", "unit", "base", "text"),
    [
        (0.04419, "s", 1000, "44.19 ms"),
        (3.2e-7, "J", 1000, "320 nJ"),
        (0.0, "s", 1000, "0 s"),
        (1.0, "s", 1000, "1 s"),
        (64e9, "B/s", 1000, "64 GB/s"),
        (5e8, "Hz", 1000, "500 MHz"),
        (720896, "B", 1024, "704 KiB"),
        (1023, "B", 1024, "1,023 B"),
        (10 * 2**20, "B", 1024, "10 MiB"),
    ],
)
def test_quantities_get_the_prefix_that_fits(value: float, unit: str, base: int, text: str) -> None:
    assert scaled(value, unit, base) == text


def test_what_is_unknown_is_a_dash_and_zero_is_not() -> None:
    assert (number(None), percent(None)) == ("–", "–")
    assert (number(0), percent(0.0)) == ("0", "0.00%")
    assert number(1234567, 1, " cycles") == "1,234,567.0 cycles"
    assert number(2**60 + 1) == "1,152,921,504,606,846,977"


def test_a_cell_with_a_bar_stays_one_markdown_cell() -> None:
    assert Grid(("a", ">b"), [("x|y", "1")]).markdown().splitlines() == [
        "| a | b |",
        "| --- | ---: |",
        "| x\\|y | 1 |",
    ]


def test_brackets_are_printed_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    wide = "w" * (PIPE_WIDTH // 2)
    Grid(("name",), [("tile [red] [/] of " + wide,)]).show(console())
    assert f"tile [red] [/] of {wide}" in capsys.readouterr().out


@pytest.mark.parametrize(("columns", "stacked"), [("40", False), ("18", True)])
def test_a_terminal_too_narrow_for_the_columns_loses_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str, stacked: bool
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    Grid(("method", ">cycles"), [("exact", "5,950,227")]).show(console())
    out = capsys.readouterr().out
    assert "5,950,227" in out
    assert "…" not in out
    assert ("cycles: 5,950,227" in out) == stacked
