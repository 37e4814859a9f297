"""What a calibration finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from instances.files.csv_text import csv_text
from instances.files.errors import fail
from instances.files.whole import write_whole
from instances.losses import LossTable


@dataclass(frozen=True)
class CutLoss:
    """One tensor, compressed by one ratio, while all others are whole.

    Attributes:
        tensor: its name in the model.
        operator: of the node that reads it, the first if there are several.
        ratio: wanted; `code` is its rounding.
        channels: of the tensor.
        code: values that cross in the place of the channels: channels / ratio, rounded up.
        error: of the tensor as it arrives: Frobenius norm of the difference over that of the
            tensor, on the samples that nothing was fitted to.
        measured: change of the model's outputs, on the same samples.
        loss: the largest of `measured` at this ratio and those below it, so that a loss never
            falls where the ratio rises.
    """

    tensor: str
    operator: str
    ratio: int
    channels: int
    code: int
    error: float
    measured: float
    loss: float


COLUMNS = tuple(field.name for field in fields(CutLoss))


@dataclass(frozen=True)
class Calibration:
    """The losses of a model's tensors.

    Attributes:
        model: its file, as given.
        rows: tensor by tensor in the order of the model, ratios ascending, 1 first.
        measure: what `CutLoss.measured` is: 'top1', the share of the answers that change, or
            'relative', the relative error of the outputs.
        asked: whether the caller chose the measure.
        fitted, samples: inputs that autoencoders were fitted to, and that losses were measured on.
        answers: that the share is of, for 'top1'; numbers in the outputs, for 'relative'.
        seed: of the split into these halves.
        versions: of the packages that ran the model.
    """

    model: str
    rows: tuple[CutLoss, ...]
    measure: str
    asked: bool
    fitted: int
    samples: int
    answers: int
    seed: int
    versions: dict[str, str]

    @property
    def table(self) -> LossTable:
        """The losses alone, as a solver takes them."""
        losses: dict[str, dict[int, float]] = {}
        for row in self.rows:
            losses.setdefault(row.tensor, {})[row.ratio] = row.loss
        return LossTable(losses, self.measure, self.samples)

    def to_data(self) -> dict[str, Any]:
        """All of it as plain data."""
        return asdict(self)

    def text(self) -> str:
        """All rows as CSV, which `read_losses` takes."""
        return csv_text(
            COLUMNS,
            [tuple(asdict(row).values()) for row in self.rows],
            {
                "measure": self.measure,
                "samples": self.samples,
                "fitted": self.fitted,
                "answers": self.answers,
                "seed": str(self.seed),
                "model": Path(self.model).name,
            },
        )

    def write(self, path: str | Path) -> None:
        """Write the rows as CSV.

        Raises:
            FileError: the file system refuses.
        """
        try:
            write_whole(path, self.text().encode())
        except OSError as error:
            fail(str(path), f"cannot be written: {error.strerror}")
