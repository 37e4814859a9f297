"""`chipweave schema`."""

from __future__ import annotations

from typing import Annotated

import typer

from chipweave import completion
from chipweave.output import STDOUT, check_writable, write_json

HELP = """Print the JSON Schema of a kind of file, for editors.

With it an editor completes the keys of a file, says what they mean, and marks mistakes. Without a
kind, the kinds are listed.

\b
Examples:
  chipweave schema network --out network.schema.json
  chipweave schema package

In a YAML file, an editor with a YAML language server takes the schema from the first line:

\b
  # yaml-language-server: $schema=network.schema.json
"""

Kind = Annotated[
    str | None,
    typer.Argument(
        metavar="KIND",
        help="What a file's key `kind` says.",
        show_default=False,
        autocompletion=completion.kind,
    ),
]
SchemaOut = Annotated[
    str, typer.Option("--out", metavar="FILE", help="Write it there instead.", show_default=False)
]


def schema(kind: Kind = None, out: SchemaOut = STDOUT) -> None:
    check_writable("--out", None if out == STDOUT else out)
    import chipweave as cw
    from chipweave.schemas import KINDS

    if kind is None:
        typer.echo("\n".join(KINDS))
        return
    write_json(out, cw.file_schema(kind))
