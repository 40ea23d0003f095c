"""What works around an optimizer."""

from striate.plugin import Argument, Factory, Flag, Integer, Real, WrapperRecord

WRAPPERS = (
    WrapperRecord(
        "lookahead",
        "Lookahead: every k steps slow weights go a share of the way of the fast ones, which begin there anew.",
        Factory("striate_plugins.wrappers.lookahead:Lookahead"),
        (
            Argument("k", Integer(), "Steps of the optimizer between two of the slow weights.", 5),
            Argument("alpha", Real(0, 1), "The share of the way.", 0.5),
        ),
        reference="Zhang et al., 2019, arXiv:1907.08610, algorithm 1; the slow weights are measured and saved",
        formula="every k steps:  φ ← φ + alpha · (θ - φ),  θ ← φ",
    ),
    WrapperRecord(
        "sam",
        "Sharpness-aware minimisation: the step follows the gradient at the worst place nearby. Takes two passes.",
        Factory("striate_plugins.wrappers.sam:SharpnessAware"),
        (
            Argument("rho", Real(0), "How far the worst place is looked for.", 0.05),
            Argument(
                "adaptive", Flag(), "Whether distances are relative to the weights (ASAM; rho is about 0.5).", False
            ),
        ),
        reference="Foret et al., 2020, arXiv:2010.01412; adaptive: Kwon et al., 2021, arXiv:2102.11600",
        formula=(
            "g = ∇L(θ),  ε = rho · g / ‖g‖;  adaptive: ε = rho · θ² · g / ‖|θ| · g‖\n"
            "θ ← the optimizer's step from θ with the gradient ∇L(θ + ε)"
        ),
    ),
)
