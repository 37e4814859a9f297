"""`chipweave rank`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from solvers.ranking import one_segment
from solvers.ranking.work import TooManyError

Run = Callable[..., tuple[int, str, str]]
"""Arguments -> exit code, standard output, standard error."""


def test_rank_counts_all_schedules_of_one_segment(run: Run, tiny: Path) -> None:
    code, out, err = run("rank", tiny)
    assert (code, err) == (0, "")
    assert "schedules of one segment, at most 3 chiplets, options ISP, WSP" in out
    line = next(line for line in out.splitlines() if line.split()[:1] == ["scope"])
    # 2^2 options times binom(4, 2) cuts and regions; the best of all takes 229 cycles.
    assert line.split()[1:3] == ["229", "0"]
    assert line.split()[5] == "24"
    assert "counted" in line


def test_several_methods_are_ranked_in_one_table_and_one_object(run: Run, tiny: Path) -> None:
    arguments = ("--method", "sequential", "--method", "exact", "--segments", "any")
    code, out, err = run("rank", tiny, *arguments, "--json", "-")
    assert (code, err) == (0, "")
    data = json.loads(out)
    assert (data["instance"], data["batch"]) == ("tiny", 8)
    first, best = data["ranks"]
    assert (first["method"], best["method"]) == ("sequential", "exact")
    assert first["space"] == {"segments": "any", "options": None, "all_chiplets": False}
    assert best["better"] == 0 < best["equal"]
    assert first["better"] >= best["equal"]
    assert first["share"] == first["better"] / first["feasible"]
    assert first["feasible"] <= first["schedules"]
    assert (first["sample"], first["reason"], first["outside"]) == (None, None, None)


def test_a_schedule_file_is_ranked_and_told_to_be_outside(
    run: Run, tiny: Path, tmp_path: Path
) -> None:
    schedule = tmp_path / "schedule.yaml"
    assert run("solve", tiny, "--method", "sequential", "--out", schedule)[0] == 0
    code, out, _ = run("rank", tiny, "--schedule", schedule, "--options", "WSP, ISP")
    assert code == 0
    assert "file: the schedule is not one of these, it has 2 segments; its latency is ranked" in out


def test_markdown_of_a_rank_is_the_table_and_nothing_else(run: Run, tiny: Path) -> None:
    code, out, _ = run("rank", tiny, "--all-chiplets", "--markdown", "-")
    assert code == 0
    head, rule, row = out.splitlines()
    assert head.startswith("| schedule of | latency (cycles) | faster |")
    assert set(rule) <= set("|-: ")
    assert row.startswith("| scope | 229 | 0 |")


def test_what_is_drawn_says_how_sure_it_is(
    run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise TooManyError("that many")

    run("rank", tiny)  # kernels are loaded before anything is refused
    monkeypatch.setattr(one_segment, "count_up_to", refuse)
    code, out, _ = run("rank", tiny, "--samples", 50, "--seed", 1)
    assert code == 0
    assert "50 drawn, 95%: 0 % to 7.11 %" in out
    assert "scope: not counted: that many" in out


def test_no_schedule_to_rank_is_exit_4(run: Run, too_small: Path) -> None:
    code, out, _ = run("rank", too_small)
    assert code == 4
    assert "the method found no schedule" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "scop"), "unknown method 'scop'. Did you mean scope or scope+?"),
        (("--segments", "two"), "segments 'two': expected one or any"),
        (("--options", "ISP,XSP"), "unknown option 'XSP': there are ISP, WSP"),
        (("--samples", "0"), "0 samples: at least 1 is needed"),
        (("--time-limit", "-1"), "time limit -1.0 is not a positive number of seconds"),
        (("--method", "scope", "--schedule", "x.yaml"), "exclude each other"),
        (("--schedule", "missing.yaml"), "missing.yaml"),
    ],
)
def test_bad_usage_of_rank_is_exit_2_and_one_sentence(
    run: Run, tiny: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = run("rank", tiny, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert len(err.splitlines()) == 1
