"""What a device pays for tensors as blocks join and leave it, one at a time: kernels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from instances.graph import OperatorGraph
from instances.graph_blocks import Blocks
from instances.jit import lean

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Tensors(NamedTuple):
    """The tensors of blocks, for kernels; lists are values[starts[k] : starts[k + 1]].

    Attributes:
        cost: of each tensor, ticks.
        owner: block of each tensor.
        readers: how many blocks read each tensor.
        owned_starts, owned: tensors of each block.
        read_starts, read: tensors that each block reads.
    """

    cost: Ints
    owner: Ints
    readers: Ints
    owned_starts: Ints
    owned: Ints
    read_starts: Ints
    read: Ints


class Work(NamedTuple):
    """What blocks take, for kernels: times in ticks, sizes in bytes, one entry a block."""

    accelerator: Ints
    cpu: Ints
    supported: Flags
    size: Ints


class Room(NamedTuple):
    """The devices: how many accelerators and CPUs, and an accelerator's memory."""

    accelerators: int
    cpus: int
    memory: int


def room_of(graph: OperatorGraph) -> Room:
    """The devices of a graph; of each kind no more than there are classes to put on them."""
    most = len(graph.classes)
    return Room(min(graph.accelerators, most), min(graph.cpus, most), graph.memory)


def work_of(blocks: Blocks) -> Work:
    """What blocks take."""
    return Work(blocks.accelerator, blocks.cpu, blocks.supported, blocks.size)


def tensors_of(blocks: Blocks) -> Tensors:
    """The tensors of blocks."""
    owned, read = blocks.owned, blocks.read
    return Tensors(
        blocks.cost,
        blocks.owner,
        np.diff(blocks.readers.starts),
        owned.starts,
        owned.values,
        read.starts,
        read.values,
    )


@lean
def joins(block: int, tensors: Tensors, inside: Ints, member: Flags) -> int:
    """Put a block on the device; how much more the device pays for tensors.

    Args:
        block: that is not on the device.
        tensors: of all blocks.
        inside: of each tensor, readers on the device; kept up.
        member: whether each block is on the device; kept up.
    """
    more = 0
    for k in range(tensors.owned_starts[block], tensors.owned_starts[block + 1]):
        tensor = tensors.owned[k]
        more += tensors.cost[tensor] * (
            int(inside[tensor] < tensors.readers[tensor]) - int(inside[tensor] > 0)
        )
    for k in range(tensors.read_starts[block], tensors.read_starts[block + 1]):
        tensor = tensors.read[k]
        inside[tensor] += 1
        if member[tensors.owner[tensor]]:
            more -= tensors.cost[tensor] * int(inside[tensor] == tensors.readers[tensor])
        else:
            more += tensors.cost[tensor] * int(inside[tensor] == 1)
    member[block] = True
    return more


@lean
def leaves(block: int, tensors: Tensors, inside: Ints, member: Flags) -> int:
    """Take a block off the device; how much less the device pays. The reverse of `joins`."""
    less = 0
    member[block] = False
    for k in range(tensors.read_starts[block], tensors.read_starts[block + 1]):
        tensor = tensors.read[k]
        if member[tensors.owner[tensor]]:
            less -= tensors.cost[tensor] * int(inside[tensor] == tensors.readers[tensor])
        else:
            less += tensors.cost[tensor] * int(inside[tensor] == 1)
        inside[tensor] -= 1
    for k in range(tensors.owned_starts[block], tensors.owned_starts[block + 1]):
        tensor = tensors.owned[k]
        less += tensors.cost[tensor] * (
            int(inside[tensor] < tensors.readers[tensor]) - int(inside[tensor] > 0)
        )
    return less
