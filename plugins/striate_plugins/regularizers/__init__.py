"""Regularisers: terms of the loss, and changes after the step, that keep weights small or in order."""

from striate.plugin import Argument, Factory, Real, RegularizerRecord

_GOODFELLOW = "Goodfellow et al., 2016, Deep Learning, section 7.1"


def _factory(name: str) -> Factory:
    return Factory(f"striate_plugins.regularizers.{name}")


def _rate(name: str = "rate") -> Argument:
    return Argument(name, Real(0), "How much the term counts, λ of the formula.")


REGULARIZERS = (
    RegularizerRecord(
        "l1",
        "Sum of the weights' absolute values (lasso): many weights end near 0.",
        _factory("penalties:l1"),
        (_rate(),),
        formula="λ Σ |w|, gradient λ sign(w), which is 0 at 0",
        reference="Tibshirani, 1996, Regression shrinkage and selection via the lasso",
    ),
    RegularizerRecord(
        "l2",
        "Sum of the weights' squares, without the factor 1/2: Keras' l2, and twice the weight decay of plain SGD.",
        _factory("penalties:l2"),
        (_rate(),),
        formula="λ Σ w², gradient 2λ w",
        reference=_GOODFELLOW,
    ),
    RegularizerRecord(
        "l2_half",
        "Half the sum of the weights' squares (ridge): what weight_decay adds to the gradient in torch's sgd and adam.",
        _factory("penalties:l2_half"),
        (_rate(),),
        formula="λ/2 Σ w², gradient λ w",
        reference=_GOODFELLOW,
    ),
    RegularizerRecord(
        "elastic_net",
        "Absolute values and squares together, these without the factor 1/2: l1 and l2.",
        _factory("penalties:elastic_net"),
        (_rate("l1"), _rate("l2")),
        formula="λ₁ Σ |w| + λ₂ Σ w²",
        reference="Zou and Hastie, 2005, Regularization and variable selection via the elastic net",
    ),
    RegularizerRecord(
        "elastic_net_half",
        "Absolute values and squares together, these with the factor 1/2: l1 and l2_half.",
        _factory("penalties:elastic_net_half"),
        (_rate("l1"), _rate("l2")),
        formula="λ₁ Σ |w| + λ₂/2 Σ w²",
        reference="Zou and Hastie, 2005, Regularization and variable selection via the elastic net",
    ),
    RegularizerRecord(
        "group_lasso",
        "Sum of the lengths of the output channels' weights: whole channels end near 0 and can be taken out.",
        _factory("penalties:group_lasso"),
        (_rate(),),
        formula="λ Σ √n ‖w_o‖₂ over the output channels o, n weights each",
        reference="Yuan and Lin, 2006; Wen et al., 2016, arXiv:1608.03665",
    ),
    RegularizerRecord(
        "orthogonal",
        "How far the output channels' weights are from standing at right angles to each other with length 1.",
        _factory("penalties:orthogonal"),
        (_rate(),),
        formula="λ Σ ‖W Wᵀ - I‖²_F for W of out x (in · kernel), and ‖Wᵀ W - I‖²_F where out is the larger",
        reference="Bansal et al., 2018, arXiv:1810.09102, equation 2",
    ),
    RegularizerRecord(
        "spectral",
        "Half the squared spectral norms: the most by which each matrix stretches what goes in.",
        _factory("penalties:spectral"),
        (_rate(),),
        formula="λ/2 Σ s(W)², s the largest singular value of W of out x (in · kernel)",
        reference="Yoshida and Miyato, 2017, arXiv:1705.10941, equation 2",
    ),
    RegularizerRecord(
        "max_norm",
        "After every step, the weights of an output channel that are longer than allowed are shortened to that.",
        _factory("constraints:max_norm"),
        (Argument("limit", Real(1e-6), "The largest Euclidean length.", 3.0),),
        formula="w_o ← w_o · min(1, limit / ‖w_o‖₂)",
        reference="Srivastava et al., 2014, Dropout, section 5.1",
        after_step=True,
    ),
    RegularizerRecord(
        "unit_norm",
        "After every step, the weights of every output channel are brought to length 1.",
        _factory("constraints:unit_norm"),
        formula="w_o ← w_o / ‖w_o‖₂",
        after_step=True,
    ),
    RegularizerRecord(
        "non_negative",
        "After every step, weights below 0 become 0.",
        _factory("constraints:non_negative"),
        formula="w ← max(w, 0)",
        after_step=True,
    ),
)
