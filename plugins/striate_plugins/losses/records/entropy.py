"""The records of cross-entropy in its forms, and of its relatives."""

from striate.plugin import Argument, Choice, Factory, LossExample, LossRecord, OneOf, Optional, Real
from striate_plugins.losses.records.arguments import CLASS_WEIGHTS, INFINITE, LABEL_SMOOTHING, Weights

_SCORES = "striate_plugins.losses.cross_entropy"
_PROBABILITIES = "striate_plugins.losses.probabilities"
_FOCAL = "striate_plugins.losses.focal"
_PLACES = "mean over images or pixels"
_WEIGHTED = "mean over images or pixels, weighted by class"
_BISHOP = "Bishop, Pattern recognition and machine learning, 2006, section 4.3"
_ONE_TWO_THREE = [[1.0, 2.0, 3.0]]
_LOG9, _LOG4 = 2.1972245773362196, 1.3862943611198906

FROM_SCORES = (
    LossRecord(
        "cross_entropy",
        "Minus the logarithm of the probability that the softmax of the scores gives to the right class.",
        Factory(f"{_SCORES}:cross_entropy"),
        (LABEL_SMOOTHING, CLASS_WEIGHTS),
        reference=f"{_BISHOP}; label smoothing: Szegedy et al., 2016, arXiv:1512.00567, section 7",
        applies="softmax",
        formula="L = Σ_n w_y CE_n / Σ_n w_y, CE = -(1 - ε) log p_y - (ε / K) Σ_k (w_k / w_y) log p_k, p = softmax(s)",
        reduction=_WEIGHTED,
        range=(0.0, INFINITE),
        examples=(
            LossExample((_ONE_TWO_THREE, [2]), 0.40760596444438),
            LossExample(
                (_ONE_TWO_THREE, [2]), 0.50760596444438, {"label_smoothing": 0.1}, note="not (1 - ε) CE + ε / K"
            ),
            LossExample(([[0.0] * 10], [4]), 2.302585092994046, note="even scores of 10 classes: ln 10"),
            LossExample(([[2.0, 1.0, 0.1]], [0]), 0.4170300162778335),
        ),
    ),
    LossRecord(
        "categorical_cross_entropy",
        "Cross-entropy of the softmax of the scores with the shares of the classes, e.g. one-hot or mixed labels.",
        Factory(f"{_SCORES}:categorical_cross_entropy"),
        (LABEL_SMOOTHING, CLASS_WEIGHTS),
        reference=_BISHOP,
        applies="softmax",
        formula="L = -Σ_n Σ_k w_k q_k log p_k / Σ_n Σ_k w_k y_k, q = (1 - ε) y + ε / K, p = softmax(s)",
        reduction=_WEIGHTED,
        range=(0.0, INFINITE),
        target="shares",
        examples=(
            LossExample((_ONE_TWO_THREE, [[0.0, 0.0, 1.0]]), 0.40760596444438),
            LossExample((_ONE_TWO_THREE, [[0.5, 0.0, 0.5]]), 1.40760596444438),
        ),
    ),
    LossRecord(
        "binary_cross_entropy",
        "Cross-entropy of a sigmoid per class, each a yes or no of its own.",
        Factory(f"{_SCORES}:binary_cross_entropy"),
        (
            LABEL_SMOOTHING,
            Argument("positive_weights", Optional(Weights()), "Per class, how much a 1 counts against a 0.", None),
        ),
        reference="Bishop, Pattern recognition and machine learning, 2006, section 4.3.2",
        applies="sigmoid",
        formula="L = mean of -(w q log p + (1 - q) log(1 - p)), q = (1 - ε) y + ε / 2, p = sigmoid(s)",
        reduction="mean over all entries",
        range=(0.0, INFINITE),
        target="shares",
        examples=(
            LossExample(([[_LOG4]], [[1.0]]), 0.22314355131420976, note="p = 0.8"),
            LossExample(([[-_LOG4]], [[1.0]]), 1.6094379124341003, note="p = 0.2"),
            LossExample(([[_LOG9, -_LOG4]], [[1.0, 0.0]]), 0.16425203348601802, note="p = 0.9 and 0.2"),
        ),
    ),
    LossRecord(
        "kl_divergence",
        "Kullback-Leibler divergence of the softmax of the scores from the shares of the classes.",
        Factory(f"{_SCORES}:kl_divergence"),
        (LABEL_SMOOTHING,),
        reference="Kullback and Leibler, 1951, On information and sufficiency",
        applies="softmax",
        formula="L = Σ_k q_k (log q_k - log p_k), q = (1 - ε) y + ε / K, p = softmax(s)",
        reduction=_PLACES,
        range=(0.0, INFINITE),
        target="shares",
        examples=(
            LossExample(
                ([[-0.6931471805599453, -1.203972804325936, -1.6094379124341003]], [[0.7, 0.2, 0.1]]),
                0.08512282595722165,
                note="KL(T || S), T = (0.7, 0.2, 0.1), S = (0.5, 0.3, 0.2); the other way round it is 0.0920329",
            ),
        ),
    ),
    LossRecord(
        "brier",
        "Squared distance of the softmax of the scores from the shares of the classes.",
        Factory(f"{_SCORES}:brier"),
        reference="Brier, 1950, Verification of forecasts expressed in terms of probability",
        applies="softmax",
        formula="L = Σ_k (p_k - y_k)², p = softmax(s)",
        reduction=_PLACES,
        range=(0.0, 2.0),
        target="shares",
        examples=(LossExample(([[0.0, 0.0]], [[1.0, 0.0]]), 0.5),),
    ),
    LossRecord(
        "focal",
        "Cross-entropy in which the classes that are already right count less.",
        Factory(f"{_FOCAL}:focal"),
        (
            Argument("gamma", Real(0), "How much what is right is played down; 0 is cross-entropy.", 2.0),
            Argument("class_weights", Optional(Weights()), "The factor alpha of each class; none is 1 for all.", None),
        ),
        reference="Lin et al., 2017, arXiv:1708.02002, equation 5, with a softmax",
        applies="softmax",
        formula="L = -α_y (1 - p_y)^γ log p_y, p = softmax(s)",
        reduction=_PLACES,
        range=(0.0, INFINITE),
        examples=(
            LossExample(([[_LOG9, 0.0]], [0]), 0.00026340128914456557, {"class_weights": [0.25, 0.75]}, note="p = 0.9"),
            LossExample(([[-_LOG9, 0.0]], [0]), 0.46627348130523814, {"class_weights": [0.25, 0.75]}, note="p = 0.1"),
        ),
    ),
    LossRecord(
        "binary_focal",
        "Binary cross-entropy in which the entries that are already right count less.",
        Factory(f"{_FOCAL}:binary_focal"),
        (
            Argument("gamma", Real(0), "How much what is right is played down; 0 is binary cross-entropy.", 2.0),
            Argument("alpha", Optional(Real(0, 1)), "The weight of a 1; a 0 has 1 - alpha. None: both have 1.", 0.25),
            Argument(
                "normalise",
                OneOf(("entries", "positives")),
                "Divide by the number of entries, or by that of the ones, as detectors do.",
                Choice("entries"),
            ),
        ),
        reference="Lin et al., 2017, arXiv:1708.02002, equation 5",
        applies="sigmoid",
        formula="L = -α_t (1 - p_t)^γ log p_t, p_t = p where y = 1 and 1 - p where y = 0, α_t likewise, p = sigmoid(s)",
        reduction="mean over all entries, or sum over the number of ones",
        range=(0.0, INFINITE),
        target="shares",
        examples=(
            LossExample(([[_LOG9]], [[1.0]]), 0.00026340128914456557, note="p_t = 0.9"),
            LossExample(([[-_LOG9]], [[1.0]]), 0.46627348130523814, note="p_t = 0.1"),
            LossExample(([[_LOG9]], [[0.0]]), 1.3988204439157144, note="p_t = 0.1 of a 0: its weight is 1 - α, not α"),
        ),
    ),
)

