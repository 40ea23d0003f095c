"""The table of the language reference: parameters and multiply-adds of every network in the zoo, exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.view.networks import summary_of, zoo_model

COUNTS = [
    ("lenet5", "LeNet5", {}, 61_706, 416_520),
    ("googlenet", "GoogLeNet", {"aux": "false"}, 6_998_552, 1_582_671_872),
    ("googlenet", "GoogLeNet", {"aux": "true"}, 13_378_280, None),
    ("resnet", "ResNet18", {}, 11_689_512, 1_814_073_344),
    ("resnet", "ResNet34", {}, 21_797_672, None),
    ("resnet", "ResNet50", {}, 25_557_032, 4_089_184_256),
    ("resnet", "ResNet101", {}, 44_549_160, None),
    ("resnet", "ResNet152", {}, 60_192_808, None),
    ("mobilenet_v2", "MobileNetV2", {}, 3_504_872, 300_774_272),
    ("densenet", "DenseNet121", {}, 7_978_856, 2_834_161_664),
    ("densenet", "DenseNet161", {}, 28_681_000, None),
    ("densenet", "DenseNet169", {}, 14_149_480, None),
    ("densenet", "DenseNet201", {}, 20_013_928, None),
    ("resnet", "WideResNet50_2", {}, 68_883_240, None),
    ("resnet", "WideResNet101_2", {}, 126_886_696, None),
    ("resnet", "ResNeXt50_32x4d", {}, 25_028_904, None),
    ("resnet", "ResNeXt101_32x8d", {}, 88_791_336, None),
    ("resnet", "ResNeXt101_64x4d", {}, 83_455_272, None),
    ("alexnet", "AlexNet", {}, 61_100_840, None),
    ("vgg", "VGG11", {}, 132_863_336, None),
    ("vgg", "VGG13", {}, 133_047_848, None),
    ("vgg", "VGG16", {}, 138_357_544, 15_470_264_320),
    ("vgg", "VGG19", {}, 143_667_240, None),
    ("vgg", "VGG11_BN", {}, 132_868_840, None),
    ("vgg", "VGG13_BN", {}, 133_053_736, None),
    ("vgg", "VGG16_BN", {}, 138_365_992, None),
    ("vgg", "VGG19_BN", {}, 143_678_248, None),
    ("googlenet_bn", "GoogLeNetBN", {}, 6_624_904, None),
    ("googlenet_bn", "GoogLeNetBN", {"aux": "true"}, 13_004_888, None),
    ("inception_v3", "InceptionV3", {}, 23_834_568, None),
    ("inception_v3", "InceptionV3", {"aux": "true"}, 27_161_264, None),
    ("squeezenet", "SqueezeNet1_0", {}, 1_248_424, None),
    ("squeezenet", "SqueezeNet1_1", {}, 1_235_496, None),
    ("mnasnet", "MNASNet0_5", {}, 2_218_512, None),
    ("mnasnet", "MNASNet0_75", {}, 3_170_208, None),
    ("mnasnet", "MNASNet1_0", {}, 4_383_312, None),
    ("mnasnet", "MNASNet1_3", {}, 6_282_256, None),
    ("mobilenet_v3", "MobileNetV3Small", {}, 2_542_856, None),
    ("mobilenet_v3", "MobileNetV3Large", {}, 5_483_032, None),
    ("shufflenet_v2", "ShuffleNetV2_x0_5", {}, 1_366_792, None),
    ("shufflenet_v2", "ShuffleNetV2_x1_0", {}, 2_278_604, None),
    ("shufflenet_v2", "ShuffleNetV2_x1_5", {}, 3_503_624, None),
    ("shufflenet_v2", "ShuffleNetV2_x2_0", {}, 7_393_996, None),
    ("efficientnet", "EfficientNetB0", {}, 5_288_548, None),
    ("efficientnet", "EfficientNetB1", {}, 7_794_184, None),
    ("efficientnet", "EfficientNetB2", {}, 9_109_994, None),
    ("efficientnet", "EfficientNetB3", {}, 12_233_232, None),
    ("efficientnet", "EfficientNetB4", {}, 19_341_616, None),
    ("efficientnet", "EfficientNetB5", {}, 30_389_784, None),
    ("efficientnet", "EfficientNetB6", {}, 43_040_704, None),
    ("efficientnet", "EfficientNetB7", {}, 66_347_960, None),
    ("efficientnet_v2", "EfficientNetV2S", {}, 21_458_488, None),
    ("efficientnet_v2", "EfficientNetV2M", {}, 54_139_356, None),
    ("efficientnet_v2", "EfficientNetV2L", {}, 118_515_272, None),
    ("regnet", "RegNetX_400MF", {}, 5_495_976, None),
    ("regnet", "RegNetX_800MF", {}, 7_259_656, None),
    ("regnet", "RegNetX_1_6GF", {}, 9_190_136, None),
    ("regnet", "RegNetX_3_2GF", {}, 15_296_552, None),
    ("regnet", "RegNetX_8GF", {}, 39_572_648, None),
    ("regnet", "RegNetX_16GF", {}, 54_278_536, None),
    ("regnet", "RegNetX_32GF", {}, 107_811_560, None),
    ("regnet", "RegNetY_400MF", {}, 4_344_144, None),
    ("regnet", "RegNetY_800MF", {}, 6_432_512, None),
    ("regnet", "RegNetY_1_6GF", {}, 11_202_430, None),
    ("regnet", "RegNetY_3_2GF", {}, 19_436_338, None),
    ("regnet", "RegNetY_8GF", {}, 39_381_472, None),
    ("regnet", "RegNetY_16GF", {}, 83_590_140, None),
    ("regnet", "RegNetY_32GF", {}, 145_046_770, None),
    ("convnext", "ConvNeXtTiny", {}, 28_589_128, None),
    ("convnext", "ConvNeXtSmall", {}, 50_223_688, None),
    ("convnext", "ConvNeXtBase", {}, 88_591_464, None),
    ("convnext", "ConvNeXtLarge", {}, 197_767_336, None),
    ("unet", "UNet", {}, 31_037_698, None),
    ("siamese", "Siamese", {}, 183_296, None),
]


@pytest.mark.parametrize(("file", "model", "overrides", "parameters", "macs"), COUNTS, ids=str)
def test_published_counts(file: str, model: str, overrides: dict[str, str], parameters: int, macs: int | None):
    summary = summary_of(zoo_model(file, model, **overrides))
    assert summary.totals.parameters == parameters
    assert sum(row.parameters for row in summary.rows) == parameters
    if macs is not None:
        assert summary.totals.macs == macs


def test_statistics_are_named_and_not_counted():
    """Keras reports 25,610,152 parameters for this network: the difference is the running statistics."""
    totals = summary_of(zoo_model("resnet", "ResNet50")).totals
    assert totals.statistics == 53_120
    assert totals.parameters + totals.statistics == 25_610_152


@pytest.mark.parametrize(
    ("file", "model", "field"),
    [
        ("mobilenet_v2", "MobileNetV2", 491),  # Araujo et al., Distill, 2019
        ("resnet", "ResNet50", 427),  # stride in the 3x3 convolution; 483 with the stride in the next unit's 1x1
        ("resnet", "ResNet18", 435),
    ],
)
def test_published_receptive_fields_before_global_pooling(file: str, model: str, field: int):
    totals = summary_of(zoo_model(file, model)).totals
    assert totals.receptive_field == "all"
    assert totals.local_field is not None
    assert totals.local_field[0] == (field, field)


@given(classes=st.integers(1, 2000))
def test_classes_change_the_last_layer_only(classes: int):
    summary = summary_of(zoo_model("lenet5", classes=str(classes)))
    assert summary.totals.parameters == 61_706 + (classes - 10) * 85
    assert summary.totals.macs == 416_520 + (classes - 10) * 84


def test_unet_for_a_size_costs_what_its_expression_says():
    model = zoo_model("unet")
    open_macs = summary_of(model).to_json()["macs"]
    assert open_macs == "735040*H*W"
    assert summary_of(model, sizes={"H": 96, "W": 64}).totals.macs == 735_040 * 96 * 64
