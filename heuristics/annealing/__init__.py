"""Simulated annealing over whole schedules, the kind of search that SET and Gemini use."""

from heuristics.annealing.search import annealing

__all__ = ["annealing"]
