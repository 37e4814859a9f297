"""How much the outputs of a model change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Measure = Literal["top1", "relative"]
"""top1: the share of the answers that change, an answer being the class of the highest score, for
each sample and position. relative: Frobenius norm of the change over that of the outputs."""

MEASURES: tuple[Measure, ...] = get_args(Measure)

CLOSE = 1e-3
"""How far from 1 the scores of all classes may add up, to be probabilities."""

Outputs = Sequence[NDArray[Any]]
"""Of a model, for some samples."""


def default_measure(outputs: Sequence[Outputs]) -> Measure:
    """top1 where the first output is probabilities of classes, else relative.

    An empty output is none.
    """
    return "top1" if all(_probabilities(chunk[0]) for chunk in outputs) else "relative"


def check_measure(measure: Measure, outputs: Sequence[Outputs]) -> None:
    """Refuse a measure that the outputs do not allow.

    Args:
        measure: to be used.
        outputs: of the whole model, chunk by chunk.

    Raises:
        ValueError: no classes, no answers, no numbers, or only zeros to compare with.
    """
    floating = [array for chunk in outputs for array in chunk if _floating(array)]
    if not all(np.isfinite(array).all() for array in floating):
        raise ValueError("the model's outputs have values that are infinite or no numbers")
    if measure == "top1":
        for chunk in outputs:
            if not _floating(chunk[0]) or chunk[0].ndim < 2 or _classes(chunk[0]) < 2:
                shape = list(chunk[0].shape)
                raise ValueError(
                    f"the first output, {chunk[0].dtype} {shape}, is no scores of classes, which"
                    " the measure top1 needs: take relative"
                )
        if not answers(measure, outputs):
            raise ValueError(
                "the first output is empty, so there is no answer for the measure top1: take"
                " relative"
            )
    elif not any(array.any() for array in floating):
        raise ValueError("no output has a number other than 0: there is no relative error")


def answers(measure: Measure, outputs: Sequence[Outputs]) -> int:
    """How many things are compared."""
    if measure == "top1":
        return sum(chunk[0].size // _classes(chunk[0]) for chunk in outputs)
    return sum(array.size for chunk in outputs for array in chunk if _floating(array))


class Change:
    """The change of outputs, as the samples go by."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._changed = 0.0
        self._all = 0.0

    def add(self, before: Outputs, after: Outputs) -> None:
        """Take more samples.

        Raises:
            ValueError: an output has another shape than before, or is no number.
        """
        for old, new in zip(before, after, strict=True):
            if old.shape != new.shape:
                raise ValueError("an output of the model changes its shape when it is compressed")
            if _floating(new) and not np.isfinite(new).all():
                raise ValueError("an output is infinite or no number when it is compressed")
        if self._measure == "top1":
            chosen, now = (_answers(outputs[0]) for outputs in (before, after))
            self._changed += float((chosen != now).sum())
            self._all += chosen.size
            return
        for old, new in zip(before, after, strict=True):
            if _floating(old):
                own = old.astype(np.float64)
                with np.errstate(over="ignore"):  # `_norm` looks for it
                    change = new - own
                self._changed = float(np.hypot(self._changed, _norm(change)))
                self._all = float(np.hypot(self._all, _norm(own)))

    def value(self) -> float:
        """The measure over all samples; 0 where there is nothing, before and after.

        Raises:
            ValueError: nothing but zeros before, and something else after.
        """
        if self._all:
            return self._changed / self._all
        if self._changed:
            raise ValueError(
                "it is 0 wherever it is measured, but not as it arrives, so there is no relative"
                " error: give more samples"
            )
        return 0.0


def _norm(array: NDArray[np.float64]) -> float:
    """Frobenius norm; squares neither overflow nor vanish.

    Raises:
        ValueError: a number is infinite.
    """
    largest = float(np.abs(array).max(initial=0.0))
    if not np.isfinite(largest):
        raise ValueError("a change is too large for a number of 64 bits")
    return largest * float(np.linalg.norm(array / largest)) if largest else 0.0


def _floating(array: NDArray[Any]) -> bool:
    return np.issubdtype(array.dtype, np.floating)


def _axis(array: NDArray[Any]) -> int:
    """Of the classes: in pictures they come before the positions, else behind."""
    return 1 if array.ndim >= 4 else -1


def _classes(array: NDArray[Any]) -> int:
    return array.shape[_axis(array)]


def _answers(array: NDArray[Any]) -> NDArray[np.intp]:
    return array.argmax(axis=_axis(array))


def _probabilities(array: NDArray[Any]) -> bool:
    if not _floating(array) or not array.size or array.ndim < 2 or _classes(array) < 2:
        return False
    total = array.astype(np.float64).sum(axis=_axis(array))
    return bool((array >= 0).all() and (np.abs(total - 1) <= CLOSE).all())
