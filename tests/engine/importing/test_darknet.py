"""Darknet networks with random weights: what they compute in torch against Darknet's definitions in float64."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import torch

from striate.importer import import_file, write_import
from striate.model import load
from tests.engine.importing import darknet_networks as networks
from tests.engine.importing.darknet_reference import Darknet, parameters, random_weights, read_cfg, write

NET = "[net]\nwidth={w}\nheight={h}\nchannels={c}\n"


def cfg(body: str, channels: int = 6, height: int = 12, width: int = 10) -> str:
    return NET.format(w=width, h=height, c=channels) + body


def agree(folder, text: str, *, header: bytes | None = None, seed: int = 3) -> object:
    """Import a cfg with random weights and hold every output against the reference; returns what was imported."""
    weights = random_weights(text, seed, header)
    made = import_file(write(folder, text, weights), weights=folder / "net.weights")
    (_, net), *_ = read_cfg(text)
    size = (int(net["channels"]), int(net["height"]), int(net["width"])) if "width" in net else (int(net["inputs"]),)
    image = np.random.default_rng(seed).normal(0, 1, size).astype(np.float32)
    expected = Darknet(text, weights).run(image)
    program = made.model.to_torch()
    with torch.no_grad():
        for name, tensor in program.state_dict(keep_vars=True).items():
            tensor.copy_(torch.from_numpy(np.array(made.weights[name])))
        found = program.eval().double()(torch.from_numpy(image.astype(np.float64))[None])
    outputs = list(found.values()) if isinstance(found, dict) else [found]
    heads = [place for place, (kind, _) in enumerate(read_cfg(text)[1:]) if kind.lower() in _HEADS]
    wanted = [expected[place] for place in heads or [max(expected)]]
    assert len(wanted) == len(made.model.graph.outputs)
    for ours, theirs in zip(outputs, wanted, strict=True):
        np.testing.assert_allclose(ours[0].numpy().reshape(theirs.shape), theirs, rtol=1e-6, atol=1e-6)
    return made


_HEADS = {"yolo", "region", "detection", "gaussian_yolo"}

ONE = "[convolutional]\nfilters={}\nactivation={}\n"
"""A convolution of one pixel."""

SECTIONS = {
    "conv": "[convolutional]\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=leaky\n",
    "conv with batch norm": "[conv]\nbatch_normalize=1\nfilters=8\nsize=3\npadding=2\nactivation=relu\n",
    "conv of one pixel with pad": "[convolutional]\nfilters=4\nsize=1\npad=1\nstride=2\nactivation=linear\n",
    "conv without anything": "[convolutional]\n",
    "conv of even size": "[convolutional]\nfilters=4\nsize=4\nstride=2\npad=1\nactivation=linear\n",
    "conv in groups": "[convolutional]\nbatch_normalize=1\nfilters=12\nsize=3\npad=1\ngroups=3\nactivation=mish\n",
    "conv with two strides": "[convolutional]\nfilters=4\nsize=3\npad=1\nstride_x=2\nstride_y=1\nactivation=swish\n",
    "dilated conv": "[convolutional]\nfilters=4\nsize=3\npad=1\ndilation=2\nactivation=linear\n",
    "flipped conv": "[convolutional]\nfilters=4\nsize=3\npad=1\nflipped=1\nactivation=linear\n",
    "batch norm": "[batchnorm]\n",
    "connected": "[connected]\noutput=7\nactivation=leaky\n",
    "connected with batch norm": "[connected]\noutput=7\nbatch_normalize=1\nactivation=relu\n",
    "connected, then conv": "[connected]\noutput=7\nactivation=leaky\n[convolutional]\nfilters=3\nactivation=linear\n",
    "local": "[local]\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=leaky\n",
    "local without padding": "[local]\nfilters=4\nsize=3\nstride=2\nactivation=logistic\n",
    "maxpool 2/2": "[maxpool]\nsize=2\nstride=2\n",
    "maxpool 2/1": "[maxpool]\nsize=2\nstride=1\n",
    "maxpool 3/2": "[maxpool]\nsize=3\nstride=2\n",
    "maxpool 5/1": "[maxpool]\nsize=5\nstride=1\n",
    "maxpool 4/3": "[maxpool]\nsize=4\nstride=3\n",
    "maxpool 4/1": "[maxpool]\nsize=4\nstride=1\n",
    "maxpool without size": "[maxpool]\nstride=2\n",
    "maxpool with padding": "[maxpool]\nsize=3\nstride=2\npadding=0\n",
    "maxpool with two strides": "[maxpool]\nsize=3\nstride_x=1\nstride_y=2\n",
    "local average": "[local_avgpool]\nsize=3\nstride=2\n",
    "average": "[avgpool]\n",
    "softmax": "[avgpool]\n[softmax]\ngroups=1\n[cost]\ntype=sse\n",
    "softmax in groups": "[connected]\noutput=12\nactivation=linear\n[softmax]\ngroups=3\ntemperature=2\n",
    "softmax of pixels": "[softmax]\nspatial=1\n",
    "softmax of everything": "[softmax]\n",
    "logistic": "[logistic]\n",
    "l2norm": "[l2norm]\n",
    "dropout": "[dropout]\nprobability=.5\n[activation]\nactivation=relu\n",
    "crop": "[crop]\ncrop_height=9\ncrop_width=6\nflip=1\n",
    "crop that leaves values": "[crop]\ncrop_height=9\ncrop_width=7\nnoadjust=1\n",
    "upsample": "[upsample]\nstride=3\nscale=.5\n",
    "upsample by 2": "[upsample]\n",
    "reorg3d": "[reorg3d]\nstride=2\n",
    "route of a part": ONE.format(6, "linear")
    + "[route]\nlayers=-1\ngroups=3\ngroup_id=1\n[activation]\nactivation=relu\n",
    "route of parts": ONE.format(6, "linear")
    + "[maxpool]\nsize=3\nstride=1\n[route]\nlayers=0, 1,-1\ngroups=2\ngroup_id=1\n",
    "shortcut": ONE.format(6, "linear") * 2 + "[shortcut]\nfrom=-2\nactivation=leaky\n",
    "shortcut from several": ONE.format(6, "mish")
    + ONE.format(6, "tanh")
    + ONE.format(6, "elu")
    + "[shortcut]\nfrom=-2,0\nactivation=mish\n",
    "shortcut from more channels": ONE.format(9, "linear") + ONE.format(6, "linear") + "[shortcut]\nfrom=-2\n",
    "shortcut from fewer channels": ONE.format(4, "linear") + ONE.format(6, "linear") + "[shortcut]\nfrom=-2,0\n",
    "shortcut from twice the size": ONE.format(6, "linear")
    + "[convolutional]\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=linear\n[shortcut]\nfrom=-2\nactivation=relu\n",
    "scale_channels": ONE.format(6, "relu") + "[avgpool]\n" + ONE.format(6, "logistic") + "[scale_channels]\nfrom=-3\n",
    "scale_channels over pixels": ONE.format(6, "relu")
    + ONE.format(1, "logistic")
    + "[scale_channels]\nfrom=-2\nscale_wh=1\nactivation=leaky\n",
    "sam": ONE.format(6, "relu") + ONE.format(6, "logistic") + "[sam]\nfrom=-2\n",
    "empty": "[convolutional]\nfilters=6\nactivation=relu\n[empty]\n[silence]\n[convolutional]\nfilters=2\n",
    "detection": "[connected]\noutput=72\nactivation=linear\n[detection]\nclasses=3\ncoords=4\nside=3\nnum=1\nsqrt=1\n",
    "gaussian": "[convolutional]\nfilters=24\nactivation=linear\n[Gaussian_yolo]\nmask=0,1\nclasses=3\nnum=2\n"
    "anchors=1,2,3,4\n",
    "what a cfg looks like": "\n  # comment\n; comment\n[convolutional]\n  filters = 4 # as many\nsize\t=\t3\r\n"
    "pad= 1\nfilters=5\nactivation = leaky\n",
}


@pytest.mark.parametrize("body", SECTIONS.values(), ids=SECTIONS)
def test_a_section_computes_what_darknet_does(body, tmp_path):
    agree(tmp_path, cfg(body))


@pytest.mark.parametrize("size", [(13, 11), (12, 9), (7, 16)])
@pytest.mark.parametrize("window", ["2/2", "2/1", "3/2", "5/1", "4/3", "4/1", "3/3", "6/2"])
def test_windows_of_any_size_lie_where_darknet_puts_them(window, size, tmp_path):
    kernel, stride = window.split("/")
    for kind in ("maxpool", "local_avgpool"):
        agree(tmp_path, cfg(f"[{kind}]\nsize={kernel}\nstride={stride}\n", 2, *size))


@pytest.mark.parametrize(
    "name", ["logistic", "relu", "relu6", "relie", "ramp", "tanh", "loggy", "hardtan", "elu", "selu"]
)
def test_activations(name, tmp_path):
    agree(tmp_path, cfg(f"[activation]\nactivation={name}\n"))


def test_gelu_is_that_of_tanh(tmp_path):
    weights = random_weights(text := cfg("[activation]\nactivation=gelu\n"))
    made = import_file(write(tmp_path, text, weights), weights=tmp_path / "net.weights")
    (node,) = made.model.graph.nodes
    assert (node.op, node.attributes["form"]) == ("gelu", "tanh")


@pytest.mark.parametrize("kind", ["per_feature", "per_channel"])
@pytest.mark.parametrize("how", ["none", "relu", "avg_relu", "softmax"])
def test_weighted_shortcuts(kind, how, tmp_path):
    body = (
        "[convolutional]\nfilters=6\nactivation=linear\n[convolutional]\nfilters=6\nactivation=linear\n"
        f"[shortcut]\nfrom=-2,0\nweights_type={kind}\nweights_normalization={how}\n"
        "[convolutional]\nfilters=2\nactivation=linear\n"
    )
    agree(tmp_path, cfg(body))


@pytest.mark.parametrize(
    ("kind", "reverse", "channels"), [("reorg", 0, 8), ("reorg", 1, 8), ("reorg3d", 0, 3), ("reorg3d", 1, 32)]
)
def test_reorg_takes_entries_in_darknets_order(kind, reverse, channels, tmp_path):
    agree(tmp_path, cfg(f"[{kind}]\nstride=2\nreverse={reverse}\n", channels, 6, 8))


def test_reorg_is_not_space_to_depth(tmp_path):
    reorg = import_file(write(tmp_path, cfg("[reorg]\nstride=2\n", 8, 6, 8))).model.graph
    other = import_file(write(tmp_path, cfg("[reorg3d]\nstride=2\n", 8, 6, 8))).model.graph
    assert [node.op for node in reorg.nodes] == ["reshape", "space_to_depth", "reshape"]
    assert [node.op for node in other.nodes] == ["space_to_depth"]
    assert reorg.nodes[-1].outputs[0].type.shape == other.nodes[-1].outputs[0].type.shape


FULL = {
    "darknet19": networks.darknet19,
    "yolov2": networks.yolov2,
    "tiny_yolov2": networks.tiny_yolov2,
    "darknet53": networks.darknet53,
    "yolov3": networks.yolov3,
    "tiny_yolov3": networks.tiny_yolov3,
    "yolov4_tiny": networks.yolov4_tiny,
    "yolov4": networks.yolov4,
    "resnet": networks.resnet,
}


@pytest.mark.parametrize("name", FULL)
def test_whole_networks_compute_what_darknet_does(name, tmp_path):
    agree(tmp_path, FULL[name](64))


PUBLISHED = {
    "darknet19": 20_842_376,
    "darknet53": 41_609_928,
    "yolov2": 50_962_889,
    "tiny_yolov2": 15_861_773,  # for the 20 classes of VOC
    "yolov3": 61_949_149,
    "tiny_yolov3": 8_852_366,
    "yolov4_tiny": 6_056_606,
    "yolov4": 64_363_101,
}
"""Trained numbers, running statistics left out: 20.8, 41.6, 51.0, 15.9, 61.9, 8.85, 6.06 and 64.4 million."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameter_counts_are_the_published_ones(name, tmp_path):
    graph = import_file(write(tmp_path, FULL[name]())).model.graph
    assert graph.parameters == PUBLISHED[name]


