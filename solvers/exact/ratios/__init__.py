"""Exact search where tensors may be compressed: labels over the loss."""

from solvers.exact.ratios.search import exact_with_ratios

__all__ = ["exact_with_ratios"]
