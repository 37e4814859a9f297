"""Options for several models on one package, and which problem a command is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from chipweave.commands import groups, options

if TYPE_CHECKING:
    from instances.workload import Workload
    from schedules.windows.goal import WindowGoal

FORM = "network[?sequence=N][@units]:batch"
"""As `instances.files.names.MODEL`, which is too slow to import for a help text."""


@dataclass(frozen=True)
class Several:
    """Several models: a group of options."""

    models: Annotated[
        str | None,
        typer.Option(
            "--models",
            metavar="MODEL,..",
            help=f"Several models instead of WHAT, each as {FORM}: gpt2?sequence=128:8,"
            " resnet50@stage:32.",
        ),
    ] = None
    units: Annotated[
        str | None,
        typer.Option(
            "--units",
            metavar="GRAIN",
            help="What of --models is never divided: layer, block (without: this) or stage.",
        ),
    ] = None
    windows: Annotated[
        int | None,
        typer.Option("--windows", metavar="N", help="Time windows of several models, at most."),
    ] = None
    no_pipelining: Annotated[
        bool,
        typer.Option(
            "--no-pipelining",
            help="For several models: a mini-batch enters after the one before it has left.",
        ),
    ] = False
    share: Annotated[
        bool,
        typer.Option("--share", help="Several models may take turns on chiplets within a window."),
    ] = False

    def are_meant(self, what: str | None) -> bool:
        """Whether the command is about several models; if not, none of these options may be given.

        Raises:
            ValueError: it is not said what is meant, it is said twice, or an option does not fit.
        """
        from chipweave.inputs import is_workload

        if self.models is not None and what is not None:
            raise ValueError(
                f"WHAT {what!r} and --models {self.models} exclude each other: name one of them"
            )
        if what is None and self.models is None:
            raise ValueError("Missing argument 'WHAT': name a network or a file, or --models")
        if self.models is not None or is_workload(what):
            return True
        refuse(groups.given(self), "only for several models (--models, or a workload file)")
        return False

    def workload(self, what: str | None, setting: options.Setting) -> Workload:
        """The workload meant.

        Raises:
            ValueError: as `chipweave.workload`.
        """
        import chipweave as cw
        from chipweave.inputs import suggestion
        from instances.workload import GRAINS

        if self.units is not None and self.units not in GRAINS:
            near = suggestion(self.units, GRAINS)
            known = ", ".join(GRAINS)
            raise ValueError(f"--units: unknown {self.units!r}.{near} Choose one of {known}")
        return cw.workload(
            str(self.models or what),
            setting.package,
            sequence=setting.sequence,
            units=self.units,
        )

    def goal(self, objective: str, windows: int | None = None) -> WindowGoal:
        """The goal that the options say.

        Args:
            objective: its name.
            windows: how many there may be where no option says it; by default DEFAULT_WINDOWS.

        Raises:
            ValueError: an unknown objective, or no window.
        """
        from chipweave.inputs import suggestion
        from schedules.windows.goal import DEFAULT_WINDOWS, OBJECTIVES, WindowGoal

        if objective not in OBJECTIVES:
            near = suggestion(objective, OBJECTIVES)
            known = ", ".join(OBJECTIVES)
            raise ValueError(f"unknown objective {objective!r}.{near} Choose one of {known}")
        return WindowGoal(
            objective=objective,
            windows=next(n for n in (self.windows, windows, DEFAULT_WINDOWS) if n is not None),
            pipelined=not self.no_pipelining,
            shared=self.share,
        )


def refuse(names: Sequence[str], why: str) -> None:
    """Refuse options that do not belong to the problem.

    Raises:
        ValueError: there are any.
    """
    if names:
        raise ValueError(f"{', '.join(names)}: {why}")


def refuse_for_one(setting: options.Setting, conditions: options.Conditions, *others: str) -> None:
    """Refuse options that several models do not take.

    Args:
        setting: of which the batch is each model's own.
        conditions: that schedules of several models do not know.
        others: names of further options that were given.

    Raises:
        ValueError: one was given.
    """
    if setting.batch is not None:
        raise ValueError("--batch: each of several models has its own, as in --models gpt2:8")
    if setting.dim or setting.shape:
        raise ValueError(
            "--dim, --shape: only for one model; of several each has its own dimensions, as in"
            " --models model.onnx?batch=1:8"
        )
    if setting.costs is not None:
        others = (*others, "--costs")
    why = "only for one network, not for several models"
    refuse([*groups.given(conditions), *others], why)
