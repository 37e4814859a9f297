"""A hook of MkDocs: formulas become MathML when the site is built.

Browsers draw MathML by themselves, so no script and no font is fetched to read a page, and none
has to be shipped with it.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

FORMULA = re.compile(
    r'<(span|div) class="arithmatex">(?:\\\((.*?)\\\)|\\\[(.*?)\\\])</\1>', re.DOTALL
)
UPRIGHT = re.compile(r'(?:<mi mathvariant="normal">[^<]</mi>){2,}')
"""A word in \\mathrm, which comes letter by letter."""


def on_page_content(html: str, **_: Any) -> str:
    """The page with its formulas as MathML.

    Raises:
        ValueError: a formula that cannot be read.
    """
    return FORMULA.sub(_mathml, html)


def _mathml(found: re.Match[str]) -> str:
    from latex2mathml.converter import convert

    display = found[3] is not None
    text = unescape(found[3] if display else found[2])
    try:
        drawn = convert(text, display="block" if display else "inline")
    except Exception as error:
        raise ValueError(f"a formula cannot be read: {text}: {error!r}") from error
    return UPRIGHT.sub(lambda word: f"<mtext>{re.sub('<.*?>', '', word[0])}</mtext>", drawn)
