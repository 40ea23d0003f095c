"""Fixed image filters: kernels as textbooks print them, what they must leave alone, and scipy as a second opinion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from striate.dims import symbol
from striate.ops import BUILTIN
from tests.engine.ops.configurations import Layer, infer

FILTERS: dict[str, dict[str, Any]] = {
    "sobel": {},
    "prewitt": {},
    "laplacian": {},
    "sharpen": {},
    "emboss": {},
    "box_blur": {"kernel": 5},
    "gaussian_blur": {"kernel": 5, "sigma": 1.2},
    "median_blur": {"kernel": 5},
    "bilateral": {"kernel": 5, "sigma_color": 0.7, "sigma_space": 1.5},
}
SCIPY_FILLS = {"replicate": "nearest", "reflect": "mirror", "circular": "wrap", "zeros": "constant"}


def run(name: str, image: Tensor, **arguments: Any) -> Tensor:
    layer = infer(BUILTIN[name], arguments, [tuple(image.shape[1:])])
    return layer.run([image], {})


def response(name: str, **arguments: Any) -> list[list[float]]:
    """The values around a single bright pixel: the kernel, turned round as a correlation shows it."""
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2] = 1
    return run(name, image, **arguments)[0, 0, 1:4, 1:4].flip(0, 1).tolist()


@pytest.mark.parametrize(
    ("name", "arguments", "kernel"),
    [
        ("sobel", {"direction": "x"}, [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
        ("sobel", {"direction": "y"}, [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
        ("prewitt", {"direction": "x"}, [[-1, 0, 1]] * 3),
        ("prewitt", {"direction": "y"}, [[-1, -1, -1], [0, 0, 0], [1, 1, 1]]),
        ("laplacian", {}, [[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
        ("laplacian", {"neighbours": "eight"}, [[1, 1, 1], [1, -8, 1], [1, 1, 1]]),
        ("sharpen", {}, [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
        ("emboss", {}, [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]),
        ("box_blur", {"kernel": 3}, [[1 / 9] * 3] * 3),
    ],
)
def test_kernels_are_the_printed_ones(name: str, arguments: dict[str, Any], kernel: list[list[float]]):
    for row, wanted in zip(response(name, **arguments), kernel, strict=True):
        assert row == pytest.approx(wanted)


def test_the_bell_of_three_pixels_is_nearly_one_two_one():
    found = torch.tensor(response("gaussian_blur", kernel=3, sigma=0.85)) * 16
    torch.testing.assert_close(found, torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]), atol=0.01, rtol=0)


def test_slopes_are_positive_where_values_grow():
    right = torch.arange(6.0).expand(1, 1, 5, 6)
    assert (run("sobel", right, direction="x")[..., 1:-1] == 8).all()
    assert (run("sobel", right, direction="y") == 0).all()
    assert (run("prewitt", right.mT.contiguous(), direction="y")[..., 1:-1, :] == 6).all()


@pytest.mark.parametrize("name", FILTERS)
def test_an_even_image_stays_even(name: str):
    """With the outermost pixels repeated there is no edge at the border."""
    image = torch.full((2, 3, 6, 5), 1.5)
    flat = 0.0 if name in ("sobel", "prewitt", "laplacian") else 1.5
    torch.testing.assert_close(run(name, image, **FILTERS[name]), torch.full_like(image, flat), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", FILTERS)
def test_gradients_of_an_even_image_are_numbers(name: str):
    """The length of no slope at all has no derivative; 0 is taken for it."""
    image = torch.full((1, 2, 5, 6), 1.5, requires_grad=True)
    run(name, image, **FILTERS[name]).sum().backward()
    assert image.grad is not None and torch.isfinite(image.grad).all()


@pytest.mark.parametrize("name", FILTERS)
def test_channels_and_images_are_kept_apart(name: str):
    image = torch.randn(2, 3, 6, 5)
    whole = run(name, image, **FILTERS[name])
    for number, channel in np.ndindex(2, 3):
        alone = run(name, image[number : number + 1, channel : channel + 1], **FILTERS[name])
        torch.testing.assert_close(whole[number, channel], alone[0, 0])


@pytest.mark.parametrize("fill", SCIPY_FILLS)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("sobel", {"direction": "x"}),
        ("sobel", {"direction": "y"}),
        ("prewitt", {"direction": "x"}),
        ("laplacian", {}),
        ("box_blur", {"kernel": (3, 5)}),
        ("gaussian_blur", {"kernel": (5, 7), "sigma": (1.1, 0.6)}),
        ("median_blur", {"kernel": (5, 3)}),
    ],
)
def test_scipy_is_of_the_same_opinion(name: str, arguments: dict[str, Any], fill: str):
    ndimage = pytest.importorskip("scipy.ndimage")
    image, mode = torch.randn(1, 1, 9, 8, dtype=torch.float64), SCIPY_FILLS[fill]
    given = image[0, 0].numpy()
    found = run(name, image, fill=fill, **arguments)[0, 0]
    axis = {"x": 1, "y": 0}.get(arguments.get("direction", ""), -1)
    wanted = {
        "sobel": lambda: ndimage.sobel(given, axis, mode=mode),
        "prewitt": lambda: ndimage.prewitt(given, axis, mode=mode),
        "laplacian": lambda: ndimage.laplace(given, mode=mode),
        "box_blur": lambda: ndimage.uniform_filter(given, (3, 5), mode=mode),
        "gaussian_blur": lambda: ndimage.gaussian_filter(given, (1.1, 0.6), mode=mode, radius=(2, 3)),
        "median_blur": lambda: ndimage.median_filter(given, (5, 3), mode=mode),
    }[name]()
    torch.testing.assert_close(found, torch.from_numpy(wanted))


def test_a_median_removes_single_pixels_and_keeps_edges():
    image = torch.zeros(1, 1, 6, 8)
    image[..., 4:] = 1
    noisy = image.clone()
    noisy[0, 0, 2, 1], noisy[0, 0, 3, 6] = 9, -9
    assert torch.equal(run("median_blur", noisy, kernel=3), image)


def test_the_bilateral_filter_between_its_two_ends():
    """Of any difference in value it is a Gaussian blur, of none it changes nothing."""
    image = torch.randn(1, 2, 7, 6)
    wide = run("bilateral", image, kernel=5, sigma_color=1e4, sigma_space=1.3)
    torch.testing.assert_close(wide, run("gaussian_blur", image, kernel=5, sigma=1.3))
    torch.testing.assert_close(run("bilateral", image, kernel=5, sigma_color=1e-4, sigma_space=1.3), image)


def test_the_deviation_that_opencv_takes():
    layer = infer(BUILTIN["gaussian_blur"], {"kernel": (3, 7)}, [(1, 8, 8)])
    assert layer.attributes["sigma"] == pytest.approx((0.8, 1.4))


def macs(layer: Layer) -> int:
    counted = layer.record.macs(layer.attributes, layer.inputs, layer.outputs)
    assert isinstance(counted, int)
    return counted


def test_blurs_are_computed_along_one_axis_after_the_other():
    assert macs(infer(BUILTIN["gaussian_blur"], {"kernel": (5, 9)}, [(3, 8, 7)])) == 3 * 8 * 7 * (5 + 9)
    assert macs(infer(BUILTIN["box_blur"], {"kernel": (1, 9)}, [(3, 8, 7)])) == 3 * 8 * 7 * 9
    assert macs(infer(BUILTIN["sobel"], {}, [(3, 8, 7)])) == 3 * 8 * 7 * 18
    assert macs(infer(BUILTIN["median_blur"], {"kernel": 5}, [(3, 8, 7)])) == 0


def test_an_open_size_must_have_the_rows_that_a_mirror_takes():
    layer = infer(BUILTIN["median_blur"], {"kernel": (3, 7), "fill": "reflect"}, [(2, symbol("H"), symbol("W"))])
    assert [str(condition) for condition in layer.check.open] == ["H >= 2", "W >= 4"]
