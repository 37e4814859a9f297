"""The inside of an array: depth, granularity, organisation and PEs as variables and constraints."""
