"""Initialisers: how the weights of a run start, for all kernels or for those that a recipe names."""

from striate.plugin import Argument, Choice, Factory, Flag, InitializerRecord, OneOf, Real

_FANS = ("fan_in", "fan_out", "fan_avg")
_NONLINEARITIES = ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu")

_TRUNCATED = Argument(
    "truncated",
    Flag(),
    "Draw again what is beyond two standard deviations, and widen the rest to the same variance, as Keras does.",
    False,
)


def _nonlinearity(default: str) -> tuple[Argument, ...]:
    return (
        Argument(
            "nonlinearity",
            OneOf(_NONLINEARITIES),
            "What follows the layer; it sets the gain: 1 for linear and sigmoid, 5/3 for tanh, √2 for relu, "
            "√(2 / (1 + slope²)) for leaky_relu, 3/4 for selu.",
            Choice(default),
        ),
        Argument("slope", Real(0), "Slope of leaky_relu below 0.", 0.01),
    )


def _mode(default: str) -> Argument:
    return Argument(
        "mode", OneOf(_FANS), "Which fan keeps its variance: forward, backward, or their mean.", Choice(default)
    )


def _factory(name: str) -> Factory:
    return Factory(f"striate_plugins.initializers.{name}")


_GLOROT = "Glorot and Bengio, 2010, Understanding the difficulty of training deep feedforward neural networks"
_HE = "He et al., 2015, arXiv:1502.01852"
_LECUN = "LeCun et al., 1998, Efficient BackProp, section 4.6"

INITIALIZERS = (
    InitializerRecord("zeros", "All 0; for biases: kernels that start so never differ.", _factory("plain:zeros")),
    InitializerRecord("ones", "All 1.", _factory("plain:ones")),
    InitializerRecord(
        "constant",
        "All the same number.",
        _factory("plain:constant"),
        (Argument("value", Real(), "The number."),),
    ),
    InitializerRecord(
        "normal",
        "Normal, with the same standard deviation whatever the layer's size.",
        _factory("plain:normal"),
        (
            Argument("std", Real(0), "Standard deviation.", 0.01),
            Argument("mean", Real(), "Mean of the distribution.", 0.0),
        ),
        formula="w ~ N(mean, std²)",
        reference="Krizhevsky et al., 2012, ImageNet classification with deep convolutional neural networks, section 5",
    ),
    InitializerRecord(
        "truncated_normal",
        "Normal, drawn again where it is too far from the mean.",
        _factory("plain:truncated_normal"),
        (
            Argument("std", Real(0), "Standard deviation before values are drawn again.", 0.02),
            Argument("mean", Real(), "Mean of the distribution.", 0.0),
            Argument("low", Real(), "Least value, in standard deviations from the mean.", -2.0),
            Argument("high", Real(), "Largest value, in standard deviations from the mean.", 2.0),
        ),
        formula="w ~ N(mean, std²), given that low ≤ (w - mean) / std ≤ high",
    ),
    InitializerRecord(
        "uniform",
        "Evenly between two numbers.",
        _factory("plain:uniform"),
        (
            Argument("low", Real(), "Least value.", -0.05),
            Argument("high", Real(), "Largest value.", 0.05),
        ),
        formula="w ~ U(low, high)",
    ),
    InitializerRecord(
        "he_normal",
        "Normal, with the variance that keeps the scale through ReLU (also called Kaiming).",
        _factory("scaled:he_normal"),
        (_mode("fan_in"), *_nonlinearity("relu"), _TRUNCATED),
        formula="w ~ N(0, gain² / fan)",
        reference=_HE,
    ),
    InitializerRecord(
        "he_uniform",
        "Evenly around 0, with the variance that keeps the scale through ReLU (also called Kaiming).",
        _factory("scaled:he_uniform"),
        (_mode("fan_in"), *_nonlinearity("relu")),
        formula="w ~ U(-b, b), b = gain · √(3 / fan)",
        reference=_HE,
    ),
    InitializerRecord(
        "xavier_normal",
        "Normal, with a variance between those that keep the scale forward and backward (also called Glorot).",
        _factory("scaled:xavier_normal"),
        (*_nonlinearity("linear"), _TRUNCATED),
        formula="w ~ N(0, gain² · 2 / (fan_in + fan_out))",
        reference=_GLOROT,
    ),
    InitializerRecord(
        "xavier_uniform",
        "Evenly around 0, with a variance between those that keep the scale forward and backward (also called Glorot).",
        _factory("scaled:xavier_uniform"),
        _nonlinearity("linear"),
        formula="w ~ U(-b, b), b = gain · √(6 / (fan_in + fan_out))",
        reference=_GLOROT,
    ),
    InitializerRecord(
        "lecun_normal",
        "Normal, with the variance that keeps the scale of what is added up; for scaled tanh and SELU.",
        _factory("scaled:lecun_normal"),
        (_TRUNCATED,),
        formula="w ~ N(0, 1 / fan_in)",
        reference=_LECUN,
    ),
    InitializerRecord(
        "lecun_uniform",
        "Evenly around 0, with the variance that keeps the scale of what is added up; for scaled tanh and SELU.",
        _factory("scaled:lecun_uniform"),
        formula="w ~ U(-b, b), b = √(3 / fan_in)",
        reference=_LECUN,
    ),
    InitializerRecord(
        "variance_scaling",
        "The family that the rules of He, Glorot and LeCun belong to.",
        _factory("scaled:variance_scaling"),
        (
            Argument("scale", Real(1e-12), "Numerator of the variance.", 1.0),
            _mode("fan_in"),
            Argument(
                "distribution",
                OneOf(("normal", "truncated_normal", "uniform")),
                "What is drawn from.",
                Choice("truncated_normal"),
            ),
        ),
        formula="variance(w) = scale / fan",
    ),
    InitializerRecord(
        "orthogonal",
        "Output channels whose weights stand at right angles to each other, as far as there is room.",
        _factory("structured:orthogonal"),
        (Argument("gain", Real(0), "Length of each output channel's weights.", 1.0),),
        formula="W Wᵀ = gain² · I for W of out x (in · kernel), and Wᵀ W = gain² · I where out is the larger",
        reference="Saxe et al., 2013, arXiv:1312.6120",
    ),
    InitializerRecord(
        "dirac",
        "The identity: the middle of each kernel passes its channel on, a dense layer its feature.",
        _factory("structured:dirac"),
        (Argument("gain", Real(), "The factor by which values are passed on.", 1.0),),
        formula="w[o, i, middle] = gain where o = i, otherwise 0",
        reference="Zagoruyko and Komodakis, 2017, arXiv:1706.00388",
    ),
    InitializerRecord(
        "bilinear",
        "Enlarging by bilinear interpolation, each channel for itself; for transposed convolutions.",
        _factory("structured:bilinear"),
        formula="w[c, c, y, x] = t(y) · t(x), t(k) = 1 - |k - (size - 1) / 2| / ⌈size / 2⌉; any other entry is 0",
        reference="Long et al., 2014, arXiv:1411.4038, section 3.3",
    ),
    InitializerRecord(
        "sparse",
        "Normal, with a share of the weights of each output channel at 0.",
        _factory("structured:sparse"),
        (
            Argument("sparsity", Real(0, 1, open_maximum=True), "Share of zeros, rounded up to whole weights.", 0.9),
            Argument("std", Real(0), "Standard deviation of the others.", 0.01),
        ),
        reference="Martens, 2010, Deep learning via Hessian-free optimization, section 5",
    ),
)
