"""Every block of code in the documentation runs, page by page, and prints what the page shows.

A block whose first line is the name of a file is written, not run. A page's Python blocks run in
one namespace, one after the other; its commands run in this process, other lines in a shell. Before
a block that is not run stands a comment `<!-- not run: why, and what checks it instead -->`.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chipweave.cli import main

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
RESULTS = ROOT / "docs" / "results"
"""Pages of measurements, made by the commands at their tops, of which some take an hour."""

PAGES = [
    README,
    *(path for path in sorted((ROOT / "docs").rglob("*.md")) if RESULTS not in path.parents),
]
"""All that explain something."""

NOT_RUN = re.compile(r"<!-- not run: ([^>]+) -->\n+\Z")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w-]+\.(?:yaml|py|csv))\n")
NAMED = re.compile(r"<!-- file: ([\w-]+\.json) -->\n+\Z")
"""Before a block of JSON, which has no comments."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: from the root of the repository.
        shown: the text block right behind this one, what it prints; None if there is none.
        not_run: why the checks do not run it; empty where they do.
        file: the name of the file that this is; None if it is none.
    """

    page: str
    line: int
    language: str
    text: str
    shown: str | None
    not_run: str
    file: str | None


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    text = page.read_text("utf-8")
    found = list(FENCE.finditer(text))
    made = []
    for place, fence in enumerate(found):
        after = found[place + 1] if place + 1 < len(found) else None
        between = "" if after is None else text[fence.end() : after.start()]
        behind = after is not None and after[1] == "text" and not between.strip()
        shown = after[2] if after is not None and behind else None
        why = NOT_RUN.search(text[: fence.start()])
        named = NAMED.search(text[: fence.start()]) or FILE.match(fence[2])
        made.append(
            Block(
                page.relative_to(ROOT).as_posix(),
                text.count("\n", 0, fence.start()) + 1,
                fence[1],
                fence[2],
                shown,
                " ".join(why[1].split()) if why else "",
                named[1] if named else None,
            )
        )
    return made


MOST_NOT_RUN = 15
"""Blocks of all pages that may be left out."""

LEFT_OUT = "…"
"""A line of shown output that stands for any lines."""

pytestmark = pytest.mark.filterwarnings("ignore")


def place(block: Block) -> str:
    return f"{block.page}:{block.line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_code_of_a_page_runs_and_prints_what_it_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = page.read_text("utf-8")
    if "import torch" in text:
        pytest.importorskip("torch", reason="torch is not installed")
    if "from_onnx(" in text:
        write_model(tmp_path / "model.onnx")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.file is not None:
            Path(block.file).write_text(block.text, "utf-8")
    for block in blocks(page):
        if block.not_run or block.file is not None:
            continue
        if block.language == "python":
            printed = run_python(block, names)
            assert printed == (block.shown or ""), place(block)
        elif block.language == "sh":
            printed = "".join(run_line(block, line) for line in lines(block))
            assert holds(printed, block.shown or ""), f"{place(block)}\n{printed}"
    forget(tmp_path)


def write_model(path: Path) -> None:
    """A model that reads tokens, of a batch and a length that its file leaves open."""
    onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
    make, kinds = onnx.helper, onnx.TensorProto
    rows = make.make_tensor("rows", kinds.FLOAT, [100, 8], [0.0] * 800)
    mix = make.make_tensor("mix", kinds.FLOAT, [8, 8], [0.0] * 64)
    nodes = [
        make.make_node("Gather", ["rows", "tokens"], ["words"]),
        make.make_node("MatMul", ["words", "mix"], ["y"]),
    ]
    tokens = make.make_tensor_value_info("tokens", kinds.INT64, ["batch", "length"])
    y = make.make_tensor_value_info("y", kinds.FLOAT, ["batch", "length", 8])
    graph = make.make_graph(nodes, "tokens", [tokens], [y], [rows, mix])
    opset = make.make_opsetid("", 17)
    onnx.save(make.make_model(graph, opset_imports=[opset], ir_version=8), path)


def run_python(block: Block, names: dict[str, Any]) -> str:
    """What a block prints. What starts processes is a file of its own, which they import."""
    if "if __name__" in block.text:
        script = Path(f"block{block.line}.py")
        script.write_text(block.text, "utf-8")
        done = subprocess.run(
            [sys.executable, "-W", "ignore", str(script)],
            capture_output=True,
            text=True,
            env=environment(),
        )
        assert done.returncode == 0, f"{place(block)}\n{done.stderr}"
        return done.stdout
    printed = io.StringIO()
    code = compile("\n" * block.line + block.text, block.page, "exec")
    with redirect_stdout(printed):
        exec(code, names)
    return printed.getvalue()


def run_line(block: Block, line: str) -> str:
    """What a command prints. Exit code 3 is right where the page shows why there is no schedule."""
    if not line.startswith("chipweave "):
        done = subprocess.run(
            ["bash", "-ec", line], capture_output=True, text=True, env=environment()
        )
        assert done.returncode == 0, f"{place(block)}: {line}\n{done.stderr}"
        return done.stdout
    printed, told = io.StringIO(), io.StringIO()
    with redirect_stdout(printed), redirect_stderr(told):
        code = main(shlex.split(line, comments=True)[1:])
    none = (block.shown or "").startswith("no schedule exists")
    assert code == (3 if none else 0), f"{place(block)}: {line}\n{told.getvalue()}"
    return printed.getvalue()


def lines(block: Block) -> list[str]:
    joined = block.text.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line and not line.startswith("#")]


def holds(printed: str, shown: str) -> bool:
    """Whether the shown lines were printed, in this order; blanks at the ends do not count."""
    left = iter(line.strip() for line in printed.splitlines())
    wanted = [line.strip() for line in shown.splitlines() if line.strip() != LEFT_OUT]
    return all(line in left for line in wanted if line)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def forget(folder: Path) -> None:
    """Unload the modules that a page has made: the next one may use the same names."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]
    import chipweave as cw

    for name, method in list(cw.METHODS.items()):
        if (
            not (ROOT / (method.place.split(":")[0].replace(".", "/") + ".py")).exists()
            and not (ROOT / method.place.split(":")[0].replace(".", "/")).is_dir()
        ):
            del cw.METHODS[name]


def test_few_blocks_are_left_out_and_each_says_what_checks_it() -> None:
    left_out = [block for page in PAGES for block in blocks(page) if block.not_run]
    assert len(left_out) <= MOST_NOT_RUN
    for block in left_out:
        assert len(block.not_run.split()) > 5, place(block)


def test_what_a_block_shows_is_not_lost() -> None:
    """Each text block follows the block that prints it, unless it says another source."""
    shown = [block.shown for page in PAGES for block in blocks(page) if block.shown is not None]
    assert len(shown) >= 20


def test_shown_output_is_compared() -> None:
    assert holds("a\n b \nc\n", "b\nc\n")
    assert holds("a\nb\nc\n", "a\n…\nc\n")
    assert not holds("a\nb\n", "b\na\n")
    assert not holds("a\nb\n", "d\n")
