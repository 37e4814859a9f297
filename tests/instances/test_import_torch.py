"""Every kind of operator of PyTorch: multiply-accumulates against PyTorch's own count of flops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from instances.importers.torch import from_torch
from instances.network import Network

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn import functional


class Own(nn.Module):  # type: ignore[misc] # without PyTorch it is Any
    """A module of one function of its children, a parameter of 6 x 8 and its arguments."""

    def __init__(self, function: Callable[..., Any], *children: Any) -> None:
        super().__init__()
        self.function, self.parts = function, nn.ModuleList(children)
        self.matrix = nn.Parameter(torch.zeros(6, 8))

    def forward(self, *arguments: Any) -> Any:
        return self.function(self.parts, self.matrix, *arguments)


def grouped_queries(m: Any, _: Any, x: Any) -> Any:
    """Four heads of queries, two of keys and values."""
    q = m[0](x).view(1, 5, 4, 2).transpose(1, 2)
    k, v = (part(x).view(1, 5, 2, 2).transpose(1, 2).repeat_interleave(2, 1) for part in m[1:])
    return functional.scaled_dot_product_attention(q, k, v)


def squeeze_and_excite(m: Any, _: Any, x: Any) -> Any:
    y = m[0](x)
    return m[2](y * torch.sigmoid(m[1](y.mean((2, 3), keepdim=True))))


def shuffle(m: Any, _: Any, x: Any) -> Any:
    y = torch.cat([x, m[0](x)], 1).view(1, 2, 4, 8, 8).transpose(1, 2).reshape(1, 8, 8, 8)
    return m[1](y[:, :4]) + m[2](y[:, 4:])


def with_class_token(m: Any, p: Any, x: Any) -> Any:
    patches = m[0](x).flatten(2).transpose(1, 2)
    return m[1](torch.cat([p[None, :1], patches], 1) + p[None, :5])


IMAGE, TOKENS = (1, 4, 8, 8), (1, 5, 8)

CASES: dict[str, tuple[Callable[[], Any], tuple[tuple[int, ...], ...]]] = {
    "conv1d": (lambda: nn.Conv1d(8, 4, 3, padding=1), ((1, 8, 10),)),
    "same padding": (lambda: nn.Conv2d(4, 4, 4, padding="same"), (IMAGE,)),
    "conv3d": (lambda: nn.Conv3d(2, 4, 3, stride=2), ((1, 2, 9, 9, 9),)),
    "depthwise": (lambda: nn.Conv2d(4, 8, 3, groups=4, dilation=2), (IMAGE,)),
    "several samples": (lambda: nn.Conv2d(4, 4, 3), ((3, 4, 8, 8),)),
    "deconv": (lambda: nn.ConvTranspose2d(4, 6, 4, 2, 1, groups=2), (IMAGE,)),
    "deconv1d": (lambda: nn.ConvTranspose1d(8, 4, 4, stride=2), ((1, 8, 6),)),
    "deconv3d": (lambda: nn.ConvTranspose3d(8, 4, 2, stride=2), ((1, 8, 3, 4, 5),)),
    "weight norm": (lambda: nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 4, 3)), (IMAGE,)),
    "linear": (lambda: nn.Linear(8, 3), (TOKENS,)),
    "linear of a vector": (lambda: nn.Linear(8, 3), ((8,),)),
    "linear of an image": (lambda: nn.Linear(8, 3), ((1, 4, 5, 8),)),
    "used twice": (lambda: Own(lambda m, p, x: m[0](m[0](x)), nn.Linear(8, 8)), (TOKENS,)),
    "cell": (lambda: nn.LSTMCell(8, 4), ((1, 8), (2, 1, 4))),
    "lstm": (lambda: nn.LSTM(8, 4, 2, bidirectional=True, batch_first=True), ((1, 7, 8),)),
    "lstm without bias": (lambda: nn.LSTM(8, 4, bias=False), ((7, 2, 8),)),
    "gru": (lambda: nn.GRU(8, 4), ((7, 1, 8),)),
    "rnn": (lambda: nn.RNN(8, 4), ((7, 1, 8),)),
    "self-attention": (
        lambda: Own(lambda m, p, x: m[0](x, x, x)[0], nn.MultiheadAttention(8, 2)),
        ((5, 1, 8),),
    ),
    "cross-attention": (
        lambda: Own(lambda m, p, x, y: m[0](x, y, y)[0], nn.MultiheadAttention(8, 2)),
        ((5, 1, 8), (3, 1, 8)),
    ),
    "transformer": (lambda: nn.Transformer(8, 2, 1, 1, 16), ((5, 1, 8), (3, 1, 8))),
    "grouped queries": (
        lambda: Own(grouped_queries, nn.Linear(8, 8), nn.Linear(8, 4), nn.Linear(8, 4)),
        (TOKENS,),
    ),
    "learned queries": (
        lambda: Own(lambda m, p, x: functional.scaled_dot_product_attention(p[None], x, x)),
        (TOKENS,),
    ),
    "masked by an input": (
        lambda: Own(
            lambda m, p, x, y: functional.scaled_dot_product_attention(x, x, x, attn_mask=y)
        ),
        (TOKENS, (1, 5, 5)),
    ),
    "weight on the left": (lambda: Own(lambda m, p, x: p @ x.transpose(1, 2)), (TOKENS,)),
    "einsum with a weight": (
        lambda: Own(lambda m, p, x: torch.einsum("btd,kd->btk", x, p)),
        (TOKENS,),
    ),
    "einsum of heads": (
        lambda: Own(lambda m, p, x: torch.einsum("bhtd,bhsd->bhts", x, x)),
        ((2, 3, 5, 8),),
    ),
    "a tensor times itself": (lambda: Own(lambda m, p, x: x[0] @ x[0].T), (TOKENS,)),
    "baddbmm": (
        lambda: Own(lambda m, p, x: torch.baddbmm(x[:, :, :5], x, x.transpose(1, 2))),
        ((2, 5, 8),),
    ),
    "a weight for each expert": (
        lambda: Own(lambda m, p, x: torch.bmm(x.expand(6, 5, 8), p[:, :, None])),
        (TOKENS,),
    ),
    "embedding": (
        lambda: Own(
            lambda m, p, x: m[0](functional.embedding(x.long()[..., 0], p)), nn.Linear(8, 4)
        ),
        (TOKENS,),
    ),
    "gated unit": (
        lambda: Own(
            lambda m, p, x: m[1](functional.glu(m[0](x))), nn.Linear(8, 8), nn.Linear(4, 2)
        ),
        (TOKENS,),
    ),
    "concatenation": (
        lambda: Own(
            lambda m, p, x: m[1](torch.cat([x, m[0](x)], 1)),
            nn.Conv2d(4, 3, 3, padding=1),
            nn.Conv2d(7, 2, 1),
        ),
        (IMAGE,),
    ),
    "rows of two tensors": (
        lambda: Own(
            lambda m, p, x: m[1](torch.cat([x, m[0](x)], 1)), nn.Linear(8, 8), nn.Linear(8, 2)
        ),
        (TOKENS,),
    ),
    "class token": (
        lambda: Own(with_class_token, nn.Conv2d(4, 8, 4, stride=4), nn.Linear(8, 2)),
        (IMAGE,),
    ),
    "gate": (
        lambda: Own(squeeze_and_excite, nn.Conv2d(4, 8, 3), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 4, 1)),
        (IMAGE,),
    ),
    "shuffle": (lambda: Own(shuffle, *(nn.Conv2d(4, 4, 1) for _ in range(3))), (IMAGE,)),
    "without gradients inside": (
        lambda: Own(lambda m, p, x: torch.no_grad()(m[0])(x), nn.Linear(8, 4)),
        (TOKENS,),
    ),
}


def counted(module: Any, arguments: tuple[Any, ...]) -> int:
    """Multiply-accumulates of all products of matrices that PyTorch runs."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*arguments)
    return counter.get_total_flops() // 2


