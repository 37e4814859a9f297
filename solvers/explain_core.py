"""A core of an infeasible model: conditions that cannot hold together.

The compact model is stated once more, without an objective and with a literal that turns each named
condition off; CP-SAT assumes them all and tells which of them its proof used. With an objective it
would name all, and after presolve wrong ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ortools.sat.python.cp_model import INFEASIBLE, CpSolver

from formulations.merged_pipeline.compact import FAMILIES, Compact
from formulations.merged_pipeline.compact_conditions import rule_name
from formulations.modellers import Expression, Rule, Variable, label
from formulations.modellers.cpsat import CpSatModeller
from instances.instance import Instance
from schedules.goal import Goal, Weights
from solvers.engines.engine import Settings
from solvers.engines.running import Watch, in_thread
from solvers.explain_conditions import Condition, facts


def core_of(
    instance: Instance, goal: Goal, conditions: Sequence[Condition], seconds: float
) -> list[Condition]:
    """Conditions that CP-SAT's proof rests on; all of them if there is no proof in time.

    The answer is a suggestion: prove it.
    """
    modeller = _Conditional(instance, conditions)
    try:
        _state(instance, goal, modeller)
    except ValueError:
        return list(conditions)  # too large for CP-SAT's integers
    model = modeller.model
    model.add_assumptions(list(modeller.switches.values()))
    solver = CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.cp_model_presolve = False
    solver.parameters.num_workers = 1
    # CP-SAT's own handling of Ctrl-C leaves Python without one; `in_thread` handles it instead.
    solver.parameters.catch_sigint_signal = False
    watch = Watch(Settings(), os.getpid())
    status, cause = in_thread(lambda: solver.solve(model), solver.stop_search, watch)
    if cause == "interrupted":
        raise KeyboardInterrupt
    if status != INFEASIBLE:
        return list(conditions)
    used = set(solver.sufficient_assumptions_for_infeasibility())
    return [what for what, switch in modeller.switches.items() if switch.index in used]


def smallest(
    conditions: Sequence[Condition], impossible: Callable[[Sequence[Condition]], bool]
) -> list[Condition]:
    """Conditions that are impossible together, none of them for nothing; the first ones preferred.

    QuickXplain (Junker, AAAI 2004): halves are left out before single conditions are. Where
    `impossible` cannot tell and says no, more conditions stay than are needed.

    Args:
        conditions: impossible together.
    """

    def needed(held: Sequence[Condition], rest: Sequence[Condition], new: bool) -> list[Condition]:
        """The least of `rest` that is impossible with `held`; `new`: something was added to it."""
        if new and impossible(held):
            return []
        if len(rest) == 1:
            return list(rest)
        early, late = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        from_late = needed([*held, *early], late, True)
        from_early = needed([*held, *from_late], early, bool(from_late))
        return [*from_early, *from_late]

    return needed([], conditions, False)


class _Conditional(CpSatModeller):
    """Writes rules that hold only while the condition that they belong to is assumed.

    Attributes:
        switches: a literal for each condition.
    """

    def __init__(self, instance: Instance, conditions: Sequence[Condition]) -> None:
        super().__init__()
        self.switches = {what: self.binary(f"assume[{what}]") for what in conditions}
        self._by_name: dict[str, Variable] = {}
        for what, switch in self.switches.items():
            for name in _rules(instance, what):
                self._by_name[name] = switch

    def require(
        self, name: str, rule: Rule, when: Sequence[Variable] = (), unless: Sequence[Variable] = ()
    ) -> None:
        """Add a constraint; one that belongs to a condition holds only while that is assumed."""
        switch = self._by_name.get(name, self._by_name.get(name.partition("[")[0]))
        super().require(name, rule, when if switch is None else [*when, switch], unless)

    def minimize(self, objective: Expression) -> None:
        """Leave the model without an objective."""


def _rules(instance: Instance, what: Condition) -> list[str]:
    """Names, or families, of the compact model's rules that state a condition."""
    if what.pin is not None:
        return [rule_name(instance.tables, what.pin, fact) for fact, _ in facts(what.pin)]
    if what.layer is not None:
        layer = instance.tables.layers[what.layer]
        return [label("resident", layer), label("momentary", layer)]
    return [what.kind]


def _state(instance: Instance, goal: Goal, modeller: _Conditional) -> None:
    """The compact model, with domains that leave room for what is not assumed."""
    families = [family for family in FAMILIES if family not in ("caps", "horizon")]
    model = Compact(instance, modeller, goal, Weights(0, 0), families=families)
    model.caps()
    v = model.variables
    for layer, (resident, momentary) in enumerate(zip(v.resident, v.momentary, strict=True)):
        # What a layer's own bytes do not switch off: those of tensors and other layers stay.
        waiting = modeller.sum([size for (_, at), size in v.waiting.items() if at == layer])
        modeller.require("passing", momentary >= waiting)
        if layer > 0:
            begins = [v.cluster_begins[layer]]
            modeller.require("passing", resident >= v.resident[layer - 1], unless=begins)
            modeller.require("passing", momentary >= v.momentary[layer - 1], unless=begins)
