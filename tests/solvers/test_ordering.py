"""Searches over orders of layers: the best that was tried, and all where there are few."""

from collections.abc import Callable

from instances.cost import make_instance
from instances.network import Network
from instances.networks import build_network
from instances.orders import all_orders, reordered
from instances.packages import load_package
from solvers.ordering import best_order
from solvers.solve import solve

PACKAGE = load_package("simba-2x2")


def test_with_few_orders_the_best_of_all_is_found(branches: Callable[..., Network]) -> None:
    network = branches(2, 2, 1)
    found = best_order(network, PACKAGE, 4, tries=1000)
    orders = all_orders(network, 1000)
    assert orders is not None
    objectives = [
        solve(make_instance(reordered(network, order), PACKAGE, 4), "exact").objective
        for order in orders
    ]
    assert found.complete
    assert found.tries == len(orders)
    assert found.result.objective == min(own for own in objectives if own is not None)
    assert found.given.objective == objectives[0]


def test_a_search_is_never_worse_than_the_given_order_and_tells_its_network() -> None:
    network = build_network("googlenet")
    found = best_order(network, load_package("simba-8x8"), 8, method="scope", tries=6, seed=3)
    assert not found.complete
    assert found.tries == 6
    assert found.result.objective is not None
    assert found.gain is not None
    assert found.gain >= 0
    again = solve(make_instance(found.network, load_package("simba-8x8"), 8), "scope")
    assert again.objective == found.result.objective


def test_a_chain_has_one_order() -> None:
    found = best_order(build_network("alexnet"), PACKAGE, 4, method="scope")
    assert (found.tries, found.complete, found.gain) == (1, True, 0.0)
