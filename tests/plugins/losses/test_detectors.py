"""Detectors: anchors and their boxes, hard negatives, sampling, and the losses against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from striate_plugins.losses.anchors import NOTHING, UNUSED, assign, choose, decode, encode
from striate_plugins.losses.boxes import pairwise_iou
from tests.plugins.losses import detectors
from tests.plugins.losses.made import made

IMAGES, ANCHORS, OBJECTS, KINDS = 3, 40, 4, 5


def random_boxes(chance: np.random.Generator, number: int) -> np.ndarray:
    corner = chance.uniform(0, 6, (number, 2))
    return np.concatenate([corner, corner + chance.uniform(1, 4, (number, 2))], axis=1)


def scene(seed: int) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Return anchors, and per image boxes and their classes; the last image has none."""
    chance = np.random.default_rng(seed)
    boxes = [random_boxes(chance, OBJECTS) for _ in range(IMAGES - 1)] + [np.zeros((0, 4))]
    return random_boxes(chance, ANCHORS), boxes, [chance.integers(1, KINDS, len(item)) for item in boxes]


def as_tensors(items: list[np.ndarray]) -> list[torch.Tensor]:
    return [torch.from_numpy(item) for item in items]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("positive", "negative"), [(0.5, 0.5), (0.7, 0.3), (0.4, 0.1)])
def test_anchors_find_the_boxes_that_they_should(seed, positive, negative):
    anchors, boxes, _ = scene(seed)
    for true in boxes:
        found = assign(torch.from_numpy(anchors), torch.from_numpy(true), positive, negative)
        assert found.tolist() == detectors.matched(anchors, true, positive, negative)


def test_every_box_gets_its_best_anchor_whatever_the_threshold():
    anchors = torch.tensor([[0.0, 0, 10, 10], [20.0, 20, 30, 30], [0.0, 0, 4, 10]])
    boxes = torch.tensor([[0.0, 0, 5, 5], [50.0, 50, 60, 60]])
    assert assign(anchors, boxes, 0.5, 0.3).tolist() == [NOTHING, NOTHING, 0], "and a box far from all has none"
    assert assign(anchors, boxes[:1], 0.9, 0.2).tolist() == [UNUSED, NOTHING, 0]
    assert assign(anchors, boxes[:0], 0.5, 0.3).tolist() == [NOTHING] * 3


@pytest.mark.parametrize("variances", [(1.0, 1.0), (0.1, 0.2)])
def test_offsets_lead_back_to_the_boxes(variances):
    chance = np.random.default_rng(9)
    anchors, boxes = random_boxes(chance, 20), random_boxes(chance, 20)
    offsets = encode(torch.from_numpy(boxes), torch.from_numpy(anchors), variances)
    expected = np.array([detectors.offsets_of(*pair, variances) for pair in zip(boxes, anchors, strict=True)])
    np.testing.assert_allclose(offsets.numpy(), expected)
    np.testing.assert_allclose(decode(offsets, torch.from_numpy(anchors), variances).numpy(), boxes)


def test_pairwise_overlaps():
    chance = np.random.default_rng(1)
    first, second = random_boxes(chance, 5), random_boxes(chance, 7)
    expected = [[detectors.overlap(a, b) for b in second] for a in first]
    np.testing.assert_allclose(pairwise_iou(*as_tensors([first, second])).numpy(), expected)


def test_samples_are_drawn_without_repeats():
    places = torch.arange(50)
    drawn = choose(places, 20, torch.Generator().manual_seed(1))
    assert len(set(drawn.tolist())) == 20
    assert torch.equal(drawn, choose(places, 20, torch.Generator().manual_seed(1)))
    assert torch.equal(choose(places, 60), places)


@pytest.mark.parametrize("seed", range(4))
def test_ssd(seed):
    chance = np.random.default_rng(seed)
    anchors, boxes, labels = scene(seed)
    offsets, scores = chance.normal(size=(IMAGES, ANCHORS, 4)), chance.normal(size=(IMAGES, ANCHORS, KINDS))
    value = made("ssd")(*as_tensors([offsets, scores, anchors]), as_tensors(boxes), as_tensors(labels))
    assert float(value) == pytest.approx(detectors.ssd(offsets, scores, anchors, boxes, labels))


def test_ssd_without_objects_costs_nothing():
    offsets = torch.zeros(1, 3, 4, requires_grad=True)
    anchors = torch.tensor([[0.0, 0, 1, 1]] * 3)
    value = made("ssd")(offsets, torch.zeros(1, 3, 2), anchors, [torch.zeros(0, 4)], [torch.zeros(0).long()])
    value.backward()
    assert float(value.detach()) == 0
    assert torch.equal(offsets.grad, torch.zeros_like(offsets))


def test_only_the_hardest_negatives_of_ssd_count():
    anchors = torch.tensor([[i * 4.0, 0, i * 4 + 2, 2] for i in range(9)])
    scores = torch.zeros(1, 9, 2, requires_grad=True)
    with torch.no_grad():
        scores[0, 1:, 1] = torch.tensor([5.0, -5, 4, -4, 3, -3, 2, -2])
    made("ssd")(torch.zeros(1, 9, 4), scores, anchors, [anchors[:1]], [torch.tensor([1])]).backward()
    assert scores.grad[0].abs().sum(dim=1).gt(0).tolist() == [True, True, False, True, False, True, False, False, False]


