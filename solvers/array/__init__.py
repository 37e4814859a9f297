"""Methods that find schedules on an array."""

from solvers.array.result import ArrayResult as ArrayResult
from solvers.array.solve import ARRAY_METHODS as ARRAY_METHODS
from solvers.array.solve import solve_array as solve_array
