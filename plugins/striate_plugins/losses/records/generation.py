"""The records of the losses that take several tensors: teachers, critics, features of images."""

from striate.plugin import Argument, Choice, Factory, LossExample, LossRecord, OneOf, Optional, Real
from striate_plugins.losses.records.arguments import INFINITE, Weights

_DISTILLATION = "striate_plugins.losses.distillation"
_ADVERSARIAL = "striate_plugins.losses.adversarial"
_FEATURES = "striate_plugins.losses.image_features"
_FORM = Argument(
    "form",
    OneOf(("minimax", "non_saturating", "least_squares", "wasserstein", "hinge")),
    "Which game is played.",
    Choice("non_saturating"),
)
_GAMES = (
    "Goodfellow et al., 2014, arXiv:1406.2661, equation 1 and section 3; least squares: Mao et al., 2017, "
    "arXiv:1611.04076, equation 9; Wasserstein: Arjovsky et al., 2017, arXiv:1701.07875; hinge: Lim and Ye, 2017, "
    "arXiv:1705.02894"
)
_MAP = [[[[1.0, 2.0]], [[3.0, 4.0]]]]
_EMPTY = [[[[0.0, 0.0]], [[0.0, 0.0]]]]

RECORDS = (
    LossRecord(
        "distillation",
        "A student's softened answers are to be those of a teacher; a share of it may be cross-entropy with classes.",
        Factory(f"{_DISTILLATION}:distillation"),
        (
            Argument("temperature", Real(1e-3), "What scores are divided by before the softmax.", 4.0),
            Argument("hard_weight", Real(0, 1), "Share of cross-entropy with the class numbers.", 0.0),
        ),
        reference="Hinton et al., 2015, arXiv:1503.02531, section 2",
        applies="softmax",
        formula="L = (1 - h) T² KL(softmax(t / T) || softmax(s / T)) + h CE(s, y); called with s, t "
        "and, where h > 0, y",
        reduction="mean over images or pixels",
        range=(0.0, INFINITE),
        output="tensors",
        target="tensors",
        examples=(
            LossExample(
                ([[1.0, 1.0, 0.0]], [[2.0, 1.0, 0.0]]), 0.1239624513325, {"temperature": 2.0}, note="2² · 0.0309906"
            ),
            LossExample(([[1.0, 1.0, 0.0]], [[2.0, 1.0, 0.0]]), 0.1196297954, {"temperature": 1.0}),
        ),
    ),
    LossRecord(
        "gan_critic",
        "What the critic of a generative adversarial network makes small.",
        Factory(f"{_ADVERSARIAL}:gan_critic"),
        (_FORM,),
        reference=_GAMES,
        applies="sigmoid",
        formula="minimax and non_saturating: L = -log σ(r) - log(1 - σ(f)); least_squares: ½ (r - 1)² + ½ f²; "
        "wasserstein: f - r; hinge: max(0, 1 - r) + max(0, 1 + f); called with the scores r of real images and f of "
        "made ones",
        reduction="mean over all entries, of each kind apart",
        output="tensors",
        target="tensors",
        examples=(
            LossExample(
                ([[0.0]], [[0.0]]), 1.3862943611198906, note="D = ½: 2 ln 2, the value of the game with a minus"
            ),
            LossExample(([[0.0]], [[0.0]]), 0.5, {"form": "least_squares"}),
            LossExample(([[3.0]], [[1.0]]), -2.0, {"form": "wasserstein"}),
            LossExample(([[0.5]], [[-0.25]]), 1.25, {"form": "hinge"}),
        ),
    ),
    LossRecord(
        "gan_generator",
        "What the generator of a generative adversarial network makes small.",
        Factory(f"{_ADVERSARIAL}:gan_generator"),
        (_FORM,),
        reference=_GAMES,
        applies="sigmoid",
        formula="minimax: L = log(1 - σ(f)); non_saturating: -log σ(f); least_squares: ½ (f - 1)²; wasserstein and "
        "hinge: -f; called with the scores f of made images",
        reduction="mean over all entries",
        output="tensors",
        target="tensors",
        examples=(
            LossExample(([[0.0]],), 0.6931471805599453, note="D = ½"),
            LossExample(([[0.0]],), -0.6931471805599453, {"form": "minimax"}, note="D = ½"),
            LossExample(([[0.0]],), 0.5, {"form": "least_squares"}),
        ),
    ),
    LossRecord(
        "gradient_penalty",
        "Holds the slopes of a Wasserstein critic near 1, between real and made images.",
        Factory(f"{_ADVERSARIAL}:gradient_penalty"),
        (
            Argument("weight", Real(0), "The factor lambda.", 10.0),
            Argument("norm", Real(0), "The length that the gradients are drawn to.", 1.0),
        ),
        reference="Gulrajani et al., 2017, arXiv:1704.00028, equation 3",
        formula="L = λ (|∇ D(x)| - 1)², x = u r + (1 - u) f, u even in [0, 1]; called with the function D, "
        "real images r, made images f and, if you like, u",
        reduction="mean over images",
        range=(0.0, INFINITE),
        output="tensors",
        target="tensors",
        examples=(
            LossExample(
                (lambda images: 3 * images[:, 0] + 4 * images[:, 1], [[1.0, 2.0]], [[0.0, 0.0]]),
                160.0,
                note="a critic with the slope 5 everywhere",
            ),
        ),
    ),
    LossRecord(
        "content",
        "Squared distance of the features of two images.",
        Factory(f"{_FEATURES}:content"),
        (
            Argument(
                "reduction", OneOf(("mean", "sum")), "Over the entries; over images it is the mean.", Choice("mean")
            ),
        ),
        reference="Gatys et al., 2016, equation 1 (half the sum); Johnson et al., 2016, "
        "arXiv:1603.08155, equation 2 (mean)",
        formula="L = |F(x) - F(t)|², or that per entry; called with the two maps F",
        reduction="mean over all entries, or sum over those of an image",
        range=(0.0, INFINITE),
        output="tensors",
        target="tensors",
        examples=(
            LossExample((_MAP, _EMPTY), 7.5),
            LossExample((_MAP, _EMPTY), 30.0, {"reduction": "sum"}),
        ),
    ),
    LossRecord(
        "style",
        "Squared distance of the Gram matrices of features: which channels go together, wherever that is.",
        Factory(f"{_FEATURES}:style"),
        (
            Argument(
                "normalise",
                OneOf(("size", "gatys", "none")),
                "Gram matrices over C H W; the distance over 4 C² (H W)²; or nothing.",
                Choice("size"),
            ),
            Argument("weights", Optional(Weights("layer")), "How much each layer counts; none counts all alike.", None),
        ),
        reference="Gatys et al., 2016, Image style transfer using CNNs, equations 3 to 5; Johnson et al., 2016, "
        "arXiv:1603.08155, equation 4",
        formula="L = Σ_l w_l |G(F_l(x)) - G(F_l(t))|², G = F Fᵀ with F as C x (H W); called with two lists of maps",
        reduction="sum over layers and entries, mean over images",
        range=(0.0, INFINITE),
        output="tensors",
        target="tensors",
        examples=(
            LossExample(((_MAP,), (_EMPTY,)), 892.0, {"normalise": "none"}, note="G = [[5, 11], [11, 25]]"),
            LossExample(((_MAP,), (_EMPTY,)), 13.9375, {"normalise": "gatys"}, note="892 / (4 · 2² · 2²)"),
            LossExample(((_MAP,), (_EMPTY,)), 55.75, note="892 / 4²"),
        ),
    ),
    LossRecord(
        "perceptual",
        "Squared error of an image and of what a fixed network sees in it.",
        Factory(f"{_FEATURES}:perceptual"),
        (
            Argument("weight", Real(0), "The weight of the features.", 1.0),
            Argument("pixel_weight", Real(0), "The weight of the pixels.", 1.0),
        ),
        reference="Johnson et al., 2016, arXiv:1603.08155, equation 2; Ledig et al., 2017, "
        "arXiv:1609.04802, section 2.2",
        formula="L = μ MSE(x, t) + λ Σ_l MSE(F_l(x), F_l(t)); called with the image made, the image wanted "
        "(same size), and the lists of maps F of both",
        reduction="mean over all entries",
        range=(0.0, INFINITE),
        output="tensors",
        target="tensors",
        examples=(LossExample((_MAP, _EMPTY, (_MAP,), (_EMPTY,)), 8.25, {"weight": 0.1}, note="7.5 + 0.1 · 7.5"),),
    ),
    LossRecord(
        "total_variation",
        "How much neighbouring pixels of an image differ.",
        Factory(f"{_FEATURES}:total_variation"),
        (
            Argument(
                "form",
                OneOf(("absolute", "squared", "length")),
                "Sum of both differences, of their squares, or of the lengths of the gradients.",
                Choice("absolute"),
            ),
        ),
        reference="Rudin et al., 1992, Nonlinear total variation based noise removal algorithms",
        formula="absolute: L = Σ |x_{i+1,j} - x_ij| + |x_{i,j+1} - x_ij|; called with images",
        reduction="sum over places, divided by the number of entries",
        range=(0.0, INFINITE),
        output="tensors",
        target="tensors",
        examples=(
            LossExample(([[[[0.0, 1.0], [2.0, 4.0]]]],), 2.0, note="2 + 3 + 1 + 2, over 4"),
            LossExample(([[[[0.0, 1.0], [2.0, 4.0]]]],), 0.5590169943749475, {"form": "length"}, note="√5 over 4"),
        ),
    ),
)
