"""The records of the losses of detectors. Boxes and anchors are `x1, y1, x2, y2`."""

from striate.plugin import Argument, Factory, Integer, LossExample, LossRecord, Optional, Real
from striate_plugins.losses.records.arguments import INFINITE

_BETA = Argument("beta", Real(1e-6), "Where smooth L1 becomes a line.", 1.0)
_APART = [[0.0, 0.0, 2.0, 2.0], [4.0, 0.0, 6.0, 2.0], [0.0, 4.0, 2.0, 6.0], [4.0, 4.0, 6.0, 6.0]]
_STILL = [0.0, 0.0, 0.0, 0.0]
_EVEN = [[0.0, 0.0]]

RECORDS = (
    LossRecord(
        "yolo",
        "The loss of the first YOLO: squared errors of boxes, confidences and classes on a grid of cells.",
        Factory("striate_plugins.losses.yolo:yolo"),
        (
            Argument("boxes", Integer(), "Boxes per cell, B.", 2),
            Argument("coordinate_weight", Real(0), "Weight of places and sides.", 5.0),
            Argument("no_object_weight", Real(0), "Weight of the confidences of boxes without an object.", 0.5),
        ),
        reference="Redmon et al., 2016, arXiv:1506.02640, equation 3",
        formula="L = λ_c Σ_r [(x - x̂)² + (y - ŷ)² + (√w - √ŵ)² + (√h - √ĥ)²] + Σ_r (C - IoU)² + λ_n Σ_¬r C² + "
        "Σ_cells with an object Σ_k (p_k - p̂_k)², r the box of its cell that overlaps the object most; called with "
        "predictions N x S x S x (5 B + K), boxes per image, classes per image",
        reduction="sum over cells and boxes, mean over images",
        range=(0.0, INFINITE),
        output="tensors",
        target="tensors",
        examples=(
            LossExample(
                (
                    [[[[0.5, 0.5, 0.04, 0.25, 0.4444444444444444, 1.0]]]],
                    ([[0.455, 0.375, 0.545, 0.625]],),
                    ([0],),
                ),
                0.05,
                {"boxes": 1},
                note="widths 0.04 and 0.09 with their roots: 5 · 0.01, not 5 · 0.0025",
            ),
        ),
    ),
    LossRecord(
        "ssd",
        "The loss of the single-shot detector: classes with hard negative mining, and offsets from anchors.",
        Factory("striate_plugins.losses.ssd:ssd"),
        (
            Argument("alpha", Real(0), "Weight of the offsets.", 1.0),
            Argument("negatives", Real(0), "Background anchors that count per anchor with a box.", 3.0),
            Argument("threshold", Real(0, 1), "IoU from which an anchor is to find a box.", 0.5),
            Argument("centre_variance", Real(1e-6), "What shifts of the centre are divided by.", 0.1),
            Argument("size_variance", Real(1e-6), "What logarithms of growth are divided by.", 0.2),
        ),
        reference="Liu et al., 2016, arXiv:1512.02325, equations 1 to 3",
        applies="softmax",
        formula="L = (1 / M) (Σ CE over matched anchors and the hardest 3 M others + α Σ_matched smooth L1(l - ĝ)), M "
        "matched anchors; called with offsets N x A x 4, scores N x A x (1 + K), anchors A x 4, boxes per image, "
        "classes from 1 per image",
        reduction="sum over anchors of all images, divided by the matched ones; 0 where there are none",
        range=(0.0, INFINITE),
        output="tensors",
        target="tensors",
        examples=(
            LossExample(
                ([[[1.0, 0.0, 0.0, 0.0], _STILL, _STILL, _STILL]], [_EVEN * 4], _APART, (_APART[:1],), ([1],)),
                3.2725887222397813,
                note="4 ln 2 + 0.5",
            ),
        ),
    ),
    LossRecord(
        "rpn",
        "The loss of a region proposal network: is there an object, and how far from the anchor.",
        Factory("striate_plugins.losses.region_proposal:RegionProposal"),
        (
            Argument("weight", Real(0), "The balance lambda of the offsets.", 10.0),
            Argument("positive", Real(0, 1), "IoU from which an anchor is an object.", 0.7),
            Argument("negative", Real(0, 1), "IoU below which an anchor is none.", 0.3),
            Argument("samples", Optional(Integer()), "Anchors drawn per image; none takes all.", 256),
            Argument("positive_share", Real(0, 1), "The largest share of objects among them.", 0.5),
            Argument("per_place", Integer(), "Anchors per place of the map.", 9),
            _BETA,
        ),
        reference="Ren et al., 2015, arXiv:1506.01497, equation 1",
        applies="sigmoid",
        formula="L = (1 / N_cls) Σ BCE(p, p*) + (λ / N_places) Σ p* smooth L1(t - t*); called with objectness N x A, "
        "offsets N x A x 4, anchors A x 4, boxes per image",
        reduction="mean over images",
        range=(0.0, INFINITE),
        output="tensors",
        target="tensors",
        examples=(
            LossExample(
                ([[0.0, 0.0]], [[[2.0, 0.0, 0.0, 0.0], _STILL]], _APART[:2], (_APART[:1],)),
                8.193147180559945,
                {"samples": None, "per_place": 1},
                note="ln 2 + 10 · 1.5 / 2",
            ),
        ),
    ),
    LossRecord(
        "fast_rcnn",
        "The multi-task loss of Fast R-CNN: class and box of every region.",
        Factory("striate_plugins.losses.region_heads:fast_rcnn"),
        (Argument("weight", Real(0), "The balance lambda of the offsets.", 1.0), _BETA),
        reference="Girshick, 2015, arXiv:1504.08083, equations 1 to 3",
        applies="softmax",
        formula="L = (1 / R) Σ (CE(p, u) + λ [u ≥ 1] smooth L1(t_u - v)); called with scores R x (1 + K), offsets "
        "R x (1 + K) x 4 or R x 4, classes R, offsets wanted R x 4",
        reduction="mean over regions",
        range=(0.0, INFINITE),
        output="tensors",
        target="tensors",
        examples=(
            LossExample(
                (_EVEN * 2, [[0.5, 1.0, 2.0, -3.0], [9.0, 9.0, 9.0, 9.0]], [1, 0], [_STILL, _STILL]),
                3.005647180559945,
                note="ln 2 + (0.125 + 0.5 + 1.5 + 2.5) / 2",
            ),
        ),
    ),
    LossRecord(
        "region_mask",
        "The mask loss of Mask R-CNN: binary cross-entropy of the map of the region's own class.",
        Factory("striate_plugins.losses.region_heads:region_mask"),
        reference="He et al., 2017, arXiv:1703.06870, section 3",
        applies="sigmoid",
        formula="L = mean over m² pixels of BCE(σ(s_u), mask), regions with u ≥ 1 only; called with scores "
        "R x (1 + K) x m x m, classes R, masks R x m x m",
        reduction="mean over the pixels of regions with an object",
        range=(0.0, INFINITE),
        output="tensors",
        target="tensors",
        examples=(
            LossExample(
                (
                    [
                        [
                            [[9.0, 9.0], [9.0, 9.0]],
                            [[2.1972245773362196, -1.3862943611198906], [1.3862943611198906, 0.4054651081081644]],
                        ]
                    ],
                    [1],
                    [[[1, 0], [1, 1]]],
                ),
                0.26561831,
                note="p = 0.9, 0.2, 0.8, 0.6",
            ),
        ),
    ),
)
