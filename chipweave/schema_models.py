"""Models of files that stand in others by name or in full, where the readers look by hand."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from instances.files.instance_file import InstanceFile
from instances.files.network_file import NetworkModel
from instances.files.package_file import PackageModel
from instances.files.schema import Items, Name
from instances.files.workload_file import ModelModel, WorkloadFile
from instances.workload import Grain


class InstanceSchema(InstanceFile):
    """A file of kind instance."""

    network: Name | NetworkModel
    package: Name | PackageModel | None = None


class ModelSchema(ModelModel):
    """One entry of `models`."""

    network: Name | NetworkModel
    units: Grain | Items[Name] = "block"


class WorkloadSchema(WorkloadFile):
    """A file of kind workload."""

    package: Name | PackageModel | None = None
    models: Annotated[Items[ModelSchema], Field(min_length=1)]  # type: ignore[assignment]
