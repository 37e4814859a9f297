"""What knows nothing of coders refuses compression, or says that it leaves it out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from instances.cost import make_instance
from instances.cost.coders import compress
from instances.instance import Instance
from instances.losses import LossTable
from instances.networks.chain import random_chain
from instances.packages import load_package
from schedules.goal import Goal
from schedules.schedule import Cluster, Schedule, Segment
from solvers.explain import explain
from solvers.joint import place_jointly
from solvers.placing import place
from solvers.ranking import rank


@pytest.fixture(scope="module")
def chain() -> Instance:
    """Three layers on four chiplets."""
    plain = make_instance(random_chain(3), load_package("datacentre-2x2"), 2)
    return compress(plain, LossTable({"*": {2: 0.01}}), 1)


def plan(*ratios: int) -> Schedule:
    return Schedule((Segment(tuple(Cluster(k, k, 1, ("ISP",)) for k in range(3))),), ratios)


def test_places_are_found_for_what_is_not_compressed_only(chain: Instance) -> None:
    assert place(chain, plan(), "snake").schedule.segments[0].clusters[0].tiles is not None
    with pytest.raises(ValueError, match="placement knows nothing of encoders and decoders"):
        place(chain, plan(2, 1, 1), "snake")


def test_the_joint_search_and_a_ranking_want_an_instance_without_compression(
    chain: Instance,
) -> None:
    plain = replace(chain, compression=None)
    for ask, what in ((place_jointly, "the joint search"), (rank, "a ranking")):
        with pytest.raises(ValueError, match=f"{what} knows only schedules without compression"):
            ask(chain)
    with pytest.raises(ValueError, match="the joint search knows nothing of encoders"):
        place_jointly(plain, held=plan(2, 1, 1))


def test_an_explanation_is_of_schedules_that_compress_nothing(chain: Instance) -> None:
    goal = Goal(latency_cap=1)
    without = replace(chain, compression=None)
    # Kernels that are compiled within count to the time.
    found, plain = (explain(own, goal, time_limit=600) for own in (chain, without))
    assert found is not None
    assert plain is not None
    assert list(found.lines()) == list(plain.lines())
