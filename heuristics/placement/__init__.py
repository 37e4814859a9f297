"""Places for regions in seconds, on meshes of hundreds of chiplets."""

from heuristics.placement.fast import OBJECTIVES, place_fast

__all__ = ["OBJECTIVES", "place_fast"]
