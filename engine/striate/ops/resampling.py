"""What torch and ONNX compute to resize an image; sizes decide about coordinates, see `interpolation.py`.

Nearest pixels of factors that are not whole are found with whole numbers, in torch and in ONNX: their own ways round in
float32 and differ between runtimes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from striate.dims import Dim
from striate.ops.decomposition import Decomposition
from striate.ops.interpolation import kind_of, nearest_places
from striate.ops.record import TorchCall
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.wanted import onnx_wanted, torch_wanted

if TYPE_CHECKING:
    from torch import Tensor

FINEST = 10_000
"""Factors are fractions with a denominator up to this."""

_FLOAT = 1
"""ONNX's number for float32."""


def as_fraction(scale: float) -> Fraction:
    """Return a factor as the fraction that was meant: 0.3333333333333333 is 1/3."""
    return Fraction(scale).limit_denominator(FINEST)


def upsample_torch(call: TorchCall) -> Tensor:
    """Resize by a factor."""
    scales = [as_fraction(scale) for scale in call.attributes["scale"]]
    given = call.inputs[0].shape[2:]
    made = [size * scale.numerator // scale.denominator for size, scale in zip(given, scales, strict=True)]
    return _resampled(call, made, whole=all(scale.denominator == 1 for scale in scales))


def resize_torch(call: TorchCall) -> Tensor:
    """Resize to a size."""
    made = torch_wanted(call)
    given = map(int, call.inputs[0].shape[2:])
    return _resampled(call, made, whole=all(target % size == 0 for size, target in zip(given, made, strict=True)))


def _resampled(call: TorchCall, made: Sequence[int], *, whole: bool) -> Tensor:
    """Resize to a size; by `whole` factors nothing is asked about it, so that torch's tools can leave it open."""
    value, kind, coordinates = call.inputs[0], kind_of(call.attributes["mode"]), call.attributes["coordinates"]
    given = value.shape[2:]
    resample = call.torch.nn.functional.interpolate
    result: Tensor
    if kind == "nearest" and not whole:
        for axis, (size, target) in enumerate(zip(given, made, strict=True), start=2):
            places = nearest_places(coordinates, int(size), int(target))
            value = value.index_select(axis, call.torch.tensor(places, device=value.device))
        result = value
    elif kind == "linear" and coordinates == "asymmetric":
        for axis, (size, target) in enumerate(zip(given, made, strict=True), start=2):
            value = _asymmetric(call, value, axis, int(size), int(target))
        result = value
    elif kind in ("nearest", "area"):
        result = resample(value, list(made), mode=kind)
    else:
        mode = "bicubic" if kind == "bicubic" else {1: "linear", 2: "bilinear", 3: "trilinear"}[len(given)]
        result = resample(value, list(made), mode=mode, align_corners=coordinates == "align_corners")
    return result


def _asymmetric(call: TorchCall, value: Tensor, axis: int, given: int, made: int) -> Tensor:
    """Return the value resized along one axis, output `o` lying at `o * given / made`."""
    steps = [divmod(place * given, made) for place in range(made)]
    low = call.torch.tensor([place for place, _ in steps], device=value.device)
    high = call.torch.tensor([min(place + 1, given - 1) for place, _ in steps], device=value.device)
    share = call.torch.tensor([rest / made for _, rest in steps], device=value.device, dtype=value.dtype)
    share = share.reshape(-1, *[1] * (value.dim() - axis - 1))
    result: Tensor = value.index_select(axis, low) * (1 - share) + value.index_select(axis, high) * share
    return result


def upsample_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """Write a resize by a factor; whole factors stay factors, which every runtime knows and open sizes need."""
    write, scales = Decomposition(call, sink), [as_fraction(scale) for scale in call.attributes["scale"]]
    kind = kind_of(call.attributes["mode"])
    if kind != "area" and all(scale.denominator == 1 for scale in scales):
        _resize_node(write, call, "", write.numbers([1, 1, *map(int, scales)]))
        return
    _resampled_onnx(write, call, lambda: _scaled_space(write, call, scales))


def _scaled_space(write: Decomposition, call: OnnxCall, scales: Sequence[Fraction]) -> str:
    space = write.space_of(call.inputs[0], call.input_types[0].rank)
    larger = write("Mul", space, write.sizes([scale.numerator for scale in scales]))
    return write("Div", larger, write.sizes([scale.denominator for scale in scales]))


def resize_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """Write a resize to a size."""
    write = Decomposition(call, sink)
    _resampled_onnx(write, call, lambda: onnx_wanted(write, call))


def _resampled_onnx(write: Decomposition, call: OnnxCall, wanted: Callable[[], str]) -> None:
    kind, value = kind_of(call.attributes["mode"]), call.inputs[0]
    axes = list(zip(call.input_types[0].shape[1:], call.output_types[0].shape[1:], strict=True))
    if kind == "nearest":
        _nearest(write, call, axes, wanted)
    elif kind == "area":
        area_means(write, call, wanted)
    else:
        factors = [_factor(given, made) for given, made in axes if isinstance(given, int) and isinstance(made, int)]
        if len(factors) == len(axes):
            _resize_node(write, call, "", write.numbers([1, 1, *factors]))
        else:
            kept = write("Gather", write("Shape", value), write.sizes([0, 1]), axis=0)
            _resize_node(write, call, "", "", write("Concat", kept, wanted(), axis=0))


def _factor(given: int, made: int) -> float:
    """Return the factor between known sizes, which leaves the batch open as sizes would not.

    A runtime rounds `given * factor` down in float32, so one that is not exact there is taken a little larger.
    """
    ratio = Fraction(made, given)
    exact = ratio.denominator & (ratio.denominator - 1) == 0
    return float(ratio) if exact else float(ratio) * (1 + 2**-22)


def _resize_node(write: Decomposition, call: OnnxCall, *sizes: str) -> None:
    kind, coordinates = kind_of(call.attributes["mode"]), call.attributes["coordinates"]
    if kind == "nearest":  # of whole factors only, for which all ways to round agree
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    else:
        how = {"mode": "cubic" if kind == "bicubic" else "linear", "coordinate_transformation_mode": coordinates}
    bend = {"cubic_coeff_a": -0.75} if kind == "bicubic" else {}
    write.result("Resize", call.inputs[0], *sizes, **how, **bend)


Axis = tuple[Dim, Dim]


def _nearest(write: Decomposition, call: OnnxCall, axes: Sequence[Axis], wanted: Callable[[], str]) -> None:
    """Write one Gather per axis, of places that are worked out in whole numbers here or in the model."""
    value, coordinates = call.inputs[0], call.attributes["coordinates"]
    sizes = "" if _all_known(axes) else wanted()
    for axis, (given, made) in enumerate(axes):
        if isinstance(given, int) and isinstance(made, int):
            places = write.sizes(nearest_places(coordinates, given, made))
        else:
            whole, target = _scalar_sizes(write, call, sizes, axis)
            places = _open_places(write, coordinates, whole, target)
        value = write("Gather", value, places, axis=axis + 2)
    write.result("Identity", value)


def _all_known(axes: Sequence[Axis]) -> bool:
    return all(isinstance(given, int) and isinstance(made, int) for given, made in axes)


def _scalar_sizes(write: Decomposition, call: OnnxCall, sizes: str, axis: int) -> tuple[str, str]:
    """Write the sizes given and wanted along an axis as numbers that are no lists."""
    given = write("Squeeze", write.size_of(call.inputs[0], axis + 2))
    return given, write("Squeeze", write("Gather", sizes, write.sizes([axis]), axis=0))


def _counted(write: Decomposition, size: str) -> str:
    return write("Range", write.whole(0), size, write.whole(1))


def _open_places(write: Decomposition, coordinates: str | None, given: str, made: str) -> str:
    """Write `nearest_places` for sizes that are known when the model runs."""
    places = _counted(write, made)
    if coordinates != "half_pixel":
        return write("Div", write("Mul", places, given), made)
    two = write.whole(2)
    odd = write("Add", write("Mul", places, two), write.whole(1))
    return write("Div", write("Mul", odd, given), write("Mul", made, two))


def area_means(write: Decomposition, call: OnnxCall, wanted: Callable[[], str]) -> None:
    """Write the mean of the pixels covered as one product with a matrix of shares per axis, each as the last axis."""
    value, rank = call.inputs[0], call.input_types[0].rank
    axes = list(zip(call.input_types[0].shape[1:], call.output_types[0].shape[1:], strict=True))
    sizes = "" if _all_known(axes) else wanted()
    for axis, (given, made) in enumerate(axes):
        if isinstance(given, int) and isinstance(made, int):
            numbers = write.whole(given), write.whole(made)
        else:
            numbers = _scalar_sizes(write, call, sizes, axis)
        last = axis + 2 == rank
        order = list(range(rank + 1))
        order[axis + 2], order[rank] = order[rank], order[axis + 2]
        turned = value if last else write("Transpose", value, perm=order)
        mean = write("MatMul", turned, _shares(write, *numbers))
        value = mean if last else write("Transpose", mean, perm=order)
    write.result("Identity", value)


def _shares(write: Decomposition, given: str, made: str) -> str:
    """Write the matrix, given x made, of the share that an input place has in an output place.

    Output `o` covers the places from `floor(o * given / made)` up to, not including, `ceil((o + 1) * given / made)`.
    """
    column = write("Unsqueeze", _counted(write, given), write.sizes([1]))
    places, one = _counted(write, made), write.whole(1)
    first = write("Div", write("Mul", places, given), made)
    end = write("Mul", write("Add", places, one), given)
    last = write("Div", write("Add", end, write("Sub", made, one)), made)
    inside = write("And", write("Not", write("Less", column, first)), write("Less", column, last))
    count = write("Cast", write("Sub", last, first), to=_FLOAT)
    return write("Div", write("Cast", inside, to=_FLOAT), count)
