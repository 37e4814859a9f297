"""The orders in which the layers of a network may run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from random import Random

import networkx as nx

from instances.network import Network

Places = tuple[int, ...]
"""Indices of layers in the network as it was given, in a new order."""


def reordered(network: Network, order: Sequence[int]) -> Network:
    """The network with its layers in another order.

    Raises:
        NetworkError: a layer would run before one whose tensor it reads.
    """
    return replace(network, layers=tuple(network.layers[place] for place in order))


def all_orders(network: Network, most: int) -> list[Places] | None:
    """Every topological order, the given one first; None if there are more than `most`."""
    found = list(islice(nx.all_topological_sorts(_graph(network)), most + 1))
    if len(found) > most:
        return None
    given = tuple(range(len(network.layers)))
    return [given, *(own for own in map(tuple, found) if own != given)]


def neighbours(network: Network, order: Places, draw: Random) -> Iterator[Places]:
    """Orders that differ by the place of one layer, or of a run of them: endless, at random.

    A run of layers, of which each reads the one before, moves as one: so branches change places.
    """
    graph = _graph(network)
    while True:
        begin = draw.randrange(len(order))
        end = begin + 1
        while (
            end < len(order)
            and draw.random() < LONGER
            and graph.has_edge(*order[end - 1 : end + 1])
        ):
            end += 1
        run, rest = order[begin:end], (*order[:begin], *order[end:])
        before = {own for layer in run for own in graph.predecessors(layer)} - set(run)
        after = {own for layer in run for own in graph.successors(layer)} - set(run)
        place = {layer: number for number, layer in enumerate(rest)}
        low = max((place[own] + 1 for own in before), default=0)
        high = min((place[own] for own in after), default=len(rest))
        spots = [spot for spot in range(low, high + 1) if spot != begin]
        if spots:
            spot = draw.choice(spots)
            yield (*rest[:spot], *run, *rest[spot:])


LONGER = 0.7
"""The chance with which a run that moves has one more layer."""


def _graph(network: Network) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(network.layers)))
    graph.add_edges_from(network.edges)
    return graph
