"""Records of the optimizers that scale every entry of the step by what its gradients were."""

from striate.plugin import Argument, Choice, Flag, OneOf, OptimizerRecord, Real
from striate_plugins.optimizers.written import BETA1, BETA2, DECAY, eps, made_by, rate, weight_decay

_SHARE = Real(0, 1, open_maximum=True)
_MOMENTS = "m ← beta1 · m + (1 - beta1) · g,  v ← beta2 · v + (1 - beta2) · g²\n"
_CORRECTED = "m̂ = m / (1 - beta1ᵗ),  v̂ = v / (1 - beta2ᵗ),  t = 1, 2, …\n"
_COUPLED = "\ndecay = coupled: g ← ∇L(θ) + weight_decay · θ;  decoupled: first θ ← θ - lr · weight_decay · θ"

ADAPTIVE = (
    OptimizerRecord(
        "adagrad",
        "Steps divided by the root of the sum of all squared gradients so far.",
        made_by("adaptive_torch", "adagrad"),
        (
            rate(0.01),
            Argument("lr_decay", Real(0), "By which the rate falls: lr / (1 + (t - 1) · lr_decay).", 0.0),
            eps(1e-10),
            Argument("start", Real(0), "The sum at the start.", 0.0),
            weight_decay(),
            DECAY,
        ),
        reference="Duchi et al., 2011, Adaptive subgradient methods for online learning and stochastic optimization",
        formula="G ← G + g²,  θ ← θ - lr · g / (√G + eps)" + _COUPLED,
    ),
    OptimizerRecord(
        "rmsprop",
        "Steps divided by the root of the running mean of the squared gradients.",
        made_by("adaptive_torch", "rmsprop"),
        (
            rate(0.001),
            Argument("rho", _SHARE, "Memory of the mean of the squares; torch's own default is 0.99.", 0.9),
            eps(1e-8),
            Argument("momentum", _SHARE, "Share of the last step that is kept.", 0.0),
            Argument(
                "centred", Flag(), "Whether the squared mean of the gradients is taken off the mean square.", False
            ),
            weight_decay(),
            DECAY,
        ),
        reference="Tieleman and Hinton, 2012, Neural networks for machine learning, lecture 6.5; centred: Graves, 2013",
        formula="E ← rho · E + (1 - rho) · g²,  θ ← θ - lr · g / (√E + eps)" + _COUPLED,
    ),
    OptimizerRecord(
        "adadelta",
        "Steps in the units of the weights, by the ratio of two running means; needs no rate.",
        made_by("adaptive_torch", "adadelta"),
        (
            rate(1.0),
            Argument("rho", _SHARE, "Memory of both means; torch's own default is 0.9.", 0.95),
            eps(1e-6),
            weight_decay(),
            DECAY,
        ),
        reference="Zeiler, 2012, arXiv:1212.5701, algorithm 1",
        formula=(
            "E ← rho · E + (1 - rho) · g²,  d = √(D + eps) / √(E + eps) · g\n"
            "D ← rho · D + (1 - rho) · d²,  θ ← θ - lr · d" + _COUPLED
        ),
    ),
    OptimizerRecord(
        "adam",
        "Adam: steps scaled by the running mean of the squared gradients.",
        made_by("adaptive_torch", "adam"),
        (rate(0.001), BETA1, BETA2, eps(1e-8), weight_decay(), DECAY),
        reference="Kingma and Ba, 2014, arXiv:1412.6980",
        formula=_MOMENTS + _CORRECTED + "θ ← θ - lr · m̂ / (√v̂ + eps)" + _COUPLED,
    ),
    OptimizerRecord(
        "adamw",
        "Adam with the weight decay apart from the gradient.",
        made_by("adaptive_torch", "adamw"),
        (rate(0.001), BETA1, BETA2, eps(1e-8), weight_decay(0.01)),
        reference="Loshchilov and Hutter, 2017, arXiv:1711.05101",
        formula="θ ← θ - lr · weight_decay · θ\n" + _MOMENTS + _CORRECTED + "θ ← θ - lr · m̂ / (√v̂ + eps)",
    ),
    OptimizerRecord(
        "amsgrad",
        "Adam with the largest mean of the squares so far, which makes its proof of convergence sound.",
        made_by("adaptive_torch", "amsgrad"),
        (rate(0.001), BETA1, BETA2, eps(1e-8), weight_decay(), DECAY),
        reference="Reddi et al., 2018, arXiv:1904.09237, algorithm 2, with Adam's corrections as in torch",
        formula=(
            _MOMENTS + "w ← max(w, v),  m̂ = m / (1 - beta1ᵗ),  ŵ = w / (1 - beta2ᵗ)\n"
            "θ ← θ - lr · m̂ / (√ŵ + eps)" + _COUPLED
        ),
    ),
    OptimizerRecord(
        "adamax",
        "Adam with the largest gradient, slowly forgotten, in place of the mean of the squares.",
        made_by("adaptive_torch", "adamax"),
        (rate(0.002), BETA1, BETA2, eps(1e-8), weight_decay(), DECAY),
        reference="Kingma and Ba, 2014, arXiv:1412.6980, section 7.1",
        formula="m ← beta1 · m + (1 - beta1) · g,  u ← max(beta2 · u, |g| + eps)\nθ ← θ - lr · m / (1 - beta1ᵗ) / u"
        + _COUPLED,
    ),
    OptimizerRecord(
        "nadam",
        "Adam that looks ahead along its momentum. Three forms are in use, and they differ.",
        made_by("nadam", "nadam"),
        (
            rate(0.002),
            BETA1,
            BETA2,
            eps(1e-8),
            weight_decay(),
            Argument(
                "form",
                OneOf(("scheduled", "constant", "simplified")),
                "Which of them: Dozat's momentum schedule, as in torch (scheduled), his form with a constant momentum "
                "(constant), or that of Ruder's overview, whose first steps are almost twice as long (simplified).",
                Choice("scheduled"),
            ),
            Argument("momentum_decay", Real(0), "Of the schedule; Dozat's is 0.004.", 0.004),
            DECAY,
        ),
        reference="Dozat, 2016, Incorporating Nesterov momentum into Adam; simplified: Ruder, 2016, arXiv:1609.04747",
        formula=(
            _MOMENTS + "scheduled: μₜ = beta1 · (1 - 0.96^(t · momentum_decay) / 2),  Pₜ = μ₁ · … · μₜ,\n"
            "  θ ← θ - lr · (μₜ₊₁ · m / (1 - Pₜ₊₁) + (1 - μₜ) · g / (1 - Pₜ)) / (√v̂ + eps)\n"
            "constant: θ ← θ - lr · (beta1 · m / (1 - beta1ᵗ⁺¹) + (1 - beta1) · g / (1 - beta1ᵗ)) / (√v̂ + eps)\n"
            "simplified: θ ← θ - lr · (beta1 · m / (1 - beta1ᵗ) + (1 - beta1) · g / (1 - beta1ᵗ)) / (√v̂ + eps)"
            + _COUPLED
        ),
    ),
    OptimizerRecord(
        "radam",
        "Adam whose first steps are as short as the little that is known of the squares allows.",
        made_by("adaptive_torch", "radam"),
        (rate(0.001), BETA1, BETA2, eps(1e-8), weight_decay(), DECAY),
        reference="Liu et al., 2019, arXiv:1908.03265, algorithm 2",
        formula=(
            _MOMENTS + "n = 2 / (1 - beta2) - 1,  s = n - 2t · beta2ᵗ / (1 - beta2ᵗ)\n"
            "s > 5:  r = √((s - 4)(s - 2) · n / ((n - 4)(n - 2) · s)),\n"
            "        θ ← θ - lr · r · m̂ · √(1 - beta2ᵗ) / (√v + eps)\n"
            "else:   θ ← θ - lr · m̂" + _COUPLED
        ),
    ),
    OptimizerRecord(
        "lion",
        "Steps of one size in every entry, by the sign of a momentum. Wants rates 3 to 10 times lower than Adam.",
        made_by("lion", "Lion"),
        (
            rate(1e-4),
            BETA1,
            Argument("beta2", _SHARE, "Memory of the momentum that is kept.", 0.99),
            weight_decay(),
        ),
        reference="Chen et al., 2023, arXiv:2302.06675, algorithm 2",
        formula=(
            "c = beta1 · m + (1 - beta1) · g,  θ ← θ - lr · (sign(c) + weight_decay · θ)\n"
            "m ← beta2 · m + (1 - beta2) · g"
        ),
    ),
)
