"""Tensors of a safetensors file, with numpy alone where numpy knows the type of the numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from striate.runtime.state_problems import damaged
from striate.runtime.stored_tensor import StateFile, StoredTensor
from striate_dsl.diagnostics import DiagnosticError

_KINDS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def read_safetensors(path: Path) -> StateFile:
    """Read the header of a safetensors file.

    Raises:
        DiagnosticError: E0661, the file is damaged.
    """
    try:
        with safe_open(path, framework="numpy") as stored:
            tensors = {}
            for name in stored.keys():  # noqa: SIM118  # it is no mapping
                part = stored.get_slice(name)
                tensors[name] = _tensor(path, name, tuple(part.get_shape()), part.get_dtype())
    except SafetensorError as error:
        raise DiagnosticError(damaged(path, f"the reader says: {error}")) from None
    return StateFile(path, "a safetensors file", tensors, (path,), {})


def _tensor(path: Path, name: str, shape: tuple[int, ...], kind: str) -> StoredTensor:
    refusal = None if kind in _KINDS else f"its numbers are of the type {kind}"
    read = partial(_bfloat16 if kind == "BF16" else _float, path, name)
    return StoredTensor(shape, read, _KINDS.get(kind, kind.lower()), refusal)


def _float(path: Path, name: str) -> np.ndarray[Any, np.dtype[Any]]:
    with safe_open(path, framework="numpy") as stored, np.errstate(over="ignore"):
        array: np.ndarray[Any, np.dtype[Any]] = stored.get_tensor(name).astype("float32")
    return array  # what is too large for float32 is infinite, and told to be so by whoever uses it


def _bfloat16(path: Path, name: str) -> np.ndarray[Any, np.dtype[Any]]:
    with safe_open(path, framework="pt") as stored:
        array: np.ndarray[Any, np.dtype[Any]] = stored.get_tensor(name).float().numpy()
    return array
