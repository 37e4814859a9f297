"""The built-in arrays: one file of constants with their sources, any number of columns and rows."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from importlib.resources import files
from math import isqrt

from instances.array import Array
from instances.files.array_file import array_from_data
from instances.files.errors import Problems
from instances.files.text import parse_data

MAX_SIDE = 256
"""Columns and rows of an array."""

FORM = "COLUMNSxROWS or COLUMNSxROWS+LENGTH"
"""Of names: an array, and one with express links of that length."""

_NAME = re.compile(r"([0-9]{1,6})x([0-9]{1,6})(?:\+([0-9]{1,6}))?")


def is_array_name(name: object) -> bool:
    """Whether `load_array` knows an array of this name, if its sizes are right."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


@cache
def load_array(name: str) -> Array:
    """An array by name: 32x32, or 32x32+4 with express links of length 4.

    As many layers may be pipelined as the root of the number of PEs *(ours)*.

    Raises:
        ValueError: a name of another form, or sizes out of range.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"there is no array {name!r}: expected {FORM}, such as 32x32 or 32x32+4")
    columns, rows, express = (int(part or 0) for part in found.groups())
    if not (1 <= columns <= MAX_SIDE and 1 <= rows <= MAX_SIDE):
        raise ValueError(f"array {name}: expected 1 to {MAX_SIDE} columns and rows")
    depth = isqrt(columns * rows)
    return replace(_base(), name=name, mesh=(columns, rows), express=express, depth=depth)


@cache
def _base() -> Array:
    source = "base.yaml"
    data = parse_data(files(__name__).joinpath(source).read_text("utf-8"), ".yaml", source)
    return array_from_data(data, Problems(source, data), default_name="base")
