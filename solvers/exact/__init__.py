"""The exact program: a dynamic program with a proof."""

from solvers.exact.frontier import frontier
from solvers.exact.search import exact, segmented

__all__ = ["exact", "frontier", "segmented"]
