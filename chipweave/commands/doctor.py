"""`chipweave doctor`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from chipweave.commands import options
from chipweave.commands.codes import BROKEN, FOUND
from chipweave.output import STDOUT, check_writable, write_json

HELP = """Check the installation: versions, engines, kernels, extras.

Each engine that is here proves a tiny instance. What is missing is no fault: engines and extras are
yours to choose.

Exit codes: 0 all that is here works; 1 something is broken.

\b
Examples:
  chipweave doctor
  chipweave doctor --json -
"""


def doctor(json: options.Json = None) -> None:
    check_writable("--json", json)
    import chipweave as cw

    found = cw.diagnose()
    broken = [finding for finding in found if finding.state == "broken"]
    if json is not None:
        write_json(json, [asdict(finding) for finding in found])
    if json != STDOUT:
        from chipweave.grid import Grid, console

        rows = [(own.part, own.name, own.state, own.note) for own in found]
        screen = console()
        Grid(("part", "name", "state", "note"), rows).show(screen)
        told = ", ".join(finding.name for finding in broken)
        screen.print(f"broken: {told}" if broken else "all that is here works", markup=False)
    raise typer.Exit(BROKEN if broken else FOUND)
