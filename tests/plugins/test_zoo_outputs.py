"""The zoo's networks that no library has, against the same networks in plain torch, written from their papers.

Weights are filled in the order in which a paper computes; outputs agree in double precision.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, conv2d

from striate.model import Model
from tests.engine.view.networks import zoo_model
from tests.plugins.published_blocks import ShuffleUnit

C3 = [
    *([0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [0, 4, 5], [0, 1, 5]),
    *([0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5], [0, 3, 4, 5], [0, 1, 4, 5], [0, 1, 2, 5]),
    *([0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5], [0, 1, 2, 3, 4, 5]),
]
"""LeCun et al., 1998, table I, by columns: the maps of S2 that each map of C3 sees."""


class Squash(nn.Module):
    def forward(self, x):
        return 1.7159 * torch.tanh(2 / 3 * x)


class Subsampling(nn.Module):
    """A coefficient times the mean of 2 x 2 pixels, and a bias, for each map."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(maps, 1, 1, 1)), nn.Parameter(torch.zeros(maps))

    def forward(self, x):
        return avg_pool2d(x, 2) * self.weight[:, 0] + self.bias[:, None, None]


class TableConv(nn.Module):
    """One convolution for each output map, on the maps that it sees; the kernels lie one behind the other."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(sum(map(len, C3)), 5, 5))
        self.bias = nn.Parameter(torch.zeros(len(C3)))

    def forward(self, x):
        kernels = self.weight.split([len(maps) for maps in C3])
        seen = zip(kernels, C3, strict=True)
        made = [conv2d(x[:, maps], kernel[None]) for kernel, maps in seen]
        return torch.cat(made, 1) + self.bias[:, None, None]


class LeNet5(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 6, 5), Squash(), Subsampling(6), Squash(), TableConv(), Squash(), Subsampling(16), Squash()),
            *(nn.Conv2d(16, 120, 5), Squash(), nn.Flatten(), nn.Linear(120, 84), Squash()),
        )

    def forward(self, image, codes):
        return ((self.layers(image)[:, :, None] - codes) ** 2).sum(1)


def lrn() -> nn.Module:
    """Of the paper: alpha weighs the sum of the squares, torch's their mean."""
    return nn.LocalResponseNorm(5, 5 * 1e-4, 0.75, 2.0)


def classifier(hidden: int, classes: int) -> list[nn.Module]:
    wide = [nn.Flatten(), nn.LazyLinear(hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, hidden), nn.ReLU()]
    return [*wide, nn.Dropout(), nn.Linear(hidden, classes)]


def conv(*sizes: int, **options: int) -> list[nn.Module]:
    return [nn.Conv2d(*sizes, **options), nn.ReLU()]


def pool(*, up: bool = False) -> nn.Module:
    return nn.MaxPool2d(3, 2, ceil_mode=up)


def alexnet() -> nn.Module:
    """Krizhevsky et al., 2012, section 3.5, with the cards as groups."""
    return nn.Sequential(
        *(*conv(3, 96, 11, 4), lrn(), pool(), *conv(96, 256, 5, padding=2, groups=2), lrn(), pool()),
        *(*conv(256, 384, 3, padding=1), *conv(384, 384, 3, padding=1, groups=2)),
        *(*conv(384, 256, 3, padding=1, groups=2), pool(), *classifier(16, 5)),
    )


def zfnet() -> nn.Module:
    """Zeiler and Fergus, 2013, figure 3."""
    return nn.Sequential(
        *(*conv(3, 96, 7, 2, padding=1), pool(up=True), nn.LocalResponseNorm(5)),
        *(*conv(96, 256, 5, 2), pool(up=True), nn.LocalResponseNorm(5)),
        *(*conv(256, 384, 3, padding=1), *conv(384, 384, 3, padding=1), *conv(384, 256, 3, padding=1), pool()),
        *classifier(16, 5),
    )


