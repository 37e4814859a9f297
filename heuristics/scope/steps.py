"""What each step of Scope's search may do, so that steps can be replaced and measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from heuristics.scope.sweep import Bools

Changes = Literal["none", "switch", "any"]
"""Which option may follow another inside a cluster: only itself; itself and the first one (one
switch from WSP to ISP); any."""


WORK = 2**17
"""Layers times what begins at each: more of it makes a deep network's search coarser."""

COARSEST = 16
"""What is left of resolution and fine for the deepest networks."""


@dataclass(frozen=True)
class Steps:
    """How wide the search looks.

    Attributes:
        resolution: step 1: up to this many layers, segments may begin and end anywhere (see
            `candidates`); 0 leaves one segment.
        longest: step 2: how many layers a cluster may merge; 1 is one layer a cluster.
        even: step 3: all clusters of a segment have equally many chiplets.
        changes: step 4.
        only: step 4: the name of the only option; None for all.
        ways: how many ways to run a cluster are kept for each option of its last layer.
        fine: region sizes that are told apart, as in `region_sizes`.
        percents: shares of their guesses with which segments are tried, one after the other.
        free, budget: so many layers in candidates may be priced, and so many more for each layer.
        precision: of a segment's beat: 1 / 2^precision.
        margin, slack: which stages are not looked at, in percent, as in `beat_limits`.
    """

    resolution: int = 128
    longest: int = 64
    even: bool = False
    changes: Changes = "switch"
    only: str | None = None
    ways: int = 4
    fine: int = 64
    percents: tuple[int, ...] = (103, 100, 98)
    free: int = 2**16
    budget: int = 10
    precision: int = 8
    margin: int = 50
    slack: int = 300

    def for_depth(self, layers: int) -> Steps:
        """These steps, or coarser ones for a deep network, so that time and memory are linear."""
        most = max(COARSEST, WORK // layers)
        return replace(self, resolution=min(self.resolution, most), fine=min(self.fine, most))

    def allowed(self, options: tuple[str, ...]) -> Bools:
        """[O,O] whether an option (row) may be followed by another (column).

        Raises:
            ValueError: the only option is not among the options.
        """
        same = np.eye(len(options), dtype=np.bool_)
        if self.only is not None:
            if self.only not in options:
                raise ValueError(f"option {self.only!r} is none of {', '.join(options)}")
            return same & (np.array(options) == self.only)
        if self.changes == "any":
            return np.ones_like(same)
        if self.changes == "switch":
            same[:, 0] = True
        return same

    @property
    def text(self) -> str:
        """The four steps in words, as `steps_of` reads them."""
        ways = {
            "segments": "any" if self.resolution else "one",
            "clusters": "merged" if self.longest > 1 else "single",
            "regions": "even" if self.even else "free",
            "partitions": self.only or self.changes,
        }
        return ",".join(f"{step}={way}" for step, way in ways.items())


SCOPE = Steps()
"""The search of method `scope`."""

WAYS: dict[str, dict[str, dict[str, Any]]] = {
    "segments": {"any": {}, "one": {"resolution": 0}},
    "clusters": {"merged": {}, "single": {"longest": 1}},
    "regions": {"free": {}, "even": {"even": True}},
    "partitions": {"switch": {}, "none": {"changes": "none"}, "any": {"changes": "any"}},
}
"""Step -> how it may be taken -> the fields that say so; the first way is that of `scope`."""

WIDE = Steps(
    free=2**21,
    budget=50,
    resolution=256,
    longest=192,
    changes="any",
    ways=8,
    fine=256,
    percents=(103, 100, 98, 96, 94, 92, 90),
    precision=12,
    margin=25,
    slack=150,
)
"""The second search of method `scope+`."""


def steps_of(text: str, options: tuple[str, ...]) -> Steps:
    """Steps in words: `segments=one,partitions=ISP`; one that is not named is as in `scope`.

    Args:
        options: of the instance; each may be the only one, as a way to take partitions.

    Raises:
        ValueError: a step that there is not or that is named twice, or a way that it does not have.
    """
    chosen: dict[str, str] = {}
    for part in text.split(","):
        step, _, way = (word.strip() for word in part.partition("="))
        if step not in WAYS:
            raise ValueError(f"steps: {step!r} is no step: expected {_known(options)}")
        if step in chosen:
            raise ValueError(f"steps: {step} is named twice")
        if way not in _ways(step, options):
            known = ", ".join(_ways(step, options))
            raise ValueError(f"steps: {step} cannot be {way!r}: expected one of {known}")
        chosen[step] = way
    steps = SCOPE
    for step, way in chosen.items():
        steps = replace(steps, **_ways(step, options)[way])
    return steps


def _ways(step: str, options: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    if step != "partitions":
        return WAYS[step]
    return {**{option: {"only": option} for option in options}, **WAYS[step]}


def _known(options: tuple[str, ...]) -> str:
    return ", ".join(f"{step}={'|'.join(_ways(step, options))}" for step in WAYS)
