"""Whatever a file holds: it is used, or refused in plain words that name it; never a traceback."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.cases import case
from tests.fuzz.readers import READERS, Reader
from tests.fuzz.trial import MOST_SECONDS, attempt

FILES = [own for own in READERS if not own.text]


def needs_its_seeds(reader: Reader, seeds: Path) -> None:
    """Skip a reader that has none, and those whose seeds need what is not installed."""
    if any("onnx" in command for command in reader.commands) or reader.name == "model":
        pytest.importorskip("onnxruntime", reason="the extra calibrate is not installed")
    if "report" in reader.commands[0]:
        pytest.importorskip("plotly", reason="the extra experiments is not installed")
    assert reader.text or all((seeds / seed).exists() for seed in reader.seeds)


@pytest.mark.parametrize("reader", READERS, ids=lambda own: own.name)
def test_the_seeds_are_used(reader: Reader, seeds: Path, tmp_path: Path) -> None:
    needs_its_seeds(reader, seeds)
    found = [
        attempt(reader.words(command, it, seeds, tmp_path), ())
        for command in reader.commands
        for it in (reader.seeds if reader.text else [str(seeds / own) for own in reader.seeds])
    ]
    assert not [own.why for own in found if own.why]
    assert any(own.verdict == "used" for own in found)
    assert reader.text or all(own.verdict == "used" for own in found)


@pytest.mark.parametrize("reader", READERS, ids=lambda own: own.name)
@settings(
    max_examples=5,
    phases=[Phase.generate],  # a smaller number makes no simpler mutant
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 2**64))
def test_a_mutant_is_used_or_refused_in_plain_words(
    reader: Reader, seeds: Path, tmp_path: Path, number: int
) -> None:
    needs_its_seeds(reader, seeds)
    with case(reader, Random(number), seeds, tmp_path / "own") as found:
        for words in found.commands:
            trial = attempt(words, found.files)
            assert not trial.why
            if trial.seconds >= MOST_SECONDS:  # a kernel may have been compiled
                trial = attempt(words, found.files)
            assert trial.seconds < MOST_SECONDS


@pytest.mark.parametrize("reader", FILES, ids=lambda own: own.name)
@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "device", "loop", "empty", "huge"])
def test_what_is_no_file_of_moderate_size_is_refused_at_once(
    reader: Reader, kind: str, seeds: Path, tmp_path: Path
) -> None:
    needs_its_seeds(reader, seeds)
    path = tmp_path / f"odd{Path(reader.seeds[0]).suffix}"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "empty":
        path.touch()
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(2**40)
    trial = attempt(reader.words(reader.commands[0], str(path), seeds, tmp_path), [str(path)])
    assert not trial.why
    a_new_store = kind == "empty" and path.suffix == ".db"
    assert trial.verdict == ("used" if a_new_store else "refused")
