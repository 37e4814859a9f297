"""The best linear autoencoder over channels: principal components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def code_length(channels: int, ratio: int) -> int:
    """Values of a code in the place of channels: at least one."""
    return -(-channels // ratio)


def by_channel(tensor: NDArray[np.generic], axis: int) -> Array:
    """A tensor as rows of channels [positions, channels]."""
    moved = np.moveaxis(tensor, axis, -1)
    return np.ascontiguousarray(moved, dtype=np.float64).reshape(-1, moved.shape[-1])


@dataclass(frozen=True)
class Autoencoder:
    """code = (x - mean) @ encoder; what arrives is code @ encoder.T + mean *(ours)*.

    No training: of all linear maps through a code of this length, none has a smaller squared error
    on what it was fitted to (Eckart and Young, 1936).

    Attributes:
        mean: [channels].
        encoder: [channels, code], orthonormal columns, the most important first.
    """

    mean: Array
    encoder: Array

    def cut(self, code: int) -> Autoencoder:
        """The best one with a shorter code."""
        return Autoencoder(self.mean, self.encoder[:, :code])

    def __call__(self, rows: Array) -> Array:
        """What arrives of rows [positions, channels]."""
        return (rows - self.mean) @ self.encoder @ self.encoder.T + self.mean


class Moments:
    """Sums over the positions of a tensor, as its samples go by: memory for channels squared."""

    def __init__(self) -> None:
        self._scale = 0.0
        self._shift: Array | None = None
        self._count = 0
        self._sum: Array = np.zeros(0)
        self._square: Array = np.zeros((0, 0))

    def add(self, rows: Array) -> None:
        """Take more positions [positions, channels]."""
        if not rows.size:
            return
        # What is very large or small would have squares that are infinite or 0.
        self._scale = self._scale or _power_of_two(rows)
        with np.errstate(over="ignore"):  # `fit` looks for it
            rows = rows / (self._scale or 1.0)
        if self._shift is None:
            channels = rows.shape[1]
            # Around a mean, however rough, sums of squares lose fewer digits.
            with np.errstate(over="ignore", invalid="ignore"):
                self._shift = rows.mean(axis=0)
            self._sum, self._square = np.zeros(channels), np.zeros((channels, channels))
        self._count += len(rows)
        with np.errstate(over="ignore", invalid="ignore"):  # likewise
            near = rows - self._shift
            self._sum += near.sum(axis=0)
            self._square += near.T @ near

    def fit(self) -> Autoencoder:
        """The autoencoder with a code as long as there are channels.

        Raises:
            ValueError: there was no position, or a value that is no number.
        """
        if self._shift is None or not self._count:
            raise ValueError("the tensor is empty")
        if not np.isfinite(self._square).all():
            raise ValueError(
                "the tensor has values that are infinite, no numbers, or too far apart"
            )
        mean = self._sum / self._count
        covariance = self._square / self._count - np.outer(mean, mean)
        _, vectors = np.linalg.eigh(covariance)
        return Autoencoder((self._shift + mean) * (self._scale or 1.0), vectors[:, ::-1])


def _power_of_two(rows: Array) -> float:
    """The largest up to the largest number; 0 if all are 0, 1 if one is infinite or no number."""
    largest = float(np.abs(rows).max())
    if not np.isfinite(largest):
        return 1.0
    return float(np.ldexp(1.0, int(np.frexp(largest)[1]) - 1)) if largest else 0.0
