"""Models that choose ratios: against all schedules, their hints, and what is ruled out before."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from formulations.formulation import FORMULATIONS, Formulation, formulate
from formulations.merged_pipeline import ratios as shared
from formulations.merged_pipeline.ratio_columns import RatioColumns
from formulations.merged_pipeline.ratio_reduction import reduction
from formulations.merged_pipeline.ratios import loss_share
from formulations.modellers import Solution
from formulations.modellers.cpsat import CpSatModeller
from formulations.modellers.milp import MilpModeller
from instances.compressed_costs import CompressedCosts
from instances.compression import Coders, Compression
from instances.generate import random_instance
from instances.generate_ratios import random_ratios
from instances.instance import Instance
from instances.ratio_tables import relaxed
from instances.tables import LIMIT
from schedules.evaluate import cluster_cost, evaluate
from schedules.goal import Goal, Pin, Weights
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations

Kind = type[CpSatModeller] | type[MilpModeller]
Solve = Callable[[Formulation], tuple[int, Solution] | None]
AtHint = Callable[[Formulation], tuple[int, Solution]]
BestOfAll = Callable[..., Progress]
MakeInstance = Callable[..., Instance]

every_formulation = pytest.mark.parametrize("name", FORMULATIONS)

COMPRESSED = [19, 37, 47, 71]
"""Seeds with which the best schedules compress something."""


def small(seed: int, **given: object) -> Instance:
    """Three or four layers, on three chiplets."""
    instance = random_instance(
        seed, layers=3 + seed % 2, chiplets=3, shape="dag" if seed % 2 else "chain"
    )
    return random_ratios(instance, seed, **given)  # type: ignore[arg-type]


def compression_of(instance: Instance) -> Compression:
    assert instance.compression is not None
    return instance.compression


def best_schedule(progress: Progress) -> Schedule:
    assert progress.best is not None
    return progress.best


@every_formulation
@pytest.mark.parametrize("seed", COMPRESSED)
@pytest.mark.parametrize("goal", [Goal(), Goal("energy")], ids=["latency", "energy"])
def test_the_optimum_is_that_of_all_schedules_and_ratios(
    kind: Kind, solve: Solve, best_of_all: BestOfAll, name: str, seed: int, goal: Goal
) -> None:
    instance = small(seed)
    best = best_of_all(instance, goal)
    model = formulate(name, instance, kind(), goal)
    found = solve(model)
    assert found is not None
    assert found[0] == best.objective
    schedule = model.extract(found[1])
    assert violations(instance, schedule) == []
    assert goal.value(evaluate(instance, schedule)) == best.objective
    assert any(schedule.ratios)


@every_formulation
@pytest.mark.parametrize("seed", [102, 103, 104, 105])
def test_within_a_limit_the_optimum_stays(
    solve: Solve, best_of_all: BestOfAll, name: str, seed: int
) -> None:
    instance = small(seed)
    best = best_of_all(instance).objective
    assert best is not None
    model = formulate(name, instance, CpSatModeller(), limit=best)
    found = solve(model)
    assert found is not None
    assert found[0] == best
    assert model.bound is None or model.bound <= best
    none = solve(formulate(name, instance, CpSatModeller(), limit=best - 1))
    assert none is None or none[0] >= best


@every_formulation
@pytest.mark.parametrize("seed", COMPRESSED[:2])
def test_conditions_hold_where_something_is_compressed(
    solve: Solve, best_of_all: BestOfAll, name: str, seed: int
) -> None:
    instance = small(seed)
    frugal = best_of_all(instance, Goal("energy")).objective
    assert frugal is not None
    for goal in (
        Goal(energy_cap=frugal + frugal // 20),
        Goal(chiplets=2, clusters=1),
        Goal(segments=2, pins=(Pin(1, segment=True),)),
    ):
        best = best_of_all(instance, goal).objective
        found = solve(formulate(name, instance, CpSatModeller(), goal))
        assert best == (None if found is None else found[0])


@every_formulation
@pytest.mark.parametrize("seed", COMPRESSED[:2])
@pytest.mark.parametrize("goal", [Goal(), Goal("energy")], ids=["latency", "energy"])
def test_a_schedule_with_ratios_is_a_point_at_its_cost(
    at_hint: AtHint, best_of_all: BestOfAll, name: str, seed: int, goal: Goal
) -> None:
    instance = small(seed)
    progress = best_of_all(instance, goal)
    model = formulate(name, instance, CpSatModeller(), goal)
    model.hint(best_schedule(progress))
    cost, solution = at_hint(model)
    assert cost == progress.objective
    assert goal.value(evaluate(instance, model.extract(solution))) == progress.objective


@every_formulation
def test_a_schedule_may_have_ratios_that_are_of_no_use(at_hint: AtHint, name: str) -> None:
    instance = random_instance(4, layers=4, chiplets=3, options=1, memory="loose")
    instance = random_ratios(instance, 4, budget="loose")
    given = compression_of(instance)
    whole = Cluster(0, 3, 3, instance.options * 4)
    ratios = given.ratios_of(given.losses.argmax(axis=1).tolist())
    schedule = Schedule((Segment((whole,)),), ratios)
    assert any(schedule.ratios)
    model = formulate(name, instance, CpSatModeller())
    model.hint(schedule)
    cost, solution = at_hint(model)
    assert cost == evaluate(instance, schedule).latency
    assert model.extract(solution).ratios == ()


@every_formulation
@pytest.mark.parametrize("seed", range(3))
def test_without_a_budget_it_is_the_plain_problem(
    solve: Solve, best_of_all: BestOfAll, name: str, seed: int
) -> None:
    instance = small(seed, budget="zero")
    plain = replace(instance, tables=instance.costs, compression=None)
    found = solve(formulate(name, instance, CpSatModeller()))
    best = best_of_all(plain).objective
    assert best == (None if found is None else found[0])


@pytest.mark.parametrize("name", ["interval", "segment"])
def test_ratios_that_cannot_pay_leave_the_plain_model(name: str) -> None:
    instance = small(3, budget="zero")
    plain = replace(instance, tables=instance.costs, compression=None)
    sizes = [
        len(formulate(name, own, CpSatModeller()).modeller.model.proto.variables)
        for own in (instance, plain)
    ]
    assert sizes[0] == sizes[1]


def all_choices(given: Compression) -> Iterator[tuple[int, ...]]:
    """Every choice for each layer that the budget allows."""
    own = [np.flatnonzero(row >= 0).tolist() for row in given.losses]
    for choices in product(*own):
        if given.loss(choices) <= given.budget:
            yield choices


@pytest.mark.parametrize("energy", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_columns_are_what_no_options_beat_with_the_same_ratios(seed: int, energy: bool) -> None:
    instance = random_instance(
        seed, layers=3, chiplets=3, shape="dag" if seed % 2 else "chain", memory="tight"
    )
    instance = random_ratios(instance, seed, ratios=2)
    given = compression_of(instance)
    columns = RatioColumns(instance, np.full((3, 3), LIMIT), energy)
    for first, last in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]:
        own = columns.of(first, last)
        found: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
        for q in own:
            costs = q.chiplets, q.time, q.energy if energy else 0, q.load, q.load_energy
            found.setdefault(q.choices, set()).add(costs)
        expected = undominated_clusters(instance, given, first, last, energy)
        assert found == expected


def undominated_clusters(
    instance: Instance, given: Compression, first: int, last: int, energy: bool
) -> dict[tuple[int, ...], set[tuple[int, ...]]]:
    """Choices of what crosses -> chiplets, time, energy and loads of the best clusters."""
    found: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
    for choices in all_choices(given):
        costs = CompressedCosts(instance.tables, given, choices)
        place = tuple(choices[layer] for layer in given.crossing(first, last))
        for size, options in product(
            range(1, instance.chiplets + 1), product(instance.options, repeat=last - first + 1)
        ):
            cost = cluster_cost(costs, Cluster(first, last, size, options))
            if cost.memory <= instance.capacity:
                joules = cost.energy if energy else 0
                row = size, cost.time, joules, cost.load, cost.load_energy
                found.setdefault(place, set()).add(row)
    for place, rows in found.items():
        found[place] = {
            row
            for row in rows
            if not any(o != row and all(o[at] <= row[at] for at in range(3)) for o in rows)
        }
    return found


@pytest.mark.parametrize("seed", range(6))
def test_no_choice_undercuts_the_relaxed_costs(seed: int) -> None:
    instance = small(seed)
    least, given = relaxed(instance).tables, compression_of(instance)
    layers = len(instance.layers)
    for choices in all_choices(given):
        costs = CompressedCosts(instance.tables, given, choices)
        for first in range(layers):
            for last in range(first, layers):
                assert least.io[first, last] <= costs.segment(first, last).dram
                cluster = Cluster(first, last, 2, instance.options[:1] * (last - first + 1))
                own, bound = cluster_cost(costs, cluster), cluster_cost(least, cluster)
                assert bound.time <= own.time
                assert bound.energy <= own.energy
                assert bound.memory <= own.memory


@pytest.mark.parametrize("seed", range(6))
def test_a_segment_is_crossed_where_something_enters_or_leaves(seed: int) -> None:
    given = compression_of(small(seed))
    count = len(given.readers)
    for layer in range(count):
        crossed = given.segments_crossed(layer)
        for first in range(count):
            for last in range(first, count):
                assert crossed[first, last] == (layer in given.crossing(first, last))


@pytest.mark.parametrize("seed", COMPRESSED)
def test_what_is_ruled_out_is_replaced_at_no_cost(best_of_all: BestOfAll, seed: int) -> None:
    instance = small(seed)
    progress = best_of_all(instance)
    limit = progress.objective
    found = reduction(instance, Goal(), Weights(1, 0), limit)
    settled = found.settled(instance, best_schedule(progress))
    assert violations(instance, settled) == []
    assert evaluate(instance, settled).latency == progress.objective
    assert found.instance.compression is not None
    left = found.instance.compression.choices(settled.ratios)
    assert (found.instance.compression.losses[np.arange(len(left)), left] >= 0).all()


@pytest.mark.parametrize("seed", [19, 29, 47, 71])
def test_the_shares_of_clusters_are_what_a_schedule_loses(
    best_of_all: BestOfAll, seed: int
) -> None:
    instance = small(seed)
    given, schedule = compression_of(instance), best_schedule(best_of_all(instance))
    choices = given.choices(schedule.ratios)
    clusters = [cluster for segment in schedule.segments for cluster in segment.clusters]
    shares = [
        loss_share(
            given,
            own.first,
            own.last,
            [choices[layer] for layer in given.crossing(own.first, own.last)],
        )
        for own in clusters
    ]
    crossed = {layer for own in clusters for layer in given.leaving(own.first, own.last)}
    lost = given.loss([k if layer in crossed else 0 for layer, k in enumerate(choices)])
    assert sum(shares) == lost > 0


@pytest.mark.parametrize("name", ["interval", "segment"])
def test_the_budget_of_losses_raises_the_bound(make_instance: MakeInstance, name: str) -> None:
    # Of seven tensors, each of which could save 8 cycles, only one may be compressed.
    tight, loose = (shrinking(make_instance, budget) for budget in (5, 50))
    best = 8 * 20 - 8
    without = formulate(name, loose, CpSatModeller(), limit=best).bound
    within = formulate(name, tight, CpSatModeller(), limit=best).bound
    assert without == 8 * 20 - 7 * 8
    assert within is not None
    assert without < within <= best


def shrinking(make_instance: MakeInstance, budget: int) -> Instance:
    """A chain of eight segments of one layer, which take 10 cycles to enter and 10 to leave.

    What crosses may be compressed so that it takes 6 on either side, and lose 5.
    """
    layers = 8
    instance = make_instance([[[10]]] * layers, exit=10, resident=60)
    tables, inner = instance.tables, np.arange(layers - 1)
    entry, exit_ = np.stack([tables.entry] * 2), np.stack([tables.exit] * 2)
    entry[1, inner + 1] = exit_[1, inner] = 6
    losses = np.tile([0, 5], (layers, 1))
    losses[-1, 1] = -1
    nothing = np.zeros((2, layers), dtype=np.int64)
    free = Coders(nothing[..., None], nothing, nothing)
    given = Compression(
        ratios=(1, 2),
        readers=(*((layer + 1,) for layer in inner.tolist()), ()),
        losses=losses,
        budget=budget,
        entry=entry,
        exit=exit_,
        entry_energy=np.stack([tables.energy.entry] * 2),
        exit_energy=np.stack([tables.energy.exit] * 2),
        skips=(),
        encoders=free,
        decoders=free,
        traffic=tables.io,
        saved=nothing,
        rate=(1, 1),
        saved_energy=nothing,
    )
    return replace(instance, compression=given)


def test_too_many_combinations_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MOST_CHOICES", 1)
    with pytest.raises(ValueError, match="allow fewer ratios, or compress fewer tensors"):
        formulate("interval", small(19, budget="loose"), CpSatModeller())
