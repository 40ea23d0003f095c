"""Features dealt out to the heads of an attention layer, in torch and in ONNX nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.ops.decomposition import Decomposition
from striate.ops.problems import LayerError, Problem

if TYPE_CHECKING:
    from torch import Tensor


def check_heads(heads: int, features: int) -> None:
    """Demand that the heads get equally many features.

    Raises:
        LayerError: their number does not divide the features.
    """
    if features % heads == 0:
        return
    # A head has one feature at least; beyond some millions the nearest is not worth the search.
    near = next(
        count
        for distance in range(heads)
        for count in (heads - distance, heads + distance)
        if count <= features and features % count == 0
    )
    multiple = max(heads, (features + heads // 2) // heads * heads)
    raise LayerError(
        Problem(
            f"{features} features cannot be dealt out to {heads} heads",
            code="E0205",
            argument="heads",
            notes=(f"each head gets features / heads = {features} / {heads} of them",),
            help=f"heads = {near} is the nearest that divides them, or give the layer {multiple} features",
            repair=(("heads", str(near)),),
        )
    )


def torch_heads(tokens: Tensor, heads: int) -> Tensor:
    """Return `… x L x C` as `… x heads x L x C/heads`."""
    return tokens.reshape(*tokens.shape[:-1], heads, tokens.shape[-1] // heads).transpose(-3, -2)


def torch_heads_joined(parts: Tensor) -> Tensor:
    """Return `… x heads x L x d` as `… x L x heads * d`."""
    return parts.transpose(-3, -2).flatten(-2)


def onnx_heads(write: Decomposition, tokens: str, heads: int, width: int, *, turned: bool = False) -> str:
    """Write `N x L x C` as `N x heads x L x d`, or turned as `N x heads x d x L`, with which rows can be multiplied."""
    dealt = write("Reshape", tokens, write.sizes([0, 0, heads, width // heads]))
    return write("Transpose", dealt, perm=[0, 2, 3, 1] if turned else [0, 2, 1, 3])


def onnx_heads_joined(write: Decomposition, parts: str, width: int) -> str:
    """Write `N x heads x L x d` as `N x L x C`."""
    return write("Reshape", write("Transpose", parts, perm=[0, 2, 1, 3]), write.sizes([0, 0, width]))
