"""Groups of options: dataclasses whose fields are options, as parameters of a command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_type_hints


def flat(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with an option for each field of its parameters that are groups of options."""
    hints = get_type_hints(command, include_extras=True)
    plain: list[inspect.Parameter] = []
    groups: dict[str, type] = {}
    for parameter in inspect.signature(command).parameters.values():
        kind = hints[parameter.name]
        if isinstance(kind, type) and is_dataclass(kind):
            groups[parameter.name] = kind
            plain += _parameters(kind)
        else:
            plain.append(parameter.replace(annotation=kind, kind=parameter.KEYWORD_ONLY))

    def run(**given: Any) -> Any:
        packed = {
            name: kind(**{part.name: given.pop(part.name) for part in fields(kind)})
            for name, kind in groups.items()
        }
        return command(**packed, **given)

    flattened: Any = run
    flattened.__signature__ = inspect.Signature(plain)
    return flattened


def _parameters(kind: type) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            part.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_default(part),
            annotation=hints[part.name],
        )
        for part in fields(kind)
    ]


def _default(part: Field[Any]) -> Any:
    if part.default_factory is not MISSING:
        return part.default_factory()
    return inspect.Parameter.empty if part.default is MISSING else part.default


def given(group: Any, *but: str) -> list[str]:
    """The options of a group that are not as they are without, but for some fields."""
    return [
        f"--{part.name.replace('_', '-')}"
        for part in fields(group)
        if part.name not in but and getattr(group, part.name) != _default(part)
    ]
