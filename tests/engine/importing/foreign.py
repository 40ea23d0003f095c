"""Networks as others write them in torch, small: what exporters take apart in many ways."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, given: int, made: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(given, made, 3, stride, 1, bias=False), nn.BatchNorm2d(made)
        self.conv2, self.bn2 = nn.Conv2d(made, made, 3, 1, 1, bias=False), nn.BatchNorm2d(made)
        shortcut = nn.Sequential(nn.Conv2d(given, made, 1, stride, bias=False), nn.BatchNorm2d(made))
        self.downsample = shortcut if stride != 1 or given != made else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(y + self.downsample(x))


class ResNet(nn.Module):
    """A stem, two stages, the mean over the image."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Residual(8, 8), Residual(8, 8))
        self.layer2 = nn.Sequential(Residual(8, 16, 2), Residual(16, 16))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.flatten(self.avgpool(self.layer2(self.layer1(self.pool(self.stem(x))))), 1))


class Inverted(nn.Module):
    """An inverted residual with squeeze and excitation, bent by a hard swish."""

    def __init__(self, channels: int, wide: int, kernel: int) -> None:
        super().__init__()
        self.expand = nn.Sequential(nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.Hardswish())
        self.depthwise = nn.Conv2d(wide, wide, kernel, padding=kernel // 2, groups=wide, bias=False)
        self.bn = nn.BatchNorm2d(wide)
        self.squeeze, self.excite = nn.Conv2d(wide, wide // 4, 1), nn.Conv2d(wide // 4, wide, 1)
        self.project = nn.Sequential(nn.Conv2d(wide, channels, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        y = functional.hardswish(self.bn(self.depthwise(self.expand(x))))
        gate = functional.hardsigmoid(self.excite(functional.relu(self.squeeze(functional.adaptive_avg_pool2d(y, 1)))))
        return x + self.project(y * gate)


class MobileNet(nn.Module):
    """The blocks of MobileNetV3; the mean is taken by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.blocks = nn.Sequential(Inverted(8, 16, 3), Inverted(8, 24, 5))
        self.head = nn.Sequential(nn.Linear(8, 32), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(32, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)).mean([2, 3]))


class Attention(nn.Module):
    """Attention whose queries, keys and values come of one product, turned so that they are the first axis."""

    def __init__(self, features: int, heads: int, *, fused: bool = False) -> None:
        super().__init__()
        self.heads, self.fused = heads, fused
        self.qkv, self.proj = nn.Linear(features, 3 * features), nn.Linear(features, features)

    def forward(self, x: Tensor) -> Tensor:
        images, tokens, features = x.shape
        each = features // self.heads
        q, k, v = self.qkv(x).reshape(images, tokens, 3, self.heads, each).permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused:
            y = functional.scaled_dot_product_attention(q, k, v)
        else:
            y = ((q @ k.transpose(-2, -1)) * each**-0.5).softmax(-1) @ v
        return self.proj(y.transpose(1, 2).reshape(images, tokens, features))


class Encoder(nn.Module):
    """A block of a vision transformer."""

    def __init__(self, features: int, *, fused: bool) -> None:
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(features), Attention(features, 3, fused=fused)
        self.norm2 = nn.LayerNorm(features)
        self.mlp = nn.Sequential(nn.Linear(features, 2 * features), nn.GELU(), nn.Linear(2 * features, features))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """Patches, a class token that is repeated for every image, positions, two blocks."""

    def __init__(self, *, fused: bool = False) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 24, 8, 8)
        self.token, self.position = nn.Parameter(torch.randn(1, 1, 24)), nn.Parameter(torch.randn(1, 17, 24))
        self.blocks = nn.Sequential(Encoder(24, fused=fused), Encoder(24, fused=fused))
        self.norm, self.head = nn.LayerNorm(24), nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        return self.head(self.norm(self.blocks(x))[:, 0])


class FusedVisionTransformer(VisionTransformer):
    """The same with torch's own function for attention."""

    def __init__(self) -> None:
        super().__init__(fused=True)


class TorchAttention(nn.Module):
    """torch's own attention: steps first, heads one with the batch, rows of all steps in one product."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.attention = nn.Conv2d(3, 24, 8, 8), nn.MultiheadAttention(24, 3, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patch(x).flatten(2).transpose(1, 2)
        return self.attention(tokens, tokens, tokens)[0]


class ShiftedWindows(nn.Module):
    """Attention in shifted windows, which become one axis with the batch, and merged patches."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.norm, self.attn = nn.Conv2d(3, 12, 4, 4), nn.LayerNorm(12), Attention(12, 3)
        self.merge = nn.Linear(48, 24, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).permute(0, 2, 3, 1)
        images, height, width, features = x.shape
        y = torch.roll(self.norm(x), (-2, -2), (1, 2))
        y = y.view(images, height // 4, 4, width // 4, 4, features).permute(0, 1, 3, 2, 4, 5)
        y = self.attn(y.contiguous().view(-1, 16, features))
        y = y.view(images, height // 4, width // 4, 4, 4, features).permute(0, 1, 3, 2, 4, 5)
        x = x + torch.roll(y.contiguous().view(images, height, width, features), (2, 2), (1, 2))
        parts = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.merge(torch.cat(parts, -1)).mean((1, 2))


class ChannelsLast(nn.Module):
    """A block of ConvNeXt: a norm written by hand, products over the last axis, a scale for each channel."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.depthwise = nn.Conv2d(3, 8, 4, 4), nn.Conv2d(8, 8, 7, padding=3, groups=8)
        self.weight, self.bias = nn.Parameter(torch.randn(8)), nn.Parameter(torch.randn(8))
        self.norm, self.wide, self.narrow = nn.LayerNorm(8, eps=1e-6), nn.Linear(8, 32), nn.Linear(32, 8)
        self.scale = nn.Parameter(torch.rand(8))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        mean = x.mean(1, keepdim=True)
        x = (x - mean) / torch.sqrt((x - mean).pow(2).mean(1, keepdim=True) + 1e-6)
        x = self.weight[:, None, None] * x + self.bias[:, None, None]
        y = self.narrow(functional.gelu(self.wide(self.norm(self.depthwise(x).permute(0, 2, 3, 1))))) * self.scale
        return x + y.permute(0, 3, 1, 2)


class UNet(nn.Module):
    """One level down and up, with a border where sizes are odd."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.pool, self.deep = nn.Conv2d(3, 8, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.out = nn.Sequential(nn.Conv2d(24, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.SiLU(), nn.Conv2d(8, 2, 1))

    def forward(self, x: Tensor) -> Tensor:
        skip = functional.relu(self.down(x))
        return self.out(torch.cat([skip, self.up(functional.relu(self.deep(self.pool(skip))))], 1))


class Detector(nn.Module):
    """A neck and a head as in YOLO: slices, an enlarged map, and boxes from grids and anchors of two strides."""

    anchors: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.focus, self.down = nn.Conv2d(12, 8, 3, 2, 1), nn.Conv2d(8, 16, 3, 2, 1)
        self.lateral = nn.Conv2d(24, 8, 1)
        self.heads = nn.ModuleList([nn.Conv2d(8, 24, 1), nn.Conv2d(16, 24, 1)])
        self.register_buffer("anchors", 10 * torch.rand(2, 3, 2))

    def forward(self, x: Tensor) -> Tensor:
        sliced = [x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]]
        fine = functional.silu(self.focus(torch.cat(sliced, 1)))
        coarse = functional.silu(self.down(fine))
        fine = self.lateral(torch.cat([functional.interpolate(coarse, scale_factor=2.0), fine], 1))
        return torch.cat([self.boxes(place, value) for place, value in enumerate((fine, coarse))], 1)

    def boxes(self, place: int, x: Tensor) -> Tensor:
        x = self.heads[place](x)
        images, _, height, width = x.shape
        x = x.view(images, 3, 8, height, width).permute(0, 1, 3, 4, 2).contiguous()
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        grid = torch.stack((columns, rows), 2).expand(1, 3, height, width, 2).float() - 0.5
        centre, extent, scores = x.sigmoid().split((2, 2, 4), 4)
        extent = (2 * extent) ** 2 * self.anchors[place].view(1, 3, 1, 1, 2)
        return torch.cat(((2 * centre + grid) * 4 * 2**place, extent, scores), 4).view(images, 3 * height * width, 8)


class Reader(nn.Module):
    """A line of text: columns of a convolution as steps of a recurrent layer in both directions."""

    def __init__(self, cell: type[nn.Module] = nn.LSTM) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(1, 8, 3, padding=1), nn.Linear(12, 5)
        self.cell = cell(32, 6, 2, bidirectional=True, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.max_pool2d(functional.relu(self.conv(x)), 2)
        images, channels, height, width = y.shape
        y = self.cell(y.permute(0, 3, 1, 2).reshape(images, width, channels * height))[0]
        return functional.log_softmax(self.out(y), -1)


class GatedReader(Reader):
    """The same with gated recurrent units."""

    def __init__(self) -> None:
        super().__init__(nn.GRU)


class Last(nn.Module):
    """The state behind the last step, of a sequence in torch's own order."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.LSTM(8, 6), nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.cell(x.transpose(0, 1))[1][0][-1])


class Shuffled(nn.Module):
    """Channels dealt out anew, as in ShuffleNet."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.depthwise = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(4, 4, 3, 1, 1, groups=4)

    def forward(self, x: Tensor) -> Tensor:
        left, right = self.stem(x).chunk(2, 1)
        x = torch.cat((left, self.depthwise(right)), 1)
        images, channels, height, width = x.shape
        return x.view(images, 2, channels // 2, height, width).transpose(1, 2).contiguous().view(x.shape)
