"""Ranks against a listing of literally every schedule."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations_with_replacement, product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chipweave as cw
from instances.generate import random_instance
from instances.instance import Instance
from instances.tables import Ints
from schedules.evaluate import cluster_cost, latency
from schedules.progress import Progress
from schedules.schedule import Cluster, Schedule, Segment
from schedules.verify import violations
from solvers.ranking import Space, any_segments, one_segment, rank, stages, uniform, work
from solvers.ranking import convolution as polynomials
from solvers.ranking.interval import clopper_pearson
from solvers.ranking.place import Effort, draw
from solvers.ranking.space import Segments, narrowed, number_of_all
from solvers.ranking.uniform import Feasible

MakeInstance = Callable[..., Instance]

KINDS: tuple[Segments, ...] = ("one", "any")
SPACES = [Space(segments, None, used) for segments, used in product(KINDS, (False, True))]


def small(seed: int) -> Instance:
    """Chains and DAGs, one to three options, tight and loose buffers; some fit nowhere."""
    layers = seed % 4 + 1
    return random_instance(
        seed,
        layers=layers,
        chiplets=seed % 3 + 1 if layers == 4 else seed % 5 + 1,
        options=2 if layers == 4 else seed % 3 + 1,
        shape="chain" if seed % 5 == 0 else "dag",
        memory=None if seed % 3 else "tight",
    )


def listed(instance: Instance, space: Space) -> list[Schedule]:
    """All schedules of a space, those that do not fit among them."""
    schedules = (Schedule(segments) for segments in _segmentations(instance, 0))
    return [schedule for schedule in schedules if space.outside(instance, schedule) is None]


def _segmentations(instance: Instance, first: int) -> Iterator[tuple[Segment, ...]]:
    count, _, chiplets = instance.tables.shape
    if first == count:
        yield ()
    for last in range(first, count):
        own = [Segment(clusters) for clusters in _clusters(instance, first, last, chiplets)]
        if first == last and instance.tables.alone[first] >= 0:
            whole = Cluster(first, first, chiplets, instance.tables.options[:1])
            own.append(Segment((whole,), tiled=True))
        for rest in _segmentations(instance, last + 1):
            for segment in own:
                yield (segment, *rest)


def _clusters(
    instance: Instance, first: int, last: int, chiplets: int
) -> Iterator[tuple[Cluster, ...]]:
    if first > last:
        yield ()
        return
    for end, own in product(range(first, last + 1), range(1, chiplets + 1)):
        for names in product(instance.tables.options, repeat=end + 1 - first):
            for rest in _clusters(instance, end + 1, last, chiplets - own):
                yield (Cluster(first, end, own, names), *rest)


def fitting(instance: Instance, space: Space) -> list[Schedule]:
    return [schedule for schedule in listed(instance, space) if not violations(instance, schedule)]


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("seed", range(24))
def test_counts_are_those_of_a_listing(seed: int, space: Space) -> None:
    instance = small(seed)
    schedules = listed(instance, space)
    assert number_of_all(instance, space) == len(schedules)
    times = [latency(instance, s) for s in schedules if not violations(instance, s)]
    feasible = Feasible(instance, space, Progress(instance), 1)
    assert feasible.number == len(times)
    method = one_segment if space.segments == "one" else any_segments
    rising = sorted(set(times))
    asked = {*rising[:3], *rising[len(rising) // 2 :][:1], *rising[-1:]} or {1000}
    for bound in sorted({0, *asked, *(time + 1 for time in asked), min(asked) - 1}):
        counts = method.count_up_to(instance, space, bound, Progress(instance), 2)
        assert counts == (sum(time < bound for time in times), times.count(bound)), bound


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("seed", range(12))
def test_every_schedule_that_fits_has_one_number(seed: int, space: Space) -> None:
    instance = small(seed)
    feasible = Feasible(instance, space, Progress(instance), 1)
    numbered = Counter(feasible.schedule(number) for number in range(feasible.number))
    assert numbered == Counter(fitting(instance, space))


def test_numbers_out_of_range_are_refused(example: Instance) -> None:
    feasible = Feasible(example, Space(), Progress(example), 1)
    with pytest.raises(IndexError):
        feasible.schedule(feasible.number)


def test_draws_are_uniform(example: Instance) -> None:
    """Pearson's statistic is about as large as its degrees of freedom."""
    feasible = Feasible(example, Space("any"), Progress(example), 1)
    random = Random(1)
    size, each = feasible.number, 100
    drawn = Counter(feasible.schedule(random.randrange(size)) for _ in range(size * each))
    statistic = sum((drawn[s] - each) ** 2 / each for s in fitting(example, Space("any")))
    assert abs(statistic - (size - 1)) < 3 * (2 * (size - 1)) ** 0.5


