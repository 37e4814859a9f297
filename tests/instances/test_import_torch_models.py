"""PyTorch models without weights equal the built-in networks, layer for layer."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from instances.importers.torch import from_torch
from instances.network import Network
from instances.networks import build_network

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn import functional


class Attention(nn.Module):  # type: ignore[misc] # without PyTorch it is Any
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x: Any) -> Any:
        samples, tokens, width = x.shape
        parts = self.c_attn(x).split(width, dim=2)
        shape = (samples, tokens, self.heads, width // self.heads)
        q, k, v = (part.view(shape).transpose(1, 2) for part in parts)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(samples, tokens, width)), k, v


class Block(nn.Module):  # type: ignore[misc] # without PyTorch it is Any
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Any) -> Any:
        y, k, v = self.attention(self.before(x))
        x = x + y
        return x + self.fc2(functional.gelu(self.fc1(self.between(x)))), k, v


class GPT2(nn.Module):  # type: ignore[misc] # without PyTorch it is Any
    def __init__(self, blocks: int, width: int, heads: int) -> None:
        super().__init__()
        self.words, self.positions = nn.Embedding(50257, width), nn.Embedding(1024, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 50257, bias=False)
        self.head.weight = self.words.weight

    def forward(self, tokens: Any) -> Any:
        x = self.words(tokens) + self.positions(torch.arange(tokens.shape[1]))
        cache = []
        for block in self.blocks:
            x, k, v = block(x)
            cache += [k, v]
        return self.head(self.norm(x)), *cache


class Bottleneck(nn.Module):  # type: ignore[misc] # without PyTorch it is Any
    def __init__(self, narrow: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(narrow, width, 1, bias=False)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in (width, width, 4 * width))
        self.downsample = None
        if stride != 1 or narrow != 4 * width:
            convolution = nn.Conv2d(narrow, 4 * width, 1, stride, bias=False)
            self.downsample = nn.Sequential(convolution, nn.BatchNorm2d(4 * width))

    def forward(self, x: Any) -> Any:
        y = self.norms[0](self.conv1(x)).relu()
        y = self.norms[1](self.conv2(y)).relu()
        y = self.norms[2](self.conv3(y))
        y += x if self.downsample is None else self.downsample(x)
        return y.relu()


class ResNet50(nn.Module):  # type: ignore[misc] # without PyTorch it is Any
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        blocks, narrow = [], 64
        for width, repeats in ((64, 3), (128, 4), (256, 6), (512, 3)):
            for unit in range(repeats):
                stride = 2 if unit == 0 and width > 64 else 1
                blocks.append(Bottleneck(narrow, width, stride))
                narrow = 4 * width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))

    def forward(self, x: Any) -> Any:
        return self.head(self.blocks(self.stem(x)))


def without_names(network: Network) -> list[Any]:
    """All that is known of each layer, its tensors by their makers' places and their shapes."""
    tensors = {tensor.name: tensor for tensor in network.tensors}

    def seen(names: tuple[str, ...]) -> list[Any]:
        return [(tensors[name].producer, tensors[name].shape) for name in names]

    sizes = ("kind", "channels", "depth", "positions", "kernel", "stride", "groups", "tied")
    return [
        (
            *(getattr(layer, size) for size in sizes),
            layer.extra_parameters,
            *(seen(names) for names in (layer.inputs, layer.operands, layer.addends)),
            [
                (shape, tensors[name].consumers, tensors[name].leaves)
                for name, shape in layer.outputs
            ],
        )
        for layer in network.layers
    ]


def assert_same(found: Network, built_in: Network) -> None:
    for own, other in zip(without_names(found), without_names(built_in), strict=True):
        assert own == other
    assert [shape for _, shape in found.inputs] == [shape for _, shape in built_in.inputs]
    assert found.parameters == built_in.parameters


@pytest.mark.parametrize("meta", [True, False])
def test_gpt2_equals_the_built_in_one(meta: bool) -> None:
    with torch.device("meta"):
        model = GPT2(12, 768, 12).eval()
    tokens = torch.zeros(1, 64, dtype=torch.long, device="meta" if meta else "cpu")
    assert_same(from_torch(model, tokens), build_network("gpt2", sequence=64))


def test_resnet50_equals_the_built_in_one() -> None:
    with torch.device("meta"):
        model = ResNet50().eval()
    network = from_torch(model, torch.zeros(1, 3, 224, 224), name="mine")
    assert_same(network, build_network("resnet50"))
    assert network.name == "mine"
    assert network.layers[0].name == "stem.0"


def test_training_mode_makes_the_same_layers() -> None:
    with torch.device("meta"):
        model = ResNet50().train()
    found = from_torch(model, torch.zeros(1, 3, 224, 224))
    assert found.macs == build_network("resnet50").macs
    assert model.training


def test_weights_are_neither_needed_nor_copied() -> None:
    program = """
import resource, torch, chipweave as cw
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
real = torch.nn.Linear(10_000, 10_000)
cw.from_torch(torch.nn.Linear(8, 8), torch.zeros(1, 8))  # whatever PyTorch sets up once
before = peak()
network = cw.from_torch(real, torch.zeros(1, 10_000))
with torch.device("meta"):
    huge = torch.nn.Linear(1_000_000, 1_000_000)
print(network.macs, cw.from_torch(huge, torch.zeros(1, 1_000_000)).macs, peak() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    macs, huge, grown = done.stdout.split()
    assert (int(macs), int(huge)) == (10**8, 10**12)
    assert float(grown) < 100  # MB; the real weights are 400
