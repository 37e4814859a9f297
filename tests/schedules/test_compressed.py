"""What a schedule compresses: names, losses, where it crosses, and where it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from instances.cost import make_instance
from instances.cost.coders import compress
from instances.generate import random_instance
from instances.generate_ratios import random_ratios
from instances.instance import Instance
from instances.losses import LossTable
from instances.networks import build_network
from instances.packages import load_package
from schedules.compressed import (
    Compressed,
    CompressedTensor,
    compressed,
    compressed_to_data,
    crossings,
)
from schedules.links import link_report
from schedules.place import mesh_of, with_places
from schedules.placed import placed_evaluation
from schedules.schedule import Cluster, Schedule, Segment
from schedules.simulate import simulate
from solvers.solve import solve

TABLE = LossTable({"*": {2: 0.001, 4: 0.0031}, "conv2": {2: 0.1}})


@pytest.fixture(scope="module")
def alexnet() -> Instance:
    plain = make_instance(build_network("alexnet"), load_package("simba-4x4"), 2)
    return compress(plain, TABLE, 0.25)


def pipeline(*firsts: int, layers: int = 8) -> Schedule:
    """One segment of clusters of a chiplet that begin with these layers."""
    ends = [*firsts[1:], layers]
    return Schedule(
        (
            Segment(
                tuple(
                    Cluster(first, end - 1, 1, ("ISP",) * (end - first))
                    for first, end in zip(firsts, ends, strict=True)
                )
            ),
        )
    )


def test_compressed_tensors_have_their_names_ratios_and_losses(alexnet: Instance) -> None:
    assert alexnet.network is not None
    (first, _), (second, _) = (alexnet.network.layers[layer].outputs[0] for layer in (0, 1))
    schedule = replace(pipeline(0, 1, 4), ratios=(4, 2, 1, 1, 1, 1, 1, 1))
    found = compressed(alexnet, schedule)
    assert found == Compressed(
        0.25, (CompressedTensor(first, 0, 4, 0.0031), CompressedTensor(second, 1, 2, 0.1))
    )
    assert found.loss == 0.1031
    assert compressed_to_data(found) == {
        "loss": 0.1031,
        "accuracy_budget": 0.25,
        "compressed": [
            {"tensor": first, "layer": 0, "ratio": 4, "loss": 0.0031},
            {"tensor": second, "layer": 1, "ratio": 2, "loss": 0.1},
        ],
    }


def test_a_schedule_that_compresses_nothing_loses_nothing(alexnet: Instance) -> None:
    assert compressed(alexnet, pipeline(0)) == Compressed(0.25, ())
    assert compressed_to_data(Compressed(0.25, ())) == {
        "loss": 0,
        "accuracy_budget": 0.25,
        "compressed": [],
    }


def test_without_compression_or_schedule_there_is_nothing_to_tell(alexnet: Instance) -> None:
    assert compressed(replace(alexnet, compression=None), pipeline(0)) is None
    nothing = compressed(alexnet, None)
    assert nothing is not None
    assert (nothing.budget, nothing.tensors, nothing.loss) == (0.25, None, None)


def test_a_tensor_crosses_into_the_clusters_that_read_it_from_outside(alexnet: Instance) -> None:
    schedule = replace(pipeline(0, 2, 5), ratios=(2, 2, 1, 1, 4, 1, 1, 1))
    (segment,) = schedule.segments
    assert crossings(alexnet, segment, schedule.ratios) == {1: [1], 2: [4]}  # 0 stays inside
    assert crossings(alexnet, segment, ()) == {}


def test_a_result_tells_what_is_lost_of_which_budget() -> None:
    plain = random_instance(2, layers=3, chiplets=3, options=2)
    instance = random_ratios(plain, 5, budget="loose")
    given = instance.compression
    assert given is not None
    data = solve(instance, "enumerate").to_data()
    assert data["accuracy_budget"] == given.budget / 10**6
    assert data["schedule"]["ratios"] == [1, 2, 1]
    loss = int(given.losses[1, 1]) / 10**6
    assert data["compressed"] == [
        {"tensor": instance.layers[1], "layer": 1, "ratio": 2, "loss": loss}
    ]
    assert data["loss"] == loss > 0


def test_a_result_of_an_instance_without_compression_says_so(example: Instance) -> None:
    data = solve(example, "enumerate").to_data()
    assert [data[key] for key in ("loss", "accuracy_budget", "compressed")] == [None] * 3
    assert "ratios" not in data["schedule"]


def test_places_leave_the_ratios_as_they_are(alexnet: Instance) -> None:
    schedule = replace(pipeline(0, 1), ratios=(4, *[1] * 7))
    assert with_places(schedule, (4, 4)).ratios == schedule.ratios


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (simulate, "the simulation"),
        (link_report, "the link report"),
        (placed_evaluation, "the cost of places"),
    ],
)
def test_what_knows_nothing_of_coders_refuses_rather_than_tell_wrong_numbers(
    alexnet: Instance, ask: Callable[[Instance, Schedule], object], what: str
) -> None:
    plain = with_places(pipeline(0, 1, 4), mesh_of(alexnet))
    ask(alexnet, plain)
    ask(alexnet, replace(plain, ratios=(1,) * 8))
    with pytest.raises(ValueError, match=f"{what} knows nothing of encoders and decoders"):
        ask(alexnet, replace(plain, ratios=(2, *[1] * 7)))
