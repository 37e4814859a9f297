"""The analytic cost model: a network on a package becomes cost tables."""

from instances.cost.build import OPTIONS, build_tables, make_instance

__all__ = ["OPTIONS", "build_tables", "make_instance"]
