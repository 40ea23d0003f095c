"""Parameters and multiply-adds of the zoo, against peers counted by torch, and against the figures that papers print.

Parameters are trained entries: running statistics are none, tied weights count once. A multiply-add (MAC) is one of a
convolution or a matrix product, those of attention too; activations, norms, pooling and additions have none. Papers
mostly call these FLOPs, Darknet's authors count two operations for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from striate.analysis.costs import graph_macs, node_costs
from striate.model import Model
from striate.passes import DropInferenceNoops, run_passes
from striate.passes.reparameterise import reparameterise
from tests.dsl.trees import zoo
from tests.engine.view.networks import summary_of, zoo_model
from tests.plugins.peer_counts import built, cases, counts, image_of

LAYER_SCALE = "convnext"
"""Its trained factor per channel is a depthwise 1x1 here, whose multiplications count; torch counts none there."""


def macs(model: Model, *, of: Callable[[str], bool] = lambda op: True) -> int:
    """The multiply-adds of the layers of some kinds."""
    costs = node_costs(model.graph, model.catalogue.lookup)
    return sum(int(str(costs[node.name].macs)) for node in model.graph.nodes if of(node.op))


def scales(model: Model) -> int:
    """The multiplications of ConvNeXt's factors."""
    costs = node_costs(model.graph, model.catalogue.lookup)
    factors = [node.name for node in model.graph.nodes if node.name.endswith("conv4") and node.op == "conv"]
    assert factors
    return sum(int(str(costs[name].macs)) for name in factors)


@pytest.mark.parametrize(("file", "model", "setting", "peer"), [*cases()])
def test_a_peer_costs_the_same(file, model, setting, peer):
    network = built(file, model, setting)
    image, parameters, multiplications = counts()[peer]
    assert image_of(network) == image
    assert network.parameters == parameters
    assert graph_macs(network.graph, network.catalogue.lookup) == multiplications + (
        scales(network) if file == LAYER_SCALE else 0
    )


BY_HAND = [
    # The arithmetic of the published tables, layer by layer: AlexNet with two groups and with one, ZFNet's figure 3.
    ("alexnet_2012", "AlexNet2012", 60_965_224, 724_406_816),
    ("alexnet_2012", "AlexNet2012Ungrouped", 62_378_344, 1_135_256_096),
    ("zfnet", "ZFNet", 62_357_608, 1_168_032_896),
    ("lenet5_original", "LeNet5Original", 60_000, 327_256),
    # Lin et al., with the widths of the authors' configuration for CIFAR-10, and that of Caffe's model zoo.
    ("nin", "NiN", 966_986, 222_486_528),
    ("nin", "NiNImageNet", 7_595_176, 1_100_188_800),
    ("darknet", "Darknet19", 20_842_376, 2_790_989_824),
    ("resnet_v1", "ResNetV1_50", 25_557_032, 3_857_973_248),
    ("resnet_v1", "ResNetV1_101", 44_549_160, 7_570_194_432),
    ("resnet_v1", "ResNetV1_152", 60_192_808, 11_282_415_616),
    ("resnet_v2", "ResNetV2_200", 64_666_152, 15_007_481_856),
    ("resnet_v2", "ResNetV2Cifar110", 1_730_522, 253_149_824),
    ("resnet_v2", "ResNetV2Cifar164", 1_703_258, 247_646_720),
    ("resnet_v2", "ResNetV2Cifar1001", 10_327_706, 1_490_995_712),
    ("mobilenet_v1", "MobileNetV1_75", 2_585_560, 325_400_448),
    ("mobilenet_v1", "MobileNetV1_50", 1_331_592, 149_497_088),
    ("mobilenet_v1", "MobileNetV1_25", 470_072, 41_030_272),
    ("shufflenet_v1", "ShuffleNet_g1", 1_531_936, 143_078_976),
    ("shufflenet_v1", "ShuffleNet_g2", 1_733_848, 140_836_512),
    ("shufflenet_v1", "ShuffleNet_g3", 1_865_728, 137_460_672),
    ("shufflenet_v1", "ShuffleNet_g4", 1_968_344, 134_339_776),
    ("shufflenet_v1", "ShuffleNet_g8", 2_434_768, 138_365_952),
]


@pytest.mark.parametrize(("file", "model", "parameters", "multiplications"), BY_HAND, ids=str)
def test_a_network_without_a_peer_costs_what_its_table_says(file, model, parameters, multiplications):
    network = zoo_model(file, model)
    assert (network.parameters, macs(network)) == (parameters, multiplications)


