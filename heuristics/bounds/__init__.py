"""Lower bounds on the latency of every schedule, for instances too large for a proof."""

from heuristics.bounds.search import lower_bound, rising_bounds

__all__ = ["lower_bound", "rising_bounds"]
