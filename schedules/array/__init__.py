"""Schedules inside an array: segments, tiles, and where the blocks of PEs are."""
