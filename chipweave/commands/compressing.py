"""Options for compression where tensors cross."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from instances.instance import Instance
    from schedules.schedule import Schedule


@dataclass(frozen=True)
class Compressing:
    """What may be compressed, and what that may lose: a group of options."""

    compress: Annotated[
        str | None,
        typer.Option(
            "--compress",
            metavar="FILE",
            help="Tensors may be compressed where they cross from cluster to cluster: a table of"
            " losses (CSV: tensor, ratio, loss; tensor * is every other), as `chipweave calibrate`"
            " writes it. With --accuracy-budget; `pareto` can do without.",
        ),
    ] = None
    accuracy_budget: Annotated[
        str | None,
        typer.Option(
            "--accuracy-budget",
            metavar="LOSS",
            help="What the losses of all compressed tensors may add up to: 0.01 or 1%.",
        ),
    ] = None

    def check(self, *, budget_needed: bool = True) -> None:
        """Refuse one option without the other, and what is no budget.

        Args:
            budget_needed: whether a table of losses is of no use without a budget.

        Raises:
            ValueError: one is missing, or the budget is no number of at least 0.
        """
        if budget_needed and self.compress is not None and self.accuracy_budget is None:
            raise ValueError(
                f"--compress {self.compress}: what may the losses add up to?"
                " Give --accuracy-budget, such as 0.01"
            )
        if self.accuracy_budget is not None and self.compress is None:
            raise ValueError(
                f"--accuracy-budget {self.accuracy_budget}: what does compression lose?"
                " Give --compress with a table of losses"
            )
        if self.accuracy_budget is not None:
            self._budget(self.accuracy_budget)

    def applied(self, instance: Instance) -> Instance:
        """The instance, with compression if it was asked for; without a budget, up to all losses.

        Raises:
            ValueError: a table instance, or a table of losses that cannot be read or used.
        """
        if self.compress is None:
            return instance
        import chipweave as cw

        if instance.network is None:
            raise ValueError(
                f"--compress: {instance.name} is a table instance, which says nothing of its"
                " tensors; give a network"
            )
        table = cw.read_losses(self.compress)
        budget = None if self.accuracy_budget is None else self._budget(self.accuracy_budget)
        return cw.compress(instance, table, budget)

    def _budget(self, text: str) -> float:
        from chipweave.goals import loss

        return loss("--accuracy-budget", text)

    def hints(self, schedule: Schedule) -> list[str]:
        """What may be missing where a schedule with ratios is not accepted."""
        if self.compress is not None or not schedule.ratios:
            return []
        return ["(to say what may be compressed: --compress FILE --accuracy-budget LOSS)"]
