"""What is compressed, and how much, for methods that do not choose it themselves."""

from heuristics.ratios.search import best_ratios, with_ratios

__all__ = ["best_ratios", "with_ratios"]
