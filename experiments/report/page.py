"""The page: one file with its data, its scripts and Plotly's, which needs no network."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from html import escape
from importlib.resources import files
from math import isfinite
from typing import Any, Literal

import matplotlib
from matplotlib.colors import to_hex

from experiments.report.album import Album, packed
from experiments.report.figures import COLOURS, Figure, methods_of, packages_of
from experiments.report.runs import Run, settings
from schedules.draw import SAMPLES
from schedules.draw_mesh import PALETTE

Form = Literal["whole", "ratio", "percent", "measure", "text"]
"""How the page shows a column's values."""

COLUMNS: tuple[tuple[str, str, Form, Callable[[Run], object]], ...] = (
    ("run", "run", "whole", lambda run: run.number),
    ("network", "network", "text", lambda run: run.network),
    ("package", "package", "text", lambda run: run.package),
    ("batch", "batch", "whole", lambda run: run.record.task.batch),
    ("layers", "layers", "whole", lambda run: run.shown.layers),
    ("chiplets", "chiplets", "whole", lambda run: run.shown.chiplets),
    ("method", "method", "text", lambda run: run.method),
    ("goal", "goal", "text", lambda run: run.goal),
    ("objective", "objective", "whole", lambda run: run.record.objective),
    ("unit", "unit", "text", lambda run: run.facts.get("unit")),
    ("ratio", "/ best known", "ratio", lambda run: run.ratio),
    ("bound", "bound", "whole", lambda run: run.record.bound),
    ("gap", "gap to best bound (%)", "percent", lambda run: _times(run.gap, 100)),
    ("stop", "stop", "text", lambda run: run.record.stop or ("failed" if run.record.error else "")),
    ("runtime", "run time (s)", "measure", lambda run: run.record.runtime_s),
    ("latency", "latency (cycles)", "whole", lambda run: run.record.latency),
    ("rate", "throughput (samples/s)", "measure", lambda run: _rate(run)),
    ("energy", "energy (mJ)", "measure", lambda run: _times(run.record.energy, 1e-9)),
    ("settings", "settings", "text", settings),
    ("finished", "finished (UTC)", "text", lambda run: run.record.finished[:19].replace("T", " ")),
    ("error", "error", "text", lambda run: run.record.error),
)

CHOICES = ("network", "package", "batch", "method", "goal", "stop")
"""Columns by whose values the table can be narrowed down."""

SCRIPTS = ("table", "viewer", "charts")


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _rate(run: Run) -> float | None:
    """Samples a second, where there is a clock."""
    if not run.record.latency or run.shown.clock_hz is None:
        return None
    return run.record.task.batch / run.record.latency * run.shown.clock_hz


def page(name: str, runs: list[Run], figures: list[Figure], album: Album, plotly: str) -> str:
    """The HTML of a report.

    Args:
        name: of the store.
        runs, figures, album: of the store.
        plotly: its script, as `plotly_script` has it.
    """
    title = f"Runs of {name}"
    parts = {
        "title": escape(title),
        "summary": escape(_summary(runs)),
        "style": _own("page.css"),
        "data": _json(_data(runs, figures)),
        "sheets": _json(album.sheets),
        "plotly": _json(plotly),
        **{script: _own(f"{script}.js") for script in SCRIPTS},
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _own("page.html"))


def _own(file: str) -> str:
    return files("experiments.report").joinpath(file).read_text("utf-8")


def plotly_script() -> str:
    """The script of Plotly, packed.

    Raises:
        ImportError: plotly is missing.
    """
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise ImportError("the report needs plotly: pip install 'chipweave[experiments]'") from None
    return packed(get_plotlyjs())


def _json(data: Any) -> str:
    """JSON that can stand inside a script element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _summary(runs: list[Run]) -> str:
    failed = sum(run.record.error is not None for run in runs)
    instances = len({run.record.task.content for run in runs})
    return (
        f"{_counted(len(runs), 'run')} of {_counted(len(methods_of(runs)), 'method')} on"
        f" {_counted(instances, 'instance')}{f', {failed:,} failed' if failed else ''}."
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _data(runs: list[Run], figures: list[Figure]) -> dict[str, Any]:
    rows = [[_cell(value(run)) for *_, value in COLUMNS] for run in runs]
    kept = [k for k, (name, *_) in enumerate(COLUMNS) if _tells(name, k, rows)]
    cividis = matplotlib.colormaps["cividis"]
    units = {run.facts.get("unit") for run in runs} - {None}
    return {
        "columns": [_heading(k, units) for k in kept],
        "rows": [[row[k] for k in kept] for row in rows],
        "places": [run.shown.place for run in runs],
        "why": {run.number: _why(run) for run in runs if run.shown.place is None},
        "choices": [name for name in CHOICES if name in {COLUMNS[k][0] for k in kept}],
        "figures": [_figure(figure, runs) for figure in figures],
        "methods": methods_of(runs),
        "palette": PALETTE,
        "colours": COLOURS,
        "samples": [to_hex(cividis(k / (SAMPLES - 1))) for k in range(SAMPLES)],
    }


def _why(run: Run) -> str:
    return f"the run failed: {run.record.error}" if run.record.error else run.shown.why


def _heading(place: int, units: set[Any]) -> tuple[str, str, Form]:
    """Name, words and form of a column; objectives and bounds bear the unit if there is one."""
    name, words, form, _ = COLUMNS[place]
    if name in ("objective", "bound") and len(units) == 1:
        return name, f"{words} ({min(units)})", form
    return name, words, form


def _tells(name: str, place: int, rows: list[list[Any]]) -> bool:
    """Whether a column says anything; goals and units do if they differ."""
    values = {row[place] for row in rows}
    if name == "goal":
        return bool(values - {"latency"})
    if name == "unit":
        return len(values - {None}) > 1
    return name not in ("error", "settings") or bool(values - {None, ""})


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if isfinite(value) else None
    return value


def _figure(figure: Figure, runs: list[Run]) -> dict[str, Any]:
    data = asdict(figure)
    for panel in data["panels"]:
        for series in panel["series"]:
            series["x"] = [_cell(value) for value in series["x"]]
            series["y"] = [_cell(value) for value in series["y"]]
    return {**data, "order": packages_of(runs)}
