"""Options of the test run, and instances that several rooms test with."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from instances.array import ORGANISATIONS, Array
from instances.cost.array import ArrayCosts
from instances.graph import Node, OperatorGraph
from instances.instance import Instance
from instances.network import Layer, Network
from instances.package import Chiplet, Dram, NetworkOnPackage, Package
from instances.tables import CostTables, EnergyTables, Skip
from instances.workload import Job, Workload
from schedules.evaluate import evaluate
from schedules.goal import OBJECTIVES, Goal, Pin
from schedules.progress import Progress
from solvers.enumeration import enumerate_all

MakeInstance = Callable[..., Instance]
MakeWorkload = Callable[..., Workload]
MakeArrayCosts = Callable[..., ArrayCosts]
MakeOnnx = Callable[..., bytes]
MakeGraph = Callable[..., OperatorGraph]

# A kernel is compiled within the first example that needs it, which no deadline foresees.
# The suite draws the same examples each time, so that a change alone can break it; those who look
# for what no example has shown yet run it with --hypothesis-profile search, again and again.
settings.register_profile("chipweave", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("chipweave")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the user ask for more random instances than the default run has time for."""
    parser.addoption(
        "--instances",
        type=int,
        metavar="N",
        help="random instances on which the methods must agree (default: what takes a minute)",
    )


@pytest.fixture
def make_instance() -> MakeInstance:
    """Make a table instance from small tables; what is not given costs nothing."""
    return _make_instance


def _make_instance(
    entry: list[Any],
    step: list[Any] | None = None,
    *,
    batch: int = 1,
    capacity: int = 100,
    skips: tuple[Skip, ...] = (),
    **given: Any,
) -> Instance:
    """Tables by name; `entry` [L,O,C] sets the shape, `step` is that of layers 1..L-1.

    The others broadcast to their shape: exit, resident, working, load, io; alone is none at first.
    """
    entries = np.array(entry, dtype=np.int64)
    layers, options, chiplets = entries.shape
    steps = np.zeros((layers, options, options, chiplets), dtype=np.int64)
    if step is not None:
        steps[1:] = step
    shapes = {"io": (layers, layers), "load": (layers,), "alone": (layers,)}
    tables = {
        name: np.broadcast_to(np.array(given.pop(name, default)), shapes.get(name, entries.shape))
        for name, default in {
            "exit": 0,
            "resident": 0,
            "working": 0,
            "load": 0,
            "io": 0,
            "alone": -1,
        }.items()
    }
    assert not given, f"unknown tables {list(given)}"
    tables["io"] = np.triu(tables["io"])
    names = tuple("abcdefgh"[:layers])
    energy = EnergyTables(
        entry=np.zeros_like(entries),
        step=np.zeros_like(steps),
        exit=np.zeros_like(entries),
        load=np.zeros(layers, dtype=np.int64),
        io=np.zeros((layers, layers), dtype=np.int64),
        alone=np.zeros(layers, dtype=np.int64),
        leakage=0,
    )
    costs = CostTables(
        layers=names,
        options=("ISP", "WSP", "WSP-sharded")[:options],
        capacity=capacity,
        entry=entries,
        step=steps,
        compute=None,
        skips=skips,
        energy=energy,
        **tables,
    )
    return Instance("small", batch, costs)


@pytest.fixture
def example() -> Instance:
    """Two layers, two options, three chiplets; the best of all schedules takes 229 cycles."""
    isp_b, wsp_b = [28, 17, 13], [28, 15, 11]
    return _make_instance(
        entry=[[[40, 22, 16], [40, 21, 15]], [[30, 18, 14], [30, 16, 12]]],
        step=[[[isp_b, wsp_b], [isp_b, [28, 14, 10]]]],
        exit=[[[4, 2, 2]] * 2, [[3, 2, 1]] * 2],
        resident=[[[60, 30, 20], [60] * 3], [[30, 15, 10], [30] * 3]],
        working=[[[8, 8, 8], [8, 4, 3]], [[6, 6, 6], [6, 3, 2]]],
        load=[12, 9],
        io=[[5, 7], [0, 4]],
        batch=8,
    )


def _random_goal(instance: Instance, seed: int) -> Goal:
    """An objective and side constraints, loose and tight, some that no schedule can meet."""
    draw = Random(seed)
    layers, _, chiplets = instance.tables.shape
    best = Progress(instance)
    enumerate_all(instance, best, 0, 1)
    costs = None if best.best is None else evaluate(instance, best.best)

    def cap(value: int) -> int | None:
        share = draw.choice([0.85, 0.95, 1.0, 1.0, 1.05, 1.2, 1.6])
        return int(value * share) if draw.random() < 0.3 else None

    def limit(most: int) -> int | None:
        return draw.randint(1, most) if draw.random() < 0.25 else None

    def pin(layer: int) -> Pin:
        facts: dict[str, Any] = {
            "segment": draw.random() < 0.5,
            "cluster": draw.random() < 0.5,
            "tiled": draw.random() < 0.3,
            "chiplets": draw.randint(1, chiplets),
            "option": draw.choice(instance.tables.options),
        }
        what = draw.choice(sorted(facts))
        return Pin(layer, **{what: facts[what]})

    return Goal(
        objective=draw.choice(OBJECTIVES),
        latency_cap=None if costs is None else cap(costs.latency),
        energy_cap=None if costs is None else cap(costs.energy),
        segments=limit(layers),
        clusters=limit(3),
        chiplets=limit(chiplets),
        pins=tuple(pin(layer) for layer in range(layers) if draw.random() < 0.12),
    )


