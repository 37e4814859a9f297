"""The two ways of `exact` for graphs: the dynamic program, by itself or beside CP-SAT."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from instances.generate_graph import random_graph
from instances.graph import OperatorGraph
from schedules.progress import Stop
from solvers.graph_partition import exact, models, solve_graph

MakeGraph = Callable[..., OperatorGraph]

of = pytest.mark.parametrize


@of("seed", range(8))
def test_models_beside_the_program_change_no_optimum(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "HEAD_START", 0.0)
    graph = random_graph(seed, classes=9)
    found = solve_graph(graph, "exact", workers=2)
    best = solve_graph(graph, "ideals")
    assert (found.stop, found.objective, found.bound) == (best.stop, best.objective, best.bound)


def test_models_that_prove_first_end_the_program(
    make_graph: MakeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The program never ends by itself: only a proof of the model ends the run.
    told = Event()

    def endless(progress: object, blocks: object, lattice: object, bar: int, stopped: Any) -> None:
        while not stopped():
            told.wait(0.001)
        raise TimeoutError

    monkeypatch.setattr(exact, "HEAD_START", 0.0)
    monkeypatch.setattr(exact, "_divide", endless)
    graph = make_graph([3, 4, 5, 6], [(0, 1), (1, 2), (2, 3)], transfer=[2, 2, 2, 0])
    found = solve_graph(graph, "exact", workers=2)
    assert (found.stop, found.objective) == ("optimal", solve_graph(graph, "enumerate").objective)


def test_a_model_that_is_too_large_does_not_end_the_program(
    make_graph: MakeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    divide, told = exact._divide, Event()

    def late(*given: Any) -> Any:
        told.wait(0.1)
        return divide(*given)

    monkeypatch.setattr(exact, "HEAD_START", 0.0)
    monkeypatch.setattr(exact, "_divide", late)
    monkeypatch.setattr(models, "MOST_VARIABLES", 0)
    graph = make_graph([3, 4, 5, 6], [(0, 1), (1, 2), (2, 3)], transfer=[2, 2, 2, 0])
    found = solve_graph(graph, "exact", workers=2)
    assert (found.stop, found.objective) == ("optimal", solve_graph(graph, "enumerate").objective)
    with pytest.raises(ValueError, match="too large for the models"):
        solve_graph(graph, "cpsat")


def test_a_program_that_proves_first_ends_the_models(
    make_graph: MakeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    divide, told = exact._divide, Event()

    def late(*given: Any) -> Any:
        told.wait(0.1)
        return divide(*given)

    def endless(progress: object, options: object, cancelled: Callable[[], bool]) -> Stop:
        while not cancelled():
            told.wait(0.001)
        return "interrupted"

    monkeypatch.setattr(exact, "HEAD_START", 0.0)
    monkeypatch.setattr(exact, "_divide", late)
    monkeypatch.setattr(exact, "_search", endless)
    graph = make_graph([3, 4, 5, 6], [(0, 1), (1, 2), (2, 3)], transfer=[2, 2, 2, 0])
    found = solve_graph(graph, "exact", workers=2)
    assert (found.stop, found.objective) == ("optimal", solve_graph(graph, "enumerate").objective)


@of("limit", ["MOST_IDEALS", "MOST_STEPS", "MOST_STATES"])
def test_where_ideals_are_too_many_exact_takes_the_model_and_ideals_says_so(
    limit: str, make_graph: MakeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = make_graph([3, 4, 5, 6], [(0, 1), (2, 3)], transfer=[2, 2, 2, 0])
    best = solve_graph(graph, "ideals")
    assert best.counts["ideals"] == 9
    monkeypatch.setattr(exact, limit, 8)
    found = solve_graph(graph, "exact", workers=1)
    assert (found.stop, found.objective) == ("optimal", best.objective)
    assert "ideals" not in found.counts
    with pytest.raises(ValueError, match=r"graph 'made' has more than .* ideals.*use exact"):
        solve_graph(graph, "ideals")
