"""What commands on a network inside an array have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chipweave.commands import groups, options
from chipweave.commands.several import Several, refuse

if TYPE_CHECKING:
    from instances.cost.array import ArrayCosts


def refuse_on_array(
    setting: options.Setting,
    several: Several,
    conditions: options.Conditions,
    objective: str,
    *others: str,
) -> None:
    """Refuse options that have no meaning inside an array.

    Args:
        setting: of which the package is replaced by the array.
        several: models, of which there is one here.
        conditions: that schedules on an array do not know.
        objective: what is minimised.
        others: names of further options that were given.

    Raises:
        ValueError: one was given.
    """
    if setting.package is not None:
        raise ValueError("--array and --package exclude each other: an array is inside one chip")
    if setting.costs is not None:
        raise ValueError("--array and --costs exclude each other: --costs is for a package")
    if objective != "latency":
        raise ValueError(f"--objective {objective}: with --array, latency is what is minimised")
    why = "not with --array, which is for one network inside one chip"
    refuse([*groups.given(several), *groups.given(conditions), *others], why)


def network_and_array(what: str | None, array: str, setting: options.Setting) -> ArrayCosts:
    """The costs that are meant.

    Raises:
        ValueError: nothing is named, or as `chipweave.array_costs`.
    """
    import chipweave as cw

    if what is None:
        raise ValueError("Missing argument 'WHAT': name a network or a network file")
    batch = 1 if setting.batch is None else setting.batch
    return cw.array_costs(what, array, batch, sequence=setting.sequence, **setting.sizes())
