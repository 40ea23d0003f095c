"""What the rows of a model say: for every module how its arguments are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate.importing.findings import UnsupportedError, shown
from striate.importing.network import Value
from striate.importing.ultralytics import heads
from striate.importing.ultralytics.description import Row, wrong
from striate.importing.ultralytics.heads import Output
from striate.importing.ultralytics.modules import Modules, channels_of
from striate.importing.ultralytics.scaling import Scaling
from striate.ops.arguments import Choice

_MODES = {"nearest": "nearest", "bilinear": "bilinear", "bicubic": "bicubic"}


@dataclass(slots=True)
class Rows:
    """Reads rows.

    Attributes:
        modules: makes the modules.
        scaling: the size of the model.
        settings: the other keys of the file, which arguments may name.
        anchored: whether the head is that of YOLOv3 and YOLOv5, and with it the bottlenecks are theirs.
        light: whether the head is that of YOLO11.
        outputs: what the heads give.
    """

    modules: Modules
    scaling: Scaling
    settings: Mapping[str, Any]
    anchored: bool
    light: bool
    outputs: list[Output]

    def read(self, row: Row, values: Sequence[Value]) -> Value | None:
        """Return what a row gives; None for a head, whose maps are outputs.

        Raises:
            DiagnosticError: E0658, its arguments have no meaning.
            UnsupportedError: the module is not known, or does not take what flows in.
        """
        arguments = Arguments(row, [self._named(each) for each in row.arguments])
        if row.module in _HEADS:
            _HEADS[row.module](self, arguments, values)
            arguments.demand_read()
            return None
        if row.module == "Concat":
            if arguments.whole(0, 1) != 1:
                raise UnsupportedError("it joins along another axis than the channels")
            arguments.demand_read()
            return self.modules.build("concat", list(values)) if len(values) > 1 else values[0]
        reader = _MODULES.get(row.module)
        if reader is None:
            raise UnsupportedError("the language has no block for it")
        if len(values) != 1:
            raise wrong(f"{row} takes one input, not {len(values)}", row.span)
        made = reader(self, arguments, values[0])
        arguments.demand_read()
        return made

    def _named(self, argument: Any) -> Any:
        """Return what a name among the arguments stands for; nothing is evaluated."""
        if not isinstance(argument, str):
            return argument
        if argument == "nc":
            return self.scaling.classes
        words = {"None": None, "True": True, "False": False}
        return words[argument] if argument in words else self.settings.get(argument, argument)

    def wide(self, arguments: Arguments) -> int:
        """Return the channels of a module, its first argument, after scaling; the number of classes stays."""
        channels = arguments.whole(0)
        return channels if channels == self.scaling.classes else self.scaling.wide(channels)

    def times(self, arguments: Arguments, value: Value, module: Callable[[Value], Value]) -> Value:
        """Return what a module gives that stands behind itself as often as its row says."""
        made = module(value)
        for _ in range(self.scaling.repeated(arguments.row.number) - 1):
            if channels_of(made) != channels_of(value):
                raise UnsupportedError("it stands behind itself, and changes its channels")
            made = module(made)
        return made


class Arguments:
    """The arguments of a row, each of which must be read."""

    def __init__(self, row: Row, given: Sequence[Any]) -> None:
        self.row, self.given = row, given
        self._read = 0

    def at(self, place: int, default: Any = None) -> Any:
        """Return an argument as it stands; a default where it is left out."""
        self._read = max(self._read, place + 1)
        return self.given[place] if place < len(self.given) and self.given[place] is not None else default

    def whole(self, place: int, default: int | None = None, low: int = 1) -> int:
        """Return an argument that is a whole number.

        Raises:
            DiagnosticError: E0658, it is none, or missing.
        """
        value = self.at(place, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= 10**6:
            raise self._wrong(place, f"a whole number of at least {low}")
        return value

    def wholes(self, place: int, default: Sequence[int]) -> tuple[int, ...]:
        """Return an argument that is a list of whole numbers; raises like `whole`."""
        value = self.at(place, list(default))
        if not isinstance(value, list) or not value or len(value) > 100 or not all(_is_whole(each) for each in value):
            raise self._wrong(place, "a list of whole numbers")
        return tuple(value)

    def extent(self, place: int, default: int, low: int = 1) -> Any:
        """Return an argument that is a whole number or one for each axis; raises like `whole`."""
        value = self.at(place, default)
        if isinstance(value, list) and len(value) == 2 and all(_is_whole(each) and each >= low for each in value):
            return value[0] if value[0] == value[1] else tuple(value)
        return self.whole(place, default, low)

    def flag(self, place: int, default: bool) -> bool:
        """Return an argument that is true or false; raises like `whole`."""
        value = self.at(place, default)
        if not isinstance(value, bool):
            raise self._wrong(place, "True or False")
        return value

    def share(self, place: int, default: float) -> float:
        """Return an argument that is a part of the channels; raises like `whole`."""
        value = self.at(place, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 16:
            raise self._wrong(place, "a number above 0")
        return float(value)

    def demand_read(self) -> None:
        """Refuse arguments that nobody asked for.

        Raises:
            UnsupportedError: there are some.
        """
        if len(self.given) > self._read:
            raise UnsupportedError(f"its argument {self._read + 1}, {shown(str(self.given[self._read]))}, is not read")

    def _wrong(self, place: int, wanted: str) -> Exception:
        found = f"not {shown(str(self.given[place]))}" if place < len(self.given) else "and is missing"
        return wrong(f"argument {place + 1} of {self.row} must be {wanted}, {found}", self.row.span)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**6


# ------------------------------------------------------------------------------------------------- modules


def _conv(rows: Rows, given: Arguments, value: Value) -> Value:
    channels, kernel, stride = rows.wide(given), given.extent(1, 1), given.extent(2, 1)
    pad = given.extent(3, 0, 0) if given.at(3) is not None else None
    groups, dilation = given.whole(4, 1), given.whole(5, 1)
    return rows.times(given, value, lambda x: rows.modules.conv(x, channels, kernel, stride, pad, groups, dilation))


def _depthwise(rows: Rows, given: Arguments, value: Value) -> Value:
    channels, kernel, stride, dilation = rows.wide(given), given.whole(1, 1), given.whole(2, 1), given.whole(3, 1)
    return rows.times(given, value, lambda x: rows.modules.depthwise(x, channels, kernel, stride, dilation))


def _focus(rows: Rows, given: Arguments, value: Value) -> Value:
    channels, kernel, stride = rows.wide(given), given.whole(1, 1), given.whole(2, 1)
    return rows.times(given, value, lambda x: rows.modules.focus(x, channels, kernel, stride))


def _bottleneck(rows: Rows, given: Arguments, value: Value) -> Value:
    channels, shortcut, groups = rows.wide(given), given.flag(1, True), given.whole(2, 1)
    if rows.anchored:
        share = given.share(3, 0.5)
        return rows.times(
            given, value, lambda x: rows.modules.bottleneck_old(x, channels, shortcut, groups, share)
        )  # fmt: skip
    return rows.times(given, value, lambda x: rows.modules.bottleneck(x, channels, shortcut, groups))


def _c3(rows: Rows, given: Arguments, value: Value) -> Value:
    number = rows.scaling.repeated(given.row.number)
    return rows.modules.c3(
        value, rows.wide(given), number, given.flag(1, True), given.whole(2, 1), given.share(3, 0.5)
    )  # fmt: skip


def _c3k(rows: Rows, given: Arguments, value: Value) -> Value:
    number = rows.scaling.repeated(given.row.number)
    return rows.modules.c3k(value, rows.wide(given), number, given.flag(1, True), given.whole(2, 1))


def _csp(rows: Rows, given: Arguments, value: Value) -> Value:
    number = rows.scaling.repeated(given.row.number)
    return rows.modules.bottleneck_csp(
        value, rows.wide(given), number, given.flag(1, True), given.whole(2, 1), given.share(3, 0.5)
    )


def _c2f(rows: Rows, given: Arguments, value: Value) -> Value:
    number = rows.scaling.repeated(given.row.number)
    return rows.modules.c2f(
        value, rows.wide(given), number, given.flag(1, False), given.whole(2, 1), given.share(3, 0.5)
    )  # fmt: skip


def _c3k2(rows: Rows, given: Arguments, value: Value) -> Value:
    """The larger sizes take C3k throughout, whatever the row says."""
    number = rows.scaling.repeated(given.row.number)
    inner = given.flag(1, False) or rows.scaling.letter in ("m", "l", "x")
    return rows.modules.c3k2(
        value, rows.wide(given), number, inner, given.share(2, 0.5), given.whole(3, 1), given.flag(4, True)
    )  # fmt: skip


def _c2psa(rows: Rows, given: Arguments, value: Value) -> Value:
    number = rows.scaling.repeated(given.row.number)
    return rows.modules.c2psa(value, rows.wide(given), number, given.share(1, 0.5))


def _spp(rows: Rows, given: Arguments, value: Value) -> Value:
    channels, kernels = rows.wide(given), given.wholes(1, (5, 9, 13))
    return rows.times(given, value, lambda x: rows.modules.spp(x, channels, kernels))


def _sppf(rows: Rows, given: Arguments, value: Value) -> Value:
    channels, kernel = rows.wide(given), given.whole(1, 5)
    return rows.times(given, value, lambda x: rows.modules.sppf(x, channels, kernel))


# ------------------------------------------------------------------------------------------------- layers of torch


def _plain_conv(rows: Rows, given: Arguments, value: Value) -> Value:
    """nn.Conv2d without its first argument: channels, kernel, stride, padding, dilation, groups, bias."""
    written: dict[str, Any] = {"channels": given.whole(0), "kernel": given.extent(1, 1)}
    usual = {"stride": given.extent(2, 1), "pad": given.extent(3, 0, 0), "dilation": given.extent(4, 1)}
    written.update({key: each for key, each in usual.items() if each != (0 if key == "pad" else 1)})
    groups, bias = given.whole(5, 1), given.flag(6, True)
    written.update({"groups": groups} if groups > 1 else {}, **({} if bias else {"bias": False}))
    return rows.times(given, value, lambda x: rows.modules.build("conv", x, **written))


def _transposed(rows: Rows, given: Arguments, value: Value) -> Value:
    channels, kernel, stride, pad = rows.wide(given), given.whole(1, 1), given.whole(2, 1), given.whole(3, 0, 0)
    written = {"channels": channels, "kernel": kernel, "stride": stride, **({"pad": pad} if pad else {})}
    return rows.times(given, value, lambda x: rows.modules.build("deconv", x, **written))


def _upsample(rows: Rows, given: Arguments, value: Value) -> Value:
    if given.at(0) is not None:
        raise UnsupportedError("a size instead of a factor is not read")
    mode = str(given.at(2, "nearest"))
    if mode not in _MODES:
        raise UnsupportedError(f"the mode {shown(mode)} is not read")
    return rows.modules.build(
        "upsample", value, scale=given.whole(1), **({} if mode == "nearest" else {"mode": Choice(mode)})
    )


def _maxpool(rows: Rows, given: Arguments, value: Value) -> Value:
    kernel, pad = given.extent(0, 1), given.extent(2, 0, 0)
    stride = given.extent(1, kernel) if given.at(1) is not None else kernel
    written = {"stride": stride} if stride != kernel else {}
    return rows.modules.build("maxpool", value, kernel=kernel, **written, **({"pad": pad} if pad else {}))


def _zero_pad(rows: Rows, given: Arguments, value: Value) -> Value:
    left, right, top, bottom = _sides(given)
    return rows.modules.build("pad", value, sides=(top, bottom, left, right))


def _sides(given: Arguments) -> tuple[int, int, int, int]:
    """Return the sides of nn.ZeroPad2d: one number, or left, right, top, bottom."""
    value = given.at(0)
    if _is_whole(value):
        return value, value, value, value
    sides = given.wholes(0, ())
    if len(sides) != 4:
        raise wrong(f"{given.row} takes left, right, top and bottom", given.row.span)
    return sides[0], sides[1], sides[2], sides[3]


def _layer(name: str) -> Reader:
    def read(rows: Rows, given: Arguments, value: Value) -> Value:
        given.at(0)  # inplace
        return rows.modules.build(name, value) if name else value

    return read


Reader = Callable[[Rows, Arguments, Value], Value]

_MODULES: Mapping[str, Reader] = {
    "Conv": _conv,
    "DWConv": _depthwise,
    "Focus": _focus,
    "Bottleneck": _bottleneck,
    "BottleneckCSP": _csp,
    "C3": _c3,
    "C3k": _c3k,
    "C2f": _c2f,
    "C3k2": _c3k2,
    "C2PSA": _c2psa,
    "SPP": _spp,
    "SPPF": _sppf,
    "nn.Conv2d": _plain_conv,
    "nn.ConvTranspose2d": _transposed,
    "nn.Upsample": _upsample,
    "nn.MaxPool2d": _maxpool,
    "nn.ZeroPad2d": _zero_pad,
    "nn.Identity": _layer(""),
    "nn.SiLU": _layer("silu"),
    "nn.ReLU": _layer("relu"),
}


# ------------------------------------------------------------------------------------------------- heads


def _classes(rows: Rows, given: Arguments) -> int:
    classes = given.whole(0, rows.scaling.classes)
    if classes != rows.scaling.classes:
        raise wrong(f"{given.row} has {classes} classes, the file {rows.scaling.classes}", given.row.span)
    return classes


def _detect(rows: Rows, given: Arguments, levels: Sequence[Value]) -> None:
    classes = _classes(rows, given)
    if not rows.anchored:
        rows.outputs += heads.detect(rows.modules, levels, classes, light=rows.light)
        return
    anchors = given.at(1)
    if isinstance(anchors, int) and not isinstance(anchors, bool) and 0 < anchors <= 100:
        anchors = [[0] * 2 * anchors for _ in levels]
    whole = isinstance(anchors, list) and len(anchors) == len(levels)
    if not whole or not all(_is_pairs(each) for each in anchors):
        raise wrong(f"{given.row} needs a list of anchors for each of its {len(levels)} levels", given.row.span)
    rows.outputs += heads.anchored(rows.modules, levels, classes, anchors)


def _is_pairs(value: object) -> bool:
    numbers = isinstance(value, list) and 0 < len(value) <= 200 and len(value) % 2 == 0
    return numbers and all(isinstance(each, (int, float)) and abs(each) < 1e6 for each in value)  # type: ignore[attr-defined]


def _segment(rows: Rows, given: Arguments, levels: Sequence[Value]) -> None:
    classes, masks = _classes(rows, given), given.whole(1, 32)
    prototypes = rows.scaling.wide(given.whole(2, 256))
    rows.outputs += heads.detect(rows.modules, levels, classes, light=rows.light)
    rows.outputs += heads.segment(rows.modules, levels, masks, prototypes)


def _pose(rows: Rows, given: Arguments, levels: Sequence[Value]) -> None:
    classes, shape = _classes(rows, given), given.wholes(1, (17, 3))
    if len(shape) != 2:
        raise wrong(f"{given.row} takes the number of key points and the numbers of each", given.row.span)
    rows.outputs += heads.detect(rows.modules, levels, classes, light=rows.light)
    rows.outputs += heads.pose(rows.modules, levels, *shape)


def _rotated(rows: Rows, given: Arguments, levels: Sequence[Value]) -> None:
    classes, extra = _classes(rows, given), given.whole(1, 1)
    rows.outputs += heads.detect(rows.modules, levels, classes, light=rows.light)
    rows.outputs += heads.rotated(rows.modules, levels, extra)


def _classify(rows: Rows, given: Arguments, levels: Sequence[Value]) -> None:
    if len(levels) != 1:
        raise wrong(f"{given.row} takes one input, not {len(levels)}", given.row.span)
    rows.outputs += heads.classify(rows.modules, levels[0], _classes(rows, given))


_HEADS: Mapping[str, Callable[[Rows, Arguments, Sequence[Value]], None]] = {
    "Detect": _detect,
    "Segment": _segment,
    "Pose": _pose,
    "OBB": _rotated,
    "Classify": _classify,
}


MODULES = frozenset({*_MODULES, *_HEADS, "Concat"})
"""The modules that are read."""


def is_head(module: str) -> bool:
    """Whether a module is a head, whose maps are outputs."""
    return module in _HEADS
