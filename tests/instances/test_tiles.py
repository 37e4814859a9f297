"""Tiles: Tangram's rule and delays against loop nests that are run, iteration by iteration."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from math import prod

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from instances.cost.tiles import Role, delay, is_depthwise, loop, role
from instances.network import Layer, Network, Tensor

Element = tuple[int, int, int]
"""Channel, row, column of a tensor."""

Step = tuple[int, ...]
"""Of a loop nest: output channel, row, column, input channel, row and column of the kernel."""

ROLES: tuple[Role | None, ...] = (None, "outputs", "groups", "inputs")


def conv(
    name: str,
    source: str,
    channels: int,
    shape: tuple[int, int, int],
    *,
    kernel: tuple[int, int] = (1, 1),
    stride: int = 1,
    depthwise: bool = False,
    pool: int = 1,
) -> Layer:
    """A convolution of a tensor of a shape, its output pooled by a factor."""
    depth, *size = shape
    rows, columns = (-(-side // stride) for side in size)
    return Layer(
        name, "conv", channels, depth, (rows, columns), kernel, (stride, stride),
        groups=depth if depthwise else 1,
        inputs=(source,),
        outputs=((name, (channels, -(-rows // pool), -(-columns // pool))),),
    )  # fmt: skip


def pair(producer: Layer, shape: tuple[int, int, int], consumer: Layer) -> Tensor:
    """What the producer hands on, in a network of both."""
    network = Network("two", (("image", shape),), (producer, consumer))
    return next(own for own in network.tensors if own.name == "a")


# Loop nests


@cache
def steps(layer: Layer, own: Role | None) -> list[Step]:
    """All iterations, in the order of the layer's loops: the one that is cut comes first."""
    rows, columns = layer.positions
    inner = layer.depth // layer.groups
    ranges = {
        "channel": range(layer.channels),
        "row": range(rows),
        "column": range(columns),
        "input": range(inner),
        "y": range(layer.kernel[0]),
        "x": range(layer.kernel[1]),
    }
    names = list(ranges)
    first = {None: ["row", "column"], "outputs": ["channel"], "groups": ["channel"]}
    outer = first.get(own, ["input"])
    order = [*outer, *(name for name in names if name not in outer)]
    places = [order.index(name) for name in names]
    return [tuple(it[p] for p in places) for it in product(*(ranges[name] for name in order))]


def made(layer: Layer, own: Role | None) -> dict[Element, int]:
    """When each output is done: the number of its last iteration."""
    return {(step[0], step[1], step[2]): number for number, step in enumerate(steps(layer, own))}


