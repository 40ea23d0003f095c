"""The state of a training run in one file: tensors in safetensors, everything else as JSON in its header.

No pickle: what Lightning hands over to be saved is plain data, and a stranger's file cannot run code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import CheckpointIO
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from striate.runtime.atomic import atomic_write
from striate.runtime.checkpoint import STATE, read_header
from striate_dsl.diagnostics import Diagnostic, DiagnosticError


class StateFile(CheckpointIO):
    """Lightning's door to files on disk."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write a state, atomically.

        Raises:
            DiagnosticError: E0505, the file cannot be written; the one before is intact.
        """
        tensors: dict[str, Tensor] = {}
        state = json.dumps(_to_plain(checkpoint, tensors))
        atomic_write(path, save(tensors, {STATE: state}))

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a state; tensors come to the processor's memory."""
        return read_state(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a state."""
        Path(path).unlink(missing_ok=True)


def read_state(path: Path) -> dict[str, Any]:
    """Read the state of a run.

    Raises:
        DiagnosticError: E0501 to E0503, the file cannot be read, is something else, or is damaged.
    """
    header = read_header(path)
    if STATE not in header:
        raise DiagnosticError(
            Diagnostic(
                "E0502",
                f"{path} is not the state of a training run",
                help="a run is resumed from the resume.safetensors in its folder",
            )
        )
    try:
        with safe_open(path, framework="pt") as stored:
            # Copies: what lies in the file is not aligned as torch aligns its own tensors.
            tensors = {name: stored.get_tensor(name).clone() for name in stored.keys()}  # noqa: SIM118 - no mapping
        state: dict[str, Any] = _from_plain(json.loads(header[STATE]), tensors)
    except (KeyError, ValueError, TypeError, IndexError):
        message = f"{path} is damaged: its description does not go with its content"
        raise DiagnosticError(Diagnostic("E0503", message, help="start the run again with --overwrite")) from None
    return state


def _to_plain(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return a value as JSON knows it; tensors are moved to `tensors` and leave their name behind."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Tensor):
        name = str(len(tensors))
        value = value.detach().cpu()
        last = value.dim() == 4 and not value.is_contiguous() and value.is_contiguous(memory_format=torch.channels_last)
        # A clone, so that two names for one memory become two tensors, which the format demands.
        tensors[name] = value.clone(memory_format=torch.contiguous_format)
        return {"tensor": name, "channels_last": last}
    if isinstance(value, list):
        return [_to_plain(item, tensors) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_to_plain(item, tensors) for item in value]}
    if isinstance(value, Mapping):
        return {"map": [[_to_plain(key, tensors), _to_plain(item, tensors)] for key, item in value.items()]}
    raise TypeError(f"a {type(value).__name__} cannot be stored in the state of a run")


def _from_plain(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_from_plain(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        # The order in memory comes back too: sums over it must come out the same.
        last = value["channels_last"]
        return tensors[value["tensor"]].contiguous(
            memory_format=torch.channels_last if last else torch.contiguous_format
        )
    if "tuple" in value:
        return tuple(_from_plain(item, tensors) for item in value["tuple"])
    return {_from_plain(key, tensors): _from_plain(item, tensors) for key, item in value["map"]}
