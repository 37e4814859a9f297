"""Experiments on the division of graphs of operators among devices."""
