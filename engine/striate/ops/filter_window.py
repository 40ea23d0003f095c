"""What fixed image filters share: an odd window around every pixel, and what it sees beyond the border.

A filter keeps the size of an image `C x H x W` and works on each channel for itself.
"""

from __future__ import annotations

from typing import Any

from striate.dims import Dim
from striate.graph import TensorType
from striate.ops.arguments import Argument, Choice, PerAxis, format_value
from striate.ops.fills import Fill, check_fill
from striate.ops.geometry import AXES, image_size
from striate.ops.problems import Check, LayerError, Problem
from striate.ops.record import Attributes, Types, Window
from striate.ops.shape_arguments import per_axis
from striate.ops.sizes import known_channels, product, same_type

KERNEL = Argument("kernel", PerAxis(), "Size of the window around a pixel, odd: one number, or (height, width).")
FILL = Argument(
    "fill",
    Fill(),
    "What lies beyond the border: the outermost pixels repeated (replicate), the image mirrored at them (reflect), its "
    "other side (circular), zeros, or a number.",
    Choice("replicate"),
)
_USUAL = (3, 3)


def kernel_of(attributes: Attributes) -> tuple[int, int]:
    """Return height and width of the window; 3 x 3 of a filter that leaves no choice."""
    height, width = attributes.get("kernel", _USUAL)
    return height, width


def half_of(kernel: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the rows and columns that a window reaches beyond its middle: (top, bottom, left, right)."""
    height, width = (side // 2 for side in kernel)
    return height, height, width, width


def settle_kernel(attributes: dict[str, Any], inputs: Types) -> dict[str, Any]:
    """Give the kernel one number per axis.

    Raises:
        LayerError: the value is no image, or the kernel has another number of sides or an even one.
    """
    image_size(inputs)
    kernel = per_axis(attributes["kernel"], 2, "kernel")
    if any(side % 2 == 0 for side in kernel):
        raise LayerError(_even(kernel))
    return {**attributes, "kernel": kernel}


def _even(kernel: tuple[int, ...]) -> Problem:
    odd = tuple(side + 1 - side % 2 for side in kernel)
    near = format_value(odd[0] if len(set(odd)) == 1 else odd)
    return Problem(
        f"an even kernel ({' x '.join(map(str, kernel))}) has no pixel in its middle",
        code="E0202",
        argument="kernel",
        help=f"kernel = {near} is the next that has one",
        repair=(("kernel", near),),
    )


def filter_shape(attributes: Attributes, inputs: Types, check: Check) -> Types:
    """Shape rule: an image of the same size; demands that it has the rows that the fill takes from it."""
    sizes = image_size(inputs)[1:]
    known_channels(inputs)
    reach = (side // 2 for side in kernel_of(attributes))
    named = "kernel" if "kernel" in attributes else "fill"
    check_fill(attributes["fill"], ("fill", named), list(zip(AXES, sizes, reach, strict=True)), check)
    return same_type(inputs)


def filter_window(attributes: Attributes, inputs: Types) -> Window:
    """Window rule: the kernel, around each pixel."""
    kernel = kernel_of(attributes)
    return Window(kernel, (1, 1), tuple(side // 2 for side in kernel))


def widened(value: TensorType, pads: tuple[int, int, int, int]) -> Dim:
    """Return the number of entries of an image with rows and columns around it."""
    channels, height, width = value.shape
    return product((channels, height + sum(pads[:2]), width + sum(pads[2:])))


def fill_keeps_image(attributes: Attributes) -> bool:
    """Whether torch keeps the image that is padded until the backward pass."""
    return attributes["fill"] in ("reflect", "replicate")
