"""`calibrate`: runs a model as it is and with each of its tensors compressed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from experiments.calibrate.bench import Bench
from experiments.calibrate.cuts import COMPUTE, Cut, find_cuts
from experiments.calibrate.measures import (
    MEASURES,
    Measure,
    answers,
    check_measure,
    default_measure,
)
from experiments.calibrate.model import Session, read_model
from experiments.calibrate.result import Calibration, CutLoss
from experiments.calibrate.samples import read_samples
from instances.files.errors import closest, fail, listed, quoted
from instances.files.loss_file import MAX_RATIO
from instances.losses import is_line

RATIOS = (1, 2, 4, 8, 16)

PACKAGES = ("onnx", "onnxruntime", "numpy")
"""That a calibration depends on; a build of onnxruntime may be installed by another name."""


def calibrate(
    model: str | Path,
    samples: str | Path,
    *,
    ratios: Sequence[int] = RATIOS,
    tensors: Sequence[str] | None = None,
    measure: Measure | None = None,
    seed: int = 0,
    workers: int | None = None,
) -> Calibration:
    """Measure what a model loses where one of its tensors is compressed *(ours)*.

    For each tensor and ratio, the best linear autoencoder over channels is fitted to one half of
    the samples and inserted into the model, which then runs on the other half.

    Args:
        model: an ONNX file.
        samples: an .npz file with an array for each input, the first axis that of the samples; if
            there is one input, one array by any name, or an .npy file.
        ratios: of channels to the length of the code; 1, no compression, is always among them.
        tensors: names; by default all that `find_cuts` finds and that have two channels or more.
        measure: by default 'top1' if the first output is probabilities, else 'relative'.
        seed: of the split into halves.
        workers: threads; by default all cores.

    Raises:
        FileError: a file cannot be read, or the two do not fit together.
        ValueError: a ratio below 1, an unknown measure or tensor.
        ImportError: onnx or onnxruntime is not installed.
    """
    wanted = _ratios(ratios)
    if measure is not None and measure not in MEASURES:
        raise ValueError(f"unknown measure {measure!r}, choose one of {', '.join(MEASURES)}")
    proto, source = read_model(model), str(model)
    start = partial(Session, source=source, workers=workers)
    plain = start(proto)
    for what, own in (("inputs", plain.inputs), ("outputs", plain.outputs)):
        if not own:
            fail(source, f"the model has no {what}, expected one or more")
    given = read_samples(samples, plain.inputs)
    fitted, measured = given.halves(seed)
    before = [plain.run(chunk) for chunk in given.chunks(measured)]
    used = measure or default_measure(before)
    try:
        check_measure(used, before)
    except ValueError as error:
        fail(source, str(error))
    bench = Bench(proto, source, start, given, fitted, measured, before, used)
    fits = bench.fits(_chosen(find_cuts(proto.graph), tensors, source))
    rows = [row for fit in fits for row in bench.rows(*fit, wanted)]
    _check_all_here(rows, tensors, source)
    return Calibration(
        model=source,
        rows=tuple(rows),
        measure=used,
        asked=measure is not None,
        fitted=len(fitted),
        samples=len(measured),
        answers=answers(used, before),
        seed=seed,
        versions={name: import_module(name).__version__ for name in PACKAGES},
    )


def _ratios(ratios: Sequence[int]) -> list[int]:
    """Ascending, once each, 1 among them."""
    for ratio in ratios:
        if not 1 <= ratio <= MAX_RATIO:
            raise ValueError(f"ratio {ratio}: expected a whole number from 1 to {MAX_RATIO:,}")
    return sorted({1, *ratios})


def _chosen(cuts: Sequence[Cut], tensors: Sequence[str] | None, source: str) -> list[Cut]:
    """The tensors that are asked for, or all."""
    if not cuts:
        fail(source, f"no tensor goes from one compute node ({', '.join(COMPUTE)}) to another")
    for cut in cuts:
        if not is_line(cut.tensor):
            fail(source, f"tensor {quoted(cut.tensor)}: expected a name of one line")
    if tensors is None:
        return list(cuts)
    known = [cut.tensor for cut in cuts]
    for name in tensors:
        if name not in known:
            near = closest(name, known) or f": there are {listed(known)}"
            raise ValueError(f"{source}: no tensor {name!r} goes between compute nodes{near}")
    return [cut for cut in cuts if cut.tensor in tensors]


def _check_all_here(rows: Sequence[CutLoss], tensors: Sequence[str] | None, source: str) -> None:
    """Refuse a model or a choice of tensors without channels."""
    found = {row.tensor for row in rows}
    if not found:
        fail(source, "no tensor between compute nodes has two channels or more")
    for name in tensors or ():
        if name not in found:
            raise ValueError(f"{source}: tensor {name!r} has no two channels of floating point")
