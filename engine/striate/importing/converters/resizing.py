"""Images of another size: Resize with its many coordinates, and Upsample, which came before it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from striate.dims import Dim, Expr
from striate.importing.call import Call, name_of
from striate.importing.converters.windows import image
from striate.importing.findings import UnsupportedError
from striate.importing.network import Value, has_batch
from striate.ops.arguments import Choice
from striate.ops.interpolation import LEGAL, nearest_places

_MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "cubic": "bicubic"}


def _resize(call: Call) -> Value:
    value, node = image(call), call.node
    call.demand_float(value)
    mode = _MODES.get(node.attribute("mode", "nearest"))
    if mode is None:
        raise UnsupportedError("its mode is none that ONNX knows")
    if node.opset < 11:
        scales = _numbers(call, 1)
        return _scaled(call, value, mode, "asymmetric", scales)
    if node.attribute("antialias", 0) or node.attribute("exclude_outside", 0):
        raise UnsupportedError("it smooths before it makes the image smaller, or leaves out what lies outside")
    coordinates = node.attribute("coordinate_transformation_mode", "half_pixel")
    if mode == "bicubic" and abs(node.attribute("cubic_coeff_a", -0.75) + 0.75) > 1e-6:
        raise UnsupportedError("its cubic has another coefficient than -0.75")
    if _has_numbers(call, 3):
        return _sized(call, value, mode, coordinates, _all_sizes(call, value, call.node.entries("sizes", 3) or []))
    scales = _numbers(call, 2)
    axes = node.attribute("axes")
    if axes is not None:
        scales = _at_axes(call, value, axes, scales, [1.0] * (len(value.sizes) + 1))
    node.attribute("keep_aspect_ratio_policy")  # of sizes only
    return _scaled(call, value, mode, coordinates, scales)


def _at_axes(call: Call, value: Value, axes: Sequence[int], given: Sequence[Any], whole: list[Any]) -> list[Any]:
    """Return numbers for all axes from those for some of them."""
    if len(axes) != len(given):
        raise UnsupportedError("its sizes or scales are not one for each of its axes")
    for axis, number in zip(axes, given, strict=True):
        whole[call.node.axis(call.rank(value), axis)] = number
    return whole


def _all_sizes(call: Call, value: Value, sizes: Sequence[Any]) -> Sequence[Any]:
    """Return the sizes for all axes; where height and width keep their ratio, those that one of them decides."""
    axes, policy = call.node.attribute("axes"), call.node.attribute("keep_aspect_ratio_policy", "stretch")
    shape = list(call.shape(value))
    if policy != "stretch":
        places = [call.node.axis(len(shape), axis) for axis in (axes or range(len(shape)))]
        own = [shape[place] for place in places]
        pairs = [(size, given) for size, given in zip(sizes, own, strict=True) if isinstance(given, int)]
        if len(pairs) < len(own) or not all(isinstance(size, int) for size, _ in pairs):
            raise UnsupportedError("it keeps the ratio of sizes that are open")
        ratios = [Fraction(size, given) for size, given in pairs]
        scale = min(ratios) if policy == "not_larger" else max(ratios)
        sizes = [int(scale * given + Fraction(1, 2)) for _, given in pairs]
    return sizes if axes is None else _at_axes(call, value, axes, sizes, shape)


def _has_numbers(call: Call, place: int) -> bool:
    item = call.given[place] if place < len(call.given) else None
    return isinstance(item, Value) or (item is not None and item.array.size > 0)


def _numbers(call: Call, place: int) -> list[float]:
    item = call.stored(place)
    if item is None:
        raise UnsupportedError("neither sizes nor scales are given")
    return [float(str(number)) for number in item.array.reshape(-1)]


def _coordinates(call: Call, mode: str, coordinates: str, axes: Sequence[tuple[Dim, Dim | None, float]]) -> Any:
    """Return the name of the coordinates in the language.

    Args:
        call: the node.
        mode: how values in between are made.
        coordinates: ONNX's name.
        axes: size, size made and factor along every axis of the image.

    Raises:
        UnsupportedError: the language has no such coordinates, or rounds otherwise to the nearest pixel.
    """
    if coordinates == "pytorch_half_pixel" and not any(made == 1 for _, made, _ in axes):
        coordinates = "half_pixel"
    if coordinates == "half_pixel_symmetric" and all(factor.is_integer() for *_, factor in axes):
        coordinates = "half_pixel"
    if coordinates not in ("half_pixel", "align_corners", "asymmetric"):
        raise UnsupportedError(f"its coordinates are {coordinates[:40]}")
    if mode != "nearest":
        return Choice(coordinates)
    return _nearest(call, coordinates, axes)


def _nearest(call: Call, coordinates: str, axes: Sequence[tuple[Dim, Dim | None, float]]) -> Any:
    """Return the coordinates with which the language takes the same nearest pixels; known sizes are tried out."""
    rounding = call.node.attribute("nearest_mode", "round_prefer_floor") if call.node.opset >= 11 else "floor"
    for ours in ("asymmetric", "half_pixel"):
        if all(_same_pixels(coordinates, rounding, ours, *axis) for axis in axes):
            return Choice(ours)
    raise UnsupportedError(f"it takes the nearest pixel by {coordinates} and {rounding[:30]}, as no layer does")


def _picked(call: Call, value: Value, coordinates: str, axes: Sequence[tuple[Dim, Dim | None, float]]) -> Value | None:
    """Return the nearest pixels chosen one by one, where no layer takes the same and all sizes are known."""
    rounding = call.node.attribute("nearest_mode", "round_prefer_floor") if call.node.opset >= 11 else "floor"
    known = [(given, made, factor) for given, made, factor in axes if isinstance(given, int) and isinstance(made, int)]
    if len(known) < len(axes) or coordinates not in ("half_pixel", "asymmetric", "align_corners"):
        return None
    if any(all(_same_pixels(coordinates, rounding, ours, *axis) for axis in axes) for ours in LEGAL["nearest"]):
        return None
    for place, (given, made, factor) in enumerate(known, start=1):
        if given != made:
            places = _places(coordinates, rounding, given, made, factor)
            value = call.layer("select", value, places=places, axis=name_of(len(value.sizes), place))
    return value


def _same_pixels(coordinates: str, rounding: str, ours: str, given: Dim, made: Dim | None, factor: float) -> bool:
    """Whether ONNX takes the pixels that the language takes; open sizes are tried with whole factors up to some."""
    if isinstance(given, int) and isinstance(made, int):
        return _places(coordinates, rounding, given, made, factor) == nearest_places(ours, given, made)
    if (coordinates, rounding, ours) == ("asymmetric", "floor", "asymmetric"):
        return True  # the language's own rule, whatever the sizes
    if not factor.is_integer():
        return False
    return all(
        _places(coordinates, rounding, size, int(size * factor), factor)
        == nearest_places(ours, size, int(size * factor))
        for size in (1, 2, 3, 5, 8)
    )


def _places(coordinates: str, rounding: str, given: int, made: int, factor: float) -> list[int]:
    """Return the pixels that ONNX's reference takes (operators.md, Resize)."""
    out = np.arange(made, dtype=np.float64)
    if coordinates == "align_corners":
        where = out * (given - 1) / (made - 1) if made > 1 else out * 0
    elif coordinates == "asymmetric":
        where = out / factor
    else:
        where = (out + 0.5) / factor - 0.5
    where = where.round(9)  # what is a half in exact numbers is one here
    rounded = {
        "floor": np.floor(where),
        "ceil": np.ceil(where),
        "round_prefer_floor": np.ceil(where - 0.5),
        "round_prefer_ceil": np.floor(where + 0.5),
    }.get(rounding)
    if rounded is None:
        raise UnsupportedError(f"it rounds by {rounding[:30]}, which ONNX does not know")
    places: list[int] = np.clip(rounded, 0, given - 1).astype(int).tolist()
    return places


