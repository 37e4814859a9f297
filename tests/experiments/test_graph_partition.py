"""Experiments on graphs of operators: what they count, and what their pages say."""

from pathlib import Path

import pytest

from chipweave.results import markdown
from experiments.agreement import Answer
from experiments.graph_partition.agreement import MOST, Comparison, comparisons, graph_measures
from experiments.graph_partition.page import graphs_page
from experiments.graph_partition.runs import TIGHT, Case, run, run_measures
from experiments.ordering import orders_page, searches
from instances.files.graph_file import write_graph
from instances.generate_graph import random_graph
from instances.graph import ORDERS
from solvers.graph_partition import solve_graph

SMALL = Case("alexnet", "layers", False, 2, 1, TIGHT)


def test_methods_are_held_against_enumeration_for_each_class() -> None:
    found = list(comparisons(4, ("ideals", "cpsat")))
    assert [own.order for own in found] == 4 * list(ORDERS)
    assert all(own.graph.devices ** len(own.graph.classes) <= MOST for own in found)
    assert [set(own.found) for own in found[:3]] == [{"ideals", "cpsat"}, {"cpsat"}, {"cpsat"}]
    assert all(a == Answer(True, own.optimum) for own in found for a in own.found.values())


def test_a_method_that_finds_another_optimum_or_none_is_counted() -> None:
    graph = random_graph(0)
    answers = {"exact": Answer(True, 8), "cpsat": Answer(False, 7)}
    measures = graph_measures([Comparison(graph, order, 7, answers) for order in ORDERS])
    assert {measure.name: measure.value for measure in measures} == {
        "exact: not as enumeration says": 3,
        "exact: not proved": 0,
        "cpsat: not as enumeration says": 0,
        "cpsat: not proved": 3,
    }


def test_a_run_in_a_process_of_its_own_finds_what_a_call_finds_and_tells_its_memory() -> None:
    graph = SMALL.graph()
    own, called = run(graph, "ideals"), solve_graph(graph, "ideals")
    assert (own.stop, own.objective, own.nodes) == ("optimal", called.time, len(graph.nodes))
    assert own.ideals == called.counts["ideals"]
    assert 10 * 2**20 < own.held < 2**33
    time, memory = run_measures([("alexnet", "ideals", own)])
    assert (time.value, memory.value) == (own.seconds, own.held)


def test_a_run_without_a_proof_keeps_no_bar() -> None:
    own = run(SMALL.graph(), "split")
    assert all(measure.holds is None for measure in run_measures([("alexnet", "split", own)]))


def test_the_page_has_a_line_for_each_graph_and_the_slowest_proof() -> None:
    text = markdown(graphs_page(cases=(SMALL,)), "the command")
    assert "| alexnet, layers | inference | tight | 2 + 1 | 8 | 8 | 9 |" in text
    assert "The slowest proof took" in text


def test_files_of_graphs_are_solved_by_each_method(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from chipweave.cli import main

    path = tmp_path / "g.json"
    write_graph(SMALL.graph(), path)
    assert main(["bench", "graphs", str(path), "--methods", "ideals,split", "--markdown", "-"]) == 0
    out = capsys.readouterr().out
    assert "| g: ideals | " in out
    assert "| g: split | – |" in out


def test_the_page_of_orders_says_what_a_search_gains() -> None:
    (found,) = searches(("googlenet",), ("simba-4x4",), tries=2)
    assert found.found.tries == 2
    text = markdown(orders_page(tries=1, cases=(("googlenet",), ("simba-4x4",))), "the command")
    objective = found.found.given.objective
    assert f"| googlenet | simba-4x4 | {objective:,} | {objective:,} | 0.00% |" in text
