"""Augmentations: what happens to training images before the pixel contract, on whole batches."""

from striate.plugin import Argument, AugmentationRecord, Choice, Factory, Integer, OneOf, Real
from striate_plugins.augmentations.ranges import Bits, RealRange

_KORNIA = "kornia (the extra `augment`)"

_FILL = Argument(
    "fill",
    OneOf(("replicate", "reflect", "zeros")),
    "What lies beyond the border: its nearest pixel, the image mirrored, or black.",
    Choice("replicate"),
)
_HIDDEN = Argument("fill", OneOf(("zeros", "mean", "noise")), "What is put there.", Choice("zeros"))


def _factory(name: str) -> Factory:
    return Factory(f"striate_plugins.augmentations.{name}")


def _p(default: float) -> Argument:
    return Argument("p", Real(0, 1), "Probability, for each image.", default)


def _per_batch(default: float) -> Argument:
    return Argument("p", Real(0, 1), "Probability, for each batch.", default)


_MOVES = (
    AugmentationRecord(
        "hflip",
        "Mirrors images left to right.",
        _factory("moves:hflip"),
        (_p(0.5),),
        formula="x'(i, j) = x(i, W - 1 - j)",
    ),
    AugmentationRecord(
        "vflip",
        "Mirrors images top to bottom.",
        _factory("moves:vflip"),
        (_p(0.5),),
        formula="x'(i, j) = x(H - 1 - i, j)",
    ),
    AugmentationRecord(
        "crop",
        "Widens images by some pixels on every side and cuts a part of the old size out of them.",
        _factory("moves:crop"),
        (Argument("pad", Integer(), "Pixels on every side.", 4), _FILL),
        reference="He et al., 2015, arXiv:1512.03385, section 4.2 (CIFAR-10)",
    ),
    AugmentationRecord(
        "resized_crop",
        "Cuts a part out of images and brings it back to their size.",
        _factory("moves:resized_crop"),
        (
            Argument("scale", RealRange(1e-3, 1), "Least and largest share of the area.", (0.08, 1.0)),
            Argument("ratio", RealRange(0.01, 100), "Least and largest width over height.", (3 / 4, 4 / 3)),
        ),
        reference="Szegedy et al., 2014, arXiv:1409.4842, section 6",
    ),
    AugmentationRecord(
        "rotation",
        "Turns images about their middle.",
        _factory("affine:rotation"),
        (Argument("degrees", Real(0, 180), "The largest angle, either way.", 15.0), _FILL),
        formula="x' = R(φ) x about the middle, φ ~ U(-degrees, degrees)",
    ),
    AugmentationRecord(
        "affine",
        "Shears, enlarges, turns and shifts images about their middle.",
        _factory("affine:affine"),
        (
            Argument("degrees", Real(0, 180), "The largest angle, either way.", 15.0),
            Argument("shift", Real(0, 1), "The largest shifts along height and width, as shares of them.", 0.1),
            Argument("scale", RealRange(0.01, 100), "Least and largest factor by which the content grows.", (0.9, 1.1)),
            Argument("shear", Real(0, 80), "The largest angle of shearing along the rows, in degrees.", 0.0),
            _FILL,
        ),
        formula="x' = s · R(φ) · S · x + t about the middle, each part drawn evenly within its bounds",
    ),
)

_HIDING = (
    AugmentationRecord(
        "erasing",
        "Hides a rectangle of images.",
        _factory("erasing:erasing"),
        (
            _p(0.5),
            Argument("area", RealRange(0, 1), "Least and largest share of the area.", (0.02, 0.33)),
            Argument("ratio", RealRange(0.01, 100), "Least and largest height over width.", (0.3, 3.3)),
            _HIDDEN,
        ),
        reference="Zhong et al., 2017, arXiv:1708.04896",
    ),
    AugmentationRecord(
        "cutout",
        "Hides squares with their centres anywhere in the image; what lies beyond the border is lost.",
        _factory("erasing:cutout"),
        (
            Argument("size", Integer(), "Side of a square, in pixels.", 8),
            Argument("holes", Integer(), "Squares for each image.", 1),
            _HIDDEN,
        ),
        reference="DeVries and Taylor, 2017, arXiv:1708.04552",
    ),
    AugmentationRecord(
        "noise",
        "Adds Gaussian noise to every value.",
        _factory("noise:noise"),
        (Argument("std", Real(0), "Standard deviation, of values from 0 to 1.", 0.05),),
        formula="x' = x + n, n ~ N(0, std²), kept within 0 to 1",
    ),
    AugmentationRecord(
        "salt_pepper",
        "Turns some pixels white (salt) or black (pepper).",
        _factory("noise:salt_pepper"),
        (
            Argument("amount", Real(0, 1), "Share of the pixels that are hit.", 0.02),
            Argument("salt", Real(0, 1), "Share of these that turn white.", 0.5),
        ),
    ),
)

