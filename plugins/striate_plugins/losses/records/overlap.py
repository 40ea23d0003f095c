"""The records of the losses of overlap: of class maps, and of boxes."""

from typing import Any

from striate.plugin import Argument, Factory, Flag, LossExample, LossRecord, Real
from striate_plugins.losses.records.arguments import FOREGROUND, OVERLAP

_MAPS = "striate_plugins.losses.overlap"
_BOXES = "striate_plugins.losses.boxes"
_BACKGROUND = Argument("background", Flag(), "Whether class 0 counts.", True)
_CLASSES = "mean over the classes (and over images, with per = image)"

# Of 8 pixels 4 are found and 6 are there, 3 of them in both: |A| = 4, |B| = 6, intersection 3, union 7.
_FOUND = [1, 1, 1, 1, 0, 0, 0, 0]
_THERE = [[[1, 1, 1, 0, 1, 1, 1, 0]]]
_SCORES = [[[[-1000.0 if found else 0.0 for found in _FOUND]], [[1000.0 * found - 500.0 for found in _FOUND]]]]
_HARD: dict[str, Any] = {"smooth": 0.0, "background": False}

MAPS = (
    LossRecord(
        "dice",
        "One minus the Dice coefficient of the softmax of the scores with the true maps.",
        Factory(f"{_MAPS}:dice"),
        (
            *OVERLAP,
            _BACKGROUND,
            Argument("squared", Flag(), "Sum squares in the denominator (V-Net).", False),
            *FOREGROUND,
        ),
        reference="Milletari et al., 2016, arXiv:1606.04797, equation 1 (with squares); Dice, 1945",
        applies="softmax",
        formula="L = 1 - (2 Σ p y + s) / (Σ p + Σ y + s), p = softmax of the scores, sums over pixels",
        reduction=_CLASSES,
        range=(0.0, 1.0),
        examples=(LossExample((_SCORES, _THERE), 0.4, _HARD, note="|A| = 4, |B| = 6, 3 in both"),),
    ),
    LossRecord(
        "tversky",
        "One minus the Tversky index, in which what is missed and what is found wrongly have weights of their own.",
        Factory(f"{_MAPS}:tversky"),
        (
            Argument("alpha", Real(0), "The weight of what is found wrongly.", 0.3),
            Argument("beta", Real(0), "The weight of what is missed.", 0.7),
            OVERLAP[0],
            Argument("gamma", Real(0.01), "An exponent of the loss; 0.75 makes it the focal Tversky loss.", 1.0),
            OVERLAP[1],
            _BACKGROUND,
            *FOREGROUND,
        ),
        reference="Salehi et al., 2017, arXiv:1706.05721, equation 4; gamma: Abraham and Khan, 2019, arXiv:1810.07842",
        applies="softmax",
        formula="L = (1 - (TP + s) / (TP + α FP + β FN + s))^γ, TP = Σ p y, FP = Σ p (1 - y), FN = Σ (1 - p) y",
        reduction=_CLASSES,
        range=(0.0, 1.0),
        examples=(
            LossExample((_SCORES, _THERE), 0.4444444444444444, _HARD, note="TP = 3, FP = 1, FN = 3"),
            LossExample((_SCORES, _THERE), 0.4, {**_HARD, "alpha": 0.5, "beta": 0.5}, note="halves make it Dice"),
        ),
    ),
    LossRecord(
        "iou",
        "One minus the intersection over union of the softmax of the scores with the true maps.",
        Factory(f"{_MAPS}:iou"),
        (*OVERLAP, _BACKGROUND, *FOREGROUND),
        reference="Rahman and Wang, 2016, Optimizing intersection-over-union in deep neural networks",
        applies="softmax",
        formula="L = 1 - (Σ p y + s) / (Σ p + Σ y - Σ p y + s), p = softmax of the scores, sums over pixels",
        reduction=_CLASSES,
        range=(0.0, 1.0),
        examples=(LossExample((_SCORES, _THERE), 0.5714285714285714, _HARD, note="1 - 3 / 7"),),
    ),
)


def _of_boxes(name: str, summary: str, formula: str, most: float, reference: str, *values: LossExample) -> LossRecord:
    return LossRecord(
        name,
        summary,
        Factory(f"{_BOXES}:{name}"),
        reference=reference,
        formula=f"L = {formula}",
        reduction="mean over the boxes; 0 where there are none",
        range=(0.0, most),
        output="tensors",
        target="tensors",
        examples=values,
    )


_ONE, _OTHER = [[0.0, 0.0, 2.0, 2.0]], [[1.0, 1.0, 3.0, 3.0]]
_TALL, _BROAD = [[0.0, 0.0, 2.0, 4.0]], [[0.0, 0.0, 4.0, 2.0]]
_DISTANCE = "Zheng et al., 2020, arXiv:1911.08287"

BOXES = (
    _of_boxes(
        "box_iou",
        "One minus the intersection over union of predicted and true boxes, both `N x 4` (x1, y1, x2, y2).",
        "1 - |A ∩ B| / |A ∪ B|; called with the predicted and the true boxes",
        1.0,
        "Yu et al., 2016, arXiv:1608.01471 (there as a logarithm)",
        LossExample((_ONE, _OTHER), 0.8571428571428571, note="1 - 1 / 7"),
        LossExample(([[0.0, 0.0, 4.0, 4.0]], [[2.0, 2.0, 6.0, 6.0]]), 0.8571428571428571, note="1 - 4 / 28"),
    ),
    _of_boxes(
        "box_giou",
        "Generalised IoU loss: boxes that do not touch are drawn together by the empty part of the box around both.",
        "1 - IoU + (|C| - |A ∪ B|) / |C|, C the smallest box around both; called with predicted and true boxes",
        2.0,
        "Rezatofighi et al., 2019, arXiv:1902.09630, algorithm 1",
        LossExample((_ONE, _OTHER), 1.0793650793650793, note="1 - 1 / 7 + 2 / 9"),
    ),
    _of_boxes(
        "box_diou",
        "Distance IoU loss: with the squared distance of the centres in parts of the diagonal around both.",
        "1 - IoU + ρ² / c², ρ between the centres, c the diagonal around both; called with predicted and true boxes",
        2.0,
        f"{_DISTANCE}, equation 7",
        LossExample((_ONE, _OTHER), 0.9682539682539683, note="1 - 1 / 7 + 2 / 18"),
    ),
    _of_boxes(
        "box_ciou",
        "Complete IoU loss: distance IoU with a term for the ratio of width and height.",
        "DIoU loss + α v, v = (4 / π²) (arctan(w* / h*) - arctan(w / h))², α = v / (1 - IoU + v) without a gradient; "
        "called with predicted and true boxes",
        3.0,
        f"{_DISTANCE}, equations 8 to 11",
        LossExample((_ONE, _OTHER), 0.9682539682539683, note="squares: the last term is 0"),
        LossExample((_TALL, _BROAD), 0.7629184128449894, note="a tall box and a broad one"),
    ),
)
RECORDS = (*MAPS, *BOXES)
