"""What can be refused before any work is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from chipweave.commands.codes import BROKEN
from chipweave.output import STDOUT, check_writable, real_path, visible

if TYPE_CHECKING:
    from instances.instance import Instance
    from schedules.schedule import Schedule


def check_method(
    method: str,
    methods: Mapping[str, object] | None = None,
    where: str = "",
    what: str | None = None,
) -> None:
    """Refuse an unknown method, with the nearest names.

    Args:
        method: its name.
        methods: by name; by default those for one network on a package.
        where: what they are for, in the message.
        what: is to be scheduled; named where the method is one for several models.

    Raises:
        ValueError: there is no such method.
    """
    from chipweave.inputs import suggestion
    from solvers.solve import METHODS

    known = METHODS if methods is None else methods
    if what is not None and method not in known:
        from solvers.multi_model import WINDOW_METHODS

        if method in WINDOW_METHODS:
            raise ValueError(
                f"{what}: is no workload file (kind: workload), and method {method!r} is for"
                " several models only"
            )
    if method not in known:
        raise ValueError(
            f"unknown method {method!r}{where}.{suggestion(method, known)}"
            f" Choose one of {', '.join(known)}"
        )


def check_outputs(
    *,
    json: str | None = None,
    markdown: str | None = None,
    plot: str | None = None,
    out: str | None = None,
    log: str | None = None,
    trace: str | None = None,
    losses: str | None = None,
    inputs: Iterable[str | None] = (),
) -> None:
    """Refuse files that could not be written at the end of a long run, or would be lost.

    Args:
        json, markdown, plot, out, log, trace, losses: what to write; `losses` is the --out of a
            command that writes no schedule.
        inputs: what is read, and must not be overwritten.

    Raises:
        ValueError: a folder is missing, a name has the wrong ending, two things would go to one
            place, or a file that is read would be overwritten.
    """
    _refuse_one_place_for_two(
        {
            "--json": json,
            "--markdown": markdown,
            "--plot": plot,
            "--out": out if losses is None else losses,
            "--log": log,
            "--trace": trace,
        },
        {real_path(name) for name in inputs if name is not None},
    )
    check_writable("--json", json)
    check_writable("--markdown", markdown)
    if json == markdown == STDOUT:
        raise ValueError("--json and --markdown cannot both go to standard output")
    check_writable("--plot", plot)
    check_writable("--out", out)
    check_writable("--out", losses)
    if json == losses == STDOUT:
        raise ValueError("--json and --out cannot both go to standard output")
    check_writable("--log", log)
    check_writable("--trace", trace)
    if log == STDOUT:
        raise ValueError("--log -: a log goes into a file, standard output is for the result")
    if trace == STDOUT:
        raise ValueError("--trace -: a trace goes into a file, standard output is for the result")
    if plot is not None:
        from schedules.draw import picture_format

        try:
            picture_format(plot)
        except ValueError as error:
            raise ValueError(f"--plot {error}") from None
    if out is not None:
        from instances.files.text import SUFFIXES

        if out == STDOUT or Path(out).suffix.lower() not in SUFFIXES:
            raise ValueError(f"--out {out}: a schedule's file ends in {', '.join(SUFFIXES)}")


def check_schedule(instance: Instance, schedule: Schedule, what: str) -> None:
    """End the command where a schedule breaks a constraint, with a line for each.

    Args:
        what: is to be done with it, as the beginning of a sentence.

    Raises:
        typer.Exit: it does.
        ValueError: it compresses tensors, of which `what` knows nothing.
    """
    from schedules.compressed import refuse_compressed
    from schedules.verify import violations

    refuse_compressed(schedule, what)
    wrong = violations(instance, schedule)
    for sentence in wrong:
        typer.echo(visible(sentence), err=True)
    if wrong:
        raise typer.Exit(BROKEN)


def _refuse_one_place_for_two(outputs: dict[str, str | None], inputs: set[Path]) -> None:
    taken: dict[Path, str] = {}
    for option, name in outputs.items():
        if not name or name == STDOUT:
            continue
        place = real_path(name)
        if place in taken:
            raise ValueError(f"{taken[place]} and {option} both name {name}: give each its file")
        if place in inputs and place.is_file():
            raise ValueError(f"{option} {name}: would overwrite what is read; name another file")
        taken[place] = option
