"""Records of the optimizers that look at a weight as a whole: its norm, or its gradient as a matrix."""

from striate.plugin import Argument, Choice, Flag, OneOf, OptimizerRecord, Real
from striate_plugins.optimizers.written import BETA1, BETA2, eps, made_by, rate, weight_decay

_SHARE = Real(0, 1, open_maximum=True)
_VECTORS = Argument(
    "vectors",
    OneOf(("plain", "scaled")),
    "What is done with biases and norms, whose norms say little: a plain step without decay, or as with kernels.",
    Choice("plain"),
)

LAYERWISE = (
    OptimizerRecord(
        "lars",
        "Momentum with a rate per weight, by the ratio of its norm to that of its gradient. For very large batches.",
        made_by("trust", "Lars"),
        (
            rate(),
            Argument("momentum", _SHARE, "Share of the last step that is kept.", 0.9),
            weight_decay(),
            Argument("trust", Real(0), "The trust coefficient: a step's norm as a share of the weight's.", 0.001),
            _VECTORS,
        ),
        reference="You et al., 2017, arXiv:1708.03888, algorithm 1",
        formula=(
            "λ = trust · ‖θ‖ / (‖g‖ + weight_decay · ‖θ‖);  1 where a norm is 0\n"
            "v ← momentum · v + lr · λ · (g + weight_decay · θ),  θ ← θ - v"
        ),
    ),
    OptimizerRecord(
        "lamb",
        "Adam's step with a length per weight, in proportion to the weight's norm. For very large batches.",
        made_by("trust", "Lamb"),
        (
            rate(0.001),
            BETA1,
            BETA2,
            eps(1e-6),
            weight_decay(0.01),
            Argument("bound", Real(0), "The largest norm of a weight that counts.", 10.0),
            _VECTORS,
        ),
        reference="You et al., 2019, arXiv:1904.00962, algorithm 2",
        formula=(
            "m, v, m̂, v̂ as in Adam,  u = m̂ / (√v̂ + eps) + weight_decay · θ\n"
            "θ ← θ - lr · min(‖θ‖, bound) / ‖u‖ · u;  the ratio is 1 where a norm is 0"
        ),
    ),
    OptimizerRecord(
        "adafactor",
        "Squares of gradients kept as sums over rows and columns, which takes almost no memory.",
        made_by("adaptive_torch", "adafactor"),
        (
            rate(0.01),
            Argument("beta2_decay", Real(-1, 0), "The power of t in 1 - beta2.", -0.8),
            Argument("eps2", Real(0), "The smallest scale of a weight.", 1e-3),
            Argument("d", Real(1), "The largest root mean square of a step before it is scaled down.", 1.0),
            weight_decay(),
        ),
        reference="Shazeer and Stern, 2018, arXiv:1804.04235, algorithms 4 and 5, with a rate as in torch",
        formula=(
            "r, c: running means of g² over rows and over columns,  v = r · c / mean(r),  u = g / √v\n"
            "θ ← θ - min(lr, 1/√t) · max(eps2, rms(θ)) · u / max(1, rms(u) / d)"
        ),
    ),
    OptimizerRecord(
        "muon",
        "Momentum made orthogonal for kernels, as matrices of one row per output; AdamW for biases and norms.",
        made_by("muon", "Muon"),
        (
            rate(0.02),
            Argument("momentum", _SHARE, "Memory of the mean of the gradients.", 0.95),
            Argument("nesterov", Flag(), "Look ahead along the momentum.", True),
            weight_decay(),
            Argument(
                "scale",
                OneOf(("original", "match_rms_adamw")),
                "By what the rate of a matrix of A rows and B columns is multiplied: √max(1, A/B), or 0.2 · √max(A, B) "
                "with which rates for AdamW suit (Liu et al., 2025).",
                Choice("original"),
            ),
            Argument(
                "dense",
                OneOf(("muon", "adamw")),
                "Which of the two trains the matrices of dense layers.",
                Choice("muon"),
            ),
            Argument("adamw_lr", Real(0), "Rate of AdamW.", 3e-4),
            BETA1,
            Argument("beta2", _SHARE, "AdamW's memory of the squares.", 0.95),
            eps(1e-10),
        ),
        reference="Jordan et al., 2024, Muon: an optimizer for hidden layers in neural networks; Liu et al., 2025, "
        "arXiv:2502.16982",
        formula=(
            "m ← momentum · m + (1 - momentum) · g,  n = momentum · m + (1 - momentum) · g;  without nesterov n = m\n"
            "O = U·Vᵀ of n = U·S·Vᵀ, nearly, by five steps  X ← 3.4445·X - 4.7750·X·Xᵀ·X + 2.0315·X·Xᵀ·X·Xᵀ·X\n"
            "θ ← θ - lr · weight_decay · θ - lr · scale · O"
        ),
    ),
)
