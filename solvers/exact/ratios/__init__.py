"""Exact search where tensors may be compressed: labels over the loss."""

from solvers.exact.ratios.search import exact_with_ratios
from solvers.exact.ratios.states import States

__all__ = ["States", "exact_with_ratios"]
