"""The modeller that an engine needs."""

from __future__ import annotations

from formulations.modellers import Modeller
from solvers.engines.engine import Engine


def modeller_of(engine: Engine) -> Modeller:
    """A new modeller for the models that an engine solves."""
    if engine.kind == "cpsat":
        from formulations.modellers.cpsat import CpSatModeller

        return CpSatModeller()
    from formulations.modellers.milp import MilpModeller

    return MilpModeller()
