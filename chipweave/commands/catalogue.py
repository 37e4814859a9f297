"""`chipweave networks`, `packages`, `methods`, `engines` and `show`: what there is to work with."""

from __future__ import annotations

import importlib
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from chipweave.commands import groups, options
from chipweave.output import STDOUT, check_writable, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chipweave.grid import Grid
    from instances.network import Layer, Network
    from instances.package import Package
    from instances.tables import CostTables
    from solvers.arguments import Method
    from solvers.engines import Feature
    from solvers.methods import NamedMethod

NETWORKS_HELP = """List the built-in networks.

Benchmarks and experiments mean the general ones by all.
"""
PACKAGES_HELP = "List the built-in packages. Those for several models are named het-."
GOALS = {
    "latency": "latency",
    "separable": "latency or energy, with limits and pins",
    "any": "any, with conditions",
}
"""What methods minimise, by `Method.goals`."""

METHODS_HELP = "List the methods."
ENGINES_HELP = """List the engines for the methods cpsat and milp, those that are here and others.

No engine is started and no licence is taken.

\b
Examples:
  chipweave engines
  chipweave engines --json -
"""
SHOW_HELP = """Show the layers of a network or of a file, and their totals.

\b
Examples:
  chipweave show resnet50
  chipweave show bert-base --sequence 128
  chipweave show my-tables.yaml
  chipweave show model.onnx --dim batch=1
"""


def networks() -> None:
    from chipweave.grid import Grid, console, number
    from instances.networks import GENERATED, MAX_GENERATED, NETWORKS, build_network

    rows = []
    for name, entry in NETWORKS.items():
        network = build_network(name)
        note = "" if entry.sequence is None else f", sequence {entry.sequence}"
        sizes = (len(network.layers), network.parameters, network.macs)
        groups = ", ".join(entry.groups)
        rows.append((name, *map(number, sizes), groups, entry.description + note))
    for family, entry in GENERATED.items():
        any_size = (f"1 to {MAX_GENERATED:,}", "–", "–")
        rows.append((f"{family}-N", *any_size, "generated", entry.description))
    headings = ("network", ">layers", ">parameters", ">MACs a sample", "group", "description")
    Grid(headings, rows).show(console())


def packages() -> None:
    from chipweave.grid import Grid, console, number, scaled
    from instances.packages import MAX_SIDE, load_package, package_families, package_names
    from instances.packages.mixed import MIXED_NAMES, MONOLITHS, PATTERNS

    rows = []
    for package in map(load_package, (*package_names(), *MIXED_NAMES)):
        chiplet, dram = package.chiplet, package.dram
        rows.append(
            (
                package.name,
                "{} x {}".format(*package.mesh),
                str(package.chiplets),
                number(chiplet.macs),
                _dataflows(package),
                scaled(chiplet.buffer_bytes, "B", 1024),
                scaled(chiplet.clock_hz, "Hz"),
                scaled(package.nop.bandwidth, "B/s"),
                f"{dram.ports} x {scaled(dram.bandwidth, 'B/s')}",
            )
        )
    headings = (
        "package",
        "mesh",
        ">chiplets",
        ">MACs a chiplet",
        "dataflow",
        ">buffer",
        ">clock",
        ">NoP port",
        ">DRAM",
    )
    screen = console()
    Grid(headings, rows).show(screen)
    families = " and ".join(f"{family}-XxY" for family in package_families())
    screen.print(f"{families}: any mesh of up to {MAX_SIDE} x {MAX_SIDE}", markup=False)
    patterns = ", ".join((*PATTERNS, *MONOLITHS))
    screen.print(
        f"het-XxY and het-XxY-PATTERN, for several models: likewise; patterns are {patterns}",
        markup=False,
        soft_wrap=True,
    )


def _dataflows(package: Package) -> str:
    """Of all chiplets, with their numbers where they are unlike."""
    from instances.mesh import Mesh

    flows = Counter(package.chiplet_at(tile).dataflow for tile in Mesh.of(package).tiles)
    if len(flows) == 1:
        return next(iter(flows))
    return ", ".join(f"{number} {flow}" for flow, number in flows.items())


