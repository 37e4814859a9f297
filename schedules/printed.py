"""Figures as files, in which names stand as they are, whatever is in them."""

from __future__ import annotations

import io
import re
import warnings
from typing import Literal

import matplotlib
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

SALT = "chipweave"
"""Of matplotlib's names: the same figure gives the same SVG, byte for byte."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What XML does not take, and no font has."""


def printed(
    figure: Figure, kind: Literal["png", "svg"] = "svg", dpi: float | Literal["figure"] = "figure"
) -> bytes:
    """A figure as a file's content; its texts become plain ones."""
    _make_plain(figure)
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": SALT}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # it draws a box
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
    if kind == "png":
        return buffer.getvalue()
    return _UNPRINTABLE.sub("\ufffd", buffer.getvalue().decode()).encode()


def _make_plain(figure: Figure) -> None:
    """Let matplotlib look for no formulas between dollar signs, but in numbers at axes."""
    numbers: set[int] = set()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            labels = axis.get_ticklabels(which="both")  # makes them, where they are not there yet
            if not isinstance(axis.get_major_locator(), FixedLocator):
                numbers.update(map(id, labels))
    for text in figure.findobj(Text):
        if isinstance(text, Text) and id(text) not in numbers:
            text.set_parse_math(False)
            text.set_text(_UNPRINTABLE.sub("\ufffd", text.get_text()))
