"""The graph that importers fill: what is fused where, what is counted once, how tensors lie."""

from __future__ import annotations

from instances.importers.graph import ImportedGraph, Reading
from instances.importers.products import (
    Factor,
    Heads,
    Recurrence,
    Sizes,
    attention,
    product,
    recurrent,
)
from instances.network import Layer, Network, Shape
from instances.networks.builder import Values

SIZE = (4, 8, 8)


def conv(graph: ImportedGraph, name: str, x: Values, view: Shape = SIZE) -> Values:
    """A 1x1 convolution to four channels."""
    layer = Layer(name, "conv", 4, view[0], view[1:])
    return graph.layer(layer, Reading(x, view), (4, *view[1:]), weight=name)


def by_name(network: Network) -> dict[str, Layer]:
    return {layer.name: layer for layer in network.layers}


def outputs(layer: Layer) -> list[Shape]:
    return [shape for _, shape in layer.outputs]


def test_a_residual_sum_is_made_where_its_last_input_is() -> None:
    graph = ImportedGraph("g")
    a = conv(graph, "a", graph.input("x", SIZE))
    b = conv(graph, "b", a)
    total = graph.join("sum", [a, b], SIZE)
    layers = by_name(graph.network(conv(graph, "c", total)))
    assert layers["b"].addends == ("a",)
    assert layers["c"].inputs == ("b",)


def test_a_gate_by_a_tensors_own_mean_adds_no_tensor() -> None:
    graph = ImportedGraph("g")
    a = conv(graph, "a", graph.input("x", SIZE))
    b = conv(graph, "b", a)
    both = graph.concat("cat", [a, b], (8, 8, 8))
    mean = graph.join("mean", [both], (1, 8, 8))
    centred = graph.join("sub", [both, mean], (8, 8, 8))
    layers = by_name(graph.network(conv(graph, "c", centred, (8, 8, 8))))
    assert layers["c"].inputs == ("a", "b")
    assert layers["a"].addends == layers["b"].addends == ()
    assert outputs(layers["a"]) == outputs(layers["b"]) == [SIZE]


def test_pooling_makes_another_tensor_and_a_reshape_does_not() -> None:
    graph = ImportedGraph("g")
    a = conv(graph, "a", graph.input("x", SIZE))
    pooled = graph.join("pool", [a], (4, 4, 4))
    layer = Layer("fc", "fc", 10, 64, (1, 1))
    flat = graph.layer(layer, Reading(pooled, (64, 1, 1)), (10, 1, 1))
    layers = by_name(graph.network(flat, a))
    assert outputs(layers["a"]) == [SIZE, (4, 4, 4)]


def test_a_tensor_lies_as_its_reader_sees_it() -> None:
    graph = ImportedGraph("g")
    a = conv(graph, "patches", graph.input("x", SIZE))
    layer = Layer("fc", "fc", 10, 4, (64, 1))
    tokens = graph.layer(layer, Reading(a, (4, 64, 1)), (10, 64, 1))
    assert outputs(by_name(graph.network(tokens))["patches"]) == [(4, 64, 1)]


def test_a_tensor_read_with_other_channels_has_a_copy_for_that_reader() -> None:
    graph = ImportedGraph("g")
    a = conv(graph, "a", graph.input("x", SIZE))
    b = conv(graph, "b", a)
    c = conv(graph, "c", a, (16, 4, 4))
    layers = by_name(graph.network(b, c))
    assert outputs(layers["a"]) == [SIZE, (16, 4, 4)]
    assert layers["b"].inputs != layers["c"].inputs


def test_rows_of_several_tensors_are_one_tensor_of_the_last_maker() -> None:
    graph = ImportedGraph("g")
    x = graph.input("x", (8, 3, 1))
    made = product(graph, "a", Factor(x), Factor((), "a"), Sizes(1, 3, 8, 8))
    rows = graph.concat("cat", [x, made], (8, 6, 1))
    last = product(graph, "b", Factor(rows), Factor((), "b"), Sizes(1, 6, 8, 2))
    layers = by_name(graph.network(last))
    assert layers["a"].addends == ("x",)
    assert outputs(layers["a"]) == [(8, 6, 1)]


