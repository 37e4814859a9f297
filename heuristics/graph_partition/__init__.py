"""Fast divisions of a graph of operators among devices."""
