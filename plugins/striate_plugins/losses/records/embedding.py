"""The records of the losses of embeddings."""

from striate.plugin import Argument, Choice, Factory, Flag, LossExample, LossRecord, OneOf, Real
from striate_plugins.losses.records.arguments import INFINITE

_TRIPLET = "striate_plugins.losses.triplet"
_CONTRAST = "striate_plugins.losses.contrast"
_CENTRES = "striate_plugins.losses.class_centres"
_THREE = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.2]]
_RAW = {"normalise": False}
_DIRECTIONS = {"weight": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]}
_SIZES = {"features": 3, "classes": 2}
_VIEWS = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
_SQUARED = Argument("squared", Flag(), "Compare squared distances.", True)

RECORDS = (
    LossRecord(
        "triplet",
        "Images of one class are to be closer to each other than to images of others, by a margin.",
        Factory(f"{_TRIPLET}:triplet"),
        (
            Argument("margin", Real(0), "By how much another class has to be farther.", 0.2),
            Argument(
                "mining",
                OneOf(("all", "hard", "semi_hard")),
                "Which triplets of a batch count: all that cost something, the hardest per image, or per pair the "
                "nearest of another class that is farther than the pair.",
                Choice("semi_hard"),
            ),
            _SQUARED,
            Argument("normalise", Flag(), "Bring embeddings to length 1 first.", True),
        ),
        reference="Schroff et al., 2015, arXiv:1503.03832, equation 3; hard and all: Hermans et al., 2017, "
        "arXiv:1703.07737",
        formula="L = max(0, d(a, p) - d(a, n) + m), d the squared distance, or the distance",
        reduction="all: mean over the triplets above 0; hard: mean over images; semi_hard: mean over pairs",
        range=(0.0, INFINITE),
        output="embeddings",
        examples=(
            LossExample((_THREE, [0, 0, 1]), 0.16, {**_RAW, "mining": "all"}),
            LossExample((_THREE, [0, 0, 1]), 0.08, {**_RAW, "mining": "hard"}, note="0.16 and 0"),
            LossExample((_THREE, [0, 0, 1]), 0.08, {**_RAW, "mining": "semi_hard"}, note="0.16 and 0"),
        ),
    ),
    LossRecord(
        "triplet_margin",
        "The triplet loss of triplets that are given: anchors, positives and negatives, all `N x D`.",
        Factory(f"{_TRIPLET}:triplet_margin"),
        (
            Argument("margin", Real(0), "By how much the negative has to be farther.", 0.2),
            _SQUARED,
            Argument("normalise", Flag(), "Bring embeddings to length 1 first.", False),
        ),
        reference="Schroff et al., 2015, arXiv:1503.03832, equation 3",
        formula="L = max(0, |a - p|² - |a - n|² + m); called with a, p, n",
        reduction="mean over the triplets",
        range=(0.0, INFINITE),
        output="tensors",
        target="tensors",
        examples=(
            LossExample(([_THREE[0]], [_THREE[1]], [_THREE[2]]), 0.16),
            LossExample(
                ([_THREE[0]], [_THREE[1]], [_THREE[2]]),
                0.1801960972814432,
                {"squared": False},
                note="of distances, not their squares, as torch's TripletMarginLoss",
            ),
        ),
    ),
    LossRecord(
        "contrastive",
        "Pairs of one class are drawn together, pairs of two classes apart up to a margin.",
        Factory(f"{_CONTRAST}:contrastive"),
        (Argument("margin", Real(0), "The distance at which two classes are far enough apart.", 1.0),),
        reference="Hadsell et al., 2006, Dimensionality reduction by learning an invariant mapping, equation 4",
        formula="L = ½ d² for a pair alike, ½ max(0, m - d)² for one that is not",
        reduction="mean over all pairs of the batch",
        range=(0.0, INFINITE),
        output="embeddings",
        examples=(
            LossExample(([[0.0, 0.0], [0.3, 0.4]], [0, 0]), 0.125),
            LossExample(([[0.0, 0.0], [0.6, 0.8]], [0, 1]), 0.5, {"margin": 2.0}),
        ),
    ),
    LossRecord(
        "contrastive_pairs",
        "The contrastive loss of pairs that are given: two sets of embeddings `N x D`, and 1 where a pair is alike.",
        Factory(f"{_CONTRAST}:contrastive_pairs"),
        (Argument("margin", Real(0), "The distance at which a pair is far enough apart.", 1.0),),
        reference="Hadsell et al., 2006, Dimensionality reduction by learning an invariant mapping, equation 4",
        formula="L = ½ y d² + ½ (1 - y) max(0, m - d)², d = |a - b|; called with a, b, y",
        reduction="mean over the pairs",
        range=(0.0, INFINITE),
        output="tensors",
        target="tensors",
        examples=(LossExample(([[0.0, 0.0]] * 2, [[0.3, 0.4]] * 2, [1, 0]), 0.125),),
    ),
    LossRecord(
        "arcface",
        "Softmax of the cosines with directions of the classes, the right angle widened by a margin.",
        Factory(f"{_CENTRES}:arcface"),
        (
            Argument("scale", Real(1e-3), "What the cosines are multiplied by.", 64.0),
            Argument("margin", Real(0, 3.14), "What is added to the right angle, in radians.", 0.5),
        ),
        reference="Deng et al., 2019, arXiv:1801.07698, equation 3",
        formula="L = -log(e^{s cos(θ_y + m)} / (e^{s cos(θ_y + m)} + Σ_{k≠y} e^{s cos θ_k})); where θ_y + m > π, "
        "cos θ_y - m sin m stands for cos(θ_y + m)",
        reduction="mean over images",
        range=(0.0, INFINITE),
        output="directions",
        sizes=("features", "classes"),
        examples=(
            LossExample(
                ([[0.5, 0.2, 0.8426149773176359]], [0]),
                0.7852336255,
                {"scale": 1.0},
                _SIZES,
                _DIRECTIONS,
                "cos θ = 0.5 and 0.2",
            ),
            LossExample(
                ([[0.8, 0.2, 0.565685424949238]], [0]),
                0.1108010244,
                {"scale": 10.0},
                _SIZES,
                _DIRECTIONS,
                "cos θ = 0.8 and 0.2",
            ),
        ),
    ),
    LossRecord(
        "cosface",
        "Softmax of the cosines with directions of the classes, the right cosine reduced by a margin.",
        Factory(f"{_CENTRES}:cosface"),
        (
            Argument("scale", Real(1e-3), "What the cosines are multiplied by.", 64.0),
            Argument("margin", Real(0, 2), "What is taken from the right cosine.", 0.35),
        ),
        reference="Wang et al., 2018, arXiv:1801.09414, equation 4",
        formula="L = -log(e^{s (cos θ_y - m)} / (e^{s (cos θ_y - m)} + Σ_{k≠y} e^{s cos θ_k}))",
        reduction="mean over images",
        range=(0.0, INFINITE),
        output="directions",
        sizes=("features", "classes"),
        examples=(
            LossExample(
                ([[0.5, 0.2, 0.8426149773176359]], [0]),
                0.7184596480132863,
                {"scale": 1.0},
                _SIZES,
                _DIRECTIONS,
                "ln(1 + e^0.05)",
            ),
        ),
    ),
    LossRecord(
        "centre",
        "Half the squared distance of an embedding from the centre of its class, which follows the class.",
        Factory(f"{_CENTRES}:centre"),
        (Argument("rate", Real(0, 1), "How far a batch moves the centres.", 0.5),),
        reference="Wen et al., 2016, A discriminative feature learning approach for deep face recognition, "
        "equations 2 to 4",
        formula="L = ½ |x - c_y|²; after a batch c_k ← c_k - α Σ_{y=k} (c_k - x) / (1 + n_k)",
        reduction="mean over images (the paper has the sum)",
        range=(0.0, INFINITE),
        output="embeddings",
        sizes=("features", "classes"),
        examples=(
            LossExample(([[3.0, 4.0]], [0]), 12.5, {}, {"features": 2, "classes": 1}, {"centres": [[0.0, 0.0]]}),
        ),
    ),
    LossRecord(
        "nt_xent",
        "Every image is to find those of its own number among all others of the batch (SimCLR's NT-Xent).",
        Factory(f"{_CONTRAST}:nt_xent"),
        (Argument("temperature", Real(1e-3), "What the cosines are divided by.", 0.5),),
        reference="Chen et al., 2020, arXiv:2002.05709, equation 1; several positives: Khosla et al., 2020, "
        "arXiv:2004.11362, equation 2",
        formula="L_i = -(1 / |P(i)|) Σ_{p∈P(i)} log(e^{cos(i, p) / τ} / Σ_{k≠i} e^{cos(i, k) / τ})",
        reduction="mean over the images that have a partner",
        range=(0.0, INFINITE),
        output="directions",
        examples=(
            LossExample(
                (_VIEWS, [0, 1, 0, 1]), 0.2395447662218846, note="two views each; with itself below: 0.8200752"
            ),
            LossExample((_VIEWS, [0, 1, 1, 0]), 2.2395447662218846, note="the views swapped"),
            LossExample(([[1.0, 0.0], [0.6, 0.8], [0.8, 0.6], [0.0, 1.0]], [0, 1, 0, 1]), 0.8707137571),
            LossExample(([[1.0, 0.0]] * 4, [0, 1, 0, 1]), 1.0986122886681098, note="all alike: ln(2 B - 1)"),
        ),
    ),
)
