"""Experiments with several models on unlike chiplets."""
