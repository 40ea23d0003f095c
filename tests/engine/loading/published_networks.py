"""Networks in torch, written from their papers with the module names of published weights, as peers of the zoo's."""

from __future__ import annotations

import torch
from torch import nn


def conv_norm(before: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    pad = kernel // 2
    return [nn.Conv2d(before, out, kernel, stride, pad, groups=groups, bias=False), nn.BatchNorm2d(out)]


class ResidualUnit(nn.Module):
    """Both units of ResNet: two 3x3, or 1x1, 3x3 and 1x1 with four times the width."""

    def __init__(self, before: int, width: int, stride: int, deep: bool) -> None:
        super().__init__()
        out = 4 * width if deep else width
        rows = [(before, width, 1, 1), (width, width, 3, stride), (width, out, 1, 1)]
        rows = rows if deep else [(before, width, 3, stride), (width, out, 3, 1)]
        for number, (first, last, kernel, step) in enumerate(rows, 1):
            conv, norm = conv_norm(first, last, kernel, step)
            self.add_module(f"conv{number}", conv)
            self.add_module(f"bn{number}", norm)
        self.count = len(rows)
        self.downsample = nn.Sequential(*conv_norm(before, out, 1, stride)) if stride != 1 or before != out else None

    def forward(self, x):
        y = x
        for number in range(1, self.count + 1):
            y = self.get_submodule(f"bn{number}")(self.get_submodule(f"conv{number}")(y))
            y = y.relu() if number < self.count else y
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


class ResNet(nn.Module):
    def __init__(self, depths: list[int], deep: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_norm(3, 64, 7, 2)
        before = 64
        for stage, depth in enumerate(depths):
            units = []
            for index in range(depth):
                width = 64 << stage
                units.append(ResidualUnit(before, width, 2 if stage and not index else 1, deep))
                before = 4 * width if deep else width
            self.add_module(f"layer{stage + 1}", nn.Sequential(*units))
        self.fc = nn.Linear(before, 1000)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.bn1(self.conv1(x)).relu(), 3, 2, 1)
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        return self.fc(x.mean((2, 3)))


class DenseLayer(nn.Module):
    def __init__(self, before: int, growth: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(before), nn.Conv2d(before, 4 * growth, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(4 * growth), nn.Conv2d(4 * growth, growth, 3, 1, 1, bias=False)

    def forward(self, x):
        y = self.conv1(self.norm1(x).relu())
        return torch.cat([x, self.conv2(self.norm2(y).relu())], 1)


class DenseNet(nn.Module):
    def __init__(self, depths: tuple[int, ...] = (6, 12, 24, 16), growth: int = 32) -> None:
        super().__init__()
        features = nn.Sequential()
        features.add_module("conv0", nn.Conv2d(3, 64, 7, 2, 3, bias=False))
        features.add_module("norm0", nn.BatchNorm2d(64))
        features.add_module("pool0", nn.Sequential(nn.ReLU(), nn.MaxPool2d(3, 2, 1)))
        width = 64
        for block, depth in enumerate(depths, 1):
            layers = nn.Sequential()
            for index in range(depth):
                layers.add_module(f"denselayer{index + 1}", DenseLayer(width + index * growth, growth))
            width += depth * growth
            features.add_module(f"denseblock{block}", layers)
            if block < len(depths):
                between = nn.Sequential()
                between.add_module("norm", nn.BatchNorm2d(width))
                between.add_module("relu", nn.ReLU())
                between.add_module("conv", nn.Conv2d(width, width // 2, 1, bias=False))
                between.add_module("pool", nn.AvgPool2d(2))
                features.add_module(f"transition{block}", between)
                width //= 2
        features.add_module("norm5", nn.BatchNorm2d(width))
        self.features, self.classifier = features, nn.Linear(width, 1000)

    def forward(self, x):
        return self.classifier(self.features(x).relu().mean((2, 3)))


class ConvNorm(nn.Module):
    """GoogLeNet's convolution with batch norm."""

    def __init__(self, before: int, out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, out, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=0.001)

    def forward(self, x):
        return self.bn(self.conv(x)).relu()


class Inception(nn.Module):
    def __init__(self, before: int, n1: int, r3: int, n3: int, r5: int, n5: int, pool: int) -> None:
        super().__init__()
        self.branch1 = ConvNorm(before, n1, 1)
        self.branch2 = nn.Sequential(ConvNorm(before, r3, 1), ConvNorm(r3, n3, 3))
        self.branch3 = nn.Sequential(ConvNorm(before, r5, 1), ConvNorm(r5, n5, 3))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), ConvNorm(before, pool, 1))
        self.width = n1 + n3 + n5 + pool

    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class Auxiliary(nn.Module):
    def __init__(self, before: int) -> None:
        super().__init__()
        self.conv, self.fc1, self.fc2 = ConvNorm(before, 128, 1), nn.Linear(2048, 1024), nn.Linear(1024, 1000)

    def forward(self, x):
        return self.fc2(self.fc1(self.conv(nn.functional.adaptive_avg_pool2d(x, 4)).flatten(1)).relu())


MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Table 1 of the paper."""


class GoogLeNet(nn.Module):
    """With batch norm, and 3x3 in the third branch."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = ConvNorm(3, 64, 7, 2), ConvNorm(64, 64, 1), ConvNorm(64, 192, 3)
        before = 192
        for name, widths in MODULES.items():
            module = Inception(before, *widths)
            self.add_module(f"inception{name}", module)
            before = module.width
        self.aux1, self.aux2, self.fc = Auxiliary(512), Auxiliary(528), nn.Linear(before, 1000)

    def forward(self, x):
        pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        x = pool(self.conv3(self.conv2(pool(self.conv1(x)))))
        at = {}
        for name in MODULES:
            x = pool(x) if name == "4a" else nn.functional.max_pool2d(x, 2, 2, ceil_mode=True) if name == "5a" else x
            x = at[name] = self.get_submodule(f"inception{name}")(x)
        return {"logits": self.fc(x.mean((2, 3))), "aux1": self.aux1(at["4a"]), "aux2": self.aux2(at["4d"])}


class InvertedResidual(nn.Module):
    def __init__(self, before: int, out: int, stride: int, expand: int) -> None:
        super().__init__()
        wide = before * expand
        first = [nn.Sequential(*conv_norm(before, wide, 1), nn.ReLU6())] if expand != 1 else []
        depthwise = nn.Sequential(*conv_norm(wide, wide, 3, stride, wide), nn.ReLU6())
        self.conv = nn.Sequential(*first, depthwise, *conv_norm(wide, out, 1))
        self.passes = stride == 1 and before == out

    def forward(self, x):
        return x + self.conv(x) if self.passes else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        features: list[nn.Module] = [nn.Sequential(*conv_norm(3, 32, 3, 2), nn.ReLU6())]
        before = 32
        for expand, out, count, stride in (
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ):
            for index in range(count):
                features.append(InvertedResidual(before, out, 1 if index else stride, expand))
                before = out
        features.append(nn.Sequential(*conv_norm(before, 1280, 1), nn.ReLU6()))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


class VGG(nn.Module):
    """The first variant, with convolutions in place of the first two dense layers, as timm keeps them."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width, depth in ((64, 1), (128, 1), (256, 2), (512, 2), (512, 2)):
            for _ in range(depth):
                layers += [nn.Conv2d(before, width, 3, 1, 1), nn.BatchNorm2d(width), nn.ReLU()]
                before = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.pre_logits, self.head = nn.Module(), nn.Module()
        self.pre_logits.fc1, self.pre_logits.fc2 = nn.Conv2d(512, hidden, 7), nn.Conv2d(hidden, hidden, 1)
        self.head.fc = nn.Linear(hidden, 1000)

    def forward(self, x):
        x = self.pre_logits.fc2(self.pre_logits.fc1(self.features(x)).relu()).relu()
        return self.head.fc(x.flatten(1))
