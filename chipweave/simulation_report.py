"""What a person reads after a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chipweave.grid import Grid, number, percent, scaled

if TYPE_CHECKING:
    from instances.instance import Instance
    from schedules.evaluate import Evaluation
    from schedules.simulate import Simulation


def simulation_summary(instance: Instance, run: Simulation, evaluation: Evaluation) -> Grid:
    """The run as a whole, beside the schedule's costs."""
    highest = max(run.high_water.values())
    rows = [
        ("instance", f"{run.name}, batch {run.batch}"),
        ("contention", "on" if run.contention else "off"),
        ("makespan", number(run.makespan, 0, " cycles")),
        ("latency by formula", number(evaluation.latency, 0, " cycles")),
        ("difference", difference(run.makespan, evaluation.latency)),
        ("arrays at work", percent(run.utilisation)),
        ("buffers, most", f"{highest:,} of {instance.capacity:,} bytes"),
        ("under way, most", scaled(run.between, "B", 1024)),
    ]
    return Grid(("", ""), rows)


def segments_table(run: Simulation, evaluation: Evaluation) -> Grid:
    """A line for each segment."""
    headings = ("segment", ">start", ">loaded", ">end", ">cycles", ">by formula", ">difference")
    rows = [
        (
            str(s),
            *(number(cycle) for cycle in (own.start, own.loaded, own.end, own.end - own.start)),
            number(cost.time),
            difference(own.end - own.start, cost.time),
        )
        for s, (own, cost) in enumerate(zip(run.segments, evaluation.segments, strict=True))
    ]
    return Grid(headings, rows, "times in cycles")


def links_table(run: Simulation, most: int) -> Grid:
    """The busiest links."""
    busiest = sorted(run.links.items(), key=lambda item: -item[1])[:most]
    rows = [
        (f"{list(start)} to {list(end)}", number(amount), percent(run.load(amount)))
        for (start, end), amount in busiest
    ]
    return Grid(("link", ">bytes", ">of what it could carry"), rows, "the busiest links")


def difference(found: int, expected: int) -> str:
    """How much more, in percent."""
    return f"{found / expected - 1:+.2%}" if expected else number(None)
