"""Files that a command writes: none is lost, and what cannot be written is named."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from chipweave.output import attempt_all, check_writable, write_text

Run = Callable[..., tuple[int, str, str]]


def test_a_pipe_stays_a_pipe_and_takes_the_text(tmp_path: Path) -> None:
    """A device, too: replacing /dev/null would harm the whole machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    check_writable("--json", str(pipe))
    taken: list[str] = []
    reader = threading.Thread(target=lambda: taken.append(pipe.read_text()), daemon=True)
    reader.start()
    write_text(str(pipe), "all of it")
    reader.join(10)
    assert taken == ["all of it"]
    assert pipe.is_fifo()


def fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """For our own files alone: numba goes on keeping its kernels, for the tests that follow."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("instances.files.whole.os", SimpleNamespace(replace=full))


def test_a_file_that_cannot_be_written_is_named_and_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.json"
    path.write_text("old")

    fill_the_disk(monkeypatch)
    with pytest.raises(ValueError, match=r"old\.json: cannot be written: No space left on device"):
        write_text(str(path), "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_can_be_written_is_though_something_else_cannot() -> None:
    written: list[int] = []

    def refuse() -> None:
        raise ValueError("a.json: cannot be written")

    with pytest.raises(ValueError, match=r"a\.json: cannot be written"):
        attempt_all([refuse, lambda: written.append(1)])
    assert written == [1]


def test_a_result_that_cannot_be_written_is_still_shown(
    run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_the_disk(monkeypatch)
    code, out, err = run("solve", tiny, "--json", tmp_path / "a.json", "--out", tmp_path / "b.yaml")
    assert code == 2
    assert "229 cycles" in out
    assert [line.split(":")[0] for line in err.splitlines()] == ["error", "error"]


def test_what_is_read_is_not_overwritten(run: Run, tiny: Path) -> None:
    before = tiny.read_text()
    for command in (("solve", tiny, "--out", tiny), ("compare", tiny, "--json", tiny)):
        code, out, err = run(*command)
        assert (code, out) == (2, "")
        assert f"{command[2]} {tiny}: would overwrite what is read" in err
    assert tiny.read_text() == before


def test_two_outputs_do_not_share_a_file(run: Run, tiny: Path, tmp_path: Path) -> None:
    same = tmp_path / "same.json"
    code, _, err = run("solve", tiny, "--json", same, "--out", f"{tmp_path}/./same.json")
    assert code == 2
    assert "--json and --out both name" in err
    assert not same.exists()


def test_an_empty_name_is_called_that(run: Run, tiny: Path) -> None:
    assert run("solve", tiny, "--json", "")[::2] == (
        2,
        "error: --json: the name is empty, expected that of a file\n",
    )


def test_points_of_an_earlier_front_are_not_mixed_with_new_ones(
    run: Run, tiny: Path, tmp_path: Path
) -> None:
    (tmp_path / "point-07.yaml").touch()
    code, _, err = run("pareto", tiny, "--out", tmp_path)
    assert code == 2
    assert "holds points of an earlier run (point-07.yaml)" in err


@pytest.mark.parametrize("option", ["--instances", "--formulations", "--engines"])
def test_strength_of_nothing_is_refused(run: Run, tiny: Path, option: str) -> None:
    instances = () if option == "--instances" else ("--instances", tiny)
    code, out, err = run("strength", *instances, option, " , ")
    assert (code, out) == (2, "")
    assert f"{option}: names nothing" in err


def test_a_batch_beyond_all_numbers_is_refused(run: Run) -> None:
    code, _, err = run("solve", "alexnet", "--batch", "9" * 20)
    assert code == 2
    assert "is more than 1,000,000,000 samples" in err


def test_a_throughput_floor_is_explained_as_one(run: Run, tiny: Path) -> None:
    code, out, _ = run("solve", tiny, "--throughput-floor", "8/228")
    assert code == 3
    assert "--throughput-floor 8/228 asks for a latency of at most 228 cycles" in out


def test_a_circle_of_links_is_no_reason_to_crash(run: Run, tmp_path: Path, tiny: Path) -> None:
    circle = tmp_path / "circle.json"
    circle.symlink_to(circle)
    code, _, err = run("solve", circle)
    assert code == 2
    assert str(circle) in err
    code, _, err = run("solve", tiny, "--method", "sequential", "--json", circle)
    assert "defect" not in err
