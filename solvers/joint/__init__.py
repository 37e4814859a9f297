"""Schedule and places at once, on small meshes."""

from solvers.joint.byte_hops import fewest_byte_hops
from solvers.joint.search import JointResult, place_jointly

__all__ = ["JointResult", "fewest_byte_hops", "place_jointly"]
