"""What the rows of a padding hold: zeros, a number, or rows of the image itself; for `pad` and for convolutions.

The image's own rows cannot be had without end: `reflect` leaves the outermost row out and so takes fewer rows than the
image has, `circular` takes as many at most, `replicate` and numbers take any.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from striate.dims import Dim, format_dim
from striate.ops.arguments import ArgumentError, Choice, format_value
from striate.ops.decomposition import Decomposition
from striate.ops.problems import Check, Problem
from striate.ops.record import TorchCall
from striate.ops.targets import OnnxCall

if TYPE_CHECKING:
    from torch import Tensor

Pads = tuple[int, ...]
"""Rows before and after, axis by axis: `(top, bottom, left, right)` of an image."""

FILLS: Final = ("zeros", "reflect", "replicate", "circular")
"""The fills that have a name; any other is a number."""

FIRST_WRAP: Final = 19
"""The operator set that brought `wrap` to ONNX's Pad."""

_ONNX_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
_END = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Fill:
    """A named fill, or the number that every added entry is; the number 0 is settled as `zeros`."""

    @property
    def choices(self) -> tuple[str, ...]:
        """Names that mean themselves, whatever else is called so where the argument stands."""
        return FILLS

    def describe(self) -> str:
        return f"one of {', '.join(FILLS)}, or a number"

    def convert(self, value: Any) -> str | float:
        name = value.name if isinstance(value, Choice) else value
        if isinstance(name, str) and name in FILLS:
            return name
        if isinstance(name, bool) or not isinstance(name, (int, float)) or not math.isfinite(name):
            raise ArgumentError(f"must be {self.describe()}, not {format_value(value)}")
        return float(name) or "zeros"


def check_fill(fill: str | float, words: tuple[str, str], axes: Sequence[tuple[str, Dim, Dim]], check: Check) -> None:
    """Demand that an image has the rows that its padding takes from it.

    Args:
        fill: the settled fill.
        words: what the layer calls the arguments that say what is added and how much, e.g. `("fill", "pad")`.
        axes: name, size and the wider side of the padding, for each axis.
        check: decides and collects.
    """
    if fill not in ("reflect", "circular"):
        return
    word, argument = words
    other = "replicate or constant" if word == "mode" else "replicate or zeros"
    for name, size, pad in axes:

        def problem(name: str = name, size: Dim = size, pad: Dim = pad) -> Problem:
            most = "less than the size" if fill == "reflect" else "the size at most"
            return Problem(
                f"padding {format_dim(pad)} is too wide for the {name} {format_dim(size)} with {word} = {fill}",
                code="E0206",
                argument=argument,
                notes=(f"the rows are those of the image, so {fill} takes {most}",),
                help=f"use {word} = {other}, or pad less",
                repair=((word, "replicate"),),
            )

        spared = 1 if fill == "reflect" else 0
        if isinstance(pad, int):
            check.at_least(size, max(pad + spared, 1), problem)
        else:
            check.at_least(size - pad, spared, problem)


def torch_padded(call: TorchCall, values: Tensor, pads: Pads, fill: str | float) -> Tensor:
    """Return a tensor `N x C x …` with the padding as rows of its own."""
    last_first = [pads[index + side] for index in range(len(pads) - 2, -1, -2) for side in (0, 1)]
    how: dict[str, Any] = {"mode": fill} if fill in _ONNX_MODES else {"value": 0.0 if fill == "zeros" else fill}
    result: Tensor = call.torch.nn.functional.pad(values, last_first, **how)
    return result


Widths = Pads | tuple[str, str]
"""Settled padding, or the names of two lists in the model: the rows before every axis, and those after it."""


def onnx_padded(
    write: Decomposition, call: OnnxCall, value: str, pads: Widths, fill: str | float, *, last: bool = False
) -> str:
    """Write padding as nodes of their own and return the padded value; its rows count as pixels from there on.

    Args:
        write: the nodes of the layer.
        call: the layer; before opset 19 its circular padding is put together from slices.
        value: the value to pad, `N x C x …`, with the axes of the layer's input.
        pads: how many rows.
        fill: the settled fill.
        last: whether the padded value is the layer's value.
    """
    if fill == "circular" and call.opset < FIRST_WRAP:
        return _wrapped(write, call, value, pads, last=last)
    mode = _ONNX_MODES.get(str(fill), "constant")
    number = [write.number(0.0 if fill == "zeros" else float(fill))] if mode == "constant" else []
    return _written(write, "Pad", value, _widths(write, pads), *number, last=last, mode=mode)


def _widths(write: Decomposition, pads: Widths) -> str:
    before, after = pads[::2], pads[1::2]
    if _in_model(pads):
        batch = write.sizes([0, 0])
        return write("Concat", batch, *map(str, before), batch, *map(str, after), axis=0)
    return write.sizes([0, 0, *map(int, before), 0, 0, *map(int, after)])


def _in_model(pads: Widths) -> bool:
    return isinstance(pads[0], str)


def _written(write: Decomposition, op_type: str, *inputs: str, last: bool, **attributes: Any) -> str:
    if not last:
        return write(op_type, *inputs, **attributes)
    write.result(op_type, *inputs, **attributes)
    return ""


def _wrapped(write: Decomposition, call: OnnxCall, value: str, pads: Widths, *, last: bool) -> str:
    """Write circular padding with the rows of the other side, axis by axis."""
    for axis, (start, end) in enumerate(_other_side(write, call, pads)):
        place = write.sizes([axis + 2])
        parts = [value]
        if start:
            parts.insert(0, write("Slice", value, start, write.sizes([_END]), place))
        if end:
            parts.append(write("Slice", value, write.sizes([0]), end, place))
        value = write("Concat", *parts, axis=axis + 2) if len(parts) > 1 else value
    return _written(write, "Identity", value, last=True) if last else value


def _other_side(write: Decomposition, call: OnnxCall, pads: Widths) -> list[tuple[str, str]]:
    """Write per axis where the rows before the image begin and where those behind it end; "" stands for no rows."""
    count = call.input_types[0].rank - 1
    if not _in_model(pads):
        known = [int(pad) for pad in pads]
        return [
            (write.sizes([-before]) if before else "", write.sizes([after]) if after else "")
            for before, after in zip(known[::2], known[1::2], strict=True)
        ]
    # Counted from the beginning: -0 would be the whole image.
    first = write("Sub", write.space_of(call.inputs[0], count + 1), str(pads[0]))
    each = [write.sizes([axis]) for axis in range(count)]
    return [(write("Gather", first, axis, axis=0), write("Gather", str(pads[1]), axis, axis=0)) for axis in each]
