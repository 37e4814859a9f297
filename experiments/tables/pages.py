"""The page of each ready-made experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from experiments.definition import Experiment
from experiments.store import Store
from experiments.tables.batch import batch
from experiments.tables.comparison import comparison
from experiments.tables.llm import llm
from experiments.tables.parts import Page, Part
from experiments.tables.runs import Runs, stored_runs
from experiments.tables.segments import segments
from experiments.tables.sensitivity import sensitivity
from experiments.tables.size import size
from experiments.tables.steps import steps
from schedules.schedule import counted


@dataclass(frozen=True)
class Recipe:
    """How a page is made.

    Attributes:
        title: its first line.
        make: its parts, of the runs.
    """

    title: str
    make: Callable[[Runs], list[Part]]


PAGES: Mapping[str, Recipe] = MappingProxyType(
    {
        "comparison": Recipe("Merged and segmented pipelines on 16 to 256 chiplets", comparison),
        "segments": Recipe("Segments against clusters: beat, bubbles and DRAM traffic", segments),
        "size": Recipe("Gap and run time against size", size),
        "sensitivity": Recipe("What bandwidths and buffers change", sensitivity),
        "batch": Recipe("What the batch changes", batch),
        "steps": Recipe("What each step of Scope's search is worth", steps),
        "llm": Recipe("Large language models: prefill and decode of GPT-2 XL", llm),
    }
)
"""Experiment's name -> its page."""


def page_of(experiment: Experiment, store: Store) -> Page:
    """The results of an experiment, of what the store has; nothing is run.

    Raises:
        ValueError: there is no page for an experiment of this name.
        StoreError: the store cannot be read.
    """
    recipe = PAGES.get(experiment.name)
    if recipe is None:
        raise ValueError(
            f"{experiment.name}: no page of results is made of an experiment of this name,"
            f" expected one of {', '.join(PAGES)}; `chipweave experiment report` shows any store"
        )
    runs = stored_runs(experiment, store)
    parts: list[Part] = [*_state(runs), *recipe.make(runs)]
    return Page(experiment.name, recipe.title, parts)


def _state(runs: Runs) -> list[Part]:
    """How complete the results are, and what they took."""
    told = counted(len(runs.all), "run")
    parts: list[Part] = [f"{told}; the run times add up to {runs.seconds:,.0f} s."]
    if runs.missing:
        parts.append(f"**{runs.missing:,} of the runs are missing.**")
    if runs.failed:
        first = runs.failed[0]
        error = first.record.error if first.record else ""
        parts.append(
            f"{counted(len(runs.failed), 'run')} ended with an error. The first: {first.label} on"
            f" {first.case}: {error}."
        )
    return parts
