"""Pooling of regions: each region of interest (RoI) of an image becomes a map of one size.

The regions are a second value, `K x 4` (left, top, right, bottom) or `K x 5` with the number of the image in the batch
in front, as Caffe and torchvision write them. What comes out is `C x K x H x W`: the regions are an axis of their own
behind the channels, so that a convolution with a kernel (1, h, w) is a layer on every region.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.dims import Dim, format_dim
from striate.graph import format_shape
from striate.ops.arguments import Argument, Flag, Integer, PerAxis, Real
from striate.ops.decomposition import Decomposition
from striate.ops.domains import REGIONS
from striate.ops.geometry import image_size
from striate.ops.moves import sees_everything
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, OpRecord, Sample, TorchCall, Types
from striate.ops.region_sampling import (
    Regions,
    Taps,
    arranged,
    at_least_single,
    bins,
    covered,
    exact_products,
    interpolated,
    largest,
    read_regions,
    rounded,
    shares_of,
    weighed,
)
from striate.ops.shape_arguments import NamedValue, per_axis
from striate.ops.sizes import entries, typed
from striate.ops.targets import OnnxCall, OnnxSink
from striate.ops.work import Kept, Work

if TYPE_CHECKING:
    from torch import Tensor

_FLOAT, _WHOLE = 1, 7
"""ONNX's numbers for float32 and int64."""

_ROIS = Argument(
    "rois",
    NamedValue(),
    "The regions, K x 4: left, top, right, bottom of each; or K x 5 with the number of the image in the batch in "
    "front. No gradient flows into them.",
)
_SIZE = Argument("size", PerAxis(), "Size of the map of each region: one number, or (height, width).")
_SCALE = Argument(
    "spatial_scale",
    Real(1e-6),
    "What corners are multiplied by: the size of the value over that of the image in which they are given, e.g. 1/16.",
    1.0,
)


