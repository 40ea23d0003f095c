"""What the parts compute, against their formulas worked out in loops, and the published counts."""

from __future__ import annotations

import math

import pytest
import torch
from striate_involution.adabelief import AdaBelief
from striate_involution.kernel import by_torch
from striate_involution.ordinal import decode
from striate_involution.symmetric_cross_entropy import symmetric_cross_entropy

import striate

NET = """\
use involution.rednet

model Small = RedNet(depths = [1, 1, 1, 1], classes = 4)

model Grades(classes = 5) {
  input image: 3 x 16 x 16
  conv(8, 3, pad = 1) -> relu -> involution(3, groups = 2)
  head ordinal(classes = classes)
}
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "net.cnn").write_text(NET)
    return tmp_path / "net.cnn"


@pytest.mark.parametrize("stride", [1, 2])
def test_every_sum_is_that_of_its_window(stride):
    batch, channels, height, width, size, groups = 2, 4, 4, 6, 3, 2
    value = torch.randn(batch, channels, height, width, dtype=torch.float64)
    kernels = torch.randn(batch, groups * size**2, height // stride, width // stride, dtype=torch.float64)
    found = by_torch(value, kernels, size, stride, groups)
    padded = torch.nn.functional.pad(value, (1, 1, 1, 1))
    for image in range(batch):
        for channel in range(channels):
            group = channel // (channels // groups)
            for row in range(height // stride):
                for column in range(width // stride):
                    window = padded[
                        image, channel, row * stride : row * stride + 3, column * stride : column * stride + 3
                    ]
                    own = kernels[image, group * 9 : group * 9 + 9, row, column].reshape(3, 3)
                    assert found[image, channel, row, column] == pytest.approx(float((window * own).sum()))


def test_symmetric_cross_entropy_of_one_image():
    scores, classes = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([0])
    chances = [math.exp(each) / (math.exp(2) + 1 + math.exp(-1)) for each in (2, 0, -1)]
    usual, reverse = -math.log(chances[0]), -(chances[1] * -4 + chances[2] * -4)
    found = symmetric_cross_entropy(0.1, 2.0, -4.0)(scores, classes)
    assert found.item() == pytest.approx(0.1 * usual + 2 * reverse)


def test_adabelief_by_hand():
    weight = torch.nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = AdaBelief([weight], lr=0.1, weight_decay=0.01)
    wanted, mean, spread = 1.0, 0.0, 0.0
    for step in (1, 2, 3):
        weight.grad = 2 * weight.detach()
        gradient = 2 * wanted
        mean = 0.9 * mean + 0.1 * gradient
        spread = 0.999 * spread + 0.001 * (gradient - mean) ** 2 + 1e-8
        wanted *= 1 - 0.1 * 0.01
        wanted -= 0.1 * (mean / (1 - 0.9**step)) / (math.sqrt(spread / (1 - 0.999**step)) + 1e-8)
        optimizer.step()
        assert weight.item() == pytest.approx(wanted, rel=1e-12)


def test_ordinal_answers_count_the_borders_below():
    found = decode(torch.tensor([[5.0, 2.0, -3.0], [-1.0, -2.0, -3.0], [4.0, 3.0, 2.0]]), ("A", "B", "C", "D"))
    assert [answer["class"] for answer in found] == ["C", "A", "D"]
    assert found[0]["above"]["A"] == pytest.approx(1 / (1 + math.exp(-5)), abs=1e-6)


def test_rednet_has_the_published_number_of_parameters(path):
    """9.2 and 15.5 million by table 1 of the paper, whose kernels are normalised and have their biases too."""
    for model, millions in {"RedNet26": 9.2, "RedNet50": 15.5}.items():
        path.write_text(f"use involution.rednet\nmodel Net = {model}()\n")
        assert striate.load(path, "Net").parameters / 1e6 == pytest.approx(millions, abs=0.1)


def test_the_head_is_decoded_by_its_task(path):
    model = striate.load(path, "Grades")
    assert [task.name.rpartition(".")[2] for task in model.graph.tasks] == ["ordinal"]
    assert model.to_torch(seed=0)(torch.rand(2, 3, 16, 16)).shape == (2, 4)


def test_a_network_of_everything_trains_and_exports(path, tmp_path):
    model = striate.load(path, "Small")
    network = model.to_torch(seed=0).train()
    optimizer = AdaBelief(network.parameters(), lr=0.003)
    loss = symmetric_cross_entropy(0.1, 1.0, -4.0)
    generator = torch.Generator().manual_seed(0)
    images, classes = torch.randn(4, 3, 32, 32, generator=generator), torch.arange(4)
    values = []
    for _ in range(6):
        optimizer.zero_grad()
        value = loss(network(images), classes)
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.8 * values[0]
    pytest.importorskip("onnxruntime")
    assert model.export_onnx(tmp_path / "small.onnx").verification is not None
