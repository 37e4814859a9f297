"""Figures as files, in which names stand as they are, whatever is in them."""

from __future__ import annotations

import io
import re
import warnings
from typing import Literal

import matplotlib
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter

SALT = "chipweave"
"""Of matplotlib's names: the same figure gives the same SVG, byte for byte."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What XML does not take, and no font has."""


def printed(
    figure: Figure, kind: Literal["png", "svg"] = "svg", dpi: float | Literal["figure"] = "figure"
) -> bytes:
    """A figure as a file's content; changes its texts where they would be read as formulas."""
    for text in figure.findobj(Text):
        text.set_text(_plain(text.get_text()))
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, FixedFormatter):
                formatter.seq = [_plain(label) for label in formatter.seq]
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": SALT}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # it draws a box
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
    return buffer.getvalue()


def _plain(text: str) -> str:
    """A text that matplotlib takes literally: between dollar signs it looks for formulas."""
    return _UNPRINTABLE.sub("\ufffd", text).replace("$", r"\$")
