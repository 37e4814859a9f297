"""Compression at the cuts: what a network loses where a tensor that crosses is squeezed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True)
class LossTable:
    """The loss that each ratio of compression costs, tensor by tensor *(ours)*.

    A ratio is the number of channels over the length of the code that crosses in their place.
    Ratio 1 is no compression: its loss is 0, whether it is given or not. How much a loss weighs is
    the measure's: `top1` is the share of the answers that change, `relative` the relative error of
    the outputs.

    Attributes:
        losses: tensor -> ratio -> loss.
        measure: what the losses are; empty where nobody said.
        samples: on how many inputs they were measured; 0 where nobody said.

    Raises:
        ValueError: a name that is not one line, a ratio below 1, a loss that is negative or not
            finite, a loss other than 0 at ratio 1, or a negative number of samples.
    """

    losses: Mapping[str, Mapping[int, float]]
    measure: str = ""
    samples: int = 0

    def __post_init__(self) -> None:
        own = {tensor: {1: 0.0, **given} for tensor, given in self.losses.items()}
        for tensor, given in own.items():
            if not is_line(tensor):
                raise ValueError(f"tensor {tensor!r}: expected a name of one line")
            for ratio, loss in given.items():
                _check(tensor, ratio, loss)
        if self.samples < 0:
            raise ValueError(f"{self.samples} samples: expected 0 or more")
        ordered = {tensor: dict(sorted(given.items())) for tensor, given in own.items()}
        object.__setattr__(self, "losses", ordered)

    @property
    def tensors(self) -> tuple[str, ...]:
        """The tensors that may be compressed, in the order given."""
        return tuple(self.losses)

    def ratios(self, tensor: str) -> tuple[int, ...]:
        """The ratios that a tensor may have, 1 first; only 1 for a tensor that is not here."""
        return tuple(self.losses.get(tensor, (1,)))

    def loss(self, tensor: str, ratio: int) -> float:
        """The loss of a tensor at one of its `ratios`.

        Raises:
            KeyError: the tensor may not have this ratio.
        """
        return self.losses.get(tensor, {1: 0.0})[ratio]


def is_line(text: str) -> bool:
    """Whether a text is one line, not empty: what the name of a tensor must be."""
    return text.splitlines() == [text]


def _check(tensor: str, ratio: int, loss: float) -> None:
    if ratio < 1:
        raise ValueError(f"tensor {tensor!r}: ratio {ratio}, expected 1 or more")
    if not isfinite(loss) or loss < 0:
        raise ValueError(f"tensor {tensor!r}, ratio {ratio}: loss {loss}, expected 0 or more")
    if ratio == 1 and loss != 0:
        raise ValueError(f"tensor {tensor!r}: loss {loss} at ratio 1, expected 0")
