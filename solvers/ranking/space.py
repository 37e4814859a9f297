"""The set of schedules among which one is ranked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import comb
from typing import Literal, get_args

from instances.instance import Instance
from instances.tables import Ints, Skip
from schedules.schedule import Schedule, counted

Segments = Literal["one", "any"]


@dataclass(frozen=True)
class Space:
    """Which schedules count: of those, only the ones that fit the buffers.

    Attributes:
        segments: schedules of one segment, or of any number, tiled layers included.
        options: names of the options that layers may take; None for all of the instance.
        all_chiplets: whether every segment has to use the whole package; otherwise it may leave
            chiplets idle, as the problem allows (docs/problem.md, 'Ranking').
    """

    segments: Segments = "one"
    options: tuple[str, ...] | None = None
    all_chiplets: bool = False

    def check(self, instance: Instance) -> None:
        """Refuse what the instance does not have.

        Raises:
            ValueError: an unknown kind of space; an unknown option, one named twice, or none.
        """
        segments_of(self.segments)
        if self.options is None:
            return
        known = instance.options
        for place, name in enumerate(self.options):
            if name not in known:
                raise ValueError(f"unknown option {name!r}: there are {', '.join(known)}")
            if name in self.options[:place]:
                raise ValueError(f"option {name!r} is named twice")
        if not self.options:
            raise ValueError(f"no option: choose from {', '.join(known)}")

    def outside(self, instance: Instance, schedule: Schedule) -> str | None:
        """Why a schedule that may run is not in the space; None if it is."""
        segments = schedule.segments
        if self.segments == "one" and len(segments) > 1:
            return f"it has {counted(len(segments), 'segment')}"
        for s, segment in enumerate(segments):
            used = sum(cluster.chiplets for cluster in segment.clusters)
            if self.all_chiplets and used < instance.chiplets:
                return f"segment {s} uses {used} of {instance.chiplets} chiplets"
            names = {name for cluster in segment.clusters for name in cluster.options}
            other = sorted(names.difference(self.options or names))
            if other and not segment.tiled:
                return f"segment {s} has a layer with option {other[0]}"
        return None


def segments_of(text: str) -> Segments:
    """The kind of space that a text means.

    Raises:
        ValueError: none.
    """
    for known in get_args(Segments):
        if text == known:
            return known
    raise ValueError(f"segments {text!r}: expected one or any")


def narrowed(instance: Instance, space: Space) -> Instance:
    """The instance with no options but those of the space."""
    if space.options is None:
        return instance
    tables, energy = instance.tables, instance.tables.energy
    chosen = [tables.options.index(name) for name in space.options]

    def cut(table: Ints) -> Ints:
        return table[:, chosen]

    def cut_skip(skip: Skip) -> Skip:
        return replace(skip, enter=cut(skip.enter), enter_energy=cut(skip.enter_energy))

    tables = replace(
        tables,
        options=space.options,
        entry=cut(tables.entry),
        step=cut(tables.step)[:, :, chosen],
        exit=cut(tables.exit),
        compute=None if tables.compute is None else cut(tables.compute),
        resident=cut(tables.resident),
        working=cut(tables.working),
        skips=tuple(cut_skip(skip) for skip in tables.skips),
        energy=replace(
            energy,
            entry=cut(energy.entry),
            step=cut(energy.step)[:, :, chosen],
            exit=cut(energy.exit),
        ),
    )
    return replace(instance, tables=tables)


def number_of_all(instance: Instance, space: Space) -> int:
    """How many schedules there are if buffers had no end, by formula; tiled layers included."""
    count, _, _ = instance.tables.shape
    tiles = [int(beat >= 0) for beat in instance.tables.alone.tolist()]
    if space.segments == "one":
        return pipelines(instance, space, count) + (tiles[0] if count == 1 else 0)
    number = [1]
    for end in range(1, count + 1):
        ways = (number[s] * pipelines(instance, space, end - s) for s in range(end))
        number.append(sum(ways) + number[end - 1] * tiles[end - 1])
    return number[count]


def pipelines(instance: Instance, space: Space, layers: int) -> int:
    """How many segments of so many layers there are, memory and tiled ones left out.

    K clusters: binom(n-1, K-1) cuts, binom(C-1, K-1) or binom(C, K) regions, and O^n options.
    """
    _, options, chiplets = instance.tables.shape
    if space.all_chiplets:
        return options**layers * comb(layers + chiplets - 2, layers - 1)
    return options**layers * comb(layers + chiplets - 1, layers)
