"""Fast schedules of several models on one package: SCAR's search and a wider one, with bounds."""

from heuristics.multi_model.scar import scar
from heuristics.multi_model.search import search

__all__ = ["scar", "search"]
