"""Workloads of the papers, and how their results are told."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from instances.networks import NETWORKS, build_network
from instances.packages import load_package
from instances.workload import Grain, Workload, job

SEQUENCE = 128
"""Tokens of the transformers (SCAR)."""

SCENARIOS: Mapping[int, Mapping[str, int]] = MappingProxyType(
    {
        1: {"gpt2-large": 1, "bert-large": 3},
        2: {"gpt2-large": 1, "bert-large": 3, "resnet50": 1},
        3: {"gpt2-large": 1, "bert-large": 3, "resnet50": 32},
        4: {"gpt2-large": 8, "bert-large": 24, "unet": 1, "resnet50": 32},
        5: {
            "gpt2-large": 8,
            "bert-large": 24,
            "unet": 1,
            "resnet50": 32,
            "bert-base": 24,
            "googlenet": 32,
        },
    }
)
"""SCAR's, by number: network -> batch. GPT-L is read as GPT-2 large (ours)."""

GRAINS: Mapping[str, Grain] = MappingProxyType({"resnet50": "stage", "mobilenet_v2": "stage"})
"""How finely networks are cut where it is not by block."""


def workload(name: str, models: Mapping[str, int], package: str) -> Workload:
    """Networks with batches on a built-in package.

    Raises:
        ValueError: an unknown name.
    """
    jobs = []
    for network, batch in models.items():
        takes = network in NETWORKS and NETWORKS[network].sequence is not None
        arguments = {"sequence": SEQUENCE} if takes else {}
        built = build_network(network, **arguments)
        jobs.append(job(built, batch, GRAINS.get(network, "block")))
    return Workload(f"{name} on {package}", load_package(package), tuple(jobs))


def seconds(cycles: float, workload: Workload) -> float:
    """Cycles as seconds."""
    return cycles / workload.package.chiplet.clock_hz


def joule_seconds(edp: float, workload: Workload) -> float:
    """Picojoules times cycles as joule-seconds."""
    return edp * 1e-12 / workload.package.chiplet.clock_hz
