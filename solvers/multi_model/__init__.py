"""Schedules of several models: one call for all methods, and the methods that prove."""

from solvers.multi_model.result import WindowResult
from solvers.multi_model.solve import WINDOW_METHODS, solve_workload

__all__ = ["WINDOW_METHODS", "WindowResult", "solve_workload"]
