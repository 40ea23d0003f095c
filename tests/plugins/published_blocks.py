"""The blocks of `std.blocks` a second time, in plain torch after the papers and torchvision, for comparison.

Weights stand in the order in which the papers compute, so that they can be filled one after the other.
"""

from __future__ import annotations

import math

import torch
from torch import nn

RELU = nn.ReLU


class Merge(nn.Module):
    """Branches on one input, merged by a function of a list."""

    def __init__(self, merge, *branches):
        super().__init__()
        self.merge = merge
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return self.merge([branch(x) for branch in self.branches])


def total(*branches):
    return Merge(sum, *branches)


def stacked(*branches):
    return Merge(lambda values: torch.cat(values, dim=1), *branches)


def gated(gate):
    return Merge(lambda values: values[0] * values[1], nn.Identity(), gate)


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ResponseNorm(nn.Module):
    """Global response normalisation (ConvNeXt V2, algorithm 1)."""

    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        length = torch.linalg.vector_norm(x, dim=(2, 3), keepdim=True)
        share = length / (length.mean(dim=1, keepdim=True) + 1e-6)
        return self.gamma.view(-1, 1, 1) * x * share + self.beta.view(-1, 1, 1) + x


def cn(i, o, kernel, stride=1, groups=1, dilation=1, act=RELU):
    pad = dilation * (kernel - 1) // 2
    conv = nn.Conv2d(i, o, kernel, stride, pad, dilation, groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(o), act())


def linear_cn(i, o, kernel, **options):
    return cn(i, o, kernel, act=nn.Identity, **options)


def shortcut(i, o, stride):
    return nn.Identity() if i == o and stride == 1 else linear_cn(i, o, 1, stride=stride)


def residual(i, o, stride=1, act=RELU):
    branch = nn.Sequential(cn(i, o, 3, stride, act=act), linear_cn(o, o, 3))
    return nn.Sequential(total(branch, shortcut(i, o, stride)), act())


def bottleneck(i, width, stride=1, expansion=4, groups=1):
    o = expansion * width
    branch = nn.Sequential(cn(i, width, 1), cn(width, width, 3, stride, groups), linear_cn(width, o, 1))
    return nn.Sequential(total(branch, shortcut(i, o, stride)), RELU())


def pre_act_residual(i, o, stride=1):
    first = (nn.BatchNorm2d(i), RELU())
    branch = (cn(i, o, 3, stride), nn.Conv2d(o, o, 3, padding=1, bias=False))
    if i == o and stride == 1:
        return total(nn.Sequential(*first, *branch), nn.Identity())
    return nn.Sequential(*first, total(nn.Sequential(*branch), nn.Conv2d(i, o, 1, stride, bias=False)))


def rep_vgg(i, o, stride=1, groups=1):
    branches = [linear_cn(i, o, kernel, stride=stride, groups=groups) for kernel in (3, 1)]
    if i == o and stride == 1:
        branches.append(nn.BatchNorm2d(i))
    return nn.Sequential(total(*branches), RELU())


def depthwise_separable(i, o, stride=1, kernel=3):
    return nn.Sequential(cn(i, i, kernel, stride, groups=i), cn(i, o, 1))


