"""Small questions about input and output sizes that most shape rules ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    return product(value.shape)


def product(sizes: Iterable[Dim]) -> Dim:
    """Return the product of sizes; 1 of none."""
    total: Dim = 1
    for size in sizes:
        total = total * size
    return total


def with_size(value: TensorType, position: int, size: Dim) -> TensorType:
    """Return a type with another size at one position (that counts the batch)."""
    return TensorType((*value.shape[: position - 1], size, *value.shape[position:]))


def with_space(inputs: Sequence[TensorType]) -> None:
    """Demand that the first input has axes beside its channels: that it is a sequence, an image or a volume.

    Raises:
        LayerError: it is a flat value.
    """
    if inputs[0].rank == 1:
        raise LayerError(
            Problem(
                f"needs pixels beside the channels, but gets {format_shape(inputs[0])}",
                code="E0204",
                help="put this layer before flatten",
            )
        )


def pixels(value: TensorType) -> Dim:
    """Return the number of pixels of a value: the product of its sizes beside the channels, 1 for a flat value."""
    return entries(TensorType(value.shape[1:]))


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
