"""The engines that run a model: CP-SAT, and MILP solvers through PuLP and through MathOpt.

Importing this imports no solver: an engine is looked for by its package or program alone.
"""

from solvers.engines.engine import FEATURES, Engine, Feature, Found, Settings
from solvers.engines.table import ENGINES, EngineInfo, choose, engines

__all__ = [
    "ENGINES",
    "FEATURES",
    "Engine",
    "EngineInfo",
    "Feature",
    "Found",
    "Settings",
    "choose",
    "engines",
]
