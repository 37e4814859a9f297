"""Small valid files of every kind, most of them made by the project's own writers."""

from __future__ import annotations

import json
from pathlib import Path

from chipweave.cli import main

NETWORK = """\
kind: network
name: small
inputs: {image: [3, 4, 4]}
layers:
  - {name: a, kind: conv, inputs: [image], channels: 4, depth: 3, positions: [4, 4],
     kernel: [3, 3], output: [4, 4, 4]}
  - {name: b, kind: conv, inputs: [a], channels: 4, depth: 4, positions: [4, 4], stride: [1, 1],
     addends: [a], output: [4, 4, 4]}
  - {name: c, kind: fc, inputs: [b], channels: 2, depth: 64, positions: [1, 1], output: [2, 1, 1]}
results: [c]
"""

INSTANCE = """\
kind: instance
name: a-run
batch: 2
network: alexnet
package: datacentre-2x2
"""

WORKLOAD = """\
kind: workload
name: pair
package: het-2x2
models:
  - {network: chain-2, batch: 2}
  - {network: chain-3, batch: 4, units: layer}
"""

LOSSES = """\
# measure: relative
# samples: 8
tensor,ratio,loss
a,2,0.01
a,4,0.02
b,2,0.01
"""

GRAPH = """\
{"maxSizePerFPGA": 100.5, "maxFPGAs": 2, "maxCPUs": 1,
 "nodes": [
  {"id": 0, "supportedOnFpga": true, "cpuLatency": 12.5, "fpgaLatency": 1.25, "size": 40},
  {"id": 3, "supportedOnFpga": 1, "cpuLatency": 8, "fpgaLatency": 2, "size": 40.5,
   "isBackwardNode": false, "colorClass": 1, "name": "b"},
  {"id": 7, "supportedOnFpga": false, "cpuLatency": 0.5, "size": 0, "colorClass": 1},
  {"id": 8, "supportedOnFpga": true, "cpuLatency": 9, "fpgaLatency": 3, "size": 60}],
 "edges": [{"sourceId": 0, "destId": 3, "cost": 0.5}, {"sourceId": 0, "destId": 7, "cost": 0.5},
  {"sourceId": 3, "destId": 8, "cost": 0.25}, {"sourceId": 7, "destId": 8, "cost": 1}]}
"""

EXPERIMENT = """\
kind: experiment
name: comparison
networks: [chain-2]
packages: [datacentre-2x2, "simba-2x2?nop.bandwidth=50000000000"]
methods: [scope, {method: exact, segments: 2}]
batches: [2, 4]
time_limits: [10]
seeds: [0]
objective: latency
"""


def write_seeds(folder: Path) -> None:
    """Write the seeds of all readers into a folder."""
    for name, text in {
        "network.yaml": NETWORK,
        "instance.yaml": INSTANCE,
        "workload.yaml": WORKLOAD,
        "losses.csv": LOSSES,
        "experiment.yaml": EXPERIMENT,
        "graph.json": GRAPH,
    }.items():
        (folder / name).write_text(text)
    _write_instances(folder)
    _write_schedules(folder)
    _write_store(folder / "runs.db")
    _write_calibration(folder)


def _write_instances(folder: Path) -> None:
    from instances.arrays import load_array
    from instances.files import read_network, write_instance, write_network, write_package
    from instances.files.array_file import write_array
    from instances.generate import random_instance
    from instances.packages import load_package

    write_network(read_network(folder / "network.yaml"), folder / "network.json")
    for name in ("datacentre-2x2", "het-2x2"):
        write_package(load_package(name), folder / f"{name}.yaml")
    for name in ("tables.yaml", "tables.json"):
        write_instance(
            random_instance(1, layers=3, options=2, chiplets=3, shape="dag", memory="loose"),
            folder / name,
        )
    for words in (["costs.csv"], ["cycles.csv", "--cycles"]):
        costs = ["costs", str(folder / "network.yaml"), "--package", "datacentre-2x2"]
        code = main([*costs, "--batch", "2", "--out", str(folder / words[0]), *words[1:]])
        assert code == 0, words
    write_array(load_array("4x4"), folder / "array.yaml")


