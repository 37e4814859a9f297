"""The page that holds our cycles of computing against SCALE-Sim's, with the reasons."""

from __future__ import annotations

from math import ceil, exp, log, prod

from experiments.scalesim_costs import Compared, product_of
from experiments.tables.parts import Cell, Column, Heading, Page, Part, Table
from instances.cost.facts import ISP, OPTIONS, WSP
from instances.cost.given import Share, shares, source_of, with_compute
from instances.instance import Instance
from instances.network import Layer
from schedules.evaluate import evaluate
from schedules.schedule import Schedule
from solvers.solve import solve

NAME, TITLE = "costs", "Our cycles of computing and SCALE-Sim's"

ALIKE = (
    "Both arrays hold a weight in each of their units and compute one position after the other."
    " They differ in two ways, whose product is the ratio."
)
PACKING = (
    "**Packing**: we unroll the input channels of a group over the array and take one tap of the"
    " kernel after the other, $\\lceil K'/k \\rceil \\lceil (D/g)/d \\rceil R S$ fillings."
    " SCALE-Sim lays input channels and taps out as one long row,"
    " $\\lceil K'/k \\rceil \\lceil (D/g) R S / d \\rceil$. Where $D/g$ is no multiple of the"
    " array's side, as in a first layer of three channels, that takes fewer. A group is a product"
    " by itself here, one after the other."
)
FILLING = (
    "**Filling**: we count a cycle a position, as if weights were exchanged while the array"
    " computes. SCALE-Sim counts all cycles of a filling: weights in, then the first position"
    " across the array, and the last result out. That is the same for each filling, so it weighs"
    " most where positions are few: in the last stages, in fully connected layers, and where"
    " positions are split over many chiplets (WSP)."
)
LOSS = (
    "What the difference is worth: the best schedule with our cycles and that with SCALE-Sim's, all"
    " other costs ours, and what each takes by both counts."
)


def scalesim_page(found: Compared) -> Page:
    """The page of results."""
    instance, array = found.instance, found.array
    stepped = sum(array.by_formula(own) == cycles for own, cycles in array.known.items())
    every = len(found.sizes) == instance.chiplets
    sizes = f"1 to {instance.chiplets}" if every else ", ".join(map(str, found.sizes))
    parts: list[Part] = [
        f"The layers of {instance.name}, with SCALE-Sim 3.0.0's weight-stationary array of"
        f" {array.rows} x {array.columns} in place of that of"
        " [our cost model](../problem.md#compute). Its array is run cycle by cycle; its memories"
        f" are not, as our model has those. On regions of {sizes} chiplets, split as our options"
        f" say, the layers are {len(array.known)} distinct products of matrices, which took"
        f" {ceil(array.seconds)} seconds. [How to do this](../costs.md) with another simulator.",
        Heading("Layers on one chiplet"),
        _layers(found),
        ALIKE,
        PACKING,
        FILLING,
        f"A filling takes {array.fill} cycles more than it has positions: in {stepped} of"
        f" {len(array.known)} products this and the number of fillings give SCALE-Sim's count to"
        " the cycle.",
        Heading("Regions"),
        "SCALE-Sim's cycles over ours, geometric mean of the layers.",
        _regions(found),
        Heading("Schedules"),
        LOSS,
        _schedules(found),
    ]
    return Page(NAME, TITLE, parts)


def _layers(found: Compared) -> Table:
    network, package = source_of(found.instance)
    rows: list[list[Cell]] = []
    for share in shares(network, package, (ISP,)):
        if share.chiplets != 1:
            continue
        layer = network.layers[share.layer]
        product, groups = product_of(layer, share)
        ours = _ours(found.instance, share)
        theirs = int(found.compute[share.layer, ISP, 0])
        packing = groups * found.array.folds(product) / _passes(layer, share, found)
        filling = 1 + found.array.fill / product.positions
        rows.append([layer.name, ours, theirs, theirs / ours, packing, filling])
    columns = [Column("layer"), Column("ours", 0), Column("SCALE-Sim", 0)]
    return Table([*columns, *(Column(name, 3) for name in ("ratio", "packing", "filling"))], rows)


def _passes(layer: Layer, share: Share, found: Compared) -> int:
    """How often our array is filled with weights."""
    array = found.array
    across, down = ceil(share.channels / array.columns), ceil(share.depth / array.rows)
    return across * down * prod(layer.kernel)


def _ours(instance: Instance, share: Share) -> int:
    compute = instance.tables.compute
    assert compute is not None
    return int(compute[share.layer, share.option, share.chiplets - 1])


def _regions(found: Compared) -> Table:
    network, package = source_of(found.instance)
    ratios: dict[tuple[int, int], list[float]] = {}
    for share in shares(network, package, (ISP, WSP)):
        if share.chiplets in found.sizes:
            theirs = int(found.compute[share.layer, share.option, share.chiplets - 1])
            ratio = theirs / _ours(found.instance, share)
            ratios.setdefault((share.option, share.chiplets), []).append(log(ratio))
    rows = [
        [n, *(exp(sum(own := ratios[option, n]) / len(own)) for option in (ISP, WSP))]
        for n in found.sizes
    ]
    columns = [Column("chiplets", 0), *(Column(OPTIONS[o], 3) for o in (ISP, WSP))]
    return Table(columns, rows)


def _schedules(found: Compared) -> Table:
    """Best schedules by both counts, each with both."""
    instances = {
        "our cycles": found.instance,
        "SCALE-Sim's cycles": with_compute(found.instance, found.compute),
    }
    rows: list[list[Cell]] = []
    for name, instance in instances.items():
        best = solve(instance, "exact").schedule
        if best is None:
            continue
        latencies = [evaluate(own, best).latency for own in instances.values()]
        rows.append([name, _shape(best), *latencies])
    columns = [Column("best with"), Column("segments: clusters")]
    return Table([*columns, *(Column(f"cycles with {name}", 0) for name in instances)], rows)


def _shape(schedule: Schedule) -> str:
    return " ".join(str(len(segment.clusters)) for segment in schedule.segments)
