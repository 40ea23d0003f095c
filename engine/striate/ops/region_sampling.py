"""What region pooling computes in torch: the rows and columns that the parts of a region read, for all regions at once.

A part of a region is a product of rows and columns, and so are all its weights. Rows are therefore taken first, for
whole lines of the image, and columns from what is left: no copy of the image is made per region.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.ops.record import TorchCall

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Regions:
    """The regions of all images in a row: the image that each reads, `R`, and its corners, `R` each, in pixels.

    No gradient flows into them. `images` and `each` are the number of images and of regions per image; `own` says that
    each region reads the image of its own row.
    """

    image: Tensor
    left: Tensor
    top: Tensor
    right: Tensor
    bottom: Tensor
    images: int
    each: int
    own: bool


@dataclass(frozen=True, slots=True)
class Taps:
    """What the parts along one axis read: places and their weights, `R x parts x taps`."""

    places: Tensor
    shares: Tensor


def read_regions(call: TorchCall) -> Regions:
    """Return the regions of a call; without a column for the image they read the image of their own row."""
    torch, rois = call.torch, call.inputs[call.attributes["rois"]].detach()
    images, each, numbers = rois.shape
    corners = rois.to(torch.promote_types(rois.dtype, torch.float32)).reshape(-1, numbers)
    if numbers == 5:
        image = corners[:, 0].round().long()
    else:
        image = torch.arange(images, device=rois.device).repeat_interleave(each)
    left, top, right, bottom = corners[:, -4:].unbind(1)
    return Regions(image, left, top, right, bottom, images, each, own=numbers == 4)


def rounded(value: Tensor) -> Tensor:
    """Return the nearest whole numbers, halves away from zero as in C."""
    result: Tensor = value.sign() * (value.abs() + 0.5).floor()
    return result


def bins(torch: Any, extent: Tensor, offset: Tensor, parts: int) -> tuple[Tensor, Tensor]:
    """Return where the parts of an extent begin, rounded down, and end, rounded up; `R x parts` each, in float32.

    In float32 whatever the type of values: Caffe, torchvision and ONNX Runtime do so, and a rounding that makes 57.0
    of 7 * (57 / 7), or a little more, decides about a row.
    """
    step = (extent.float() / parts)[:, None]
    count = torch.arange(parts, device=extent.device, dtype=torch.float32)
    first = offset.float()[:, None]
    return (count * step + first).floor(), ((count + 1) * step + first).ceil()


def most(count: Tensor, limit: int) -> int:
    """Return the largest of some counts, between 1 and a limit; 1 where they have sizes only and no values."""
    if count.is_meta or not count.numel():
        return 1
    return min(max(int(count.max()), 1), limit)


def weighed(call: TorchCall, values: Tensor, regions: Regions, rows: Taps, columns: Taps) -> Tensor:
    """Return the weighted sums of all parts, `R x height x C x width`, of images `N x C x H x W`.

    As products of matrices, which are the fastest way to add up a few pixels for hundreds of regions.
    """
    with exact_products(call.torch, values):
        lines = _lines(call.torch, at_least_single(call.torch, values), regions, rows)
        height, channels, width = lines.shape[1:]
        across = shares_of(call.torch, columns, width, lines.dtype)
        result = lines.reshape(-1, height * channels, width) @ across.transpose(1, 2)
        return result.reshape(-1, height, channels, across.shape[1]).to(values.dtype)


def at_least_single(torch: Any, values: Tensor) -> Tensor:
    """Return values in float32 at least: in half precision a share of a pixel has two or three digits."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def exact_products(torch: Any, values: Tensor) -> AbstractContextManager[None]:
    """Return a context in which autocast leaves products of matrices as they are; sizes without values need none."""
    if values.is_meta:
        return nullcontext()
    context: AbstractContextManager[None] = torch.autocast(values.device.type, enabled=False)
    return context


def shares_of(torch: Any, taps: Taps, size: int, dtype: Any) -> Tensor:
    """Return the share of each of `size` places in each part, `R x parts x size`."""
    empty = torch.zeros((*taps.places.shape[:2], size), dtype=taps.shares.dtype, device=taps.shares.device)
    result: Tensor = empty.scatter_add(2, taps.places, taps.shares).to(dtype)
    return result


def _lines(torch: Any, values: Tensor, regions: Regions, rows: Taps) -> Tensor:
    """Return the weighted sums of rows, `R x height x C x W`."""
    count, channels, height, width = values.shape
    if regions.own:
        down = shares_of(torch, rows, height, values.dtype).reshape(count, -1, height)
        image = values.transpose(1, 2).reshape(count, height, channels * width)
        return (down @ image).reshape(-1, rows.places.shape[1], channels, width)
    lines = None
    for step in range(rows.places.shape[2]):
        part = values[regions.image[:, None], :, rows.places[:, :, step]]
        part = part * rows.shares[:, :, step, None, None].to(values.dtype)
        lines = part if lines is None else lines + part
    assert lines is not None, "taps are never none"
    return lines


