"""Orders of layers: all that are found keep every layer behind what it reads."""

from collections.abc import Callable
from itertools import islice, permutations
from random import Random

import pytest

from instances.network import Network, NetworkError
from instances.networks import build_network
from instances.orders import all_orders, neighbours, reordered

Branches = Callable[..., Network]


def legal(network: Network, order: tuple[int, ...]) -> bool:
    """Whether each layer is once in an order, and behind all that it reads."""
    place = {layer: number for number, layer in enumerate(order)}
    return sorted(order) == list(range(len(network.layers))) and all(
        place[a] < place[b] for a, b in network.edges
    )


def test_all_orders_are_those_permutations_that_keep_the_edges(branches: Branches) -> None:
    network = branches(2, 1, 1)
    found = all_orders(network, 100)
    assert found is not None
    expected = {own for own in permutations(range(5)) if legal(network, own)}
    assert len(found) == len(expected) == 12
    assert set(found) == expected
    assert found[0] == (0, 1, 2, 3, 4)


def test_too_many_orders_are_none_at_all(branches: Branches) -> None:
    assert all_orders(branches(2, 1, 1), 11) is None
    assert all_orders(branches(2, 1, 1), 12) is not None


def test_a_neighbour_is_another_order_that_keeps_the_edges() -> None:
    network = build_network("googlenet")
    given = tuple(range(len(network.layers)))
    found = list(islice(neighbours(network, given, Random(1)), 200))
    assert all(legal(network, own) and own != given for own in found)
    assert len(set(found)) > 100


def test_neighbours_of_neighbours_reach_every_order(branches: Branches) -> None:
    network = branches(2, 1, 1)
    expected = set(all_orders(network, 100) or ())
    first: tuple[int, ...] = (0, 1, 2, 3, 4)
    reached, open_ = {first}, [first]
    while open_:
        for own in islice(neighbours(network, open_.pop(), Random(0)), 200):
            if own not in reached:
                reached.add(own)
                open_.append(own)
    assert reached == expected


def test_a_layer_before_what_it_reads_is_refused(branches: Branches) -> None:
    with pytest.raises(NetworkError, match=r"b0\.1.*out of order"):
        reordered(branches(2, 1), (1, 0, 2, 3))
