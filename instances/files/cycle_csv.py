"""Cycles of computing as CSV, for a network on a package whose other costs are the cost model's.

    layer,option,chiplets,cycles
    conv1,ISP,1,118013952
    conv1,ISP,2,59006976
    conv1,WSP,1,118013952

`write_cycles` writes such a file with the cost model's cycles and, beside them, what the slowest
chiplet computes: the rest is for a simulator to fill in. docs/costs.md says how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from instances.cost.facts import ISP, OPTIONS, WSP, WSP_SHARDED
from instances.cost.given import shares, source_of, with_compute
from instances.files.cost_rows import REQUIRED
from instances.files.csv_text import CsvText, csv_text, read_csv, up_to, whole, write_csv_file
from instances.files.errors import closest, listed, quoted
from instances.files.schema import MAX_CHIPLETS
from instances.files.table_checks import check_magnitudes
from instances.instance import Instance
from instances.network import Layer
from instances.tables import LIMIT, Ints

SHAPE = (
    "kind",
    "channels",
    "depth",
    "rows",
    "columns",
    "kernel_rows",
    "kernel_columns",
    "stride_rows",
    "stride_columns",
    "groups",
)
"""Columns that say what the slowest chiplet computes; a reader need not have them."""

_Key = tuple[str, str]


def with_cycles(instance: Instance, path: str | Path) -> Instance:
    """An instance whose cycles of computing a file says; all else stays.

    Args:
        instance: of a network on a package.
        path: of the file. Region sizes that it leaves out take as long as the next smaller one in
            it; those above C are left out. WSP-sharded takes as long as WSP if it has no rows.

    Raises:
        FileError: the file cannot be used; one line a problem.
        ValueError: the instance has no network or no package.
    """
    source_of(instance)
    file = read_csv(path, REQUIRED, SHAPE)
    layers, options = dict.fromkeys(instance.layers), dict.fromkeys(instance.options)
    found: dict[_Key, dict[int, int]] = {}
    for line, cells in file.rows:
        known = _known(file, line, "layer", cells, list(layers))
        known &= _known(file, line, "option", cells, list(options))
        size = _number(file, line, "chiplets", cells, 1, MAX_CHIPLETS)
        cycles = _number(file, line, "cycles", cells, 0, LIMIT - 1)
        if not known or size is None or cycles is None:
            continue
        sizes = found.setdefault((cells["layer"], cells["option"]), {})
        if sizes.setdefault(size, cycles) != cycles:
            file.mismatch(line, "cycles", cells["cycles"], f"{sizes[size]}, as another row says")
    file.problems.stop_if_any()
    compute = _filled(instance, file, found)
    file.problems.stop_if_any()
    made = with_compute(instance, compute)
    check_magnitudes(made.tables, made.batch, file.problems)
    return made


def _known(
    file: CsvText, line: int, column: str, cells: Mapping[str, str], names: Sequence[str]
) -> bool:
    name = cells[column]
    if name not in names:
        expected = f"one of {listed(names)}{closest(name, names)}"
        file.mismatch(line, column, name, expected)
    return name in names


def _number(
    file: CsvText, line: int, column: str, cells: Mapping[str, str], least: int, most: int
) -> int | None:
    number = whole(cells[column].strip().removesuffix(".0"), most, least)
    if number is None:
        file.mismatch(line, column, cells[column], up_to(least, most))
    return number


def _filled(instance: Instance, file: CsvText, found: Mapping[_Key, dict[int, int]]) -> Ints:
    """[L,O,C]; in gaps the cycles of the next smaller region, whose chiplets then suffice."""
    compute = np.zeros((len(instance.layers), len(instance.options), instance.chiplets), np.int64)
    for at, layer in enumerate(instance.layers):
        for o, option in enumerate(instance.options):
            sizes = found.get((layer, option))
            if sizes is None and option == OPTIONS[WSP_SHARDED]:
                sizes = found.get((layer, OPTIONS[WSP]))
            if sizes is None or 1 not in sizes:
                what = "no row" if sizes is None else "no row for 1 chiplet"
                file.problems.add(
                    (), f"layer {quoted(layer)}, option {quoted(option)}: {what}, expected one"
                )
                continue
            cycles = 0
            for size in range(1, instance.chiplets + 1):
                cycles = sizes.get(size, cycles)
                compute[at, o, size - 1] = cycles
    return compute


def write_cycles(instance: Instance, path: str | Path, compute: Ints | None = None) -> None:
    """Write cycles of computing, and of what; by default the cost model's, for others to replace.

    WSP-sharded is left out: it computes what WSP does.

    Args:
        instance: of a network on a package.
        path: of the file.
        compute: [L,O,C] cycles.

    Raises:
        FileError: the file system refuses.
        ValueError: the instance has no network or no package.
    """
    network, package = source_of(instance)
    compute = instance.tables.compute if compute is None else compute
    assert compute is not None
    rows = []
    for share in shares(network, package, (ISP, WSP)):
        layer = network.layers[share.layer]
        cycles = compute[share.layer, share.option, share.chiplets - 1]
        names = layer.name, OPTIONS[share.option], share.chiplets, cycles
        rows.append(
            (*names, layer.kind, share.channels, share.depth, *share.positions, *_kernel(layer))
        )
    write_csv_file(csv_text((*REQUIRED, *SHAPE), rows, {"model": instance.name}), path)


def _kernel(layer: Layer) -> tuple[int, ...]:
    return *layer.kernel, *layer.stride, layer.groups
