"""Small questions about input and output sizes that most shape rules ask."""

from __future__ import annotations

from collections.abc import Sequence

from striate.dims import Dim, format_dim
from striate.graph import TensorType, format_shape
from striate.ops.problems import LayerError, Problem


def typed(*shape: Dim) -> tuple[TensorType, ...]:
    """Return the single output of a rule."""
    return (TensorType(shape),)


def same_type(inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
    """Return the type of the first input as the single output."""
    return (inputs[0],)


def entries(value: TensorType) -> Dim:
    """Return the number of entries of a value: the features that flatten makes of it."""
    product: Dim = 1
    for size in value.shape:
        product = product * size
    return product


def known_channels(inputs: Sequence[TensorType]) -> int:
    """Return the channels of the first input as a number.

    Raises:
        LayerError: the number of channels depends on the input size, so weights cannot be made for it.
    """
    channels = inputs[0].channels
    if isinstance(channels, int):
        return channels
    raise LayerError(
        Problem(
            f"needs a fixed number of channels, but gets {format_dim(channels)}",
            code="E0207",
            notes=(f"the value that flows in is {format_shape(inputs[0])}",),
            help="its weights cannot be made for an open size; fix the size in the input line"
            if inputs[0].rank > 1
            else "use global_avgpool before flatten, which gives one number per channel for every input size",
        )
    )