@dataclass(frozen=True)
class Printed:
    """A figure as it is printed.

    Attributes:
        file, model: the network.
        what: what is counted.
        figure: the figure, with M or G for millions or thousands of millions.
        source: where it is printed.
        here: the same figure by this count, where the source has another one.
        why: why it has.
        setting: a parameter of the model that is set.
    """

    file: str
    model: str
    what: str
    figure: str
    source: str
    here: str = ""
    why: str = ""
    setting: str = ""


MOBILENETS = "Howard et al., MobileNets, 2017, tables 6 and 7"
SHUFFLENET = "Zhang et al., ShuffleNet, 2017, table 1"
GHOSTNET = "Han et al., GhostNet, 2020, table 7"
RES2NET = "Gao et al., Res2Net, 2019, table 3"
MOBILEVIT = "Mehta and Rastegari, MobileViT, 2021, table 4"
DEEP = "He et al., Deep residual learning, 2015, table 1"
IDENTITY = "He et al., Identity mappings in deep residual networks, 2016, table 4"

PRINTED = [
    Printed("mobilenet_v1", "MobileNetV1_100", "parameters", "4.2M", MOBILENETS),
    Printed("mobilenet_v1", "MobileNetV1_75", "parameters", "2.6M", MOBILENETS),
    Printed("mobilenet_v1", "MobileNetV1_50", "parameters", "1.3M", MOBILENETS),
    Printed("mobilenet_v1", "MobileNetV1_25", "parameters", "0.5M", MOBILENETS),
    Printed("mobilenet_v1", "MobileNetV1_100", "macs", "569M", MOBILENETS),
    Printed("mobilenet_v1", "MobileNetV1_75", "macs", "325M", MOBILENETS),
    Printed("mobilenet_v1", "MobileNetV1_50", "macs", "149M", MOBILENETS),
    Printed("mobilenet_v1", "MobileNetV1_25", "macs", "41M", MOBILENETS),
    Printed("mobilenet_v1", "MobileNetV1_100", "macs", "418M", MOBILENETS, setting="size=192"),
    Printed("mobilenet_v1", "MobileNetV1_100", "macs", "290M", MOBILENETS, "291M", "290.7, cut off", "size=160"),
    Printed("mobilenet_v1", "MobileNetV1_100", "macs", "186M", MOBILENETS, setting="size=128"),
    Printed("shufflenet_v1", "ShuffleNet_g1", "macs of convolutions", "143M", SHUFFLENET),
    Printed("shufflenet_v1", "ShuffleNet_g2", "macs of convolutions", "140M", SHUFFLENET),
    Printed("shufflenet_v1", "ShuffleNet_g3", "macs of convolutions", "137M", SHUFFLENET),
    Printed("shufflenet_v1", "ShuffleNet_g4", "macs of convolutions", "133M", SHUFFLENET),
    Printed("shufflenet_v1", "ShuffleNet_g8", "macs of convolutions", "137M", SHUFFLENET),
    Printed("ghostnet", "GhostNet_050", "parameters", "2.6M", GHOSTNET),
    Printed("ghostnet", "GhostNet_100", "parameters", "5.2M", GHOSTNET),
    Printed("ghostnet", "GhostNet_130", "parameters", "7.3M", GHOSTNET, "7.4M", "the authors' code is timm's, 7.36 M"),
    Printed("ghostnet", "GhostNet_050", "macs", "42M", GHOSTNET),
    Printed("ghostnet", "GhostNet_100", "macs", "141M", GHOSTNET),
    Printed("ghostnet", "GhostNet_130", "macs", "226M", GHOSTNET, "227M", "as the parameters"),
    Printed("xception", "Xception", "parameters", "22.855952M", "Chollet, Xception, 2017, table 3"),
    Printed("res2net", "Res2Net50_48w2s", "macs", "4.2G", RES2NET),
    Printed("res2net", "Res2Net50_26w4s", "macs", "4.2G", RES2NET, "4.3G", "4.255, cut off"),
    Printed("res2net", "Res2Net50_14w8s", "macs", "4.2G", RES2NET),
    Printed("res2net", "Res2Net50_26w6s", "macs", "6.3G", RES2NET),
    Printed("res2net", "Res2Net50_26w8s", "macs", "8.3G", RES2NET),
    Printed("resnet_v1", "ResNetV1_50", "macs", "3.8G", DEEP, "3.9G", "3.858, cut off"),
    Printed("resnet_v1", "ResNetV1_101", "macs", "7.6G", DEEP),
    Printed("resnet_v1", "ResNetV1_152", "macs", "11.3G", DEEP),
    Printed("resnet", "ResNet18", "macs", "1.8G", DEEP),
    Printed("resnet", "ResNet34", "macs", "3.6G", DEEP, "3.7G", "3.664, cut off"),
    Printed("resnet_v2", "ResNetV2Cifar110", "kernels", "1.7M", IDENTITY),
    Printed("resnet_v2", "ResNetV2Cifar164", "kernels", "1.7M", IDENTITY),
    Printed("resnet_v2", "ResNetV2Cifar1001", "kernels", "10.2M", IDENTITY),
    Printed("resnet_v2", "ResNetV2_200", "macs", "15.0G", "Chen et al., Dual path networks, 2017, table 2"),
    Printed("darknet", "Darknet19", "operations", "5.58G", "Redmon and Farhadi, YOLO9000, 2016, section 3"),
    Printed(
        *("darknet", "Darknet53", "operations", "18.7G", "Redmon and Farhadi, YOLOv3, 2018, table 2"),
        *("18.6G", "18.57 on the authors' own page"),
    ),
    Printed("cspdarknet", "CSPDarknet53", "parameters", "27.6M", "Bochkovskiy et al., YOLOv4, 2020, table 1"),
    Printed("mobilevit", "MobileViT_XXS", "parameters", "1.3M", MOBILEVIT),
    Printed("mobilevit", "MobileViT_XS", "parameters", "2.3M", MOBILEVIT),
    Printed("mobilevit", "MobileViT_S", "parameters", "5.6M", MOBILEVIT),
    Printed("vit", "ViT_B16", "macs", "17.564G", "torchvision 0.28.0, ViT_B_16_Weights"),
]


