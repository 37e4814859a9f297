"""`chipweave calibrate`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import options
from chipweave.commands.checks import check_outputs
from chipweave.output import STDOUT, deliver, write_text
from chipweave.status import live

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiments.calibrate import Calibration, CutLoss

HELP = """Measure what a model loses where a tensor between two of its compute nodes is compressed.

For each such tensor and ratio, the best linear autoencoder over channels is fitted to one half of
the samples and inserted into the model, which then runs on the other half. Needs onnx and
onnxruntime: pip install 'chipweave[calibrate]'.

Exit codes: 0 it ran; 2 the files cannot be read or do not fit together.

\b
Examples:
  chipweave calibrate model.onnx --samples inputs.npz --out losses.csv
  chipweave calibrate model.onnx --samples inputs.npz --ratios 1,2,4 --measure relative
"""

RATIOS = "1,2,4,8,16"

Model = Annotated[str, typer.Argument(metavar="MODEL", help="An ONNX file.", show_default=False)]
SampleFile = Annotated[
    str,
    typer.Option(
        "--samples",
        metavar="FILE",
        help="An .npz file: an array for each input, the first axis that of the samples.",
        show_default=False,
    ),
]
Ratios = Annotated[
    str,
    typer.Option("--ratios", metavar="R,..", help="Channels over the values that cross instead."),
]
Tensors = Annotated[
    str | None,
    typer.Option("--tensors", metavar="NAME,..", help="Without: all between compute nodes."),
]
MeasureName = Annotated[
    str | None,
    typer.Option(
        "--measure",
        metavar="NAME",
        help="top1: share of answers that change; relative: relative error of the outputs."
        " Without: top1 where the first output is probabilities.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Of the split into halves.", min=0)]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", help="Threads. Without: all cores.", min=1),
]
Out = Annotated[
    str | None,
    typer.Option("--out", metavar="FILE", help="Write the losses as CSV; '-' prints only that."),
]


def calibrate(
    model: Model,
    samples: SampleFile,
    ratios: Ratios = RATIOS,
    tensors: Tensors = None,
    measure: MeasureName = None,
    seed: Seed = 0,
    workers: Workers = None,
    out: Out = None,
    json: options.Json = None,
) -> None:
    check_outputs(losses=out, json=json, inputs=(model, samples))
    import chipweave as cw
    from experiments.calibrate import MEASURES

    wanted = next((name for name in MEASURES if name == measure), None)
    if measure is not None and wanted is None:
        raise ValueError(f"--measure {measure}: expected {' or '.join(MEASURES)}")
    with live(f"calibrate {model}"):
        found = cw.calibrate(
            model,
            samples,
            ratios=_numbers(ratios),
            tensors=None if tensors is None else tensors.split(","),
            measure=wanted,
            seed=seed,
            workers=workers,
        )
    writes: list[Callable[[], None]] = []
    if out is not None and out != STDOUT:
        writes.append(lambda: found.write(out))

    def show() -> None:
        if out == STDOUT:
            write_text(STDOUT, found.text())
        else:
            _print(found)

    deliver(json, found.to_data, show, writes)


def _numbers(text: str) -> list[int]:
    """Whole numbers behind one another.

    Raises:
        ValueError: something else.
    """
    numbers = []
    for part in text.split(","):
        if not part.strip().isdecimal() or len(part.strip()) > 9:
            raise ValueError(f"--ratios: found {part.strip()!r}, expected whole numbers: {RATIOS}")
        numbers.append(int(part))
    return numbers


def _print(found: Calibration) -> None:
    from chipweave.grid import Grid, console

    screen = console()
    Grid(("", ""), _summary(found)).show(screen)
    Grid(_headings(found), _lines(found)).show(screen)


def _summary(found: Calibration) -> list[tuple[str, str]]:
    """What was done, line by line."""
    why = "as asked" if found.asked else _WHY[found.measure]
    compared = "answers" if found.measure == "top1" else "numbers"
    return [
        ("model", found.model),
        ("measure", f"{found.measure}, {why}"),
        ("samples", f"fitted to {found.fitted}, measured on {found.samples} others"),
        ("compared", f"{found.answers:,} {compared}"),
        ("split by seed", str(found.seed)),
        ("versions", ", ".join(f"{name} {own}" for name, own in found.versions.items())),
    ]


_WHY = {
    "top1": "as the first output is probabilities",
    "relative": "as the first output is no probabilities",
}


def _headings(found: Calibration) -> tuple[str, ...]:
    ratios = sorted({row.ratio for row in found.rows} - {1})
    return (
        "tensor",
        "read by",
        ">channels",
        *(f">{what} at {ratio}" for what in ("error", "loss") for ratio in ratios),
    )


def _lines(found: Calibration) -> list[tuple[str, ...]]:
    """A line for each tensor."""
    tensors: dict[str, list[CutLoss]] = defaultdict(list)
    for row in found.rows:
        tensors[row.tensor].append(row)
    return [
        (
            name,
            rows[0].operator,
            str(rows[0].channels),
            *(f"{row.error:.4f}" for row in rows if row.ratio > 1),
            *(f"{row.loss:.4f}" for row in rows if row.ratio > 1),
        )
        for name, rows in tensors.items()
    ]