def spatially_separable(i, o, stride=1, kernel=3):
    lines = ((i, (kernel, 1), (stride, 1)), (o, (1, kernel), (1, stride)))
    return nn.Sequential(
        *(
            layer
            for given, size, step in lines
            for layer in (
                nn.Conv2d(given, o, size, step, tuple(side // 2 for side in size), bias=False),
                nn.BatchNorm2d(o),
                nn.ReLU(),
            )
        )
    )


class CoordConv(nn.Module):
    """AddCoords, then a convolution: x and y from -1 to 1."""

    def __init__(self, i, o, kernel=3, stride=1, *, radius=False):
        super().__init__()
        self.radius = radius
        self.conv = nn.Conv2d(i + 2 + radius, o, kernel, stride, kernel // 2)

    def forward(self, x):
        height, width = (torch.linspace(-1, 1, size) for size in x.shape[2:])
        y, across = torch.meshgrid(height, width, indexing="ij")
        added = [across, y, *([torch.sqrt(across**2 + y**2)] if self.radius else [])]
        return self.conv(torch.cat([x, torch.stack(added).expand(len(x), -1, -1, -1)], 1))


def gated_conv(i, o, kernel=3, stride=1, dilation=1):
    def conv():
        return nn.Conv2d(i, o, kernel, stride, dilation * (kernel - 1) // 2, dilation)

    return Merge(
        lambda values: values[0] * values[1], nn.Sequential(conv(), nn.ELU()), nn.Sequential(conv(), nn.Sigmoid())
    )


def squeeze(i, narrow, o, act=RELU):
    return nn.Sequential(nn.Conv2d(i, narrow, 1), act(), nn.Conv2d(narrow, o, 1))


def se(i, narrow, act=RELU):
    return gated(nn.Sequential(nn.AdaptiveAvgPool2d(1), squeeze(i, narrow, i, act), nn.Sigmoid()))


class ChannelAttention(nn.Module):
    """CBAM, equation 2."""

    def __init__(self, i, narrow):
        super().__init__()
        self.mlp = squeeze(i, narrow, i)

    def forward(self, x):
        mean, most = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        return x * torch.sigmoid(self.mlp(mean) + self.mlp(most))


class GlobalContext(nn.Module):
    """GCNet's context with a gate, the attention applied by a product of matrices."""

    def __init__(self, i, narrow):
        super().__init__()
        self.attention = nn.Conv2d(i, 1, 1)
        self.mlp = nn.Sequential(nn.Conv2d(i, narrow, 1), ChannelNorm(narrow), RELU(), nn.Conv2d(narrow, i, 1))

    def forward(self, x):
        weights = self.attention(x).flatten(2).softmax(dim=2)
        context = x.flatten(2) @ weights.transpose(1, 2)
        return x * torch.sigmoid(self.mlp(context.unsqueeze(3)))


def mobile(i, o, stride=1, expand=6, kernel=3, act=nn.ReLU6, narrow=None):
    """MobileNetV2's block; with `narrow` EfficientNet's."""
    wide = expand * i
    parts = [cn(i, wide, 1, act=act)] if expand != 1 else []
    parts.append(cn(wide, wide, kernel, stride, wide, act=act))
    if narrow is not None:
        parts.append(se(wide, narrow, act))
    branch = nn.Sequential(*parts, linear_cn(wide, o, 1))
    return total(branch, nn.Identity()) if i == o and stride == 1 else branch


def ghost(i, o, kernel=1, stride=1):
    half = o // 2
    return nn.Sequential(cn(i, half, kernel, stride), stacked(nn.Identity(), cn(half, half, 3, groups=half)))


def conv_next(i, kernel=7):
    start = (nn.Conv2d(i, i, kernel, padding=kernel // 2, groups=i), ChannelNorm(i, eps=1e-6))
    return total(nn.Sequential(*start, squeeze(i, 4 * i, i, nn.GELU)), nn.Identity())


def conv_next_v2(i, kernel=7):
    start = (nn.Conv2d(i, i, kernel, padding=kernel // 2, groups=i), ChannelNorm(i, eps=1e-6), nn.Conv2d(i, 4 * i, 1))
    return total(nn.Sequential(*start, nn.GELU(), ResponseNorm(4 * i), nn.Conv2d(4 * i, i, 1)), nn.Identity())


def biased(i, o, kernel):
    return nn.Sequential(nn.Conv2d(i, o, kernel, padding=kernel // 2), RELU())


def inception(i, n1, r3, n3, r5, n5, pool):
    return stacked(
        biased(i, n1, 1),
        nn.Sequential(biased(i, r3, 1), biased(r3, n3, 3)),
        nn.Sequential(biased(i, r5, 1), biased(r5, n5, 5)),
        nn.Sequential(nn.MaxPool2d(3, 1, 1), biased(i, pool, 1)),
    )


def fire(i, narrow, e1, e3):
    return nn.Sequential(biased(i, narrow, 1), stacked(biased(narrow, e1, 1), biased(narrow, e3, 3)))


def dense_layer(i, growth, width=4):
    wide = width * growth
    last = nn.Conv2d(wide, growth, 3, padding=1, bias=False)
    return stacked(nn.Identity(), nn.Sequential(nn.BatchNorm2d(i), RELU(), cn(i, wide, 1), last))


def dense_block(i, depth, growth):
    return nn.Sequential(*(dense_layer(i + number * growth, growth) for number in range(depth)))


def transition(i):
    return nn.Sequential(nn.BatchNorm2d(i), RELU(), nn.Conv2d(i, i // 2, 1, bias=False), nn.AvgPool2d(2))


def aspp(i, o, rates):
    branches = [cn(i, o, 1), *(cn(i, o, 3, dilation=rate) for rate in rates)]
    return nn.Sequential(stacked(*branches), cn(4 * o, o, 1))


class PyramidPool(nn.Module):
    """The value beside its averages over bins, as large as it is."""

    def __init__(self, i, bins):
        super().__init__()
        self.bins = bins
        self.levels = nn.ModuleList(cn(i, i // 4, 1) for _ in bins)

    def forward(self, x):
        made = [x]
        for parts, level in zip(self.bins, self.levels, strict=True):
            small = level(nn.functional.adaptive_avg_pool2d(x, parts))
            made.append(nn.functional.interpolate(small, x.shape[2:], mode="bilinear", align_corners=False))
        return torch.cat(made, dim=1)


def double(i, o):
    return nn.Sequential(cn(i, o, 3), cn(o, o, 3))


def unet_down(i, o):
    return nn.Sequential(nn.MaxPool2d(2), double(i, o))


class UNetUp(nn.Module):
    """The way up: `x` and the value `skip` from the way down."""

    def __init__(self, i, skip, o):
        super().__init__()
        self.up = nn.ConvTranspose2d(i, o, 2, 2)
        self.merge = double(o + skip, o)

    def forward(self, x, skip):
        return self.merge(torch.cat([self.up(x), skip], dim=1))


class FPNStep(nn.Module):
    """The lateral plus the value above it, twice as large."""

    def __init__(self, i, o):
        super().__init__()
        self.lateral = nn.Conv2d(i, o, 1)

    def forward(self, x, top):
        return nn.functional.interpolate(top, scale_factor=2) + self.lateral(x)


class PANStep(nn.Module):
    """The value plus what lies below it, half as large, and a convolution over both."""

    def __init__(self, i, below):
        super().__init__()
        self.down, self.mix = nn.Conv2d(below, i, 3, 2, 1), nn.Conv2d(i, i, 3, padding=1)

    def forward(self, x, below):
        return torch.relu(self.mix(torch.relu(self.down(below)) + x))


class ShuffleUnit(nn.Module):
    """Grouped 1 x 1, shuffle, depthwise 3 x 3, grouped 1 x 1; beside it the value, or its averages."""

    def __init__(self, i, o, groups, stride=1, width=None):
        super().__init__()
        width = width or o // 4
        self.squeeze = cn(i, width, 1, groups=groups)
        self.shuffle = nn.ChannelShuffle(groups)
        self.rest = nn.Sequential(
            cn(width, width, 3, stride, width, act=nn.Identity),
            cn(width, o if stride == 1 else o - i, 1, groups=groups, act=nn.Identity),
        )
        self.stride = stride

    def forward(self, x):
        made = self.rest(self.shuffle(self.squeeze(x)))
        if self.stride == 1:
            return torch.relu(made + x)
        return torch.relu(torch.cat([nn.functional.avg_pool2d(x, 3, self.stride, 1), made], dim=1))


class ShuffleUnitV2(nn.Module):
    """Half of the channels through 1 x 1, depthwise 3 x 3, 1 x 1, then shuffled with the other half."""

    def __init__(self, i, o, stride=1, act=RELU):
        super().__init__()
        half, flowing = o // 2, i // 2 if stride == 1 else i
        self.beside = (
            nn.Identity()
            if stride == 1
            else nn.Sequential(cn(i, i, 3, stride, i, act=nn.Identity), cn(i, half, 1, act=act))
        )
        self.branch = nn.Sequential(
            cn(flowing, half, 1, act=act),
            cn(half, half, 3, stride, half, act=nn.Identity),
            cn(half, half, 1, act=act),
        )
        self.shuffle, self.stride = nn.ChannelShuffle(2), stride

    def forward(self, x):
        kept, worked = x.chunk(2, dim=1) if self.stride == 1 else (x, x)
        return self.shuffle(torch.cat([self.beside(kept), self.branch(worked)], dim=1))


def channel_gate(channels):
    return gated(
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1, groups=channels), nn.Sigmoid())
    )


def spatial_gate(channels, kernel=7, gate=nn.Sigmoid):
    return gated(nn.Sequential(nn.Conv2d(channels, 1, kernel, padding=kernel // 2), gate()))


class Above(nn.Module):
    """One where a value is above zero: what hard attention does in evaluation."""

    def forward(self, x):
        return (x > 0).to(x.dtype)


class MeanAndMaximum(nn.Module):
    def forward(self, x):
        return torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)


def spatial_attention(kernel=7):
    conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)
    return gated(nn.Sequential(MeanAndMaximum(), conv, nn.Sigmoid()))


def cbam(channels, narrow, kernel=7):
    return nn.Sequential(ChannelAttention(channels, narrow), spatial_attention(kernel))


class EfficientChannelAttention(nn.Module):
    """The kernel as ECA-Net's code has it."""

    def __init__(self, channels, gamma=2, b=1):
        super().__init__()
        reach = int(abs((math.log2(channels) + b) / gamma))
        kernel = reach if reach % 2 else reach + 1
        self.conv = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x):
        means = x.mean((2, 3))[:, None]
        return x * self.conv(means).sigmoid()[:, 0, :, None, None]


class AttentionGate(nn.Module):
    """Additive attention gate on a grid (Attention U-Net, figure 2), without the convolution behind it."""

    def __init__(self, channels, signal, width):
        super().__init__()
        self.phi = nn.Conv2d(signal, width, 1)
        self.theta = nn.Conv2d(channels, width, 2, stride=2, bias=False)
        self.psi = nn.Conv2d(width, 1, 1)

    def forward(self, x, g):
        asked = self.psi((self.theta(x) + self.phi(g)).relu()).sigmoid()
        return x * nn.functional.interpolate(asked, size=x.shape[2:], mode="bilinear")


class SpatialTransformer(nn.Module):
    def __init__(self, locate, features):
        super().__init__()
        self.locate = locate
        self.dense = nn.Linear(features, 6)

    def forward(self, x):
        identity = torch.tensor([1.0, 0, 0, 0, 1, 0])
        theta = (self.dense(self.locate(x).flatten(1)) + identity).reshape(-1, 2, 3)
        grid = nn.functional.affine_grid(theta, x.shape, align_corners=False)
        return nn.functional.grid_sample(x, grid, align_corners=False)


class TimeDistributed(nn.Module):
    """Every frame as an image of its own, by way of the batch."""

    def __init__(self, unit):
        super().__init__()
        self.unit = unit

    def forward(self, x):
        frames = x.transpose(1, 2)
        made = self.unit(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])
        return made.transpose(1, 2)