def _settle(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    image_size(inputs)
    return {**attributes, "size": per_axis(attributes["size"], 2, "size")}


def _shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    channels, _, _ = image_size(inputs)
    return typed(channels, _number_of_regions(attributes, inputs), *attributes["size"])


def _number_of_regions(attributes: Attributes, inputs: Types) -> Dim:
    """Return the number of regions per image.

    Raises:
        LayerError: the named value holds no regions.
    """
    rois = inputs[attributes["rois"]]
    is_open = rois.rank == 2 and not isinstance(rois.shape[1], int)
    if is_open or rois.rank != 2 or rois.shape[1] not in (4, 5):
        raise LayerError(
            Problem(
                f"needs regions K x 4 or K x 5, but {format_shape(rois)} is given",
                code="E0207" if is_open else "E0204",
                argument="rois",
                notes=("a row is left, top, right, bottom, or the number of the image and these four",),
                help="name the value that holds the regions, e.g. input rois: 128 x 4",
            )
        )
    return rois.shape[0]


def _operations(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count as if all regions together covered the image once for each map: how large they are is not known."""
    return entries(inputs[0]) + entries(outputs[0])


def _lines(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    """Count the rows of all parts over the whole width."""
    _, _, width = inputs[0].shape
    lines: Dim = inputs[attributes["rois"]].shape[0] * inputs[0].channels * attributes["size"][0] * width
    return lines


def _score_lines(attributes: Attributes, inputs: Types, outputs: Types) -> Dim:
    _, _, width = inputs[0].shape
    return inputs[attributes["rois"]].shape[0] * inputs[0].channels * width


def _shares(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    """Keep the share of each row and of each column in each part."""
    rois, (_, tall, wide), (height, width) = inputs[attributes["rois"]], inputs[0].shape, attributes["size"]
    return Kept(numbers=rois.shape[0] * (tall * height + wide * width))


def _places(attributes: Attributes, inputs: Types, outputs: Types) -> Kept:
    return Kept(indices=entries(outputs[0]))


def _roi_pool_torch(call: TorchCall) -> Tensor:
    values, regions = call.inputs[0], read_regions(call)
    rows = _whole_span(call, regions.top, regions.bottom, call.attributes["size"][0], values.shape[2])
    columns = _whole_span(call, regions.left, regions.right, call.attributes["size"][1], values.shape[3])
    return arranged(largest(call, values, regions, rows, columns), regions)


def _whole_span(call: TorchCall, first: Tensor, last: Tensor, parts: int, size: int) -> Taps:
    """Return the pixels of each part of a span whose ends are rounded to whole pixels; both ends belong to it."""
    scale = call.attributes["spatial_scale"]
    start, end = rounded(first * scale), rounded(last * scale)
    low, high = bins(call.torch, (end - start + 1).clamp(min=1), call.torch.zeros_like(start), parts)
    return covered(call, low + start[:, None], high + start[:, None], size)


def _roi_pool_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    images, corners = _flat_regions(write, call)
    numbers = write("Cast", write("Unsqueeze", images, write.sizes([1])), to=_FLOAT)
    rois = write("Concat", numbers, corners, axis=1)
    found = write(
        "MaxRoiPool",
        call.inputs[0],
        rois,
        pooled_shape=attributes["size"],
        spatial_scale=attributes["spatial_scale"],
    )
    _arranged_onnx(write, call, found)


def _flat_regions(write: Decomposition, call: OnnxCall) -> tuple[str, str]:
    """Write the image of each region as a list, and the corners as rows of four, the regions of all images in a row."""
    place = call.attributes["rois"]
    rois, (each, numbers) = call.inputs[place], call.input_types[place].shape
    if numbers == 5:
        first, corners = write.parts("Split", 2, rois, write.sizes([1, 4]), axis=2)
        image = write("Cast", write("Round", first), to=_WHOLE)
    else:
        corners = rois
        count = write("Squeeze", write.size_of(rois, 0))
        column = write("Unsqueeze", write("Range", write.whole(0), count, write.whole(1)), write.sizes([1]))
        wide = write.sizes([each]) if isinstance(each, int) else write.size_of(rois, 1)
        image = write("Expand", column, write("Concat", write.sizes([1]), wide, axis=0))
    return write("Reshape", image, write.sizes([-1])), write("Reshape", corners, write.sizes([-1, 4]))


def _arranged_onnx(write: Decomposition, call: OnnxCall, found: str) -> None:
    """Write maps in a row, `N K x C x H x W`, as `N x C x K x H x W`."""
    rois, (channels, each, _, _) = call.inputs[call.attributes["rois"]], call.output_types[0].shape
    number = write.sizes([each]) if isinstance(each, int) else write.size_of(rois, 1)
    rest = write.sizes([channels if isinstance(channels, int) else -1, *call.attributes["size"]])
    sizes = write("Concat", write.size_of(rois, 0), number, rest, axis=0)  # a -1 in front would hide the batch
    write.result("Transpose", write("Reshape", found, sizes), perm=[0, 2, 1, 3, 4])


_REFUSED = (
    Sample({"rois": 1, "size": 2}, ((4, 6, 8), (3, 6)), fails="needs regions K x 4 or K x 5, but 3 x 6 is given"),
    Sample({"rois": 1, "size": 2}, ((4, 6, 8), (4,)), fails="needs regions K x 4 or K x 5, but 4 is given"),
    Sample({"rois": 1, "size": (2, 2, 2)}, ((4, 6, 8), (3, 4)), fails="size has 3 numbers"),
    Sample({"rois": 1, "size": 2, "spatial_scale": 0}, ((4, 6, 8), (3, 4)), fails="spatial_scale must be a number"),
    Sample({"rois": 1, "size": 2}, ((16,), (3, 4)), fails="needs an image"),
)

ROI_POOL = OpRecord(
    name="roi_pool",
    work=Work(_operations, _places, _lines),
    summary="Maximum of each part of each region: C x H x W and regions K x 4 give C x K x h x w. Corners are rounded "
    "to whole pixels, both belong to the region; part i of n along an extent of L pixels covers floor(i L / n) to "
    "ceil((i + 1) L / n) - 1. Parts outside of the image are 0. roi_align does without the rounding.",
    arguments=(_ROIS, _SIZE, _SCALE),
    settle=_settle,
    shape=_shape,
    window=sees_everything,
    torch=_roi_pool_torch,
    onnx=_roi_pool_onnx,
    domain=REGIONS,
    samples=(
        Sample({"rois": 1, "size": 2}, ((4, 6, 8), (3, 4))),
        Sample({"rois": 1, "size": (3, 2), "spatial_scale": 0.5}, ((3, 7, 5), (4, 5))),
        Sample({"rois": 1, "size": 1}, ((2, 5, 6), (1, 4))),
        *_REFUSED,
    ),
    reference="Girshick, Fast R-CNN, 2015, section 2.1; Caffe's ROIPooling and ONNX's MaxRoiPool",
)


def _roi_align_torch(call: TorchCall) -> Tensor:
    values, regions = call.inputs[0], read_regions(call)
    height, width = call.attributes["size"]
    rows = _exact_span(call, regions.top, regions.bottom, height, values.shape[2])
    columns = _exact_span(call, regions.left, regions.right, width, values.shape[3])
    return arranged(weighed(call, values, regions, rows, columns), regions)


def _exact_span(call: TorchCall, first: Tensor, last: Tensor, parts: int, size: int) -> Taps:
    scale, aligned = call.attributes["spatial_scale"], call.attributes["aligned"]
    start = first * scale - (0.5 if aligned else 0)
    extent = last * scale - (0.5 if aligned else 0) - start
    return interpolated(call, start, extent if aligned else extent.clamp(min=1), parts, size)


def _roi_align_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    write, attributes = Decomposition(call, sink), call.attributes
    images, corners = _flat_regions(write, call)
    height, width = attributes["size"]
    # Before opset 16 ONNX knew the form without the half pixel only, and had no name for it.
    named = attributes["aligned"] or call.opset >= 16
    mode = "half_pixel" if attributes["aligned"] else "output_half_pixel"
    found = write(
        "RoiAlign",
        call.inputs[0],
        corners,
        images,
        output_height=height,
        output_width=width,
        sampling_ratio=attributes["sampling_ratio"],
        spatial_scale=attributes["spatial_scale"],
        **({"coordinate_transformation_mode": mode} if named else {}),
    )
    _arranged_onnx(write, call, found)


ROI_ALIGN = OpRecord(
    name="roi_align",
    work=Work(_operations, _shares, _lines),
    summary="Average of points of each part of each region, interpolated between the four nearest pixels: C x H x W "
    "and regions K x 4 give C x K x h x w. Nothing is rounded, so that masks and small boxes keep their place. Points "
    "more than a pixel outside of the image are 0.",
    arguments=(
        _ROIS,
        _SIZE,
        _SCALE,
        Argument(
            "sampling_ratio",
            Integer(0),
            "Points per part along each axis; 0 takes one per pixel: the size of a part, rounded up.",
            0,
        ),
        Argument(
            "aligned",
            Flag(),
            "Whether corners are edges of pixels, whose centres lie half a pixel further in (right, and Detectron2's), "
            "or are taken for centres, with regions of at least one pixel (the first code of Mask R-CNN, torchvision's "
            "default).",
            False,
        ),
    ),
    settle=_settle,
    shape=_shape,
    window=sees_everything,
    torch=_roi_align_torch,
    onnx=_roi_align_onnx,
    domain=REGIONS,
    samples=(
        Sample({"rois": 1, "size": 2}, ((4, 6, 8), (3, 4))),
        Sample({"rois": 1, "size": (3, 2), "spatial_scale": 0.5, "aligned": True}, ((3, 7, 5), (4, 5))),
        Sample({"rois": 1, "size": 2, "sampling_ratio": 2, "aligned": True}, ((3, 7, 5), (2, 4))),
        Sample({"rois": 1, "size": (1, 3), "sampling_ratio": 3}, ((2, 5, 6), (1, 5))),
        Sample({"rois": 1, "size": 2, "sampling_ratio": -1}, ((2, 5, 6), (1, 4)), fails="sampling_ratio must be a"),
        *_REFUSED,
    ),
    reference="He, Gkioxari, Dollár and Girshick, Mask R-CNN, 2017, section 3; torchvision.ops.roi_align",
)


def _psroi_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    channels, _, _ = image_size(inputs)
    height, width = attributes["size"]
    parts = height * width

    def problem() -> Problem:
        return Problem(
            f"{format_dim(channels)} channels cannot be dealt out to {height} x {width} parts",
            code="E0205",
            argument="size",
            notes=(f"each of the {parts} parts has score maps of its own, so channels must be a multiple of {parts}",),
            help=f"put conv(classes * {parts}, 1) before it",
        )

    check.divisible(channels, parts, problem)
    return typed(channels // parts, _number_of_regions(attributes, inputs), height, width)


def _psroi_torch(call: TorchCall) -> Tensor:
    values, regions = call.inputs[0], read_regions(call)
    height, width = call.attributes["size"]
    rows = _score_span(call, regions.top, regions.bottom, height, values.shape[2])
    columns = _score_span(call, regions.left, regions.right, width, values.shape[3])
    maps = values.reshape(values.shape[0], -1, height, width, *values.shape[2:])
    return arranged(_scores(call, maps, regions, rows, columns), regions)


def _scores(call: TorchCall, maps: Tensor, regions: Regions, rows: Taps, columns: Taps) -> Tensor:
    """Return the averages of all parts, `R x height x C x width`, of maps `N x C x height x width x H x W`."""
    lines = _score_rows(call, at_least_single(call.torch, maps), regions, rows)  # R x height x C x width x W
    across = shares_of(call.torch, columns, maps.shape[5], lines.dtype)
    return (lines * across[:, None, None]).sum(4).to(maps.dtype)


def _score_rows(call: TorchCall, maps: Tensor, regions: Regions, rows: Taps) -> Tensor:
    """Return the weighted sums of rows, those of part i from the maps of part i."""
    count, made, height, width, tall, wide = maps.shape
    if regions.own:
        with exact_products(call.torch, maps):
            down = shares_of(call.torch, rows, tall, maps.dtype).reshape(count, -1, height, tall).transpose(1, 2)
            images = maps.permute(0, 2, 4, 1, 3, 5).reshape(count, height, tall, -1)
            lines = (down @ images).transpose(1, 2)
        return lines.reshape(-1, height, made, width, wide)
    part, total = call.torch.arange(height, device=maps.device), None
    for step in range(rows.places.shape[2]):
        taken = maps[regions.image[:, None], :, part, :, rows.places[:, :, step]]
        taken = taken * rows.shares[:, :, step, None, None, None].to(maps.dtype)
        total = taken if total is None else total + taken
    assert total is not None, "taps are never none"
    return total


def _score_span(call: TorchCall, first: Tensor, last: Tensor, parts: int, size: int) -> Taps:
    """Return the pixels of each part of a span; corners are rounded before they are scaled, and both belong to it."""
    scale = call.attributes["spatial_scale"]
    start, end = rounded(first) * scale, (rounded(last) + 1) * scale
    low, high = bins(call.torch, (end - start).clamp(min=0.1), start, parts)
    return covered(call, low, high, size)


def _psroi_onnx(call: OnnxCall, sink: OnnxSink) -> None:
    """Write the averages as one product of score maps with the shares of rows and of columns; ONNX has no operator."""
    write, attributes = Decomposition(call, sink), call.attributes
    height, width = attributes["size"]
    images, corners = _flat_regions(write, call)
    left, top, right, bottom = write.parts("Split", 4, corners, write.sizes([1, 1, 1, 1]), axis=1)
    rows = _score_shares(write, call, top, bottom, 0)
    columns = _score_shares(write, call, left, right, 1)
    value, space = call.inputs[0], write.space_of(call.inputs[0], 3)
    kept = write.sizes([0, -1, height, width])
    maps = write("Reshape", value, write("Concat", kept, space, axis=0))
    own = write("Gather", maps, images, axis=0)
    _arranged_onnx(write, call, write("Einsum", own, rows, columns, equation="rcijyx,riy,rjx->rcij"))


def _score_shares(write: Decomposition, call: OnnxCall, first: str, last: str, axis: int) -> str:
    """Write the share that each pixel along an axis has in each part, `R x parts x size`."""
    parts, scale = call.attributes["size"][axis], write.number(call.attributes["spatial_scale"])
    one, none = write.number(1), write.number(0)
    start = write("Mul", _rounded_onnx(write, first), scale)
    end = write("Mul", write("Add", _rounded_onnx(write, last), one), scale)
    step = write("Div", write("Max", write("Sub", end, start), write.number(0.1)), write.number(parts))
    size = write.size_of(call.inputs[0], axis + 2)
    whole = write("Cast", size, to=_FLOAT)
    low, high = (
        write("Min", write("Max", write(way, write("Add", write("Mul", count, step), start)), none), whole)
        for way, count in (("Floor", write.numbers(range(parts))), ("Ceil", write.numbers(range(1, parts + 1))))
    )
    place = write("Cast", write("Range", write.whole(0), write("Squeeze", size), write.whole(1)), to=_FLOAT)
    low, high = (write("Unsqueeze", item, write.sizes([2])) for item in (low, high))
    inside = write("And", write("Not", write("Less", place, low)), write("Less", place, high))
    count = write("Max", write("Sub", high, low), one)
    return write("Div", write("Cast", inside, to=_FLOAT), count)


def _rounded_onnx(write: Decomposition, value: str) -> str:
    """Write the nearest whole numbers, halves away from zero; ONNX's Round takes halves to the even number."""
    return write("Mul", write("Sign", value), write("Floor", write("Add", write("Abs", value), write.number(0.5))))


PSROI_POOL = OpRecord(
    name="psroi_pool",
    work=Work(_operations, _shares, _score_lines),
    summary="Position-sensitive pooling of regions: part (i, j) of a region is the average of channel (c h + i) w + j "
    "over that part, so C h w x H x W and regions K x 4 give C x K x h x w. Every part of an object votes with score "
    "maps of its own, and nothing is left to be computed per region. Corners are rounded, then scaled; parts outside "
    "of the image are 0.",
    arguments=(_ROIS, _SIZE, _SCALE),
    settle=_settle,
    shape=_psroi_shape,
    window=sees_everything,
    torch=_psroi_torch,
    onnx=_psroi_onnx,
    domain=REGIONS,
    samples=(
        Sample({"rois": 1, "size": 2}, ((12, 6, 8), (3, 4))),
        Sample({"rois": 1, "size": (3, 2), "spatial_scale": 0.5}, ((12, 7, 5), (4, 5))),
        Sample({"rois": 1, "size": 1}, ((2, 5, 6), (1, 4))),
        Sample({"rois": 1, "size": 3}, ((12, 6, 8), (3, 4)), fails="12 channels cannot be dealt out to 3 x 3 parts"),
        *_REFUSED,
    ),
    reference="Dai, Li, He and Sun, R-FCN: object detection via region-based fully convolutional networks, 2016, "
    "section 2, equation 1; rounding after its PSROIPooling",
)

RECORDS = (ROI_POOL, ROI_ALIGN, PSROI_POOL)