@pytest.fixture(scope="session")
def random_goal() -> Callable[[Instance, int], Goal]:
    """Draws a goal for an instance from a seed."""
    return _random_goal


@pytest.fixture(scope="session")
def make_workload() -> MakeWorkload:
    """Make a workload whose costs can be worked out by hand."""
    return _make_workload


def _make_workload(
    *,
    jobs: int = 1,
    batch: int = 4,
    buffer: int = 1000,
    skip: bool = True,
    results: tuple[str, ...] = (),
    cuts: tuple[int, ...] = (0, 1),
) -> Workload:
    """Equal models of two layers on three chiplets in a row, ports at both ends.

    A MAC is a cycle and a picojoule, on the chiplet in the middle, an output-stationary one, a
    quarter of a cycle. A byte takes a cycle between chiplets and two from DRAM, a hop two cycles,
    an access to DRAM ten; a bit costs a picojoule a hop and two from DRAM. All chiplets together
    leak three picojoules a cycle.

    | layer | reads, bytes | makes | weights | MACs |
    |---|---|---|---|---|
    | a | image 4 | 6 | 6 | 12 |
    | b | a 6, image 4 with `skip` | 2 | 3 | 6 |
    """
    layers = (
        Layer("a", "conv", 3, 2, (2, 1), inputs=("image",), outputs=(("a", (3, 2, 1)),)),
        Layer(
            "b",
            "conv",
            1,
            3,
            (2, 1),
            inputs=("a",),
            addends=("image",) if skip else (),
            outputs=(("b", (1, 2, 1)),),
        ),
    )
    network = Network("two", (("image", (2, 2, 1)),), layers, results)
    own = Chiplet("weight-stationary", (1, 1), 10**9, buffer, 1.0, 0.0, 0.0, 0.001)
    other = replace(own, dataflow="output-stationary", array=(2, 2))
    package = Package(
        name="row",
        mesh=(3, 1),
        element_bytes=1,
        overlap=False,
        chiplet=own,
        nop=NetworkOnPackage(bandwidth=10**9, hop_ns=2, pj_per_bit=1),
        dram=Dram(ports=2, bandwidth=75 * 10**7, latency_ns=10, pj_per_bit=2),
        unlike=(((1, 0), other),),
    )
    return Workload("by-hand", package, (Job(network, batch, cuts),) * jobs)


@pytest.fixture(scope="session")
def make_array_costs() -> MakeArrayCosts:
    """Make a network on an array whose costs can be worked out by hand."""
    return _make_array_costs


def _make_array_costs(batch: int = 3, **changes: Any) -> ArrayCosts:
    """Two layers on 4 x 2 PEs, a tensor of the input added at the end.

    A PE multiplies 4 pairs a cycle. A column's bus and a link carry 2 bytes a cycle, the DRAM 4.
    A multiply-accumulate takes a picojoule, a byte 10 in registers, 100 over a link, 1000 in the
    buffer, 10000 in the DRAM.

    | layer | kernel | reads, bytes | makes | weights | MACs |
    |---|---|---|---|---|---|
    | a | 1 x 1 | image 32 | 64 | 8 | 128 |
    | b | 3 x 3 | a 64, image 32 | 32 | 72 | 1,152 |
    """
    layers = (
        Layer("a", "conv", 4, 2, (4, 4), inputs=("image",), outputs=(("a", (4, 4, 4)),)),
        Layer(
            "b",
            "conv",
            2,
            4,
            (4, 4),
            (3, 3),
            inputs=("a",),
            addends=("image",),
            outputs=(("b", (2, 4, 4)),),
        ),
    )
    own: dict[str, Any] = {
        "name": "by-hand",
        "mesh": (4, 2),
        "element_bytes": 1,
        "macs": 4,
        "register_bytes": 64,
        "buffer_bytes": 4096,
        "bus_bytes": 2,
        "link_bytes": 2,
        "dram_bytes": 4,
        "express": 0,
        "depth": 2,
        "bands": 2,
        "organisations": ORGANISATIONS,
        "clock_hz": 10**9,
        "mac_pj": 1,
        "register_pj": 10,
        "hop_pj": 100,
        "buffer_pj": 1000,
        "dram_pj": 10_000,
    }
    network = Network("two", (("image", (2, 4, 4)),), layers)
    return ArrayCosts(network, Array(**{**own, **changes}), batch)


