"""Ideals of graphs: the lattice, and the dynamic program over it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import prod
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heuristics.graph_partition.crossings import room_of
from heuristics.graph_partition.orders import partition_of
from heuristics.graph_partition.split import NEVER
from instances.generate_graph import random_graph
from instances.graph import OperatorGraph
from instances.graph_blocks import Blocks, blocks_of
from schedules.partition.evaluate import evaluate_partition
from solvers.graph_partition import solve_graph
from solvers.graph_partition.ideals import Division, best_division
from solvers.graph_partition.lattice import Lattice, lattice_of

MakeGraph = Callable[..., OperatorGraph]

PLENTY = 10**5


def lattice(blocks: Blocks) -> Lattice:
    found = lattice_of(blocks, PLENTY, PLENTY)
    assert found is not None
    return found


def sets(found: Lattice) -> list[frozenset[int]]:
    """The blocks of each ideal, by the steps back."""
    own: list[frozenset[int]] = [frozenset()]
    for ideal in range(1, found.ideals):
        smaller = int(found.smaller[ideal])
        assert smaller < ideal
        own.append(own[smaller] | {int(found.last[ideal])})
    return own


def chains(make_graph: MakeGraph, *lengths: int) -> OperatorGraph:
    """Chains without a tensor between them."""
    edges, first = [], 0
    for length in lengths:
        edges += [(k, k + 1) for k in range(first, first + length - 1)]
        first += length
    return make_graph([1] * first, edges)


@st.composite
def arcs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    """A random acyclic graph, of which places are in no topological order."""
    count = draw(st.integers(1, 9))
    names = draw(st.permutations(range(count)))
    pairs = list(combinations(range(count), 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return count, [(names[u], names[v]) for u, v in chosen]


@settings(max_examples=150)
@given(own=arcs())
def test_the_lattice_has_every_ideal_once_and_every_step(
    make_graph: MakeGraph, own: tuple[int, list[tuple[int, int]]]
) -> None:
    count, edges = own
    found = lattice(blocks_of(make_graph([1] * count, edges), "ordered"))
    every = {
        frozenset(subset)
        for size in range(count + 1)
        for subset in combinations(range(count), size)
        if all(u in subset for u, v in edges if v in subset)
    }
    ideals = sets(found)
    assert len(ideals) == len(set(ideals))
    assert set(ideals) == every
    assert (ideals[0], ideals[-1]) == (frozenset(), frozenset(range(count)))
    for ideal, inside in enumerate(ideals):
        steps = range(found.starts[ideal], found.starts[ideal + 1])
        larger = {inside | {k} for k in range(count) if k not in inside} & every
        assert len(steps) == len(larger)
        for step in steps:
            assert ideals[found.larger[step]] == inside | {int(found.block[step])}
        assert {ideals[found.larger[step]] for step in steps} == larger


@pytest.mark.parametrize("lengths", [(1,), (130,), (40, 50), (70, 3, 4), (5, 5, 5, 5)])
def test_chains_have_as_many_ideals_as_prefixes_of_each(
    make_graph: MakeGraph, lengths: tuple[int, ...]
) -> None:
    # More than 64 blocks, too, which is a word of the sets' bits.
    found = lattice(blocks_of(chains(make_graph, *lengths), "ordered"))
    assert found.ideals == prod(length + 1 for length in lengths)
    assert len(set(sets(found))) == found.ideals


def test_more_ideals_or_steps_than_allowed_make_no_lattice(make_graph: MakeGraph) -> None:
    for lengths in ((9,), (3, 4), (12, 12, 12)):
        blocks = blocks_of(chains(make_graph, *lengths), "ordered")
        found = lattice(blocks)
        ideals, steps = found.ideals, len(found.block)
        exact = lattice_of(blocks, ideals, steps)
        assert exact is not None
        assert [a.tolist() for a in exact] == [a.tolist() for a in found]
        assert lattice_of(blocks, ideals - 1, steps) is None
        assert lattice_of(blocks, ideals, steps - 1) is None


# The dynamic program


def divide(graph: OperatorGraph, bar: int = NEVER) -> Division:
    blocks = blocks_of(graph, "ordered")
    return best_division(blocks, lattice(blocks), room_of(graph), bar, lambda: None)


@pytest.mark.parametrize("seed", range(60))
def test_the_program_finds_the_optimum_whatever_it_is_to_undercut(seed: int) -> None:
    graph = random_graph(seed, classes=6)
    best = solve_graph(graph, "enumerate").objective
    found = divide(graph)
    assert (None if found.load == NEVER else found.load) == best
    if best is None:
        assert found.pieces == []
        return
    partition = partition_of(graph, blocks_of(graph, "ordered"), found.pieces)
    assert evaluate_partition(graph, partition).objective == best
    for bar in (best + 1, best + 2, 2 * best + 5):
        assert divide(graph, bar).load == best
    assert divide(graph, best).pieces == []


@pytest.mark.parametrize("seed", range(6))
def test_many_accelerators_and_no_known_division_do_not_hide_the_optimum(
    make_graph: MakeGraph, seed: int
) -> None:
    # Nodes fill the memory three and three together, which no cut of an order does.
    sizes = [20, 30, 50, 25, 35, 40, 22, 39, 39, 27, 28, 45]
    Random(seed).shuffle(sizes)
    graph = make_graph([1] * 12, accelerators=4, size=sizes)
    assert solve_graph(graph, "split").schedule is None
    for method in ("ideals", "cpsat"):
        found = solve_graph(graph, method, workers=1)
        assert (found.stop, found.objective) == ("optimal", 3)


def test_a_cpu_that_takes_no_time_is_found_below_any_bar(make_graph: MakeGraph) -> None:
    graph = make_graph([5, 5, 5], [(0, 1)], accelerators=1, cpus=1, cpu=[0, 0, 0])
    for bar in (1, 2, NEVER):
        assert divide(graph, bar).load == 0


def test_the_program_looks_at_the_clock_and_ends_when_told(make_graph: MakeGraph) -> None:
    class ToldError(Exception):
        pass

    def told() -> None:
        raise ToldError

    blocks = blocks_of(chains(make_graph, 3, 3), "ordered")
    with pytest.raises(ToldError):
        best_division(blocks, lattice(blocks), room_of(make_graph([1])), NEVER, told)
