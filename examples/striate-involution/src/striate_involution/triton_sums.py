"""The Triton kernel of involutions; this module is imported where it is run.

A program goes over a block of output pixels of one channel of one image. No tensor of windows, which would be K*K times
the input, is ever made.
"""

from __future__ import annotations

import triton
import triton.language as tl

BLOCK = 128
"""Output pixels of one program."""


@triton.jit
def sums(
    value,
    kernels,
    result,
    channels,
    height,
    width,
    rows,
    columns,
    SIZE: tl.constexpr,
    STRIDE: tl.constexpr,
    GROUPS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Write the sums of a block of output pixels; the border of the image counts as zeros."""
    plane = tl.program_id(0)
    image, channel = plane // channels, plane % channels
    group = channel // (channels // GROUPS)
    pixels = rows * columns
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < pixels
    row, column = pixel // columns, pixel % columns
    taps = kernels + (image * GROUPS + group) * SIZE * SIZE * pixels + pixel
    total = tl.zeros((BLOCK,), dtype=tl.float32)
    for place in range(SIZE * SIZE):
        above = row * STRIDE + place // SIZE - SIZE // 2
        left = column * STRIDE + place % SIZE - SIZE // 2
        seen = inside & (above >= 0) & (above < height) & (left >= 0) & (left < width)
        entry = tl.load(value + plane * height * width + above * width + left, mask=seen, other=0.0)
        weight = tl.load(taps + place * pixels, mask=inside, other=0.0)
        total += entry.to(tl.float32) * weight.to(tl.float32)
    tl.store(result + plane * pixels + pixel, total.to(result.dtype.element_ty), mask=inside)
