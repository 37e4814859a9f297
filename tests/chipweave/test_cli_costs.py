"""`chipweave costs` and `--costs`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]

COMMON = ("alexnet", "--package", "datacentre-2x2", "--batch", "4")


@pytest.mark.parametrize("suffix", ["csv", "yaml", "json"])
def test_written_tables_have_the_schedule_of_the_network(
    run: Run, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"tables.{suffix}"
    assert run("costs", *COMMON, "--out", out)[0] == 0
    results = [run("solve", *what, "--json", "-") for what in ((out,), COMMON)]
    assert [code for code, _, _ in results] == [0, 0]
    latencies = [result.split('"objective":')[1].split(",")[0] for _, result, _ in results]
    assert latencies[0] == latencies[1]


def test_cycles_of_a_simulator_change_the_schedule_and_its_own_do_not(
    run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "cycles.csv"
    code, told, _ = run("costs", *COMMON, "--cycles", "--out", out)
    assert (code, told) == (0, f"{out}: 8 layers, 3 options, 1 to 4 chiplets\n")

    def objective(*more: object) -> str:
        code, result, _ = run("solve", *COMMON, *more, "--json", "-")
        assert code == 0
        return result.split('"objective":')[1].split(",")[0]

    assert objective("--costs", out) == objective()
    head, columns, *rows = out.read_text().splitlines()
    assert columns.startswith("layer,option,chiplets,cycles,")
    slower = [
        ",".join((*r[:3], str(100 * int(r[3])), *r[4:])) for r in (r.split(",") for r in rows)
    ]
    out.write_text("\n".join((head, columns, *slower)))
    assert int(objective("--costs", out)) > 50 * int(objective())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("costs", *COMMON, "--out", "-"), "--out -: costs go into a file"),
        (
            ("costs", *COMMON, "--cycles", "--out", "x.yaml"),
            "expected a file name that ends in .csv",
        ),
        (("costs", *COMMON, "--out", "x.txt"), "found '.txt', expected a file name that ends in"),
        (("solve", *COMMON, "--costs", "none.csv"), "none.csv: no such file"),
        (
            ("solve", "alexnet", "--array", "32x32", "--costs", "x.csv"),
            "--array and --costs exclude",
        ),
        (("solve", "--models", "gpt2:8", "--costs", "x.csv"), "--costs: only for one network"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
