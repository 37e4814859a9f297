"""The fusion rules of the graph builder."""

from __future__ import annotations

import pytest

from instances.network import NetworkError
from instances.networks.builder import Graph, Values


def image(graph: Graph, channels: int = 3, size: int = 32) -> Values:
    return graph.input("image", (channels, size, size))


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "expected"),
    [
        (224, 11, 4, 2, (55, 55)),
        (224, 7, 2, None, (112, 112)),
        (299, 3, 2, 0, (149, 149)),
        (17, (1, 7), 1, None, (17, 17)),
        (17, (7, 1), 1, 0, (11, 17)),
    ],
)
def test_positions_of_a_convolution(
    size: int,
    kernel: int | tuple[int, int],
    stride: int,
    padding: int | None,
    expected: tuple[int, int],
) -> None:
    graph = Graph("g")
    x = graph.conv("c", image(graph, size=size), 8, kernel, stride=stride, padding=padding)
    assert graph.network(x).layers[0].positions == expected


def test_pooling_that_rounds_up_keeps_the_rest_of_the_rows() -> None:
    graph = Graph("g")
    x = graph.conv("c", image(graph, size=112), 8)
    assert graph.pool(x, 3, 2)[0].shape == (8, 55, 55)
    assert graph.pool(x, 3, 2, round_up=True)[0].shape == (8, 56, 56)
    assert graph.pool(x, 3, 2, 1)[0].shape == (8, 56, 56)


def test_a_tensor_that_nothing_reads_is_dropped_and_the_only_one_is_named_like_its_layer() -> None:
    graph = Graph("g")
    x = graph.pool(graph.conv("c", image(graph), 8), 2, 2)
    assert graph.network(x).layers[0].outputs == (("c", (8, 16, 16)),)


def test_a_layer_makes_both_the_map_and_the_pooled_copy_if_both_are_read() -> None:
    graph = Graph("g")
    x = graph.conv("c", image(graph), 8)
    network = graph.network(x, graph.pool(x, 2, 2))
    assert network.layers[0].outputs == (("c", (8, 32, 32)), ("c:pooled", (8, 16, 16)))


@pytest.mark.parametrize("swapped", [False, True])
def test_an_element_wise_operation_is_fused_into_the_later_producer(swapped: bool) -> None:
    graph = Graph("g")
    x = image(graph)
    first, last = graph.conv("first", x, 8), graph.conv("last", x, 8)
    total = graph.combine(last, first) if swapped else graph.combine(first, last)
    network = graph.network(total)
    assert [layer.addends for layer in network.layers] == [(), ("first",)]
    assert network.edges == ((0, 1),)
    assert network.results == ("last",)


def test_a_tensor_used_with_and_without_a_fused_addition_is_refused() -> None:
    graph = Graph("g")
    x = image(graph)
    first, last = graph.conv("first", x, 8), graph.conv("last", x, 8)
    with pytest.raises(NetworkError, match="two tensors are named 'last'"):
        graph.network(graph.combine(first, last), last)


def test_normalisation_counts_for_each_producer_of_a_concatenation() -> None:
    graph = Graph("g")
    x = image(graph)
    both = graph.conv("a", x, 8, extra="none") + graph.conv("b", x, 4, extra="bias")
    graph.norm(both)
    network = graph.network(graph.conv("c", both, 2, extra="none"))
    assert [layer.extra_parameters for layer in network.layers] == [16, 12, 0]
    assert network.layers[2].inputs == ("a", "b")
    assert network.layers[2].depth == 12


def test_normalisation_of_an_outside_tensor_is_a_table() -> None:
    graph = Graph("g")
    network = graph.network(graph.conv("c", graph.norm(image(graph)), 2))
    assert network.tables == (("image:norm", 6),)


def test_a_fully_connected_layer_flattens_and_a_projection_keeps_the_tokens() -> None:
    graph = Graph("g")
    x = graph.input("tokens", (16, 10, 1))
    network = graph.network(graph.fc("flat", x, 4), graph.project("each", x, 4))
    flat, each = network.layers
    assert (flat.depth, flat.positions, network.shape("flat")) == (160, (1, 1), (4, 1, 1))
    assert (each.depth, each.positions, network.shape("each")) == (16, (10, 1), (4, 10, 1))


def test_pooling_and_enlarging_take_rows_and_columns_apart() -> None:
    graph = Graph("g")
    x = graph.conv("c", graph.input("frames", (3, 101, 40)), 8)
    assert graph.pool(x, (4, 3), (4, 3))[0].shape == (8, 25, 13)
    assert graph.pool(x, (2, 1), (2, 1))[0].shape == (8, 50, 40)
    assert graph.upsample(x, (2, 1))[0].shape == (8, 202, 40)
    assert graph.upsample(x, 2)[0].shape == (8, 202, 80)


def test_an_enlarged_tensor_is_made_beside_the_small_one_by_the_same_layer() -> None:
    graph = Graph("g")
    x = graph.conv("c", image(graph), 8)
    network = graph.network(x, graph.upsample(x, 2))
    assert network.layers[0].outputs == (("c", (8, 32, 32)), ("c:upsampled", (8, 64, 64)))


def test_overlapping_windows_of_a_transposed_convolution_do_not_change_its_size() -> None:
    graph = Graph("g")
    apart = graph.deconv("apart", image(graph, channels=6), 8, 2)
    over = graph.deconv("over", apart, 8, 2, 4, extra="norm")
    first, last = graph.network(over).layers
    assert (first.kernel, first.extra_parameters, first.macs) == ((2, 2), 8, 6 * 8 * 4 * 32**2)
    assert (last.kernel, last.extra_parameters, last.macs) == ((4, 4), 16, 8 * 8 * 16 * 64**2)
    assert over[0].shape == (8, 128, 128)


def test_tied_layers_compute_and_count_no_parameters() -> None:
    graph = Graph("g")
    x = image(graph)
    own, tied = graph.conv("own", x, 8, 3), graph.tie(graph.conv("tied", x, 8, 3))
    network = graph.network(own, tied)
    assert [layer.parameters for layer in network.layers] == [8 * 27 + 16, 0]
    assert network.layers[0].macs == network.layers[1].macs
    assert network.layers[1].weights == 8 * 27
