"""Image files to arrays in the network's size. Everything here gives the same numbers on every machine.

Arrays are float32, `C x H x W`, from 0 to 1; what the network's pixel contract asks for comes afterwards (`pixels.py`).
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from striate_dsl.diagnostics import Diagnostic, DiagnosticError

Array = np.ndarray[Any, Any]

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
"""What is read; other formats of the imaging library are not offered to a stranger's file."""

_METHODS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I")
_WHITE = (255, 255, 255)


def resize_image(image: Array, height: int, width: int, method: str = "bilinear") -> Array:
    """Return an image in another size, stretched to fit.

    Pixels are squares, so their middles lie at half numbers, and an image that shrinks is smoothed first: every pixel
    of the result is a mean over the part of the image that it covers.

    Args:
        image: `C x H x W`, float32.
        height: of the result.
        width: of the result.
        method: `nearest`, `bilinear` or `bicubic`.
    """
    if image.shape[1:] == (height, width):
        return image
    channels = [
        np.asarray(Image.fromarray(np.ascontiguousarray(channel)).resize((width, height), _METHODS[method]))
        for channel in image.astype("float32")
    ]
    return np.stack(channels)


def read_image(path: Path, channels: int) -> Array:
    """Read an image file: colours are turned to grey for one channel, grey is repeated for three.

    Transparent parts show a white ground, and the orientation that a camera noted is applied.

    Raises:
        DiagnosticError: E0509, the file is no image that can be read, or has several pictures.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on odd metadata
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _read(path, channels)
    except UnidentifiedImageError:
        raise DiagnosticError(_no_image(path)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DiagnosticError(_too_large(path)) from None
    except (OSError, SyntaxError, ValueError) as error:  # the imaging library raises all of these for spoilt files
        raise DiagnosticError(_unreadable(path, error)) from None


def _read(path: Path, channels: int) -> Array:
    with Image.open(path, formats=FORMATS) as image:
        if getattr(image, "n_frames", 1) > 1:
            raise DiagnosticError(_animated(path, image))
        image.load()
        return _pixels(ImageOps.exif_transpose(image), channels)


def _pixels(image: Image.Image, channels: int) -> Array:
    if image.mode in _SIXTEEN_BIT:
        grey = np.asarray(image, dtype="float32")[None] / 65535
        return np.repeat(grey, channels, axis=0)
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, (*_WHITE, 255))
        image = Image.alpha_composite(ground, image.convert("RGBA"))
    values = np.asarray(image.convert("L" if channels == 1 else "RGB"), dtype="float32") / 255
    return values[None] if channels == 1 else np.ascontiguousarray(values.transpose(2, 0, 1))


def _animated(path: Path, image: Image.Image) -> Diagnostic:
    frames = getattr(image, "n_frames", 1)
    return Diagnostic(
        "E0509", f"{path} has {frames} pictures; which one is meant?", help="save one of them as a file of its own"
    )


def _no_image(path: Path) -> Diagnostic:
    if path.stat().st_size == 0:
        return Diagnostic("E0509", f"{path} is empty", help="pass an image file")
    return Diagnostic(
        "E0509", f"{path} is not an image that can be read", help=f"formats that can be read: {', '.join(FORMATS)}"
    )


def _too_large(path: Path) -> Diagnostic:
    return Diagnostic(
        "E0509",
        f"{path} has so many pixels that it may be made to fill the memory",
        help="scale it down with an image editor first",
    )


def _unreadable(path: Path, error: Exception) -> Diagnostic:
    if isinstance(error, FileNotFoundError):
        return Diagnostic("E0509", f"there is no image {path}")
    if isinstance(error, IsADirectoryError):
        return Diagnostic("E0509", f"{path} is a folder, not an image", help=f"name the files: {path}/*.png")
    if isinstance(error, PermissionError):
        return Diagnostic("E0509", f"there is no permission to read {path}")
    return Diagnostic("E0509", f"{path} is damaged or not complete", notes=(f"the reader says: {error}",))