def test_intervals_hold_the_true_share_as_often_as_they_say(example: Instance) -> None:
    space = Space("any")
    feasible = Feasible(example, space, Progress(example), 1)
    times = [latency(example, schedule) for schedule in fitting(example, space)]
    bound = sorted(times)[len(times) // 10]
    share = sum(time < bound for time in times) / len(times)
    held = 0
    for seed in range(200):
        sample = draw(example, feasible, bound, Effort(50, None, seed, 1), Progress(example))
        assert sample is not None
        held += sample.low <= share <= sample.high
    assert 190 <= held < 200


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("segments", KINDS)
def test_nothing_is_faster_than_exact(seed: int, segments: Segments) -> None:
    instance = random_instance(seed, layers=6, chiplets=5, options=3, memory="loose")
    place = rank(instance, "exact", Space(segments), workers=1)
    assert place.outside is None
    assert place.better == 0
    assert place.equal is not None
    assert place.equal >= 1
    assert place.share == 0


def test_alexnet_on_16_chiplets_is_counted_as_one_by_one() -> None:
    """43,659,264 schedules, of which those that fit are listed with their latencies."""
    instance = cw.instance("alexnet", "datacentre-4x4")
    space = Space(options=("ISP", "WSP"), all_chiplets=True)
    times = np.sort(np.concatenate(list(_latencies(narrowed(instance, space)))))
    for method in ("scope", "pipeline"):
        found = rank(instance, method, space)
        assert found.latency is not None
        assert found.schedules == 2**8 * 170_544 == 43_659_264
        assert found.feasible == len(times) == 1_545_298
        assert found.better == np.searchsorted(times, found.latency)
        assert found.equal == np.count_nonzero(times == found.latency)


def test_scope_on_alexnet_is_among_the_best_half_of_a_thousandth() -> None:
    instance = cw.instance("alexnet", "datacentre-4x4")
    for space in (Space(), Space("any"), Space(options=("ISP", "WSP"), all_chiplets=True)):
        share = rank(instance, "scope", space).share
        assert share is not None
        assert share <= 0.0005


def _latencies(instance: Instance) -> Iterator[Ints]:
    """Latencies of all schedules of one segment that use all chiplets and fit."""
    tables = instance.tables
    count, _, chiplets = tables.shape
    stages: dict[tuple[int, int, int], Ints] = {}
    for first, last in combinations_with_replacement(range(count), 2):
        choices = list(product(tables.options, repeat=last + 1 - first))
        for size in range(1, chiplets + 1):
            clusters = (Cluster(first, last, size, names) for names in choices)
            costs = (cluster_cost(tables, cluster) for cluster in clusters)
            fit = [cost.time for cost in costs if cost.memory <= tables.capacity]
            stages[first, last, size] = np.array(fit, dtype=np.int64)

    def chains(first: int, left: int, number: int, beats: Ints) -> Iterator[Ints]:
        if first == count:
            if left == 0:
                yield tables.loads[-1] + (instance.batch + number - 1) * beats
            return
        for last, size in product(range(first, count), range(1, left + 1)):
            slowest = np.maximum.outer(beats, stages[first, last, size]).ravel()
            if len(slowest):
                yield from chains(last + 1, left - size, number + 1, slowest)

    yield from chains(0, chiplets, 0, tables.io[0, -1:])


def test_with_fewer_options_others_are_not_counted() -> None:
    instance = random_instance(3, layers=3, chiplets=3, options=3, shape="dag", memory="loose")
    space = Space("any", ("WSP-sharded", "ISP"))
    own = fitting(instance, space)
    within = narrowed(instance, space)
    assert number_of_all(within, space) == len(listed(instance, space))
    times = sorted(latency(instance, schedule) for schedule in own)
    found = rank(instance, own[len(own) // 2], space)
    assert found.feasible == len(own)
    assert found.outside is None
    assert found.latency is not None
    assert found.better == sum(time < found.latency for time in times)
    assert found.equal == times.count(found.latency)


def test_a_schedule_outside_the_space_is_ranked_by_its_latency(example: Instance) -> None:
    one = Cluster(0, 0, 2, ("ISP",)), Cluster(1, 1, 2, ("WSP",))
    apart = Schedule(tuple(Segment((cluster,)) for cluster in one))
    found = rank(example, apart)
    assert found.outside == "it has 2 segments"
    times = [latency(example, schedule) for schedule in fitting(example, Space())]
    assert found.better == sum(time < latency(example, apart) for time in times)
    used = rank(example, Schedule((Segment((Cluster(0, 1, 2, ("ISP", "ISP")),)),)), SPACES[1])
    assert used.outside == "segment 0 uses 2 of 3 chiplets"
    other = rank(example, apart, Space("any", ("ISP",)))
    assert other.outside == "segment 1 has a layer with option WSP"


def test_where_nothing_fits_there_is_no_share(make_instance: MakeInstance) -> None:
    instance = make_instance([[[5]], [[5]]], resident=[[[60]], [[60]]])
    found = rank(instance, "segmented")
    assert (found.feasible, found.better, found.equal) == (0, 0, 0)
    assert found.share is None
    nothing = rank(instance, "exact")
    assert nothing.schedule is None
    assert nothing.better is None
    assert nothing.reason == "the method found no schedule"


def test_what_cannot_be_counted_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = random_instance(2, layers=4, chiplets=4, options=2, memory="loose")
    counted = rank(instance, "sequential", Space("any"))
    assert counted.share
    monkeypatch.setattr(work, "MOST_SECONDS", 1e-5)
    monkeypatch.setattr(uniform, "refuse_long", lambda seconds, what: None)
    found = rank(instance, "sequential", Space("any"), samples=2000, seed=3)
    assert (found.better, found.equal) == (None, None)
    assert found.feasible == counted.feasible
    assert found.reason is not None
    assert "cycles from the best schedule on would take about" in found.reason
    assert found.sample is not None
    assert found.sample.drawn == 2000
    assert found.sample.low <= counted.share <= found.sample.high
    assert found.share == found.sample.better / 2000


def test_what_fits_cannot_be_counted_is_drawn_from_all(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = small(17)
    own = sorted(fitting(instance, Space("any")), key=lambda s: latency(instance, s))
    schedule = own[len(own) // 2]
    counted = rank(instance, schedule, Space("any"))
    monkeypatch.setattr(stages, "MOST_LABELS", 1)
    found = rank(instance, schedule, Space("any"), samples=4000, seed=1)
    assert (found.feasible, found.better) == (None, None)
    assert found.reason is not None
    assert "differ in more than 1 ways in time and memory" in found.reason
    sample = found.sample
    assert sample is not None
    assert counted.share is not None
    assert counted.feasible is not None
    assert sample.low <= counted.share <= sample.high
    assert 0 < sample.drawn < sample.tried == 4000
    fits = counted.feasible / counted.schedules
    assert abs(sample.drawn - 4000 * fits) < 4 * (4000 * fits * (1 - fits)) ** 0.5


def test_a_time_limit_ends_counting_and_drawing() -> None:
    instance = cw.instance("resnet50", "simba-4x4")
    rank(instance, "sequential", Space("any"), time_limit=1)  # compiles
    found = rank(instance, "sequential", Space("any"), time_limit=2)
    assert found.runtime_s < 4
    assert found.better is None
    assert found.reason is not None


def test_counts_beyond_64_bits_are_exact() -> None:
    """60 equal layers whose options cost 0, 1 and 2 cycles: trinomial coefficients."""
    drawn = random_instance(1, layers=60, chiplets=1, options=3, memory="loose", shape="chain")
    tables = drawn.tables
    cycles = np.arange(3)[None, :, None]
    times = {
        "entry": np.broadcast_to(cycles, tables.entry.shape),
        "step": np.broadcast_to(cycles[:, None], tables.step.shape).copy(),
        **{name: np.zeros_like(getattr(tables, name)) for name in ("exit", "io", "load")},
    }
    times["step"][0] = 0
    instance = replace(drawn, batch=1, tables=replace(tables, **times))
    coefficients = [1]
    for _ in range(60):
        coefficients = [
            sum(coefficients[max(0, place - 2) : place + 1])
            for place in range(len(coefficients) + 2)
        ]
    assert Feasible(instance, Space(), Progress(instance), 1).number == 3**60 > 2**95
    better, equal = one_segment.count_up_to(instance, Space(), 50, Progress(instance), 1)
    assert (better, equal) == (sum(coefficients[:50]), coefficients[50])


Coefficients = st.lists(st.integers(0, 10**30), min_size=1, max_size=30)


@given(Coefficients, Coefficients, st.integers(0, 70))
def test_products_of_polynomials_are_exact(one: list[int], other: list[int], size: int) -> None:
    sums = [0] * (len(one) + len(other) - 1)
    for (i, a), (j, b) in product(enumerate(one), enumerate(other)):
        sums[i + j] += a * b
    found = polynomials.product(one, other, size)
    assert len(found) <= size
    assert found + [0] * (min(size, len(sums)) - len(found)) == sums[:size]


def test_intervals_are_those_of_clopper_and_pearson() -> None:
    assert clopper_pearson(5, 10, 0.95) == pytest.approx((0.18709, 0.81291), abs=1e-5)
    assert clopper_pearson(0, 1000, 0.95) == pytest.approx((0, 1 - 0.025**0.001))
    assert clopper_pearson(1000, 1000, 0.95) == pytest.approx((0.025**0.001, 1))


def test_bad_arguments_are_refused(example: Instance) -> None:
    for space, message in (
        (Space("two"), "segments 'two': expected one or any"),  # type: ignore[arg-type]
        (Space(options=("ISP", "XSP")), "unknown option 'XSP': there are ISP, WSP"),
        (Space(options=("ISP", "ISP")), "option 'ISP' is named twice"),
        (Space(options=()), "no option: choose from ISP, WSP"),
    ):
        with pytest.raises(ValueError, match=message):
            rank(example, "exact", space)
    with pytest.raises(ValueError, match="unknown method 'scop'"):
        rank(example, "scop")
    with pytest.raises(ValueError, match="0 samples"):
        rank(example, samples=0)
    with pytest.raises(ValueError, match="time limit 0"):
        rank(example, time_limit=0)
    with pytest.raises(ValueError, match="0 workers"):
        rank(example, workers=0)
    with pytest.raises(ValueError, match="251 layers"):
        rank(random_instance(1, layers=251, chiplets=1))
    cut = Schedule((Segment((Cluster(0, 0, 1, ("ISP",)),)),))
    with pytest.raises(ValueError, match="the schedule may not run: layers 1 to 1"):
        rank(example, cut)
