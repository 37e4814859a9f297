"""Whether an installation works: what is here, what runs, what is missing and how to get it."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from typing import Literal

from chipweave.versions import PACKAGES

State = Literal["good", "missing", "broken"]
"""Missing is what may be missing: an extra, or an engine."""

TIME_LIMIT = 30.0
"""Seconds for the tiny solve of an engine."""

FOR_DEVELOPERS = ("dev", "docs", "models")
"""Extras without which every command runs."""


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Attributes:
        part: what it belongs to: python, packages, machine, kernels, methods, engines, extras.
        name: of the thing.
        note: its version, or what is wrong, or how to get it.
    """

    part: str
    name: str
    state: State
    note: str


def diagnose() -> list[Finding]:
    """Look at everything that chipweave needs, and try each engine on a tiny instance.

    Nothing raises: what is broken is a finding. An engine that needs a licence takes one.
    """
    parts = (_python, _packages, _machine, _kernels, _methods, _engines, _extras)
    return [finding for part in parts for finding in part()]


def _python() -> Iterator[Finding]:
    yield Finding("python", platform.python_implementation(), "good", platform.python_version())


def _packages() -> Iterator[Finding]:
    """Those that chipweave requires and reports; an extra's package may be missing."""
    required = _names_of(None)
    for name in dict.fromkeys((*PACKAGES, *required)):
        found = _version(name)
        absent: State = "broken" if name in required or name == "chipweave" else "missing"
        state: State = "good" if found else absent
        yield Finding("packages", name, state, found or f"pip install {name}")


def _machine() -> Iterator[Finding]:
    yield Finding("machine", "system", "good", f"{platform.system()} {platform.machine()}")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("machine", "cores", "good", f"{usable} for this process")
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        yield Finding("machine", "memory", "good", f"{size / 2**30:.1f} GiB")


def _kernels() -> Iterator[Finding]:
    """Kernels that cannot be kept are compiled by every process anew, which takes half a minute."""
    try:
        from instances.jit import kernel_folder
    except ImportError as error:
        yield Finding("kernels", "cache", "broken", f"Numba cannot be imported: {error}")
        return
    folder = kernel_folder()
    if folder is None:
        note = "nowhere to keep compiled kernels: set NUMBA_CACHE_DIR to a folder of your own"
        yield Finding("kernels", "cache", "broken", note)
    else:
        yield Finding("kernels", "cache", "good", str(folder))


def _methods() -> Iterator[Finding]:
    yield _tried("methods", "exact", "exact", None)


def _engines() -> Iterator[Finding]:
    from solvers.engines import engines

    for info in engines():
        if info.version is None:
            yield Finding("engines", info.name, "missing", info.note)
        else:
            yield _tried("engines", info.name, info.method, info.name, f"{info.version}, ")


def _tried(part: str, name: str, method: str, engine: str | None, version: str = "") -> Finding:
    """What a method makes of a tiny instance, held against the listing of all its schedules."""
    try:
        from instances.generate import random_instance
        from solvers.solve import solve

        tiny = random_instance(0, layers=3, chiplets=3, options=2)
        right = solve(tiny, "enumerate").objective
        found = solve(tiny, method, engine=engine, time_limit=TIME_LIMIT, workers=1)
    except Exception as error:
        lines = str(error).splitlines()
        what = f"{type(error).__name__}: {lines[0] if lines else ''}"
        return Finding(part, name, "broken", f"{version}does not run: {what}")
    if found.objective != right or found.stop != "optimal":
        what = f"found {found.objective} ({found.stop}), the optimum is {right}"
        return Finding(part, name, "broken", f"{version}wrong: {what}")
    return Finding(
        part, name, "good", f"{version}proves a tiny instance in {found.runtime_s:.2f} s"
    )


def _extras() -> Iterator[Finding]:
    for extra in metadata("chipweave").get_all("Provides-Extra") or ():
        if extra in FOR_DEVELOPERS:
            continue
        lacking = [name for name in _names_of(extra) if _version(name) is None]
        if lacking:
            note = f"without {', '.join(lacking)}: pip install 'chipweave[{extra}]'"
            yield Finding("extras", extra, "missing", note)
        else:
            yield Finding("extras", extra, "good", ", ".join(_names_of(extra)))


def _names_of(extra: str | None) -> list[str]:
    """The packages that chipweave requires, with an extra or without any."""
    found = []
    for requirement in _requirements():
        needs, _, condition = requirement.partition(";")
        of = re.search(r"extra == ['\"]([\w-]+)['\"]", condition)
        name = re.match(r"[\w.-]+", needs)
        if name and (of[1] if of else None) == extra:
            found.append(name[0])
    return found


def _requirements() -> list[str]:
    try:
        return requires("chipweave") or []
    except PackageNotFoundError:
        return []


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
