"""What must be known at a cut between two clusters: the ratios of the tensors that cross it."""

from __future__ import annotations

from itertools import product

import numpy as np

from instances.compression import Compression
from instances.ratio_tables import costs_by_choice

MOST = 2**12
"""States of one cut, at most."""

State = tuple[int, ...]
"""A choice for each live output of a cut."""


class States:
    """The states of all cuts, numbered on: nodes of a graph whose arcs are clusters.

    Cut p lies before layer p. An output is live there if an earlier layer makes it, one from p on
    reads it, and it may be compressed at all.

    Attributes:
        useful: [L] the choices of each layer's output that are worth having, 0 first.
        live: [L+1] the layers whose outputs are live at a cut.
        at: [L+1] the states of each cut, by number within it.
        first: [L+2] the first node of each cut, and the number of nodes.

    Raises:
        ValueError: a cut has too many states.
    """

    def __init__(self, given: Compression, names: tuple[str, ...]) -> None:
        count = len(names)
        self.useful = [useful_choices(given, layer) for layer in range(count)]
        self.live = [
            tuple(
                layer
                for layer in range(cut)
                if len(self.useful[layer]) > 1 and given.readers[layer][-1] >= cut
            )
            for cut in range(count + 1)
        ]
        self.at: list[list[State]] = []
        for cut, live in enumerate(self.live):
            number = int(np.prod([len(self.useful[layer]) for layer in live], dtype=object))
            if number > MOST:
                raise ValueError(
                    f"method 'exact' would have to follow {number:,} combinations of ratios where"
                    f" {len(live)} tensors cross before layer {names[cut]}, at most {MOST:,} are"
                    " allowed: let fewer tensors be compressed, or by fewer ratios"
                )
            self.at.append(list(product(*(self.useful[layer] for layer in live))))
        self._number = [{state: n for n, state in enumerate(own)} for own in self.at]
        self.first = np.cumsum([0, *map(len, self.at)]).astype(np.int64)

    def node(self, cut: int, choices: dict[int, int]) -> int:
        """The node of a cut for these choices of its live outputs."""
        state = tuple(choices[layer] for layer in self.live[cut])
        return int(self.first[cut]) + self._number[cut][state]

    def cut_of(self, node: int) -> int:
        """The cut that a node belongs to."""
        return int(np.searchsorted(self.first, node, side="right")) - 1

    def choices(self, node: int) -> dict[int, int]:
        """Layer -> choice, for the live outputs of the node's cut."""
        cut = self.cut_of(node)
        state = self.at[cut][node - int(self.first[cut])]
        return dict(zip(self.live[cut], state, strict=True))


def useful_choices(given: Compression, layer: int) -> list[int]:
    """Choices that are within the budget, and that no other with no greater loss replaces."""
    costs = costs_by_choice(given, layer, hidden=False, priced=False)
    kept: list[int] = []
    for k in sorted(given.allowed(layer), key=lambda k: (int(given.losses[layer, k]), k)):
        if not any((costs[other] <= costs[k]).all() for other in kept):
            kept.append(k)
    return kept
