"""The page of results: what other orders of a network's layers are worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from experiments.tables.parts import Cell, Column, Page, Table
from instances.networks import build_network
from instances.packages import load_package
from solvers.ordering import Ordering, Told, best_order

NAME = "orders"
TITLE = "Orders of layers: what they are worth"

NETWORKS = ("googlenet", "inception_v3")
PACKAGES = ("simba-4x4", "simba-8x8", "datacentre-2x2", "datacentre-4x4")
BATCH = 64
TRIES = 60


@dataclass(frozen=True)
class Searched:
    """A search over the orders of one network on one package.

    Attributes:
        network, package: names.
        found: by the search.
    """

    network: str
    package: str
    found: Ordering


def searches(
    networks: Sequence[str] = NETWORKS,
    packages: Sequence[str] = PACKAGES,
    tries: int = TRIES,
    watch: Told | None = None,
) -> Iterator[Searched]:
    """Search the orders of each network on each package.

    Args:
        networks, packages: names of built-in ones.
        tries: orders of each.
        watch: called with what is tried.
    """
    for name in networks:
        for package in packages:
            where = f"{name} on {package}"

            def tell(what: str, where: str = where) -> None:
                if watch is not None:
                    watch(f"{where}: {what}")

            found = best_order(
                build_network(name), load_package(package), BATCH, tries=tries, watch=tell
            )
            yield Searched(name, package, found)


def orders_page(
    watch: Told | None = None,
    tries: int = TRIES,
    cases: tuple[Sequence[str], Sequence[str]] = (NETWORKS, PACKAGES),
) -> Page:
    """The page; `cases` are the networks and the packages."""
    found = list(searches(*cases, tries=tries, watch=watch))
    gains = [own.found.gain or 0.0 for own in found]
    return Page(
        NAME,
        TITLE,
        [
            "Networks with branches, whose layers may run in very many orders: the optimum in the"
            " order of the built-in network, and the best optimum that a search over"
            f" {tries} orders found ([how](../graphs.md#orders-of-layers)). Batch {BATCH}, each"
            " order solved by `exact`. The gain is a lower bound on what the best of all orders"
            " gains.",
            _table(found),
            f"The most is {max(gains):.2%}. Branches of a module mostly share a segment in every"
            " order, so another order moves the borders of segments and clusters by a layer or two;"
            " and all layers of a cluster share its chiplets, whatever their order.",
        ],
    )


def _table(found: Sequence[Searched]) -> Table:
    rows: list[list[Cell]] = []
    for own in found:
        given, best = own.found.given, own.found.result
        evaluation = given.evaluation
        rows.append(
            [
                own.network,
                own.package,
                given.objective,
                best.objective,
                own.found.gain,
                None if evaluation is None else evaluation.utilisation,
                own.found.tries,
            ]
        )
    headings = [Column("network"), Column("package"), Column("as given (cycles)", 0)]
    headings += [Column("best order (cycles)", 0), Column("gain", 2, True)]
    headings += [Column("utilisation as given", 1, True), Column("orders tried", 0)]
    return Table(headings, rows)
