"""Losses of compression, measured on a real model with real inputs."""

from experiments.calibrate.measures import MEASURES, Measure
from experiments.calibrate.result import Calibration, CutLoss
from experiments.calibrate.run import RATIOS, calibrate

__all__ = ["MEASURES", "RATIOS", "Calibration", "CutLoss", "Measure", "calibrate"]
