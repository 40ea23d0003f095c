"""The records of everything but the layer: light ones, whose factories are imported when a run needs them."""

from importlib.resources import files

from striate.plugin import (
    Argument,
    Factory,
    FileRecord,
    HeadRecord,
    LossRecord,
    OptimizerRecord,
    Real,
    TaskRecord,
)

REDNET = FileRecord(
    "involution.rednet",
    "RedNet: residual networks whose 3 x 3 convolutions are involutions (Li et al., 2021).",
    "striate_involution",
    "zoo/rednet.cnn",
)

SYMMETRIC_CROSS_ENTROPY = LossRecord(
    "symmetric_cross_entropy",
    "Cross-entropy in both directions, which wrong labels mislead less: alpha * H(q, p) + beta * H(p, q).",
    Factory("striate_involution.symmetric_cross_entropy:symmetric_cross_entropy"),
    (
        Argument("alpha", Real(0), "What the usual cross-entropy counts.", 0.1),
        Argument("beta", Real(0), "What the reverse one counts.", 1.0),
        Argument("floor", Real(-20, -0.1), "What the logarithm of 0 is taken for (A in the paper).", -4.0),
    ),
    reference="Wang et al., Symmetric cross entropy for robust learning with noisy labels, 2019, equation 7",
    applies="softmax",
)

ADABELIEF = OptimizerRecord(
    "adabelief",
    "Adam whose steps are divided by how far gradients lie from their mean, and not by how large they are.",
    Factory("striate_involution.adabelief:AdaBelief"),
    (
        Argument("lr", Real(0), "The learning rate.", 0.001),
        Argument("beta1", Real(0, 1, open_maximum=True), "How much of the mean gradient stays at a step.", 0.9),
        Argument("beta2", Real(0, 1, open_maximum=True), "How much of the mean squared distance stays.", 0.999),
        Argument("eps", Real(1e-30), "What is added so that nothing is divided by 0.", 1e-8),
        Argument("weight_decay", Real(0), "The decay of weights per step and rate, apart from the gradient.", 0.0),
    ),
    reference="Zhuang et al., AdaBelief optimizer, 2020, algorithm 2",
)

ORDINAL_HEAD = HeadRecord(
    "ordinal",
    "Classes in an order (grades, ages, stages): a score for each border between two of them.",
    files("striate_involution").joinpath("heads/ordinal.cnn").read_text(encoding="utf-8"),
    "ordinal.cnn",
    ("borders",),
    "ordinal",
)

ORDINAL_TASK = TaskRecord(
    "ordinal",
    "The class of an image among classes in an order, and the chance to lie above each border.",
    Factory("striate_involution.ordinal:decode"),
)
