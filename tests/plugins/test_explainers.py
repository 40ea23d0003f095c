"""Saliency against finite differences, Grad-CAM against a network worked by hand, and the picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from striate.factories import AttributionRequest, RefusedError
from striate.lower.torch import Program, load_arrays
from striate.model import load_source
from striate.ops.initializers import start_values
from striate.view.heat_map import SMALLEST_SIDE, heat_map
from striate_dsl.source import Source
from striate_plugins.explain.grad_cam import grad_cam
from striate_plugins.explain.integrated_gradients import integrated_gradients
from striate_plugins.explain.occlusion import occlusion
from striate_plugins.explain.saliency import saliency

CURVED = """model Net {
  input image: 2 x 6 x 5
  conv(3, 3, pad = 1) -> sigmoid -> conv(4, 3) -> tanh -> global_avgpool -> flatten -> dense(3)
  output logits
}
"""


def request(text, image, target, layer, arrays=None, dtype=torch.float32):
    model = load_source(Source("net.cnn", text))
    graph = model.graph
    arrays = arrays or {name: start_values(weight, 0) for name, weight in graph.weights.items()}
    program = load_arrays(Program(graph, model.catalogue.lookup), arrays).eval().requires_grad_(requires_grad=False)
    output = next(iter(graph.outputs.values()))
    return AttributionRequest(program.to(dtype), image.to(dtype), target, output, layer)


def test_saliency_is_the_largest_finite_difference_of_a_pixels_channels():
    image = torch.randn(1, 2, 6, 5, generator=torch.Generator().manual_seed(3))
    asked = request(CURVED, image, 1, "conv2", dtype=torch.float64)
    found, step = saliency(asked).numpy(), 1e-4
    expected = np.zeros((2, 6, 5))
    with torch.inference_mode():
        for place in np.ndindex(2, 6, 5):
            moved = torch.zeros_like(asked.image)
            moved[(0, *place)] = step
            up, down = (asked.score(asked.values(asked.image + sign * moved)) for sign in (1, -1))
            expected[place] = float(up - down) / (2 * step)
    assert np.allclose(found, np.abs(expected).max(0), rtol=1e-5, atol=1e-9)
    assert found.min() >= 0 < found.max()


def test_integrated_gradients_add_up_to_the_change_of_the_score():
    image = torch.randn(1, 2, 6, 5, generator=torch.Generator().manual_seed(3))
    asked = request(CURVED, image, 2, "conv2", dtype=torch.float64)
    for baseline in (0.0, 0.5):
        blank = torch.full_like(asked.image, baseline)
        with torch.inference_mode():
            change = float(asked.score(asked.values(asked.image)) - asked.score(asked.values(blank)))
        found = integrated_gradients(asked, steps=200, baseline=baseline)
        assert found.shape == (6, 5)
        assert float(found.sum()) == pytest.approx(change, rel=1e-4)


def test_integrated_gradients_of_a_product_worked_by_hand():
    """score = x0 * x1 from 0: both gradients are t times the other entry, so each pixel gets half of the product."""
    text = "model N { input i: 1 x 1 x 2; flatten -> split(2) as (a, b); a -> mul(b) as c; c -> concat(c); output y }"
    found = integrated_gradients(request(text, torch.tensor([[[[3.0, 5.0]]]]), 0, ""), steps=8, baseline=0.0)
    assert torch.allclose(found, torch.tensor([[7.5, 7.5]]))


def test_occlusion_covers_every_square_alone():
    image = torch.randn(1, 2, 6, 5, generator=torch.Generator().manual_seed(3))
    asked = request(CURVED, image, 1, "conv2", dtype=torch.float64)
    found = occlusion(asked, size=3, stride=2, value=0.25).numpy()
    falls: dict[tuple[int, int], list[float]] = {place: [] for place in np.ndindex(6, 5)}
    with torch.inference_mode():
        whole = float(asked.score(asked.values(asked.image)))
        for row in (0, 2, 3):
            for column in (0, 2):
                covered = asked.image.clone()
                covered[:, :, row : row + 3, column : column + 3] = 0.25
                fall = whole - float(asked.score(asked.values(covered)))
                for place in np.ndindex(3, 3):
                    falls[row + place[0], column + place[1]].append(fall)
    expected = np.array([[np.mean(falls[row, column]) for column in range(5)] for row in range(6)])
    assert np.allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize(("size", "stride", "said"), [(7, 1, "is larger than the image"), (2, 3, "leaves pixels out")])
def test_squares_that_do_not_cover_the_image_are_refused(size, stride, said):
    with pytest.raises(RefusedError, match=said):
        occlusion(request(CURVED, torch.zeros(1, 2, 6, 5), 0, "conv2"), size=size, stride=stride, value=0.0)


def test_grad_cam_of_a_network_worked_by_hand():
    """A 1 x 1 convolution, the mean of each map, a dense layer: a_k is the dense weight over the number of places."""
    text = "model N { input i: 1 x 2 x 2; conv(2, 1, bias = false) -> global_avgpool -> flatten -> dense(2); output y }"
    kernels, dense = np.array([1.0, -2.0]), np.array([[1.0, 0.5], [3.0, 1.0]])
    arrays = {
        "conv1.weight": kernels.reshape(2, 1, 1, 1).astype("float32"),
        "dense1.weight": dense.astype("float32"),
        "dense1.bias": np.zeros(2, "float32"),
    }
    image = torch.tensor([[[[1.0, 2.0], [-3.0, 4.0]]]])
    found = grad_cam(request(text, image, 1, "conv1", arrays)).numpy()
    # a = (3, 1) / 4, A = (x, -2x), sum = (3x - 2x) / 4 = x / 4, without what is below 0
    assert np.allclose(found, [[0.25, 0.5], [0.0, 1.0]])
    against = grad_cam(request(text, image, 0, "conv1", arrays)).numpy()  # (1 * 1 + 0.5 * -2) / 4 = 0
    assert np.allclose(against, 0)


def test_grad_cam_has_the_size_of_the_map_and_is_zero_where_the_score_does_not_see_it():
    image = torch.randn(1, 2, 6, 5)
    assert grad_cam(request(CURVED, image, 2, "conv2")).shape == (4, 3)
    beside = "model N { input i: 2 x 6 x 5; conv(3, 3) as seen; i -> conv(2, 3) as apart; "
    text = beside + "seen -> global_avgpool -> flatten -> dense(2); output y }"
    assert grad_cam(request(text, image, 0, "apart")).tolist() == np.zeros((4, 3)).tolist()


def test_a_map_of_scores_is_explained_by_the_mean_of_its_class():
    text = "model N { input i: 1 x 4 x 4; conv(2, 1, bias = false); output y }"
    arrays = {"conv1.weight": np.array([3.0, -5.0], "float32").reshape(2, 1, 1, 1)}
    found = saliency(request(text, torch.randn(1, 1, 4, 4), 1, "conv1", arrays))
    assert torch.allclose(found, torch.full((4, 4), 5 / 16))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("signed", [False, True])
def test_the_picture_colours_what_speaks_for_and_against(channels, signed):
    image = np.full((channels, 4, 6), 0.5, "float32")
    values = np.zeros((4, 6), "float32")
    values[1, 2] = 2.0
    values[3, 5] = -2.0 if signed else 0.0
    picture = np.asarray(Image.open(io.BytesIO(heat_map(image, values, signed=signed)))).astype(int)
    side = SMALLEST_SIDE // 4
    assert picture.shape == (4 * side, 6 * side, 3)
    plain, warm, other = (picture[row * side + 3, column * side + 3] for row, column in ((0, 0), (1, 2), (3, 5)))
    assert set(plain.tolist()) in ({127}, {128}), "half of 255, rounded"
    assert warm[0] > warm[2], "red or yellow"
    assert (other[2] > other[0]) if signed else other.tolist() == plain.tolist()


def test_a_network_without_a_map_is_refused():
    text = "model N { input i: 1 x 2 x 2; flatten -> dense(2); output y }"
    with pytest.raises(RefusedError, match="no layer of the network gives a map"):
        grad_cam(request(text, torch.ones(1, 1, 2, 2), 0, ""))


def test_a_picture_of_nothing_is_the_image():
    picture = heat_map(np.zeros((1, 300, 300), "float32"), np.zeros((300, 300), "float32"), signed=False)
    assert np.asarray(Image.open(io.BytesIO(picture))).max() == 0