def test_weights_file_sizes_are_those_of_the_published_files(tmp_path):
    """yolov3.weights has 248,007,048 bytes, yolov3-tiny.weights 35,434,956, darknet53.conv.74 162,482,580."""
    small = networks.tiny_yolov3(32)
    assert 20 + 4 * parameters(small, (3, 32, 32)) == 35_434_956
    assert 20 + 4 * parameters(networks.yolov3(32), (3, 32, 32)) == 248_007_048
    first = networks.darknet53(32).split("[avgpool]")[0]
    assert 20 + 4 * parameters(first, (3, 32, 32)) == 162_482_580


def test_blocks_and_loops_are_found(tmp_path):
    text = import_file(write(tmp_path, networks.darknet53())).text
    assert "block ConvBnLeaky(channels, kernel, stride = 1) {" in text
    assert "  repeat 8 { Residual(128, 256) }" in text
    assert len(text.splitlines()) < 32
    assert " as " not in text


def test_a_loop_whose_end_is_needed_again_keeps_its_loop(tmp_path):
    text = import_file(write(tmp_path, networks.yolov3())).text
    assert "  repeat 8 { Residual(128, 256) }\n  in as residual3_out\n" in text
    assert "concat(residual3_out)" in text


def test_heads_are_outputs_with_remarks(tmp_path):
    made = import_file(write(tmp_path, networks.yolov3()))
    assert list(made.model.graph.outputs) == ["yolo82", "yolo94", "yolo106"]
    assert "# [yolo] layer 82: 80 classes, 3 anchors x (80 + 5) channels\n" in made.text
    assert "# anchors in pixels (width x height): 116 x 90, 156 x 198, 373 x 326\n  output conv1 as yolo82" in made.text


