"""One mutant through the command line: what came of it, and whether that may be."""

from __future__ import annotations

import io
import re
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Literal

from chipweave import cli

Verdict = Literal["used", "refused", "failed"]

MOST_SECONDS = 5.0
"""Of the processor, for one command: the wall clock runs on while others use the machine."""

MOST_LINES = 8
"""Lines of an error: five problems, how many more there are, and what stands around them."""

LONGEST_LINE = 4000

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What can steer a terminal, but for tabs and line ends."""


@dataclass(frozen=True)
class Trial:
    """What came of a command.

    Attributes:
        verdict: the file was used, it was refused in plain words, or the command failed.
        why: what is wrong about the command; empty if nothing is.
        seconds: of the processor.
    """

    verdict: Verdict
    why: str
    seconds: float


def attempt(words: list[str], its: Sequence[str]) -> Trial:
    """Run a command in this process.

    Args:
        words: after 'chipweave'.
        its: files, of which a refusal must name one.
    """
    start = time.process_time()
    with _captured() as (out, err), warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # NumPy's, where numbers overflow
        try:
            code = cli.main(words)
        except Exception:
            return Trial("failed", traceback.format_exc(), time.process_time() - start)
    why = judge(code, out.getvalue(), err.getvalue(), its)
    verdict: Verdict = "failed" if why else "refused" if code == 2 else "used"
    return Trial(verdict, why, time.process_time() - start)


def hurry() -> None:
    """Build the tree of commands once for all trials of this process, not for each."""
    from typer.main import get_command

    cli.app = get_command(cli.app)  # type: ignore[assignment]


def judge(code: int, out: str, err: str, its: Sequence[str]) -> str:
    """What is wrong with the end of a command; empty if nothing is.

    Args:
        code: its exit code.
        out, err: what it printed.
        its: files, of which a refusal must name one.
    """
    if "Traceback" in err or "a defect of chipweave" in err or "out of memory" in err:
        return f"exit code {code}: {err}"
    if found := CONTROL.search(err) or CONTROL.search(out):
        return f"prints the control character {found[0]!r}: {(err or out)[:500]!r}"
    if code == 2:
        return _wrong_refusal(err, its)
    return "" if code in (0, 1, 3, 4) else f"exit code {code}: {err}"


def _wrong_refusal(err: str, its: Sequence[str]) -> str:
    lines = err.splitlines()
    if not 1 <= len(lines) <= MOST_LINES:
        return f"a refusal of {len(lines)} lines: {err[:2000]}"
    for line in lines:
        if not line.startswith("error: "):
            return f"a line that is no error: {line}"
        if its and len(line) > LONGEST_LINE:
            return f"a line of {len(line)} characters: {line[:200]}"
    named = not its or any(own in err for own in its)
    return "" if named else f"an error that names none of {', '.join(its)}: {err}"


@contextmanager
def _captured() -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """Standard output and standard error, in memory."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        yield out, err
