"""The picture of an attribution: the image in grey, and over it in colour how much each pixel speaks for the answer."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float32]]

SMALLEST_SIDE = 256
"""Pixels of the picture's shorter side: smaller images are enlarged by a whole factor, so that pixels stay squares."""

_LUMINANCE = (0.299, 0.587, 0.114)
"""How bright red, green and blue appear (ITU-R BT.601)."""

_STRONGEST = 0.8
"""How much of the image the colour covers where an entry is the largest."""


def heat_map(image: Array, values: Array, *, signed: bool) -> bytes:
    """Return a PNG.

    What speaks for the answer is drawn in warm colours, the stronger the more; with `signed`, what speaks against it in
    cold ones. Where nothing speaks, the image is as it is.

    Args:
        image: `C x H x W`, from 0 to 1, grey or RGB.
        values: `H x W`.
        signed: whether entries below 0 speak against the answer.
    """
    import numpy as np
    from matplotlib import colormaps
    from PIL import Image

    grey = np.tensordot(_LUMINANCE, image, 1) if len(image) == 3 else image[0]
    largest = float(np.abs(values).max())
    shares = values / largest if largest else values
    colours = colormaps["coolwarm"]((shares + 1) / 2) if signed else colormaps["inferno"](0.25 + 0.75 * shares)
    cover = (_STRONGEST * np.abs(shares))[..., None]
    pixels = np.repeat(grey[..., None], 3, axis=2) * (1 - cover) + colours[..., :3] * cover
    factor = -(-SMALLEST_SIDE // min(grey.shape))
    large = np.clip(pixels * 255 + 0.5, 0, 255).astype("uint8").repeat(factor, axis=0).repeat(factor, axis=1)
    stream = io.BytesIO()
    Image.fromarray(large).save(stream, format="PNG")
    return stream.getvalue()
