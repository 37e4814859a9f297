"""How often methods that prove disagree with plain enumeration, whatever the problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from experiments.bars import Measure


@dataclass(frozen=True)
class Answer:
    """What a method says of an instance.

    Attributes:
        proved: whether it says that there is nothing better.
        objective: of what it found, None if nothing.
    """

    proved: bool
    objective: float | None


class Ended(Protocol):
    """A result of any problem's call."""

    @property
    def stop(self) -> str:
        """Why the run ended."""
        ...

    @property
    def objective(self) -> float | None:
        """Of what was found."""
        ...


class Compared(Protocol):
    """An instance that enumeration and methods have solved."""

    @property
    def optimum(self) -> float | None:
        """As enumeration finds; None where there is nothing."""
        ...

    @property
    def found(self) -> dict[str, Answer]:
        """By method."""
        ...


def answer(result: Ended) -> Answer:
    """What a result says."""
    return Answer(result.stop in ("optimal", "infeasible"), result.objective)


def agreement_measures(found: Sequence[Compared], note: str) -> list[Measure]:
    """By method: how many comparisons are wrong, and how many it left open; neither may be."""
    measures = []
    for method in dict.fromkeys(method for own in found for method in own.found):
        own = [(c.found[method], c.optimum) for c in found if method in c.found]
        wrong = sum(a.proved and a.objective != optimum for a, optimum in own)
        unproved = sum(not a.proved for a, _ in own)
        measures.append(Measure(f"{method}: not as enumeration says", wrong, 0, "", note))
        measures.append(Measure(f"{method}: not proved", unproved, 0, "", note))
    return measures
