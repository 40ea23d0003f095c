"""Where a textbook has a formula wrong: the loss here is the right one, and differs from what is printed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.plugins.losses.definitions import softmax, unit
from tests.plugins.losses.made import made

LOGITS = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
LAST = torch.tensor([2])


def test_label_smoothing_spreads_the_target_and_adds_no_constant():
    """Printed: (1 - e) L + e / K, whose second term has no gradient."""
    scores = LOGITS.clone().requires_grad_()
    value = made("cross_entropy", label_smoothing=0.1)(scores, LAST)
    value.backward()
    printed = 0.9 * float(made("cross_entropy")(LOGITS, LAST)) + 0.1 / 3
    assert printed == pytest.approx(0.400178701, abs=1e-9)
    assert float(value.detach()) == pytest.approx(0.507605964, abs=1e-9)
    plain = LOGITS.clone().requires_grad_()
    made("cross_entropy")(plain, LAST).backward()
    assert not torch.allclose(scores.grad, 0.9 * plain.grad, atol=1e-3)


def test_both_terms_of_binary_cross_entropy_are_within_the_sum():
    """Printed without brackets, so that only the first term is summed."""
    p, y = torch.tensor([[0.9, 0.2]], dtype=torch.float64), torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    value = float(made("binary_cross_entropy_from_probabilities")(p, y))
    assert value == pytest.approx((-math.log(0.9) - math.log(0.8)) / 2)
    assert value != pytest.approx(-math.log(0.9) / 2, rel=0.1)


def test_cross_entropy_of_a_softmax_takes_it_twice():
    """Printed: a network that ends in a softmax, trained with the loss of scores. There is a loss for such networks."""
    p = LOGITS.softmax(1)
    assert float(made("cross_entropy")(p, LAST)) == pytest.approx(0.797190334, abs=1e-9)
    assert float(made("cross_entropy_from_probabilities")(p, LAST)) == pytest.approx(0.407605964, abs=1e-9)


def test_the_hinge_loss_keeps_a_margin():
    """Printed: it is 0 for every right answer. It is 0 only for those that are right by the margin."""
    loss, yes = made("hinge"), torch.ones(1, 1)
    assert [float(loss(torch.full((1, 1), s), yes)) for s in (0.3, -0.3, 2.0)] == pytest.approx([0.7, 1.3, 0.0])


def test_the_weight_of_focal_loss_depends_on_the_class():
    """Printed: alpha for both classes. It is alpha for a 1 and 1 - alpha for a 0."""
    scores = torch.tensor([[math.log(9)]], dtype=torch.float64)
    wrong = float(made("binary_focal")(scores, torch.zeros_like(scores)))
    assert wrong == pytest.approx(0.75 * 0.81 * math.log(10))
    assert wrong != pytest.approx(0.25 * 0.81 * math.log(10), rel=0.1)


def yolo_of_sides(side: float, true: float) -> float:
    """Return the loss of one cell whose box has the wrong width and is right otherwise."""
    corners = [0.5 - true / 2, 0.25, 0.5 + true / 2, 0.75]
    overlap = min(side, true) / max(side, true)
    cells = torch.tensor([[[[0.5, 0.5, side, 0.5, overlap, 1.0]]]], dtype=torch.float64)
    boxes = [torch.tensor([corners], dtype=torch.float64)]
    return float(made("yolo", boxes=1)(cells, boxes, [torch.tensor([0])]))


@pytest.mark.parametrize(("side", "true"), [(0.04, 0.09), (0.25, 0.16), (0.81, 0.64)])
def test_yolo_compares_the_roots_of_sides(side, true):
    """Printed: (w - w^)^2. With roots the same step counts more for a small box; these three pairs cost alike."""
    assert yolo_of_sides(side, true) == pytest.approx(5 * 0.01)
    assert yolo_of_sides(side, true) != pytest.approx(5 * (side - true) ** 2, rel=0.1)


def test_yolo_has_confidences_and_classes():
    """Printed: the terms of places and sides only, cut off after "+"."""
    cells = torch.zeros(1, 2, 2, 7, dtype=torch.float64)
    cells[..., 4] = 0.3
    none = [torch.zeros(0, 4, dtype=torch.float64)], [torch.zeros(0, dtype=torch.long)]
    assert float(made("yolo", boxes=1)(cells, *none)) == pytest.approx(0.5 * 4 * 0.3**2)
    box = torch.tensor([[0.0, 0.0, 0.5, 0.5]], dtype=torch.float64)
    right = torch.zeros(1, 2, 2, 7, dtype=torch.float64)
    right[0, 0, 0] = torch.tensor([0.5, 0.5, 0.5, 0.5, 1.0, 0.0, 0.0])
    one = [box], [torch.tensor([1])]
    assert float(made("yolo", boxes=1)(right, *one)) == pytest.approx(1.0), "the class that is not said"


def test_a_cell_of_yolo_has_one_class_term_whatever_its_boxes():
    """Printed: the class term is summed over the boxes of a cell too."""
    cells = torch.zeros(1, 1, 1, 12, dtype=torch.float64)
    cells[0, 0, 0, :10] = torch.tensor([0.5, 0.5, 1.0, 1.0, 1.0, 0.5, 0.5, 1.0, 1.0, 0.0])
    whole = [torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.float64)], [torch.tensor([0])]
    assert float(made("yolo", boxes=2)(cells, *whole)) == pytest.approx(1.0)


def test_the_box_that_answers_is_the_one_that_overlaps_most():
    """Printed: every box of a cell that holds an object."""
    cells = torch.zeros(1, 1, 1, 11, dtype=torch.float64)
    cells[0, 0, 0] = torch.tensor([0.1, 0.1, 0.1, 0.1, 0.4, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0])
    whole = [torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.float64)], [torch.tensor([0])]
    assert float(made("yolo", boxes=2)(cells, *whole)) == pytest.approx(0.5 * 0.4**2), "the first is only unsure"


@pytest.mark.parametrize(
    ("first", "second", "right", "printed"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], 0.2395447662, 0.8200751916),
        ([[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]], 2.2395447662, None),
        ([[1.0, 0.0], [0.6, 0.8]], [[0.8, 0.6], [0.0, 1.0]], 0.8707137571, None),
    ],
)
def test_nt_xent_leaves_the_anchor_out_and_has_the_other_views_in(first, second, right, printed):
    """Printed: the denominator has the anchor itself; the code beside it doubles the similarity of the positives."""
    views = np.array([*first, *second])
    value = float(made("nt_xent")(torch.from_numpy(views), torch.tensor([0, 1, 0, 1])))
    assert value == pytest.approx(right, abs=1e-9)
    cosines = np.array([[unit(a) @ unit(b) for b in views] for a in views]) / 0.5
    with_itself = np.mean([-math.log(softmax(cosines[i])[(i + 2) % 4]) for i in range(4)])
    assert printed is None or with_itself == pytest.approx(printed, abs=1e-9)
    assert value != pytest.approx(with_itself, rel=0.05)


def test_distances_of_triplets_are_squared():
    """Printed: squares in the formula, torch's TripletMarginLoss, which has none, in the code beside it."""
    a, p, n = (torch.tensor([item], dtype=torch.float64) for item in ([0.0, 0.0], [0.0, 1.0], [1.0, 0.2]))
    assert float(made("triplet_margin")(a, p, n)) == pytest.approx(0.16)
    plain = float(made("triplet_margin", squared=False, margin=1.0)(a, p, n))
    assert plain == pytest.approx(0.9801961, abs=1e-6)
    assert plain == pytest.approx(float(torch.nn.TripletMarginLoss(margin=1.0)(a, p, n)), abs=1e-5)


