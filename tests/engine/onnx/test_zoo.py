"""Every architecture of the zoo is exported and verified, small, with its names, sizes and shared weights kept."""

from __future__ import annotations

from collections import Counter

import onnx
import pytest

from striate.exporting import export_model
from tests.engine.onnx.models import from_zoo

SMALL = {"224 x 224": "64 x 64"}
MODELS = {
    "LeNet5": lambda: from_zoo("lenet5"),
    "ResNet18": lambda: from_zoo("resnet", "ResNet18", SMALL),
    "ResNet50": lambda: from_zoo("resnet", "ResNet50", {**SMALL, "(64, depths": "(8, depths"}, depths="[1, 1, 1, 1]"),
    "GoogLeNet": lambda: from_zoo("googlenet", edits={"224 x 224": "96 x 96"}, aux="true", classes="7"),
    "MobileNetV2": lambda: from_zoo("mobilenet_v2", edits=SMALL, classes="10"),
    "DenseNet121": lambda: from_zoo("densenet", "DenseNet121", SMALL, growth="4"),
    "AlexNet": lambda: from_zoo("alexnet", hidden="32", classes="10"),
    "VGG11_BN": lambda: from_zoo("vgg", "VGG11_BN", hidden="32", classes="10"),
    "SqueezeNet1_1": lambda: from_zoo("squeezenet", "SqueezeNet1_1", SMALL, classes="10"),
    "GoogLeNetBN": lambda: from_zoo("googlenet_bn", edits=SMALL, aux="true", classes="7"),
    "InceptionV3": lambda: from_zoo("inception_v3", aux="true", classes="7"),
    "MobileNetV3Large": lambda: from_zoo("mobilenet_v3", "MobileNetV3Large", SMALL, classes="10"),
    "MNASNet0_5": lambda: from_zoo("mnasnet", "MNASNet0_5", SMALL, classes="10"),
    "EfficientNetB0": lambda: from_zoo("efficientnet", "EfficientNetB0", size="64", classes="10"),
    "EfficientNetV2S": lambda: from_zoo(
        "efficientnet_v2", "EfficientNetV2", size="64", stages="[(Fused, 1, 1, 8, 1), (Separable, 4, 2, 16, 2)]"
    ),
    "RegNetY_400MF": lambda: from_zoo("regnet", "RegNetY_400MF", SMALL, classes="10"),
    "ShuffleNetV2_x0_5": lambda: from_zoo("shufflenet_v2", "ShuffleNetV2_x0_5", SMALL, classes="10"),
    "ConvNeXt": lambda: from_zoo("convnext", "ConvNeXt", SMALL, depths="[1, 1, 2, 1]", width="16"),
    "ResNeXt50_32x4d": lambda: from_zoo("resnet", "ResNeXt50_32x4d", SMALL, depths="[1, 1, 1, 1]"),
    "AlexNet2012": lambda: from_zoo("alexnet_2012", "AlexNet2012", hidden="32", classes="10"),
    "CSPDarknet53": lambda: from_zoo(
        "cspdarknet", edits={"256 x 256": "64 x 64", "(256, 256, 8), (512, 512, 8), (1024, 1024, 4)": "(64, 64, 2)"}
    ),
    "Darknet19": lambda: from_zoo(
        "darknet", "Darknet19", {**SMALL, "(512, 2)]": "(64, 2)]", "Stage(1024, 2)": "Stage(64, 2)"}, classes="10"
    ),
    "GhostNet": lambda: from_zoo(
        *("ghostnet", "GhostNet", SMALL),
        stages="[[(3, 16, 16, false, 1)], [(3, 48, 24, false, 2)], [(5, 72, 40, true, 2), (5, 120, 40, true, 1)]]",
    ),
    "InceptionResNetV2": lambda: from_zoo(
        "inception_resnet_v2", edits={"299 x 299": "107 x 107"}, depths="[1, 1, 2]", classes="7"
    ),
    "InceptionV4": lambda: from_zoo("inception_v4", edits={"299 x 299": "107 x 107"}, depths="[1, 1, 1]", classes="7"),
    "LeNet5Original": lambda: from_zoo("lenet5_original"),
    "MobileNetV1_25": lambda: from_zoo("mobilenet_v1", "MobileNetV1_25", size="64", classes="10"),
    "MobileViT_XXS": lambda: from_zoo("mobilevit", "MobileViT_XXS", {"256 x 256": "64 x 64"}, classes="10"),
    "NiN": lambda: from_zoo("nin", "NiN"),
    "RepVGG_A0": lambda: from_zoo("repvgg", "RepVGG_A0", SMALL, depths="[1, 2, 2, 1]", classes="10"),
    "Res2Net50_26w4s": lambda: from_zoo("res2net", "Res2Net50_26w4s", SMALL, depths="[2, 1, 1, 1]", classes="10"),
    "ResNetV1_50": lambda: from_zoo("resnet_v1", "ResNetV1_50", SMALL, depths="[1, 1, 1, 1]", classes="10"),
    "ResNetV2Cifar110": lambda: from_zoo("resnet_v2", "ResNetV2Cifar110", depth="2"),
    "SEResNet18": lambda: from_zoo("se_resnet", "SEResNet18", SMALL, depths="[1, 1, 1, 1]", classes="10"),
    "ShuffleNetV1_g3": lambda: from_zoo("shufflenet_v1", "ShuffleNet_g3", SMALL, classes="10"),
    "TextbookCifarLeNet": lambda: from_zoo("textbook", "CifarLeNet"),
    "ViT": lambda: from_zoo("vit", "ViT", size="32", width="32", heads="2", depth="2", classes="10"),
    "Xception": lambda: from_zoo("xception", edits={"299 x 299": "71 x 71", "repeat 8": "repeat 1"}, classes="10"),
    "ZFNet": lambda: from_zoo("zfnet", hidden="32", classes="10"),
    "UNet": lambda: from_zoo("unet", width="4"),
    "Siamese": lambda: from_zoo("siamese"),
}


