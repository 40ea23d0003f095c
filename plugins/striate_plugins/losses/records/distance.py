"""The records of the losses that compare numbers, and of the hinges."""

from striate.plugin import Argument, Choice, Factory, Flag, LossExample, LossRecord, OneOf, Real
from striate_plugins.losses.records.arguments import INFINITE, MARGIN

_REGRESSION = "striate_plugins.losses.regression"
_MARGIN = "striate_plugins.losses.margin"
_ENTRIES = "mean over all entries"
_FIVE, _ZEROS = [0.0, 0.5, 1.0, 2.0, -3.0], [0.0] * 5

RECORDS = (
    LossRecord(
        "mse",
        "Mean squared error.",
        Factory(f"{_REGRESSION}:mse"),
        reference="Gauss, 1809, Theoria motus corporum coelestium",
        formula="L = (x - t)²",
        reduction=_ENTRIES,
        range=(0.0, INFINITE),
        output="values",
        target="values",
        examples=(LossExample((_FIVE, _ZEROS), 2.85),),
    ),
    LossRecord(
        "half_mse",
        "Half the mean squared error, whose gradient is the error itself.",
        Factory(f"{_REGRESSION}:half_mse"),
        reference="Bishop, Pattern recognition and machine learning, 2006, equation 1.2",
        formula="L = ½ (x - t)²",
        reduction=_ENTRIES,
        range=(0.0, INFINITE),
        output="values",
        target="values",
        examples=(LossExample((_FIVE, _ZEROS), 1.425),),
    ),
    LossRecord(
        "mae",
        "Mean absolute error.",
        Factory(f"{_REGRESSION}:mae"),
        reference="Laplace, 1774, Mémoire sur la probabilité des causes par les événements",
        formula="L = |x - t|",
        reduction=_ENTRIES,
        range=(0.0, INFINITE),
        output="values",
        target="values",
        examples=(LossExample((_FIVE, _ZEROS), 1.3),),
    ),
    LossRecord(
        "huber",
        "Squared error of small distances, absolute error of large ones.",
        Factory(f"{_REGRESSION}:huber"),
        (Argument("delta", Real(1e-6), "Where the parabola becomes a line, and the slope of that.", 1.0),),
        reference="Huber, 1964, Robust estimation of a location parameter",
        formula="L = ½ r² where |r| ≤ δ, else δ |r| - ½ δ², r = x - t",
        reduction=_ENTRIES,
        range=(0.0, INFINITE),
        output="values",
        target="values",
        examples=(
            LossExample(([0.5, 1.0, 2.0], [0.0, 0.0, 0.0]), 0.7083333333333334, note="0.125, 0.5 and 1.5"),
            LossExample(([3.0], [0.0]), 4.0, {"delta": 2.0}),
        ),
    ),
    LossRecord(
        "smooth_l1",
        "Squared error of small distances, absolute error of large ones, with a slope of 1.",
        Factory(f"{_REGRESSION}:smooth_l1"),
        (Argument("beta", Real(1e-6), "Where the parabola becomes a line.", 1.0),),
        reference="Girshick, 2015, arXiv:1504.08083, equation 3",
        formula="L = ½ r² / β where |r| < β, else |r| - ½ β, r = x - t",
        reduction=_ENTRIES,
        range=(0.0, INFINITE),
        output="values",
        target="values",
        examples=(LossExample((_FIVE, _ZEROS), 0.925, note="0, 0.125, 0.5, 1.5 and 2.5"),),
    ),
    LossRecord(
        "hinge",
        "What a score lacks to a margin on its right side.",
        Factory(f"{_MARGIN}:hinge"),
        (MARGIN,),
        reference="Cortes and Vapnik, 1995, Support-vector networks",
        formula="L = max(0, m - y s), y = ±1",
        reduction=_ENTRIES,
        range=(0.0, INFINITE),
        target="signs",
        examples=(
            LossExample(([[0.3]], [[1.0]]), 0.7, note="right, but within the margin"),
            LossExample(([[-0.3]], [[1.0]]), 1.3),
            LossExample(([[2.0]], [[1.0]]), 0.0),
        ),
    ),
    LossRecord(
        "squared_hinge",
        "The square of what a score lacks to a margin on its right side.",
        Factory(f"{_MARGIN}:squared_hinge"),
        (MARGIN,),
        reference="Tang, 2013, arXiv:1306.0239, equation 5",
        formula="L = max(0, m - y s)², y = ±1",
        reduction=_ENTRIES,
        range=(0.0, INFINITE),
        target="signs",
        examples=(LossExample(([[0.5, -0.5]], [[1.0, 1.0]]), 1.25),),
    ),
    LossRecord(
        "multi_class_hinge",
        "What the right class lacks to a lead over the wrong ones.",
        Factory(f"{_MARGIN}:multi_class_hinge"),
        (
            MARGIN,
            Argument(
                "form",
                OneOf(("worst", "all")),
                "Against the best wrong class, or against all, over K.",
                Choice("worst"),
            ),
            Argument("squared", Flag(), "Square every term.", False),
        ),
        reference="Crammer and Singer, 2001, equation 2 (worst); Weston and Watkins, 1999, equation 3 (all)",
        formula="worst: L = max(0, m + max_{k≠y} s_k - s_y); all: L = Σ_{k≠y} max(0, m + s_k - s_y) / K",
        reduction="mean over images or pixels",
        range=(0.0, INFINITE),
        examples=(
            LossExample(([[1.0, 2.0, 3.0]], [0]), 3.0),
            LossExample(([[1.0, 2.0, 3.0]], [0]), 1.6666666666666667, {"form": "all"}),
        ),
    ),
)