def arguments_of(name: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[Any, ...]:
    """Tensors of these shapes; a cell's state is a pair of them."""
    tensors = tuple(torch.zeros(shape, device="meta") for shape in shapes)
    return (tensors[0], tuple(tensors[1])) if name == "cell" else tensors


@pytest.mark.parametrize("name", CASES)
def test_work_and_parameters_are_those_that_pytorch_counts(name: str) -> None:
    make, shapes = CASES[name]
    with torch.device("meta"):
        module, arguments = make().eval(), arguments_of(name, shapes)
    network = from_torch(module, arguments)
    assert network.macs == counted(module, arguments) > 0
    used = sum(p.numel() for p in module.parameters())
    if isinstance(module, Own) and network.parameters != used:
        used -= module.matrix.numel()  # most functions leave it out
    assert network.parameters == used


def imported(function: Callable[..., Any], *children: Any, shape: tuple[int, ...]) -> Network:
    return from_torch(Own(function, *children).eval(), torch.zeros(shape))


def test_a_factor_is_a_weight_only_if_it_is_made_of_parameters() -> None:
    layers = imported(
        lambda m, p, x: (x @ p.T.contiguous().to(torch.float32)) @ x[:, :1, :6].transpose(1, 2),
        shape=TOKENS,
    ).layers
    assert [layer.kind for layer in layers] == ["fc", "matmul"]
    assert layers[0].weights == 48


def test_work_on_parameters_alone_is_no_layer_but_its_parameters_count() -> None:
    network = imported(
        lambda m, p, x: m[1](x + m[0](p)[:5]), nn.Linear(8, 8), nn.Linear(8, 2), shape=TOKENS
    )
    assert [layer.name for layer in network.layers] == ["parts.1"]
    assert network.parameters == 48 + 72 + 18


def test_a_residual_is_an_addend_of_the_later_layer() -> None:
    layers = imported(
        lambda m, p, x: m[2](m[1](y := m[0](x)) + y),
        *(nn.Linear(8, 8) for _ in range(3)),
        shape=TOKENS,
    ).layers
    assert layers[1].addends == layers[1].inputs == ("parts.0",)
    assert layers[2].inputs == ("parts.1",)


def test_a_state_from_outside_is_read_where_the_recurrence_is() -> None:
    module = nn.LSTM(8, 4, batch_first=True)
    state = (torch.zeros(1, 1, 4), torch.zeros(1, 1, 4))
    layers = from_torch(module, (torch.zeros(TOKENS), state)).layers
    assert [len(layer.addends) for layer in layers] == [0, 2]


def test_branches_of_the_model_itself_are_refused() -> None:
    def branches(m: Any, p: Any, x: Any) -> Any:
        return torch.cond(x.sum() > 0, lambda x: x @ p.T, lambda x: x @ p.T + 1, (x,))

    with pytest.raises(ValueError, match=r"cannot be (stated as layers|exported)"):
        imported(branches, shape=TOKENS)


def test_layers_are_named_by_their_modules_and_names_stay_apart() -> None:
    network = imported(lambda m, p, x: m[0](m[0](x)) @ p.T, nn.Linear(8, 8), shape=TOKENS)
    assert [layer.name for layer in network.layers][:2] == ["parts.0", "parts.0.2"]


def test_arguments_by_name_and_an_integer_argument() -> None:
    class Scaled(nn.Linear):  # type: ignore[misc]
        def forward(self, x: Any, times: int) -> Any:
            return super().forward(x) * times

    assert from_torch(Scaled(8, 3), {"times": 3, "x": torch.zeros(1, 8)}).macs == 24


@pytest.mark.parametrize(
    ("function", "children", "shape", "says"),
    [
        (lambda m, p, x: m[0](x) if x.sum() > 0 else x, ["Linear"], TOKENS, "depends on data"),
        (lambda m, p, x: m[0](x[0][x[0].sum(1) > 0]), ["Linear"], TOKENS, "depends on data"),
        (lambda m, p, x: m[0](x, x), ["Bilinear"], TOKENS, "cannot be stated as layers"),
        (lambda m, p, x: functional.conv2d(x, x[:, :, :3, :3]), [], IMAGE, "expected a parameter"),
        (lambda m, p, x: m[0](x)[0], ["projected"], TOKENS, "expected proj_size=0"),
        (lambda m, p, x: m[0](x[..., 1:]), ["Linear"], TOKENS, "cannot be exported"),
        (lambda m, p, x: x.relu(), [], TOKENS, "found no convolution and no matrix product"),
    ],
)
def test_what_cannot_be_imported_is_said_in_one_line(
    function: Callable[..., Any],
    children: list[str],
    shape: tuple[int, ...],
    says: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    made = {
        "Linear": nn.Linear(8, 3),
        "Bilinear": nn.Bilinear(8, 8, 3),
        "projected": nn.LSTM(8, 4, proj_size=2),
    }
    with pytest.raises(ValueError, match=says) as caught:
        imported(function, *(made[child] for child in children), shape=shape)
    assert len(str(caught.value).splitlines()) == 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("wrong", [None, nn.ReLU, "resnet50.pt", len])
def test_something_else_than_a_module_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"expected a torch\.nn\.Module"):
        from_torch(wrong, torch.zeros(1, 8))
