"""What is wrong with a file: one line a problem."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isnan
from typing import NoReturn

MAX_PROBLEMS = 5
"""Problems that one message lists."""

SHOWN_CHARACTERS = 40
"""Characters of a found value that a message repeats."""

Place = tuple[str | int, ...]
"""Keys and list indices from the top of a file to a value."""


class FileError(ValueError):
    """A file cannot be read, used or written.

    The message has one line a problem: the file, the place in it, what was found there and what
    was expected.
    """


@dataclass
class Problems:
    """Collects what is wrong with one file.

    Attributes:
        source: the file's name, as the user gave it.
        data: the file's content, which knows the layers' names.
        lines: the problems so far.
    """

    source: str
    data: object = None
    lines: list[str] = field(default_factory=list)

    def add(self, place: Place, text: str) -> None:
        """Note a problem at a place."""
        where = show_place(place, self.data)
        self.lines.append(f"{where}: {text}" if where else text)

    def mismatch(self, place: Place, found: str, expected: str) -> None:
        """Note what stands at a place instead of what should."""
        self.add(place, f"found {found}, expected {expected}")

    def stop_if_any(self) -> None:
        """Raise what was collected.

        Raises:
            FileError: there was a problem.
        """
        if not self.lines:
            return
        shown = [f"{self.source}: {line}" for line in self.lines[:MAX_PROBLEMS]]
        more = len(self.lines) - len(shown)
        if more:
            shown.append(f"{self.source}: and {more} more problem{'s' if more > 1 else ''}")
        raise FileError("\n".join(shown))


def fail(source: str, text: str, place: Place = ()) -> NoReturn:
    """Raise one problem.

    Raises:
        FileError: always.
    """
    where = show_place(place, None)
    raise FileError(f"{source}: {where}: {text}" if where else f"{source}: {text}")


def show(value: object) -> str:
    """A value of a file in a few words, on one line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence):
        return f"a list of {counted(len(value))}"
    if isinstance(value, float) and isnan(value):
        return "NaN"
    return _cut(str(value))


def quoted(text: str) -> str:
    """A text in quotes, cut if long, control characters escaped."""
    return repr(_cut(text))


def counted(number: int) -> str:
    """'1 entry', '2 entries'."""
    return f"{number} {'entry' if number == 1 else 'entries'}"


def listed(names: Iterable[str]) -> str:
    """Names behind one another, the first dozen of them, on one line."""
    all_names = [name if name.isprintable() else quoted(name) for name in names]
    return ", ".join(all_names[:12]) + (", ..." if len(all_names) > 12 else "")


def closest(name: str, names: Iterable[str]) -> str:
    """' (did you mean 'x'?)' if one of the names is near, else nothing."""
    found = get_close_matches(name[:SHOWN_CHARACTERS], list(names), n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""


def show_place(place: Place, data: object) -> str:
    """A place as `layers[2].entry.ISP[1] (layer 'conv1')`."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if re.fullmatch(r"[\w-]{1,60}", part) else quoted(part)
            text += f".{key}" if text else key
    name = _layer_name(place, data)
    return f"{text} (layer {quoted(name)})" if name is not None else text


def _layer_name(place: Place, data: object) -> str | None:
    """The name of the layer that a place lies in."""
    for position, part in enumerate(place):
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
        if position and place[position - 1] == "layers" and isinstance(data, Mapping):
            name = data.get("name")
            return name if isinstance(name, str) and place[-1] != "name" else None
    return None


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."
