"""Hooks of MkDocs: what the site needs beyond the pages as they are on a code host.

Formulas become MathML when the site is built. Browsers draw MathML by themselves, so no script and
no font is fetched to read a page, and none has to be shipped with it.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

FENCES = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
DISPLAYED = re.compile(r"```math\n(.*?)```", re.DOTALL)
FORMULA = re.compile(
    r'<(span|div) class="arithmatex">(?:\\\((.*?)\\\)|\\\[(.*?)\\\])</\1>', re.DOTALL
)
UPRIGHT = re.compile(r'(?:<mi mathvariant="normal">[^<]</mi>){2,}')
"""A word in \\mathrm, which comes letter by letter."""


def on_config(config: Any) -> Any:
    """Add all pages of results to the navigation, in the order of their overview."""
    docs = Path(config["docs_dir"])
    for section in config["nav"]:
        for name, pages in section.items():
            if name == "Results":
                overview = (docs / "results" / "README.md").read_text("utf-8")
                names = dict.fromkeys(re.findall(r"\((\w+)\.md\)", overview))
                names.update(dict.fromkeys(sorted(p.stem for p in (docs / "results").glob("*.md"))))
                pages += [{own: f"results/{own}.md"} for own in names if own != "README"]
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page with the formulas that a code host writes with backquotes between dollar signs."""
    parts = FENCES.split(markdown)
    parts[::2] = [re.sub(r"\$`(.+?)`\$", r"$\1$", part, flags=re.DOTALL) for part in parts[::2]]
    parts[1::2] = [DISPLAYED.sub(r"$$\n\1$$", part) for part in parts[1::2]]
    return "".join(parts)


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
