"""The order of layers as one more choice: schedules of many topological orders *(ours)*.

A schedule takes layers in the order of the network. Where a network has branches there are others,
in which other layers can share clusters and segments. They are far too many to try all, so the
search walks from the given order to neighbours that are no worse, and solves each with a method.
The result is the best of all orders only where all were tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

from instances.cost import make_instance
from instances.network import Network
from instances.orders import Places, all_orders, neighbours, reordered
from instances.package import Package
from solvers.result import Result
from solvers.solve import solve

TRIES = 100
"""Orders that are tried where nobody says how many."""

Told = Callable[[str], object]


@dataclass(frozen=True)
class Ordering:
    """What a search over orders found.

    Attributes:
        network: with its layers in the best order found.
        result: of that order.
        given: of the network as it was given.
        tries: orders that were solved, the given one among them.
        complete: whether these are all orders, so that no order is better where all are proved.
    """

    network: Network
    result: Result
    given: Result
    tries: int
    complete: bool

    @property
    def gain(self) -> float | None:
        """Objective as given over the best one, minus 1; None without schedules."""
        first, best = self.given.objective, self.result.objective
        return None if first is None or not best else first / best - 1


def best_order(
    network: Network,
    package: Package,
    batch: int,
    *,
    method: str = "exact",
    tries: int = TRIES,
    seed: int = 0,
    watch: Told | None = None,
    **arguments: Any,
) -> Ordering:
    """Search the orders of a network's layers for the one with the best schedule.

    Args:
        network: its order is the first one tried.
        package, batch: as for `make_instance`.
        method: that solves each order.
        tries: orders at most; all orders where there are no more.
        seed: of the walk.
        watch: called with what is tried.
        arguments: more, for `solve`.

    Returns:
        The best order found; Ctrl-C ends the search with the best so far.

    Raises:
        ValueError: no try at all, or as `solve`.
    """
    if tries < 1:
        raise ValueError(f"tries {tries}: expected at least 1")

    def solved(order: Places) -> Result:
        instance = make_instance(reordered(network, order), package, batch)
        return solve(instance, method, **arguments)

    every = all_orders(network, tries)
    best = tuple(range(len(network.layers)))
    given = result = solved(best)
    done = 1
    try:
        walk = iter(every[1:]) if every else None
        draw, seen = Random(seed), {best}
        while done < tries and result.stop != "interrupted":
            order = next(walk, None) if walk else _new(network, best, draw, seen)
            if order is None:
                break
            if watch is not None:
                watch(f"order {done + 1} of {len(every) if every else tries}")
            seen.add(order)
            own = solved(order)
            done += 1
            if _value(own) <= _value(result):
                best, result = order, own
    except KeyboardInterrupt:
        pass
    complete = every is not None and done == len(every)
    return Ordering(reordered(network, best), result, given, done, complete)


def _new(network: Network, order: Places, draw: Random, seen: set[Places]) -> Places | None:
    """A neighbour that was not tried yet; None if none is soon found."""
    near: Iterator[Places] = neighbours(network, order, draw)
    return next((own for own in islice(near, 1000) if own not in seen), None)


def _value(result: Result) -> float:
    return float("inf") if result.objective is None else result.objective
