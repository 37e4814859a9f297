"""The joint model and the model of options: each family of constraints by a flip, known optima."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ortools.sat.python.cp_model import OPTIMAL, CpSolver

from formulations.modellers.cpsat import CpSatModeller
from formulations.placement.choice import ChoiceModel, Stage
from formulations.placement.joint import Candidate, JointModel, Rule


def optimum(model: JointModel | ChoiceModel) -> CpSolver | None:
    solver = CpSolver()
    solver.parameters.num_workers = 1
    return solver if solver.solve(model.modeller.model) == OPTIMAL else None


def joint(*candidates: Candidate, rules: tuple[Rule, ...] = (), **given: Any) -> JointModel:
    facts = {"layers": range(2), "tiles": 3, "batch": 10, "least": 1, "most": 10**6, **given}
    return JointModel(CpSatModeller(), candidates, rules=rules, **facts)


def cost(model: JointModel) -> int | None:
    solver = optimum(model)
    return None if solver is None else solver.value(model.cost)


WHOLE = Candidate(0, 1, 0, (0, 1, 2), 50)
FIRST = Candidate(0, 0, 1, (0,), 40)
SECOND = Candidate(1, 1, 2, (1, 2), 30)


def test_the_cheaper_of_one_cluster_and_two_is_taken() -> None:
    model = joint(WHOLE, FIRST, SECOND)
    solver = optimum(model)
    assert solver is not None
    assert solver.value(model.cost) == 11 * 40
    assert solver.value(model.beat) == 40
    assert list(model.picked(solver)) == [1, 2]
    assert cost(joint(WHOLE, FIRST, SECOND, batch=2)) == 2 * 50


def test_a_segment_that_costs_too_much_is_none() -> None:
    assert cost(joint(FIRST, SECOND, most=440)) == 440
    assert cost(joint(FIRST, SECOND, most=439)) is None


def test_every_layer_is_in_one_cluster() -> None:
    assert cost(joint(FIRST)) is None
    assert cost(joint(FIRST, SECOND)) == 440
    both = Candidate(0, 1, 3, (1,), 1)
    assert cost(joint(FIRST, both)) == 10


def test_a_tile_belongs_to_one_cluster() -> None:
    clash = Candidate(1, 1, 4, (0, 1), 30)
    assert cost(joint(FIRST, clash)) is None
    assert cost(joint(FIRST, SECOND)) == 440


def test_the_beat_is_at_least_the_least() -> None:
    assert cost(joint(FIRST, SECOND, least=41)) == 11 * 41


def test_a_rule_holds_only_if_all_its_groups_are_chosen() -> None:
    assert cost(joint(FIRST, SECOND, rules=(Rule(((0,), (1,)), 45),))) == 11 * 45
    other = Candidate(1, 1, 5, (2,), 42)
    assert cost(joint(FIRST, SECOND, other, rules=(Rule(((0,), (1,)), 45),))) == 11 * 42
    assert cost(joint(FIRST, SECOND, other, rules=(Rule(((0,), (1, 2)), 45),))) == 11 * 45
    assert cost(joint(FIRST, SECOND, rules=(Rule(((0,), ()), 45),))) == 440


# The model of options


def stage(**given: Any) -> Stage:
    """Two layers with two options on two links; what is not given is nothing."""
    shapes = {
        "entry": (2,),
        "steps": (2, 2, 2),
        "exits": (2,),
        "resident": (2, 2),
        "momentary": (2, 2),
        "loads": (2, 2, 2, 2),
    }
    arrays = {
        name: np.array(given[name]) if name in given else np.zeros(shape, dtype=np.int64)
        for name, shape in shapes.items()
    }
    return Stage(**arrays)


def choice(*stages: Stage, fixed: tuple[int, int] = (0, 0), capacity: int = 100) -> ChoiceModel:
    return ChoiceModel(CpSatModeller(), stages, np.array(fixed), (1, 2), capacity, 0, 10**6)


def least_beat(model: ChoiceModel) -> int | None:
    solver = optimum(model)
    return None if solver is None else solver.value(model.beat)


TIMES = {
    "entry": [10, 30],
    "steps": [[[0, 0], [0, 0]], [[90, 50], [20, 90]]],
    "exits": [5, 60],
}
"""Options 1 and 0: 30 + 20 + 5 = 55 cycles; 0 and 0: 105; 0 and 1: 120; 1 and 1: 180."""


def test_options_are_chosen_together() -> None:
    model = choice(stage(**TIMES))
    solver = optimum(model)
    assert solver is not None
    assert solver.value(model.beat) == 55
    assert model.chosen(solver) == [[1, 0]]


def test_the_slowest_stage_makes_the_beat() -> None:
    assert least_beat(choice(stage(**TIMES), stage(entry=[70, 80]))) == 70


@pytest.mark.parametrize(("capacity", "expected"), [(65, 55), (64, 105)])
def test_buffers_hold_all_resident_bytes_and_the_largest_need(capacity: int, expected: int) -> None:
    need = {"resident": [[10, 20], [15, 15]], "momentary": [[0, 30], [5, 5]]}
    assert least_beat(choice(stage(**TIMES, **need), capacity=capacity)) == expected


def test_links_carry_what_all_stages_send() -> None:
    loads = np.zeros((2, 2, 2, 2), dtype=np.int64)
    loads[0, 0, 1, 0] = 100  # option 1 of the first layer
    loads[1, 1, 0, 0] = 50  # option 0 after option 1
    own = stage(**TIMES, loads=loads)
    assert least_beat(choice(own)) == 75
    assert least_beat(choice(own, fixed=(9, 0))) == 80
    assert least_beat(choice(own, fixed=(0, 9))) == 75
    assert least_beat(choice(own, own)) == 105  # one at 55, one at 105: 75; or both at 105


def test_what_no_buffer_holds_has_no_options() -> None:
    assert least_beat(choice(stage(resident=[[60, 60], [60, 60]]))) is None
