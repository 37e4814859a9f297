"""What can be refused before any work is done."""

from __future__ import annotations

from pathlib import Path

from chipweave.output import STDOUT, check_writable


def check_method(method: str) -> None:
    """Refuse an unknown method, with the nearest names.

    Raises:
        ValueError: there is no such method.
    """
    from chipweave.inputs import suggestion
    from solvers.solve import METHODS

    if method not in METHODS:
        raise ValueError(
            f"unknown method {method!r}.{suggestion(method, METHODS)}"
            f" Choose one of {', '.join(METHODS)}"
        )


def check_outputs(
    *,
    json: str | None = None,
    markdown: str | None = None,
    plot: str | None = None,
    out: str | None = None,
) -> None:
    """Refuse files that could not be written at the end of a long run.

    Raises:
        ValueError: a folder is missing, a name has the wrong ending, or two things would go to
            standard output.
    """
    check_writable("--json", json)
    check_writable("--markdown", markdown)
    if json == markdown == STDOUT:
        raise ValueError("--json and --markdown cannot both go to standard output")
    check_writable("--plot", plot)
    check_writable("--out", out)
    if plot is not None:
        from schedules.draw import picture_format

        picture_format(plot)
    if out is not None:
        from instances.files.text import SUFFIXES

        if out == STDOUT or Path(out).suffix.lower() not in SUFFIXES:
            raise ValueError(f"--out {out}: a schedule's file ends in {', '.join(SUFFIXES)}")
