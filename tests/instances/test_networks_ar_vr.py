"""The AR/VR networks: published sizes, skip edges and results; what the group is.

Published figures are those of the papers and repositories that the builders name. MACs for which
there is none are held against sums that the definition gives in closed form.
"""

from __future__ import annotations

from math import floor, prod

import pytest

from instances.network import Layer, Network
from instances.networks import NETWORKS, ar_vr_names, build_network, is_network_name, network_names
from instances.networks.ed_tcn import LONGEST
from instances.networks.mobile import mobilenet_v2_pose
from instances.networks.transformers import BLOCK_LAYERS

AR_VR = (
    "unet",
    "res8-narrow",
    "ritnet",
    "hand-tracking",
    "fbnet-c",
    "ed-tcn",
    "emformer",
    "planercnn",
)


def layers(name: str) -> dict[str, Layer]:
    return {layer.name: layer for layer in build_network(name).layers}


def results(network: Network) -> dict[str, tuple[int, int, int]]:
    return {tensor.name: tensor.shape for tensor in network.tensors if tensor.leaves}


def linear(inputs: int, outputs: int) -> int:
    """Parameters of a matrix and a bias."""
    return inputs * outputs + outputs


def test_the_group_is_built_in_and_apart_from_the_general_networks_but_for_u_net() -> None:
    assert ar_vr_names() == AR_VR
    assert set(AR_VR) & set(network_names()) == {"unet"}
    assert {*AR_VR, *network_names()} == set(NETWORKS)
    assert all(map(is_network_name, AR_VR))


def test_a_near_miss_of_an_ar_vr_network_is_answered_with_its_name() -> None:
    with pytest.raises(ValueError, match="Did you mean planercnn"):
        build_network("PlaneRCN")


def test_keyword_spotter_has_the_published_parameters_and_the_multiplies_of_its_code() -> None:
    network = build_network("res8-narrow")
    assert round(network.parameters / 1e3, 1) == 19.9
    first, pooled, maps = 101 * 40, 25 * 13, 19
    assert network.macs == 9 * maps * first + 6 * 9 * maps**2 * pooled + maps * 12


def test_keyword_spotter_adds_what_comes_into_every_second_convolution() -> None:
    found = layers("res8-narrow")
    addends = {name: layer.addends for name, layer in found.items() if layer.addends}
    assert addends == {
        "block0.conv2": ("conv0",),
        "block1.conv2": ("block0.conv2",),
        "block2.conv2": ("block1.conv2",),
    }
    assert found["conv0"].outputs == (("conv0", (19, 25, 13)),)
    assert results(build_network("res8-narrow")) == {"output": (12, 1, 1)}


def test_eye_segmentation_has_exactly_the_published_parameters() -> None:
    assert build_network("ritnet").parameters == 248_900


