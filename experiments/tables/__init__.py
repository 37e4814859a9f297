"""Results of the ready-made experiments: tables and figures, made of what a store has of them.

    parts       what a page consists of: text, tables, figures
    runs        the runs of an experiment, and what their schedules cost
    pictures    figures as SVG
    comparison, segments, size, sensitivity, batch, steps, llm    a page each

An experiment's name says which page is made of it.
"""

from experiments.tables.pages import PAGES, page_of

__all__ = ["PAGES", "page_of"]
