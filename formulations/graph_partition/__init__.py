"""The division of a graph of operators among devices, as models."""
