"""Spatial transformers: grids of affine maps, and images sampled at the places of a grid.

ONNX has the two coordinates of a grid last, the language first.
"""

from __future__ import annotations

from striate.importing.call import Call
from striate.importing.converters.shaping import permuted, reshaped
from striate.importing.converters.windows import image
from striate.importing.findings import UnsupportedError
from striate.importing.network import Value, has_batch
from striate.ops.arguments import Choice

_MODES = {"bilinear": "bilinear", "linear": "bilinear", "nearest": "nearest", "bicubic": "bicubic", "cubic": "bicubic"}


def _grid_sample(call: Call) -> Value:
    value, node = image(call), call.node
    grid = call.value(1)
    call.demand_float(value)
    mode = _MODES.get(node.attribute("mode", "linear"))
    if mode is None or len(value.sizes) != 3 or len(grid.sizes) != 3:
        raise UnsupportedError("it is no image that it samples, or not in a way that ONNX knows")
    return call.layer(
        "grid_sample",
        [value, permuted(call, grid, [2, 0, 1])],
        grid=1,
        mode=Choice(mode),
        outside=Choice(node.attribute("padding_mode", "zeros")),
        align_corners=bool(node.attribute("align_corners", 0)),
    )


def _affine_grid(call: Call) -> Value:
    value, sizes = call.value(), call.node.numbers("size", 1)
    if sizes is None or len(sizes) != 4 or not call.batched or value.sizes != (2, 3):
        raise UnsupportedError("it makes no grid of an image by maps of 2 x 3")
    if has_batch(sizes[0]) or call.images not in (None, sizes[0]):
        raise UnsupportedError("its size has another number of images")
    corners = bool(call.node.attribute("align_corners", 0))
    grid = call.layer("affine_grid", reshaped(call, value, [6]), size=tuple(sizes[2:]), align_corners=corners)
    return permuted(call, grid, [1, 2, 0])


CONVERTERS = {"GridSample": _grid_sample, "AffineGrid": _affine_grid}