def _scaled(call: Call, value: Value, mode: str, coordinates: str, scales: Sequence[float]) -> Value:
    space = list(scales[2:])
    if len(scales) != len(value.sizes) + 1 or any(scale <= 0 for scale in scales):
        raise UnsupportedError("its scales are not one number above 0 per axis")
    if list(scales[:2]) != [1, 1]:
        raise UnsupportedError("it resizes the batch or the channels")
    axes: list[tuple[Dim, Dim | None, float]] = []
    for size, scale in zip(value.sizes[1:], space, strict=True):
        axes.append(
            (size, int(np.floor(np.float32(size) * np.float32(scale))) if isinstance(size, int) else None, scale)
        )
    if mode == "nearest" and (picked := _picked(call, value, coordinates, axes)) is not None:
        return picked
    chosen = _coordinates(call, mode, coordinates, axes)
    if all(scale.is_integer() for scale in space):
        return call.layer("upsample", value, scale=tuple(map(int, space)), mode=Choice(mode), coordinates=chosen)
    return _to_known(call, value, mode, chosen, axes)


def _to_known(call: Call, value: Value, mode: str, chosen: Any, axes: Sequence[tuple[Dim, Dim | None, float]]) -> Value:
    """Return the image with the sizes that a factor gives, which the language goes by, not by the factor."""
    sizes: list[int] = []
    for given, made, factor in axes:
        if not isinstance(given, int) or not isinstance(made, int):
            raise UnsupportedError("its factor is no whole number, and the size of its input is open")
        if mode != "nearest" and abs(float(given) * factor - made) > 1e-4 * made:
            raise UnsupportedError("its factor does not give a whole size, and ONNX goes by the factor then")
        sizes.append(made)
    return call.layer("resize", value, size=tuple(sizes), mode=Choice(mode), coordinates=chosen)