@pytest.mark.parametrize("seed", range(4))
def test_region_proposal(seed):
    chance = np.random.default_rng(seed)
    anchors, boxes, _ = scene(seed)
    objectness, offsets = chance.normal(size=(IMAGES, ANCHORS)), chance.normal(size=(IMAGES, ANCHORS, 4))
    loss = made("rpn", samples=None, weight=3.0, per_place=4)
    value = loss(*as_tensors([objectness, offsets, anchors]), as_tensors(boxes))
    expected = detectors.region_proposal(objectness, offsets, anchors, boxes, weight=3.0, per_place=4)
    assert float(value) == pytest.approx(expected)


def test_region_proposal_draws_half_objects_and_divides_by_what_it_draws():
    """Of 6 anchors on the object and 34 on nothing, all with the same scores, a sample of 8 has 4 and 4."""
    anchors = torch.tensor([[0.0, 0, 4, 4]] * 6 + [[20.0, 20, 24, 24]] * 34)
    objectness = torch.tensor([[2.0] * 6 + [1.0] * 34], requires_grad=True)
    loss = made("rpn", samples=8)
    value = loss(objectness, torch.zeros(1, 40, 4), anchors, [anchors[:1]], generator=torch.Generator().manual_seed(0))
    value.backward()
    assert float(value.detach()) == pytest.approx((math.log(1 + math.exp(-2)) + math.log(1 + math.exp(1))) / 2)
    chosen = objectness.grad[0].abs() > 0
    assert (int(chosen[:6].sum()), int(chosen[6:].sum())) == (4, 4)


@pytest.mark.parametrize("seed", range(4))
def test_fast_rcnn(seed):
    chance = np.random.default_rng(seed)
    scores, offsets = chance.normal(size=(7, KINDS)), chance.normal(size=(7, KINDS, 4))
    labels, targets = np.array([0, 1, 4, 0, 2, 2, 3]), chance.normal(size=(7, 4))
    value = made("fast_rcnn", weight=2.0)(*as_tensors([scores, offsets, labels, targets]))
    assert float(value) == pytest.approx(detectors.fast_rcnn(scores, offsets, labels, targets, 2.0))


@pytest.mark.parametrize("each", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_yolo(seed, each):
    chance = np.random.default_rng(seed)
    cells = chance.uniform(0.05, 0.9, (2, 4, 4, 5 * each + 3))
    boxes = []
    for number in (3, 0):
        centre, sides = chance.uniform(0.1, 0.9, (number, 2)), chance.uniform(0.05, 0.5, (number, 2))
        boxes.append(np.concatenate([centre - sides / 2, centre + sides / 2], axis=1))
    boxes[0][2] = boxes[0][1]  # two objects in one cell: the first counts
    labels = [chance.integers(0, 3, len(item)) for item in boxes]
    value = made("yolo", boxes=each)(torch.from_numpy(cells), as_tensors(boxes), as_tensors(labels))
    assert float(value) == pytest.approx(detectors.yolo(cells, boxes, labels, each))


@pytest.mark.parametrize("side", [-0.5, 0.0, 1e-9, 1e-4])
def test_yolo_finds_back_from_sides_that_are_none(side):
    cells = torch.tensor([[[[0.5, 0.5, side, side, 0.5, 1.0]]]], requires_grad=True)
    made("yolo", boxes=1)(cells, [torch.tensor([[0.3, 0.3, 0.7, 0.7]])], [torch.tensor([0])]).backward()
    slopes = cells.grad[0, 0, 0, 2:4]
    assert torch.isfinite(slopes).all()
    assert (slopes < 0).all(), "larger is better"


@pytest.mark.parametrize(
    ("name", "call", "words"),
    [
        (
            "ssd",
            lambda f: f(torch.zeros(1, 3, 4), torch.zeros(1, 2, 2), torch.zeros(3, 4), [], []),
            "offsets are N x A",
        ),
        (
            "ssd",
            lambda f: f(torch.zeros(1, 3, 4), torch.zeros(1, 3, 2), torch.zeros(3, 4), [], []),
            "there are 1 images, but boxes of 0",
        ),
        ("rpn", lambda f: f(torch.zeros(1, 2), torch.zeros(1, 3, 4), torch.zeros(3, 4), []), "objectness is N x A"),
        ("yolo", lambda f: f(torch.zeros(1, 2, 3, 11), [], []), r"predictions are N x S x S x \(5 \* 2 \+ classes\)"),
        ("fast_rcnn", lambda f: f(*[torch.zeros(2, 4)] * 4), "scores are R x classes"),
        (
            "region_mask",
            lambda f: f(torch.zeros(2, 4), torch.zeros(2), torch.zeros(2)),
            "scores are R x classes x m x m",
        ),
        ("box_iou", lambda f: f(torch.zeros(2, 5), torch.zeros(2, 5)), "boxes are N x 4"),
    ],
)
def test_shapes_that_do_not_go_together_are_said(name, call, words):
    with pytest.raises(ValueError, match=words):
        call(made(name))