def largest(call: TorchCall, values: Tensor, regions: Regions, rows: Taps, columns: Taps) -> Tensor:
    """Return the largest pixel of all parts, `R x height x C x width`; 0 where a part holds none.

    The pixel is looked for without gradients and then read, so that the gradient is that of this pixel.
    """
    torch = call.torch
    with torch.no_grad():
        place = _place_of_largest(torch, *_largest_rows(torch, values, regions, rows), columns)
    channel = torch.arange(values.shape[1], device=values.device)[None, None, :, None]
    found = values.flatten(2)[regions.image[:, None, None, None], channel, place]
    full = (rows.shares.sum(2) > 0)[:, :, None, None] & (columns.shares.sum(2) > 0)[:, None, None, :]
    result: Tensor = torch.where(full, found, 0)
    return result


def _largest_rows(torch: Any, values: Tensor, regions: Regions, rows: Taps) -> tuple[Tensor, Tensor]:
    """Return the largest entry of the rows of each part, column by column, and the row that holds it."""
    image = regions.image[:, None]
    best = values[image, :, rows.places[:, :, 0]]
    row = rows.places[:, :, 0, None, None].expand_as(best)
    for step in range(1, rows.places.shape[2]):
        value = values[image, :, rows.places[:, :, step]]
        better = value > best
        best = torch.where(better, value, best)
        row = torch.where(better, rows.places[:, :, step, None, None], row)
    return best, row


def _place_of_largest(torch: Any, lines: Tensor, row: Tensor, columns: Taps) -> Tensor:
    """Return the place within the image of the largest entry of each part, given the largest of its rows."""
    best, place = None, None
    for step in range(columns.places.shape[2]):
        at = columns.places[:, None, None, :, step].expand(*lines.shape[:3], -1)
        value, here = lines.gather(3, at), row.gather(3, at) * lines.shape[3] + at
        if best is None or place is None:
            best, place = value, here
            continue
        better = value > best
        best, place = torch.where(better, value, best), torch.where(better, here, place)
    assert place is not None, "taps are never none"
    return place


def covered(call: TorchCall, first: Tensor, end: Tensor, size: int) -> Taps:
    """Return the places from `first` up to, not including, `end` that lie in the image, all with the same weight.

    Places behind the end repeat the last one, without weight.
    """
    torch = call.torch
    first, end = first.clamp(0, size).long(), end.clamp(0, size).long()
    count = (end - first).clamp(min=0)
    steps = torch.arange(most(count, size), device=first.device)
    places = torch.minimum(first[..., None] + steps, (end[..., None] - 1).clamp(min=0)).clamp(max=size - 1)
    shares = (steps < count[..., None]) / count.clamp(min=1)[..., None]
    return Taps(places, shares)


def interpolated(call: TorchCall, start: Tensor, extent: Tensor, parts: int, size: int) -> Taps:
    """Return what the points of each part read: so many points per part, each between two places.

    Points more than one pixel outside of the image count as zeros.
    """
    torch, ratio = call.torch, call.attributes["sampling_ratio"]
    step = (extent / parts)[:, None, None]
    count = torch.full_like(step, ratio) if ratio else step.ceil().clamp(min=0)
    # Points of a part lie more than half a pixel apart where there are several, so that no more of them meet the image.
    limit = 2 * size + 3
    number = ratio or most(count.nan_to_num(), limit)
    begin = start[:, None, None] + torch.arange(parts, device=start.device)[:, None] * step
    point = torch.arange(number, device=start.device) + torch.zeros_like(begin)
    if number == limit and not ratio:
        spacing = step / count.clamp(min=1)
        point = point + ((-1 - begin) / spacing - 0.5).ceil().clamp(min=0)
    at = begin + (point + 0.5) * step / count.clamp(min=1)
    inside = (at >= -1) & (at <= size) & (point < count)
    at = at.clamp(0, size - 1)
    low = at.floor()
    shares = torch.stack([1 - (at - low), at - low], -1) * inside[..., None] / count.clamp(min=1)[..., None]
    places = torch.stack([low, (low + 1).clamp(max=size - 1)], -1).nan_to_num().long()
    return Taps(places.flatten(2), shares.flatten(2))


def arranged(parts: Tensor, regions: Regions) -> Tensor:
    """Return parts `R x height x C x width` as `N x C x K x height x width`."""
    height, channels, width = parts.shape[1:]
    return parts.reshape(regions.images, regions.each, height, channels, width).permute(0, 3, 1, 2, 4)
