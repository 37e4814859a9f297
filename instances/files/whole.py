"""Files that are written whole, or not at all."""

from __future__ import annotations

import os
from os.path import realpath
from pathlib import Path
from uuid import uuid4


def write_whole(path: str | Path, content: bytes) -> None:
    """Write a file; a reader sees the old one or the new one, whole.

    A device or a pipe stays what it is, and takes the content.

    Raises:
        OSError: the file system refuses.
    """
    given = Path(path)
    if given.exists() and not given.is_file():
        given.write_bytes(content)
        return
    target = Path(realpath(given))  # through a symbolic link, so that the link stays one
    beside = target.with_name(f".{uuid4().hex}.tmp")
    try:
        with beside.open("xb") as handle:
            handle.write(content)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)
