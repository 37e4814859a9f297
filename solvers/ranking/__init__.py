"""Ranking: the place of a schedule among all schedules of an instance."""

from solvers.ranking.place import Place, Sample
from solvers.ranking.rank import Rank, rank
from solvers.ranking.space import Space

__all__ = ["Place", "Rank", "Sample", "Space", "rank"]
