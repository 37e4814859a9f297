"""Divisions of a graph of operators among devices: evaluate, verify, files, pictures."""
