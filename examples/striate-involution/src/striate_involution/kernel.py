"""The weighted sums of an involution: by Triton on a GPU, by torch elsewhere; backward is computed by torch."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor


def involve(value: Tensor, kernels: Tensor, size: int, stride: int, groups: int) -> Tensor:
    """Return the sums `N x C x H/s x W/s` of the windows of `value` with a kernel per pixel.

    Args:
        value: `N x C x H x W`.
        kernels: `N x (G*K*K) x H/s x W/s`.
        size: the odd kernel size K; the border counts as zeros.
        stride: s.
        groups: G; channels of a group share their kernels.
    """
    if runs_triton(value):
        result: Tensor = _Involution.apply(value, kernels, size, stride, groups)
        return result
    return by_torch(value, kernels, size, stride, groups)


def runs_triton(value: Tensor) -> bool:
    """Whether the kernel is used: float32 or narrower on a GPU, or anywhere in Triton's interpreter."""
    if find_spec("triton") is None or value.dtype is torch.float64 or value.device.type == "meta":
        return False
    return value.is_cuda or (value.device.type == "cpu" and os.environ.get("TRITON_INTERPRET") == "1")


def by_torch(value: Tensor, kernels: Tensor, size: int, stride: int, groups: int) -> Tensor:
    """Return the sums by torch's own operations."""
    batch, channels = value.shape[:2]
    rows, columns = kernels.shape[2:]
    windows = torch.nn.functional.unfold(value, size, padding=size // 2, stride=stride)
    split = windows.reshape(batch, groups, channels // groups, size * size, rows, columns)
    weighed = split * kernels.reshape(batch, groups, 1, size * size, rows, columns)
    return weighed.sum(3).reshape(batch, channels, rows, columns)


class _Involution(torch.autograd.Function):
    """Forward by Triton, backward by torch."""

    @staticmethod
    def forward(context: Any, value: Tensor, kernels: Tensor, size: int, stride: int, groups: int) -> Tensor:
        context.save_for_backward(value, kernels)
        context.numbers = (size, stride, groups)
        return by_triton(value, kernels, size, stride, groups)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        saved = [item.detach().requires_grad_() for item in context.saved_tensors]
        with torch.enable_grad():
            again = by_torch(*saved, *context.numbers)
        return (*torch.autograd.grad(again, saved, gradients[0]), None, None, None)


def by_triton(value: Tensor, kernels: Tensor, size: int, stride: int, groups: int) -> Tensor:
    """Return the sums by the Triton kernel."""
    value, kernels = value.contiguous(), kernels.contiguous()
    batch, channels, height, width = value.shape
    rows, columns = kernels.shape[2:]
    result = torch.empty((batch, channels, rows, columns), dtype=value.dtype, device=value.device)
    from striate_involution.triton_sums import BLOCK, sums

    sums[batch * channels, -(-rows * columns // BLOCK)](
        value,
        kernels,
        result,
        channels,
        height,
        width,
        rows,
        columns,
        SIZE=size,
        STRIDE=stride,
        GROUPS=groups,
        BLOCK=BLOCK,
    )
    return result
