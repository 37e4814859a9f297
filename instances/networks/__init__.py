"""The built-in networks, by name; one parameterised builder a family.

The general ones are what benchmarks and experiments mean by all. Families of generated networks
have names that end with the number of layers, as in `chain-1024`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from types import MappingProxyType
from typing import Literal

from instances.network import Network
from instances.networks.chain import random_chain
from instances.networks.densenet import densenet
from instances.networks.ed_tcn import ed_tcn
from instances.networks.inception import googlenet, inception_v3
from instances.networks.mobile import (
    efficientnet_b0,
    fbnet_c,
    mobilenet_v2,
    mobilenet_v2_pose,
)
from instances.networks.plain import alexnet, darknet19, vgg
from instances.networks.planercnn import planercnn
from instances.networks.res8 import res8_narrow
from instances.networks.resnet import resnet
from instances.networks.ritnet import ritnet
from instances.networks.transformers import (
    BERT_BASE,
    BERT_LARGE,
    GPT2,
    GPT2_LARGE,
    GPT2_XL,
    bert,
    emformer,
    gpt2,
    gpt2_decode,
    gpt_stack,
    vit_b_16,
)
from instances.networks.unet import unet

Group = Literal["general", "AR/VR"]
"""Networks that are meant together."""

GENERAL: tuple[Group, ...] = ("general",)
AR_VR: tuple[Group, ...] = ("AR/VR",)


@dataclass(frozen=True)
class BuiltIn:
    """How to build a network.

    Attributes:
        description: one line.
        build: makes the network from its arguments.
        sequence: the argument's default, in tokens (of speech or video: frames); None if the
            network takes no sequence.
        groups: that it belongs to.
    """

    description: str
    build: Callable[..., Network]
    sequence: int | None = None
    groups: tuple[Group, ...] = GENERAL

    @property
    def arguments(self) -> dict[str, int]:
        """Name and default value of each argument."""
        return {} if self.sequence is None else {"sequence": self.sequence}


NETWORKS: Mapping[str, BuiltIn] = MappingProxyType(
    {
        "alexnet": BuiltIn("AlexNet, 224x224", alexnet),
        "vgg16": BuiltIn("VGG-16, 224x224", partial(vgg, 16)),
        "vgg19": BuiltIn("VGG-19, 224x224", partial(vgg, 19)),
        "darknet19": BuiltIn("DarkNet-19, 224x224", darknet19),
        "resnet18": BuiltIn("ResNet-18, 224x224", partial(resnet, 18)),
        "resnet34": BuiltIn("ResNet-34, 224x224", partial(resnet, 34)),
        "resnet50": BuiltIn("ResNet-50 v1.5 (3x3 strides), 224x224", partial(resnet, 50)),
        "resnet50-v1": BuiltIn("ResNet-50 v1 (1x1 strides), 224x224", partial(resnet, 50, "v1")),
        "resnet101": BuiltIn("ResNet-101 v1.5 (3x3 strides), 224x224", partial(resnet, 101)),
        "resnet101-v1": BuiltIn("ResNet-101 v1 (1x1 strides), 224x224", partial(resnet, 101, "v1")),
        "resnet152": BuiltIn("ResNet-152 v1.5 (3x3 strides), 224x224", partial(resnet, 152)),
        "resnet152-v1": BuiltIn("ResNet-152 v1 (1x1 strides), 224x224", partial(resnet, 152, "v1")),
        "googlenet": BuiltIn("GoogLeNet without auxiliary heads, 224x224", googlenet),
        "inception_v3": BuiltIn("Inception-v3 without auxiliary head, 299x299", inception_v3),
        "mobilenet_v2": BuiltIn("MobileNetV2, 224x224", mobilenet_v2),
        "densenet121": BuiltIn("DenseNet-121, 224x224", partial(densenet, 121)),
        "efficientnet_b0": BuiltIn("EfficientNet-B0, 224x224", efficientnet_b0),
        "unet": BuiltIn(
            "U-Net with same padding, 3 to 2 channels, 256x256", unet, groups=(*GENERAL, *AR_VR)
        ),
        "vit_b_16": BuiltIn("ViT-B/16, 224x224", vit_b_16),
        "bert-base": BuiltIn("BERT-base with pooler", partial(bert, BERT_BASE), 384),
        "bert-large": BuiltIn("BERT-large with pooler", partial(bert, BERT_LARGE), 512),
        "gpt2": BuiltIn("GPT-2 (124 M), prefill", partial(gpt2, GPT2), 1024),
        "gpt2-decode": BuiltIn(
            "GPT-2 (124 M), one token with a KV cache", partial(gpt2_decode, GPT2), 1024
        ),
        "gpt2-large": BuiltIn("GPT-2 large (774 M), prefill", partial(gpt2, GPT2_LARGE), 1024),
        "gpt2-xl": BuiltIn("GPT-2 XL (1.6 G), prefill", partial(gpt2, GPT2_XL), 1024),
        "gpt2-xl-decode": BuiltIn(
            "GPT-2 XL (1.6 G), one token with a KV cache", partial(gpt2_decode, GPT2_XL), 1024
        ),
        "res8-narrow": BuiltIn("keyword spotter, 101x40", res8_narrow, groups=AR_VR),
        "ritnet": BuiltIn("RITnet, eye segmentation, 640x400", ritnet, groups=AR_VR),
        "hand-tracking": BuiltIn(
            "MobileNetV2 with heatmaps of 21 key points of a hand, 256x256",
            partial(mobilenet_v2_pose, "hand-tracking", 21, (256, 256)),
            groups=AR_VR,
        ),
        "fbnet-c": BuiltIn("FBNet-C, 224x224", fbnet_c, groups=AR_VR),
        "ed-tcn": BuiltIn("ED-TCN, segmentation of actions", ed_tcn, 512, groups=AR_VR),
        "emformer": BuiltIn(
            "Emformer, a segment of speech with a KV cache", emformer, groups=AR_VR
        ),
        "planercnn": BuiltIn(
            "PlaneRCNN: ResNet-50, feature pyramid, region proposals, 640x640",
            planercnn,
            groups=AR_VR,
        ),
    }
)


GENERATED: Mapping[str, BuiltIn] = MappingProxyType(
    {
        "chain": BuiltIn("convolutions of random sizes, 224x224", random_chain),
        "gpt-stack": BuiltIn("blocks of GPT-2 (124 M), prefill", gpt_stack, 128),
    }
)
"""Families whose networks have any number of layers, the first argument of `build`."""

MAX_GENERATED = 10_000
"""Layers of a generated network."""

_SIZED = re.compile(rf"({'|'.join(GENERATED)})-([0-9]+)")


def network_names() -> tuple[str, ...]:
    """Names of the general built-in networks, family by family."""
    return _of_group("general")


def ar_vr_names() -> tuple[str, ...]:
    """Names of the built-in networks of the kind that an AR/VR headset runs *(PipeOrgan)*.

    The choice is after arXiv 2405.01736, the definitions are those that the builders name.
    """
    return _of_group("AR/VR")


def is_network_name(name: object) -> bool:
    """Whether `build_network` knows a network of this name."""
    return isinstance(name, str) and (name in NETWORKS or _SIZED.fullmatch(name) is not None)


def takes_sequence(name: str) -> bool:
    """Whether there is a network of this name, and it has a sequence length.

    Raises:
        ValueError: a generated network with a number of layers that it cannot have.
    """
    entry = _find(name)
    return entry is not None and entry.sequence is not None


def build_network(name: str, **arguments: int) -> Network:
    """Build a built-in network, such as `build_network("bert-base", sequence=128)`.

    Raises:
        ValueError: no such network, no such argument, or a sequence or number of layers that the
            network cannot take.
    """
    entry = _find(name)
    if entry is None:
        close = get_close_matches(name.lower(), NETWORKS)
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        generated = ", ".join(f"{family}-LAYERS" for family in GENERATED)
        raise ValueError(
            f"there is no built-in network {name!r}.{hint} Generated: {generated}."
            f" Built in: {', '.join(NETWORKS)}"
        )
    for argument in arguments:
        if argument not in entry.arguments:
            takes = ", ".join(entry.arguments) or "none"
            raise ValueError(f"{name} has no argument {argument!r}; it takes {takes}")
    return entry.build(**{**entry.arguments, **arguments})


def _of_group(group: Group) -> tuple[str, ...]:
    return tuple(name for name, entry in NETWORKS.items() if group in entry.groups)


def _find(name: str) -> BuiltIn | None:
    """The network of this name, built in or generated."""
    sized = _SIZED.fullmatch(name)
    if name in NETWORKS or sized is None:
        return NETWORKS.get(name)
    family, layers = GENERATED[sized[1]], int(sized[2])
    if not 1 <= layers <= MAX_GENERATED:
        raise ValueError(f"{name}: expected 1 to {MAX_GENERATED:,} layers")
    return replace(family, build=partial(family.build, layers))
