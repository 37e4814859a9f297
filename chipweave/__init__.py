"""chipweave: maps neural-network layers onto multi-chiplet accelerators.

    import chipweave as cw

    result = cw.solve(cw.instance("resnet50", "simba-4x4", batch=64), method="exact")
    several = cw.solve_workload(cw.workload("gpt2:8,resnet50:32", "het-2x2"), method="exact")
    inside = cw.solve_array(cw.array_costs("hand-tracking", "32x32"), method="exact")

Names are loaded when they are first used, so that the import itself costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from chipweave.homes import HOMES

if TYPE_CHECKING:
    from chipweave.doctor import Finding as Finding
    from chipweave.doctor import diagnose as diagnose
    from chipweave.inputs import array as array
    from chipweave.inputs import array_costs as array_costs
    from chipweave.inputs import instance as instance
    from chipweave.inputs import workload as workload
    from chipweave.schemas import file_schema as file_schema
    from chipweave.versions import show_versions as show_versions
    from experiments.ablation import Variant as Variant
    from experiments.ablation import ablation as ablation
    from experiments.ablation import stored_ablation as stored_ablation
    from experiments.calibrate import Calibration as Calibration
    from experiments.calibrate import CutLoss as CutLoss
    from experiments.calibrate import calibrate as calibrate
    from experiments.cases import Case as Case
    from experiments.cases import cases as cases
    from experiments.compare import Comparison as Comparison
    from experiments.compare import compare as compare
    from experiments.definition import Experiment as Experiment
    from experiments.definition import read_experiment as read_experiment
    from experiments.gap import Gap as Gap
    from experiments.gap import Summary as Summary
    from experiments.gap import gaps as gaps
    from experiments.gap import stored_gaps as stored_gaps
    from experiments.loss_front import LossFront as LossFront
    from experiments.loss_front import loss_front as loss_front
    from experiments.loss_front import write_loss_front as write_loss_front
    from experiments.pareto import Front as Front
    from experiments.pareto import Point as Point
    from experiments.pareto import pareto as pareto
    from experiments.report import Report as Report
    from experiments.report import write_report as write_report
    from experiments.rows import rows as rows
    from experiments.rows import write_parquet as write_parquet
    from experiments.state import State as State
    from experiments.state import state as state
    from experiments.store import Record as Record
    from experiments.store import Store as Store
    from experiments.store import Task as Task
    from experiments.strength import Strength as Strength
    from experiments.strength import strength as strength
    from experiments.sweep import Advance as Advance
    from experiments.sweep import sweep as sweep
    from formulations.export import export as export
    from formulations.formulation import FORMULATIONS as FORMULATIONS
    from formulations.formulation import Formulation as Formulation
    from formulations.formulation import formulate as formulate
    from formulations.modellers.cpsat import CpSatModeller as CpSatModeller
    from formulations.modellers.milp import MilpModeller as MilpModeller
    from formulations.modellers.milp import MilpSolution as MilpSolution
    from heuristics.bounds import lower_bound as lower_bound
    from heuristics.placement import place_fast as place_fast
    from heuristics.scope import Steps as Steps
    from instances.array import Array as Array
    from instances.compression import Compression as Compression
    from instances.cost import build_tables as build_tables
    from instances.cost import make_instance as make_instance
    from instances.cost.array import ArrayCosts as ArrayCosts
    from instances.cost.coders import compress as compress
    from instances.cost.given import with_compute as with_compute
    from instances.cost.jobs import WorkloadCosts as WorkloadCosts
    from instances.files import FileError as FileError
    from instances.files import read_csv_costs as read_csv_costs
    from instances.files import read_instance as read_instance
    from instances.files import read_network as read_network
    from instances.files import read_package as read_package
    from instances.files import read_workload as read_workload
    from instances.files import with_cycles as with_cycles
    from instances.files import write_csv_costs as write_csv_costs
    from instances.files import write_cycles as write_cycles
    from instances.files import write_instance as write_instance
    from instances.files import write_network as write_network
    from instances.files import write_package as write_package
    from instances.files import write_tables as write_tables
    from instances.files import write_workload as write_workload
    from instances.files.array_file import read_array as read_array
    from instances.files.array_file import write_array as write_array
    from instances.files.graph_file import read_graph as read_graph
    from instances.files.graph_file import write_graph as write_graph
    from instances.files.loss_file import read_losses as read_losses
    from instances.files.loss_file import write_losses as write_losses
    from instances.files.names import network_of as network_of
    from instances.files.names import package_of as package_of
    from instances.generate import random_instance as random_instance
    from instances.generate_array import random_array_costs as random_array_costs
    from instances.generate_graph import random_graph as random_graph
    from instances.generate_workload import random_workload as random_workload
    from instances.graph import Node as Node
    from instances.graph import OperatorGraph as OperatorGraph
    from instances.graph_of_network import graph_of as graph_of
    from instances.importers.onnx import from_onnx as from_onnx
    from instances.importers.torch import from_torch as from_torch
    from instances.instance import Instance as Instance
    from instances.losses import LossTable as LossTable
    from instances.network import Layer as Layer
    from instances.network import Network as Network
    from instances.networks import ar_vr_names as ar_vr_names
    from instances.networks import build_network as build_network
    from instances.networks import network_names as network_names
    from instances.orders import reordered as reordered
    from instances.package import Package as Package
    from instances.packages import load_package as load_package
    from instances.packages import package_names as package_names
    from instances.tables import CostTables as CostTables
    from instances.workload import Job as Job
    from instances.workload import Workload as Workload
    from instances.workload import job as job
    from schedules.array.draw import draw_array as draw_array
    from schedules.array.evaluate import ArrayEvaluation as ArrayEvaluation
    from schedules.array.evaluate import evaluate_array as evaluate_array
    from schedules.array.files import read_array_schedule as read_array_schedule
    from schedules.array.files import write_array_schedule as write_array_schedule
    from schedules.array.schedule import ArraySchedule as ArraySchedule
    from schedules.array.schedule import ArraySegment as ArraySegment
    from schedules.array.schedule import Layout as Layout
    from schedules.array.verify import array_violations as array_violations
    from schedules.compressed import Compressed as Compressed
    from schedules.compressed import compressed as compressed
    from schedules.draw import draw_schedule
    from schedules.draw_front import draw_front as draw_front
    from schedules.draw_front import plot_front as plot_front
    from schedules.draw_loss_front import draw_loss_front as draw_loss_front
    from schedules.draw_loss_front import plot_loss_front as plot_loss_front
    from schedules.evaluate import Evaluation as Evaluation
    from schedules.evaluate import evaluate as evaluate
    from schedules.files import read_schedule as read_schedule
    from schedules.files import write_schedule as write_schedule
    from schedules.goal import Goal as Goal
    from schedules.goal import Pin as Pin
    from schedules.goal import Weights as Weights
    from schedules.goal import breaches as breaches
    from schedules.goal import hold as hold
    from schedules.goal import latency_cap_for as latency_cap_for
    from schedules.links import SegmentLinks as SegmentLinks
    from schedules.links import link_report as link_report
    from schedules.partition.draw import draw_partition as draw_partition
    from schedules.partition.evaluate import PartitionEvaluation as PartitionEvaluation
    from schedules.partition.evaluate import evaluate_partition as evaluate_partition
    from schedules.partition.files import read_partition as read_partition
    from schedules.partition.files import write_partition as write_partition
    from schedules.partition.partition import Device as Device
    from schedules.partition.partition import Partition as Partition
    from schedules.partition.verify import partition_violations as partition_violations
    from schedules.place import with_places as with_places
    from schedules.placed import PlacedEvaluation as PlacedEvaluation
    from schedules.placed import placed_evaluation as placed_evaluation
    from schedules.placement import PlacementCost as PlacementCost
    from schedules.placement import PlacementProblem as PlacementProblem
    from schedules.placement import placement_cost as placement_cost
    from schedules.placement import placement_problem as placement_problem
    from schedules.schedule import Cluster as Cluster
    from schedules.schedule import Schedule as Schedule
    from schedules.schedule import Segment as Segment
    from schedules.simulate import Simulation as Simulation
    from schedules.simulate import simulate as simulate
    from schedules.simulate import write_trace as write_trace
    from schedules.verify import violations as violations
    from schedules.windows.draw import draw_windows as draw_windows
    from schedules.windows.evaluate import WindowEvaluation as WindowEvaluation
    from schedules.windows.evaluate import evaluate_windows as evaluate_windows
    from schedules.windows.files import read_windows as read_windows
    from schedules.windows.files import write_windows as write_windows
    from schedules.windows.goal import WindowGoal as WindowGoal
    from schedules.windows.schedule import Run as Run
    from schedules.windows.schedule import Stage as Stage
    from schedules.windows.schedule import Window as Window
    from schedules.windows.schedule import WindowSchedule as WindowSchedule
    from schedules.windows.verify import window_violations as window_violations
    from solvers.array import ARRAY_METHODS as ARRAY_METHODS
    from solvers.array import ArrayResult as ArrayResult
    from solvers.array import solve_array as solve_array
    from solvers.engines import engines as engines
    from solvers.explain import Explanation as Explanation
    from solvers.explain import explain as explain
    from solvers.graph_partition import GRAPH_METHODS as GRAPH_METHODS
    from solvers.graph_partition import PartitionResult as PartitionResult
    from solvers.graph_partition import solve_graph as solve_graph
    from solvers.joint import JointResult as JointResult
    from solvers.joint import place_jointly as place_jointly
    from solvers.multi_model import WINDOW_METHODS as WINDOW_METHODS
    from solvers.multi_model import WindowResult as WindowResult
    from solvers.multi_model import solve_workload as solve_workload
    from solvers.ordering import Ordering as Ordering
    from solvers.ordering import best_order as best_order
    from solvers.placing import Placed as Placed
    from solvers.placing import place as place
    from solvers.ranking import Rank as Rank
    from solvers.ranking import Space as Space
    from solvers.ranking import rank as rank
    from solvers.result import Result as Result
    from solvers.solve import METHODS as METHODS
    from solvers.solve import solve as solve

    draw = draw_schedule
    __version__: str
else:

    def __getattr__(name: str) -> object:
        if name == "__version__":
            value: object = importlib.import_module("importlib.metadata").version("chipweave")
        elif name in HOMES:
            module, _, original = HOMES[name].partition(":")
            value = getattr(importlib.import_module(module), original or name)
        else:
            raise AttributeError(f"module 'chipweave' has no attribute {name!r}")
        globals()[name] = value
        return value


__all__ = sorted({*HOMES, "__version__"})


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
