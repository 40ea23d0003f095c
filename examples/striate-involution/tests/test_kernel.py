"""The Triton kernel against torch: in Triton's interpreter on a CPU, compiled on a GPU."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

pytest.importorskip("triton")

CASES = [(1, 2, 5, 7, 3, 1, 1), (2, 4, 6, 4, 5, 2, 2), (1, 3, 12, 15, 3, 3, 3), (1, 4, 9, 17, 7, 1, 2)]
CODE = f"""
import torch
from striate_involution.kernel import by_torch, by_triton, involve, runs_triton

for batch, channels, height, width, size, stride, groups in {CASES}:
    generator = torch.Generator().manual_seed(0)
    value = torch.randn(batch, channels, height, width, generator=generator, requires_grad=True)
    kernels = torch.randn(batch, groups * size**2, height // stride, width // stride, generator=generator)
    kernels.requires_grad_()
    assert runs_triton(value)
    found, wanted = involve(value, kernels, size, stride, groups), by_torch(value, kernels, size, stride, groups)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    for one, other in zip(*(torch.autograd.grad(item.square().sum(), [value, kernels]) for item in (found, wanted))):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    half = by_triton(value.half(), kernels.half(), size, stride, groups)
    assert half.dtype is torch.float16
    torch.testing.assert_close(half.float(), wanted, rtol=1e-2, atol=1e-2 * float(wanted.detach().abs().max()))
print("same")
"""


def test_the_kernel_in_the_interpreter():
    """In a process of its own: Triton decides when it is imported whether it interprets."""
    variables = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run([sys.executable, "-c", CODE], env=variables, capture_output=True, text=True, check=False)
    assert done.stdout == "same\n", done.stderr


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("batch", "channels", "height", "width", "size", "stride", "groups"), CASES)
def test_the_kernel_on_a_gpu(batch, channels, height, width, size, stride, groups):
    from striate_involution.kernel import by_torch, by_triton

    value = torch.randn(batch, channels, height, width, device="cuda")
    kernels = torch.randn(batch, groups * size**2, height // stride, width // stride, device="cuda")
    arguments = (value, kernels, size, stride, groups)
    torch.testing.assert_close(by_triton(*arguments), by_torch(*arguments), rtol=1e-4, atol=1e-4)


def test_without_an_interpreter_and_a_gpu_torch_computes():
    from striate_involution.kernel import runs_triton

    assert "TRITON_INTERPRET" in os.environ or not runs_triton(torch.zeros(1, 1, 2, 2))