def test_constants_beside_a_tensor_lengthen_it() -> None:
    graph = ImportedGraph("g")
    a = conv(graph, "a", graph.input("x", SIZE))
    longer = graph.concat("cat", [(), a], (4, 65, 1))
    last = product(graph, "b", Factor(longer), Factor((), "b"), Sizes(1, 65, 4, 2))
    assert outputs(by_name(graph.network(last))["a"]) == [(4, 65, 1)]


def test_what_is_made_of_inputs_only_is_an_input() -> None:
    graph = ImportedGraph("g")
    tokens, types = graph.input("tokens", (1, 6, 1)), graph.input("types", (1, 6, 1))
    rows = [
        graph.join(f"row{k}", [x], (8, 6, 1), {f"table{k}": 80})
        for k, x in enumerate((tokens, types))
    ]
    total = graph.join("sum", rows, (8, 6, 1))
    network = graph.network(product(graph, "a", Factor(total), Factor((), "a"), Sizes(1, 6, 8, 2)))
    assert [shape for _, shape in network.inputs] == [(8, 6, 1)]
    assert network.tables == (("table0", 80), ("table1", 80))


def test_parameters_count_once_wherever_they_are_used() -> None:
    graph = ImportedGraph("g")
    x = graph.join("embed", [graph.input("ids", (1, 6, 1))], (8, 6, 1), {"words": 80})
    x = product(graph, "a", Factor(x), Factor((), "w"), Sizes(1, 6, 8, 8))
    x = graph.join("norm", [x], (8, 6, 1), {"scale": 8})
    x = product(graph, "b", Factor(x), Factor((), "w"), Sizes(1, 6, 8, 8))
    x = graph.join("norm2", [x], (8, 6, 1), {"scale": 8})
    x = product(graph, "head", Factor(x), Factor((), "words"), Sizes(1, 6, 8, 10))
    network = graph.network(x)
    assert network.parameters == 64 + 8 + 80
    assert [layer.tied for layer in network.layers] == [False, True, False]


def test_weights_that_are_parts_of_one_parameter_count_it_once() -> None:
    graph = ImportedGraph("g")
    x = graph.input("x", (8, 6, 1))
    made = []
    for part in "qkv":
        graph.draw(part, "fused")
        weight = Factor((), part, parameters={"fused": 192})
        made.append(product(graph, part, Factor(x), weight, Sizes(1, 6, 8, 8)))
    assert graph.network(*made).parameters == 192


def test_keys_that_several_heads_share_are_sent_once() -> None:
    graph = ImportedGraph("g")
    q, k, v = graph.input("q", (8, 6, 1)), graph.input("k", (4, 5, 1)), graph.input("v", (4, 5, 1))
    made = attention(graph, "a", [Factor(q), Factor(k), Factor(v)], Heads(4, 6, 5, 2, 2))
    network = graph.network(made)
    assert network.inputs == (("q", (8, 6, 1)), ("k", (4, 5, 1)), ("v", (4, 5, 1)))
    assert network.macs == 2 * (4 * 6 * 5 * 2)
    assert [layer.groups for layer in network.layers] == [4, 4]


def test_a_recurrent_layer_has_its_weights_and_its_work_exactly() -> None:
    graph = ImportedGraph("g")
    x = graph.input("x", (8, 7, 1))
    made = recurrent(graph, "lstm", x, Recurrence(4, 3, 8, 7), ("ih", "hh"), {"bias": 24})
    network = graph.network(made)
    assert network.parameters == 4 * 3 * (8 + 3) + 24
    assert network.macs == 7 * 4 * 3 * (8 + 3)
    assert outputs(network.layers[-1]) == [(3, 7, 1)]
