"""Metrics, all fed with the scores of a network and counted over a whole split; most of them are torchmetrics'."""

from striate.plugin import Argument, Choice, Factory, Integer, MetricRecord, OneOf, Optional, Real

_AVERAGE = Argument(
    "average",
    OneOf(("macro", "micro", "weighted")),
    "Mean over the classes that occur, over all answers at once, or over the classes weighted by their examples.",
    Choice("macro"),
)
_THRESHOLDS = Argument(
    "thresholds",
    Optional(Integer(2)),
    "Work with so many thresholds instead of all scores, which maps of classes have too many of.",
    None,
)
_CURVE_AVERAGE = Argument(
    "average",
    OneOf(("macro", "weighted")),
    "Mean over the classes that occur, or weighted by their examples.",
    Choice("macro"),
)
_FAWCETT = "Fawcett, 2006, An introduction to ROC analysis"


def _factory(name: str) -> Factory:
    return Factory(f"striate_plugins.metrics.{name}")


_COUNTS = (
    MetricRecord(
        "accuracy",
        "Share of right answers; with top = k an answer is right if the class is among the k highest scores.",
        _factory("accuracy:accuracy"),
        (Argument("top", Integer(), "How many of the highest scores count as answers.", 1),),
        percent=True,
        formula="right / all",
    ),
    MetricRecord(
        "precision",
        "Share of the answers for a class that are right.",
        _factory("counts:precision"),
        (_AVERAGE,),
        percent=True,
        formula="TP / (TP + FP)",
    ),
    MetricRecord(
        "recall",
        "Share of the examples of a class that are found; its mean over the classes is also called balanced accuracy.",
        _factory("counts:recall"),
        (_AVERAGE,),
        percent=True,
        formula="TP / (TP + FN)",
    ),
    MetricRecord(
        "specificity",
        "Share of the examples of other classes that are not taken for a class.",
        _factory("counts:specificity"),
        (_AVERAGE,),
        percent=True,
        formula="TN / (TN + FP)",
    ),
    MetricRecord(
        "f1",
        "Harmonic mean of precision and recall; with beta, recall counts beta times as much as precision.",
        _factory("counts:f1"),
        (_AVERAGE, Argument("beta", Real(0.01), "Weight of recall.", 1.0)),
        percent=True,
        formula="(1 + β²) P R / (β² P + R)",
        reference="van Rijsbergen, 1979, Information Retrieval, chapter 7",
    ),
    MetricRecord(
        "kappa",
        "Agreement of answers and classes beyond what chance would give (Cohen); 1 is perfect, 0 is chance.",
        _factory("counts:kappa"),
        (
            Argument(
                "weights",
                OneOf(("none", "linear", "quadratic")),
                "Whether mistakes between classes far apart in their order count more.",
                Choice("none"),
            ),
        ),
        formula="(p_o - p_e) / (1 - p_e), p_e = Σ row_k · column_k / n²",
        reference="Cohen, 1960, A coefficient of agreement for nominal scales",
    ),
    MetricRecord(
        "matthews",
        "Correlation of answers and classes (Matthews); 1 is perfect, 0 is chance.",
        _factory("counts:matthews"),
        reference="Gorodkin, 2004, Comparing two K-category assignments by a K-category correlation coefficient",
    ),
    MetricRecord(
        "iou",
        "Intersection over union of the pixels answered and those of a class (Jaccard index).",
        _factory("counts:iou"),
        (_AVERAGE,),
        percent=True,
        formula="TP / (TP + FP + FN)",
    ),
    MetricRecord(
        "dice",
        "Twice the intersection over the sum of the pixels answered and those of a class; it is the F1 of the pixels.",
        _factory("counts:dice"),
        (_AVERAGE,),
        percent=True,
        formula="2 TP / (2 TP + FP + FN) = 2 IoU / (1 + IoU)",
        reference="Dice, 1945, Measures of the amount of ecologic association between species",
    ),
    MetricRecord(
        "confusion",
        "Share of right answers; the report draws which class is taken for which.",
        _factory("counts:confusion"),
        (
            Argument(
                "show",
                OneOf(("counts", "truth", "answers")),
                "What is drawn: counts, shares of each true class, or shares of the answers for each class.",
                Choice("truth"),
            ),
        ),
        percent=True,
        picture=_factory("pictures:confusion"),
    ),
)

_CURVES = (
    MetricRecord(
        "roc",
        "Area under the ROC curve (AUC), each class against the rest; the report draws the curves.",
        _factory("curves:roc"),
        (_CURVE_AVERAGE, _THRESHOLDS),
        formula="area under TP / (TP + FN) over FP / (FP + TN), by trapezoids",
        reference=_FAWCETT,
        picture=_factory("pictures:roc"),
    ),
    MetricRecord(
        "pr",
        "Average precision, each class against the rest; the report draws the precision-recall curves.",
        _factory("curves:pr"),
        (_CURVE_AVERAGE, _THRESHOLDS),
        formula="Σ (R_n - R_{n-1}) P_n over the thresholds",
        reference="Davis and Goadrich, 2006, The relationship between precision-recall and ROC curves",
        picture=_factory("pictures:pr"),
    ),
    MetricRecord(
        "calibration_error",
        "How far the network's confidence is from how often it is right.",
        _factory("curves:calibration_error"),
        (
            Argument("bins", Integer(), "Bins of confidence.", 15),
            Argument(
                "norm",
                OneOf(("l1", "l2", "max")),
                "Mean distance of the bins, root of the mean square, or largest.",
                Choice("l1"),
            ),
        ),
        higher_is_better=False,
        formula="Σ n_b / n · |accuracy_b - confidence_b| over the bins b (l1)",
        reference="Guo et al., 2017, arXiv:1706.04599",
    ),
)

_DETECTION = (
    MetricRecord(
        "mean_average_precision",
        "Mean over classes and overlaps of the average precision of boxes (COCO's mAP).",
        _factory("detection:mean_average_precision"),
        (
            Argument(
                "overlap",
                Optional(Real(0, 1)),
                "The least IoU at which a box is found; none is the mean over 0.50, 0.55, … 0.95.",
                None,
            ),
            Argument("format", OneOf(("xyxy", "xywh", "cxcywh")), "How boxes are written, in pixels.", Choice("xyxy")),
            Argument(
                "size",
                OneOf(("all", "small", "medium", "large")),
                "Which objects count: all, below 32², up to 96², or above 96² pixels.",
                Choice("all"),
            ),
            Argument("most", Integer(), "How many boxes of an image count, those with the highest scores.", 100),
        ),
        percent=True,
        formula="mean of Σ P at recall 0, 0.01, … 1, over 101",
        reference="Lin et al., 2014, arXiv:1405.0312; Everingham et al., 2010",
        tasks=("detection",),
        extra="faster-coco-eval (the extra `detection`)",
    ),
)

METRICS = (*_COUNTS, *_CURVES, *_DETECTION)
