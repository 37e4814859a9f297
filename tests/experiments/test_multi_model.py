"""Experiments with several models: what they count, and what their pages say."""

import pytest

from chipweave.results import markdown
from experiments.agreement import Answer, agreement_measures
from experiments.multi_model.agreement import Comparison, comparisons
from experiments.multi_model.cases import SCENARIOS, joule_seconds, workload
from experiments.multi_model.gaps import METHODS, Gap, gaps, gaps_page
from experiments.multi_model.monolith import ratios
from experiments.multi_model.scenarios import (
    ALONE,
    PAPER,
    Scenario,
    alone,
    scenario,
    scenarios_page,
)
from schedules.windows.goal import OBJECTIVES, Objective


def compared(**found: int | None) -> Comparison:
    """One whose optimum is 7, proved by methods that found something, or -1 where it is open."""
    answers = {name: Answer(own != -1, own) for name, own in found.items()}
    return Comparison("w", "plain", "latency", 7, answers)


def test_a_method_that_finds_another_optimum_is_counted() -> None:
    found = [compared(exact=7, cpsat=8), compared(exact=7, cpsat=-1)]
    found.append(compared(exact=None, cpsat=7))
    measures = {measure.name: measure.value for measure in agreement_measures(found, "")}
    assert measures == {
        "exact: not as enumeration says": 1,
        "exact: not proved": 0,
        "cpsat: not as enumeration says": 1,
        "cpsat: not proved": 1,
    }


def test_methods_agree_with_enumeration_in_every_way() -> None:
    found = list(comparisons(range(3), ("exact",)))
    assert {c.way for c in found} == {"plain", "shared", "not pipelined"}
    assert len(found) == 3 * 4
    assert all(c.found["exact"] == Answer(True, c.optimum) for c in found)


def test_the_monolith_is_its_own_measure_and_the_four_chiplets_beat_it() -> None:
    found = ratios("throughput", (1, 8))
    base = found["het-2x2-mono-os", True, False]
    assert (base.throughput, base.efficiency) == (1, 1)
    own = found["het-2x2", True, False]
    assert own.throughput > 1
    assert own.efficiency > 1
    alone_ = found["het-2x2", False, False]
    assert alone_.throughput <= own.throughput <= found["het-2x2", True, True].throughput


def test_scenarios_have_the_paper_s_models() -> None:
    work = workload("s", SCENARIOS[5], "het-3x3-sides")
    batches = {job.network.name: job.batch for job in work.jobs}
    assert batches == SCENARIOS[5]
    assert dict(batches)["bert-large"] == 24
    assert [len(values) for values in PAPER.values()] == [5] * 4
    assert joule_seconds(1e12 * 500e6, work) == pytest.approx(1.0)


def test_stand_alone_is_no_better_than_what_is_found_with_all_chiplets() -> None:
    own, _ = scenario(1, "het-3x3-ws", "scar")
    assert own.edp <= alone(1).edp


def test_the_page_of_scenarios_says_who_wins() -> None:
    edps = {"het-3x3-ws": 2.0, "het-3x3-os": 4.0, "het-3x3-sides": 1.0}
    found = [Scenario(3, name, "search", edp, edp / 2, 1.0) for name, edp in edps.items()]
    found.append(Scenario(3, ALONE, "", 3.0, None, 0.0))
    text = markdown(scenarios_page(found), "command")
    assert "`het-3x3-sides` wins here; in the paper it is `het-3x3-ws`" in text
    assert "| het-3x3-sides | 0.50 (1.47) |" in text
    assert "| 3 | het-3x3-os | search | 4.0000 | 2.0000 | 50.00% | 1.0 |" in text


def test_no_search_is_better_than_the_optimum() -> None:
    found = list(gaps({"alexnet": 2, "chain-2": 3}, ("het-2x2",), seconds=2.0))
    assert {g.method for g in found} == {"scar", "search"}
    assert len(found) == 2 * 4
    assert all(g.gap >= 0 for g in found)


def test_the_page_of_gaps_has_means_and_the_worst() -> None:
    def gap(objective: Objective, method: str, value: float) -> Gap:
        return Gap("a + b", "het-2x2", objective, method, value, 0.5, 2.0)

    found = [gap(objective, method, 0.0) for objective in OBJECTIVES for method in METHODS]
    found.append(gap("latency", "scar", 0.5))
    text = markdown(gaps_page(found), "command")
    assert "| het-2x2 | latency | scar | 2 | 1 | 25.00% | 50.00% | 0.50 | 2.00 |" in text
