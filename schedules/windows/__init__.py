"""Schedules of several models on one package, by time windows."""
