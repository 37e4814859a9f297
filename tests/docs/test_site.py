"""The site: it builds without a warning, needs nothing from elsewhere, and has its pictures."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import chipweave as cw

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NEEDED = ("mkdocs", "material", "mkdocstrings", "latex2mathml")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does; a link that leads nowhere is an error."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        pytest.skip(f"the extra docs is not installed: {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_in_the_site_and_asks_for_nothing_elsewhere(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix(".html")
        made = site / (name.with_name("index.html") if name.stem == "README" else name)
        text = made.read_text("utf-8")
        fetched = re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(https?:[^"]*)"', text)
        assert fetched == [], page


def test_formulas_are_drawn_by_the_browser_itself(site: Path) -> None:
    text = (site / "problem.html").read_text("utf-8")
    assert text.count("<math ") > 100
    assert "arithmatex" not in text
    visible = re.sub(r"<(code|script|pre|style)\b.*?</\1>|<[^>]*>", "", text, flags=re.S)
    assert "$" not in visible
    assert "<mtext>entry</mtext>" in text


def test_the_reference_has_every_public_name_with_its_words(site: Path) -> None:
    text = (site / "reference.html").read_text("utf-8")
    for name in set(cw.__all__) - {"__version__"}:
        assert f'id="chipweave.{name}"' in text, name
    assert "Schedule an instance." in text


def test_every_public_name_is_in_the_reference() -> None:
    names = re.findall(r"^::: chipweave\.(\w+)$", (DOCS / "reference.md").read_text("utf-8"), re.M)
    assert sorted(names) == sorted(set(cw.__all__) - {"__version__"})


def test_the_pictures_are_those_that_the_script_draws(tmp_path: Path) -> None:
    run = [sys.executable, "docs/pictures.py", str(tmp_path)]
    subprocess.run(run, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    drawn = {path.name for path in tmp_path.iterdir()}
    assert drawn == {path.name for path in (DOCS / "pictures").iterdir()}
    page = (DOCS / "concepts.md").read_text("utf-8")
    assert drawn == set(re.findall(r"\]\(pictures/([\w.]+)\)", page))
    words = re.compile(r">([^<>]+)</text>")
    for name in ("layers.svg", "beat.svg"):
        shown, now = ((folder / name).read_text() for folder in (DOCS / "pictures", tmp_path))
        assert words.findall(shown) == words.findall(now), name
