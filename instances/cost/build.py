"""From a network and a package to an instance (docs/problem.md, 'The cost model')."""

from __future__ import annotations

from instances.cost.facts import OPTIONS
from instances.cost.model import AnalyticCosts
from instances.instance import Instance
from instances.network import Network
from instances.package import Package
from instances.tables import CostTables

__all__ = ["OPTIONS", "build_tables", "make_instance"]


def make_instance(
    network: Network, package: Package, batch: int, name: str | None = None
) -> Instance:
    """An instance of a network on a package; nothing is computed before a cost is asked for.

    Raises:
        ValueError: the package has unlike chiplets, which regions of any chiplets cannot have.
    """
    package.check_alike(f"{network.name}:{batch}")
    label = name if name is not None else f"{network.name} on {package.name}"
    return Instance(label, batch, AnalyticCosts(network, package), network, package)


def build_tables(network: Network, package: Package) -> CostTables:
    """Cost tables of the analytic model, options ISP, WSP and WSP-sharded.

    Raises:
        ValueError: they would not fit in memory.
    """
    return AnalyticCosts(network, package).dense