def kernels(model: Model) -> int:
    """The trained entries of convolutions and dense layers, without biases."""
    return sum(weight.size for weight in model.graph.weights.values() if weight.trainable and len(weight.shape) > 1)


QUANTITIES: dict[str, Callable[[Model], int]] = {
    "parameters": lambda model: model.parameters,
    "macs": macs,
    "operations": lambda model: 2 * macs(model),
    "macs of convolutions": lambda model: macs(model, of=lambda op: op == "conv"),
    "kernels": kernels,
}


def rounded(count: int, like: str) -> str:
    """A count with as many digits as a printed figure, halves up."""
    digits = len(like.partition(".")[2]) - 1 if "." in like else 0
    unit = {"M": 10**6, "G": 10**9}[like[-1]]
    tenths = (2 * count * 10**digits + unit) // (2 * unit)
    whole, part = divmod(tenths, 10**digits)
    return f"{whole}.{part:0{digits}}{like[-1]}" if digits else f"{whole}{like[-1]}"


@pytest.mark.parametrize("row", PRINTED, ids=lambda row: f"{row.model}-{row.what}-{row.setting}")
def test_what_papers_print(row):
    model = zoo_model(row.file, row.model, **dict([row.setting.split("=")] if row.setting else []))
    assert bool(row.here) == bool(row.why)
    assert row.here != row.figure
    assert rounded(QUANTITIES[row.what](model), row.figure) == (row.here or row.figure)


@pytest.mark.parametrize(
    ("count", "like", "figure"),
    [(4_249_999, "0.0M", "4.2M"), (4_250_000, "0.0M", "4.3M"), (41_499_999, "0M", "41M"), (9_960_000, "0.0M", "10.0M")],
)
def test_figures_are_rounded(count, like, figure):
    assert rounded(count, like) == figure


DEPLOYED = {
    "A0": ("8.30", "1.4"),
    "A1": ("12.78", "2.4"),
    "A2": ("25.49", "5.1"),
    "B0": ("14.33", "3.1"),
    "B1": ("51.82", "11.8"),
    "B1g4": ("36.12", "7.3"),
    "B2": ("80.31", "18.4"),
    "B2g4": ("55.77", "11.3"),
    "B3": ("110.96", "26.2"),
    "B3g4": ("75.62", "16.1"),
}
"""Millions of parameters, cut off, and thousand millions of multiplications, rounded, of the form in use: Ding et al.,
RepVGG, 2021, table 4."""


def one_convolution_per_unit(model: Model) -> tuple[int, int]:
    """Parameters and multiplications where each unit is its 3x3 convolution, with a bias."""
    costs = node_costs(model.graph, model.catalogue.lookup)
    kept = [node for node in model.graph.nodes if node.op == "dense" or node.attributes.get("kernel") == (3, 3)]
    kernels = sum(model.graph.weights[node.weights["weight"]].size for node in kept)
    biases = sum(int(str(node.outputs[0].type.shape[0])) for node in kept)
    return kernels + biases, sum(int(str(costs[node.name].macs)) for node in kept)


@pytest.mark.parametrize("variant", DEPLOYED)
def test_repvgg_in_use(variant):
    parameters, multiplications = one_convolution_per_unit(zoo_model("repvgg", f"RepVGG_{variant}"))
    cut = f"{parameters // 10**6}.{parameters % 10**6 // 10**4:02}"
    assert (cut, f"{multiplications / 1e9:.1f}") == DEPLOYED[variant]


