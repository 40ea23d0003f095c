"""Image files of every kind come to the same numbers; what is no single image is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from striate.train.images import read_image, resize_image
from striate_dsl.diagnostics import DiagnosticError

RED, GREEN = (200, 40, 10), (20, 180, 60)
LUMA = np.array([0.299, 0.587, 0.114])
"""ITU-R BT.601, which the imaging library uses for grey."""


@pytest.fixture
def picture():
    """Left half red, right half green, 6 x 4."""
    pixels = np.zeros((4, 6, 3), dtype="uint8")
    pixels[:, :3], pixels[:, 3:] = RED, GREEN
    return Image.fromarray(pixels)


def test_colours_stay_in_order(picture, tmp_path):
    picture.save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png", 3)
    assert (image.shape, image.dtype) == ((3, 4, 6), np.float32)
    np.testing.assert_allclose(image[:, 0, 0] * 255, RED, atol=1e-4)
    np.testing.assert_allclose(image[:, 0, 5] * 255, GREEN, atol=1e-4)


def test_colours_become_grey(picture, tmp_path):
    picture.save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png", 1)
    assert image.shape == (1, 4, 6)
    assert image[0, 0, 0] * 255 == pytest.approx(np.array(RED) @ LUMA, abs=1)


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGBA", "CMYK"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_pixel_is_read(tmp_path, mode, channels):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.new("RGB", (5, 7), (255, 255, 255)).convert(mode).save(path)
    image = read_image(path, channels)
    assert image.shape == (channels, 7, 5)
    np.testing.assert_allclose(image, 1, atol=0.01)


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_keep_their_range(tmp_path, channels):
    values = np.array([[0, 13107, 32768, 65535]], dtype="uint16")
    Image.fromarray(values).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png", channels)
    np.testing.assert_allclose(image[-1, 0], [0, 0.2, 0.5, 1], atol=1e-4)


def test_transparent_parts_show_white(tmp_path):
    Image.new("RGBA", (2, 2), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", 3).min() == 1


def test_the_cameras_orientation_is_applied(picture, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to see it upright
    picture.save(tmp_path / "a.jpg", exif=exif, quality=100, subsampling=0)
    image = read_image(tmp_path / "a.jpg", 3)
    assert image.shape == (3, 6, 4)
    np.testing.assert_allclose(image[:, 0, 1] * 255, RED, atol=6)


@pytest.mark.parametrize("ending", ["gif", "png", "webp"])
def test_animations_are_refused(tmp_path, ending):
    frames = [Image.new("L", (4, 4), shade) for shade in (0, 128, 255)]
    frames[0].save(tmp_path / f"a.{ending}", save_all=True, append_images=frames[1:])
    with pytest.raises(DiagnosticError, match="has 3 pictures; which one is meant"):
        read_image(tmp_path / f"a.{ending}", 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"hello", "is not an image that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "is not an image that can be read"),
        (b"\x89PNG\r\n\x1a\n", "is not an image that can be read"),
    ],
)
def test_what_is_no_image(tmp_path, content, words):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(DiagnosticError, match=words):
        read_image(path, 1)


def test_truncated_images_are_refused(picture, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype="uint8")
    for ending in ("png", "jpg"):
        path = tmp_path / f"a.{ending}"
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:2000])
        with pytest.raises(DiagnosticError, match="is damaged or not complete"):
            read_image(path, 3)


def test_images_that_would_fill_the_memory_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for name, side in (("a", 12), ("b", 40)):  # the library warns about the one and refuses the other
        Image.new("L", (side, side)).save(tmp_path / f"{name}.png")
        with pytest.raises(DiagnosticError, match="so many pixels"):
            read_image(tmp_path / f"{name}.png", 1)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(DiagnosticError, match="there is no image"):
        read_image(tmp_path / "none.png", 1)
    with pytest.raises(DiagnosticError, match="is a folder, not an image"):
        read_image(tmp_path, 1)


# ------------------------------------------------------------------------------------------ resizing


def bilinear(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Enlarge by the formula: the value at ((i + 1/2) h / H - 1/2, (j + 1/2) w / W - 1/2), edges repeated."""

    def weights(length: int, wanted: int) -> np.ndarray:
        matrix = np.zeros((wanted, length))
        for row in range(wanted):
            place = min(max((row + 0.5) * length / wanted - 0.5, 0), length - 1)
            low = int(place)
            matrix[row, low] += 1 - (place - low)
            matrix[row, min(low + 1, length - 1)] += place - low
        return matrix

    return weights(image.shape[0], height) @ image @ weights(image.shape[1], width).T


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 24), st.integers(0, 24), st.integers(0, 2**32 - 1))
def test_enlarging_follows_the_formula(height, width, more_height, more_width, seed):
    image = np.random.default_rng(seed).random((1, height, width), dtype="float32")
    target = height + more_height, width + more_width
    np.testing.assert_allclose(resize_image(image, *target)[0], bilinear(image[0], *target), atol=1e-5)


def test_shrinking_is_a_mean_over_what_is_covered():
    image = np.zeros((1, 8, 8), dtype="float32")
    image[:, ::2] = 1  # stripes of one pixel, which picking single pixels would turn to all or nothing
    assert resize_image(image, 4, 4)[:, 1:-1].mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic"])
def test_every_channel_is_resized_alike(method):
    image = np.random.default_rng(1).random((1, 8, 8), dtype="float32").repeat(3, axis=0)
    large = resize_image(image, 13, 20, method)
    assert (large.shape, large.dtype) == ((3, 13, 20), np.float32)
    assert np.array_equal(large[0], large[2])


def test_the_right_size_is_left_alone():
    image = np.random.default_rng(1).random((2, 5, 7), dtype="float32")
    assert resize_image(image, 5, 7) is image
