"""The modules of a model's backbone and neck, each a function from a value to a value.

Channels are those after scaling. The names of the parts (cv1, m) are left out; the order of computation is theirs, so
that parameters can be counted off against the published models.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate.importing.building import Builder
from striate.importing.findings import UnsupportedError
from striate.importing.network import Value
from striate.ops.arguments import Choice

BATCH_NORM = {"eps": 1e-3, "momentum": 0.03}
"""What the models' batch norms are set to."""

_AXES = (Choice("height"), Choice("width"))


def channels_of(value: Value) -> int:
    """Return the channels of a value, which no file leaves open."""
    assert isinstance(value.sizes[0], int), "channels are numbers"
    return value.sizes[0]


@dataclass(slots=True)
class Modules:
    """Makes modules.

    Attributes:
        build: adds the layers.
        activation: the layer behind every batch norm, with its arguments; None for none.
    """

    build: Builder
    activation: tuple[str, Mapping[str, Any]] | None

    # ------------------------------------------------------------------------------------ convolutions

    def conv(
        self,
        value: Value,
        channels: int,
        kernel: Any = 1,
        stride: Any = 1,
        pad: Any = None,
        groups: int = 1,
        dilation: int = 1,
        act: bool = True,
        name: str = "Conv",
    ) -> Value:
        """Convolution without bias, batch norm, activation; padding is half of the kernel unless it is given."""
        if not act or self.activation is None:
            name = f"{name}Linear" if self.activation is not None else name
        with self.build.scope(name):
            made = self._convolved(value, channels, kernel, stride, pad, groups, dilation)
            made = self.build("bn", made, **BATCH_NORM)
            if act and self.activation is not None:
                layer, arguments = self.activation
                made = self.build(layer, made, **arguments)
        return made

    def _convolved(
        self, value: Value, channels: int, kernel: Any, stride: Any, pad: Any, groups: int, dilation: int
    ) -> Value:
        half = _half(kernel, dilation) if pad is None else pad
        written: dict[str, Any] = {"channels": channels, "kernel": kernel, "bias": False}
        usual = {"stride": (stride, 1), "pad": (half, 0), "groups": (groups, 1), "dilation": (dilation, 1)}
        written.update({key: given for key, (given, default) in usual.items() if given != default})
        return self.build("conv", value, **written)

    def plain(self, value: Value, channels: int, kernel: int = 1, *, bias: bool = True) -> Value:
        """A convolution alone."""
        pad = {"pad": kernel // 2} if kernel > 1 else {}
        return self.build("conv", value, channels=channels, kernel=kernel, **pad, **({} if bias else {"bias": False}))

    def depthwise(self, value: Value, channels: int, kernel: int = 1, stride: int = 1, dilation: int = 1) -> Value:
        """Convolution in as many groups as input and output channels have as a common divisor."""
        groups = math.gcd(channels_of(value), channels)
        return self.conv(value, channels, kernel, stride, None, groups, dilation, name="DWConv")

    def focus(self, value: Value, channels: int, kernel: int = 1, stride: int = 1) -> Value:
        """Every second pixel four times, as channels: rows 0 and 1 of columns 0, then of columns 1."""
        parts = []
        for column in (0, 1):
            for row in (0, 1):
                part = value
                for axis, start in zip(_AXES, (row, column), strict=True):
                    part = self.build("slice", part, axis=axis, **({"start": start} if start else {}), step=2)
                parts.append(part)
        return self.conv(self.build("concat", parts), channels, kernel, stride)

    # ------------------------------------------------------------------------------------ residual units

    def bottleneck(
        self,
        value: Value,
        channels: int,
        shortcut: bool = True,
        groups: int = 1,
        kernels: Sequence[int] = (3, 3),
        share: float = 0.5,
        name: str = "Bottleneck",
    ) -> Value:
        """Two convolutions, added to their input where that has as many channels."""
        with self.build.scope(name):
            made = self.conv(value, int(channels * share), kernels[0])
            made = self.conv(made, channels, kernels[1], groups=groups)
            if shortcut and channels_of(value) == channels:
                made = self.build("add", [value, made])
        return made

    def bottleneck_old(
        self, value: Value, channels: int, shortcut: bool = True, groups: int = 1, share: float = 0.5
    ) -> Value:
        """The bottleneck of YOLOv3 and YOLOv5, whose first convolution has one pixel."""
        return self.bottleneck(value, channels, shortcut, groups, (1, 3), share)

    def c3(
        self,
        value: Value,
        channels: int,
        number: int = 1,
        shortcut: bool = True,
        groups: int = 1,
        share: float = 0.5,
        kernels: Sequence[int] = (1, 3),
        name: str = "C3",
    ) -> Value:
        """Cross stage partial with three convolutions."""
        hidden = int(channels * share)
        with self.build.scope(name):
            made = self.conv(value, hidden)
            for _ in range(number):
                made = self.bottleneck(made, hidden, shortcut, groups, kernels, 1.0)
            made = self.build("concat", [made, self.conv(value, hidden)])
            return self.conv(made, channels)

    def c3k(self, value: Value, channels: int, number: int = 1, shortcut: bool = True, groups: int = 1) -> Value:
        """C3 with square kernels of 3."""
        return self.c3(value, channels, number, shortcut, groups, 0.5, (3, 3), "C3k")

    def bottleneck_csp(
        self, value: Value, channels: int, number: int = 1, shortcut: bool = True, groups: int = 1, share: float = 0.5
    ) -> Value:
        """Cross stage partial as in the first YOLOv5: two convolutions alone, batch norm behind the concatenation."""
        hidden = int(channels * share)
        with self.build.scope("BottleneckCSP"):
            made = self.conv(value, hidden)
            for _ in range(number):
                made = self.bottleneck(made, hidden, shortcut, groups, (1, 3), 1.0)
            made = self.build("concat", [self.plain(made, hidden, bias=False), self.plain(value, hidden, bias=False)])
            made = self.build("silu", self.build("bn", made, **BATCH_NORM))
            return self.conv(made, channels)

    def c2f(
        self, value: Value, channels: int, number: int = 1, shortcut: bool = False, groups: int = 1, share: float = 0.5
    ) -> Value:
        """Cross stage partial of which the output of every unit is kept."""
        hidden = int(channels * share)
        return self._kept(
            value,
            channels,
            hidden,
            number,
            lambda part: self.bottleneck(part, hidden, shortcut, groups, (3, 3), 1.0),
            "C2f",
        )

    def c3k2(
        self,
        value: Value,
        channels: int,
        number: int = 1,
        inner: bool = False,
        share: float = 0.5,
        groups: int = 1,
        shortcut: bool = True,
    ) -> Value:
        """C2f whose units are C3k of two, or bottlenecks of half the channels."""
        hidden = int(channels * share)

        def unit(part: Value) -> Value:
            if inner:
                return self.c3k(part, hidden, 2, shortcut, groups)
            return self.bottleneck(part, hidden, shortcut, groups)

        return self._kept(value, channels, hidden, number, unit, "C3k2")

    def _kept(
        self, value: Value, channels: int, hidden: int, number: int, unit: Callable[[Value], Value], name: str
    ) -> Value:
        with self.build.scope(name):
            parts = self.build.several("split", self.conv(value, 2 * hidden), parts=2)
            for _ in range(number):
                parts.append(unit(parts[-1]))
            return self.conv(self.build("concat", parts), channels)

    # ------------------------------------------------------------------------------------ pools

    def spp(self, value: Value, channels: int, kernels: Sequence[int] = (5, 9, 13)) -> Value:
        """Spatial pyramid pooling: maximum pools of several sizes beside each other."""
        with self.build.scope("SPP"):
            made = self.conv(value, channels_of(value) // 2)
            pools = [self._pooled(made, kernel) for kernel in kernels]
            return self.conv(self.build("concat", [made, *pools]), channels)

    def sppf(self, value: Value, channels: int, kernel: int = 5) -> Value:
        """Spatial pyramid pooling by three equal pools behind each other."""
        with self.build.scope("SPPF"):
            parts = [self.conv(value, channels_of(value) // 2)]
            for _ in range(3):
                parts.append(self._pooled(parts[-1], kernel))
            return self.conv(self.build("concat", parts), channels)

    def _pooled(self, value: Value, kernel: int) -> Value:
        return self.build("maxpool", value, kernel=kernel, stride=1, pad=kernel // 2)

    # ------------------------------------------------------------------------------------ attention

    def c2psa(self, value: Value, channels: int, number: int = 1, share: float = 0.5) -> Value:
        """Cross stage partial whose units are attention over the pixels and a feed-forward part."""
        if channels_of(value) != channels:
            raise UnsupportedError(f"C2PSA keeps its channels, and gets {channels_of(value)} for {channels}")
        hidden = int(channels * share)
        with self.build.scope("C2PSA"):
            first, second = self.build.several("split", self.conv(value, 2 * hidden), parts=2)
            for _ in range(number):
                second = self._attention_unit(second, hidden)
            return self.conv(self.build("concat", [first, second]), channels)

    def _attention_unit(self, value: Value, channels: int) -> Value:
        with self.build.scope("PSABlock"):
            made = self.build("add", [value, self._attention(value, channels, max(channels // 64, 1))])
            inner = self.conv(made, 2 * channels)
            return self.build("add", [made, self.conv(inner, channels, act=False)])

    def _attention(self, value: Value, channels: int, heads: int) -> Value:
        """Attention over the pixels: queries and keys half as long as values, and their places by a convolution."""
        each = channels // heads
        key = each // 2
        _, height, width = value.sizes
        if not isinstance(height, int) or not isinstance(width, int):
            raise UnsupportedError("attention lays out the pixels anew, which needs a size: add --size 640")
        with self.build.scope("Attention"):
            packed = self.conv(value, channels + 2 * key * heads, act=False)
            parted = self.build("reshape", packed, sizes=[heads, 2 * key + each, height * width])
            queries, keys, values = self.build.several("split", parted, parts=[key, key, each], axis=Choice("height"))
            scores = self.build("matmul", [self.build("transpose", queries), keys])
            shares = self.build("softmax", self.build("scale", scores, factor=key**-0.5), axis=Choice("last"))
            mixed = self.build("matmul", [values, self.build("transpose", shares)])
            image = self.build("reshape", mixed, sizes=[channels, height, width])
            places = self.build("reshape", values, sizes=[channels, height, width])
            made = self.build("add", [image, self.conv(places, channels, 3, groups=channels, act=False)])
            return self.conv(made, channels, act=False)


def _half(kernel: Any, dilation: int) -> Any:
    """Return padding that keeps the size for a stride of 1: half of the kernel, dilated."""
    if isinstance(kernel, tuple):
        return tuple(_half(each, dilation) for each in kernel)
    return (dilation * (kernel - 1) + 1) // 2
