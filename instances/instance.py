"""An instance: what a method is asked to schedule."""

from __future__ import annotations

from dataclasses import dataclass, field

from instances.network import Network
from instances.package import Package
from instances.tables import CostTables


@dataclass(frozen=True, eq=False)
class Instance:
    """A batch of samples, the cost tables, and where these came from.

    Attributes:
        name: for tables and files.
        batch: m, samples that flow through in one run.
        tables: all costs.
        network, package: the source of the tables; None for a table instance.
    """

    name: str
    batch: int
    tables: CostTables
    network: Network | None = field(default=None, repr=False)
    package: Package | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ValueError(f"instance {self.name!r}: batch {self.batch} is not at least 1")
