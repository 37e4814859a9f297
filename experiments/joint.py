"""What is lost by deciding counts first and places second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from instances.cost import make_instance
from instances.instance import Instance
from schedules.placed import placed_evaluation
from schedules.progress import Stop
from schedules.traffic import model_of
from solvers.joint import place_jointly
from solvers.placing import place
from solvers.solve import solve

NETWORKS = ("alexnet", "resnet18")
PACKAGES = ("datacentre-2x2", "simba-2x2", "datacentre-3x3", "simba-3x3")


@dataclass(frozen=True)
class JointRow:
    """One instance; all numbers are cycles of the batch, None where there is no schedule.

    Attributes:
        instance: its name.
        slower: by what the bandwidth of ports and links was divided.
        counts: the optimum by counts, as `exact` proves it: no places.
        by_hops: the cost of that schedule at the places with the fewest bytes times hops.
        second: its cost at the best of all places.
        second_stop: whether that is proved.
        joint: the best schedule and places found.
        bound: a lower bound on it.
        stop: whether it is proved.
        settled, rounds: intervals of layers proved, and models of segments solved.
        runtime_s: wall time of the joint search, which begins with the schedule by counts.
    """

    instance: str
    slower: int
    counts: int | None
    by_hops: int | None
    second: int | None
    second_stop: Stop
    joint: int | None
    bound: int | None
    stop: Stop
    settled: int
    rounds: int
    runtime_s: float

    @property
    def loss(self) -> float | None:
        """The share by which places second cost more than at once; None if either is unknown."""
        return self._over(self.second)

    @property
    def loss_by_hops(self) -> float | None:
        """The same for the places with the fewest bytes times hops."""
        return self._over(self.by_hops)

    def _over(self, cost: int | None) -> float | None:
        return None if cost is None or not self.joint else (cost - self.joint) / self.joint

    def to_data(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "loss": self.loss, "loss_by_hops": self.loss_by_hops}


def slowed(instance: Instance, by: int) -> Instance:
    """The instance with ports and links of the network-on-package that are so much slower.

    Raises:
        ValueError: a table instance.
    """
    costs = model_of(instance)
    package = costs.package
    slow = replace(package, nop=replace(package.nop, bandwidth=max(1, package.nop.bandwidth // by)))
    return make_instance(costs.network, slow, instance.batch, instance.name)


def joint_rows(
    instances: Iterable[Instance],
    slower: Iterable[int] = (1,),
    *,
    time_limit: float | None = None,
    seed: int = 0,
    workers: int = 1,
    watch: Callable[[str], Any] = lambda name: None,
) -> Iterator[JointRow]:
    """A row for each instance and each divisor of the links' bandwidth.

    Args:
        time_limit: wall seconds for each of the two searches of a row.
        seed, workers: of CP-SAT.
        watch: is told what comes next.

    Raises:
        ValueError: a table instance, or a mesh that is too large.
    """
    divisors = tuple(slower)
    for given in instances:
        for by in divisors:
            watch(f"{given.name}, links / {by}")
            yield _row(slowed(given, by), by, time_limit, seed, workers)


def _row(
    instance: Instance, slower: int, time_limit: float | None, seed: int, workers: int
) -> JointRow:
    counts = solve(instance, "exact", time_limit=time_limit, workers=workers)
    by_hops = None
    if counts.schedule is not None:
        placed = place(instance, counts.schedule, "exact", family="free", objective="hops")
        by_hops = placed_evaluation(instance, placed.schedule).latency
    second = place_jointly(
        instance, time_limit=time_limit, seed=seed, workers=workers, held=counts.schedule
    )
    joint = place_jointly(instance, time_limit=time_limit, seed=seed, workers=workers)
    return JointRow(
        instance=instance.name,
        slower=slower,
        counts=counts.objective,
        by_hops=by_hops,
        second=second.objective,
        second_stop=second.stop,
        joint=joint.objective,
        bound=joint.bound,
        stop=joint.stop,
        settled=joint.settled,
        rounds=joint.rounds,
        runtime_s=joint.runtime_s,
    )
