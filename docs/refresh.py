"""Make the measured tables of the documents anew: `python docs/refresh.py [README.md ...]`.

A table stands between `<!-- COMMAND -->` and `<!-- end -->`, where COMMAND is one of `chipweave`
without its first word. `compare` runs twice, because a first run compiles; the second counts.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (
    "README.md",
    "docs/formulations.md",
    "docs/problem.md",
    "docs/mesh.md",
    "docs/benchmarks.md",
    "docs/experiments.md",
)
TABLE = re.compile(
    r"<!-- ((?:compare|strength|pareto|rank|bench)\b.*?) -->.*?<!-- end -->", re.DOTALL
)


def refreshed(found: re.Match[str]) -> str:
    """The marker of a table with what its command prints now."""
    command = [sys.executable, "-m", "chipweave", *found[1].split(), "--markdown", "-"]
    for _ in range(2 if found[1].startswith("compare") else 1):
        table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return f"<!-- {found[1]} -->\n\n{table}\n<!-- end -->"


def main() -> None:
    """Refresh the documents that are named, or all."""
    for name in sys.argv[1:] or DOCUMENTS:
        path = ROOT / name
        path.write_text(TABLE.sub(refreshed, path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
