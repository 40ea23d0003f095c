"""ResNet-50 in torch, and the table of its layers by torchinfo, which runs an image of zeros through it."""

import torch
import torchinfo
from torch import Tensor, nn


def conv_bn(inside: int, out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution and its norm."""
    conv = nn.Conv2d(inside, out, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out))


class Bottleneck(nn.Module):
    """The unit of three convolutions with its shortcut."""

    def __init__(self, inside: int, width: int, stride: int) -> None:
        super().__init__()
        out = 4 * width
        self.body = nn.Sequential(
            conv_bn(inside, width, 1), nn.ReLU(), conv_bn(width, width, 3, stride), nn.ReLU(), conv_bn(width, out, 1)
        )
        self.shortcut = conv_bn(inside, out, 1, stride) if inside != out else nn.Identity()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.body(x) + self.shortcut(x))


def resnet50() -> nn.Sequential:
    """Return the network with initialised weights."""
    layers: list[nn.Module] = [conv_bn(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    inside = 64
    for width, depth, stride in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]:
        for index in range(depth):
            layers.append(Bottleneck(inside, width, stride if index == 0 else 1))
            inside = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inside, 1000))


summary = torchinfo.summary(resnet50(), (1, 3, 224, 224), device="cpu", depth=4, verbose=0)
print(summary)
assert summary.total_params == 25_557_032
assert torch.is_grad_enabled()