def nin() -> nn.Module:
    """Lin et al., 2013, for CIFAR-10."""
    return nn.Sequential(
        *(*conv(3, 192, 5, padding=2), *conv(192, 160, 1), *conv(160, 96, 1), pool(up=True), nn.Dropout()),
        *(*conv(96, 192, 5, padding=2), *conv(192, 192, 1), *conv(192, 192, 1)),
        *(nn.AvgPool2d(3, 2, ceil_mode=True), nn.Dropout()),
        *(*conv(192, 192, 3, padding=1), *conv(192, 192, 1), *conv(192, 10, 1)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    )


class FirstUnit(ShuffleUnit):
    """The first unit: its first convolution has no groups, as few channels flow in (Zhang et al., 2017, table 1)."""

    def __init__(self, i, o, groups):
        super().__init__(i, o, groups, stride=2)
        self.squeeze[0] = nn.Conv2d(i, o // 4, 1, bias=False)


def shufflenet() -> nn.Module:
    """Zhang et al., 2017, table 1, with 3 groups."""
    stem = [nn.Conv2d(3, 24, 3, 2, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    second = [FirstUnit(24, 240, 3), *(ShuffleUnit(240, 240, 3) for _ in range(3))]
    third = [ShuffleUnit(240, 480, 3, stride=2), *(ShuffleUnit(480, 480, 3) for _ in range(7))]
    fourth = [ShuffleUnit(480, 960, 3, stride=2), *(ShuffleUnit(960, 960, 3) for _ in range(3))]
    return nn.Sequential(*stem, *second, *third, *fourth, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(960, 1000))


class Shortened(nn.Module):
    """A pre-activation bottleneck of He et al., 2016, figure 4e, and what goes past it."""

    def __init__(self, i, width, stride):
        super().__init__()
        o = 4 * width
        self.first = nn.Sequential(nn.BatchNorm2d(i), nn.ReLU())
        self.branch = nn.Sequential(
            *(nn.Conv2d(i, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()),
            nn.Conv2d(width, o, 1, bias=False),
        )
        self.past = nn.Conv2d(i, o, 1, stride, bias=False) if i != o or stride != 1 else None

    def forward(self, x):
        y = self.first(x)
        return self.branch(y) + (x if self.past is None else self.past(y))


def resnet_for_cifar() -> nn.Module:
    """He et al., 2016, section 3, with two units in a stage."""
    units = [Shortened(16, 16, 1), Shortened(64, 16, 1)]
    for i, width in ((64, 32), (128, 64)):
        units += [Shortened(i, width, 2), Shortened(4 * width, width, 1)]
    last = [nn.BatchNorm2d(256), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10)]
    return nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), *units, *last)


NETWORKS = {
    "AlexNet2012": ("alexnet_2012", {"hidden": "16", "classes": "5"}, alexnet),
    "LeNet5Original": ("lenet5_original", {}, LeNet5),
    "NiN": ("nin", {}, nin),
    "ResNetV2Cifar164": ("resnet_v2", {"depth": "2"}, resnet_for_cifar),
    "ShuffleNet_g3": ("shufflenet_v1", {}, shufflenet),
    "ZFNet": ("zfnet", {"hidden": "16", "classes": "5"}, zfnet),
}
"""The file, what is set, and the network in torch."""


def fill_alike(model: Model, program: nn.Module, module: nn.Module) -> None:
    """Give both the same weights and running statistics, one after the other as they are used."""
    generator, state = torch.Generator().manual_seed(1), program.state_dict()
    ours = [state[name] for node in model.graph.nodes for name in node.weights.values()]
    theirs = [tensor for name, tensor in module.state_dict().items() if not name.endswith("num_batches_tracked")]
    assert [tensor.shape for tensor in ours] == [tensor.shape for tensor in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        fan = 1 if mine.ndim == 1 else mine[0].numel()
        drawn = torch.rand(mine.shape, generator=generator, dtype=torch.float64) + 0.1
        mine.copy_(drawn if mine.ndim == 1 else (drawn - 0.6) * (12 * 2 / fan) ** 0.5)
        other.copy_(mine)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_that_of_its_paper(name):
    file, settings, make = NETWORKS[name]
    model = zoo_model(file, name, **settings)
    program, module = model.to_torch().double().eval(), make().double().eval()
    generator = torch.Generator().manual_seed(0)
    inputs = [
        torch.randn(2, *map(int, item.value.type.shape), generator=generator, dtype=torch.float64)
        for item in model.graph.inputs
    ]
    with torch.no_grad():
        module(*inputs)  # lazy layers learn their sizes
        fill_alike(model, program, module)
        wanted, found = module(*inputs), program(*inputs)
    assert float(wanted.abs().max()) > 1e-3
    assert float((wanted - found).abs().max()) < 1e-10 * float(wanted.abs().max())
