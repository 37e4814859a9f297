"""Every built-in network on every built-in package: sound tables and a schedule that runs."""

from __future__ import annotations

from functools import cache
from math import ceil

import numpy as np
import pytest

from heuristics.baselines import sequential
from instances.cost import OPTIONS, build_tables
from instances.instance import Instance
from instances.network import Network
from instances.networks import NETWORKS, build_network
from instances.packages import load_package, package_names
from instances.tables import LIMIT, CostTables
from schedules.evaluate import evaluate
from schedules.progress import Progress
from schedules.verify import violations

BATCH = 64


@cache
def network(name: str) -> Network:
    return build_network(name)


@pytest.mark.parametrize("package_name", package_names())
@pytest.mark.parametrize("network_name", NETWORKS)
def test_every_network_runs_on_every_package(network_name: str, package_name: str) -> None:
    tables = build_tables(network(network_name), load_package(package_name))
    check_signs_and_shapes(tables)
    check_compute(network(network_name), tables, load_package(package_name).chiplet.macs)

    instance = Instance("built in", BATCH, tables)
    progress = Progress(instance)
    sequential(instance, progress, seed=0, workers=1)
    assert progress.best is not None
    assert violations(instance, progress.best) == []
    found = evaluate(instance, progress.best)
    assert 0 < found.latency < LIMIT
    assert 0 < found.energy < LIMIT
    assert 0 < found.utilisation <= 1


def check_signs_and_shapes(tables: CostTables) -> None:
    """No negative entry; `step` and `io` empty where they mean nothing."""
    count, options, chiplets = tables.shape
    assert tables.options == OPTIONS
    energy = tables.energy
    cube = (count, options, chiplets)
    for table in (tables.exit, tables.resident, tables.working, energy.entry, energy.exit):
        assert table.shape == cube
        assert table.dtype == np.int64
        assert table.min() >= 0
    assert tables.entry.min() > 0
    assert tables.load.min() >= 0
    assert energy.load.min() >= 0
    assert tables.alone.min() >= -1
    assert energy.alone.min() >= 0
    for step in (tables.step, energy.step):
        assert step.shape == (count, options, options, chiplets)
        assert not step[0].any()
        assert step[1:].min(initial=1) > 0
    for plane in (tables.io, energy.io):
        assert plane.shape == (count, count)
        assert not np.tril(plane, -1).any()
        assert plane[np.triu_indices(count)].min() > 0
    for skip in tables.skips:
        assert skip.enter.shape == skip.enter_energy.shape == (len(skip.consumers), *cube[1:])
        assert skip.leave.shape == skip.leave_energy.shape == skip.hold.shape == (chiplets,)
        # Zero where the consumer comes right after the producer.
        assert min(skip.enter.min(initial=0), skip.enter_energy.min(initial=0)) >= 0
        assert min(skip.leave.min(), skip.leave_energy.min(), skip.hold.min()) > 0


def check_compute(network: Network, tables: CostTables, macs_a_cycle: int) -> None:
    """No chiplet works faster than its array, and no stage is faster than its compute."""
    assert tables.compute is not None
    n = np.arange(1, tables.chiplets + 1)
    macs = np.array([layer.macs for layer in network.layers])[:, None, None]
    assert (tables.compute * n * macs_a_cycle >= macs).all()
    assert (tables.entry >= tables.compute).all()
    assert (tables.step[1:] >= tables.compute[1:, None]).all()
    alone = tables.alone >= 0
    least = -(-macs[:, 0, 0] // (macs_a_cycle * tables.chiplets))
    assert (tables.alone[alone] >= least[alone]).all()


def test_tables_of_resnet152_on_256_chiplets_take_less_than_500_mb() -> None:
    tables = build_tables(network("resnet152"), load_package("simba-16x16"))
    count, options, chiplets = tables.shape
    assert (count, chiplets) == (152 + 4, 256)
    both_steps = 2 * 8 * count * options**2 * chiplets
    assert both_steps < tables.nbytes < 500_000_000


def test_vgg16s_100_mb_layer_runs_in_tiles_on_16_small_buffers() -> None:
    package = load_package("simba-4x4")
    vgg = network("vgg16")
    (big,) = [k for k, layer in enumerate(vgg.layers) if layer.weights > 10**8]
    tables = build_tables(vgg, package)
    weights = vgg.layers[big].weights
    assert weights > package.chiplets * package.chiplet.buffer_bytes
    assert (tables.resident[big] > tables.capacity).all()

    instance = Instance("vgg16", BATCH, tables)
    progress = Progress(instance)
    sequential(instance, progress, seed=0, workers=1)
    assert progress.best is not None
    segment = progress.best.segments[big]
    assert segment.tiled
    assert segment.clusters[0].chiplets == 16
    # 2 ports of 64 GB/s at 500 MHz bring 256 bytes a cycle, after 200 ns.
    assert tables.load[big] == ceil(weights / 256) + 100
