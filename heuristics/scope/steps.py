"""What each step of Scope's search may do, so that steps can be replaced and measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

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
        budget: how many candidates over each layer may be priced, beyond some that always may.
        precision: of a segment's beat: 1 / 2^precision.
        margin, slack: stages that are not looked at, as in `beat_limits`.
    """

    resolution: int = 128
    longest: int = 64
    even: bool = False
    changes: Changes = "switch"
    only: str | None = None
    ways: int = 4
    fine: int = 64
    percents: tuple[int, ...] = (103, 100, 98)
    budget: int = 16
    precision: int = 8
    margin: int = 50
    slack: int = 3

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


SCOPE = Steps()
"""The search of method `scope`."""

WIDE = Steps(
    budget=2000,
    resolution=256,
    longest=192,
    changes="any",
    ways=8,
    fine=256,
    percents=(103, 100, 98, 96, 94, 92, 88, 80, 60, 30, 1),
    precision=12,
    margin=100,
    slack=4,
)
"""The second search of method `scope+`."""