def methods() -> None:
    from chipweave.grid import Grid, console
    from solvers.array import ARRAY_METHODS
    from solvers.graph_partition import GRAPH_METHODS
    from solvers.multi_model import WINDOW_METHODS
    from solvers.solve import METHODS

    rows = [
        (
            name,
            _described(method),
            GOALS[method.goals],
            ", ".join(method.packages),
        )
        for name, method in METHODS.items()
    ]
    screen = console()
    Grid(("method", "what it does", "minimises", "needs"), rows).show(screen)
    others: dict[str, Mapping[str, NamedMethod]] = {
        "for several models (--models, or a workload file)": WINDOW_METHODS,
        "inside an array (--array)": ARRAY_METHODS,
        "for a graph of operators (a file of one)": GRAPH_METHODS,
    }
    for title, known in others.items():
        lines = [(name, own.about, ", ".join(own.packages)) for name, own in known.items()]
        Grid(("method", "what it does", "needs"), lines, title).show(screen)


def _described(method: Method) -> str:
    """A few words; one function runs all models, so it cannot say which kind."""
    if method.models == "cpsat":
        return "Solve a formulation with CP-SAT, and prove it."
    if method.models == "milp":
        return "Solve a formulation with a MILP engine of `chipweave engines`, and prove it."
    module, function = method.place.split(":")
    described = getattr(importlib.import_module(module), function).__doc__ or ""
    return str(described).strip().splitlines()[0]


def engines(json: options.Json = None) -> None:
    check_writable("--json", json)
    import chipweave as cw

    found = cw.engines()
    if json is not None:
        write_json(json, [{**asdict(info), "features": sorted(info.features)} for info in found])
    if json == STDOUT:
        return
    from chipweave.grid import Grid, console
    from solvers.engines import FEATURES

    rows = [
        (info.name, info.method, info.version or "–", _features(info.features), info.note)
        for info in found
    ]
    screen = console()
    Grid(("engine", "method", "version", "features", "note"), rows).show(screen)
    Grid(("feature", "an engine that has it"), list(FEATURES.items())).show(screen)


def _features(features: frozenset[Feature]) -> str:
    from solvers.engines import FEATURES

    missing = [feature for feature in FEATURES if feature not in features]
    return f"all but {', '.join(missing)}" if missing else "all"


@groups.flat
def show(task: options.Task) -> None:
    from chipweave.commands.on_graph import show_graph
    from chipweave.grid import console, say
    from chipweave.inputs import is_graph

    if is_graph(task.what):
        show_graph(task.what)
        return
    instance = task.instance()
    screen = console()
    if instance.network is not None:
        network_table(instance.network).show(screen)
        totals = [
            f"{len(instance.network.layers)} layers",
            f"{instance.network.parameters:,} parameters",
            f"{instance.network.macs:,} MACs a sample",
        ]
    else:
        tables_table(instance.tables).show(screen)
        count, _, chiplets = instance.tables.shape
        totals = [
            f"{count} layers",
            f"options {', '.join(instance.tables.options)}",
            f"{chiplets} chiplets of {instance.tables.capacity:,} bytes",
            f"{len(instance.tables.skips)} skip tensors",
            f"batch {instance.batch}",
        ]
    say(screen, ["; ".join(totals)])


def network_table(network: Network) -> Grid:
    """The layers of a network."""
    from chipweave.grid import Grid, number

    headings = (">", "layer", "kind", "K x D", "P x Q", "kernel", "stride", ">groups", ">weights")
    rows = [
        (
            str(index),
            layer.name,
            layer.kind,
            f"{layer.channels} x {layer.depth}",
            "{} x {}".format(*layer.positions),
            "{} x {}".format(*layer.kernel),
            "{} x {}".format(*layer.stride),
            str(layer.groups),
            number(layer.weights),
            number(layer.macs),
            _outputs(layer),
        )
        for index, layer in enumerate(network.layers)
    ]
    return Grid((*headings, ">MACs", "output"), rows, network.name)


def _outputs(layer: Layer) -> str:
    return ", ".join(" x ".join(map(str, shape)) for _, shape in layer.outputs)


def tables_table(tables: CostTables) -> Grid:
    """The layers of a table instance, with each layer's least time and memory on all chiplets."""
    from chipweave.grid import Grid, number

    whole = tables.chiplets - 1
    rows = [
        (
            str(index),
            name,
            number(int(tables.load[index])),
            number(int((tables.entry + tables.exit)[index].min())),
            number(int((tables.resident + tables.working)[index, :, whole].min())),
            number(int(tables.alone[index])) if tables.alone[index] >= 0 else "–",
        )
        for index, name in enumerate(tables.layers)
    ]
    headings = (">", "layer", ">load", ">least entry + exit", ">least memory", ">tiled beat")
    return Grid(headings, rows)
