"""Inputs for a calibration: NumPy files, checked against the model that they are for."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.calibrate.model import Input, told
from instances.files.errors import FileError, closest, fail, listed

MAX_BYTES = 4 * 2**30
"""Of all arrays of a file, unpacked."""

CHUNK = 16
"""Samples that a model gets at a time, where it takes any number."""


@dataclass(frozen=True)
class Samples:
    """Inputs of a model.

    Attributes:
        arrays: input -> array; the first axis is that of the samples, as many in all of them.
        count: how many samples there are.
        step: how many the model gets at a time.
    """

    arrays: Mapping[str, NDArray[Any]]
    count: int
    step: int

    def halves(self, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Two disjoint sets of samples, drawn by a seed: to fit to, and to measure on."""
        order = np.random.default_rng(seed).permutation(self.count)
        half = self.count // 2
        return np.sort(order[:half]), np.sort(order[half:])

    def chunks(self, chosen: NDArray[np.intp]) -> Iterator[dict[str, NDArray[Any]]]:
        """What the model gets, time after time."""
        for start in range(0, len(chosen), self.step):
            part = chosen[start : start + self.step]
            yield {name: array[part] for name, array in self.arrays.items()}


def read_samples(path: str | Path, inputs: Sequence[Input]) -> Samples:
    """Read the samples of a model from an .npz file, or from an .npy file for one input.

    Raises:
        FileError: the file is none, or its arrays do not fit the inputs: names, types, shapes,
            numbers that are infinite or none, fewer than two samples.
    """
    source = str(path)
    found = _matched(_arrays(Path(path), source), inputs, source)
    arrays = {own.name: _fitting(found[own.name], own, source) for own in inputs}
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) > 1:
        shown = listed(f"{name!r} {count}" for name, count in counts.items())
        fail(source, f"found different numbers of samples, expected one: {shown}")
    count = next(iter(counts.values()))
    if count < 2:
        fail(source, f"found {count} samples, expected 2 or more: one half is to fit to")
    return Samples(arrays, count, _step(inputs, count, source))


def _arrays(path: Path, source: str) -> dict[str, NDArray[Any]]:
    """What the file holds, by name; nothing in it is run."""
    if not path.exists():
        fail(source, "no such file")
    if not path.is_file():
        fail(source, "is a directory, not a file" if path.is_dir() else "is not a plain file")
    try:
        if _unpacked(path) > MAX_BYTES:
            fail(source, f"larger than {MAX_BYTES // 2**30} GB unpacked, the most that is read")
        data = np.load(path, allow_pickle=False)
        if isinstance(data, np.ndarray):
            return {"": data}
        with data:
            return {name: np.asarray(data[name]) for name in data.files}
    except FileError:
        raise
    except Exception as error:  # NumPy's, zlib's, those of zip files and of the file system
        if "pickle" in str(error):  # NumPy would say how to run what is in there
            fail(source, "found something else than numbers, expected an .npz file of arrays")
        fail(source, f"not an .npz file of arrays of numbers: {told(error)}")


def _unpacked(path: Path) -> int:
    """How large the arrays of a file say they are."""
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(member.file_size for member in archive.infolist())


def _matched(
    found: dict[str, NDArray[Any]], inputs: Sequence[Input], source: str
) -> dict[str, NDArray[Any]]:
    """An array for each input, by name; one alone needs none."""
    names = [own.name for own in inputs]
    if len(found) == len(names) == 1:
        return {names[0]: next(iter(found.values()))}
    for name in names:
        if name not in found:
            shown = listed(map(repr, found)) or "nothing"
            near = closest(name, found)
            fail(source, f"found {shown}, expected an array for the input {name!r}{near}")
    for name in found:
        if name not in names:
            fail(source, f"found {name!r}, expected only the inputs {listed(map(repr, names))}")
    return found


def _fitting(array: NDArray[Any], own: Input, source: str) -> NDArray[Any]:
    """The array as the input takes it."""
    where = f"{own.name!r}"
    expected = ", ".join("any" if size is None else str(size) for size in own.shape)
    lengths = zip(array.shape[1:], own.shape[1:], strict=False)
    if array.ndim != len(own.shape) or any(want not in (None, has) for has, want in lengths):
        rest = expected.partition(", ")[2]
        shape = f"[samples, {rest}]" if rest else "[samples]"
        fail(source, f"{where}: found the shape {list(array.shape)}, expected {shape}")
    if not np.can_cast(array.dtype, own.dtype, "same_kind"):
        fail(source, f"{where}: found {array.dtype}, expected {own.dtype}")
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
        fail(source, f"{where}: found values that are infinite or no numbers, expected numbers")
    with np.errstate(over="ignore"):
        fitting = array.astype(own.dtype, copy=False)
    exact = np.issubdtype(own.dtype, np.integer)
    if not (np.array_equal(fitting, array) if exact else np.isfinite(fitting).all()):
        fail(source, f"{where}: found values that {own.dtype} cannot hold")
    return fitting


def _step(inputs: Sequence[Input], count: int, source: str) -> int:
    """How many samples the model gets at a time."""
    fixed = {own.shape[0] for own in inputs if own.shape[0] is not None}
    if not fixed:
        return CHUNK
    if len(fixed) > 1:
        fail(source, f"the model's inputs take {listed(map(str, sorted(fixed)))} samples at a time")
    (step,) = fixed
    if step > 1 and count % (2 * step):
        expected = f"a multiple of {2 * step}, as the model takes {step} at a time"
        fail(source, f"found {count} samples, expected {expected}")
    return step