def test_eye_segmentation_multiplies_at_five_sizes() -> None:
    def block(channels: int) -> int:
        """Of the first 3x3 on so many channels and the two pairs after it, a pixel."""
        pairs = (channels + 32) + (channels + 64) + 2 * 9 * 32
        return 32 * (9 * channels + pairs)

    up = 32 * (64 + 96 + 2 * 9 * 32)
    pixels = [640 * 400 // 4**level for level in range(5)]
    downs = [block(1), *[block(32)] * 4]
    ups = [up, up, up, up, 0]
    per_pixel = [down + above for down, above in zip(downs, ups, strict=True)]
    expected = sum(a * b for a, b in zip(per_pixel, pixels, strict=True)) + 32 * 4 * pixels[0]
    assert build_network("ritnet").macs == expected


def test_eye_segmentation_concatenates_in_its_blocks_and_across_to_the_map_of_one_size() -> None:
    found = layers("ritnet")
    assert found["down0.conv31"].inputs == ("image", "down0.conv1", "down0.conv22")
    assert found["down2.conv31"].inputs[0] == "down1.conv32:pooled"
    for level in range(4):
        before = f"up{level + 1}.conv22" if level < 3 else "down4.conv32"
        skip = f"down{level}.conv32"
        assert found[f"up{level}.conv11"].inputs == (before, skip)
        assert found[f"up{level}.conv21"].inputs == (before, skip, f"up{level}.conv12")
        assert dict(found[skip].outputs)[skip] == (32, 640 >> level, 400 >> level)
    assert results(build_network("ritnet")) == {"out": (4, 640, 400)}


@pytest.mark.parametrize(("size", "giga"), [((256, 192), 1.59), ((384, 288), 3.57)])
def test_pose_network_has_the_published_complexity_for_17_points_of_a_body(
    size: tuple[int, int], giga: float
) -> None:
    """The published counts hold two operations an element of a normalisation, one of a ReLU."""
    network = mobilenet_v2_pose("body", 17, size)
    assert round(network.parameters / 1e6, 2) == 9.57
    *normalised, _ = network.layers
    elements = {layer.name: prod(network.shape(layer.name)) for layer in normalised}
    clipped = [count for name, count in elements.items() if not name.endswith(".project")]
    operations = network.macs + 2 * sum(elements.values()) + sum(clipped)
    assert round(operations / 1e9, 2) == giga


def test_hand_tracker_is_mobilenet_v2_with_the_residuals_of_its_blocks_and_a_heatmap_head() -> None:
    hand, classifier = build_network("hand-tracking"), build_network("mobilenet_v2")
    shared = len(classifier.layers) - 1
    for ours, theirs in zip(hand.layers[:shared], classifier.layers[:-1], strict=True):
        assert (ours.name, ours.weights, ours.addends) == (
            theirs.name,
            theirs.weights,
            theirs.addends,
        )
    assert sum(bool(layer.addends) for layer in hand.layers) == 10
    assert [layer.kind for layer in hand.layers[shared:]] == [*["deconv"] * 3, "conv"]
    assert results(hand) == {"heatmaps": (21, 64, 64)}


def test_fbnet_c_has_the_published_parameters_and_macs() -> None:
    """5.5 M in paper and repository, which cut the rest off; 375 M and 378.2 M MACs."""
    network = build_network("fbnet-c")
    assert floor(network.parameters / 1e5) == 55
    assert network.macs / 1e6 == pytest.approx(378.2, abs=0.1)
    assert network.macs / 1e6 == pytest.approx(375, rel=0.01)


def test_fbnet_c_adds_around_every_block_that_keeps_its_shape() -> None:
    network = build_network("fbnet-c")
    around = [layer.channels for layer in network.layers if layer.addends]
    assert around == [16, *[24] * 2, *[32] * 3, *[64] * 3, *[112] * 3, *[184] * 3]
    expanded = [layer for layer in network.layers if layer.name.endswith(".expand")]
    assert len(expanded) == 21 - 3, "blocks of expansion 1 have none"
    assert results(network) == {"fc": (1000, 1, 1)}


@pytest.mark.parametrize("frames", [4, 512, 2000])
def test_action_segmentation_is_a_chain_that_halves_and_doubles_its_frames(frames: int) -> None:
    network = build_network("ed-tcn", sequence=frames)
    widths = [(128, 64), (64, 96), (96, 96), (96, 64)]
    weights = [25 * before * after for before, after in widths]
    assert network.parameters == sum(weights) + 64 + 96 + 96 + 64 + linear(64, 18)
    lengths = [frames, frames // 2, frames // 2, frames]
    convolved = sum(a * b for a, b in zip(weights, lengths, strict=True))
    assert network.macs == convolved + 64 * 18 * frames
    assert network.edges == tuple((layer, layer + 1) for layer in range(4))
    assert results(network) == {"actions": (18, frames, 1)}


@pytest.mark.parametrize("frames", [0, 2, 6, 511, LONGEST + 4, 8.0])
def test_frames_that_cannot_be_halved_twice_or_are_too_many_are_refused(frames: int) -> None:
    with pytest.raises(ValueError, match=r"^ed-tcn: sequence is .* a multiple of 4$"):
        build_network("ed-tcn", sequence=frames)


def test_emformer_and_the_rest_of_its_transducer_weigh_what_the_checkpoint_weighs() -> None:
    """293 MiB of 4-byte parameters: `EMFORMER_RNNT_BASE_LIBRISPEECH`, 4097 symbols."""
    norms = 2 * 512 + 2 * 1024
    lstm = 2 * 512 * 4 * 512 + 2 * 512 + 2 * 4 * 512
    predictor = 4097 * 512 + 3 * lstm + linear(512, 1024) + norms
    joiner = linear(1024, 4097)
    network = build_network("emformer")
    assert round((network.parameters + predictor + joiner) * 4 / 2**20) == 293


def test_emformer_attends_from_five_tokens_to_these_and_the_30_before() -> None:
    network = build_network("emformer")
    assert len(network.layers) == 20 * (BLOCK_LAYERS + 1) + 2
    found = {layer.name: layer for layer in network.layers}
    assert found["block7.qk"].operands == ("block7.k_cache", "block7.kv:k")
    assert network.shape("block7.qk") == (8 * 35, 5, 1)
    attention = [layer for layer in network.layers if layer.kind == "matmul"]
    assert sum(layer.macs for layer in attention) == 20 * 2 * 512 * 5 * 35
    assert sum(bool(layer.addends) for layer in network.layers) == 2 * 20
    assert found["block7.fc2"].addends == ("block7.out_proj",)
    assert found["block7.out_proj"].addends == ("block6.fc2",)


def test_emformer_hands_out_the_encoded_segment_and_each_blocks_keys_and_values() -> None:
    leaving = results(build_network("emformer"))
    assert leaving.pop("output_linear") == (1024, 4, 1)
    assert leaving == {
        f"block{block}.kv:{label}": (512, 5, 1) for block in range(20) for label in "kv"
    }


def test_plane_detector_is_resnet_50_a_feature_pyramid_and_one_proposal_network() -> None:
    network, resnet = build_network("planercnn"), build_network("resnet50-v1")
    backbone = resnet.parameters - resnet.layers[-1].parameters
    lateral = sum(linear(width, 256) for width in (256, 512, 1024, 2048))
    smooth = 4 * linear(9 * 256, 256)
    proposals = linear(9 * 256, 512) + linear(512, 2 * 3) + linear(512, 4 * 3)
    assert network.parameters == backbone + lateral + smooth + proposals
    assert sum(layer.tied for layer in network.layers) == 3 * 4
    heads = [layer.macs for layer in network.layers if layer.name.startswith("rpn")]
    cells = sum((640 // stride) ** 2 for stride in (4, 8, 16, 32, 64))
    assert sum(heads) == cells * (9 * 256 * 512 + 512 * 6 + 512 * 12)


def test_plane_detector_adds_each_enlarged_level_to_the_stage_below() -> None:
    found = layers("planercnn")
    for level, last in ((4, "layer3.5.conv3"), (3, "layer2.3.conv3"), (2, "layer1.2.conv3")):
        lateral = found[f"lateral{level}"]
        (above,) = lateral.addends
        assert lateral.inputs == (last,)
        assert above.startswith(f"lateral{level + 1}:")
        assert dict(found[f"lateral{level + 1}"].outputs)[above] == lateral.outputs[0][1]
        assert found[f"smooth{level}"].inputs[0].startswith(f"lateral{level}")
    assert found["rpn6.shared"].inputs == ("smooth5:pooled",)


def test_plane_detector_hands_out_its_pyramid_and_the_proposals_of_five_levels() -> None:
    leaving = results(build_network("planercnn"))
    sides = {level: 640 >> level for level in range(2, 7)}
    expected = {f"smooth{level}": (256, sides[level], sides[level]) for level in range(2, 6)}
    for level, side in sides.items():
        expected[f"rpn{level}.scores"] = (6, side, side)
        expected[f"rpn{level}.boxes"] = (12, side, side)
    assert leaving == expected
