"""A small network, and state dicts of it as other programs would write them."""

from __future__ import annotations

import numpy as np
import torch

NET = """\
block Unit(width, stride = 1) {
  add {
    conv(width, 3, stride = stride, pad = 1, bias = false) -> bn -> relu -> conv(width, 3, pad = 1, bias = false) -> bn
    if stride != 1 { conv(width, 1, stride = stride, bias = false) -> bn } else { identity }
  } -> relu
}

model Net(classes = 5) {
  input image: 3 x 8 x 8
  conv(4, 3, pad = 1) -> relu
  repeat 2 { Unit(4) }
  Unit(8, stride = 2)
  global_avgpool -> flatten -> dense(classes)
  output logits
}
"""

NAMES = """\
[torch]
about = "the torch module of these tests"
older = { "norm.{k}." = "norm{k}." }
spare = ["aux."]

[torch.names]
"conv1" = "stem"
"unit1.{k}.conv{j}" = "body.{k}.conv{j}"
"unit1.{k}.bn{j}" = "body.{k}.norm{j}"
"unit2.conv{j}" = "body.2.conv{j}"
"unit2.bn{j}" = "body.2.norm{j}"
"dense1" = "fc"
"""


class Unit(torch.nn.Module):
    def __init__(self, before: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = torch.nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.norm1 = torch.nn.BatchNorm2d(width)
        self.conv2 = torch.nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = torch.nn.BatchNorm2d(width)
        self.stride = stride
        if stride != 1:
            self.conv3 = torch.nn.Conv2d(before, width, 1, stride, bias=False)
            self.norm3 = torch.nn.BatchNorm2d(width)

    def forward(self, x):
        y = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
        return torch.relu(y + (x if self.stride == 1 else self.norm3(self.conv3(x))))


class Net(torch.nn.Module):
    """The network of `NET`."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 4, 3, 1, 1)
        self.body = torch.nn.Sequential(Unit(4, 4), Unit(4, 4), Unit(4, 8, 2))
        self.fc = torch.nn.Linear(8, classes)

    def forward(self, x):
        return self.fc(self.body(torch.relu(self.stem(x))).mean((2, 3)))


def trained(module: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """A module with random weights and statistics, so that no two norms are alike."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if not tensor.is_floating_point():
                continue
            values = torch.randn(tensor.shape, generator=generator) * 0.2
            tensor.copy_(values.abs() + 0.5 if name.endswith("running_var") else values)
    return module.eval()


def same(first, second) -> float:
    """The largest difference of two outputs, relative to the larger one's largest value."""
    first, second = np.asarray(first), np.asarray(second)
    return float(np.abs(first - second).max() / np.abs(first).max())
