"""Models of the merged pipeline: segments of stages, each stage one or more layers on a region."""
