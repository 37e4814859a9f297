"""What a person reads of schedules and places that are decided at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chipweave.grid import Grid, number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.joint import JointRow
    from instances.instance import Instance
    from schedules.placed import PlacedEvaluation
    from schedules.schedule import Schedule
    from solvers.joint import JointResult

WORDS = """# Schedule and places at once

```sh
{command}
```

What is lost by deciding first how many chiplets each cluster gets, and then where they lie? All
costs here are those of a *placed* schedule ([mesh](../mesh.md#joint)): transfers
take as many hops as their ways have, and no beat is shorter than the busiest link needs. `links /`
says by what the bandwidth of all ports and links was divided.

- *counts*: the optimum without places, as `exact` proves it, with the hops of near-square regions
  and no load on links; not a cost of any placed schedule.
- *places by hops*: the latency of that schedule at the connected places with the fewest bytes times
  hops.
- *best places*: the same schedule at the best of all its connected places, as CP-SAT proves it.
  `exact` returns one of several optimal schedules; another one might be easier to place.
- *at once*: the joint optimum: clusters, options and sizes are free as well, all three options for
  every layer.
- *loss*: by how much the two ways to place second are above it.
- *proof*: `optimal` is proved: by lower bounds on intervals of layers, and by CP-SAT for the
  intervals that they leave open; *intervals* and *models* are the numbers of those and of the
  models solved for them. There are none where the schedule by counts, at the best places that
  CP-SAT proves, already meets the bounds.
- *time* counts everything: the schedule by counts, its best places, the joint search, on one
  thread.

"""


def joint_table(rows: Sequence[JointRow]) -> Grid:
    """A line for each instance and bandwidth."""
    headings = (
        "instance",
        ">links /",
        ">counts",
        ">places by hops",
        ">best places",
        ">at once",
        ">loss by hops",
        ">loss",
        "proof",
        ">intervals",
        ">models",
        ">time (s)",
    )
    return Grid(headings, [_joint_row(row) for row in rows])


def _joint_row(row: JointRow) -> list[str]:
    return [
        row.instance,
        str(row.slower),
        number(row.counts),
        number(row.by_hops),
        number(row.second),
        number(row.joint),
        percent(row.loss_by_hops),
        percent(row.loss),
        row.stop if row.stop == "optimal" else f"{row.stop}, bound {number(row.bound)}",
        number(row.settled),
        number(row.rounds),
        f"{row.runtime_s:.2f}",
    ]


def joint_page(rows: Sequence[JointRow], command: str) -> str:
    """The page of docs/results."""
    return WORDS.format(command=command) + joint_table(rows).markdown()


def joint_summary(instance: Instance, result: JointResult) -> Grid:
    """How the search ended."""
    rows = [
        ("instance", f"{result.instance}, batch {instance.batch}"),
        ("stop", result.stop),
        ("objective", number(result.objective, 0, " cycles")),
        ("bound", number(result.bound, 0, " cycles")),
        ("gap", percent(result.gap)),
        ("intervals settled", number(result.settled)),
        ("models solved", number(result.rounds)),
        ("runtime", f"{result.runtime_s:.3f} s"),
    ]
    return Grid(("", ""), rows)


def placed_table(instance: Instance, schedule: Schedule, evaluation: PlacedEvaluation) -> Grid:
    """A line for each cluster: its layers, place, time and links."""
    headings = (
        "segment",
        "layers",
        ">chiplets",
        "tiles",
        ">stage",
        ">its busiest link",
        ">beat",
        ">busiest link",
    )
    rows = []
    for s, (segment, cost) in enumerate(zip(schedule.segments, evaluation.segments, strict=True)):
        for k, cluster in enumerate(segment.clusters):
            stage = cost.stages[k] if cost.stages else None
            names = (instance.layers[cluster.first], instance.layers[cluster.last])
            rows.append(
                [
                    str(s) if k == 0 else "",
                    " to ".join(dict.fromkeys(names)) + (" (tiled)" if segment.tiled else ""),
                    str(cluster.chiplets),
                    " ".join(f"{x},{y}" for x, y in sorted(cluster.tiles or ())),
                    number(None if stage is None else stage.cycles),
                    number(None if stage is None else stage.link),
                    number(cost.beat) if k == 0 else "",
                    number(cost.link) if k == 0 else "",
                ]
            )
    return Grid(headings, rows)


def joint_data(instance: Instance, result: JointResult) -> dict[str, Any]:
    """What `chipweave joint --json` writes."""
    from chipweave.report import about

    return {**result.to_data(), **about(instance)}