@pytest.fixture(scope="session")
def make_onnx() -> MakeOnnx:
    """Make a small ONNX model, as bytes, whose tensor `features` has six channels but two ranks."""
    pytest.importorskip("onnx", reason="the extra calibrate is not installed")
    pytest.importorskip("onnxruntime", reason="the extra calibrate is not installed")
    return _make_onnx


def _make_onnx(kind: str = "picture", *, opset: int = 13, samples: int | str = "N") -> bytes:
    """x -> reduce of 4 channels to `features` -> Relu'd and reduced again -> probabilities `y`.

    | kind | x | features | pooled |
    |---|---|---|---|
    | picture | N, 4, 5, 5 | N, 6, 5, 5, for a 3 x 3 convolution | N, 3, for a Gemm |
    | series | N, 4, 7 | N, 6, 7, for a convolution of 3 | N, 3, for a Gemm |
    | tokens | N, 7, 4 | N, 7, 6, for a product | N, 7, 3, for a product |
    """
    from onnx import TensorProto, helper, numpy_helper

    draw = np.random.default_rng(7)

    def weights(name: str, *shape: int, rank: int | None = None) -> Any:
        numbers = draw.normal(size=shape)
        if rank is not None:
            numbers = draw.normal(size=(shape[0], rank)) @ draw.normal(size=(rank, shape[1]))
        return numpy_helper.from_array(numbers.astype(np.float32), name)

    def spread(tensor: Any, *shape: int) -> Any:
        numbers = numpy_helper.to_array(tensor).reshape(shape)
        return numpy_helper.from_array(numbers, tensor.name)

    node = helper.make_node
    last = [node("Softmax", ["scores"], ["y"], axis=-1)]
    if kind == "tokens":
        constants = [weights("a", 4, 6, rank=2), weights("b", 6, 3), weights("c", 3, 5)]
        nodes = [
            node("MatMul", ["x", "a"], ["features"]),
            node("MatMul", ["features", "b"], ["mixed"]),
            node("Relu", ["mixed"], ["pooled"]),
            node("MatMul", ["pooled", "c"], ["scores"]),
        ]
        ends = [samples, 7, 4], [samples, 7, 5]
    else:
        size = (5, 5) if kind == "picture" else (7,)
        ones, threes = (1,) * len(size), (3,) * len(size)
        constants = [
            spread(weights("a", 6, 4, rank=2), 6, 4, *ones),
            weights("bias", 6),
            weights("b", 3, 6, *threes),
            weights("c", 3, 5),
        ]
        nodes = [
            node("Conv", ["x", "a", "bias"], ["features"]),
            node("Conv", ["features", "b"], ["mixed"]),
            node("Relu", ["mixed"], ["positive"]),
            node("GlobalAveragePool", ["positive"], ["mean"]),
            node("Flatten", ["mean"], ["pooled"]),
            node("Gemm", ["pooled", "c"], ["scores"]),
        ]
        ends = [samples, 4, *size], [samples, 5]
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in zip("xy", ends, strict=True)
    )
    graph = helper.make_graph([*nodes, *last], kind, [x], [y], constants)
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return bytes(model.SerializeToString())


@pytest.fixture
def branches() -> Callable[..., Network]:
    """Networks of chains side by side, of these lengths, all of which one last layer reads."""

    def make(*lengths: int) -> Network:
        layers, ends = list[Layer](), list[str]()
        for branch, length in enumerate(lengths):
            before = "image"
            for step in range(length):
                name = f"b{branch}.{step}"
                shape = (4, 4, 4)
                layers.append(
                    Layer(name, "conv", 4, 4, (4, 4), inputs=(before,), outputs=((name, shape),))
                )
                before = name
            ends.append(before)
        last = Layer(
            "last",
            "conv",
            4,
            4 * len(lengths),
            (4, 4),
            inputs=tuple(ends),
            outputs=(("out", (4, 4, 4)),),
        )
        return Network("branches", (("image", (4, 4, 4)),), (*layers, last))

    return make


@pytest.fixture(scope="session")
def make_graph() -> MakeGraph:
    """Make a graph of operators from columns, entry k for node k; what is not given is free."""

    def make(work: list[int | None], edges: Any = (), **given: Any) -> OperatorGraph:
        usual = {"accelerators": 2, "cpus": 0, "memory": 100, "digits": 0}
        sizes = {key: given.pop(key, default) for key, default in usual.items()}
        rows: list[dict[str, Any]] = [
            {"id": k, "name": f"op{k}", "cpu": 0, "accelerator": own} for k, own in enumerate(work)
        ]
        for key, column in given.items():
            for row, value in zip(rows, column, strict=True):
                row[key] = value
        nodes = tuple(Node(**row) for row in rows)
        return OperatorGraph("made", nodes, tuple(edges), **sizes)

    return make
