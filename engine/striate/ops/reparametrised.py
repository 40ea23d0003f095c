"""Kernels that are not used as they are trained: weight standardisation and spectral normalisation.

Layers with a kernel ask `torch_kernel` and `onnx_kernel` for the one that they compute with, and whoever folds
something into it asks `evaluated_kernel`: the stored weight is the one that is trained. `rows` is the axis of the
output channels, 0 of a convolution or dense layer and 1 of a transposed convolution.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any

from striate.graph import Initializer
from striate.ops.arguments import Argument, Choice, OneOf
from striate.ops.decomposition import Decomposition
from striate.ops.moments import centred
from striate.ops.problems import Check, Problem
from striate.ops.record import Attributes, TorchCall, WeightSpec
from striate.ops.targets import OnnxCall

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    Array = np.ndarray[Any, np.dtype[Any]]

WEIGHT = Argument(
    "weight",
    OneOf(("plain", "standardised", "spectral")),
    "How the kernel is used: as it is, with mean 0 and variance 1 for each output channel (Qiao et al., 2019), or "
    "divided by its spectral norm, the largest factor by which it can stretch a vector (Miyato et al., 2018).",
    Choice("plain"),
)
_EPS = 1e-5
_LEAST = 1e-12
_DIRECTION = "running_u"


def check_entries(attributes: Attributes, count: int, check: Check) -> None:
    """Demand that a standardised kernel has several weights for each output channel."""
    if attributes["weight"] == "standardised":
        check.at_least(count, 2, partial(_nothing_left, count))


def _nothing_left(count: int) -> Problem:
    return Problem(
        f"has {count} weight for each output channel, of which nothing is left when its mean is subtracted",
        code="E0213",
        argument="weight",
        help="write weight = plain",
        repair=(("weight", "plain"),),
    )


def kernel_specs(attributes: Attributes, kernel: WeightSpec, rows: int = 0) -> tuple[WeightSpec, ...]:
    """Return a kernel and what is stored with it: the direction that it stretches most, as far as it is known."""
    if attributes["weight"] != "spectral":
        return (kernel,)
    start = Initializer("normal", {"deviation": 1.0})
    return kernel, WeightSpec(_DIRECTION, (kernel.shape[rows],), start, trainable=False)


def torch_kernel(call: TorchCall, rows: int = 0) -> Tensor:
    """Return the kernel to compute with; training takes a step towards the direction that it stretches most."""
    kernel, how = call.weights["weight"], call.attributes["weight"]
    if how == "standardised":
        return _torch_standardised(call, kernel, rows)
    return _torch_spectral(call, kernel, rows) if how == "spectral" else kernel


def _torch_standardised(call: TorchCall, kernel: Tensor, rows: int) -> Tensor:
    # The input channels of a transposed convolution come in groups, each with output channels of its own.
    groups = call.attributes["groups"] if rows else 1
    apart = kernel.reshape(groups, -1, *kernel.shape[1:]) if rows else kernel[None]
    axes = [axis for axis in range(1, apart.dim()) if axis != rows + 1]
    variance, mean = call.torch.var_mean(apart, axes, correction=0, keepdim=True)
    standardised: Tensor = (apart - mean) * (variance + _EPS).rsqrt()
    return standardised.reshape(kernel.shape)


def _torch_spectral(call: TorchCall, kernel: Tensor, rows: int) -> Tensor:
    matrix = kernel.transpose(0, rows).flatten(1)
    direction = call.weights[_DIRECTION]
    if call.training:
        with call.torch.no_grad():
            stretched = matrix @ (matrix.T @ direction)
            length = stretched.norm()
            # A kernel of zeros has no such direction, and must not take the one that is known away.
            direction.copy_(call.torch.where(length > _LEAST, stretched / length.clamp(min=_LEAST), direction))
    # A copy: a layer that is used twice takes a step each time, and gradients are those of the step they belong to.
    unit = call.torch.nn.functional.normalize(direction.clone(), dim=0, eps=_LEAST)
    result: Tensor = kernel / (matrix.T @ unit).norm().clamp(min=_LEAST)
    return result


def evaluated_kernel(attributes: Attributes, stored: Mapping[str, Array], rows: int = 0) -> Array:
    """Return the kernel that evaluation computes with, from what is stored by role, in the precision of that."""
    kernel: Array = stored["weight"]
    if attributes["weight"] == "standardised":
        groups = attributes["groups"] if rows else 1
        apart = kernel.reshape(groups, -1, *kernel.shape[1:]) if rows else kernel[None]
        axes = tuple(axis for axis in range(1, apart.ndim) if axis != rows + 1)
        mean, variance = apart.mean(axes, keepdims=True), apart.var(axes, keepdims=True)
        standardised: Array = ((apart - mean) / (variance + _EPS) ** 0.5).reshape(kernel.shape)
        return standardised
    if attributes["weight"] == "spectral":
        matrix = kernel.swapaxes(0, rows).reshape(kernel.shape[rows], -1)
        direction = stored[_DIRECTION]
        pulled = direction @ matrix / max(_length(direction), _LEAST)
        return kernel / max(_length(pulled), _LEAST)
    return kernel


def _length(vector: Array) -> float:
    length: float = float((vector * vector).sum()) ** 0.5
    return length


def onnx_kernel(write: Decomposition, call: OnnxCall, shape: tuple[int, ...], rows: int = 0) -> str:
    """Write the kernel to compute with, from the stored one of size `shape`; programs work it out when they start."""
    kernel, how = call.weights["weight"], call.attributes["weight"]
    if how == "plain":
        return kernel
    if how == "standardised":
        return _onnx_standardised(write, call, kernel, shape, rows)
    order = [rows, *(axis for axis in range(len(shape)) if axis != rows)]
    turned = write("Transpose", kernel, perm=order) if rows else kernel
    matrix = write("Reshape", turned, write.sizes([shape[rows], prod(shape) // shape[rows]]))
    direction = write("Reshape", call.weights[_DIRECTION], write.sizes([1, shape[rows]]))
    unit = write("Div", direction, _onnx_length(write, direction))
    return write("Div", kernel, _onnx_length(write, write("MatMul", unit, matrix)))


def _onnx_length(write: Decomposition, vector: str) -> str:
    length = write.reduced("ReduceL2", vector, [0, 1], keep=False)
    return write("Max", length, write.number(_LEAST))


def _onnx_standardised(write: Decomposition, call: OnnxCall, kernel: str, shape: tuple[int, ...], rows: int) -> str:
    if rows == 0:
        return write("Div", *centred(write, kernel, range(1, len(shape)), _EPS))
    groups = call.attributes["groups"]
    apart = write("Reshape", kernel, write.sizes([groups, shape[0] // groups, shape[1], prod(shape[2:])]))
    return write("Reshape", write("Div", *centred(write, apart, [1, 3], _EPS)), write.sizes(shape))
