"""The help of the command itself: examples first, then the commands by what they are for."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

EXAMPLES = (
    ("chipweave solve resnet18", "the best schedule, proved"),
    ("chipweave solve resnet18 --plot plot.png", "the same, drawn"),
    ("chipweave compare resnet18 --methods scope,exact", "how far scope is from it"),
    ("chipweave show resnet18", "the layers of a network"),
    ("chipweave doctor", "does everything work here?"),
)

SCHEDULE, JUDGE, PLACE, MEASURE, LOOK, FILES = (
    "Find a schedule",
    "Judge a schedule, or the methods",
    "Look at the mesh",
    "Run many",
    "What there is to work with",
    "Files and models for other programs",
)
"""Panels, in their order."""


class GroupedHelp(TyperGroup):
    """A group whose help shows its commands in panels; plain text, as rich takes 0.2 s to start."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write examples and commands, and the options after them."""
        with formatter.section("Examples"):
            formatter.write_dl(EXAMPLES, col_max=50)
        self.format_commands(ctx, formatter)
        TyperCommand.format_options(self, ctx, formatter)  # type: ignore[arg-type]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section a panel."""
        panels: dict[str, list[tuple[str, str]]] = {}
        width = max(map(len, self.commands))
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            about = command.get_short_help_str(formatter.width - width - 6)
            panels.setdefault(command.rich_help_panel, []).append((f"{name:{width}}", about))
        for panel in (SCHEDULE, JUDGE, PLACE, MEASURE, LOOK, FILES):
            with formatter.section(panel):
                formatter.write_dl(panels.pop(panel))
