"""`chipweave doctor`: tells what works, what is missing and how to get it, and what is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import metadata, requires
from typing import Any

import pytest

import chipweave as cw
import solvers.solve
from chipweave import doctor
from solvers.engines import ENGINES

Run = Callable[..., tuple[int, str, str]]


def found(part: str) -> dict[str, cw.Finding]:
    return {finding.name: finding for finding in cw.diagnose() if finding.part == part}


def test_a_sound_installation_is_told_to_be_sound(run: Run) -> None:
    code, out, err = run("doctor", "--json", "-")
    assert (code, err) == (0, "")
    findings = json.loads(out)
    assert {finding["state"] for finding in findings} <= {"good", "missing"}
    parts = ["python", "packages", "machine", "kernels", "methods", "engines", "extras"]
    assert list(dict.fromkeys(finding["part"] for finding in findings)) == parts
    code, out, _ = run("doctor")
    assert code == 0
    assert "all that is here works" in out


def test_every_engine_is_tried_or_said_how_to_get() -> None:
    engines = found("engines")
    assert list(engines) == list(ENGINES)
    for info in cw.engines():
        finding = engines[info.name]
        if info.version is None:
            assert (finding.state, finding.note) == ("missing", info.note)
        else:
            assert finding.state == "good"
            assert finding.note.startswith(f"{info.version}, proves a tiny instance")


def test_every_requirement_and_extra_is_listed() -> None:
    needed = set(doctor._names_of(None))
    assert {"numpy", "ortools", "PyYAML"} <= needed
    assert needed <= set(found("packages"))
    extras = set(metadata("chipweave").get_all("Provides-Extra") or ())
    assert set(found("extras")) == extras - set(doctor.FOR_DEVELOPERS)
    assert requires("chipweave")
    assert doctor._names_of("highs") == ["highspy"]


def test_a_missing_extra_says_how_to_get_it_and_is_no_fault(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "dask" else here(name))
    assert found("extras")["experiments"] == cw.Finding(
        "extras", "experiments", "missing", "without dask: pip install 'chipweave[experiments]'"
    )
    assert run("doctor", "--json", "-")[0] == 0


def test_a_required_package_that_is_missing_is_broken(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "simpy" else here(name))
    assert found("packages")["simpy"].state == "broken"
    code, out, _ = run("doctor")
    assert code == 1
    assert "broken: simpy" in out


@pytest.mark.parametrize("fault", ["raises", "wrong", "unproved"])
def test_an_engine_that_fails_or_is_wrong_is_broken(
    fault: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = solvers.solve.solve

    def spoilt(instance: Any, method: str = "exact", **options: Any) -> Any:
        result = real(instance, method, **options)
        if options.get("engine") != "highs":
            return result
        if fault == "raises":
            raise RuntimeError("no licence\nsecond line")
        if fault == "unproved":
            return replace(result, stop="time-limit")
        return replace(result, schedule=None, evaluation=None)

    monkeypatch.setattr(solvers.solve, "solve", spoilt)
    finding = found("engines")["highs"]
    assert finding.state == "broken"
    expected = {"raises": "RuntimeError: no licence", "wrong": "found None", "unproved": "time-lim"}
    assert expected[fault] in finding.note
    assert "second line" not in finding.note
    assert run("doctor", "--json", "-")[0] == 1


def test_kernels_that_cannot_be_kept_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instances.jit.kernel_folder", lambda: None)
    finding = found("kernels")["cache"]
    assert finding.state == "broken"
    assert "NUMBA_CACHE_DIR" in finding.note