def test_the_mask_loss_is_a_mean_over_the_pixels_of_regions_with_an_object():
    """Printed: a sum over the pixels, and over all N regions."""
    p = torch.tensor([[0.9, 0.2], [0.8, 0.6]], dtype=torch.float64)
    scores = torch.stack([torch.zeros(2, 2).double(), torch.logit(p)])[None].repeat(2, 1, 1, 1)
    masks = torch.tensor([[[1.0, 0.0], [1.0, 1.0]]]).repeat(2, 1, 1)
    value = float(made("region_mask")(scores, torch.tensor([1, 0]), masks))
    assert value == pytest.approx(0.26561831, abs=1e-8)
    assert value != pytest.approx(1.06247324, abs=1e-3)


def test_distillation_has_its_temperature_twice():
    """Printed: KL(T || S) without temperature and without its square."""
    student, teacher = torch.tensor([[1.0, 1.0, 0.0]]).double(), torch.tensor([[2.0, 1.0, 0.0]]).double()
    assert float(made("distillation", temperature=1.0)(student, teacher)) == pytest.approx(0.1196298, abs=1e-7)
    assert float(made("distillation", temperature=2.0)(student, teacher)) == pytest.approx(4 * 0.0309906, abs=1e-6)
    with pytest.raises(ValueError, match="class numbers are needed"):
        made("distillation", hard_weight=0.5)(student, teacher)
    both = float(made("distillation", temperature=1.0, hard_weight=0.25)(student, teacher, torch.tensor([0])))
    entropy = float(made("cross_entropy")(student, torch.tensor([0])))
    assert both == pytest.approx(0.75 * 0.1196298 + 0.25 * entropy, abs=1e-7)


def test_a_perceptual_loss_compares_images_of_one_size():
    """Printed: the low-resolution image is compared with the high-resolution one."""
    with pytest.raises(ValueError, match="the output is 1 x 3 x 4 x 4, but the target is 1 x 3 x 8 x 8"):
        made("perceptual")(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 8, 8), [], [])


def test_shapes_are_never_stretched():
    for name in ("mse", "mae", "huber", "smooth_l1", "binary_cross_entropy", "hinge"):
        with pytest.raises(ValueError, match="the output is 4 x 1, but the target is 4"):
            made(name)(torch.zeros(4, 1), torch.zeros(4))