_MIXING = (
    AugmentationRecord(
        "mixup",
        "Blends each image, and what the network is to say of it, with another one of the batch.",
        _factory("mixing:mixup"),
        (Argument("alpha", Real(1e-3), "Both parameters of the Beta distribution of λ.", 0.2), _per_batch(1.0)),
        formula="x' = λ x₁ + (1 - λ) x₂, loss = λ L(y₁) + (1 - λ) L(y₂), λ ~ Beta(alpha, alpha)",
        reference="Zhang et al., 2017, arXiv:1710.09412",
    ),
    AugmentationRecord(
        "cutmix",
        "Puts a rectangle of another image of the batch into each image; its class counts by its area.",
        _factory("mixing:cutmix"),
        (Argument("alpha", Real(1e-3), "Both parameters of the Beta distribution of λ.", 1.0), _per_batch(1.0)),
        formula="x' = M x₁ + (1 - M) x₂, loss = λ L(y₁) + (1 - λ) L(y₂), λ = mean of M, the share of x₁ that is kept",
        reference="Yun et al., 2019, arXiv:1905.04899",
    ),
)

_COLOURS = (
    AugmentationRecord(
        "color_jitter",
        "Changes brightness, contrast, saturation and hue, in an order that is drawn for each batch.",
        _factory("colour:color_jitter"),
        (
            Argument("brightness", Real(0), "Largest change of brightness, as a share.", 0.2),
            Argument("contrast", Real(0), "Largest change of contrast, as a share.", 0.2),
            Argument("saturation", Real(0), "Largest change of saturation, as a share; for images in colour.", 0.0),
            Argument("hue", Real(0, 0.5), "Largest shift of the hue, as a share of the circle; in colour.", 0.0),
        ),
        formula="a x; b (x - μ) + μ, μ the mean grey; c x + (1 - c) grey(x); hue + δ",
        reference="Krizhevsky, 2014; Howard, 2013, arXiv:1312.5402",
        extra=_KORNIA,
    ),
    AugmentationRecord(
        "lighting",
        "Moves all colours of an image along the principal components of ImageNet's colours (AlexNet's colour shift).",
        _factory("noise:lighting"),
        (Argument("std", Real(0), "Standard deviation of the factors of the components.", 0.1),),
        formula="x' = x + Σ aₖ λₖ pₖ, aₖ ~ N(0, std²)",
        reference="Krizhevsky et al., 2012, ImageNet classification with deep neural networks, section 4.1",
    ),
    AugmentationRecord(
        "grey",
        "Takes the colour out of images; the three channels stay.",
        _factory("colour:grey"),
        (_p(0.1),),
        extra=_KORNIA,
    ),
    AugmentationRecord(
        "gamma",
        "Brightens or darkens the middle tones.",
        _factory("colour:gamma"),
        (Argument("power", RealRange(0.01, 100), "Least and largest exponent.", (0.8, 1.25)),),
        formula="x' = x ^ power",
        extra=_KORNIA,
    ),
    AugmentationRecord(
        "invert",
        "Turns images into their negatives.",
        _factory("colour:invert"),
        (_p(0.1),),
        "x' = 1 - x",
        extra=_KORNIA,
    ),
    AugmentationRecord(
        "solarize",
        "Inverts what is bright.",
        _factory("colour:solarize"),
        (Argument("threshold", Real(0, 1), "The least brightness that is inverted.", 0.5), _p(0.1)),
        formula="x' = 1 - x where x ≥ threshold",
        extra=_KORNIA,
    ),
    AugmentationRecord(
        "posterize",
        "Leaves few levels of brightness.",
        _factory("colour:posterize"),
        (Argument("bits", Bits(), "Bits for each channel, of eight.", 4), _p(0.1)),
        extra=_KORNIA,
    ),
    AugmentationRecord(
        "equalize",
        "Makes all brightnesses about equally frequent, channel by channel.",
        _factory("colour:equalize"),
        (_p(0.1),),
        extra=_KORNIA,
    ),
    AugmentationRecord(
        "autocontrast",
        "Stretches every channel of an image to the whole range.",
        _factory("colour:autocontrast"),
        (_p(0.1),),
        formula="x' = (x - min) / (max - min)",
        extra=_KORNIA,
    ),
    AugmentationRecord(
        "sharpness",
        "Makes images softer or sharper.",
        _factory("colour:sharpness"),
        (Argument("strength", Real(0), "Largest change, as a share.", 0.5),),
        formula="x' = f x + (1 - f) smooth(x), f ~ U(1 - strength, 1 + strength)",
        extra=_KORNIA,
    ),
    AugmentationRecord(
        "blur",
        "Blurs images by a Gaussian.",
        _factory("colour:blur"),
        (
            Argument("sigma", RealRange(0.01, 100), "Least and largest standard deviation, in pixels.", (0.1, 1.0)),
            _p(0.5),
        ),
        extra=_KORNIA,
    ),
)

_POLICIES = (
    AugmentationRecord(
        "rand_augment",
        "Draws some of 14 changes of place and colour for each image, all of one strength.",
        _factory("policies:rand_augment"),
        (
            Argument("n", Integer(), "Changes for each image.", 2),
            Argument("magnitude", Real(0, 30), "Strength, of 30.", 9.0),
            _FILL,
        ),
        reference="Cubuk et al., 2019, arXiv:1909.13719",
        extra=_KORNIA,
    ),
    AugmentationRecord(
        "trivial_augment",
        "Draws one of 14 changes of place and colour for each image, and its strength.",
        _factory("policies:trivial_augment"),
        (_FILL,),
        reference="Müller and Hutter, 2021, arXiv:2103.10158 (the wide table)",
        extra=_KORNIA,
    ),
)

AUGMENTATIONS = (*_MOVES, *_HIDING, *_MIXING, *_COLOURS, *_POLICIES)
