"""What each step of Scope's search is worth: its schedules without it, or with another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import geometric_mean
from typing import Any

from experiments.cases import Case, Watch
from experiments.gap import Study, Summary, stored_gaps
from experiments.store import Store

METHOD = "scope"
PACKAGES = ("simba-4x4", "simba-16x16", "datacentre-4x4")
BATCHES = (64,)

VARIANTS = (
    None,
    "segments=one",
    "clusters=single",
    "regions=even",
    "partitions=none",
    "partitions=WSP",
    "partitions=ISP",
    "partitions=any",
)
"""Steps of the search: first its own, then without one of them at a time; the last is wider."""


@dataclass(frozen=True)
class Variant:
    """Scope's search with other steps, beside the whole search.

    Attributes:
        summary: of the variant.
        whole: of the search with its own steps, on the same instances.
    """

    summary: Summary
    whole: Summary

    @property
    def ratios(self) -> list[float]:
        """Latency over that of the whole search, where both have a schedule."""
        pairs = zip(self.summary.gaps, self.whole.gaps, strict=True)
        return [
            own.objective / other.objective
            for own, other in pairs
            if own.objective and other.objective
        ]

    @property
    def ratio(self) -> float | None:
        """Geometric mean of the ratios; None if there are none."""
        return geometric_mean(self.ratios) if self.ratios else None

    def to_data(self) -> dict[str, Any]:
        """The variant as plain data."""
        return {**self.summary.to_data(), "compared": len(self.ratios), "ratio": self.ratio}


def ablation(
    chosen: Sequence[Case],
    store: Store,
    *,
    time_limit: float | None = 120.0,
    workers: int | None = None,
    watch: Watch | None = None,
) -> list[Variant]:
    """Run Scope's search in all VARIANTS; only what the store does not have is run.

    Args:
        time_limit: wall seconds for each proof of an optimum.
        workers: threads of a run.
        watch: called with the name of each run before it begins; returns its listener.

    Raises:
        ValueError: a store that cannot be used.
        RuntimeError: a schedule that costs less than the proved optimum.
    """
    study = Study(store, (METHOD,), time_limit, workers=workers, watch=watch)
    return _compared([replace(study, steps=steps).summaries(chosen)[0] for steps in VARIANTS])


def stored_ablation(chosen: Sequence[Case], store: Store) -> list[Variant]:
    """The same of what the store has, whatever its version: nothing is run.

    Raises:
        ValueError: a store that cannot be used.
        RuntimeError: a schedule that costs less than the proved optimum.
    """
    return _compared([stored_gaps(chosen, (METHOD,), store, steps=steps)[0] for steps in VARIANTS])


def _compared(summaries: Sequence[Summary]) -> list[Variant]:
    return [Variant(summary, summaries[0]) for summary in summaries]
