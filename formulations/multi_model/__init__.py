"""Several models on unlike chiplets: windows, stages and chiplets as variables and constraints."""
