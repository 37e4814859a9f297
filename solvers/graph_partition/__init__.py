"""Divisions of a graph of operators among devices, proved best."""
