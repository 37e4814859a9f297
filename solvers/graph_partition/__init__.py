"""Divisions of a graph of operators among devices, proved best."""

from solvers.graph_partition.result import PartitionResult
from solvers.graph_partition.solve import GRAPH_METHODS, solve_graph

__all__ = ["GRAPH_METHODS", "PartitionResult", "solve_graph"]
