"""The report of a store: one page that needs no network, and its figures as SVG files.

runs      a row for each run, compared with the other runs on its instance
album     every distinct schedule with its costs, packed for the page's viewer
figures   what the figures show, for the page and for the SVG files alike
pictures  the SVG files
page      the page: `page.html`, `page.css` and the scripts beside this file
"""

from experiments.report.write import Report, write_report

__all__ = ["Report", "write_report"]
