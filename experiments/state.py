"""How much of an experiment a store has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from experiments.definition import Experiment
from experiments.store import Record, Store, Task, label

RECENT_SECONDS = 600.0
"""Runs that finished within this time tell the rate."""


@dataclass(frozen=True)
class Tally:
    """The runs of one method.

    Attributes:
        what: the method, with the options that tell it from others.
        total: runs of the experiment.
        done: runs that are in the store, failed ones too.
        failed: those that are an error.
    """

    what: str
    total: int
    done: int
    failed: int

    @property
    def missing(self) -> int:
        """Runs that are not in the store."""
        return self.total - self.done


@dataclass(frozen=True)
class State:
    """How much of an experiment a store has.

    Attributes:
        tallies: a line a method.
        rate: runs a second of late; None if none has finished of late.
    """

    tallies: tuple[Tally, ...]
    rate: float | None

    @property
    def whole(self) -> Tally:
        """Of all methods."""
        return Tally(
            "all",
            sum(tally.total for tally in self.tallies),
            sum(tally.done for tally in self.tallies),
            sum(tally.failed for tally in self.tallies),
        )

    @property
    def seconds_left(self) -> float | None:
        """If it goes on at this rate; None if that is not known."""
        return self.whole.missing / self.rate if self.rate else None


def state(experiment: Experiment, store: Store, *, now: datetime | None = None) -> State:
    """How much of an experiment a store has; runs of other versions of a method do not count.

    Args:
        now: by default, the time.

    Raises:
        StoreError: a store that cannot be used.
    """
    tasks = [task for _, task in experiment.tasks()]
    found = [(task, store.get(task)) for task in tasks]
    records = [record for _, record in found if record is not None]
    total = Counter(_what(task) for task in tasks)
    done = Counter(_what(record.task) for record in records)
    failed = Counter(_what(record.task) for record in records if record.error is not None)
    tallies = tuple(Tally(what, total[what], done[what], failed[what]) for what in total)
    return State(tallies, _rate(records, now or datetime.now(UTC)))


def _what(task: Task) -> str:
    told = label(task.method, task.options)
    return f"{told}, {task.options['objective']}" if "objective" in task.options else told


def _rate(records: Sequence[Record], now: datetime) -> float | None:
    ages = [(now - datetime.fromisoformat(r.finished)).total_seconds() for r in records]
    recent = [age for age in ages if age <= RECENT_SECONDS]
    return len(recent) / max(*recent, 1.0) if recent else None
