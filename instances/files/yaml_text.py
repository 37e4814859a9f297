"""YAML in and out, restricted to plain data.

Reading refuses whatever a hand-written instance does not need: tags, anchors and aliases (a few
lines of which can expand to gigabytes), several documents, duplicate keys, keys that are no text,
and words that YAML 1.1 reads as something else than a plain number (octal 010, 1:30, dates).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from instances.files.errors import FileError, quoted

MAX_DEPTH = 32
"""Lists and mappings inside one another."""

MAX_COLLECTIONS = 4_000_000
"""Lists and mappings in one file."""

MAX_KEYS = 500_000
"""Keys of all mappings in one file."""

MAX_DIGITS = 100
"""Characters of a number."""

# libyaml's parser, where PyYAML was built with it, is some ten times as fast.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER: Any = yaml.resolver.Resolver()
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*")
_NOT_FINITE = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}


class _RefusedError(Exception):
    """YAML that this reader does not take."""


@dataclass
class _Open:
    """A list or mapping that has begun and not ended; a mapping's keys and values alternate."""

    mapping: bool
    items: list[object] = field(default_factory=list)
    marks: list[Any] = field(default_factory=list)


class _Builder:
    """Makes plain data of a stream of YAML events without recursion.

    Attributes:
        documents: the documents so far.
        mark: line and column of the event at hand.
    """

    def __init__(self) -> None:
        self.documents: list[object] = []
        self.mark: Any = None
        self._open: list[_Open] = []
        self._collections = 0
        self._in_mappings = 0

    def take(self, event: Any) -> None:
        """Add one event to the data."""
        self.mark = event.start_mark
        if isinstance(event, yaml.NodeEvent):
            self._refuse_extras(event)
        if isinstance(event, yaml.ScalarEvent):
            self._put(_scalar(event), event.start_mark)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(isinstance(event, yaml.MappingStartEvent))
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = self._open.pop()
            self._put(self._mapping(ended) if ended.mapping else ended.items, event.start_mark)
        elif isinstance(event, yaml.DocumentStartEvent) and self.documents:
            raise _RefusedError("found a second YAML document, expected one")

    @staticmethod
    def _refuse_extras(event: Any) -> None:
        if event.anchor is not None:
            raise _RefusedError("YAML anchors and aliases are not allowed: write the value out")
        if getattr(event, "tag", None) is not None:
            raise _RefusedError(f"YAML tags are not allowed, found {quoted(event.tag)}")

    def _begin(self, mapping: bool) -> None:
        self._collections += 1
        if self._collections > MAX_COLLECTIONS:
            raise _RefusedError(f"more than {MAX_COLLECTIONS:,} lists and mappings")
        if len(self._open) == MAX_DEPTH:
            raise _RefusedError(f"lists and mappings nested more than {MAX_DEPTH} deep")
        self._open.append(_Open(mapping))

    def _put(self, value: object, mark: Any) -> None:
        if not self._open:
            self.documents.append(value)
            return
        self._open[-1].items.append(value)
        if self._open[-1].mapping:
            self._open[-1].marks.append(mark)
            self._in_mappings += 1
            if self._in_mappings > 2 * MAX_KEYS:
                raise _RefusedError(f"more than {MAX_KEYS:,} keys")

    def _mapping(self, ended: _Open) -> dict[str, object]:
        result: dict[str, object] = {}
        entries = zip(ended.items[::2], ended.items[1::2], ended.marks[::2], strict=True)
        for key, value, mark in entries:
            self.mark = mark
            if not isinstance(key, str):
                raise _RefusedError(f"a key is read as {key!r}, not as text: put it in quotes")
            if key in result:
                raise _RefusedError(f"key {quoted(key)} appears twice in one mapping")
            result[key] = value
        return result


def load_yaml(text: str, source: str) -> object:
    """The plain data of a YAML document; None if there is no document.

    Raises:
        FileError: not YAML, or YAML that is refused; names line and column.
    """
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except _RefusedError as error:
        raise _error(source, builder.mark, str(error)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _error(source, mark, f"not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise _error(source, None, f"not YAML: {error}") from None
    return builder.documents[0] if builder.documents else None


def _error(source: str, mark: Any, text: str) -> FileError:
    place = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
    return FileError(f"{source}: {place}{' '.join(text.split())}")


def _scalar(event: Any) -> object:
    """The value of a scalar: text if it is quoted, else what the word means."""
    text: str = event.value
    if not event.implicit[0]:
        return text
    if _INTEGER.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise _RefusedError(f"a number of {len(text)} digits")
        return int(text)
    return _word(text)


@lru_cache(maxsize=4096)
def _word(text: str) -> object:
    """The value of an unquoted word that is no integer."""
    if _NUMBER.fullmatch(text):
        return float(text)
    if text.lower() in _NOT_FINITE:
        return float(_NOT_FINITE[text.lower()])
    full_tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
    tag = full_tag.removeprefix("tag:yaml.org,2002:")
    if tag == "str":
        return text
    if tag == "bool":
        return text.lower() in ("yes", "true", "on")
    if tag == "null":
        return None
    raise _RefusedError(
        f"unquoted {quoted(text)} is not read: write a plain decimal number, or put a name in"
        " quotes"
    )


def dump_yaml(data: Mapping[str, object]) -> str:
    """Plain data as YAML: mappings in block style, lists of plain values on one line."""
    return "\n".join(_lines(data)) + "\n"


def _lines(value: Any) -> list[str]:
    lines: list[str] = []
    if isinstance(value, dict):
        for key, item in value.items():
            if _nested(item):
                lines += [f"{_flow(key)}:", *("  " + line for line in _lines(item))]
            else:
                lines.append(f"{_flow(key)}: {_flow(item)}")
    else:
        for item in value:
            first, *others = _lines(item) if _nested(item) else [_flow(item)]
            lines += ["- " + first, *("  " + line for line in others)]
    return lines


def _nested(value: object) -> bool:
    """Whether a value needs lines of its own."""
    if isinstance(value, dict):
        return bool(value)
    return isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value)


def _flow(value: object) -> str:
    """A plain value, an empty mapping or a list of plain values on one line."""
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        digits = repr(value)  # a YAML 1.1 reader takes 1e-05 for text
        return digits if "." in digits else digits.replace("e", ".0e")
    return "null" if value is None else str(value).lower()


@lru_cache(maxsize=4096)
def _text(value: str) -> str:
    """A text, in quotes unless every reader takes it for text without them."""
    if _PLAIN.fullmatch(value) and _word(value) == value:
        return value
    quotes = yaml.safe_dump(value, default_style='"', width=2**20, allow_unicode=True)
    return quotes.removesuffix("\n")