def test_sequences_of_numbers_without_pixels(tmp_path):
    text = "[net]\ninputs=30\n[connected]\noutput=8\nactivation=relu\n[dropout]\n[connected]\noutput=4\n[softmax]\n"
    assert list(agree(tmp_path, text).inputs) == ["features"]


# ---------------------------------------------------------------------------------------------------- weights files

DENSE = "[net]\ninputs=5\n[connected]\noutput=3\nactivation=linear\n"


@pytest.mark.parametrize(
    "header",
    [
        struct.pack("<iiiI", 0, 1, 0, 64),
        struct.pack("<iiiQ", 0, 2, 0, 2**40),
        struct.pack("<iiiQ", 1, 0, 7, 64),
        struct.pack("<iiiI", 0, 1001, 0, 64),
        struct.pack("<iiiI", 1001, 0, 0, 64),
    ],
    ids=["0.1", "0.2", "1.0", "0.1001", "1001.0"],
)
def test_headers_of_all_versions(header, tmp_path):
    made = agree(tmp_path, DENSE, header=header)
    major, minor, revision = struct.unpack("<iii", header[:12])
    seen = int.from_bytes(header[12:], "little")
    assert (
        made.reading.origin == f"Darknet cfg, weights of version {major}.{minor}.{revision}, trained on {seen:,} images"
    )


