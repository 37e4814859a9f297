"""A model beside itself with a tensor compressed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.calibrate.autoencoder import Autoencoder, Moments, by_channel, code_length
from experiments.calibrate.cuts import Cut
from experiments.calibrate.measures import Change, Measure, Outputs
from experiments.calibrate.model import Layout, Session, with_autoencoder, with_outputs
from experiments.calibrate.result import CutLoss
from experiments.calibrate.samples import Samples
from instances.files.errors import fail

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True)
class Bench:
    """A model, its samples in two halves, and what it makes of the second as it is.

    Attributes:
        model: as read.
        source: its file, for messages.
        start: makes a session of a model.
        samples: all of them.
        fitted, measured: which of them autoencoders are fitted to, and losses measured on.
        before: outputs of the model as it is, for each chunk of `measured`.
        measure: of the change of outputs.
    """

    model: ModelProto
    source: str
    start: Callable[[ModelProto], Session]
    samples: Samples
    fitted: NDArray[np.intp]
    measured: NDArray[np.intp]
    before: Sequence[Outputs]
    measure: Measure

    def fits(self, cuts: Sequence[Cut]) -> Iterator[tuple[Cut, Layout, Autoencoder]]:
        """The autoencoder of each tensor that has channels, in the order of the model.

        Raises:
            FileError: the model does not run with its tensors as outputs, or they are no numbers.
        """
        names = [cut.tensor for cut in cuts]
        session = self.start(with_outputs(self.model, names))
        layouts: dict[str, Layout] = {}
        moments = {name: Moments() for name in names}
        for chunk in self.samples.chunks(self.fitted):
            for cut, tensor in zip(cuts, session.run(chunk, names), strict=True):
                layout = layouts.setdefault(cut.tensor, _layout(cut, tensor))
                if not _has_channels(layout):
                    continue
                rows = by_channel(tensor, cut.axis)
                if rows.shape[1] != layout.channels:
                    fail(self.source, f"tensor {cut.tensor!r} changes its number of channels")
                moments[cut.tensor].add(rows)
        for cut in cuts:
            layout = layouts[cut.tensor]
            if _has_channels(layout):
                try:
                    yield cut, layout, moments[cut.tensor].fit()
                except ValueError as error:
                    fail(self.source, f"tensor {cut.tensor!r}: {error}")

    def rows(
        self, cut: Cut, layout: Layout, autoencoder: Autoencoder, ratios: Sequence[int]
    ) -> Iterator[CutLoss]:
        """The losses of a tensor; `ratios` ascend from 1.

        Raises:
            FileError: the compressed model does not run, or its outputs cannot be compared.
        """
        loss = 0.0
        found: dict[int, tuple[float, float]] = {layout.channels: (0.0, 0.0)}
        for ratio in ratios:
            code = code_length(layout.channels, ratio)
            if code not in found:
                found[code] = self.compressed(cut.tensor, layout, autoencoder.cut(code))
            error, measured = found[code]
            loss = max(loss, measured)
            yield CutLoss(
                cut.tensor, cut.operator, ratio, layout.channels, code, error, measured, loss
            )

    def compressed(
        self, tensor: str, layout: Layout, autoencoder: Autoencoder
    ) -> tuple[float, float]:
        """Errors of a tensor and of the outputs where it passes through an autoencoder.

        Raises:
            FileError: the model does not run, or its outputs cannot be compared.
        """
        model, sent = with_autoencoder(self.model, tensor, layout, autoencoder)
        session = self.start(model)
        change, crossing = Change(self.measure), Change("relative")
        for chunk, before in zip(self.samples.chunks(self.measured), self.before, strict=True):
            after = session.run(chunk)
            own = dict(zip(session.outputs, after, strict=True))
            try:
                change.add(before, after[: len(before)])
                crossing.add([own[sent]], [own[tensor]])
            except ValueError as error:
                fail(self.source, f"tensor {tensor!r}: {error}")
        try:
            return crossing.value(), change.value()
        except ValueError as error:
            fail(self.source, f"tensor {tensor!r}: {error}")


def _layout(cut: Cut, tensor: NDArray[Any]) -> Layout:
    channels = tensor.shape[cut.axis] if tensor.ndim >= 2 else 1
    return Layout(cut.axis, tensor.ndim, channels, tensor.dtype)


def _has_channels(layout: Layout) -> bool:
    """Whether there is something to compress: two channels or more, of floating-point numbers."""
    return layout.channels >= 2 and np.issubdtype(layout.dtype, np.floating)
