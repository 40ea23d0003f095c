"""Operations and bytes moved against torch's own counters and by hand."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from striate.analysis.costs import node_costs
from striate.ops import BUILTIN
from tests.engine.analysis.allocations import Trial
from tests.engine.analysis.graph_maker import GraphMaker
from tests.engine.analysis.test_liveness import small_model


@pytest.mark.parametrize(
    ("file", "model", "shape"),
    [
        ("lenet5", None, (1, 1, 32, 32)),
        ("resnet", "ResNet18", (1, 3, 64, 64)),
        ("mobilenet_v2", None, (1, 3, 64, 64)),
        ("densenet", "DenseNet121", (1, 3, 64, 64)),
        ("googlenet", None, (1, 3, 64, 64)),
    ],
)
def test_multiply_adds_are_half_of_what_torch_counts(file: str, model: str | None, shape: tuple[int, ...]):
    loaded = small_model(file, model)
    trial = Trial(loaded.graph, loaded.catalogue.layer, torch.zeros(shape))
    trial.program.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        trial.program(*trial.inputs)

    costs = node_costs(loaded.graph, loaded.catalogue.layer)
    macs = sum(cost.macs for cost in costs.values())
    assert 2 * macs == counter.get_total_flops()
    assert 1.0 < sum(cost.flops for cost in costs.values()) / (2 * macs) < 1.2, "torch counts products alone"


def test_what_a_block_reads_and_writes():
    maker = GraphMaker()
    image = maker.input("image", 3, 8, 8)
    conv = maker.layer("conv", image, channels=4, kernel=3, pad="half", name="conv")
    added = maker.layer("add", conv, conv, name="twice")
    maker.layer("dropout", maker.layer("bn", added, name="bn"), name="drop")
    costs = node_costs(maker.graph("drop"), BUILTIN.get)

    big, given, weights = 4 * 8 * 8, 3 * 8 * 8, 4 * 3 * 9 + 4
    assert costs["conv"].moved(1, 4) == 4 * (given + weights + big)
    assert costs["conv"].moved(10, 2) == 2 * (10 * given + weights + 10 * big), "weights are read once for a batch"
    assert costs["twice"].moved(1, 4) == 4 * (big + big), "the same value is read once"
    assert costs["bn"].moved(1, 4) == 4 * (big + 16 + big), "scale, shift, mean and variance of four channels"
    assert (costs["drop"].moved(7, 4), costs["drop"].flops) == (0, 0)
    assert costs["conv"].flops == 2 * costs["conv"].macs + big


def test_views_move_nothing_and_a_size_is_not_read():
    maker = GraphMaker()
    image = maker.input("image", 4, 8, 8)
    small = maker.layer("crop", image, sides=2, name="crop")
    maker.layer("resize", small, image, like=1, mode="nearest", name="resize")
    costs = node_costs(maker.graph("resize"), BUILTIN.get)

    assert costs["crop"].moved(3, 4) == 0
    assert costs["resize"].moved(1, 4) == 4 * (4 * 4 * 4 + 4 * 8 * 8), "of the image only the size is asked"