def _write_schedules(folder: Path) -> None:
    """What the command line itself writes of them."""

    def solve(*words: object) -> None:
        code = main(["solve", *map(str, words)])
        assert code == 0, words

    network, where = folder / "network.yaml", ("--package", "datacentre-2x2", "--batch", 2)
    schedule, result = folder / "schedule.yaml", folder / "result.json"
    solve(network, *where, "--method", "scope", "--out", schedule, "--json", result)
    squeezed = "--compress", folder / "losses.csv", "--accuracy-budget", 1, "--method", "exact"
    solve(network, *where, *squeezed, "--out", folder / "ratios.yaml")
    solve(folder / "workload.yaml", "--method", "scar", "--out", folder / "windows.yaml")
    on_array = "--array", "4x4", "--method", "pipeorgan", "--out", folder / "on-array.yaml"
    solve(network, *on_array)
    solve(folder / "graph.json", "--out", folder / "partition.yaml")
    assert json.loads(result.read_text())["schedule"]


def _write_store(path: Path) -> None:
    from experiments.cases import Case, run
    from experiments.store import Record, Store, Task

    case = Case("alexnet", "datacentre-2x2", 2)
    with Store(path) as store:
        for method in ("sequential", "scope"):
            task = Task("c0ffee", 2, method, "1", {"seed": 0}, case.network, case.package)
            store.add(run(task, case.instance()))
        failed = Task("c0ffee", 2, "exact", "1", {"time_limit": 1}, case.network, case.package)
        store.add(Record(failed, None, "out of memory", {"seconds": 1.0}))


def _write_calibration(folder: Path) -> None:
    """A model and its samples, where onnx is installed; what has no seed is not fuzzed."""
    try:
        import onnx
        import onnxruntime  # noqa: F401 - calibrate needs it
    except ImportError:
        return
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    draw = np.random.default_rng(7)

    def weights(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array(draw.normal(size=shape).astype(np.float32), name)

    nodes = [
        helper.make_node("MatMul", ["x", "first"], ["features"], name="one"),
        helper.make_node("Relu", ["features"], ["positive"], name="two"),
        helper.make_node("MatMul", ["positive", "second"], ["scores"], name="three"),
        helper.make_node("Softmax", ["scores"], ["y"], axis=-1, name="four"),
    ]
    sizes: tuple[tuple[str, list[str | int]], ...] = (("x", ["N", 4]), ("y", ["N", 3]))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in sizes]
    constants = [weights("first", 4, 6), weights("second", 6, 3)]
    layers = [
        helper.make_node("Conv", ["x", "kernel"], ["a"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Shape", ["b"], ["sizes"]),
        helper.make_node("Gather", ["sizes", "first"], ["samples"], axis=0),
        helper.make_node("Concat", ["samples", "rest"], ["flat"], axis=0),
        helper.make_node("Reshape", ["b", "flat"], ["c"]),
        helper.make_node("Gemm", ["c", "dense"], ["y"], alpha=1.0),
    ]
    sides: tuple[tuple[str, list[str | int]], ...] = (("x", ["N", 2, 4, 4]), ("y", ["N", 3]))
    outer = [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in sides]
    numbers = [
        *(weights("kernel", 3, 2, 3, 3), weights("dense", 48, 3)),
        numpy_helper.from_array(np.array([0]), "first"),
        numpy_helper.from_array(np.array([-1]), "rest"),
    ]
    for name, graph in {
        "model.onnx": helper.make_graph(nodes, "small", ends[:1], ends[1:], constants),
        "layers.onnx": helper.make_graph(layers, "layers", outer[:1], outer[1:], numbers),
    }.items():
        opsets = [helper.make_opsetid("", 13)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        (folder / name).write_bytes(model.SerializeToString())
    np.savez(folder / "samples.npz", x=draw.normal(size=(8, 4)).astype(np.float32))
    np.save(folder / "samples.npy", draw.normal(size=(8, 4)).astype(np.float32))
