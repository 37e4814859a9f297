"""Random instances: sound, reproducible, and rich in the cases that methods get wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from instances.files.table_file import tables_to_data
from instances.generate import MAX_DRAWN, random_instance
from instances.instance import Instance
from instances.tables import CostTables, Ints

SAMPLE = 400


@cache
def sample() -> tuple[Instance, ...]:
    return tuple(random_instance(seed) for seed in range(SAMPLE))


def share(marked: list[bool]) -> float:
    return sum(marked) / len(marked)


def needs(tables: CostTables) -> Ints:
    """[L] bytes that each layer needs on the region and with the option that suit it best."""
    least: Ints = (tables.resident + tables.working).min(axis=(1, 2))
    return least


def feasible(tables: CostTables) -> bool:
    """Layers in segments of their own are the schedule that needs least memory."""
    return bool(((needs(tables) <= tables.capacity) | (tables.alone >= 0)).all())


def arrays(tables: CostTables) -> Iterator[Ints]:
    for holder in (tables, tables.energy, *tables.skips):
        yield from (value for value in vars(holder).values() if isinstance(value, np.ndarray))


def test_the_same_seed_gives_the_same_instance() -> None:
    assert tables_to_data(random_instance(5)) == tables_to_data(random_instance(5))
    assert tables_to_data(random_instance(5)) != tables_to_data(random_instance(6))


def test_tables_are_integers_of_the_promised_shapes() -> None:
    for instance in sample():
        tables = instance.tables
        count, options, chiplets = tables.shape
        assert tables.step.shape == (count, options, options, chiplets)
        assert tables.io.shape == (count, count)
        assert not np.tril(tables.io, -1).any()
        assert not tables.step[0].any()
        for table in arrays(tables):
            assert table.dtype == np.int64
            assert table.flags.writeable
            assert (table >= (-1 if table is tables.alone else 0)).all()
        for skip in tables.skips:
            assert skip.enter.shape == (len(skip.consumers), options, chiplets)
            assert skip.enter_energy.shape == skip.enter.shape
            assert skip.leave.shape == skip.hold.shape == skip.leave_energy.shape == (chiplets,)


def test_default_sizes_cover_their_ranges() -> None:
    shapes = [(*instance.tables.shape, instance.batch) for instance in sample()]
    limits = [MAX_DRAWN[key] for key in ("layers", "options", "chiplets", "batch")]
    for axis, limit in enumerate(limits):
        assert {shape[axis] for shape in shapes} == set(range(1, limit + 1))


def test_some_but_not_too_many_default_instances_are_infeasible() -> None:
    assert 0.10 <= share([not feasible(instance.tables) for instance in sample()]) <= 0.20


def test_some_feasible_instances_need_a_tiled_segment() -> None:
    tiled = [
        feasible(i.tables) and bool((needs(i.tables) > i.tables.capacity).any()) for i in sample()
    ]
    assert share(tiled) > 0.05


def test_memory_forbids_the_single_cluster_in_many_instances() -> None:
    bound = []
    for instance in sample():
        tables = instance.tables
        least = tables.resident[:, :, -1].min(axis=1).sum() + tables.working.min(axis=(1, 2)).max()
        bound.append(bool(least > tables.capacity))
    assert share(bound) > 0.25


def test_skip_tensors_of_every_kind_occur() -> None:
    skips = [skip for instance in sample() for skip in instance.tables.skips]
    kinds = {
        "outside": [skip.producer == -1 for skip in skips],
        "inside": [skip.producer >= 0 for skip in skips],
        "several consumers": [len(skip.consumers) > 1 for skip in skips],
        "leaves": [skip.leaves for skip in skips],
        "successor too": [skip.producer + 1 in skip.consumers for skip in skips],
        "ends early": [not skip.leaves for skip in skips],
    }
    for kind, marked in kinds.items():
        assert share(marked) > 0.1, kind
    for skip in skips:
        assert skip.leaves or skip.consumers[-1] > skip.producer + 1
        assert list(skip.consumers) == sorted(set(skip.consumers))
        assert all(consumer > skip.producer for consumer in skip.consumers)
        assert not (skip.leaves and skip.producer == -1)
    assert 0.25 < share([bool(instance.tables.skips) for instance in sample()]) < 0.6


def rises(instance: Instance) -> bool:
    tables = instance.tables
    times = [tables.entry, tables.step, tables.exit]
    times += [table for skip in tables.skips for table in (skip.enter, skip.leave)]
    return any(bool((np.diff(table, axis=-1) > 0).any()) for table in times)


def test_stage_times_rise_with_chiplets_only_where_asked() -> None:
    assert share([rises(instance) for instance in sample()]) > 0.25
    asked = [random_instance(seed, chiplets=4, monotone=False) for seed in range(50)]
    assert share([rises(instance) for instance in asked]) > 0.9
    assert not any(rises(random_instance(seed, chiplets=4, monotone=True)) for seed in range(100))


def test_switches_decide_shape_and_memory() -> None:
    for seed in range(60):
        assert random_instance(seed, shape="chain").tables.skips == ()
        loose = random_instance(seed, memory="loose").tables
        worst = loose.resident.max(axis=(1, 2)).sum() + loose.working.max()
        held = sum(int(skip.hold.max()) for skip in loose.skips)
        assert worst + held <= loose.capacity
    dags = [random_instance(seed, layers=5, shape="dag").tables.skips for seed in range(60)]
    assert share([bool(skips) for skips in dags]) > 0.9
    tight = [random_instance(seed, layers=4, memory="tight").tables for seed in range(60)]
    assert 0.1 < share([not feasible(tables) for tables in tight]) < 0.4


def test_given_sizes_are_kept() -> None:
    instance = random_instance(1, layers=30, chiplets=16, options=2)
    assert instance.tables.shape == (30, 2, 16)
    assert instance.tables.options == ("ISP", "WSP")


@pytest.mark.parametrize("size", [{"layers": 0}, {"chiplets": -1}, {"options": 0}])
def test_sizes_below_one_are_refused(size: dict[str, int]) -> None:
    (key,) = size
    with pytest.raises(ValueError, match=f"{key} .* is not at least 1"):
        random_instance(
            0, layers=size.get("layers"), chiplets=size.get("chiplets"), options=size.get("options")
        )


def test_more_options_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="4 options, expected at most 3"):
        random_instance(0, options=4)


def test_resident_weights_shrink_with_chiplets_unless_replicated() -> None:
    tables = random_instance(2, layers=5, chiplets=4, options=3).tables
    isp, wsp, sharded = (tables.resident[:, option] for option in range(3))
    assert (isp == sharded).all()
    assert (wsp == wsp[:, :1]).all()
    assert (isp[:, 0] == wsp[:, 0]).all()
    assert (isp[:, 3] == -(-isp[:, 0] // 4)).all()
