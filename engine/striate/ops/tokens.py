"""Values as rows of tokens: where the features of a token lie, and the way to `N x L x C` and back.

The positions of a sequence, the pixels of an image and those of a volume are tokens, numbered row by row; their
features are the channels, or the last axis where a value comes in the order that torch and Keras have (`L x C`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from striate.dims import Dim, format_dim
from striate.graph import TensorType, format_shape
from striate.ops.arguments import Argument, Choice, OneOf
from striate.ops.decomposition import Decomposition
from striate.ops.problems import LayerError, Problem
from striate.ops.sizes import product, with_space

if TYPE_CHECKING:
    from torch import Tensor

AXIS = Argument(
    "axis",
    OneOf(("channels", "last")),
    "Where the features of a token are: in the channels (C x L, C x H x W), or along the last axis (L x C, as torch "
    "lays tokens out); the output has the same order.",
    Choice("channels"),
)


def features_of(value: TensorType, axis: str) -> int:
    """Return how many features a token has.

    Raises:
        LayerError: the value has no tokens, or the number depends on the input size, so weights cannot be made.
    """
    with_space((value,))
    features = value.channels if axis == "channels" else value.shape[-1]
    if isinstance(features, int):
        return features
    raise LayerError(
        Problem(
            f"needs a fixed number of features, but gets {format_dim(features)}",
            code="E0207",
            argument="axis" if axis == "last" else None,
            notes=(f"the value is {format_shape(value)}",),
            help="its weights cannot be made for an open size; fix the size in the input line",
        )
    )


def tokens_of(value: TensorType, axis: str) -> Dim:
    """Return the number of tokens: positions or pixels."""
    return product(value.shape[1:] if axis == "channels" else value.shape[:-1])


def with_features(value: TensorType, axis: str, features: int) -> TensorType:
    """Return the type with another number of features."""
    return TensorType((features, *value.shape[1:]) if axis == "channels" else (*value.shape[:-1], features))


def to_tokens(value: Tensor, axis: str) -> Tensor:
    """Return a tensor as `N x L x C`."""
    return value.flatten(2).transpose(1, 2) if axis == "channels" else value.flatten(1, -2)


def from_tokens(tokens: Tensor, like: Sequence[int], axis: str) -> Tensor:
    """Return `N x L x C` in the order of a value of size `like` (with the batch), which may have other features."""
    if axis == "channels":
        return tokens.transpose(1, 2).reshape(like[0], -1, *like[2:])
    return tokens.reshape(*like[:-1], -1)


def onnx_tokens(write: Decomposition, value: str, kind: TensorType, axis: str) -> str:
    """Write a value as `N x L x C`."""
    if kind.rank == 2:
        return value if axis == "last" else write("Transpose", value, perm=[0, 2, 1])
    features, count = features_of(kind, axis), tokens_of(kind, axis)
    length = count if isinstance(count, int) else -1
    if axis == "last":
        return write("Reshape", value, write.sizes([0, length, features]))
    return write("Transpose", write("Reshape", value, write.sizes([0, features, length])), perm=[0, 2, 1])


def onnx_from_tokens(write: Decomposition, tokens: str, like: str, wanted: TensorType, axis: str) -> None:
    """Write the layer's value from `N x L x C`; `like` is a value whose tokens lie as those of the result do."""
    if wanted.rank == 2:
        write.result("Identity", tokens) if axis == "last" else write.result("Transpose", tokens, perm=[0, 2, 1])
        return
    if axis == "channels":
        tokens = write("Transpose", tokens, perm=[0, 2, 1])
    write.result("Reshape", tokens, _sizes(write, like, wanted, axis))


def _sizes(write: Decomposition, like: str, wanted: TensorType, axis: str) -> str:
    known = [size if isinstance(size, int) else -1 for size in wanted.shape]
    if known.count(-1) < 2:
        return write.sizes([0, *known])
    # Each size is a list of one number: the features are known, the others are those of `like`.
    place = 1 if axis == "channels" else wanted.rank
    features = known[place - 1]
    parts = [
        write.sizes([features]) if position == place else write.size_of(like, position)
        for position in range(1, wanted.rank + 1)
    ]
    return write("Concat", write.sizes([0]), *parts, axis=0)


def onnx_linear(write: Decomposition, tokens: str, weight: str, bias: str | None) -> str:
    """Write the product of tokens with a weight `out x in`, plus a bias."""
    made = write("MatMul", tokens, write("Transpose", weight, perm=[1, 0]))
    return made if bias is None else write("Add", made, bias)


def onnx_places(write: Decomposition, value: str, count: Dim, position: int) -> str:
    """Write the places 0, 1, … along an axis of a value: a list that may be known when the model runs only."""
    if isinstance(count, int):
        return write.sizes(range(count))
    size = write("Squeeze", write.size_of(value, position))
    return write("Range", write.whole(0), size, write.whole(1))
