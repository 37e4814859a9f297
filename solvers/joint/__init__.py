"""Schedule and places at once, on small meshes."""

from solvers.joint.search import JointResult, place_jointly

__all__ = ["JointResult", "place_jointly"]
