"""Places on the mesh for the regions of a segment: candidate places, or a tile at a time."""
