"""Compression: each constraint family binds, in all formulations, as CP-SAT and as MILP models."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from formulations.formulation import Formulation, formulate
from formulations.merged_pipeline import compact, interval, segment
from formulations.merged_pipeline.compact_ratios import CODING_FAMILIES
from formulations.merged_pipeline.ratio_families import COLUMN_FAMILIES
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller
from instances.compression import Coders, Compression
from instances.generate import random_instance
from instances.generate_ratios import random_ratios
from instances.instance import Instance
from schedules.goal import Goal
from schedules.progress import Progress

MakeInstance = Callable[..., Instance]
BestOfAll = Callable[..., Progress]
Kind = type[CpSatModeller] | type[MilpModeller]
Solved = Callable[[Formulation], int | None]

FAMILIES = {
    "compact": compact.FAMILIES,
    "interval": interval.FAMILIES,
    "segment": segment.FAMILIES,
}
COLUMNS = ("interval", "segment")
LATENCY, ENERGY = Goal(), Goal("energy")


def small(seed: int) -> Instance:
    """Three layers with one option on two chiplets."""
    instance = random_instance(
        seed,
        shape="dag" if seed % 2 else "chain",
        layers=3,
        chiplets=2,
        options=1,
        memory="loose" if seed // 2 % 2 else "tight",
    )
    return random_ratios(instance, seed, ratios=1 + seed % 2)


def busy(seed: int) -> Instance:
    """The same with so much DRAM traffic that it decides."""
    instance = random_instance(seed, layers=3, chiplets=2, options=1, memory="loose")
    instance = random_ratios(instance, seed, ratios=2, budget="loose")
    given = instance.compression
    assert given is not None
    more = replace(given, traffic=30 * given.traffic, saved=30 * given.saved)
    tables = replace(instance.tables, io=30 * instance.tables.io)
    return replace(instance, tables=tables, compression=more)


def two_of_four(make_instance: MakeInstance) -> Instance:
    """Four segments of one layer each, with 10 cycles of DRAM traffic between every two.

    The first layer's output, and the third's, may shrink to 6 cycles and lose 5; 5 is the budget.
    """
    io = np.diag([10, 20, 20, 10])
    instance = make_instance([[[1]]] * 4, resident=60, io=io)
    tables, shape = instance.tables, (2, 4)
    nothing = Coders(*(np.zeros((*shape, *more), dtype=np.int64) for more in ((1,), (), ())))
    given = Compression(
        ratios=(1, 2),
        readers=((1,), (2,), (3,), ()),
        losses=np.array([[0, 5], [0, -1], [0, 5], [0, -1]]),
        budget=5,
        entry=np.stack([tables.entry] * 2),
        exit=np.stack([tables.exit] * 2),
        entry_energy=np.stack([tables.energy.entry] * 2),
        exit_energy=np.stack([tables.energy.exit] * 2),
        skips=(),
        encoders=nothing,
        decoders=nothing,
        traffic=tables.io,
        saved=np.array([[0, 0, 0, 0], [4, 0, 4, 0]]),
        rate=(1, 1),
        saved_energy=np.zeros(shape, dtype=np.int64),
    )
    return replace(instance, compression=given)


def optimum(name: str, kind: Kind, instance: Instance, goal: Goal, *left_out: str) -> Formulation:
    """The model without some families; `price` knows what all of them cost together."""
    families = [family for family in FAMILIES[name] if family not in (*left_out, "price")]
    return formulate(name, instance, kind(), goal, families=families)


CASES = [
    *((name, "one_ratio", small, 9, LATENCY) for name in COLUMNS),
    *((name, "encode", small, 27, LATENCY) for name in COLUMNS),
    *((name, "decode", small, 9, LATENCY) for name in COLUMNS),
    *((name, "spare", small, 5, ENERGY) for name in COLUMNS),
    *((name, "code_traffic", busy, 2, LATENCY) for name in FAMILIES),
    *((name, "plain_tiles", small, 9, LATENCY) for name in FAMILIES),
    ("compact", "one_ratio", small, 5, LATENCY),
    ("compact", "coded_charges", small, 5, LATENCY),
    ("compact", "coded_time", small, 5, LATENCY),
    ("compact", "coded_energy", small, 5, ENERGY),
]


@pytest.mark.parametrize(("name", "family", "make", "seed", "goal"), CASES)
def test_without_a_family_the_model_promises_too_much(
    kind: Kind,
    solved: Solved,
    best_of_all: BestOfAll,
    name: str,
    family: str,
    make: Callable[[int], Instance],
    seed: int,
    goal: Goal,
) -> None:
    instance = make(seed)
    best = best_of_all(instance, goal).objective
    assert solved(optimum(name, kind, instance, goal)) == best
    off = solved(optimum(name, kind, instance, goal, family))
    assert off is not None
    assert best is not None
    assert off < best


@pytest.mark.parametrize("name", FAMILIES)
def test_a_budget_lets_one_of_two_tensors_shrink(
    kind: Kind,
    solved: Solved,
    best_of_all: BestOfAll,
    make_instance: MakeInstance,
    name: str,
) -> None:
    instance = two_of_four(make_instance)
    assert best_of_all(instance).objective == 60 - 4 - 4
    assert solved(optimum(name, kind, instance, LATENCY)) == 60 - 4 - 4
    assert solved(optimum(name, kind, instance, LATENCY, "budget")) == 60 - 4 * 4


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_a_flip_test(name: str) -> None:
    own = CODING_FAMILIES if name == "compact" else COLUMN_FAMILIES
    assert {family for at, family, *_ in CASES if at == name} | {"budget"} == set(own)