def test_weights_are_written_and_load_again(tmp_path):
    text = networks.tiny_yolov3(64)
    write(tmp_path, text, random_weights(text))
    report = write_import(tmp_path / "net.cfg", tmp_path / "out.cnn", weights=tmp_path / "net.weights")
    found = load(tmp_path / "out.cnn")
    assert found.graph.inputs[0].contract == {"color": "rgb", "range": (0.0, 1.0)}
    program = found.to_torch(weights=tmp_path / "out.safetensors")
    assert report.weights == tmp_path / "out.safetensors"
    assert sum(tensor.numel() for tensor in program.parameters()) == 8_852_366


def test_without_weights_there_is_only_a_text(tmp_path):
    report = write_import(write(tmp_path, networks.tiny_yolov3(64)), tmp_path / "out.cnn")
    assert report.weights is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.cfg", "out.cnn"]
    assert load(tmp_path / "out.cnn").to_torch() is not None


def test_partial_weights_are_taken_when_told_to(tmp_path):
    text = networks.darknet53(64)
    whole = random_weights(text)
    _, *sections = read_cfg(text)
    upto = Darknet(text, whole)
    upto.sections = sections[:5]
    upto.run(np.zeros((3, 64, 64)))
    path = write(tmp_path, text, whole[: 20 + 4 * upto.asked])
    made = import_file(path, weights=tmp_path / "net.weights", partial=True)
    assert made.reading.details["layers_loaded"] == [0, 1, 2, 3]
    assert made.reading.notes[0] == "[net]: left to a recipe are batch, momentum"
    assert made.reading.notes[1].startswith("weights of 4 layers are in the file, those of 49 start as in training")
    np.testing.assert_array_equal(
        made.weights["conv_bn_leaky1.bn1.bias"], np.frombuffer(whole, "<f4", offset=20, count=32)
    )
    assert set(made.weights) == set(made.model.graph.weights)
