"""The inside of an array as a model: segments, tiles, patterns and sizes of blocks *(ours)*.

Sets: layers l; columns q (formulations.spatial_organization.columns), of layers f[q] to e[q], with
beats[q], a tiling, tiles and a pattern, which is a grid of bands b and columns c of blocks in a
cell of H[q] x W[q] PEs. Layer k of q has band b(k) and column c(k) of the grid.
Variables, binary but for the last:

    x[q]          the column is in the schedule
    h[q,b,r]      band b is r PEs high
    w[q,c,s]      column c of the grid is s PEs wide
    y[q,k,r,s]    layer k has a block of r x s PEs
    z[q]          cycles by which the beat is longer than low[q], which no beat of q undercuts

Where a band or a column of the grid has a single size left, x[q] stands for it; y[q,k,r,s] is then
the variable of the other size. Tables: cycles[q,k](r,s) of PEs and buses, along[q,b](r) and
down[q,c](s) of links. The objective is

    sum_q beats[q] (low[q] x[q] + z[q])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from formulations.modellers import Expression, Modeller, Solution, Variable, label
from formulations.spatial_organization.columns import Column, all_columns
from formulations.spatial_organization.reduction import Reduced
from formulations.spatial_organization.variables import Part, declare
from instances.cost.array import ArrayCosts
from schedules.array.evaluate import beat_of, evaluate_array
from schedules.array.schedule import ArraySchedule, ArraySegment, Layout
from schedules.array.verify import array_violations

FAMILIES = (
    "path",
    "one_height",
    "one_width",
    "cell_rows",
    "cell_columns",
    "block_heights",
    "block_widths",
    "layer_cycles",
    "row_links",
    "column_links",
    "band_room",
    "column_room",
    "within_limit",
)
"""The constraint families in the order in which they are built; each is a method."""

Values = list[tuple[Variable, int]]


class SpatialOrganization:
    """The model of a network on an array.

    Attributes:
        modeller: has the native model, `modeller.model`.
        variables: for constraints of one's own.
        columns: to choose from.
        latency: of the schedule, as an expression.
        bound: a lower bound on it; None if there is none.

    Args:
        costs: of the network on the array.
        modeller: a new one.
        given: what is left to choose from; all columns by default.
        families: the constraint families to build, all by default; tests leave some out.

    Raises:
        ValueError: the numbers are too large for the modeller.
    """

    def __init__(
        self,
        costs: ArrayCosts,
        modeller: Modeller,
        given: Reduced | None = None,
        families: Sequence[str] = FAMILIES,
    ) -> None:
        self.modeller, self._costs, self._given = modeller, costs, given
        self.columns = all_columns(costs) if given is None else given.columns
        self.bound = None if given is None else given.bound
        self._limit = None if given is None else given.limit
        self.variables = declare(modeller, self.columns)
        self.latency = self._sum_of_beats()
        for name in families:
            getattr(self, name)()
        modeller.minimize(self.latency)

    def _sum_of_beats(self) -> Expression:
        v, variables, weights = self.variables, [], []
        for q, own in enumerate(self.columns):
            variables += [v.chosen[q], v.excess[q]]
            weights += [own.work.beats * own.bound, own.work.beats]
        ranges = (own.work.beats * own.most for own in self.columns)
        self.modeller.expect("the latency", sum(ranges))
        return self.modeller.sum(variables, weights)

    # Constraint families

    def path(self) -> None:
        """Segments follow each other from the first layer to the last.

        sum of x[q] with f[q] = l equals that with e[q] = l - 1; for l = 0 it is 1.
        """
        for layer in range(self._costs.layers):
            begin = self._all(own.work.first == layer for own in self.columns)
            before = self._all(own.work.last == layer - 1 for own in self.columns)
            self.modeller.require(label("path", layer), begin == (before if layer else 1))

    def _all(self, which: Iterable[bool]) -> Expression:
        pairs = zip(self.variables.chosen, which, strict=True)
        return self.modeller.sum([x for x, use in pairs if use])

    def one_height(self) -> None:
        """A band has one height: sum_r h[q,b,r] = x[q]."""
        self._one("one_height", self.variables.height)

    def one_width(self) -> None:
        """A column of the grid has one width: sum_s w[q,c,s] = x[q]."""
        self._one("one_width", self.variables.width)

    def _one(self, name: str, variables: dict[Part, dict[int, Variable]]) -> None:
        for (q, part), sizes in variables.items():
            if len(sizes) > 1:
                rule = self.modeller.sum(list(sizes.values())) == self.variables.chosen[q]
                self.modeller.require(label(name, *self.columns[q].key, part), rule)

    def cell_rows(self) -> None:
        """The bands have room in a cell: sum_{b,r} r h[q,b,r] <= H[q] x[q]."""
        self._room("cell_rows", self.variables.height, 1)

    def cell_columns(self) -> None:
        """The grid's columns have room in a cell: sum_{c,s} s w[q,c,s] <= W[q] x[q]."""
        self._room("cell_columns", self.variables.width, 0)

    def _room(self, name: str, variables: dict[Part, dict[int, Variable]], axis: int) -> None:
        for q, own in enumerate(self.columns):
            parts = [variables[q, part] for part in range(own.pattern.grid[1 - axis])]
            if all(len(sizes) == 1 for sizes in parts):
                continue  # they were left because there is room
            total = self._weighted([item for sizes in parts for item in sizes.items()])
            rule = total <= own.pattern.cell[axis] * self.variables.chosen[q]
            self.modeller.require(label(name, *own.key), rule)

    def _weighted(self, items: Iterable[tuple[int, Variable]]) -> Expression:
        pairs = list(items)
        return self.modeller.sum([x for _, x in pairs], [weight for weight, _ in pairs])

    def block_heights(self) -> None:
        """A layer's block is as high as its band: sum_s y[q,k,r,s] = h[q,b(k),r]."""
        self._blocks_have("block_heights", self.variables.height, 0)

    def block_widths(self) -> None:
        """A layer's block is as wide as its column: sum_r y[q,k,r,s] = w[q,c(k),s]."""
        self._blocks_have("block_widths", self.variables.width, 1)

    def _blocks_have(
        self, name: str, variables: dict[Part, dict[int, Variable]], axis: int
    ) -> None:
        for (q, k), blocks in self.variables.block.items():
            if not self.columns[q].crossed(k):
                continue
            for size, variable in variables[q, self.columns[q].places[k][axis]].items():
                own = [y for block, y in blocks.items() if block[axis] == size]
                rule = self.modeller.sum(own) == variable
                self.modeller.require(label(name, *self.columns[q].key, k, size), rule)

    def layer_cycles(self) -> None:
        """A beat is as long as a layer takes.

        low[q] x[q] + z[q] >= sum_{r,s} cycles[q,k](r,s) y[q,k,r,s]. One term of the right-hand
        side counts, so no large number is needed.
        """
        for (q, k), blocks in self.variables.block.items():
            terms = [(cycles, blocks[block]) for block, cycles in self.columns[q].fast(k)]
            self._beat("layer_cycles", q, k, terms)

    def row_links(self) -> None:
        """A beat is as long as the links along a band's rows take.

        low[q] x[q] + z[q] >= sum_r along[q,b](r) h[q,b,r].
        """
        for (q, b), sizes in self.variables.height.items():
            cycles = self.columns[q].sizes.bands[b].tolist()
            self._beat("row_links", q, b, list(zip(cycles, sizes.values(), strict=True)))

    def column_links(self) -> None:
        """A beat is as long as the links along a column of the grid take.

        low[q] x[q] + z[q] >= sum_s down[q,c](s) w[q,c,s].
        """
        for (q, c), sizes in self.variables.width.items():
            cycles = self.columns[q].sizes.columns[c].tolist()
            self._beat("column_links", q, c, list(zip(cycles, sizes.values(), strict=True)))

    def _beat(self, name: str, q: int, part: int, terms: list[tuple[int, Variable]]) -> None:
        own, v = self.columns[q], self.variables
        if max((cycles for cycles, _ in terms), default=0) <= own.bound:
            return  # no beat is shorter anyway
        beat = own.bound * v.chosen[q] + v.excess[q]
        self.modeller.require(label(name, *own.key, part), beat >= self._weighted(terms))

    def band_room(self) -> None:
        """The blocks of a band have room: sum_{k in b} sum_s s y[q,k,r,s] <= W[q] h[q,b,r].

        Implied: it is `cell_columns` times h[q,b,r], a step of the reformulation-linearization
        technique.
        """
        self._room_of_blocks("band_room", self.variables.height, 0)

    def column_room(self) -> None:
        """The blocks of a column have room: sum_{k in c} sum_r r y[q,k,r,s] <= H[q] w[q,c,s].

        Implied: it is `cell_rows` times w[q,c,s].
        """
        self._room_of_blocks("column_room", self.variables.width, 1)

    def _room_of_blocks(
        self, name: str, variables: dict[Part, dict[int, Variable]], axis: int
    ) -> None:
        for (q, part), sizes in variables.items():
            own = self.columns[q]
            layers = [k for k, place in enumerate(own.places) if place[axis] == part]
            if len(sizes) == 1 or not any(own.crossed(k) for k in layers):
                continue
            for size, variable in sizes.items():
                total = self._weighted(
                    (block[1 - axis], y)
                    for k in layers
                    for block, y in self.variables.block[q, k].items()
                    if block[axis] == size
                )
                rule = total <= own.pattern.cell[axis] * variable
                self.modeller.require(label(name, *own.key, part, size), rule)

    def within_limit(self) -> None:
        """The latency is at most the limit, if there is one."""
        if self._limit is not None:
            self.modeller.require("within_limit", self.latency <= self._limit)

    # Schedules

    def hint(self, schedule: ArraySchedule) -> None:
        """Suggest a schedule: a value for every variable. Replaces an older hint.

        A segment that is not in the model is replaced by one of the same layers that is no slower.

        Raises:
            ValueError: it may not run, or costs more than the limit.
        """
        wrong = array_violations(self._costs, schedule)
        if wrong:
            raise ValueError(wrong[0])
        found = evaluate_array(self._costs, schedule)
        if self._limit is not None and found.latency > self._limit:
            raise ValueError(
                f"the schedule takes {found.latency} cycles, more than the limit of {self._limit}"
            )
        v, ones, excess = self.variables, set[int](), dict[int, int]()
        for own in found.segments:
            q, layout = self._as_good(own.segment, own.cycles)
            column = self.columns[q]
            beat = beat_of(self._costs.array, column.work, layout).cycles
            excess[q] = max(beat, column.bound) - column.bound
            ones.add(id(v.chosen[q]))
            ones |= {id(v.height[q, b][r]) for b, r in enumerate(layout.heights)}
            ones |= {id(v.width[q, c][s]) for c, s in enumerate(layout.widths)}
            for k, (b, c) in enumerate(column.places):
                ones.add(id(v.block[q, k][layout.heights[b], layout.widths[c]]))
        values = {id(x): (x, int(id(x) in ones)) for x in v.binaries()}
        self.modeller.hint(
            [*values.values(), *((z, excess.get(q, 0)) for q, z in enumerate(v.excess))]
        )

    def _as_good(self, segment: ArraySegment, cycles: int) -> tuple[int, Layout]:
        """A column of the same layers, and a layout in it that takes no more cycles.

        Raises:
            ValueError: the model has none.
        """
        options = [segment]
        if self._given is not None:
            known = self._given.known.get((segment.first, segment.last))
            if known is not None and known.cycles <= cycles:
                options.append(known.segment)
        for option in options:
            for q, own in enumerate(self.columns):
                layout = self._fitted(own, option)
                if layout is not None:
                    return q, layout
        raise ValueError(
            f"layers {segment.first} to {segment.last}: too slow for the model's limit"
        )

    def _fitted(self, own: Column, segment: ArraySegment) -> Layout | None:
        """The segment's layout, with the sizes of a column that lead to the same beat."""
        work, pattern, layout = own.work, own.pattern, segment.layout
        what = (segment.first, segment.last, segment.tiling, segment.tiles)
        if what != (work.first, work.last, work.tiling, work.tiles):
            return None
        grid = len(layout.heights), len(layout.widths)
        shape = grid, layout.repeats, layout.express
        if shape != (pattern.grid, pattern.repeats, pattern.express):
            return None
        heights = pattern.cell[1:] if grid[0] == 1 else layout.heights
        sides = []
        for parts, sizes in ((own.sizes.heights, heights), (own.sizes.widths, layout.widths)):
            pairs = zip(parts, sizes, strict=True)
            lower = [[n for n in part.tolist() if n <= size] for part, size in pairs]
            if not all(lower):
                return None
            sides.append(tuple(max(numbers) for numbers in lower))
        fitted = pattern.layout(*sides)
        beat = beat_of(self._costs.array, work, fitted).cycles
        return fitted if beat <= own.most else None

    def extract(self, solution: Solution) -> ArraySchedule:
        """The schedule of a solution; ask only an engine that has one."""
        v, segments = self.variables, []
        for q, own in enumerate(self.columns):
            if not solution.value(v.chosen[q]):
                continue
            bands, columns = own.pattern.grid
            heights = tuple(self._size(solution, v.height[q, b]) for b in range(bands))
            widths = tuple(self._size(solution, v.width[q, c]) for c in range(columns))
            work, layout = own.work, own.pattern.layout(heights, widths)
            segments.append(ArraySegment(work.first, work.last, work.tiling, work.tiles, layout))
        return ArraySchedule(tuple(sorted(segments, key=lambda segment: segment.first)))

    def _size(self, solution: Solution, sizes: dict[int, Variable]) -> int:
        return next(size for size, variable in sizes.items() if solution.value(variable))
