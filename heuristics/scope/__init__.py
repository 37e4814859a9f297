"""Scope: the merged pipeline and its fast search."""

from heuristics.scope.search import scope

__all__ = ["scope"]
