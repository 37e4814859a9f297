"""Models in files: LP and MPS for MILP engines, protocol buffers for CP-SAT."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import uuid4

from formulations.modellers import Modeller

Format = Literal["lp", "mps", "cp"]
SUFFIXES: dict[Format, tuple[str, ...]] = {
    "lp": (".lp",),
    "mps": (".mps",),
    "cp": (".txt", ".pbtxt", ".textproto", ".pb"),
}
"""Format -> how its files end; a CP-SAT model ending in .pb is binary, the others are text."""

BINARY = ".pb"

LONGEST_NAME = 255
"""Characters of a name that every reader of LP files takes."""


class Built(Protocol):
    """A formulation of any problem, built.

    Attributes:
        modeller: has the native model, `modeller.model`.
    """

    modeller: Modeller


def format_of(path: str | Path, chosen: str | None = None) -> Format:
    """The format to write a model in: the one chosen, or what the path's ending says.

    Raises:
        ValueError: an unknown format, or an ending that is not the format's.
    """
    if chosen is not None and chosen not in SUFFIXES:
        raise ValueError(f"unknown format {chosen!r}: choose one of {', '.join(SUFFIXES)}")
    suffix = Path(path).suffix.lower()
    known = {name: ends for name, ends in SUFFIXES.items() if chosen in (None, name)}
    for name, ends in known.items():
        if suffix in ends:
            return name
    endings = ", ".join(end for ends in known.values() for end in ends)
    what = "a model" if chosen is None else f"a model in format {chosen}"
    raise ValueError(f"{path}: the file of {what} ends in {endings}, not {suffix or 'nothing'!r}")


def modeller_for(chosen: Format) -> Modeller:
    """A new modeller whose models can be written in the format."""
    if chosen == "cp":
        from formulations.modellers.cpsat import CpSatModeller

        return CpSatModeller()
    from formulations.modellers.milp import MilpModeller

    return MilpModeller()


def export(formulation: Built, path: str | Path, format: str | None = None) -> None:
    """Write a built model to a file, with all constraints that were added to it.

    A reader sees the old file or the new one, whole. LP files hold 12 digits of a number, MPS
    files 13; what is longer is rounded.

    Args:
        formulation: built with a `MilpModeller` for lp and mps, a `CpSatModeller` for cp.
        path: ends as SUFFIXES says.
        format: lp, mps or cp; by default what the ending says.

    Raises:
        ValueError: an unknown format or ending, or a model of the other kind.
        OSError: the file cannot be written.
    """
    chosen = format_of(path, format)
    model = formulation.modeller.model
    if (chosen == "cp") != hasattr(model, "export_to_file"):
        needed = type(modeller_for(chosen)).__name__
        raise ValueError(f"{path}: format {chosen} needs a model that was built with {needed}")
    target = Path(path).resolve()
    kind = BINARY if target.suffix.lower() == BINARY else ".txt"  # what CP-SAT goes by
    beside = target.with_name(f".{uuid4().hex}{kind}")
    try:
        _write(model, chosen, beside)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def size(formulation: Built) -> tuple[int, int]:
    """Variables and constraints of a built model."""
    model = formulation.modeller.model
    if hasattr(model, "export_to_file"):
        return len(model.proto.variables), len(model.proto.constraints)
    return len(model.variables()), len(model.constraints())


def _write(model: Any, chosen: Format, path: Path) -> None:
    path.touch(exist_ok=False)  # a folder that takes no files says so here
    if chosen == "cp":
        if not model.export_to_file(str(path)):
            raise OSError("the model could not be written: is there space on the disk?")
    elif chosen == "lp":
        _refuse_long_names(model)
        model.writeLP(str(path), max_length=LONGEST_NAME)
    else:
        model.writeMPS(str(path))


def _refuse_long_names(model: Any) -> None:
    for name in (
        *(variable.name for variable in model.variables()),
        *(row.name for row in model.constraints()),
    ):
        if len(name) > LONGEST_NAME:
            raise ValueError(
                f"the name {name[:20]}... has {len(name)} characters, readers of LP files take"
                f" {LONGEST_NAME}: shorten the layers' names, or write an mps file"
            )
