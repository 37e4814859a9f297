"""Networks, packages, instances and workloads in YAML and JSON files.

The formats are described in `network_file`, `package_file`, `table_schema`, `instance_file` and
`workload_file`.
"""

from instances.files.cost_csv import read_csv_costs
from instances.files.cost_csv_write import write_csv_costs
from instances.files.cycle_csv import with_cycles, write_cycles
from instances.files.errors import FileError
from instances.files.instance_file import read_instance, write_instance
from instances.files.network_file import read_network, write_network
from instances.files.package_file import read_package, write_package
from instances.files.table_file import write_tables
from instances.files.workload_file import read_workload, write_workload

__all__ = [
    "FileError",
    "read_csv_costs",
    "read_instance",
    "read_network",
    "read_package",
    "read_workload",
    "with_cycles",
    "write_csv_costs",
    "write_cycles",
    "write_instance",
    "write_network",
    "write_package",
    "write_tables",
    "write_workload",
]