def test_re_parameterised_repvgg_is_that_form():
    """The pass that `export --fold` runs leaves these weights and no others."""
    model = zoo_model("repvgg", "RepVGG_A0")
    graph = run_passes(model.graph, [DropInferenceNoops(model.catalogue.lookup)]).graph
    arrays = {name: np.ones(weight.shape, np.float32) for name, weight in graph.weights.items()}
    folded = reparameterise(graph, arrays).graph
    assert {node.op for node in folded.nodes} == {"conv", "relu", "global_avgpool", "flatten", "dense"}
    assert (folded.parameters, graph_macs(folded, model.catalogue.lookup)) == one_convolution_per_unit(model)


def test_squeeze_and_excitation_adds_what_the_paper_says():
    """Hu et al., 2018, equation 5: 2 / r times the sum of N C^2, 2.5 million; biases are not in it."""
    stages, reduction = [(3, 256), (4, 512), (6, 1024), (3, 2048)], 16
    added = sum(2 * count * channels**2 // reduction for count, channels in stages)
    biases = sum(count * (channels + channels // reduction) for count, channels in stages)
    assert f"{added / 1e6:.1f}" == "2.5"
    plain, gated = zoo_model("resnet", "ResNet50"), zoo_model("se_resnet", "SEResNet50")
    assert gated.parameters - plain.parameters == added + biases


LENET5 = [
    ("C1", "conv1", 156, 122_304),
    ("S2", "subsampling1", 12, 5_880),
    ("C3", "table_conv1", 1_516, 151_600),
    ("S4", "subsampling2", 32, 2_000),
    ("C5", "conv2", 48_120, 48_120),
    ("F6", "dense1", 10_164, 10_164),
]
"""LeCun et al., 1998, section II.B: layer, its path, trained parameters, connections."""


@pytest.mark.parametrize(("layer", "path", "parameters", "connections"), LENET5)
def test_the_layers_of_lenet5(layer, path, parameters, connections):
    """A connection is a weight in use, or a bias; a unit of S2 and S4 has four pixels for its one weight."""
    model = zoo_model("lenet5_original")
    inside = [node for node in model.graph.nodes if node.name == path or node.name.startswith(f"{path}.")]
    costs = node_costs(model.graph, model.catalogue.lookup)
    assert sum(costs[node.name].parameters for node in inside) == parameters
    (node,) = [node for node in inside if node.weights]
    products = int(str(costs[node.name].macs)) * (4 if layer.startswith("S") else 1)
    assert products + int(str(costs[node.name].made)) == connections


def test_lenet5_has_340908_connections():
    """Those above and 84 for each of ten outputs, whose weights are fixed."""
    assert sum(row[3] for row in LENET5) + 84 * 10 == 340_908


@pytest.mark.parametrize(
    ("file", "model", "sides"),
    [
        ("zfnet", "ZFNet", [224, 110, 55, 26, 13, 6]),  # Zeiler and Fergus, 2013, figure 3
        ("alexnet_2012", "AlexNet2012", [227, 55, 27, 13, 6]),
        ("inception_v4", "InceptionV4", [299, 149, 147, 73, 71, 35, 17, 8, 1]),  # Szegedy et al., 2016, figures 3 and 9
        ("xception", "Xception", [299, 149, 147, 74, 37, 19, 10, 1]),  # Chollet, 2017, figure 5, with padding
        ("mobilevit", "MobileViT_S", [256, 128, 64, 32, 16, 8, 1]),  # Mehta and Rastegari, 2021, table 4
        ("darknet", "Darknet53", [256, 128, 64, 32, 16, 8, 1]),  # Redmon and Farhadi, 2018, table 1
    ],
)
def test_the_sizes_of_the_tables(file, model, sides):
    graph = zoo_model(file, model).graph
    shapes = [
        graph.inputs[0].value.type.shape,
        *(node.outputs[0].type.shape for node in graph.nodes if len(node.outputs[0].type.shape) == 3),
    ]
    seen = [int(str(shape[1])) for shape in shapes]
    trunk = [side for index, side in enumerate(seen) if side == min(seen[: index + 1])]
    assert list(dict.fromkeys(trunk)) == sides


def test_the_receptive_field_of_cspdarknet():
    """725 x 725: Bochkovskiy et al., YOLOv4, 2020, table 1."""
    totals = summary_of(zoo_model("cspdarknet")).totals
    assert totals.local_field is not None
    assert totals.local_field[0] == (725, 725)


def test_every_network_of_the_zoo_says_its_source():
    """The first lines of a file name authors and year."""
    for name, text in zoo().items():
        head = text[: text.index("\nblock") if "\nblock" in text else text.index("\nmodel")]
        assert name in ("siamese.cnn", "textbook.cnn") or re.search(r"(19|20)\d\d\)|, (19|20)\d\d", head), name
