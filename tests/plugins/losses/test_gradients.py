"""Gradients: right where losses are smooth, finite where they are not, and where numbers are extreme."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.plugins.losses.made import CLASSES, FEATURES, IN_RECIPES, RECORDS, made, random_call

BOXES = ["box_iou", "box_giou", "box_diou", "box_ciou"]


def loss_of(name: str, dtype: torch.dtype = torch.float64, **arguments):
    loss = made(name, **arguments)
    return loss.to(dtype).eval() if isinstance(loss, nn.Module) else loss


@pytest.mark.parametrize("name", IN_RECIPES)
@pytest.mark.parametrize("maps", [False, True])
def test_gradients_are_those_of_the_values(name, maps):
    if maps and RECORDS[name].output in ("embeddings", "directions"):
        return
    output, target = random_call(name, np.random.default_rng(11), maps)
    loss, wanted = loss_of(name, **({"scale": 4.0} if name in ("arcface", "cosface") else {})), torch.from_numpy(target)
    assert torch.autograd.gradcheck(lambda x: loss(x, wanted), torch.from_numpy(output).requires_grad_())


@pytest.mark.parametrize("name", BOXES[:3])
def test_gradients_of_boxes(name):
    output = torch.tensor([[0.0, 0, 3, 2], [4, 4, 7, 9]], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([[1.0, 0.5, 5, 3], [0, 0, 3, 3]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: loss_of(name)(x, target), output)


def test_the_factor_of_ciou_has_no_gradient():
    """The gradient is that of L = DIoU + a v with a held fixed: found by differences with a fixed."""
    output = torch.tensor([[0.0, 0, 3, 2]], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([[1.0, 0.5, 5, 3.5]], dtype=torch.float64)
    made("box_ciou")(output, target).backward()

    def v(box: Tensor) -> Tensor:
        slope = [torch.atan((item[0, 2] - item[0, 0]) / (item[0, 3] - item[0, 1])) for item in (target, box)]
        return 4 / torch.pi**2 * (slope[0] - slope[1]) ** 2

    fixed = output.detach()
    factor = v(fixed) / (made("box_iou")(fixed, target) + v(fixed))
    again = fixed.clone().requires_grad_()
    (made("box_diou")(again, target) + factor * v(again)).backward()
    torch.testing.assert_close(output.grad, again.grad)


def finite_with_gradient(loss, output: Tensor, *others) -> Tensor:
    output = output.detach().requires_grad_()
    value = loss(output, *others)
    value.backward()
    assert torch.isfinite(value), value
    assert torch.isfinite(output.grad).all(), output.grad
    return value.detach()


@pytest.mark.parametrize("name", [name for name in IN_RECIPES if RECORDS[name].output == "scores"])
@pytest.mark.parametrize("size", [0.0, 100.0, 1e4])
@pytest.mark.parametrize("maps", [False, True])
def test_huge_and_equal_scores(name, size, maps):
    output, target = random_call(name, np.random.default_rng(5), maps)
    scores = torch.from_numpy(np.sign(output) * size).float()
    wanted = torch.from_numpy(target)
    value = finite_with_gradient(loss_of(name), scores, wanted if wanted.dtype == torch.int64 else wanted.float())
    assert RECORDS[name].range[0] - 1e-5 <= float(value.detach()) <= RECORDS[name].range[1] + 1e-5


@pytest.mark.parametrize("name", [name for name in IN_RECIPES if "probabilities" in RECORDS[name].output])
def test_probabilities_of_0_and_1(name):
    sure = torch.eye(CLASSES)[[0, 1, 2]]
    output = (sure + 1e-38).log().clamp(min=-1e4) if RECORDS[name].output == "log_probabilities" else sure
    for numbers in (torch.tensor([0, 1, 2]), torch.tensor([3, 0, 1])):
        shares = nn.functional.one_hot(numbers, CLASSES).float()
        finite_with_gradient(loss_of(name), output, numbers if RECORDS[name].target == "classes" else shares)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", ["focal", "binary_focal"])
def test_focal_loss_where_nothing_is_wrong(name, gamma):
    numbers = torch.tensor([0, 1])
    shares = nn.functional.one_hot(numbers, 2).float()
    scores = (2 * shares - 1) * 200
    value = finite_with_gradient(made(name, gamma=gamma), scores, numbers if name == "focal" else shares)
    assert float(value) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ["dice", "tversky", "iou"])
@pytest.mark.parametrize("smooth", [0.0, 1.0])
@pytest.mark.parametrize("per", ["batch", "image"])
def test_masks_without_the_class_in_them(name, smooth, per):
    """No pixel of class 1 to 3, neither there nor found: finite, and with smoothing nothing to pay."""
    scores = torch.zeros(2, 4, 3, 3)
    scores[:, 0] = 500.0
    value = finite_with_gradient(made(name, smooth=smooth, per=per), scores, torch.zeros(2, 3, 3, dtype=torch.long))
    assert float(value) == pytest.approx(0, abs=1e-6)
    finite_with_gradient(made(name, smooth=smooth, per=per, background=False), scores, torch.ones(2, 3, 3).long())


@pytest.mark.parametrize("name", BOXES)
@pytest.mark.parametrize(
    "pair",
    [
        ([0.0, 0, 2, 2], [2.0, 0, 4, 2]),  # touching along a side
        ([0.0, 0, 2, 2], [2.0, 2, 4, 4]),  # touching at a corner
        ([0.0, 0, 2, 2], [0.0, 0, 2, 2]),  # the same
        ([1.0, 1, 1, 1], [1.0, 1, 1, 1]),  # one point
        ([1.0, 1, 1, 4], [0.0, 0, 3, 3]),  # no width
        ([3.0, 3, 1, 1], [0.0, 0, 3, 3]),  # turned inside out
        ([1.0, 1, 1, 1], [5.0, 5, 5, 5]),  # two points
        ([0.0, 0, 1e4, 1e4], [5e3, 5e3, 2e4, 2e4]),
    ],
)
def test_boxes_that_touch_or_have_no_area(name, pair):
    value = finite_with_gradient(made(name), torch.tensor([pair[0]]), torch.tensor([pair[1]]))
    assert RECORDS[name].range[0] <= float(value) <= RECORDS[name].range[1]


@pytest.mark.parametrize("name", BOXES)
def test_no_boxes_cost_nothing(name):
    assert float(finite_with_gradient(made(name), torch.zeros(0, 4), torch.zeros(0, 4))) == 0


@pytest.mark.parametrize("name", [name for name in IN_RECIPES if RECORDS[name].output in ("embeddings", "directions")])
@pytest.mark.parametrize("classes", [[0, 0, 1, 1], [0, 0, 0, 0], [0, 1, 2, 3]])
@pytest.mark.parametrize("kind", ["equal", "zero", "far", "one"])
def test_embeddings_that_coincide_or_lie_far_apart(name, classes, kind):
    """Distances of 0 have no slope, batches of one class no triplet, and a batch of one image nothing at all."""
    vectors = {
        "equal": torch.ones(4, FEATURES),
        "zero": torch.zeros(4, FEATURES),
        "far": 1e4 * torch.randn(4, FEATURES, generator=torch.Generator().manual_seed(0)),
        "one": torch.ones(1, FEATURES),
    }[kind]
    finite_with_gradient(loss_of(name, torch.float32), vectors, torch.tensor(classes)[: len(vectors)])


@pytest.mark.parametrize("squared", [True, False])
@pytest.mark.parametrize("mining", ["all", "hard", "semi_hard"])
@pytest.mark.parametrize("normalise", [True, False])
def test_triplets_of_equal_vectors(squared, mining, normalise):
    loss = made("triplet", squared=squared, mining=mining, normalise=normalise, margin=0.5)
    value = finite_with_gradient(loss, torch.ones(4, 3), torch.tensor([0, 0, 1, 1]))
    assert float(value) == pytest.approx(0.5, abs=1e-6)


def test_arcface_at_0_and_180_degrees():
    loss = made("arcface", {"features": 2, "classes": 2})
    loss.load_state_dict({"weight": torch.tensor([[1.0, 0.0], [-1.0, 0.0]])})
    finite_with_gradient(loss, torch.tensor([[2.0, 0.0], [-3.0, 0.0]]), torch.tensor([0, 0]))


@pytest.mark.parametrize("name", ["cross_entropy", "nll", "categorical_cross_entropy", "dice", "iou"])
def test_classes_that_all_weigh_nothing(name):
    """A batch with ignored classes only is worth 0, not 0 / 0."""
    record = RECORDS[name]
    scores = torch.zeros(3, 2).log_softmax(1)
    numbers = torch.zeros(3, dtype=torch.long)
    target = nn.functional.one_hot(numbers, 2).float() if record.target == "shares" else numbers
    weights = [0.0, 0.0] if name in ("dice", "iou") else [0.0, 1.0]
    assert float(finite_with_gradient(made(name, class_weights=weights), scores, target)) == 0


@pytest.mark.parametrize("name", IN_RECIPES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(name, dtype):
    output, target = random_call(name, np.random.default_rng(4))
    loss, narrow = loss_of(name, torch.float32), torch.from_numpy(output).to(dtype)
    wanted = torch.from_numpy(target)
    wanted = wanted if wanted.dtype == torch.int64 else wanted.to(dtype)
    value = loss(narrow, wanted)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(narrow.float(), wanted if wanted.dtype == torch.int64 else wanted.float()))


def test_style_of_half_precision_does_not_overflow():
    maps = torch.full((1, 2, 32, 32), 16.0, dtype=torch.float16)  # 16 * 16 * 1024 is above the largest float16
    assert float(made("style", normalise="none")([maps], [maps * 0])) == 4 * (16 * 16 * 1024) ** 2
