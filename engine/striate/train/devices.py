"""The device that a command computes on."""

from __future__ import annotations

import torch

from striate_dsl.diagnostics import Diagnostic, DiagnosticError


def choose_device(name: str) -> torch.device:
    """Return the device of a name, `auto`, `cpu` or `cuda`; `auto` takes a GPU where there is one.

    Raises:
        DiagnosticError: E0512, there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise DiagnosticError(
            Diagnostic("E0512", "there is no CUDA device that torch can use", help="leave --device out, or pass cpu")
        )
    return torch.device(name)


def device_name(device: torch.device) -> str:
    """Return what a device is called."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
