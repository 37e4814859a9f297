"""`chipweave bench placement`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chipweave import completion
from chipweave.commands import options
from chipweave.commands.checks import check_outputs
from chipweave.commands.tables import report
from chipweave.status import live

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chipweave.grid import Grid
    from experiments.placement import Proof

HELP = """Measure how fast placements are proved, and how near the fast placer comes.

Every distinct segment of 2 to 8 regions (10 on simba-6x6) of the schedules of scope and segmented,
and pipelines of random regions that fill the mesh, are placed by `exact`, in several families and
for several objectives; then 60 regions on a 16 x 16 mesh by the fast placer.

\b
Examples:
  chipweave bench placement
  chipweave bench placement --networks alexnet,resnet18 --json -
"""

Networks = Annotated[
    str | None,
    typer.Option(
        "--networks",
        metavar="A,B,C",
        help="Without: all general ones.",
        autocompletion=completion.networks,
    ),
]
Workers = Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Threads of a proof.")]


def placement(
    networks: Networks = None,
    workers: Workers = 2,
    json: options.Json = None,
    markdown: options.Markdown = None,
) -> None:
    check_outputs(json=json, markdown=markdown)
    from chipweave.bench_report import measure_table
    from experiments.placement import large_seconds, placement_measures, proofs
    from instances.networks import network_names

    chosen = network_names() if networks is None else options.names("--networks", networks)
    with live("bench placement") as status:
        found = proofs(chosen, workers=workers, watch=status.watch)
        status.watch("the fast placer on a large mesh")
        seconds = large_seconds()
    measures = placement_measures(found, seconds)
    tables = [proof_table(found), measure_table(measures)]
    data = {
        "proofs": [proof.to_data() for proof in found],
        "measures": [measure.to_data() for measure in measures],
    }
    report(tables, data, json=json, markdown=markdown)


def proof_table(found: Sequence[Proof]) -> Grid:
    """A line for each package, family, objective and number of regions."""
    from chipweave.grid import Grid, number

    lines: dict[tuple[str, str, str, int], list[Proof]] = {}
    for proof in found:
        key = proof.package, proof.family, proof.objective, len(proof.regions)
        lines.setdefault(key, []).append(proof)
    rows = []
    for at, own in sorted(lines.items()):
        stops = [proof.found.stop for proof in own]
        seconds = [proof.found.runtime_s for proof in own]
        ratios = [proof.fast for proof in own if proof.fast is not None]
        optimal, none = stops.count("optimal"), stops.count("infeasible")
        counts = [at[3], len(own), optimal, none, len(own) - optimal - none]
        times = [sum(seconds) / len(seconds), max(seconds)]
        rows.append(
            [
                *at[:3],
                *(number(count) for count in counts),
                *(number(value, 2) for value in times),
                number(max(ratios, default=None), 4),
            ]
        )
    headings = (
        "package",
        "family",
        "objective",
        ">regions",
        ">problems",
        ">optimal",
        ">no such places",
        ">open",
        ">mean time (s)",
        ">longest (s)",
        ">fast / optimum, worst",
    )
    return Grid(headings, rows)
