"""Scope: the merged pipeline and its fast search."""

from heuristics.scope.search import scope, scope_plus, search
from heuristics.scope.steps import SCOPE, WIDE, Steps, steps_of

__all__ = ["SCOPE", "WIDE", "Steps", "scope", "scope_plus", "search", "steps_of"]
