"""DRAM traffic of every possible segment."""

from __future__ import annotations

import numpy as np

from instances.network import Network
from instances.tables import Ints


def io_bytes(network: Network, element_bytes: int) -> Ints:
    """[L,L] bytes a sample of segment s..e: tensors that come in, and tensors that leave.

    A tensor comes in once however many layers of the segment read it, and leaves once if anything
    after the segment needs it. Each tensor adds its size to rectangles of the (s, e) plane, so
    the sum over all tensors is a two-dimensional prefix sum.
    """
    count = len(network.layers)
    marks = np.zeros((count + 1, count + 1), dtype=np.int64)

    def add(starts: tuple[int, int], ends: tuple[int, int], amount: int) -> None:
        """`amount` for every segment with both ends in the (inclusive) ranges."""
        (s0, s1), (e0, e1) = starts, ends
        if s0 <= s1 and e0 <= e1:
            marks[s0, e0] += amount
            marks[s1 + 1, e0] -= amount
            marks[s0, e1 + 1] -= amount
            marks[s1 + 1, e1 + 1] += amount

    for tensor in network.tensors:
        amount = tensor.elements * element_bytes
        last_use = count if tensor.leaves else tensor.consumers[-1]
        add((0, tensor.producer), (tensor.producer, last_use - 1), amount)
        after = tensor.producer
        for consumer in tensor.consumers:
            add((after + 1, consumer), (consumer, count - 1), amount)
            after = consumer
    plane = marks.cumsum(axis=0).cumsum(axis=1)[:count, :count]
    return np.triu(plane)
