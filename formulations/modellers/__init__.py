"""One way to write a model for CP-SAT and for MILP engines.

A formulation states its variables and constraint families once, through a `Modeller`; what it
makes is a native model, a `CpModel` or a PuLP `LpProblem`, with native variables.
"""

from formulations.modellers.protocol import Expression, Modeller, Rule, Solution, Variable, label

__all__ = ["Expression", "Modeller", "Rule", "Solution", "Variable", "label"]
