"""The command `chipweave`: parses, calls what `import chipweave` offers, prints.

Nothing heavy is imported here: each command imports what it needs when it runs.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from chipweave.commands import (
    bench,
    calibrate,
    catalogue,
    compare,
    costs,
    doctor,
    experiment,
    export,
    joint,
    order,
    pareto,
    place,
    rank,
    schema,
    simulate,
    solve,
    strength,
    verify,
)
from chipweave.help import FILES, JUDGE, LOOK, MEASURE, PLACE, SCHEDULE, GroupedHelp
from chipweave.output import visible

BAD_INPUT, NOTHING_FOUND = 2, 4
INTERRUPTED = 130
"""What typer makes of Ctrl-C outside a run."""

LONGEST_LINE = 3000
"""Characters of an error; a file's names may have any number."""

app = typer.Typer(
    cls=GroupedHelp,
    help="Map neural networks onto packages of chiplets: find schedules, and prove them best.",
    epilog="`chipweave COMMAND --help` shows options and examples."
    " `chipweave --install-completion` lets the shell complete names.",
    rich_markup_mode=None,  # plain help: rich would double the time to start
    pretty_exceptions_enable=False,
)


def _add(name: str, command: Callable[..., object], about: str, panel: str) -> None:
    app.command(name, help=about, rich_help_panel=panel)(command)


_add("solve", solve.solve, solve.HELP, SCHEDULE)
_add("compare", compare.compare, compare.HELP, SCHEDULE)
_add("pareto", pareto.pareto, pareto.HELP, SCHEDULE)
_add("joint", joint.joint, joint.HELP, SCHEDULE)
_add("order", order.order, order.HELP, SCHEDULE)
_add("verify", verify.verify, verify.HELP, JUDGE)
_add("rank", rank.rank, rank.HELP, JUDGE)
_add("strength", strength.strength, strength.HELP, JUDGE)
_add("place", place.place, place.HELP, PLACE)
_add("simulate", simulate.simulate, simulate.HELP, PLACE)
app.add_typer(bench.app, name="bench", rich_help_panel=MEASURE)
app.add_typer(experiment.app, name="experiment", rich_help_panel=MEASURE)
_add("networks", catalogue.networks, catalogue.NETWORKS_HELP, LOOK)
_add("packages", catalogue.packages, catalogue.PACKAGES_HELP, LOOK)
_add("methods", catalogue.methods, catalogue.METHODS_HELP, LOOK)
_add("engines", catalogue.engines, catalogue.ENGINES_HELP, LOOK)
_add("show", catalogue.show, catalogue.SHOW_HELP, LOOK)
_add("doctor", doctor.doctor, doctor.HELP, LOOK)
_add("costs", costs.costs, costs.HELP, FILES)
_add("calibrate", calibrate.calibrate, calibrate.HELP, FILES)
_add("export", export.export, export.HELP, FILES)
_add("schema", schema.schema, schema.HELP, FILES)


def _print_version(wanted: bool) -> None:
    if wanted:
        import chipweave

        typer.echo(f"chipweave {chipweave.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(BAD_INPUT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code. No traceback for anything a user can cause."""
    _ready_streams()
    try:
        code = app(args=arguments, prog_name="chipweave", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        path = "chipweave" if context is None else context.command_path
        return _fail(f"{error.format_message()} (see {path} --help)", BAD_INPUT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError, ImportError, OverflowError) as error:
        return _fail(_told(error), BAD_INPUT)
    except MemoryError:
        return _fail("out of memory", NOTHING_FOUND)
    except RuntimeError as error:
        return _fail(f"a defect of chipweave, please report it: {error}", NOTHING_FOUND)
    if code == INTERRUPTED:
        return _fail("interrupted before there was a schedule", NOTHING_FOUND)
    return int(code or 0)


def _ready_streams() -> None:
    """Make the standard streams take whatever is printed."""
    if sys.stdout is None or sys.stderr is None:  # the caller has closed it
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the process ends
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without dashes and dots still works


def _told(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, OverflowError):
        return f"a number is too large for 64-bit integers ({error}): lower the batch or the costs"
    return str(error)


def _fail(message: str, code: int) -> int:
    for line in message.splitlines():
        shown = line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}..."
        print(f"error: {visible(shown)}", file=sys.stderr)
    return code
