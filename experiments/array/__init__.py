"""Measures of schedules inside an array."""