def reads(layer: Layer, step: Step, shape: tuple[int, ...]) -> Iterator[Element]:
    """Which input an iteration reads; none in the padding, which is the same on both sides."""
    channel, row, column, inner, y, x = step
    per_group = layer.depth // layer.groups
    group = channel // (layer.channels // layer.groups)
    at = []
    for window, shift, k in ((row, y, 0), (column, x, 1)):
        reach = (layer.positions[k] - 1) * layer.stride[k] + layer.kernel[k]
        padding = max(0, -(-(reach - shape[1 + k]) // 2))
        at.append(window * layer.stride[k] + shift - padding)
    if 0 <= at[0] < shape[1] and 0 <= at[1] < shape[2]:
        yield group * per_group + inner, at[0], at[1]


def most_tiles(
    producer: Layer, consumer: Layer, tensor: Tensor, roles: tuple[Role | None, ...]
) -> int:
    """In how many parts both can be run so that a part needs only what parts up to it have made."""
    done, order = made(producer, roles[0]), steps(consumer, roles[1])
    work = len(steps(producer, roles[0]))
    found = 1
    for tiles in range(2, min(work, len(order)) + 1):
        fits = all(
            done[element] * tiles // work <= number * tiles // len(order)
            for number, step in enumerate(order)
            for element in reads(consumer, step, tensor.shape)
        )
        found = tiles if fits else found
    return found


def behind(
    producer: Layer, consumer: Layer, tensor: Tensor, tiles: int, roles: tuple[Role | None, ...]
) -> int:
    """How many tiles later the consumer must begin so that no iteration waits for an input."""

    def tile(layer: Layer, own: Role | None, number: int) -> int:
        """In which tile an iteration of the whole nest is."""
        size = len(steps(layer, own)) // loop(layer, own)
        return number // size // -(-loop(layer, own) // tiles)

    done = made(producer, roles[0])
    return 1 + max(
        tile(producer, roles[0], done[element]) - tile(consumer, roles[1], number)
        for number, step in enumerate(steps(consumer, roles[1]))
        for element in reads(consumer, step, tensor.shape)
    )


# Tangram's rule


@pytest.mark.parametrize(("rows", "columns"), [(1, 5), (3, 2), (2, 3)])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_with_positions_outermost_a_tile_is_a_position(
    rows: int, columns: int, channels: int
) -> None:
    shape = (2, rows, columns)
    producer = conv("a", "image", channels, shape)
    consumer = conv("b", "a", 2, (channels, rows, columns))
    tensor = pair(producer, shape, consumer)
    tiles = most_tiles(producer, consumer, tensor, (None, None))
    assert tiles == rows * columns == min(loop(producer, None), loop(consumer, None))
    assert delay(producer, consumer, tensor, tiles, (None, None)) == 1


@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("depthwise", [False, True])
def test_with_channels_outermost_a_tile_is_a_channel(channels: int, depthwise: bool) -> None:
    shape = (2, 2, 2)
    producer = conv("a", "image", channels, shape)
    after = channels if depthwise else 2
    consumer = conv("b", "a", after, (channels, 2, 2), kernel=(3, 3), depthwise=depthwise)
    tensor = pair(producer, shape, consumer)
    roles: tuple[Role, Role] = ("outputs", "groups" if depthwise else "inputs")
    assert (role(producer, False, True), role(consumer, True, False)) == roles
    tiles = most_tiles(producer, consumer, tensor, roles)
    assert tiles == channels == min(loop(producer, roles[0]), loop(consumer, roles[1]))
    assert delay(producer, consumer, tensor, tiles, roles) == 1


@pytest.mark.parametrize(
    "roles",
    [
        (None, "inputs"),
        (None, "outputs"),
        ("outputs", None),
        ("outputs", "outputs"),
        ("inputs", None),
        ("inputs", "inputs"),
    ],
)
def test_without_a_common_loop_outermost_there_is_one_tile(roles: tuple[Role | None, ...]) -> None:
    """Part of the inputs gives no output, and part of the outputs needs all inputs."""
    shape = (2, 2, 2)
    producer, consumer = conv("a", "image", 4, shape), conv("b", "a", 4, (4, 2, 2))
    tensor = pair(producer, shape, consumer)
    assert most_tiles(producer, consumer, tensor, roles) == 1


def test_a_layer_that_reads_and_hands_on_has_no_loop_of_channels_unless_it_is_depthwise() -> None:
    full = conv("a", "image", 4, (4, 2, 2))
    depthwise = conv("a", "image", 4, (4, 2, 2), depthwise=True)
    assert (is_depthwise(full), is_depthwise(depthwise)) == (False, True)
    assert role(full, consumes=True, produces=True) is None
    assert {role(depthwise, a, b) for a in (True, False) for b in (True, False)} == {"groups"}
    assert [loop(full, own) for own in ROLES] == [4, 4, 4, 4]
    wide = conv("b", "image", 6, (3, 2, 5))
    assert [loop(wide, own) for own in (None, "outputs", "inputs")] == [10, 6, 3]


# Delays


@given(
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.integers(1, 3),
    first=st.integers(1, 2),
    tiles=st.integers(1, 40),
)
def test_a_delay_by_positions_is_the_least_with_which_no_iteration_waits(
    size: tuple[int, int], kernel: tuple[int, int], stride: int, first: int, tiles: int
) -> None:
    shape = (1, size[0] * first, size[1] * first)
    producer = conv("a", "image", 2, shape, stride=first)
    own = producer.outputs[0][1]
    consumer = conv("b", "a", 1, own, kernel=kernel, stride=stride)
    tensor = pair(producer, shape, consumer)
    assume(tiles <= min(loop(producer, None), loop(consumer, None)))
    roles = (None, None)
    assert delay(producer, consumer, tensor, tiles, roles) == behind(
        producer, consumer, tensor, tiles, roles
    )


@given(
    channels=st.integers(1, 7),
    kernel=st.integers(1, 3),
    depthwise=st.booleans(),
    tiles=st.integers(1, 7),
)
def test_a_delay_by_channels_is_the_least_with_which_no_iteration_waits(
    channels: int, kernel: int, depthwise: bool, tiles: int
) -> None:
    shape = (2, 3, 3)
    producer = conv("a", "image", channels, shape)
    consumer = conv(
        "b", "a", channels, (channels, 3, 3), kernel=(kernel, kernel), depthwise=depthwise
    )
    tensor = pair(producer, shape, consumer)
    roles: tuple[Role, Role] = ("outputs", "groups" if is_depthwise(consumer) else "inputs")
    assume(tiles <= channels)
    assert delay(producer, consumer, tensor, tiles, roles) == behind(
        producer, consumer, tensor, tiles, roles
    )


def test_a_delay_behind_a_pooled_layer_counts_in_shares_of_its_loop() -> None:
    """Of 16 positions 4 are left; a pooled row needs half of the producer's positions."""
    shape = (1, 4, 4)
    producer = conv("a", "image", 1, shape, pool=2)
    consumer = conv("b", "a", 1, (1, 2, 2))
    tensor = pair(producer, shape, consumer)
    assert prod(tensor.shape) == 4
    assert [delay(producer, consumer, tensor, tiles, (None, None)) for tiles in (1, 2, 4)] == [
        1
    ] * 3
    below = conv("b", "a", 1, (1, 2, 2), kernel=(3, 3))
    assert delay(producer, below, pair(producer, shape, below), 4, (None, None)) == 4


def test_the_second_operand_of_a_matmul_is_needed_whole() -> None:
    heads = Layer(
        "b", "matmul", 4, 8, (4, 1), inputs=("image",), operands=("a",), outputs=(("b", (4, 4, 1)),)
    )
    keys = Layer("a", "fc", 8, 8, (4, 1), inputs=("image",), outputs=(("a", (8, 4, 1)),))
    network = Network("attention", (("image", (8, 4, 1)),), (keys, heads))
    tensor = next(own for own in network.tensors if own.name == "a")
    assert [delay(keys, heads, tensor, tiles, (None, None)) for tiles in (1, 2, 4)] == [1, 2, 4]