@pytest.mark.parametrize("name", MODELS)
def test_it_exports_and_agrees_with_torch(name, tmp_path):
    model = MODELS[name]()
    report = export_model(model, tmp_path / "net.onnx")
    assert report.verification is not None
    assert report.verification.difference.relative < 2e-5
    assert any(trial.startswith("batch 3") for trial in report.verification.trials)
    document = onnx.load(report.path)
    assert {item.name for item in document.graph.input} == {item.value.name for item in model.graph.inputs}
    assert [item.name for item in document.graph.output] == list(model.graph.outputs)
    stored = {item.name: tuple(item.dims) for item in document.graph.initializer if item.name in model.graph.weights}
    assert stored == {name: weight.shape for name, weight in model.graph.weights.items()}
    layers = {node.name for node in document.graph.node if "/" not in node.name}
    assert layers == {node.name for node in model.graph.nodes if node.op not in ("dropout", "identity")}


def test_names_are_those_of_the_network(tmp_path):
    report = export_model(MODELS["ResNet18"](), tmp_path / "net.onnx", verify=False)
    network = onnx.load(report.path).graph
    by_name = {node.name: node for node in network.node}
    conv = by_name["stage1.0.unit1.conv_bn1.conv1"]
    assert conv.op_type == "Conv"
    assert conv.output == ["stage1.0.unit1.conv_bn1.conv1"]
    assert conv.input[1] == "stage1.0.unit1.conv_bn1.conv1.weight"
    assert conv.doc_string.startswith("resnet.cnn:")


def test_open_sizes_are_tried_at_two_sizes_and_keep_their_names(tmp_path):
    report = export_model(MODELS["UNet"](), tmp_path / "net.onnx")
    assert report.verification is not None
    assert report.verification.trials == (
        "batch 1 with H = 16, W = 16",
        "batch 3 with H = 16, W = 16",
        "batch 1 with H = 48, W = 64",
        "batch 3 with H = 48, W = 64",
    )
    network = onnx.load(report.path).graph
    sizes = [[d.dim_param or d.dim_value for d in item.type.tensor_type.shape.dim] for item in network.input]
    assert sizes == [["N", 3, "H", "W"]]


def test_shared_weights_are_stored_once(tmp_path):
    report = export_model(MODELS["Siamese"](), tmp_path / "net.onnx", verify=False)
    network = onnx.load(report.path).graph
    names = Counter(item.name for item in network.initializer if "/" not in item.name)
    assert set(names.values()) == {1}
    users = Counter(name for node in network.node for name in node.input if name in names)
    assert set(users.values()) == {2}