def _sized(call: Call, value: Value, mode: str, coordinates: str, sizes: Sequence[Any]) -> Value:
    if len(sizes) != len(value.sizes) + 1:
        raise UnsupportedError("its sizes are not one per axis")
    if sizes[1] != value.sizes[0] or not (has_batch(sizes[0]) or sizes[0] == call.images):
        raise UnsupportedError("it resizes the batch or the channels")
    axes: list[tuple[Dim, Dim | None, float]] = []
    for given, made in zip(value.sizes[1:], sizes[2:], strict=True):
        if not isinstance(made, Expr):
            axes.append((given, int(made), float(made) / given if isinstance(given, int) else _OPEN_RATIO))
        else:
            axes.append((given, None, _ratio(given, made)))
    if mode == "nearest" and (picked := _picked(call, value, coordinates, axes)) is not None:
        return picked
    chosen = _coordinates(call, mode, coordinates, axes)
    known = [made for _, made, _ in axes if isinstance(made, int)]
    if len(known) == len(axes):
        return call.layer("resize", value, size=tuple(known), mode=Choice(mode), coordinates=chosen)
    factors = [factor for *_, factor in axes]
    if not all(factor.is_integer() for factor in factors):
        return _like(call, value, mode, chosen, sizes[2:])
    return call.layer("upsample", value, scale=tuple(map(int, factors)), mode=Choice(mode), coordinates=chosen)


_OPEN_RATIO = 0.5
"""The factor from an open size to a known one: none that is whole."""


def _ratio(given: Dim, made: Any) -> float:
    """Return the whole factor between two open sizes; 0.5 where there is none."""
    return next((float(factor) for factor in range(1, 65) if given * factor == made), _OPEN_RATIO)


def _like(call: Call, value: Value, mode: str, chosen: Any, wanted: Sequence[Any]) -> Value:
    """Return the image with the open size of a value that was made before."""
    other = call.network.sized(tuple(wanted))
    if other is None:
        raise UnsupportedError("its size depends on the input, and no value has that size")
    return call.layer("resize", [value, other], like=1, mode=Choice(mode), coordinates=chosen)


def _upsample(call: Call) -> Value:
    value = image(call)
    call.demand_float(value)
    mode = _MODES.get(call.node.attribute("mode", "nearest"))
    if mode is None:
        raise UnsupportedError("its mode is none that ONNX knows")
    scales = call.node.attribute("scales") or _numbers(call, 1)
    return _scaled(call, value, mode, "asymmetric", scales)


CONVERTERS = {"Resize": _resize, "Upsample": _upsample}
