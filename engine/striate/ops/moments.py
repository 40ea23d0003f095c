"""Mean and variance along axes: what the normalising layers have in common, in words, sizes and ONNX nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from striate.dims import Dim, format_dim
from striate.graph import Initializer, TensorType, format_shape
from striate.ops.arguments import Argument, Flag, Real
from striate.ops.decomposition import Decomposition
from striate.ops.problems import Check, Problem
from striate.ops.record import Types, WeightSpec
from striate.ops.sizes import entries

EPS = Argument("eps", Real(0), "Added to the variance, so that nothing is divided by zero.", 1e-5)
MOMENTUM = Argument(
    "momentum",
    Real(0, 1),
    "Weight of the new batch in the running statistics: running = (1 - momentum) * running + momentum * batch (as in "
    "torch; Keras and ONNX call 1 - momentum by that name). The batch's variance is divided by n - 1 there.",
    0.1,
)
RUNNING = ("running_mean", "running_var")


def affine(summary: str, default: bool) -> Argument:
    """Return the argument that asks for a trained scale and shift."""
    return Argument("affine", Flag(), summary, default)


def scale_and_shift(shape: tuple[int, ...]) -> tuple[WeightSpec, ...]:
    """Return the weights of a layer that scales and shifts what it has normalised: at first by 1 and 0."""
    return WeightSpec("weight", shape, Initializer("ones")), WeightSpec("bias", shape, Initializer("zeros"))


def running_statistics(channels: int) -> tuple[WeightSpec, ...]:
    """Return the statistics that training keeps for evaluation."""
    starts = (Initializer("zeros"), Initializer("ones"))
    return tuple(
        WeightSpec(role, (channels,), start, trainable=False) for role, start in zip(RUNNING, starts, strict=True)
    )


def check_several(entries: Dim, what: str, inputs: Types, check: Check) -> None:
    """Demand that a mean is taken over two entries at least.

    Args:
        entries: how many there are.
        what: what they are, e.g. "pixels of each channel".
        inputs: the layer's inputs, for the message.
        check: where the condition is stated.
    """

    def problem() -> Problem:
        return Problem(
            f"has one entry for each mean ({what}: {format_dim(entries)}), so that nothing but the bias is left",
            code="E0213",
            notes=(f"the value that flows in is {format_shape(inputs[0])}",),
            help="normalise where there are more pixels, or take bn, whose means go over the batch",
        )

    check.at_least(entries, 2, problem)


def normalising(value: TensorType, *, affine: bool) -> Dim:
    """Return the operations that normalise a value by its own mean and variance.

    For each entry: the sum of the mean; less the mean, the square, its sum; times the reciprocal deviation. A trained
    scale and shift are two more.
    """
    return entries(value) * (7 if affine else 5)


def centred(write: Decomposition, value: str, axes: Sequence[int], eps: float) -> tuple[str, str]:
    """Write a value less its mean along axes, and its standard deviation `sqrt(variance + eps)`; return both names."""
    apart = write("Sub", value, write.reduced("ReduceMean", value, axes))
    variance = write.reduced("ReduceMean", write("Mul", apart, apart), axes)
    return apart, write("Sqrt", write("Add", variance, write.number(eps)))


def spread(write: Decomposition, weight: str, behind: int) -> str:
    """Write a weight of one axis with axes of size 1 behind it, so that it lines up with a value that has more."""
    return write("Unsqueeze", weight, write.sizes(range(1, 1 + behind))) if behind else weight


def write_scaled(write: Decomposition, value: str, weights: Mapping[str, str], behind: int) -> None:
    """Write the last nodes of a layer: times its weight, plus its bias, which have one axis each."""
    scaled = write("Mul", value, spread(write, weights["weight"], behind))
    write.result("Add", scaled, spread(write, weights["bias"], behind))
