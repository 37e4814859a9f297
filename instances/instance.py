"""An instance: what a method is asked to schedule."""

from __future__ import annotations

from dataclasses import dataclass, field

from instances.compression import Compression
from instances.costs import Costs
from instances.network import Network
from instances.package import Package
from instances.tables import CostTables


class _Tables:
    """The attribute `tables`: given as they are, or as a model that makes them when first read."""

    def __get__(self, instance: Instance | None, owner: type[Instance]) -> CostTables:
        if instance is None:
            raise AttributeError("tables")  # so that the field has no default
        return instance.costs.dense

    def __set__(self, instance: Instance, costs: Costs) -> None:
        instance.__dict__["costs"] = costs


@dataclass(frozen=True, eq=False, repr=False)
class Instance:
    """A batch of samples, the costs, and where these came from.

    Attributes:
        name: for tables and files.
        batch: m, samples that flow through in one run.
        tables: all costs; made when first read if the costs come from a model.
        network, package: the source of the costs; None for a table instance.
        compression: the ratios that tensors may have where they cross; None if they may have none.
        costs: the tables or the model, which tells small parts without making the tables.
    """

    name: str
    batch: int
    tables: _Tables = _Tables()
    network: Network | None = None
    package: Package | None = None
    compression: Compression | None = None
    costs: Costs = field(init=False)

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ValueError(f"instance {self.name!r}: batch {self.batch} is not at least 1")

    def __repr__(self) -> str:
        return f"Instance({self.name!r}, batch={self.batch})"

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""
        return self.costs.layers

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the options."""
        return self.costs.options

    @property
    def chiplets(self) -> int:
        """C."""
        return self.costs.chiplets

    @property
    def capacity(self) -> int:
        """M, bytes a chiplet."""
        return self.costs.capacity
