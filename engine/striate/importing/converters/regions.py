"""Regions of interest: pooled to maps of one size."""

from __future__ import annotations

from striate.importing.call import Call
from striate.importing.converters.shaping import permuted, reshaped
from striate.importing.findings import UnsupportedError
from striate.importing.network import Stored, Value


def _roi_align(call: Call) -> Value:
    """Return the maps of the regions of one image, K x C x h x w."""
    value, node = call.value(), call.node
    call.demand_float(value)
    if call.batched:
        raise UnsupportedError("it makes the regions the first axis, in place of the batch")
    if node.attribute("mode", "avg") != "avg":
        raise UnsupportedError("it takes the largest of the weighed pixels of a point, not their sum")
    images = call.stored(2)
    if len(value.sizes) != 4 or value.sizes[0] != 1 or images is None or images.array.any():
        raise UnsupportedError("its regions lie in several images")
    aligned = node.attribute(
        "coordinate_transformation_mode", "half_pixel" if node.opset >= 16 else "output_half_pixel"
    )
    if aligned not in ("half_pixel", "output_half_pixel"):
        raise UnsupportedError(f"its coordinates are {aligned[:40]}")
    maps = call.layer(
        "roi_align",
        [reshaped(call, value, value.sizes[1:]), _regions(call)],
        rois=1,
        size=(node.attribute("output_height", 1), node.attribute("output_width", 1)),
        spatial_scale=float(node.attribute("spatial_scale", 1.0)),
        sampling_ratio=node.attribute("sampling_ratio", 0),
        aligned=aligned == "half_pixel",
    )
    return permuted(call, maps, [1, 0, 2, 3])


def _regions(call: Call) -> Value:
    item = call.given[1]
    return call.parameter(item) if isinstance(item, Stored) else call.value(1)


CONVERTERS = {"RoiAlign": _roi_align}