FROM_PROBABILITIES = (
    LossRecord(
        "cross_entropy_from_probabilities",
        "Minus the logarithm of the probability of the right class, for a network that ends in a softmax.",
        Factory(f"{_PROBABILITIES}:cross_entropy_from_probabilities"),
        (CLASS_WEIGHTS,),
        reference=_BISHOP,
        formula="L = -Σ_n w_y log max(p_y, 10⁻¹²) / Σ_n w_y",
        reduction=_WEIGHTED,
        range=(0.0, 27.64),
        output="probabilities",
        examples=(LossExample(([[0.1, 0.2, 0.7]], [2]), 0.35667494393873245),),
    ),
    LossRecord(
        "categorical_cross_entropy_from_probabilities",
        "Cross-entropy of probabilities with the shares of the classes, for a network that ends in a softmax.",
        Factory(f"{_PROBABILITIES}:categorical_cross_entropy_from_probabilities"),
        (CLASS_WEIGHTS,),
        reference=_BISHOP,
        formula="L = -Σ_n Σ_k w_k y_k log max(p_k, 10⁻¹²) / Σ_n Σ_k w_k y_k",
        reduction=_WEIGHTED,
        range=(0.0, 27.64),
        output="probabilities",
        target="shares",
        examples=(LossExample(([[0.5, 0.25, 0.25]], [[0.0, 1.0, 0.0]]), 1.3862943611198906),),
    ),
    LossRecord(
        "binary_cross_entropy_from_probabilities",
        "Cross-entropy of a probability per class, each a yes or no, for a network that ends in a sigmoid.",
        Factory(f"{_PROBABILITIES}:binary_cross_entropy_from_probabilities"),
        (Argument("class_weights", Optional(Weights()), "Per class, the factor of its entries.", None),),
        reference="Bishop, Pattern recognition and machine learning, 2006, section 4.3.2",
        formula="L = mean of -w (y log p + (1 - y) log(1 - p)), logarithms of at least -100",
        reduction="mean over all entries",
        range=(0.0, INFINITE),
        output="probabilities",
        target="shares",
        examples=(
            LossExample(([[0.8]], [[1.0]]), 0.22314355131420976),
            LossExample(([[0.9, 0.2]], [[1.0, 0.0]]), 0.16425203348601802, note="both terms are within the sum"),
        ),
    ),
    LossRecord(
        "nll",
        "Minus the log-probability of the right class, for a network that ends in a log_softmax.",
        Factory(f"{_PROBABILITIES}:negative_log_likelihood"),
        (CLASS_WEIGHTS,),
        reference=_BISHOP,
        formula="L = -Σ_n w_y l_y / Σ_n w_y, l = log p",
        reduction=_WEIGHTED,
        range=(0.0, INFINITE),
        output="log_probabilities",
        examples=(LossExample(([[-2.0, -0.5, -1.3]], [1]), 0.5),),
    ),
)
RECORDS = (*FROM_SCORES, *FROM_PROBABILITIES)
