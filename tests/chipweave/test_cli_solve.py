"""`chipweave solve`: exit codes, the result object, files."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
"""Arguments -> exit code, standard output, standard error."""

PROMISED = {
    "method",
    "stop",
    "objective",
    "bound",
    "gap",
    "runtime_s",
    "throughput",
    "schedule",
    "versions",
}


def test_a_schedule_found_is_exit_0_and_a_table_for_people(run: Run, tiny: Path) -> None:
    code, out, err = run("solve", tiny, "--method", "enumerate")
    assert code == 0
    assert err == ""
    assert "229 cycles" in out
    assert "segment 0" in out


def test_json_on_standard_output_is_the_result_and_nothing_else(run: Run, tiny: Path) -> None:
    code, out, err = run("solve", tiny, "--method", "enumerate", "--json", "-")
    result = json.loads(out)
    assert (code, err) == (0, "")
    assert result.keys() >= PROMISED
    assert (result["stop"], result["objective"], result["gap"]) == ("optimal", 229, 0.0)
    assert result["instance"] == "tiny"
    assert result["batch"] == 8
    (segment,) = result["schedule"]["segments"]
    assert segment.keys() == {"tiled", "clusters"}
    assert segment["clusters"][0].keys() == {"first", "last", "chiplets", "options", "tiles"}


def test_the_default_method_proves_the_optimum(run: Run, tiny: Path) -> None:
    _, out, _ = run("solve", tiny, "--json", "-")
    result = json.loads(out)
    assert result["method"] == "exact"
    assert (result["stop"], result["objective"]) == ("optimal", 229)


def test_a_proof_of_infeasibility_is_exit_3(run: Run, too_small: Path) -> None:
    code, out, _ = run("solve", too_small, "--method", "enumerate", "--json", "-")
    result = json.loads(out)
    assert code == 3
    assert result["stop"] == "infeasible"
    assert result["objective"] is None
    assert result["schedule"] is None


def test_no_schedule_without_a_proof_is_exit_4(run: Run, too_small: Path, tmp_path: Path) -> None:
    picture = tmp_path / "none.png"
    code, out, _ = run("solve", too_small, "--method", "pipeline", "--plot", picture)
    assert code == 4
    assert "finished" in out
    assert "does not mean that there is none" in out
    assert not picture.exists()


def test_built_in_networks_take_simba_4x4_and_64_samples_by_default(run: Run) -> None:
    _, out, _ = run("solve", "alexnet", "--method", "sequential", "--json", "-")
    result = json.loads(out)
    assert (result["network"], result["package"]) == ("alexnet", "simba-4x4")
    assert result["batch"] == 64
    assert result["clock_hz"] > 0


def test_options_override_a_file_and_a_file_the_defaults(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("kind: instance\nnetwork: alexnet\npackage: simba-6x6\nbatch: 5\n")
    _, out, _ = run("solve", path, "--method", "sequential", "--json", "-")
    of_file = json.loads(out)
    assert (of_file["package"], of_file["batch"]) == ("simba-6x6", 5)
    more = ("--package", "simba-8x8", "--batch", 3)
    _, out, _ = run("solve", path, "--method", "sequential", *more, "--json", "-")
    overridden = json.loads(out)
    assert (overridden["package"], overridden["batch"]) == ("simba-8x8", 3)


def test_a_batch_overrides_a_table_instance_too(run: Run, tiny: Path) -> None:
    _, out, _ = run("solve", tiny, "--method", "enumerate", "--batch", 1, "--json", "-")
    assert json.loads(out)["batch"] == 1


def test_a_package_file_is_taken(run: Run, tmp_path: Path) -> None:
    import chipweave as cw

    path = tmp_path / "own.yaml"
    cw.write_package(cw.load_package("datacentre-2x2"), path)
    _, out, _ = run("solve", "alexnet", "--method", "sequential", "--package", path, "--json", "-")
    assert json.loads(out)["package"] == "datacentre-2x2"


def test_sequence_reaches_the_network(run: Run) -> None:
    objectives = []
    for tokens in (16, 32):
        _, out, _ = run(
            *("solve", "gpt2", "--method", "sequential"), "--sequence", tokens, "--json", "-"
        )
        objectives.append(json.loads(out)["objective"])
    assert objectives[0] < objectives[1]


def test_seed_workers_and_limit_are_recorded(run: Run, tiny: Path) -> None:
    arguments = ("--seed", 7, "--workers", 2, "--time-limit", 30)
    _, out, _ = run("solve", tiny, "--method", "sequential", *arguments, "--json", "-")
    result = json.loads(out)
    assert (result["seed"], result["workers"], result["time_limit"]) == (7, 2, 30.0)


def test_steps_and_counts_of_a_search_are_shown(run: Run, tiny: Path) -> None:
    search = ("solve", tiny, "--method", "scope", "--steps", "clusters=single")
    code, out, err = run(*search)
    assert (code, err) == (0, "")
    (line,) = (line.split(maxsplit=1) for line in out.splitlines() if "stage times" in line)
    result = json.loads(run(*search, "--json", "-")[1])
    assert result["steps"]["longest"] == 1
    counts = result["counts"]
    assert line[0] == "counted"
    assert line[1].strip() == ", ".join(f"{what} {count}" for what, count in counts.items())
    assert "segments=any,clusters=single,regions=free,partitions=switch" in out
    code, out, _ = run("solve", tiny, "--method", "sequential")
    assert "counted" not in out
    assert "steps" not in out


def test_all_files_are_written_and_no_scraps_left(run: Run, tiny: Path, tmp_path: Path) -> None:
    wanted = {"r.json", "s.yaml", "p.svg"}
    code, out, _ = run(
        *("solve", tiny, "--method", "enumerate"),
        *("--json", tmp_path / "r.json", "--out", tmp_path / "s.yaml"),
        *("--plot", tmp_path / "p.svg"),
    )
    assert code == 0
    assert "229" in out
    assert set(os.listdir(tmp_path)) == {*wanted, tiny.name}
    assert json.loads((tmp_path / "r.json").read_text())["objective"] == 229
    assert "<svg" in (tmp_path / "p.svg").read_text()
    for schedule in ("r.json", "s.yaml"):
        code, out, _ = run("verify", tiny, tmp_path / schedule)
        assert code == 0
        assert "229" in out


def test_a_result_file_is_replaced_whole(run: Run, tiny: Path, tmp_path: Path) -> None:
    target = tmp_path / "r.json"
    target.write_text("x" * 100_000)
    run("solve", tiny, "--method", "enumerate", "--json", target)
    assert json.loads(target.read_text())["objective"] == 229


def test_infinite_throughput_is_null_in_json(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "nothing.yaml"
    zeros = "{ISP: [0]}"
    path.write_text(
        "kind: tables\nbatch: 1\nchiplets: 1\ncapacity: 1\noptions: [ISP]\nio: [[0]]\nlayers:\n"
        f"  - {{name: a, load: 0, resident: {zeros}, working: {zeros}, entry: {zeros},"
        f" exit: {zeros}}}\n"
    )
    code, out, err = run("solve", path, "--method", "enumerate", "--json", "-")
    assert (code, err) == (0, "")
    assert json.loads(out)["throughput"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("solve",), "Missing argument 'WHAT'"),
        (("solv", "alexnet"), "Did you mean 'solve'?"),
        (("solve", "alexnet", "--colour", "red"), "--colour"),
        (("solve", "alexnt"), "Did you mean alexnet"),
        (("solve", "nowhere.yaml"), "neither a built-in network nor a file"),
        (("solve", "model.onnx"), "'model.onnx' is neither a built-in network nor a file"),
        (("solve", "alexnet", "--dim", "batch=1"), "are for ONNX models only"),
        (("solve", "alexnet", "--shape", "x=1,3"), "are for ONNX models only"),
        (("solve", "alexnet", "--dim", "batch"), "--dim batch: expected NAME=N"),
        (("solve", "alexnet", "--method", "exat"), "Did you mean exact"),
        (("solve", "alexnet", "--package", "simba4x4"), "Did you mean simba-4x4"),
        (("solve", "alexnet", "--batch", "many"), "--batch"),
        (("solve", "alexnet", "--batch", "0"), "batch 0 is not at least 1"),
        (("solve", "alexnet", "--sequence", "9"), "sequence"),
        (("solve", "alexnet", "--steps", "segments=one"), "steps are for the method scope"),
        (
            ("solve", "{tiny}", "--method", "scope", "--steps", "regions=odd"),
            "expected one of free",
        ),
        (("solve", "alexnet", "--time-limit", "-1", "--method", "sequential"), "time limit -1"),
        (("solve", "alexnet", "--time-limit", "nan", "--method", "sequential"), "time limit nan"),
        (("solve", "alexnet", "--workers", "0", "--method", "sequential"), "workers 0"),
        (("solve", "resnet152", "--method", "enumerate"), "tiny instances"),
        (("solve", "{tiny}", "--package", "simba-4x4"), "table instance has its own costs"),
        (("solve", "{tiny}", "--sequence", "4"), "sequence length is for built-in networks"),
        (("solve", "{tiny}", "--plot", "a.gif"), ".png or .svg"),
        (("solve", "{tiny}", "--json", "no/such/folder/r.json"), "there is no folder"),
        (("solve", "{tiny}", "--out", "schedule.txt"), "schedule.txt"),
        (("solve", "{folder}"), "{folder}"),
        (("verify", "{tiny}", "nowhere.yaml"), "no such file"),
        (("verify", "{tiny}", "{tiny}"), "tiny.yaml"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_2(
    run: Run, tiny: Path, arguments: tuple[str, ...], message: str
) -> None:
    names = {"tiny": str(tiny), "folder": str(tiny.parent)}
    code, out, err = run(*(argument.format(**names) for argument in arguments))
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert message.format(**names) in err
    assert "Traceback" not in err


def test_outputs_are_checked_before_the_work_begins(
    run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import solvers.solve

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the run began")

    monkeypatch.setattr(solvers.solve, "solve", never)
    missing = tmp_path / "missing"
    for option, name in (("--json", "r.json"), ("--plot", "p.png"), ("--out", "s.yaml")):
        assert run("solve", tiny, option, missing / name)[0] == 2


def test_a_broken_table_file_names_file_and_place(run: Run, tiny: Path) -> None:
    tiny.write_text(tiny.read_text().replace("load: 12", "load: -12"))
    code, out, err = run("solve", tiny)
    assert (code, out) == (2, "")
    assert "tiny.yaml" in err
    assert "load" in err
    assert "-12" in err
