"""How the commands end: their exit codes."""

from __future__ import annotations

FOUND, BROKEN, BAD_INPUT, INFEASIBLE, NOTHING_FOUND = range(5)


def exit_code(found: bool, stop: str) -> int:
    """The code of a search: FOUND, or INFEASIBLE if that is proved, or NOTHING_FOUND."""
    if found:
        return FOUND
    return INFEASIBLE if stop == "infeasible" else NOTHING_FOUND
