"""The command `chipweave`: parses, calls what `import chipweave` offers, prints.

Nothing heavy is imported here: each command imports what it needs when it runs.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from chipweave.commands import (
    bench,
    calibrate,
    catalogue,
    compare,
    costs,
    experiment,
    export,
    joint,
    order,
    pareto,
    place,
    rank,
    simulate,
    solve,
    strength,
    verify,
)

BAD_INPUT, NOTHING_FOUND = 2, 4
INTERRUPTED = 130
"""What typer makes of Ctrl-C outside a run."""

app = typer.Typer(
    help="Map neural networks onto multi-chiplet accelerators.",
    epilog="`chipweave COMMAND --help` shows options and examples.",
    rich_markup_mode=None,  # plain help: rich would cost a third of the start-up
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("solve", help=solve.HELP)(solve.solve)
app.command("compare", help=compare.HELP)(compare.compare)
app.command("pareto", help=pareto.HELP)(pareto.pareto)
app.command("rank", help=rank.HELP)(rank.rank)
app.command("joint", help=joint.HELP)(joint.joint)
app.command("order", help=order.HELP)(order.order)
app.command("verify", help=verify.HELP)(verify.verify)
app.command("place", help=place.HELP)(place.place)
app.command("simulate", help=simulate.HELP)(simulate.simulate)
app.command("calibrate", help=calibrate.HELP)(calibrate.calibrate)
app.command("costs", help=costs.HELP)(costs.costs)
app.command("export", help=export.HELP)(export.export)
app.command("strength", help=strength.HELP)(strength.strength)
app.add_typer(bench.app, name="bench")
app.add_typer(experiment.app, name="experiment")
app.command("networks", help=catalogue.NETWORKS_HELP)(catalogue.networks)
app.command("packages", help=catalogue.PACKAGES_HELP)(catalogue.packages)
app.command("methods", help=catalogue.METHODS_HELP)(catalogue.methods)
app.command("engines", help=catalogue.ENGINES_HELP)(catalogue.engines)
app.command("show", help=catalogue.SHOW_HELP)(catalogue.show)


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
        print(f"error: {line}", file=sys.stderr)
    return code
