"""The report of a store, in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from experiments.report.album import make_album
from experiments.report.figures import make_figures, methods_of, packages_of
from experiments.report.page import page, plotly_script
from experiments.report.pictures import picture
from experiments.report.runs import make_runs
from experiments.store import Store
from instances.files.whole import write_whole

PAGE = "index.html"


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
        page: the HTML file.
        pictures: the SVG files, one for each figure with anything to show.
        runs: how many the store has.
        schedules: how many of them the viewer can show.
    """

    page: Path
    pictures: tuple[Path, ...]
    runs: int
    schedules: int


def write_report(store: Store, folder: str | Path) -> Report:
    """Write the page and the figures of a store's runs into a folder, which is made if missing.

    Files of an earlier report are replaced, each at once.

    Raises:
        StoreError: the store cannot be read.
        ImportError: plotly is missing; the message names the extra that has it.
        OSError: the folder cannot be written to.
    """
    plotly = plotly_script()
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    records = list(store)
    album = make_album(records)
    runs = make_runs(records, album.shown)
    figures = make_figures(runs)
    html = page(store.path.name, runs, figures, album, plotly)
    methods, packages = methods_of(runs), packages_of(runs)
    pictures = []
    for figure in figures:
        target = place / f"{figure.name}.svg"
        if figure.panels:
            write_whole(target, picture(figure, methods, packages))
            pictures.append(target)
        else:
            target.unlink(missing_ok=True)  # of an earlier report
    write_whole(place / PAGE, html.encode())
    shown = sum(run.shown.place is not None for run in runs)
    return Report(place / PAGE, tuple(pictures), len(runs), shown)
