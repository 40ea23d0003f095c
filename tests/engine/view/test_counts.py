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
